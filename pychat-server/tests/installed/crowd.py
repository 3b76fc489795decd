"""How long a crowd is not heard while the server is started again. Not a story that is told each time:

    cargo build --release -p pychat-server --example crowd
    CROWD=target/release/examples/crowd pychat-server/tests/installed/run FOLDER PROGRAM crowd

prints it."""

import subprocess

from client import PORT
from system import UNIT, Story, configure, main_pid, systemctl

N_PEOPLE = 5_000
RESTART = f"systemctl restart {UNIT}"


class Crowd(Story):
    def test_everybody_goes_on_talking(self):
        configure("connections-per-address = 0")
        systemctl("restart", UNIT)
        pid = main_pid()
        crowd = ["/run/pychat/crowd", f"127.0.0.1:{PORT}", str(N_PEOPLE)]
        subprocess.run([*crowd, RESTART, RESTART, RESTART], check=True)
        self.assertNotEqual(main_pid(), pid)
