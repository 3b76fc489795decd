"""What the local network is told of the server, by a stand-in for Avahi's program."""

import shutil
from pathlib import Path

from client import PORT
from system import UNIT, Story, configure, entries, shown, systemctl, wait_for

ANNOUNCE = "pychat-announce.service"
AVAHI_PUBLISH = Path("/usr/bin/avahi-publish")
# Says each of its arguments in brackets, and stays.
STAND_IN = """#!/bin/sh
echo "announced $(printf '[%s]' "$@")"
exec sleep infinity
"""
PROGRAMS = ["/usr/bin/sh", "/bin/sh", "/usr/bin/sleep", "/bin/sleep", str(AVAHI_PUBLISH)]


class Announcement(Story):
    def setUp(self):
        folder = Path(f"/run/systemd/system/{ANNOUNCE}.d")
        folder.mkdir(parents=True, exist_ok=True)
        programs = " ".join(f"-{Path(program).resolve()}" for program in PROGRAMS)
        (folder / "stand-in.conf").write_text(f"[Service]\nExecPaths={programs}\n")
        self.addCleanup(shutil.rmtree, folder)
        AVAHI_PUBLISH.unlink(missing_ok=True)
        systemctl("daemon-reload")
        super().setUp()

    def install_avahi(self):
        AVAHI_PUBLISH.write_text(STAND_IN)
        AVAHI_PUBLISH.chmod(0o755)

    def announced(self):
        """What was announced last, as arguments in brackets; None if nothing was."""
        lines = [it["MESSAGE"] for it in entries("_TRANSPORT=stdout", unit=ANNOUNCE)]
        lines = [line for line in lines if line.startswith("announced ")]
        return lines[-1].removeprefix("announced ") if lines else None

    def pin(self):
        return entries("PYCHAT_EVENT=encrypt")[-1]["PYCHAT_PIN"]

    def arguments(self, name):
        publish = f"[--no-fail][--service][--][{name}][_pychat._tcp]"
        return f"{publish}[{PORT}][pin={self.pin()}]"

    def wait_for_name(self, name):
        wait_for(lambda: self.announced() == self.arguments(name), f"{name} is not announced")

    def test_nothing_is_done_where_there_is_no_avahi(self):
        self.assertEqual(shown("ActiveState", ANNOUNCE), "inactive")
        self.assertEqual(shown("ConditionResult", ANNOUNCE), "no")
        self.assertEqual(shown("ActiveState"), "active")

    def test_it_is_announced_for_as_long_as_the_server_runs(self):
        self.install_avahi()
        configure('name = "-a \\"$HOME\\" %n ж"')
        systemctl("restart", UNIT)
        self.wait_for_name('-a "$HOME" %n ж')
        configure('name = "Office"')
        systemctl("reload", UNIT)
        self.wait_for_name("Office")
        systemctl("stop", UNIT)
        wait_for(lambda: shown("ActiveState", ANNOUNCE) == "inactive", "it is announced still")

    def test_nobody_is_told_of_a_server_for_this_machine_alone(self):
        self.install_avahi()
        configure(f'listen = ["127.0.0.1:{PORT}"]')
        systemctl("restart", UNIT)
        self.assertEqual(shown("ActiveState", ANNOUNCE), "inactive")
        self.assertIsNone(self.announced())
