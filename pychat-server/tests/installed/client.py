"""Who talks to the server: a client of either protocol, with nothing of the project's own code."""

import hashlib
import json
import socket

from ed25519 import prove

PATIENCE_SECONDS = 15
PORT = 12345
SERVER = "Сервер Чата"


class Peer:
    """A client's end of a connection. All reading waits, up to `PATIENCE_SECONDS`."""

    def __init__(self, name=None, protocol=1, host="127.0.0.1", port=PORT):
        """Connects, and joins if there is a name."""
        self.protocol = protocol
        self.socket = socket.create_connection((host, port), PATIENCE_SECONDS)
        self.stream = self.socket.makefile("rb")
        self.n_texts = 0
        if name is not None:
            self.join(name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def join(self, name):
        """Says hello, and waits for the welcome."""
        greeting = self.hears(username=SERVER)
        if self.protocol == 1:
            self.send(type="hello", username=name)
            return self.hears(username=SERVER)
        # The same name has the same key, whichever peer has it.
        secret = hashlib.sha256(name.encode()).digest()
        proof = prove(secret, greeting["nonce"], name)
        self.send(type="hello", username=name, protocol=2, **proof)
        return self.hears(type="welcome")

    def say(self, content):
        """Says something, and waits until the server has it."""
        if self.protocol == 1:
            self.send(type="text", content=content)
            return self.hears(username="Вы", content=content)
        self.n_texts += 1
        self.send(type="text", content=content, id=str(self.n_texts))
        return self.hears(type="message", id=str(self.n_texts))

    def send(self, **payload):
        encoded = json.dumps(payload, ensure_ascii=False).encode()
        self.socket.sendall(b"%d:%s" % (len(encoded), encoded))

    def hears(self, **members):
        """Waits for a payload that has these members; returns it. What comes before is passed over."""
        while True:
            payload = self.receive()
            assert payload is not None, f"the line ended before {members}"
            if members.items() <= payload.items():
                return payload

    def receive(self):
        """Waits for the next payload; returns none if the line has ended."""
        digits = b""
        while (byte := self.stream.read(1)) != b":":
            if not byte:
                return None
            digits += byte
        return json.loads(self.stream.read(int(digits)))

    def hears_the_end(self):
        """Waits until the server has closed the line."""
        while self.receive() is not None:
            pass

    def address(self):
        """Returns where the server sees this client."""
        host, port, *_ = self.socket.getsockname()
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def close(self):
        self.stream.close()
        self.socket.close()
