"""Everybody else in a chat: the real server, other people, and stand-ins for servers."""

import base64
import contextlib
import hashlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time

from patience import PATIENCE_S, eventually

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
SERVER = os.environ.get("PYCHAT_SERVER", str(BUILD / "pychat-server"))
# What is started like this ends with the process that started it, however that ends.
MORTAL = ["setpriv", "--pdeathsig", "KILL"]

SERVER_AUTHOR = "Сервер Чата"
# What stands before the 32 bytes of an Ed25519 key in a file of it.
SECRET_KEY_PREFIX = bytes.fromhex("302e020100300506032b657004220420")

GREETING = "Connection established. Waiting for your username..."


def free_port():
    """Returns a port of 127.0.0.1 at which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """The real server, which can die and come back at the same address."""

    def __init__(self, port=None, folder=None, name=None, servers=()):
        """Where `folder` is not named, nothing is kept, and there is no certificate. It is called by its
        address unless it has a name. Clients are told of `servers`."""
        self.port = port or free_port()
        self.storage = ["--state-dir", folder] if folder else ["--history", "memory"]
        self.control = ["--control-socket", f"{folder}/control.sock"] if folder else []
        self.address = f"127.0.0.1:{self.port}"
        self.name = name or self.address
        self.servers = ["--servers", ",".join(servers)] if servers else []
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [
                *MORTAL, SERVER, "--listen", self.address, *self.storage, *self.control,
                "--name", self.name, *self.servers,
                "--connections-per-address", "0",  # Everybody comes from the same one here.
            ],
            stderr=subprocess.DEVNULL,
        )
        eventually(self._answers, "the server")

    def stop(self, signal_number=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(signal_number)
            self.process.wait(PATIENCE_S)
            self.process = None

    def ctl(self, *order):
        """Tells it something, as its operator on the machine; it needs a folder for that."""
        subprocess.run(
            [SERVER, "ctl", *self.control, *order], check=True, stdout=subprocess.DEVNULL
        )

    def _answers(self):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True


class Door:
    """An address that leads to a server as long as it is open."""

    def __init__(self):
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.listener = None
        self.ends = []

    def open(self, server):
        """Leads to `server` from now on."""
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._pass_on, args=(self.listener, server.port), daemon=True).start()

    def shut(self):
        """Leads nowhere from now on, and breaks every connection."""
        if self.listener is None:
            return
        listener, self.listener = self.listener, None
        listener.shutdown(socket.SHUT_RDWR)  # Who waits for a call in another thread hears of it.
        listener.close()
        ends, self.ends = self.ends, []
        for end in ends:
            with contextlib.suppress(OSError):  # It may have ended by itself.
                end.shutdown(socket.SHUT_RDWR)

    def _pass_on(self, listener, port):
        with contextlib.suppress(OSError):  # It was shut.
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
                far.settimeout(None)
                self.ends += [near, far]
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=copy, args=(source, target), daemon=True).start()


def copy(source, target):
    """Passes on all that comes from one socket to another."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


class Speaker:
    """One end of a connection that speaks protocol 1 as the original does."""

    def __init__(self, connection):
        self.connection = connection
        self.connection.settimeout(PATIENCE_S)
        self.received = b""

    def write(self, payload):
        data = json.dumps(payload).encode()
        self.connection.sendall(b"%d:%s" % (len(data), data))

    def read(self):
        """Returns the next payload, or None if the other end has hung up."""
        while True:
            size, colon, rest = self.received.partition(b":")
            if colon and int(size) <= len(rest):
                self.received = rest[int(size):]
                return json.loads(rest[: int(size)])
            data = self.connection.recv(65536)
            if not data:
                return None
            self.received += data

    def close(self):
        self.connection.close()


class Peer(Speaker):
    """Another person in the room."""

    def __init__(self, server, name):
        super().__init__(socket.create_connection(("127.0.0.1", server.port), PATIENCE_S))
        self.write({"type": "hello", "username": name})
        def is_welcome(payload):
            return payload["content"].startswith("Добро пожаловать")

        self.welcome = self.hear_until(is_welcome)["content"]

    def say(self, text):
        self.write({"type": "text", "content": text})

    def hear_until(self, condition):
        """Returns the next payload that fulfils the condition."""
        while True:
            payload = self.read()
            if payload is None:
                raise AssertionError("the server hung up")
            if condition(payload):
                return payload

    def hear_from(self, author):
        """Returns the next text of `author`."""
        return self.hear_until(lambda payload: payload["username"] == author)["content"]


