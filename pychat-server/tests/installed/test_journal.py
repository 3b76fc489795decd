"""What an operator finds in the journal, and what the journal says of it."""

import socket

from client import Peer
from system import UNIT, Story, configure, entries, run, systemctl, wait_for, wait_for_event

NAME = "Анна"
FORGED = "Анна left from here"
CALLS = 2000  # A line each: more than the journal's queue holds.
JOURNALD = "systemd-journald.service"
JOURNALD_SOCKETS = ["systemd-journald.socket", "systemd-journald-dev-log.socket"]
JOINED = "f44d1c7b3b954bcf93672040ed1e1ed1"


class Journal(Story):
    def test_who_came_and_went_is_found_by_name(self):
        address = self.visit(NAME)
        left = wait_for_event("leave", f"PYCHAT_USER={NAME}")
        (joined,) = entries(f"PYCHAT_USER={NAME}", "PYCHAT_EVENT=join")
        self.has(joined, MESSAGE=f'"{NAME}" joined from {address}', PYCHAT_PEER=address)
        self.has(joined, MESSAGE_ID=JOINED, PRIORITY="6", _TRANSPORT="journal", _SYSTEMD_UNIT=UNIT)
        self.has(left, MESSAGE=f'"{NAME}" left from {address}: quit', PYCHAT_REASON="quit")

    def test_a_name_stands_as_it_is_and_forges_nothing(self):
        with Peer(FORGED) as forger:
            address = forger.address()
            forger.socket.sendall(b"x")  # No frame: the server closes the line.
            forger.hears_the_end()
        left = wait_for_event("leave", f"PYCHAT_USER={FORGED}")
        self.has(left, PYCHAT_REASON="protocol", PYCHAT_PEER=address)
        (refused,) = entries(f"PYCHAT_USER={FORGED}", "PYCHAT_EVENT=refuse")
        self.has(refused, PYCHAT_REASON="frame", PYCHAT_PEER=address)
        (joined,) = entries(f"PYCHAT_USER={FORGED}", "PYCHAT_EVENT=join")
        self.has(joined, MESSAGE=f'"{FORGED}" joined from {address}')

    def test_every_event_has_an_id_and_an_explanation(self):
        self.visit(NAME)
        systemctl("reload", UNIT)
        wait_for_event("reload")
        systemctl("restart", UNIT)
        systemctl("stop", UNIT)
        catalog = run("journalctl", "--list-catalog")
        told = [entry for entry in entries() if "PYCHAT_EVENT" in entry]
        self.assertLessEqual({"start", "keep", "join", "stop"}, {e["PYCHAT_EVENT"] for e in told})
        for entry in told:
            self.assertIn(f"{entry['MESSAGE_ID']} pychat-server:", catalog, entry)

    def test_the_journal_explains_in_the_readers_language(self):
        run("localedef", "--inputfile=ru_RU", "--charmap=UTF-8", "/usr/lib/locale/ru_RU.UTF-8")
        self.visit(NAME)
        wait_for_event("leave", f"PYCHAT_USER={NAME}")
        for language, subject, reason in [
            ("C.UTF-8", "Subject: Somebody left: quit", "slow      they did not read"),
            ("ru_RU.UTF-8", "Subject: Подключение завершено: quit", "slow      участник не читал"),
        ]:
            asked = ["-x", f"--unit={UNIT}", f"PYCHAT_USER={NAME}"]
            explained = run("env", f"LC_ALL={language}", "journalctl", "--no-pager", *asked)
            self.assertIn(subject, explained)
            self.assertIn(reason, explained)
            self.assertNotIn("@PYCHAT_", explained)

    def test_a_stuck_journal_stops_nobody(self):
        # One address may neither call so often nor have so many lines.
        configure("connections-per-address = 0")
        systemctl("reload", UNIT)
        systemctl("kill", "--kill-whom=main", "--signal=STOP", JOURNALD)
        try:
            for _ in range(CALLS):
                self.call()
            self.visit("Вера")
        finally:
            systemctl("kill", "--kill-whom=main", "--signal=CONT", JOURNALD)
        missing = lambda: self.visit("Галя") and entries("PYCHAT_EVENT=lines_missing")
        entry = wait_for(missing, "nobody says that lines are missing")[0]
        self.has(entry, PRIORITY="4")
        self.assertIn("lines are missing about here", entry["MESSAGE"])

    def test_a_journal_that_is_gone_stops_nobody(self):
        systemctl("stop", *JOURNALD_SOCKETS, JOURNALD)
        try:
            self.visit("Даша")
        finally:
            systemctl("start", *JOURNALD_SOCKETS, JOURNALD)
        wait_for(lambda: self.visit("Ева") and entries("PYCHAT_USER=Ева"), "it is not heard again")

    def visit(self, name):
        """Joins and leaves; returns where the server saw the visitor."""
        with Peer(name) as visitor:
            return visitor.address()

    def call(self):
        """Calls and hangs up; waits for the server to do so too, which lets in so many at once only."""
        with Peer() as caller:
            caller.socket.shutdown(socket.SHUT_WR)
            caller.hears_the_end()

    def has(self, entry, **fields):
        self.assertEqual({name: entry.get(name) for name in fields}, fields)
