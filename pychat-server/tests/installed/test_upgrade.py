"""Nobody is disconnected while another build of the server takes the place of the one that runs: fifty
people talk through upgrades and back."""

import asyncio
from pathlib import Path

from system import (
    OLDER,
    SERVER_PROGRAM,
    install,
    installed_version,
    main_pid,
    older,
    package,
)
from talks import Talks

NAME = "pychat-server"


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


def running_program():
    return Path(f"/proc/{main_pid()}/exe").read_bytes()


async def replace(next_package):
    command = ["dpkg", "--install", "--force-confold", "--force-downgrade", next_package]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0
