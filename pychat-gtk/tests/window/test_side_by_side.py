"""Two devices of one person, side by side. The main path needs nothing of X, and is tried under Wayland
too."""

import pathlib
import shutil
import subprocess
import unittest

from servers import Member
from support import Atspi, eventually
from test_devices import LinkTest
from test_notifications import Desktop
from test_unread import marked


class TwoDevices(LinkTest):
    # The session bus of the other device has no desktop.
    tolerated = "unable to send notifications"

    def setUp(self):
        super().setUp()
        desktop = Desktop()  # What comes is told there.
        self.addCleanup(desktop.close)
        state = self.temporary_folder()
        window = self.open("--name", "Анна", self.server.address, XDG_STATE_HOME=state)
        window.wait_for_title(f"Анна — {self.server.address}")
        window.kill()  # Both devices have its key.
        self.one = self.open("--name", "Анна", self.server.address, XDG_STATE_HOME=state)
        other_state = self.temporary_folder()
        shutil.copytree(
            pathlib.Path(state, "pychat"), pathlib.Path(other_state, "pychat"),
            ignore=shutil.ignore_patterns("*.lock"),
        )
        self.other = self.other_device("--name", "Анна", self.server.address, state=other_state)
        for window in (self.one, self.other):
            window.wait_for_title(f"Анна — {self.server.address}")
        self.boris = Member(self.server, "Борис")
        self.addCleanup(self.boris.close)

    def say(self, text):
        """Has Борис say something, which both devices show; returns its number."""
        seq = self.boris.say(text)["seq"]
        for window in (self.one, self.other):
            window.wait_for_row(f": {text}")
        return seq

    def wait_for_marked(self, window, *expected):
        eventually(lambda: marked(window) == list(expected), f"{expected} to be marked")


class SideBySideMainPath(TwoDevices):
    def test_answers_reactions_and_drafts(self):
        seq = self.say("who brings tea?")
        self.other.write("Message", "a draft of the other")
        self.one.write("Message", "me")
        self.one.click("Send")
        self.other.wait_for_row(": me")
        self.assertEqual(self.other.draft(), "a draft of the other")
        for window in (self.one, self.other):
            self.wait_for_marked(window)  # Who answers has read.
        self.boris.write({"type": "react", "id": "reaction", "target": seq, "emoji": "👍"})
        for window in (self.one, self.other):
            window.wait_for("push button", "👍 1, Борис")
        Atspi.Action.do_action(self.one.wait_for("push button", "👍 1, Борис"), 0)
        self.other.wait_for("push button", "👍 2, Борис, Анна")
        Atspi.Action.do_action(self.other.wait_for("push button", "👍 2, Борис, Анна"), 0)
        self.one.wait_for("push button", "👍 1, Борис")
        self.assertEqual(self.one.draft(), "")


class SideBySide(TwoDevices):
    def type(self, text):
        subprocess.run(["xdotool", "type", "--delay", "5", text], check=True)

    def test_what_is_read_changed_and_deleted_on_one_is_on_the_other(self):
        self.one.lose_focus()
        self.say("one")
        self.wait_for_marked(self.one, "one")
        self.wait_for_marked(self.other, "one")
        self.other.focus()
        self.wait_for_marked(self.one)
        self.one.focus()
        self.type("helo")
        self.one.press("Return")
        self.other.wait_for_row(": helo")
        self.one.press("Up")
        eventually(lambda: self.one.draft() == "helo", "the words in the entry")
        self.one.press("BackSpace")
        self.type("lo")
        self.one.press("Return")
        self.other.wait_for_row(": hello")
        self.one.press("shift+Tab")
        row = self.one.wait_for_row(": hello")
        eventually(lambda: self.one.focused() == row, "the message to have the keyboard")
        self.one.press("Delete")
        self.one.wait_for_row(": Message deleted")
        self.other.wait_for_row(": Message deleted")  # Once it can no longer be undone.


if __name__ == "__main__":
    unittest.main()
