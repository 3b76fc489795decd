"""However the server dies, systemd starts it again, and nothing that was said is lost."""

import os
import signal

from client import Peer
from system import UNIT, Override, Story, entries, main_pid, shown, systemctl, wait_for


class Death(Story):
    def setUp(self):
        super().setUp()
        with Peer("Anna") as anna:
            anna.say("before")
        self.before = main_pid()

    def is_back(self):
        """Waits until another server has taken this one's place, and remembers."""
        wait_for(lambda: main_pid() not in (0, self.before), "it is not started again")
        wait_for(lambda: shown("ActiveState") == "active", "it does not become ready")
        self.assertEqual(shown("NRestarts"), "1")
        with Peer("Boris", protocol=2) as boris:
            boris.send(type="history", before=2, limit=10)
            self.assertEqual(boris.hears(type="message")["content"], "before")

    def test_killed(self):
        os.kill(self.before, signal.SIGKILL)
        self.is_back()

    def test_crashed(self):
        os.kill(self.before, signal.SIGABRT)
        self.is_back()

    def test_hung(self):
        """A process that is stopped in its tracks does nothing, like one that waits for ever."""
        with Override("[Service]", "WatchdogSec=1s"):
            systemctl("restart", UNIT)
            self.before = main_pid()
            os.kill(self.before, signal.SIGSTOP)
            wait_for(lambda: entries("UNIT_RESULT=watchdog"), "nobody notices")
            self.is_back()

    def test_a_quiet_server_is_not_taken_for_one_that_hangs(self):
        with Override("[Service]", "WatchdogSec=1s"):
            systemctl("restart", UNIT)
            begin = int(shown("WatchdogTimestampMonotonic"))
            fed = lambda: 2_500_000 <= int(shown("WatchdogTimestampMonotonic")) - begin
            wait_for(fed, "the watchdog is not fed")
            self.assertEqual(shown("NRestarts"), "0")
