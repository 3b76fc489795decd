"""Nobody is disconnected while the server is started again: fifty people of both protocols talk without
a pause while it is restarted, killed, aborted, and hangs; all of them hear all of it, once."""

import asyncio
import os
import random
import signal
import time

from client import PATIENCE_SECONDS
from people import Original, Second
from system import UNIT, Override, Story, main_pid, shown, systemctl

N_PEOPLE = 50
N_RESTARTS = 3
N_KILLS = 20
TALK_SECONDS = 1
GOODBYE = "Connection closed due to server is shutting down. Bye!\n"


class Connections(Story):
    def setUp(self):
        super().setUp()
        # It dies more often here than a manager would put up with.
        often = ["[Unit]", "StartLimitIntervalSec=0"]
        soon = ["[Service]", "RestartSec=100ms", "WatchdogSec=2s"]
        self.enterContext(Override(*often, *soon))
        systemctl("restart", UNIT)

    def test_nobody_is_disconnected(self):
        asyncio.run(self.all_that_happens())

    async def all_that_happens(self):
        self.people = [(Original if i % 2 else Second)(f"p{i}") for i in range(N_PEOPLE)]
        for person in self.people:
            await person.connect()
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

    async def they_talk_during(self, happen):
        is_over = asyncio.Event()
        talks = [asyncio.create_task(person.talk(is_over)) for person in self.people]
        await asyncio.sleep(TALK_SECONDS)
        await happen()
        await asyncio.sleep(TALK_SECONDS)
        is_over.set()
        await asyncio.gather(*talks)
        total = sum(person.said for person in self.people)
        is_late = lambda person: len(person.heard) < total and not person.listening.done()
        await until(lambda: not any(map(is_late, self.people)), f"all {total} are heard")
        for person in self.people:
            if person.listening.done():
                person.listening.result()
            self.assertFalse(person.has_ended, f"{person.name} was disconnected")
            self.assertEqual(len(set(person.heard)), total, f"{person.name} did not hear all")
            self.assertEqual(person.heard, self.people[0].heard, f"{person.name}: another order")
            left = [notice for notice in person.notices if "покинул" in str(notice)]
            self.assertEqual(left, [], "nobody left")

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


async def die(number):
    """Ends the server, and waits until another has taken its place."""
    pid = main_pid()
    os.kill(pid, number)
    is_back = lambda: main_pid() not in (0, pid) and shown("ActiveState") == "active"
    await until(is_back, "the server is started again")


def n_kept():
    return int(shown("NFileDescriptorStore"))


async def until(condition, wanted):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {wanted}"
        await asyncio.sleep(0.02)
