"""Packages come, replace each other, and go as an administrator expects."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from client import SERVER, Peer
from system import (
    CONFIG,
    OLDER,
    SOCKET,
    STATE,
    UNIT,
    configure,
    install,
    installed_version,
    main_pid,
    older,
    package,
    run,
    shown,
    systemctl,
)

ID = "io.github.pychat.Pychat"
# What changes with whatever is installed, of whichever package.
VOLATILE = ["/var/cache", "/var/log", "/var/lib/dpkg", "/var/lib/systemd/catalog"]


class Packages(unittest.TestCase):
    def test_a_life(self):
        before = inventory()
        for chapter in [
            self.installing_starts_the_server,
            self.installing_shows_the_client,
            self.an_upgrade_restarts_the_server_and_keeps_what_is_the_operators,
            self.an_upgrade_keeps_the_socket_as_it_was,
            self.removing_keeps_what_is_the_operators,
            self.installing_once_more_takes_it_up_again,
            self.purging_leaves_nothing,
        ]:
            chapter()
        self.assertEqual(inventory(), before)

    def installing_starts_the_server(self):
        install(older("pychat-server"), older("pychat-gtk"))
        self.is_started()
        with Peer() as stranger:
            self.assertEqual(stranger.hears(username=SERVER)["admission"], "invite")
        self.assertEqual(shown("UnitFileState", SOCKET), "disabled")
        self.assertEqual(installed_version("pychat-server"), OLDER)
        self.assertIn("pychat-server: Somebody joined", run("journalctl", "--list-catalog"))

    def installing_shows_the_client(self):
        self.assertEqual(run("env", "HOME=/tmp", "gsettings", "get", ID, "server"), "'127.0.0.1:12345'\n")
        self.assertIn("x-scheme-handler/pychat", Path("/usr/share/applications/mimeinfo.cache").read_text())
        self.assertIn(
            f"{ID}-symbolic".encode(), Path("/usr/share/icons/hicolor/icon-theme.cache").read_bytes()
        )
        self.assertIn("pychat", run("pychat-gtk", "--version"))
        with tempfile.TemporaryDirectory() as folder:
            # In C.UTF-8 nothing is translated from glibc 2.41 on.
            locale = f"{folder}/ru_RU.UTF-8"
            run("localedef", "--inputfile=ru_RU", "--charmap=UTF-8", locale)
            russian = [f"LOCPATH={folder}", "LC_ALL=ru_RU.UTF-8"]
            self.assertIn("Имя", run("env", *russian, "pychat-gtk", "--help"))
        for page in ["pychat-server", "pychat-server.toml", "pychat-gtk"]:
            stumbled = subprocess.run(["man", "--warnings", page], capture_output=True, text=True)
            self.assertEqual((stumbled.returncode, stumbled.stderr), (0, ""))

    def an_upgrade_restarts_the_server_and_keeps_what_is_the_operators(self):
        before = main_pid()
        configure("connections = 7")
        systemctl("reload", UNIT)
        with Peer("Anna") as anna:
            anna.say("before")
        install(package("pychat-server"), package("pychat-gtk"))
        self.assertNotEqual(installed_version("pychat-server"), OLDER)
        self.assertNotEqual(main_pid(), before)
        self.runs()
        self.keeps_what_is_the_operators()

    def an_upgrade_keeps_the_socket_as_it_was(self):
        systemctl("stop", UNIT)
        systemctl("enable", "--now", SOCKET)
        install(package("pychat-server"))
        self.assertEqual(shown("ActiveState", SOCKET), "active")
        self.assertEqual(shown("UnitFileState", SOCKET), "enabled")
        self.runs()

    def removing_keeps_what_is_the_operators(self):
        run("dpkg", "--remove", "pychat-server", "pychat-gtk")
        for unit in [UNIT, SOCKET]:
            self.assertEqual(shown("ActiveState", unit), "inactive", unit)
            self.assertEqual(shown("LoadState", unit), "not-found", unit)
        with self.assertRaises(ConnectionRefusedError):
            Peer()
        self.keeps_what_is_the_operators()

    def installing_once_more_takes_it_up_again(self):
        install(package("pychat-server"), package("pychat-gtk"))
        self.runs()
        self.keeps_what_is_the_operators()

    def purging_leaves_nothing(self):
        run("dpkg", "--purge", "pychat-server", "pychat-gtk")
        for unit in [UNIT, SOCKET]:
            self.assertEqual(shown("LoadState", unit), "not-found", unit)
        self.assertNotIn("pychat", run("journalctl", "--list-catalog"))
        self.assertNotIn("pychat", Path("/usr/share/applications/mimeinfo.cache").read_text())

    def is_started(self):
        self.assertEqual((shown("ActiveState"), shown("UnitFileState")), ("active", "enabled"))

    def runs(self):
        self.is_started()
        Peer("Boris").close()

    def keeps_what_is_the_operators(self):
        self.assertEqual(CONFIG.read_text(), "connections = 7\n")
        self.assertTrue((STATE / "log.sqlite").exists())


def inventory():
    """Returns all files that there are, but for those that change whatever is done."""
    pruned = " -o ".join(f"-path {path}" for path in VOLATILE).split()
    found = run("find", "/etc", "/usr", "/var", "-xdev", "(", *pruned, ")", "-prune", "-o", "-print")
    return sorted(found.splitlines())
