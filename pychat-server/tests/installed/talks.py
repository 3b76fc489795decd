"""Stories in which fifty people talk without a pause while something happens to the server: all of them
hear all of it, once and in the same order, and where it is restarted in order nobody is disconnected."""

import asyncio
import os
import time

from client import PATIENCE_SECONDS
from people import Original, Second
from system import UNIT, Override, Story, configure, main_pid, shown, systemctl

N_PEOPLE = 50
TALK_SECONDS = 1


class Talks(Story):
    def setUp(self):
        super().setUp()
        # It dies more often here than a manager would put up with.
        often = ["[Unit]", "StartLimitIntervalSec=0"]
        soon = ["[Service]", "RestartSec=100ms", "WatchdogSec=2s"]
        self.enterContext(Override(*often, *soon))
        configure("connections-per-address = 0")  # They say more than one address may.
        systemctl("restart", UNIT)

    async def they_join(self, kinds=(Second, Original)):
        """Lets people join who speak these protocols in turn."""
        self.people = [kinds[i % len(kinds)](f"p{i}") for i in range(N_PEOPLE)]
        for person in self.people:
            await person.connect()

    async def they_talk_during(self, happen, may_end=False):
        """Lets them talk while something happens, in which their lines may end or must not."""
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
            if not may_end:
                returns = getattr(person, "n_returns", 0)
                self.assertEqual((person.has_ended, returns), (False, 0), person.name)
            self.assertEqual(len(set(person.heard)), total, f"{person.name} did not hear all")
            self.assertEqual(person.heard, self.people[0].heard, f"{person.name}: another order")
            if not may_end:
                left = [notice for notice in person.notices if "покинул" in str(notice)]
                self.assertEqual(left, [], "nobody left")


async def die(number):
    """Ends the server, and waits until another has taken its place."""
    pid = main_pid()
    os.kill(pid, number)
    is_back = lambda: main_pid() not in (0, pid) and shown("ActiveState") == "active"
    await until(is_back, "the server is started again")


async def until(condition, wanted):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {wanted}"
        await asyncio.sleep(0.02)
