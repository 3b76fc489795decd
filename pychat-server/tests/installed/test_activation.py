"""Systemd listens in the server's place: the first call starts it, and nobody is ever refused."""

from client import Peer
from system import (
    SOCKET,
    UNIT,
    Override,
    Story,
    configure,
    shown,
    systemctl,
    wait_for,
    wait_for_event,
)


class Activation(Story):
    def setUp(self):
        self.rest()
        systemctl("start", SOCKET)

    def test_the_first_call_starts_the_server(self):
        self.assertEqual(shown("ActiveState"), "inactive")
        with Peer("Anna") as anna, Peer("Boris", host="::1") as boris:
            anna.say("hello")
            boris.hears(content="hello")
            wait_for_event("listen", "PYCHAT_ADDRESS=[::]:12345")
            # One socket takes both families; addresses are shown as they are all the same.
            wait_for_event("join", f"PYCHAT_PEER={anna.address()}")
            wait_for_event("join", f"PYCHAT_PEER={boris.address()}")

    def test_who_calls_while_there_is_no_server_is_answered_by_the_next(self):
        Peer("Anna").close()
        # Nothing starts until the old server is gone, which takes a moment more than to decide it.
        with Override("[Service]", "ExecStartPre=+sleep 1"):
            systemctl("restart", "--no-block", UNIT)
            wait_for(lambda: shown("SubState") == "start-pre", "it is not being started")
            callers = [Peer() for _ in range(20)]
            for number, caller in enumerate(callers):
                caller.join(f"Guest {number}")
                caller.close()

    def test_where_to_listen_is_up_to_the_socket(self):
        configure('listen = ["127.0.0.1:1"]')
        Peer("Anna").close()
        wait_for_event("listen_ignored", "PRIORITY=4")

    def test_a_socket_is_taken_whatever_it_is_called(self):
        with Override("[Socket]", "FileDescriptorName=else", unit=SOCKET):
            systemctl("stop", SOCKET, UNIT)
            systemctl("start", SOCKET)
            with Peer("Anna") as anna:
                wait_for_event("listen", "PYCHAT_ADDRESS=[::]:12345")
                wait_for_event("join", f"PYCHAT_PEER={anna.address()}")

    def test_both_are_stopped_together(self):
        Peer("Anna").close()
        systemctl("stop", SOCKET, UNIT)
        with self.assertRaises(ConnectionRefusedError):
            Peer()
