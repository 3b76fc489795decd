"""Writing: how the entry grows, what the keys do, how much a message can hold."""

import pathlib
import subprocess
import sys
import time
import unittest

from support import (
    PATIENCE_S, Atspi, WindowTest, children, eventually, forget, is_sensitive, text_of,
)

# What GTK 4.8 adds to an emoji: it is to be shown as a picture, which needs no saying.
PICTURE = "\uFE0F"

LIMIT = 65_536

CLIPBOARD = pathlib.Path(__file__).with_name("picture_clipboard.py")


def is_checked(switch):
    forget(switch)
    return switch.get_state_set().contains(Atspi.StateType.CHECKED)


def geometry(surface):
    """Where a surface is on the screen: X, Y, WIDTH and HEIGHT."""
    told = subprocess.check_output(["xdotool", "getwindowgeometry", "--shell", surface], text=True)
    return {key: int(value) for key, value in (line.split("=") for line in told.split())}


class Entry(WindowTest):
    def setUp(self):
        self.server = self.start_server()
        self.boris = self.let_join(self.server, "Борис")
        self.window = self.open_joined(self.server)
        self.window.focus()

    def type(self, text):
        subprocess.run(["xdotool", "type", "--delay", "5", text], check=True)

    def wait_for_draft(self, text):
        eventually(lambda: self.window.draft() == text, f"{text!r} in the entry")

    def can_send(self):
        return is_sensitive(self.window.wait_for("push button", "Send"))

    def set_enter_sends(self, is_on):
        """As somebody does who has no mouse."""
        self.window.press("ctrl+comma")
        switch = eventually(self.find_switch, "the preference")
        eventually(lambda: self.window.is_active("Preferences"), "the preferences to have the keys")
        eventually(lambda: self.window.has_focus_in("Preferences"), "a preference to have the keys")
        if is_checked(switch) != is_on:
            self.window.press("space")
        eventually(lambda: is_checked(switch) == is_on, "the switch")
        self.window.press("Escape")
        eventually(lambda: self.find_switch() is None, "the preferences to go")
        self.window.focus()

    def find_switch(self):
        return self.window.find_anywhere("check box", "Enter Sends")


class Keys(Entry):
    has_dialogs = True

    def test_enter_sends_and_shift_enter_begins_a_line(self):
        self.type("one")
        self.window.press("shift+Return")
        self.type("two")
        self.wait_for_draft("one\ntwo")
        self.window.press("Return")
        self.assertEqual(self.boris.hear_from("Анна"), "one\ntwo")
        self.wait_for_draft("")
        self.window.press("Return")
        self.wait_for_draft("")

    def test_enter_begins_a_line_where_that_is_preferred(self):
        self.set_enter_sends(False)
        self.type("one")
        self.window.press("Return")
        self.type("two")
        self.wait_for_draft("one\ntwo")
        self.window.press("alt+Return")
        self.assertEqual(self.boris.hear_from("Анна"), "one\ntwo")
        self.set_enter_sends(True)
        self.type("three")
        self.window.press("Return")
        self.assertEqual(self.boris.hear_from("Анна"), "three")

    def test_control_up_in_an_empty_entry_brings_back_what_was_said_last(self):
        self.window.press("ctrl+Up")
        self.wait_for_draft("")
        self.type("once more")
        self.window.press("Return")
        self.assertEqual(self.boris.hear_from("Анна"), "once more")
        self.boris.say("what?")
        self.window.wait_for_row("what?")
        self.window.press("ctrl+Up")
        self.wait_for_draft("once more")
        self.window.press("ctrl+Up")
        self.type("!")
        eventually(lambda: self.window.draft() != "once more", "what was typed")
        self.window.press("Return")
        self.assertIn("!", self.boris.hear_from("Анна"))


    def test_what_is_typed_anywhere_in_the_conversation_is_written(self):
        self.boris.say("listen")
        row = self.window.wait_for_row("listen")
        self.window.press("shift+Tab")
        eventually(lambda: self.window.focused() == row, "the message to have the keyboard")
        self.type("yes, what")
        self.wait_for_draft("yes, what")
        self.window.press("Return")
        self.assertEqual(self.boris.hear_from("Анна"), "yes, what")

    def test_what_cannot_be_seen_is_not_sent(self):
        self.window.write("Message", "\u200b \u3164")
        self.window.press("Return")
        self.assertFalse(is_sensitive(self.window.wait_for("push button", "Send")))
        self.window.write("Message", "seen")
        self.window.press("Return")
        self.assertEqual(self.boris.hear_from("Анна"), "seen")


