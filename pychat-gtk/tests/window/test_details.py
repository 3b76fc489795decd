"""The details of a connection that could not be made."""

import pathlib
import signal
import socket
import subprocess
import sys
import unittest

from servers import free_port
from support import Atspi, WindowTest, eventually, forget, role_of, walk

TITLE = "Connection Details"
CLIPBOARD = pathlib.Path(__file__).with_name("text_clipboard.py")


class Details(WindowTest):
    has_dialogs = True

    def details(self, window):
        """The window with the details."""
        return eventually(
            lambda: next((it for it in window.windows() if it.get_name() == TITLE), None), TITLE
        )

    def steps(self, window):
        """The steps, as they are read out."""
        details = self.details(window)
        forget(details)
        names = [it.get_name() for it in walk(details) if role_of(it) == "list item"]
        return [name for name in names if name.endswith((": succeeded", ": failed"))]

    def test_the_step_that_failed_is_told_and_can_be_copied(self):
        port = free_port()
        window = self.open("--name", "Анна", f"127.0.0.1:{port}")
        window.click("Details", window.joining())
        eventually(
            lambda: self.steps(window) == ["Address: succeeded", "Connection: failed"], "the steps"
        )
        copy = eventually(
            lambda: window.find("push button", "Copy", within=self.details(window)), "Copy"
        )
        Atspi.Action.do_action(copy, 0)
        eventually(lambda: f"\n1. 127.0.0.1:{port} (" in clipboard(), "the report")
        self.assertIn("Connection: failed", clipboard())
        window.press("Escape")
        eventually(lambda: TITLE not in window.frames(), "the window to go")

    def test_each_address_of_a_link_is_told_of(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            window = self.open("--name", "Анна", f"pychat://[::1],127.0.0.1:{port}/")
            connection, _ = listener.accept()
            connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            reason = f"There is an SSH server at 127.0.0.1:{port}, not a chat server. Check the port."
            window.wait_for("alert", reason)
            connection.close()
        window.click("Details", window.joining())
        expected = ["Address: succeeded", "Connection: failed"]
        expected += ["Address: succeeded", "Connection: succeeded", "Chat server: failed"]
        eventually(lambda: self.steps(window) == expected, "the steps at both")

    def test_a_conversation_that_is_lost_has_details_too(self):
        server = self.start_server()
        window = self.open_joined(server)
        server.stop(signal.SIGKILL)
        window.click("Details", window.conversation())
        eventually(
            lambda: self.steps(window) == ["Address: succeeded", "Connection: failed"], "the steps"
        )


def clipboard():
    """The text on the clipboard."""
    read = [sys.executable, "-W", "ignore", CLIPBOARD]
    return subprocess.run(read, capture_output=True, text=True).stdout


if __name__ == "__main__":
    unittest.main()
