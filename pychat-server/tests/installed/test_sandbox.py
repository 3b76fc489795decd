"""What the server could do if somebody took it over: next to nothing."""

import json
import shutil
from pathlib import Path

from system import (
    SOCKET,
    UNIT,
    Override,
    Story,
    entries,
    main_pid,
    run,
    shown,
    systemctl,
    wait_for,
)

ALLOWED = {
    "keep something",
    "use a scratch file",
    "listen",
    "reach the journal",
    "read its configuration",
    "ask for the machine's addresses",
}
EXPOSURE_TENTHS_MAX = 11
PROBE = Path("/usr/local/lib/pychat-probe.py")
PYTHON = Path("/usr/bin/python3").resolve()


class Sandbox(Story):
    def test_what_is_needed_works_and_nothing_else(self):
        """The probe is started by the unit itself, so it has what the server has."""
        shutil.copy("probe.py", PROBE)
        probe = [f"ExecStartPre={PYTHON} {PROBE}", f"ExecPaths={PYTHON}"]
        with Override("[Service]", *probe):
            systemctl("restart", UNIT)
            found = json.loads(wait_for(self.probed, "the probe says nothing"))
        worked = {name for name, error in found.items() if error is None}
        self.assertEqual(worked, ALLOWED, found)
        self.assertLessEqual({"write in /etc", "become root", "run a shell"}, set(found))

    def probed(self):
        said = entries("_TRANSPORT=stdout", f"SYSLOG_IDENTIFIER={PYTHON.name}")
        return said and said[-1]["MESSAGE"]

    def test_it_is_a_user_of_its_own_without_any_power(self):
        self.assertEqual(shown("User"), "pychat-server")
        status = Path(f"/proc/{main_pid()}/status").read_text()
        for line in ["NoNewPrivs:\t1", "Seccomp:\t2", "CapBnd:\t0000000000000000"]:
            self.assertIn(f"{line}\n", status)

    def test_the_units_are_as_systemd_wants_them(self):
        folder = Path(shown("FragmentPath")).parent
        for unit in [UNIT, SOCKET]:
            run("systemd-analyze", "verify", "--recursive-errors=no", str(folder / unit))
        run("systemd-analyze", "security", f"--threshold={EXPOSURE_TENTHS_MAX}", UNIT)

    def test_operators_call_from_outside_as_root_or_as_members_of_its_group(self):
        who = ["pychat-server", "ctl", "who"]
        self.assertEqual(run(*who), "Nobody is here.\n")
        run("groupadd", "--force", "chat-operators")
        with Override("[Service]", "Group=chat-operators"):
            systemctl("restart", UNIT)
            for group, answer in [("chat-operators", "Nobody is here.\n"), ("nogroup", "")]:
                nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", f"--groups={group}"]
                self.assertEqual(run(*nobody, *who, check=False), answer, group)
        systemctl("restart", UNIT)
