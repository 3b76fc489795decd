"""The machine that the packages are installed on, as its administrator has it."""

import json
import re
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path

from client import PATIENCE_SECONDS

PACKAGES = Path("/run/pychat/packages")
# Another build of the server, and the version that it is given.
OLDER_SERVER = Path("/run/pychat/older-server")
OLDER = "0.0.1"
SERVER_PROGRAM = Path("/usr/bin/pychat-server")
UNIT = "pychat-server.service"
SOCKET = "pychat-server.socket"
CONFIG = Path("/etc/pychat-server/pychat-server.toml")
STATE = Path("/var/lib/private/pychat-server")
POLL_SECONDS = 0.05
# How much of the journal is shown of a story that ended badly.
SHOWN_LINES = 100
LISTENING = "listening on 0.0.0.0:12345 and [::]:12345"


def run(*command, check=True):
    """Runs a command; returns what it printed."""
    ended = subprocess.run(command, capture_output=True, text=True)
    if check:
        assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
    return ended.stdout


def package(name):
    """Returns the built package of this name."""
    (path,) = PACKAGES.glob(f"{name}_*.deb")
    return str(path)


def older(name):
    """Returns a package of this name that was built earlier, from another build of the server."""
    folder = Path("/run/pychat/older") / name
    built = Path(f"{folder}.deb")
    if built.exists():
        return str(built)
    folder.parent.mkdir(exist_ok=True)
    run("dpkg-deb", "--raw-extract", package(name), str(folder))
    control = folder / "DEBIAN/control"
    control.write_text(re.sub("^Version: .*", f"Version: {OLDER}", control.read_text(), flags=re.M))
    program = folder / SERVER_PROGRAM.relative_to("/")
    if program.exists():
        shutil.copy(OLDER_SERVER, program)
    run("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(folder), str(built))
    return str(built)


def installed_version(name):
    return run("dpkg-query", "--show", "--showformat=${Version}", name)


def install(*packages):
    run("dpkg", "--install", "--force-confold", *packages)


def systemctl(*arguments, check=True):
    return run("systemctl", *arguments, check=check)


def shown(name, unit=UNIT):
    """Returns a property of a unit."""
    return systemctl("show", f"--property={name}", "--value", unit).rstrip("\n")


def main_pid():
    return int(shown("MainPID"))


def journalctl(*arguments):
    """Returns what the journal says of the time since the story began."""
    run("journalctl", "--sync")
    return run("journalctl", "--no-pager", "--quiet", f"--since=@{Story.begin:.6f}", *arguments)


def entries(*matches, unit=UNIT):
    """Returns the entries of the unit's journal that match."""
    lines = journalctl("--output=json", f"--unit={unit}", *matches).splitlines()
    return [json.loads(line) for line in lines]


def wait_for(find, otherwise):
    """Waits until `find` finds something; returns it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := find()):
        assert time.monotonic() < deadline, f"waited in vain: {otherwise}"
        time.sleep(POLL_SECONDS)
    return found


def wait_for_event(event, *matches):
    """Waits until the journal tells of a kind of event; returns the last such entry."""
    found = wait_for(lambda: entries(f"PYCHAT_EVENT={event}", *matches), f"{event} {matches}")
    return found[-1]


def configure(*lines):
    CONFIG.write_text("".join(f"{line}\n" for line in lines))


class Override:
    """Lines that a unit has while the story is within this."""

    def __init__(self, *lines, unit=UNIT):
        self.folder = Path(f"/run/systemd/system/{unit}.d")
        self.lines = lines

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "story.conf").write_text("".join(f"{line}\n" for line in self.lines))
        systemctl("daemon-reload")

    def __exit__(self, *_):
        shutil.rmtree(self.folder)
        systemctl("daemon-reload")


class Story(unittest.TestCase):
    """Something that happens to a server that is installed, has just been started, and knows nobody."""

    # When it began, in seconds since 1970.
    begin = 0.0

    @classmethod
    def setUpClass(cls):
        install(package("pychat-server"))

    def setUp(self):
        self.rest()
        systemctl("start", UNIT)

    def rest(self):
        """Makes the server as if it had never run."""
        systemctl("stop", UNIT, SOCKET)
        systemctl("reset-failed", UNIT, check=False)
        shutil.rmtree(STATE, ignore_errors=True)
        configure()
        run("journalctl", "--sync")  # All that was before has its time by now.
        Story.begin = time.time()

    def run(self, result=None):
        """Shows what the journal says of a story that ended badly."""
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if before < len(result.failures) + len(result.errors):
            lines = journalctl(f"--unit={UNIT}", f"--unit={SOCKET}").splitlines()
            print(*lines[-SHOWN_LINES:], sep="\n", file=sys.stderr)
