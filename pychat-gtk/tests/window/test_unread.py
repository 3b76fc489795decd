"""What came while its reader was elsewhere: marked, counted, and a button away."""

import unittest

from support import WindowTest, eventually
from test_notifications import Desktop

BUTTON = "Jump to Latest"
MARK = "New messages. "


class Unread(WindowTest):
    def setUp(self):
        desktop = Desktop()  # What comes is told there.
        self.addCleanup(desktop.close)
        self.open_room()

    def say(self, *texts):
        self.say_below(*texts)
        self.window.wait_for_row(f": {texts[-1]}")

    def say_below(self, *texts):
        """Says something that is not in view."""
        for text in texts:
            self.boris.say(text)

    def marked(self):
        """The texts before which it says that what follows is new."""
        names = [row.get_name() for row in self.window.rows()]
        return [name.rpartition(": ")[2] for name in names if MARK in name]

    def wait_for_marked(self, *expected):
        eventually(lambda: self.marked() == list(expected), f"{expected} to be marked")

    def button(self, n_new=0):
        count = {0: "", 1: ": 1 new message"}.get(n_new, f": {n_new} new messages")
        return self.window.find("push button", BUTTON + count)

    def wait_for_button(self, n_new=0):
        eventually(lambda: self.button(n_new), f"the way back, with {n_new} new messages")

    def scroll_up(self):
        self.say(*(f"{n}" for n in range(80)))
        self.assertIsNone(self.button(), "one is at the end")
        self.window.scroll("up", 10)
        self.wait_for_button()

    def test_what_is_seen_at_once_is_not_new(self):
        self.say("one", "two")
        self.assertEqual(self.marked(), [])

    def test_what_came_while_the_window_was_in_the_background_is_marked(self):
        self.say("seen")
        self.window.lose_focus()
        self.say("one", "two")
        self.wait_for_marked("one")
        self.window.focus()
        self.say("three")
        self.assertEqual(self.marked(), ["one"], "it stays, to be read")
        self.window.lose_focus()
        self.say("four")
        self.wait_for_marked("four")

    def test_who_answers_has_read(self):
        self.window.lose_focus()
        self.say("one")
        self.wait_for_marked("one")
        self.window.write("Message", "answer")
        self.window.click("Send")
        self.window.wait_for_row("answer")
        self.wait_for_marked()

    def test_what_comes_below_is_counted_and_a_button_away(self):
        self.scroll_up()
        self.say_below("one")
        self.wait_for_button(1)
        self.say_below("two", "three")
        self.wait_for_button(3)
        self.window.click(f"{BUTTON}: 3 new messages")
        eventually(lambda: self.is_in_view("three"), "the end to be in view")
        eventually(lambda: self.window.find("push button", BUTTON) is None, "the button to go")
        eventually(lambda: self.window.focused().get_name() == "Message", "the focus in the entry")
        self.say("four")
        eventually(lambda: self.is_in_view("four"), "the end to be followed")
        self.assertEqual(self.marked(), ["one"])

    def test_scrolling_back_to_the_end_is_seeing_it(self):
        self.scroll_up()
        self.say_below("one")
        self.wait_for_button(1)
        self.window.scroll("down", 60)
        eventually(lambda: self.button(1) is None, "the button to go")
        self.window.scroll("up", 10)
        self.wait_for_button()

    def is_in_view(self, text):
        row = self.window.wait_for_row(f": {text}")
        composer = self.window.extents(self.window.wait_for("text", "Message"))
        bounds = self.window.extents(row)
        return 0 < bounds.y and bounds.y + bounds.height <= composer.y


if __name__ == "__main__":
    unittest.main()
