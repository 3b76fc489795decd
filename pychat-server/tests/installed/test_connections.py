"""Nobody is disconnected while the server is started again: fifty people of both protocols talk without
a pause while it is restarted, killed, aborted, and hangs; all of them hear all of it, once."""

import asyncio
import random
import signal

from people import Second
from system import UNIT, shown, systemctl
from talks import N_PEOPLE, Talks, die, until

N_RESTARTS = 3
N_KILLS = 20
# For either family of addresses one.
N_LISTENERS = 2
GOODBYE = "Connection closed due to server is shutting down. Bye!\n"


class Connections(Talks):
    def test_nobody_is_disconnected(self):
        asyncio.run(self.all_that_happens())

    async def all_that_happens(self):
        await self.they_join()
        await self.they_talk_during(restarts)
        await self.they_talk_during(lambda: die(signal.SIGABRT))
        await self.they_talk_during(kills)
        await self.they_talk_during(lambda: die(signal.SIGSTOP))  # Until the watchdog bites.
        welcomes = {person.n_welcomes for person in self.people if isinstance(person, Second)}
        self.assertEqual(welcomes, {N_RESTARTS + 1 + N_KILLS + 1})
        self.assertEqual(n_kept(), N_PEOPLE)
        self.people.pop().writer.close()
        await until(lambda: n_kept() == N_PEOPLE - 1, "who left is kept")
        await self.they_are_told_when_it_stops()

    async def they_are_told_when_it_stops(self):
        systemctl("stop", UNIT)
        await until(lambda: all(person.has_ended for person in self.people), "all lines end")
        for person in self.people:
            last = person.notices[-1]
            is_told = last == GOODBYE or last.get("reason") == "shutdown"
            self.assertTrue(is_told, (person.name, last))


async def restarts():
    for _ in range(N_RESTARTS):
        process = await asyncio.create_subprocess_exec("systemctl", "restart", UNIT)
        assert await process.wait() == 0


async def kills():
    for _ in range(N_KILLS):
        await asyncio.sleep(random.uniform(0.05, 0.6))
        await die(signal.SIGKILL)


def n_kept():
    """Returns how many connections are kept, beside the sockets that listen."""
    return int(shown("NFileDescriptorStore")) - N_LISTENERS
