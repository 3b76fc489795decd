"""Fifty people talk without a pause while the server is restarted, killed, aborted, and hangs. In order it
restarts without disconnecting anybody, in either protocol; however else it ends, people of protocol 2
come back and have missed nothing."""

import asyncio
import random
import signal

from people import Second
from system import UNIT, entries, shown, systemctl
from talks import N_PEOPLE, Talks, die, until

N_RESTARTS = 5
N_KILLS = 20
# For either family of addresses one.
N_LISTENERS = 2
GOODBYE = "Connection closed due to server is shutting down. Bye!\n"


class Connections(Talks):
    def test_nobody_is_disconnected_by_a_restart(self):
        asyncio.run(self.restarted())

    async def restarted(self):
        await self.they_join()
        await self.they_talk_during(restarts)
        self.assertEqual(n_kept(), N_LISTENERS, "what was handed over is not kept twice")
        told = [entry["MESSAGE"] for entry in entries("PYCHAT_EVENT=restore")]
        self.assertEqual(told, [f"restored {N_PEOPLE} connections"] * N_RESTARTS)
        await self.they_are_told_when_it_stops()

    def test_nothing_is_lost_however_it_ends(self):
        asyncio.run(self.killed())

    async def killed(self):
        await self.they_join([Second])
        await self.they_talk_during(lambda: die(signal.SIGABRT), may_end=True)
        await self.they_talk_during(kills, may_end=True)
        await self.they_talk_during(lambda: die(signal.SIGSTOP), may_end=True)
        returns = [person.n_returns for person in self.people]
        self.assertLessEqual(N_KILLS // 2, min(returns), returns)
        self.assertEqual(n_kept(), N_LISTENERS)
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
    """Returns how many descriptors systemd keeps for the unit."""
    return int(shown("NFileDescriptorStore"))