class Member(Speaker):
    """Somebody who owns their name, and speaks protocol 2: who can be in rooms."""

    def __init__(self, server, name):
        super().__init__(socket.create_connection(("127.0.0.1", server.port), PATIENCE_S))
        self.name = name
        self.n_requests = 0
        nonce = bytes.fromhex(self.read()["nonce"])
        secret = SECRET_KEY_PREFIX + hashlib.sha256(name.encode()).digest()
        signed = b"pychat hello 2\0" + nonce + bytes(32) + name.encode()
        with tempfile.TemporaryDirectory() as folder:
            key, said = pathlib.Path(folder, "key"), pathlib.Path(folder, "said")
            key.write_bytes(secret)
            said.write_bytes(signed)
            openssl = ["openssl", "pkey", "-inform", "DER", "-in", str(key), "-pubout"]
            public = subprocess.check_output([*openssl, "-outform", "DER"])[-32:]
            openssl = ["openssl", "pkeyutl", "-sign", "-keyform", "DER", "-inkey", str(key)]
            signature = subprocess.check_output([*openssl, "-rawin", "-in", str(said)])
        self.write(
            {
                "type": "hello", "username": name, "protocol": 2,
                "key": spelled(public), "signature": spelled(signature),
            }
        )
        self.welcome = self.hear("welcome")

    def hear(self, kind, /, **members):
        """Returns the next payload of this kind that has these members."""
        while True:
            payload = self.read()
            if payload is None:
                raise AssertionError("the server hung up")
            if payload["type"] == "ping":
                self.write({"type": "pong"})
            if payload["type"] == "error" and payload["code"] != "slow_down":
                raise AssertionError(payload)
            if payload["type"] == kind and members.items() <= payload.items():
                return payload

    def request(self, kind, /, **members):
        """Asks for something that is answered by a record, and returns that."""
        self.n_requests += 1
        request_id = f"{self.name}-{os.getpid()}-{self.n_requests}"
        self.write({"type": kind, "id": request_id, **members})
        return self.hear("message" if kind == "text" else "event", id=request_id)

    def say(self, text, room=""):
        return self.request("text", room=room, content=text)

    def create(self, name, kind="open", topic=""):
        """Makes a room, and returns its id."""
        return self.request("create_room", kind=kind, name=name, topic=topic)["room"]

    def direct(self, *names):
        """Opens the direct room with these people, and returns its id."""
        return self.request("direct", **{"with": names})["room"]


def spelled(data):
    """Bytes as they are spelled in payloads."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Stub:
    """A stand-in for a server, for one client at a time, that does what the test says."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE_S)
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.client = None

    def accept(self):
        """Waits for the client, and says nothing yet. A line that it had before is gone then."""
        before, self.client = self.client, Speaker(self.listener.accept()[0])
        if before is not None:
            before.close()

    def let_in(self, name=None):
        self.accept()
        self.say(SERVER_AUTHOR, GREETING)
        name = name or self.client.read()["username"]
        self.say(SERVER_AUTHOR, f"Добро пожаловать, {name}. Участников онлайн в чате: 0")
        return name

    def say(self, author, text):
        self.client.write({"type": "message", "username": author, "content": text})

    def close(self):
        if self.client is not None:
            self.client.close()
        self.listener.close()


class Original(Stub):
    """One of the original's protocol."""


class Modern(Stub):
    """One of protocol 2, with no rooms but the hall."""

    # The number up to which the client's person has read, once they have been there.
    read = None

    def let_in(self, seq=0, epoch="e1"):
        """Lets the client in; `seq` is the last number of the log. Returns the hello."""
        self.accept()
        return self.welcome(seq, epoch)

    def welcome(self, seq=0, epoch="e1"):
        self.client.write({
            "type": "message", "username": SERVER_AUTHOR, "content": GREETING, "protocol": 2,
            "epoch": epoch, "server": self.address, "nonce": "9c" * 16,
            "limits": {"payload": 65536, "name": 32}, "ping_seconds": 30,
        })
        hello = self.client.read()
        if self.read is None:
            self.read = seq
        self.client.write({
            "type": "welcome", "username": hello["username"], "epoch": epoch,
            "time": now_ms(), "members": [hello["username"]],
            "rooms": [{"room": "", "kind": "hall", "last": seq, "read": self.read}],
        })
        return hello

    def record(self, seq, author, text, **more):
        self.client.write({
            "type": "message", "seq": seq, "time": now_ms(), "username": author,
            "content": text, **more,
        })

    def give_page(self, request=None):
        """Gives what Борис said before the page that is asked for, which may be waited for: all numbers."""
        request = request or self.hear("history")
        before = request["before"]
        first = max(1, before - min(request["limit"], 500))
        for seq in range(first, before):
            self.record(seq, "Борис", f"number {seq}", replay=True)
        self.client.write({
            "type": "page", "before": before, "count": before - first, "start": first == 1,
        })

    def hear(self, kind):
        """Returns the next payload of this type; whether one is there may be asked meanwhile."""
        while True:
            payload = self.client.read()
            assert payload is not None, "the client hung up"
            if payload["type"] == kind:
                return payload
            if payload["type"] == "read":
                self.read = payload["seq"]
            if payload["type"] in ("read", "typing"):
                continue  # Nothing answers them.
            assert payload["type"] == "ping", payload
            self.client.write({"type": "pong"})


def now_ms():
    return int(time.time() * 1000)
