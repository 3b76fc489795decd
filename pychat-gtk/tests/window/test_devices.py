"""Several devices of one person, links by which others join, and where the key of a device is."""

import json
import pathlib
import re
import subprocess
import sys
import unittest

from support import Atspi, WindowTest, eventually, forget, role_of, walk

SECRET_SERVICE = pathlib.Path(__file__).with_name("secret_service.py")
LINK = r"^pychat://.*"


class LinkTest(WindowTest):
    has_dialogs = True

    def setUp(self):
        super().setUp()
        self.server = self.start_server(self.temporary_folder())

    def choose(self, window, item):
        """Chooses something in the main menu."""
        window.focus()
        window.press("F10")
        Atspi.Action.do_action(window.wait_for("menu item", item), 0)

    def click_anywhere(self, window, name):
        """Libadwaita 1.2 puts the name with its mnemonic before the name of a button."""
        names = (name, f"_{name} {name}")
        button = eventually(
            lambda: next(
                filter(None, (window.find_anywhere("push button", it) for it in names)), None
            ),
            f"the button {name!r}",
        )
        Atspi.Action.do_action(button, 0)

    def find_text(self, window, pattern):
        """Waits for a label in any window of the client, and returns what it says."""
        label = eventually(lambda: self.find_matching(window, "label", pattern), repr(pattern))
        return label.get_name()

    def find_matching(self, window, role, pattern):
        """Returns the first visible object of this role, in any window, with a name like this."""
        for frame in window.windows():
            forget(frame)
            for it in list(walk(frame)):
                if role_of(it) == role and re.search(pattern, it.get_name()):
                    return it
        return None

    def other_device(self, *arguments, state=None):
        """Opens the client as on another machine: it knows what is in the folder `state` or nothing, and
        no other client."""
        call = ["busctl", "--user", "call", "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus"]
        answer = subprocess.check_output([*call, "GetAddress"], text=True)
        bus = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", "--print-address"],
            stdout=subprocess.PIPE, text=True,
        )

        def stop():
            bus.terminate()
            bus.wait()
            bus.stdout.close()

        self.addCleanup(stop)
        return self.open(
            *arguments,
            AT_SPI_BUS_ADDRESS=json.loads(answer.removeprefix("s ")),
            DBUS_SESSION_BUS_ADDRESS=bus.stdout.readline().strip(),
            XDG_STATE_HOME=state or self.temporary_folder(),
        )

    def open_link_to_add(self, window):
        self.choose(window, "Devices")
        self.find_text(window, "^This device$")
        self.click_anywhere(window, "Add Device…")
        self.find_text(window, r"^The link works once, for \d+ minutes from now\.$")
        return self.find_text(window, LINK)


class Devices(LinkTest):
    def test_a_device_is_added_by_a_link_and_removed(self):
        window = self.open_joined(self.server)
        link = self.open_link_to_add(window)
        self.assertTrue(window.find_anywhere("image", "QR code of the link"))
        other = self.other_device(link)
        explanation = "This device will be added to those of Анна. All of them show the same messages."
        other.wait_for("label", explanation)
        other.click("Join")
        other.wait_for_title(f"Анна — {self.server.address}")
        window.wait_for_note("was added to yours.")
        eventually(lambda: "Add Device" not in window.frames(), "the link to go")
        other.write("Message", "from here")
        other.click("Send")
        window.wait_for_row(": from here")

        def find_remove():
            return self.find_matching(window, "push button", "^Remove (?!Device)")

        remove = eventually(find_remove, "the button to remove it")
        Atspi.Action.do_action(remove, 0)
        self.find_text(window, "^Remove Device\\?$")
        self.click_anywhere(window, "Remove")
        other.wait_for("alert", "This device was removed from another of your devices.")
        eventually(lambda: not find_remove(), "the list without it")

    def test_a_link_is_good_once_and_for_its_server(self):
        window = self.open_joined(self.server)
        link = self.open_link_to_add(window)
        wrong = re.sub("#pin=[^&]*", "#pin=" + "A" * 43, link)
        other = self.other_device(wrong)
        other.click("Join")
        other.wait_for(
            "alert",
            f"{self.server.address} is not the server that was meant: it was set up "
            "anew, or somebody is trying to read along. Ask for a new link.",
        )
        first = self.other_device(link)
        first.click("Join")
        first.wait_for_title(f"Анна — {self.server.address}")
        second = self.other_device(link)
        second.click("Join")
        second.wait_for("alert", "This link was used already, or has expired. Ask for a new one.")


class Invites(LinkTest):
    def test_people_are_invited_from_the_menu_and_from_the_empty_room(self):
        window = self.open_joined(self.server)
        for open_it in (
            lambda: self.click_anywhere(window, "Invite People…"),
            lambda: self.choose(window, "Invite People…"),
        ):
            open_it()
            link = self.find_text(window, LINK)
            self.assertIn("#pin=", link)
            self.find_text(window, "This server can be reached from this computer only\\.")
            window.press("Escape")
            eventually(lambda: "Invite People" not in window.frames(), "the window to close")


class Keys(LinkTest):
    def start_service(self, keyring, *mode):
        service = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(SECRET_SERVICE), keyring, *mode],
            stdout=subprocess.PIPE, text=True,
        )

        def stop():
            service.terminate()
            service.wait()
            service.stdout.close()

        self.addCleanup(stop)
        self.assertEqual(service.stdout.readline(), "ready\n")
        return service

    def setUp(self):
        super().setUp()
        self.state = self.temporary_folder()
        self.keyring = str(pathlib.Path(self.temporary_folder(), "keyring"))

    def join(self):
        window = self.open("--name", "Анна", self.server.address, XDG_STATE_HOME=self.state)
        window.wait_for_title(f"Анна — {self.server.address}")
        return window

    def kept(self):
        files = pathlib.Path(self.state, "pychat").glob("*.json")
        return next((json.loads(it.read_text()) for it in files), {})

    def test_a_key_moves_into_the_secret_service_and_is_found_there(self):
        window = self.join()
        eventually(lambda: self.kept().get("key"), "the key in the file")
        window.kill()
        service = self.start_service(self.keyring)
        window = self.join()
        eventually(lambda: "key_elsewhere" in self.kept(), "the key to move")
        self.assertIsNone(self.kept()["key"])
        window.kill()
        window = self.join()  # As the same device: the name is its owner's alone.
        window.kill()
        service.terminate()
        service.wait()
        window = self.open("--name", "Анна", self.server.address, XDG_STATE_HOME=self.state)
        locked = (
            "The key of this device is in your keyring, which is locked or not running. Unlock it "
            "and try again."
        )
        window.wait_for("alert", locked)
        self.start_service(self.keyring)
        window.click("Try Again")
        window.wait_for_title(f"Анна — {self.server.address}")

    def test_a_locked_keyring_is_left_alone(self):
        service = self.start_service(self.keyring, "locked")
        self.join()
        while service.stdout.readline() != "CreateItem\n":
            pass
        self.assertTrue(self.kept()["key"])
        self.assertNotIn("key_elsewhere", self.kept())


if __name__ == "__main__":
    unittest.main()
