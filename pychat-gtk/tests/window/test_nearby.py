"""The servers that are found in the local network, by a stand-in for Avahi."""

import base64
import hashlib
import json
import os
import pathlib
import ssl
import subprocess
import sys
import unittest

from servers import Server
from support import Atspi, WindowTest, eventually, text_of

HEADING = "On This Network"
OTHER_PIN = "A" * 43


class Avahi:
    """The stand-in, which is told what is announced."""

    def __init__(self):
        script = pathlib.Path(__file__).with_name("avahi.py")
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", script],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        self.expect("ready")

    def expect(self, word):
        said = self.process.stdout.readline().strip()
        assert said == word, f"{said!r} instead of {word!r}"

    def announce(self, name, server, pin, host="box.example", address="127.0.0.1"):
        """A host whose name is not of the local network is passed over for its address."""
        self.tell(name=name, host=host, address=address, port=server.port, texts=[f"pin={pin}"])

    def tell(self, **service):
        self.process.stdin.write(json.dumps(service) + "\n")
        self.process.stdin.flush()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def pin_of(folder):
    """The pin of the certificate that a server has made in its folder."""
    path = pathlib.Path(folder) / "tls.pem"
    eventually(path.exists, "the certificate")  # It takes calls before it has one.
    pem = path.read_text()
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    certificate = begin + pem.split(begin)[1].split(end)[0] + end
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class Nearby(WindowTest):
    has_dialogs = True

    def setUp(self):
        super().setUp()
        self.avahi = None
        self.folder = self.temporary_folder()
        self.server = Server(folder=self.folder)
        self.server.start()
        self.addCleanup(self.server.stop)

    def start_avahi(self):
        self.avahi = Avahi()
        self.addCleanup(self.avahi.stop)
        return self.avahi

    def open_searching(self, *arguments):
        """Opens a window whose system bus is that of the session."""
        bus = os.environ["DBUS_SESSION_BUS_ADDRESS"]
        window = self.open(*arguments, DBUS_SYSTEM_BUS_ADDRESS=bus)
        if self.avahi is not None:
            self.avahi.expect("browsing")
        return window

    def listed(self, window):
        """What is read out of the servers that are listed."""
        return [name for name in window.names("list item") if " at 127.0.0.1:" in name]

    def choose(self, window, name):
        row = window.wait_for("list item", f"{name} at {self.server.address}")
        window.click_at(row)

    def test_nothing_is_seen_of_the_list_where_there_is_no_avahi(self):
        window = self.open_searching()
        window.wait_for("push button", "Join")
        self.assertIsNone(window.find("label", HEADING))

    def test_a_server_is_filled_in_and_joined_over_tls(self):
        avahi = self.start_avahi()
        avahi.announce("Office", self.server, pin_of(self.folder))
        window = self.open_searching()
        window.write("Name", "Анна")
        window.write("Server", "")
        window.wait_for("label", HEADING)
        self.choose(window, "Office")
        entry = window.wait_for("text", "Server")
        eventually(lambda: text_of(entry) == self.server.address, "the address")
        self.assertEqual(text_of(window.wait_for("text", "Name")), "Анна")
        window.click("Join", window.joining())
        window.wait_for_title(f"Анна — {self.server.address}")
        window.wait_for("push button", "Encrypted")
        window.wait_for_note(f"From now on {self.server.address} is known by its certificate.")
        avahi.expect("freed")

    def test_servers_come_and_go_and_avahi_too(self):
        window = self.open_searching()
        avahi = self.start_avahi()
        avahi.expect("browsing")
        for name in ["Office", "\u202eHome"]:
            avahi.announce(name, self.server, OTHER_PIN)
        both = [f"{name} at {self.server.address}" for name in ("Office", "Home")]
        eventually(lambda: self.listed(window) == both, "both")
        avahi.tell(gone="Office")
        eventually(lambda: self.listed(window) == both[1:], "one to go")
        avahi.process.kill()
        eventually(lambda: window.find("label", HEADING) is None, "the list to go")

    def test_a_crowd_is_bounded_and_what_has_no_pin_is_passed_over(self):
        avahi = self.start_avahi()
        avahi.tell(name="x", host="x", address="127.0.0.1", port=1, texts=[])
        window = self.open_searching()
        for n in range(100):
            avahi.announce(str(n), self.server, OTHER_PIN)
        eventually(lambda: len(self.listed(window)) == 31, "as many as are taken")

    def test_another_certificate_than_announced_is_not_talked_to(self):
        avahi = self.start_avahi()
        avahi.announce("Office", self.server, OTHER_PIN)
        window = self.open_searching()
        window.write("Name", "Анна")
        self.choose(window, "Office")
        window.click("Join", window.joining())
        reason = f"{self.server.address} is not the server that was meant"
        eventually(lambda: any(reason in it for it in window.names("alert")), "the reason")

    def test_a_known_server_is_not_replaced_without_a_question(self):
        window = self.open_joined(self.server)
        window.wait_for("push button", "Encrypted")
        window.kill()
        self.server.stop()
        (pathlib.Path(self.folder) / "tls.pem").unlink()
        self.server.start()
        avahi = self.start_avahi()
        avahi.announce("Office", self.server, pin_of(self.folder))
        window = self.open_searching()
        window.write("Name", "Анна")
        window.write("Server", "")
        self.choose(window, "Office")
        window.click("Join", window.joining())
        heading = "Trust the New Certificate?"
        dialog = eventually(lambda: window.find_anywhere("dialog", heading), "the question")
        names = ("Trust", "_Trust Trust")
        button = eventually(
            lambda: next(filter(None, (window.find("push button", it, dialog) for it in names)), None),
            "the answer",
        )
        Atspi.Action.do_action(button, 0)
        window.wait_for_title(f"Анна — {self.server.address}")


if __name__ == "__main__":
    unittest.main()
