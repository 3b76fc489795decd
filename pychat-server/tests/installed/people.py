"""People who talk without a pause, each of whom says at once if anything is not as it should be."""

import asyncio
import json
import random

from client import PORT, SERVER
from ed25519 import prove

# What the server lets anybody say without a pause is five a second.
PAUSE_SECONDS = 0.25
# How long somebody waits who could not come back.
RETURN_SECONDS = 0.05


class Person:
    """Somebody who talks, and hears everything once and in order, or says what is wrong."""

    def __init__(self, name):
        self.name = name
        self.said = 0
        self.heard = []
        self.notices = []
        self.has_ended = False
        # The server said that it stops.
        self.is_dismissed = False
        # What was there of a frame when the line ended.
        self.torn = b""

    async def connect(self):
        await self.open()
        await self.join()
        self.listening = asyncio.create_task(self.listen())

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", PORT)
        self.greeting = await self.receive()
        assert self.greeting is not None, "a greeting"

    def send(self, **payload):
        encoded = json.dumps(payload, ensure_ascii=False).encode()
        frame = b"%d:%s" % (len(encoded), encoded)
        # What is said does not arrive at once: the server has parts of it when it ends.
        cut = random.randrange(len(frame))
        self.writer.write(frame[:cut])
        self.writer.write(frame[cut:])

    async def receive(self):
        try:
            size = int((await self.reader.readuntil(b":"))[:-1])
            return json.loads(await self.reader.readexactly(size))
        except asyncio.IncompleteReadError as error:
            self.torn = error.partial
            return None
        except ConnectionError:
            return None

    async def listen(self):
        while (payload := await self.receive()) is not None:
            self.take(payload)
        self.has_ended = True

    async def talk(self, until):
        while not until.is_set():
            await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.9, 1.5))
            self.said += 1
            self.say(f"{self.name} {self.said}")


class Original(Person):
    """Speaks protocol 1."""

    async def join(self):
        self.send(type="hello", username=self.name)
        payload = await self.receive()
        assert payload["content"].startswith("Добро пожаловать"), payload

    def say(self, text):
        self.send(type="text", content=text)

    def take(self, payload):
        if payload["username"] == SERVER:
            self.notices.append(payload["content"])
            return
        author, content = payload["username"], payload["content"]
        own = content.startswith(f"{self.name} ")
        assert author == ("Вы" if own else content.split(" ")[0]), payload
        self.heard.append(content)


class Second(Person):
    """Speaks protocol 2, and comes back by itself when the line ends."""

    def __init__(self, name):
        super().__init__(name)
        self.last = 0
        self.waiting = {}
        self.n_returns = 0
        self.key = random.randbytes(32)
        self.epoch = None

    async def join(self):
        hello = {"type": "hello", "username": self.name, "protocol": 2}
        hello |= prove(self.key, self.greeting["nonce"], self.name)
        if self.epoch:
            hello |= {"resume": {"epoch": self.epoch, "rooms": {"": self.last}}}
        self.send(**hello)
        while (payload := await self.receive())["type"] != "welcome":
            assert payload["type"] != "error", payload
        if not self.epoch:
            self.last = payload["rooms"][0]["last"]
        self.epoch = payload["epoch"]
        for number, text in self.waiting.items():
            self.send(type="text", content=text, id=number)

    async def listen(self):
        await super().listen()
        while not self.is_dismissed:
            self.has_ended = False
            self.writer.close()
            try:
                await self.open()
                await self.join()
            except (AssertionError, OSError, TypeError):
                # Nobody answers yet, or the line ended again before the welcome.
                self.has_ended = True
                await asyncio.sleep(RETURN_SECONDS)
                continue
            self.n_returns += 1
            await super().listen()

    def say(self, text):
        self.waiting[str(self.said)] = text
        if not self.has_ended:
            self.send(type="text", content=text, id=str(self.said))

    def take(self, payload):
        kind = payload["type"]
        if kind == "ping":
            self.send(type="pong")
        elif kind == "message":
            if payload["username"] == self.name and "id" in payload:
                self.waiting.pop(payload["id"], None)
            if self.last < payload["seq"] and not payload.get("dup"):
                assert payload["seq"] == self.last + 1, (self.name, self.last, payload)
                self.last = payload["seq"]
                self.heard.append(payload["content"])
        elif kind == "bye":
            self.notices.append(payload)
            self.is_dismissed = payload["reason"] == "shutdown"
        elif kind != "pong":
            self.notices.append(payload)
