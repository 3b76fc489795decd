"""The server listens by itself, and yet nobody is refused while it is started again."""

import os
import signal
import socket

from client import PORT, Peer
from system import (
    UNIT,
    Override,
    Story,
    configure,
    main_pid,
    shown,
    systemctl,
    wait_for,
)

N_CALLERS = 20
OTHER_PORT = PORT + 1


class Listening(Story):
    def test_who_calls_while_it_is_restarted_is_answered_by_the_next(self):
        # Nothing starts until the old server is gone, which takes a moment more than to decide it.
        with Override("[Service]", "ExecStartPre=+sleep 1"):
            systemctl("restart", "--no-block", UNIT)
            wait_for(lambda: shown("SubState") == "start-pre", "it is not being started")
            answered(called())

    def test_who_was_not_let_in_when_it_was_killed_is_let_in_by_the_next(self):
        os.kill(main_pid(), signal.SIGSTOP)
        callers = called()
        os.kill(main_pid(), signal.SIGKILL)
        answered(callers + called())

    def test_where_it_listens_no_more_callers_are_refused(self):
        configure(f'listen = ["127.0.0.1:{OTHER_PORT}"]')
        systemctl("restart", UNIT)
        self.refuses(PORT)
        answered([Peer(port=OTHER_PORT)])
        # One address of many is another one: it could not be had if the first were still held.
        configure(f'listen = ["0.0.0.0:{OTHER_PORT}"]')
        systemctl("restart", UNIT)
        answered([Peer(port=OTHER_PORT)])
        systemctl("stop", UNIT)
        self.refuses(OTHER_PORT)

    def test_rules_of_a_firewall_hold_from_the_next_start_on(self):
        """As README.md tells it. A socket stands under the rules of the process that opened it."""
        systemctl("restart", UNIT)
        with Override("[Service]", "IPAddressDeny=any", "IPAddressAllow=127.0.0.1"):
            systemctl("restart", UNIT)
            answered([Peer()])
            with socket.socket() as stranger, self.assertRaises(TimeoutError):
                stranger.settimeout(1)
                stranger.bind(("127.0.0.2", 0))
                stranger.connect(("127.0.0.1", PORT))

    def refuses(self, port):
        with self.assertRaises(ConnectionRefusedError):
            Peer(port=port)


def called():
    """Returns callers who do not wait to be answered, over either family of addresses."""
    return [Peer(host=["127.0.0.1", "::1"][i % 2]) for i in range(N_CALLERS)]


def answered(callers):
    for number, caller in enumerate(callers):
        caller.join(f"Guest {number}")
        caller.close()
