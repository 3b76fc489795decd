"""TLS: what is told of it, and what is asked where a server is not as it was."""

import pathlib
import unittest

from servers import Peer, Server
from support import Atspi, WindowTest, eventually

NEW_CERTIFICATE = "Trust the New Certificate?"
NO_ENCRYPTION = "Connect Without Encryption?"


class Encryption(WindowTest):
    has_dialogs = True

    def setUp(self):
        super().setUp()
        self.folder = self.temporary_folder()

    def start(self, server):
        server.start()
        self.addCleanup(server.stop)
        return server

    def answer(self, window, heading, answer):
        """Libadwaita 1.2 puts the name with its mnemonic before the name of a button."""
        dialog = eventually(lambda: window.find_anywhere("dialog", heading), "the question")
        names = (answer, f"_{answer} {answer}")
        Atspi.Action.do_action(
            eventually(
                lambda: next(filter(None, (window.find("push button", it, dialog) for it in names)), None),
                answer,
            ),
            0,
        )

    def say(self, window, text):
        window.write("Message", text)
        window.click("Send")
        window.wait_for_row(f": {text}")

    def test_a_first_visit_is_told_once_and_the_lock_tells_of_the_certificate(self):
        server = self.start(Server(folder=self.folder))
        window = self.open_joined(server)
        window.wait_for("label", "No Messages Yet")
        text = f"From now on {server.address} is known by its certificate\\.$"
        eventually(lambda: window.find_label(text), "what a first visit means")
        window.click_at(window.wait_for("push button", "Encrypted"))
        eventually(lambda: window.find_label(r"^[\w-]{43}$"), "the certificate")
        window.press("Escape")
        peer = Peer(server, "Борис")
        self.say(window, "in private")
        self.assertEqual(peer.hear_from("Анна"), "in private")
        window.kill()
        window = self.open_joined(server)
        window.wait_for_row(": in private")
        names = [row.get_name() for row in window.rows()]
        self.assertFalse([name for name in names if "certificate" in name])

    def test_a_server_without_encryption_is_told_apart(self):
        server = self.start_server()
        window = self.open_joined(server)
        window.click_at(window.wait_for("push button", "Not Encrypted"))
        sentence = f"{server.address} does not offer encryption. Others in the network can read your messages."
        window.wait_for("label", sentence)

    def test_another_certificate_is_not_trusted_until_it_is_said_so(self):
        server = self.start(Server(folder=self.folder))
        window = self.open_joined(server)
        self.say(window, "before")
        server.stop()
        (pathlib.Path(self.folder) / "tls.pem").unlink()
        server.start()
        self.answer(window, NEW_CERTIFICATE, "Cancel")
        eventually(lambda: not window.find_anywhere("dialog", NEW_CERTIFICATE), "the end of it")
        window.wait_for_row(": before")
        window.click("Reconnect", window.conversation())
        self.answer(window, NEW_CERTIFICATE, "Trust")
        window.wait_for("push button", "Encrypted")
        self.say(window, "after")

    def test_who_was_met_with_encryption_is_not_talked_to_without(self):
        server = self.start(Server(folder=self.folder))
        window = self.open_joined(server)
        server.stop()
        plain = self.start(Server(port=server.port))
        self.answer(window, NO_ENCRYPTION, "Cancel")
        window.kill()
        window = self.open("--name", "Вера", plain.address)
        self.answer(window, NO_ENCRYPTION, "Connect")
        window.wait_for_title(f"Вера — {plain.address}")
        window.wait_for("push button", "Not Encrypted")


if __name__ == "__main__":
    unittest.main()
