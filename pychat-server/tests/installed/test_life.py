"""The server's life as a service: it starts, says how it is, reloads, and stops."""

import sqlite3
from pathlib import Path

from client import SERVER, Peer
from system import (
    LISTENING,
    STATE,
    UNIT,
    Story,
    configure,
    main_pid,
    run,
    shown,
    systemctl,
    wait_for,
    wait_for_event,
)

GOODBYE = "Connection closed due to server is shutting down. Bye!\n"


class Life(Story):
    def test_it_has_started_once_it_takes_calls(self):
        systemctl("restart", UNIT)
        Peer("Anna").close()  # At once.
        self.assertEqual(shown("ActiveState"), "active")
        self.assertEqual(shown("Type"), "notify")

    def test_its_status_says_how_many_are_here(self):
        self.shows("nobody here")
        with Peer("Anna"):
            self.shows("1 person here")
            with Peer("Boris", protocol=2, host="::1"):
                self.shows("2 people here")
        self.shows("nobody here")
        self.assertIn(f"Status: \"nobody here, {LISTENING}\"", systemctl("status", UNIT))

    def shows(self, people):
        expected = f"{people}, {LISTENING}"
        wait_for(lambda: shown("StatusText") == expected, expected)

    def test_a_reload_drops_nobody(self):
        before = main_pid()
        with Peer("Anna") as anna, Peer("Boris", protocol=2) as boris:
            configure("hello-timeout = 7", 'listen = ["127.0.0.1:1"]')
            systemctl("reload", UNIT)
            wait_for_event("reload")
            wait_for_event("restart_needed")
            wait_for(lambda: shown("ActiveState") == "active", "the reload does not end")
            self.assertEqual(main_pid(), before)
            anna.say("still here")
            boris.hears(content="still here")

    def test_a_bad_file_is_refused_and_the_server_goes_on(self):
        configure("helo-timeout = 7")
        with self.assertRaises(AssertionError):
            systemctl("reload", UNIT)
        self.assertIn("helo-timeout", wait_for_event("config", "PRIORITY=3")["MESSAGE"])
        with Peer("Anna") as anna:
            anna.say("hello")

    def test_a_bad_file_keeps_it_from_starting(self):
        configure("helo-timeout = 7")
        systemctl("restart", UNIT, check=False)
        self.assertIn("helo-timeout", wait_for_event("config", "PRIORITY=3")["MESSAGE"])
        self.assertNotEqual(shown("ActiveState"), "active")

    def test_it_says_goodbye_when_it_is_stopped(self):
        with Peer("Anna") as anna, Peer("Boris", protocol=2) as boris:
            systemctl("stop", UNIT)
            anna.hears(username=SERVER, content=GOODBYE)
            anna.hears_the_end()
            boris.hears(type="bye", reason="shutdown")
            boris.hears_the_end()
        self.assertEqual((shown("Result"), shown("ExecMainStatus")), ("success", "0"))
        wait_for_event("stop")
        wait_for_event("leave", "PYCHAT_USER=Anna", "PYCHAT_REASON=shutdown")

    def test_names_are_found_within_the_sandbox(self):
        configure('listen = ["localhost:12345"]')
        systemctl("restart", UNIT)
        Peer("Anna").close()

    def test_what_was_said_is_kept(self):
        with Peer("Anna") as anna:
            anna.say("Hello")
        systemctl("restart", UNIT)
        self.assertEqual(self.kept(), ["Hello"])
        # By this the log finds out what a power cut took; a sandbox may hide it.
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        self.assertEqual(self.meta("unsynced_boot"), boot_id)
        self.assertEqual(STATE.stat().st_mode & 0o777, 0o700)

    def test_a_backup_can_be_put_back(self):
        """As README.md tells it."""
        backup = "/var/backups/pychat/today"
        with Peer("Anna") as anna:
            anna.say("Hello")
            epoch = self.meta("epoch")
            run("pychat-server", "backup", backup)
            anna.say("Later")
            run("pychat-server", "check")
        systemctl("stop", UNIT)
        run("pychat-server", "restore", "--replace", backup)
        owners = {path.lstat().st_uid for path in (STATE, STATE / "log.sqlite")}
        self.assertEqual(len(owners), 1, "the service's user owns what was restored")
        for copy in (STATE / "log.sqlite", Path(backup, "log.sqlite")):
            self.assertEqual(copy.stat().st_mode & 0o777, 0o600, copy)
        systemctl("start", UNIT)
        with Peer("Anna") as anna:
            anna.say("Again")
        self.assertEqual(self.kept(), ["Hello", "Again"])
        self.assertNotEqual(self.meta("epoch"), epoch, "numbers are given twice")

    def test_a_room_leaves_as_an_export_and_comes_back(self):
        """As README.md tells it."""
        with Peer("Anna") as anna:
            anna.say("Hello")
            run("pychat-server", "export", "--html", "hall", "-o", "hall.html")
            run("pychat-server", "export", "--jsonl", "hall", "-o", "hall.jsonl")
        self.assertIn("Hello", Path("hall.html").read_text())
        systemctl("stop", UNIT)
        run("pychat-server", "import", "--room", "Old Hall", "hall.jsonl")
        systemctl("start", UNIT)
        self.assertEqual(self.kept(), ["Hello", "Hello"])
        self.assertIn("Old Hall", run("pychat-server", "ctl", "rooms"))

    def kept(self):
        return [content for (content,) in self.in_log("SELECT content FROM records ORDER BY key")]

    def meta(self, column):
        ((value,),) = self.in_log(f"SELECT {column} FROM meta")
        return value

    def in_log(self, query):
        log = sqlite3.connect(f"file:{STATE}/log.sqlite?mode=ro", uri=True)
        try:
            return log.execute(query).fetchall()
        finally:
            log.close()
