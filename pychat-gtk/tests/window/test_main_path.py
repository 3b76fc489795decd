"""The way that everybody goes: start, join, say something, read. It needs nothing of X, and is
tried under Wayland too."""

import unittest

from support import WindowTest
from test_notifications import Desktop


class MainPath(WindowTest):
    def test_start_join_send_and_read(self):
        desktop = Desktop()  # A compositor without a keyboard gives it to nobody.
        self.addCleanup(desktop.close)
        server = self.start_server()
        window = self.open()
        window.write("Server", server.address)
        window.write("Name", "Анна")
        window.click("Join")
        window.wait_for_title(f"Анна — {server.address}")
        peer = self.let_join(server, "Борис")
        window.write("Message", "Привет!")
        window.click("Send")
        self.assertEqual(peer.hear_from("Анна"), "Привет!")
        self.assertRegex(window.wait_for_row("Привет!").get_name(), r"^You, \d\d:\d\d: Привет!$")
        peer.say("И тебе привет.")
        row = window.wait_for_row("И тебе привет.")
        self.assertRegex(row.get_name(), r"Борис, \d\d:\d\d: И тебе привет\.$")


if __name__ == "__main__":
    unittest.main()
