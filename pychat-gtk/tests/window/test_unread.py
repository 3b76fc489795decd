"""What came while its reader was elsewhere: marked, counted, and a button away."""

import unittest

from support import PATIENCE_S, WindowTest, activate_action, eventually
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

    def wait_for_marked(self, *expected):
        eventually(lambda: marked(self.window) == list(expected), f"{expected} to be marked")

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
        self.assertEqual(marked(self.window), [])

    def test_what_came_while_the_window_was_in_the_background_is_marked(self):
        self.say("seen")
        self.window.lose_focus()
        self.say("one", "two")
        self.wait_for_marked("one")
        self.window.focus()
        self.say("three")
        self.assertEqual(marked(self.window), ["one"], "it stays, to be read")
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
        self.assertEqual(marked(self.window), ["one"])

    def test_scrolling_back_to_the_end_is_seeing_it(self):
        self.scroll_up()
        self.say_below("one")
        self.wait_for_button(1)
        self.window.scroll("down", 60)
        eventually(lambda: self.button(1) is None, "the button to go")
        self.window.scroll("up", 10)
        self.wait_for_button()

    def is_in_view(self, text):
        return is_in_view(self.window, f": {text}")


class ReadingPlace(WindowTest):
    """After a restart, and after a lost line, one reads on where one was."""

    def setUp(self):
        self.modern = self.start_modern()

    def open_room(self, seq):
        """Opens the window of somebody in whose room so much was said, and who looks."""
        self.window = self.open("--name", "Анна", self.modern.address)
        self.modern.let_in(seq)
        self.modern.give_page()
        self.window.focus()

    def leave(self):
        activate_action("quit")
        self.window.process.wait(PATIENCE_S)
        self.modern.client.close()

    def wait_for_mark(self, text):
        """Waits for the line above this message to be in view, and the message with it."""
        def is_there():
            row = self.window.wait_for_row(f": {text}")
            bounds = self.window.extents(row)
            return MARK in row.get_name() and 0 < bounds.y and is_in_view(self.window, row=row)

        eventually(is_there, f"the line above {text!r} in view")

    def wait_for_button(self, name):
        eventually(lambda: self.window.find("push button", name), f"the button {name!r}")

    def test_the_next_start_opens_at_the_first_message_that_was_missed(self):
        for n_missed in (60, 300):
            with self.subTest(n_missed=n_missed):
                self.open_room(100)
                self.window.wait_for_row(": number 100")
                self.leave()
                self.open_room(100 + n_missed)
                self.wait_for_mark("number 101")
                self.wait_for_button(f"{BUTTON}: {n_missed} new messages")
                label = self.window.find("label", f"{n_missed} new")
                self.assertIsNotNone(label, "it is on the button, too")
                self.assertTrue(is_in_view(self.window, ": number 100"), "with what was before")
                self.modern.record(101 + n_missed, "Борис", "one more")
                self.wait_for_button(f"{BUTTON}: {n_missed + 1} new messages")
                self.leave()
                # What was in view has been seen.
                self.open_room(101 + n_missed)
                eventually(self.window.n_missed, "what is left")
                self.assertLess(self.window.n_missed(), n_missed + 1)
                self.window.click(self.window.way_back())
                eventually(lambda: not self.window.way_back(), "the end")
                self.leave()
                # And now all of it.
                self.open_room(101 + n_missed)
                self.window.wait_for_row(f": number {101 + n_missed}")
                self.assertEqual(self.window.way_back(), "")
                self.assertEqual(marked(self.window), [])
                self.leave()
                self.modern.close()
                self.modern = self.start_modern()

    def test_a_few_are_seen_at_once_and_marked(self):
        self.open_room(100)
        self.window.wait_for_row(": number 100")
        self.leave()
        self.open_room(103)
        self.wait_for_mark("number 101")
        eventually(lambda: not self.window.way_back(), "the end in view")
        self.modern.record(104, "Борис", "one more")
        eventually(lambda: is_in_view(self.window, ": one more"), "the end to be followed")

    def test_more_than_are_fetched_at_once_are_told_of_and_a_button_away(self):
        self.open_room(1)
        self.window.wait_for_row(": number 1")
        self.leave()
        self.open_room(621)
        eventually(lambda: is_in_view(self.window, ": number 621"), "the end")
        name = "Jump to First New Message: 620 new messages"
        self.wait_for_button(name)
        self.assertEqual(self.window.way_back(), "")
        self.window.click(name)
        for _ in range(2):
            self.modern.give_page()
        self.wait_for_mark("number 2")
        self.wait_for_button(f"{BUTTON}: 620 new messages")
        self.assertIsNone(self.window.find("push button", name))

    def test_who_does_not_want_to_read_so_much_says_so(self):
        self.open_room(1)
        self.window.wait_for_row(": number 1")
        self.leave()
        self.open_room(621)
        self.window.click("Mark as Read")
        eventually(lambda: not self.window.find("push button", "Mark as Read"), "it to go")
        self.leave()
        self.open_room(621)
        eventually(lambda: is_in_view(self.window, ": number 621"), "the end")
        self.assertIsNone(self.window.find("push button", "Mark as Read"))
        self.assertEqual(marked(self.window), [])

    def test_a_line_that_was_lost_is_read_on_where_it_broke(self):
        self.open_room(30)
        self.window.wait_for_row(": number 30")
        self.modern.client.close()
        self.modern.let_in(70)
        for seq in range(31, 71):
            self.modern.record(seq, "Борис", f"number {seq}", replay=True)
        self.wait_for_mark("number 31")
        self.wait_for_button(f"{BUTTON}: 40 new messages")
        self.assertTrue(is_in_view(self.window, ": number 30"), "something of before is, too")


def marked(window):
    """The texts before which it says that what follows is new."""
    names = [row.get_name() for row in window.rows()]
    return [name.rpartition(": ")[2] for name in names if MARK in name]


def is_in_view(window, ending=None, row=None):
    bounds = window.extents(row or window.wait_for_row(ending))
    composer = window.extents(window.wait_for("text", "Message"))
    return 0 < bounds.y and bounds.y + bounds.height <= composer.y


if __name__ == "__main__":
    unittest.main()