class Size(Entry):
    has_dialogs = True

    def height(self):
        return self.window.extents(self.window.wait_for("text", "Message")).height

    def heights(self, *counts):
        """How high the entry is with so many lines, each once it is at rest."""
        heights = []
        for count in counts:
            self.window.write("Message", "\n".join("x" * count))
            seen = []

            def is_at_rest():
                seen.append(self.height())
                return 3 < len(seen) and len(set(seen[-4:])) == 1

            eventually(is_at_rest, "the new height")
            heights.append(seen[-1])
        return heights

    def test_the_entry_grows_to_eight_lines(self):
        one, four, eight, nine, fifty = self.heights(1, 4, 8, 9, 50)
        line = (four - one) / 3
        self.assertLess(12, line)
        self.assertLess(one, 3 * line)
        self.assertAlmostEqual(eight - one, 7 * line, delta=4)
        self.assertAlmostEqual(nine - eight, 0, delta=4)
        self.assertEqual(fifty, nine)
        (again,) = self.heights(1)
        self.assertEqual(again, one)

    def test_who_nears_the_limit_is_told_and_who_passes_it_cannot_send(self):
        for text, expected, can_send in [
            ("x" * (LIMIT - 8_000), None, True),
            ("x" * (LIMIT - 1_000), r"About \d+ characters left", True),
            ("я" * (LIMIT // 2), r"The message is about \d+ characters too long", False),
            ("short", None, True),
        ]:
            self.window.write("Message", text)
            if expected is None:
                eventually(lambda: self.window.find("alert") is None, "no warning")
            else:
                eventually(self.find_hint(expected), expected)
            eventually(lambda: self.can_send() == can_send, f"can send: {can_send}")

    def find_hint(self, pattern):
        def find():
            hint = self.window.find("alert")
            return hint is not None and self.assertRegex(hint.get_name(), pattern) is None

        return find

    def test_what_is_too_long_is_not_taken_away_by_enter(self):
        text = "я" * (LIMIT // 2)
        self.window.write("Message", text)
        self.window.press("Return")
        self.window.press("alt+Return")
        self.window.write("Message", "short")
        self.window.press("Return")
        self.assertEqual(self.boris.hear_from("Анна"), "short")

    def test_the_button_says_what_sends(self):
        for is_on, words in [(True, "Send (Enter)"), (False, "Send (Alt+Enter)")]:
            self.set_enter_sends(is_on)
            button = self.window.wait_for("push button", "Send")
            eventually(lambda: button.get_description() == words, words)

    def test_a_picture_that_is_pasted_is_refused_in_words(self):
        clipboard = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(CLIPBOARD)], stdout=subprocess.PIPE, text=True
        )
        try:
            self.assertEqual(clipboard.stdout.readline(), "copied\n")
            self.type("text")
            self.window.press("ctrl+v")
            self.window.wait_for("alert", "Pictures and files cannot be sent")
            self.type(" goes on")
            self.wait_for_draft("text goes on")
        finally:
            clipboard.terminate()
            clipboard.wait()
            clipboard.stdout.close()

    def test_a_huge_word_does_not_stop_the_window(self):
        entry = self.window.wait_for("text", "Message")
        begin = time.monotonic()
        Atspi.EditableText.set_text_contents(entry, "x" * 1_000_000)
        eventually(lambda: Atspi.Text.get_character_count(entry) == LIMIT, "what fits")
        self.window.wait_for("alert")
        self.height()
        self.assertLess(time.monotonic() - begin, 5)


class Draft(WindowTest):
    def test_what_was_being_written_is_there_again_whatever_ended_the_client(self):
        here, there = self.start_server(), self.start_server()
        boris = self.let_join(here, "Борис")
        state = {"XDG_STATE_HOME": self.temporary_folder()}
        window = self.open_joined(here, **state)
        window.write("Message", "half a tho")
        eventually(lambda: "half a tho" in self.kept(state), "it to be kept")
        window.kill()

        window = self.open_joined(there, **state)
        self.assertEqual(window.draft(), "", "it is for another server")
        window.write("Message", "elsewhere")
        window.focus()
        window.press("ctrl+q")
        window.process.wait(PATIENCE_S)

        window = self.open_joined(here, **state)
        eventually(lambda: window.draft() == "half a tho", "it again")
        window.focus()
        window.press("alt+Return")
        self.assertEqual(boris.hear_from("Анна"), "half a tho")
        window.kill()

        window = self.open_joined(here, **state)
        window.wait_for_row("half a tho")
        self.assertEqual(window.draft(), "", "it has been said")
        window.kill()

        window = self.open_joined(there, **state)
        eventually(lambda: window.draft() == "elsewhere", "what was left in order")

    def kept(self, state):
        files = pathlib.Path(state["XDG_STATE_HOME"]).glob("pychat/*.json")
        return "".join(file.read_text() for file in files)


class Emoji(Entry):
    def test_an_emoji_is_chosen_by_keyboard(self):
        self.type("hi ")
        self.window.press("ctrl+period")
        self.find_emoji("grinning cat")
        cat = "\U0001F63A"

        def is_at_cat():
            """Goes to the first emoji that was found; the search may not be through yet."""
            self.window.press("Tab")
            eventually(lambda: not self.is_searching(), "the focus to be elsewhere")
            if self.focused_emoji() == cat:
                return True
            eventually(self.goes_back_to_search, "the search for emoji")
            return False

        eventually(is_at_cat, "the cat")
        self.window.press("Return")
        eventually(lambda: self.window.draft().removesuffix(PICTURE) == f"hi {cat}", "the cat")

    def test_the_button_opens_the_same(self):
        button = self.window.wait_for("push button", "Insert Emoji")
        self.window.click("Insert Emoji")
        self.find_emoji("grinning cat")
        search = ["xdotool", "search", "--onlyvisible", "--pid", str(self.window.process.pid)]
        surfaces = [geometry(it) for it in subprocess.check_output(search, text=True).split()]
        chooser, frame = sorted(surfaces, key=lambda it: it["WIDTH"] * it["HEIGHT"])[-2:]
        place = self.window.extents(button)
        self.assertLess(chooser["Y"] - frame["Y"], place.y)
        middle = chooser["X"] - frame["X"] + chooser["WIDTH"] / 2
        self.assertAlmostEqual(middle, place.x + place.width / 2, delta=place.width)
        self.window.press("Escape")
        self.type("back")
        self.wait_for_draft("back")

    def goes_back_to_search(self):
        """Where what had the focus was not found, nothing has it, and it is further to there."""
        self.window.press("shift+Tab")
        return self.is_searching()

    def focused_emoji(self):
        focused = self.window.focused()
        if focused is None or focused.get_role_name() != "table cell":
            return None
        return "".join(it.get_name() for it in children(focused)).removesuffix(PICTURE)

    def is_searching(self):
        focused = self.window.focused()
        return focused is not None and focused.get_role_name() == "entry"

    def find_emoji(self, name):
        eventually(self.is_searching, "the search for emoji")
        self.type(name)
        eventually(lambda: text_of(self.window.focused()) == name, "what was typed")


if __name__ == "__main__":
    unittest.main()
