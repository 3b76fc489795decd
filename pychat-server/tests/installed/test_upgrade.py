"""Nobody is disconnected while another build of the server takes the place of the one that runs: fifty
people talk through upgrades and back. Where the next one could not go on exactly, it ends the lines."""

import asyncio
import os
import signal
import struct
import zlib
from pathlib import Path

from system import (
    OLDER,
    SERVER_PROGRAM,
    entries,
    install,
    installed_version,
    main_pid,
    older,
    package,
)
from talks import Talks, die, until

NAME = "pychat-server"
NOTES = Path("/run/private/pychat-server/connections")
LATER_FORMAT = 1_000


class Upgrades(Talks):
    @classmethod
    def setUpClass(cls):
        install(older(NAME))

    def test_nobody_is_disconnected(self):
        asyncio.run(self.there_and_back())

    async def there_and_back(self):
        await self.they_join()
        builds = [running_program()]
        for next_package in [package(NAME), older(NAME), package(NAME), package(NAME)]:
            before = main_pid()
            await self.they_talk_during(lambda: replace(next_package))
            self.assertNotEqual(main_pid(), before, "it was not restarted")
            self.assertEqual(running_program(), SERVER_PROGRAM.read_bytes())
            builds.append(running_program())
        self.assertNotEqual(installed_version(NAME), OLDER)
        self.assertEqual(len(set(builds)), 2, "these are not two builds")

    def test_lines_end_if_the_notes_are_of_another_format(self):
        asyncio.run(self.another_format())

    async def another_format(self):
        await self.they_join()
        await self.they_talk_during(lambda: asyncio.sleep(0))
        os.kill(main_pid(), signal.SIGSTOP)
        NOTES.write_bytes(notes_of(LATER_FORMAT))
        await die(signal.SIGKILL)
        await until(lambda: all(person.has_ended for person in self.people), "all lines end")
        for person in self.people:
            self.assertEqual(person.torn, b"", f"{person.name} was told half a message")
        (entry,) = entries("PYCHAT_EVENT=notes_unread")
        self.assertEqual(entry["PRIORITY"], "4")
        self.assertIn(f"format {LATER_FORMAT}", entry["MESSAGE"])
        await self.they_join("q")
        await self.they_talk_during(lambda: asyncio.sleep(0))


def running_program():
    return Path(f"/proc/{main_pid()}/exe").read_bytes()


async def replace(next_package):
    command = ["dpkg", "--install", "--force-confold", "--force-downgrade", next_package]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0


def notes_of(number):
    """Returns notes of the format of this number, in which nothing else can be read."""
    body = b"\x00" + variable(number) + b"\xff" * 9
    return struct.pack("<II", len(body), zlib.crc32(body)) + body


def variable(number):
    """Returns a number in as many bytes as it takes, seven bits in each, the lowest first."""
    encoded = bytearray()
    while 0x80 <= number:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])
