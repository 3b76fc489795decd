"""Selecting and copying what was said, and the menu of a message.

What was copied is read by pasting it where messages are written.
"""

import subprocess
import unittest

from support import Atspi, WindowTest, eventually, forget, mouse, role_of, walk
from test_contrast import Picture
from test_notifications import Desktop

LINK = "https://example.org/x"


class Reading(WindowTest):
    """Somebody who reads, by mouse and keyboard."""

    def setUp(self):
        desktop = Desktop()  # What comes is told there.
        self.addCleanup(desktop.close)

    def say(self, *texts):
        for text in texts:
            self.boris.say(text)
        self.row(texts[-1])

    # What one does.

    def point(self, accessible, *actions):
        """Goes to its middle with the mouse, and does something there."""
        self.window.point(accessible, *actions)

    def click(self, text, *actions):
        self.point(self.label(text), *(actions or ["click", "1"]))

    def click_with(self, key, text):
        self.click(text, "keydown", key, "click", "1", "keyup", key)

    def drag(self, begin, *path):
        self.click(begin, "mousedown", "1")
        for text in path:
            self.point(self.label(text))
        subprocess.run(["xdotool", "mouseup", "1"], check=True)

    def press(self, *keys):
        for key in keys:
            self.window.press(key)

    def open_menu(self, text):
        self.click(text, "click", "3")
        return self.menu()

    def choose(self, name):
        Atspi.Action.do_action(self.window.wait_for("menu item", name), 0)
        eventually(lambda: self.window.find("menu item") is None, "the menu to close")

    # What there is.

    def row(self, text):
        return self.window.wait_for_row(f": {text}")

    def label(self, text):
        return self.window.wait_for("label", text, self.row(text))

    def selected(self):
        return [text for text, states in self.states() if Atspi.StateType.SELECTED in states]

    def states(self):
        for row in self.window.rows():
            forget(row)
            yield row.get_name().rpartition(": ")[2], row.get_state_set().get_states()

    def wait_for_selected(self, *texts):
        eventually(lambda: self.selected() == list(texts), f"{texts} to be selected")

    def focused(self):
        focused = self.window.focused()
        return focused and (role_of(focused), focused.get_name().rpartition(": ")[2])

    def wait_for_focus(self, role, name):
        eventually(lambda: self.focused() == (role, name), f"the focus on the {role} {name!r}")

    def check_copied(self, pattern):
        self.window.write("Message", "")
        self.point(self.window.wait_for("text", "Message"), "click", "1")
        self.press("ctrl+v")
        self.assertRegex(eventually(self.window.draft, "something to be pasted"), f"^{pattern}$")

    def menu(self):
        """What the menu offers, once it is open."""

        looks = []

        def is_complete():
            forget(self.window.frame)
            items = (it for it in walk(self.window.frame) if it.get_role_name() == "menu item")
            looks.append([it.get_name() for it in items])
            return all(looks[-1]) and looks[-1] and looks[-2:-1] == looks[-1:]

        eventually(is_complete, "the menu")
        return looks[-1]


def stamped(*messages):
    """What several messages look like as text."""
    return "\n".join(rf"\[\d{{4}}-\d\d-\d\d \d\d:\d\d\] {it}" for it in messages)


class Copying(Reading):
    def setUp(self):
        super().setUp()
        self.open_room()

    def test_a_part_of_one_message_is_selected_with_the_mouse(self):
        self.say("before", "onewordonly", "a bbbbbbbbbbbbbbbb")
        self.click("onewordonly", "click", "--repeat", "2", "--delay", "50", "1")
        self.press("ctrl+c")
        self.check_copied("onewordonly")
        drag = ["mousedown", "1", "mousemove_relative", "90", "0", "mouseup", "1"]
        self.click("a bbbbbbbbbbbbbbbb", *drag)
        self.press("ctrl+c")
        self.check_copied("b{1,15}")
        self.assertEqual(self.selected(), [])

    def test_the_message_at_which_the_keyboard_is_is_copied(self):
        self.say("one", "two\nlines", "three")
        self.press("shift+Tab")
        self.wait_for_focus("list item", "three")
        self.press("Up")
        self.wait_for_focus("list item", "two\nlines")
        self.press("ctrl+c")
        self.check_copied("two\nlines")

    def test_a_stretch_is_selected_by_keyboard(self):
        self.say("one", "two\nlines", "three", "four")
        self.press("shift+Tab", "Up", "shift+Up", "shift+Up")
        self.wait_for_selected("one", "two\nlines", "three")
        self.press("shift+Down", "ctrl+c")
        self.wait_for_selected("two\nlines", "three")
        self.check_copied(stamped("Борис: two\n    lines", "Борис: three"))
        self.wait_for_selected("two\nlines", "three")

    def test_one_by_one_by_keyboard(self):
        self.say("one", "two", "three")
        self.press("shift+Tab", "space", "ctrl+Up", "ctrl+Up", "space")
        self.wait_for_selected("one", "three")
        self.press("space")
        self.wait_for_selected("three")
        self.press("Escape")
        self.wait_for_selected()
        self.wait_for_focus("list item", "one")
        self.press("shift+Down")
        self.wait_for_selected("one", "two")
        self.press("Down")
        self.wait_for_selected()

    def test_messages_are_selected_by_clicks(self):
        self.say("one", "two", "three", "four")
        self.click_with("ctrl", "two")
        self.click_with("ctrl", "four")
        self.wait_for_selected("two", "four")
        self.click_with("ctrl", "four")
        self.wait_for_selected("two")
        self.press("ctrl+c")
        self.check_copied("two")
        self.click("one")
        self.wait_for_selected()
        self.click_with("shift", "three")
        self.wait_for_selected("one", "two", "three")

    def test_a_stretch_is_selected_by_dragging(self):
        self.say("one", "two", "three", "four")
        self.drag("two", "three", "four", "three")
        self.wait_for_selected("two", "three")
        self.drag("three", "two", "one")
        self.wait_for_selected("one", "two", "three")
        self.press("ctrl+c")
        self.check_copied(stamped("Борис: one", "Борис: two", "Борис: three"))

    def test_who_came_and_went_is_not_said(self):
        self.say("one")
        vika = self.let_join(self.server, "Вика")
        vika.say("two")
        self.row("two")
        self.press("shift+Tab", "shift+Home")
        self.wait_for_selected("one", "two")
        self.press("ctrl+c")
        self.check_copied(stamped("Борис: one", "Вика: two"))

    def test_a_selection_is_counted_copied_and_ended(self):
        self.say("one", "two", "three")
        self.press("shift+Tab", "space")
        self.window.wait_for("label", "1 Selected")
        self.assertIsNone(self.window.find("push button", "Main Menu"))
        self.press("shift+Up")
        self.window.wait_for("label", "2 Selected")
        self.window.click("Copy")
        self.wait_for_selected()
        self.window.wait_for("push button", "Main Menu")
        self.check_copied(stamped("Борис: two", "Борис: three"))
        self.click_with("ctrl", "one")
        self.wait_for_selected("one")
        self.window.click("Cancel")
        self.wait_for_selected()
        self.wait_for_focus("text", "Message")
        self.click_with("ctrl", "one")
        self.point(self.window.wait_for("text", "Message"), "click", "1")
        self.wait_for_selected("one")
        self.press("Escape")
        self.wait_for_selected()

    def test_no_text_stays_selected_where_messages_are(self):
        self.say("one", "two", "three")
        self.click("two", "click", "--repeat", "2", "--delay", "50", "1")
        text = self.label("two")
        eventually(lambda: Atspi.Text.get_n_selections(text) == 1, "a word to be selected")
        self.click_with("ctrl", "three")
        self.wait_for_selected("three")
        self.assertEqual(Atspi.Text.get_n_selections(self.label("two")), 0)

    def test_without_a_selection_the_end_is_followed_again(self):
        self.say(*(f"number {n}" for n in range(40)))
        self.press("shift+Tab", "space")
        self.wait_for_selected("number 39")
        self.assertEqual(self.window.way_back(), "", "the end is in view")
        self.boris.say("number 40")
        self.window.wait_for("push button", "Jump to Latest: 1 new message")
        self.press("End")
        self.row("number 40")
        self.press("Escape")
        self.wait_for_selected()
        eventually(lambda: self.window.way_back() == "", "the end to be followed")


class CodeBlocks(Reading):
    def test_a_block_is_copied_by_its_button(self):
        self.open_room()
        block = "```sh\n\tmake all\n  `x`\n```"
        self.say(f"before\n{block}\nafter `span`")
        row = self.row(f"before\n{block}\nafter `span`")
        self.window.click("Copy Code", row)
        self.check_copied("\tmake all\n  `x`")
        self.say("`span`")
        self.assertIsNone(self.window.find("push button", "Copy Code", self.row("`span`")))

    def test_a_block_that_is_shown_in_part_is_copied_as_a_whole(self):
        self.open_room()
        self.boris.say("```\n" + "line\n" * 60 + "```")
        row = self.window.wait_for_row("line…")
        self.window.click("Copy Code", row)
        self.check_copied("line\n" * 59 + "line")

    def test_a_tab_leads_as_far_as_four_letters_of_code(self):
        self.open_room()
        text = "```\n\tb\naaaab\n```"
        self.say(text)
        lines = self.window.extents(self.label(text))
        lines.height //= 4
        ends = []
        for n in (1, 2):
            line = self.window.extents(self.label(text))
            line.y, line.height = lines.y + n * lines.height, lines.height
            ends.append(eventually(lambda: Picture().ink(line), f"line {n}")[1])
        self.assertAlmostEqual(*ends, delta=1)


class Many(Reading):
    """More than the list shows while one is at its end."""

    def setUp(self):
        super().setUp()
        original = self.start_original()
        self.window = self.open("--name", "Анна", original.address)
        original.let_in()
        self.window.focus()
        self.boris = original

    def say(self, begin, end):
        for n in range(begin, end):
            self.boris.say("Борис", f"number {n}")

    def test_everything_is_more_than_what_is_in_the_list(self):
        self.say(0, 250)
        self.row("number 249")
        self.assertLess(len(self.window.rows()), 250)
        self.press("shift+Tab", "ctrl+a")
        eventually(lambda: "number 249" in self.selected(), "the selection")
        self.press("ctrl+c")
        self.check_copied(stamped(*(f"Борис: number {n}" for n in range(250))))

    def test_what_comes_does_not_disturb_the_selection(self):
        self.say(0, 40)
        self.row("number 39")
        self.press("shift+Tab", "shift+Up")
        self.wait_for_selected("number 38", "number 39")
        before = self.window.extents(self.row("number 38")).y
        self.say(40, 2_000)
        self.window.wait_for("push button", "Jump to Latest: 1960 new messages")
        self.wait_for_selected("number 38", "number 39")
        self.assertEqual(self.window.extents(self.row("number 38")).y, before)
        self.press("shift+Up", "ctrl+c")
        self.check_copied(stamped(*(f"Борис: number {n}" for n in (37, 38, 39))))


class Tab(Reading):
    def test_it_goes_to_links_and_on(self):
        self.open_room()
        self.say("one", f"two {LINK} and {LINK}2", "three")
        self.press("shift+Tab")
        self.wait_for_focus("list item", "three")
        self.press("Tab")
        self.wait_for_focus("text", "Message")
        self.press("shift+Tab", "Up")
        text = f"two {LINK} and {LINK}2"
        self.wait_for_focus("list item", text)
        self.press("Tab")
        self.wait_for_focus("label", text)
        self.press("Tab", "Menu")
        self.choose("Copy Link")
        self.check_copied(f"{LINK}2")
        self.press("shift+Tab", "Up", "Tab", "Tab", "Tab")
        self.wait_for_focus("text", "Message")
        self.press("shift+Tab", "Up", "Tab", "shift+Tab")
        self.wait_for_focus("list item", text)
        self.press("shift+Tab")
        self.wait_for_focus("push button", "Main Menu")


# What can be done with a message, of somebody else's and of the reader's.
OF_OTHERS = ["Reply", "React…", "Copy", "Select", "Mention", "Message Privately"]
OF_ONESELF = ["Reply", "React…", "Edit", "Copy", "Select", "Delete"]


class Menu(Reading):
    def test_what_somebody_else_said_can_be_copied_selected_and_answered(self):
        self.open_room()
        self.say("one", "two")
        self.assertEqual(self.open_menu("one"), OF_OTHERS)
        self.choose("Copy")
        self.check_copied("one")
        self.window.write("Message", "")
        self.open_menu("one")
        self.choose("Mention")
        eventually(lambda: self.window.draft() == "@Борис ", "the mention")
        self.wait_for_focus("text", "Message")
        self.open_menu("one")
        self.choose("Select")
        self.wait_for_selected("one")
        self.wait_for_focus("text", "Message")
        self.open_menu("two")
        self.choose("Select")
        self.wait_for_selected("one", "two")
        several = ["Copy 2 Messages", "Deselect", "Mention", "Message Privately"]
        several = ["Reply", "React…", *several]
        self.assertEqual(self.open_menu("two"), several)
        self.choose("Copy 2 Messages")
        self.check_copied(stamped("Борис: one", "Борис: two"))
        self.open_menu("two")
        self.choose("Deselect")
        self.wait_for_selected("one")

    def test_it_opens_by_keyboard_and_gives_the_keyboard_back(self):
        self.open_room()
        self.say("one", "two")
        self.press("shift+Tab", "Up")
        for keys in ["Menu", "shift+F10"]:
            self.press(keys)
            self.assertEqual(self.menu(), OF_OTHERS)
            self.wait_for_focus("menu item", "Reply")
            self.press("Escape")
            self.wait_for_focus("list item", "one")
        self.press("Menu")
        self.wait_for_focus("menu item", "Reply")
        self.press("Down", "Down")
        self.wait_for_focus("menu item", "Copy")
        self.press("Return")
        self.wait_for_focus("list item", "one")
        self.check_copied("one")

    def test_nobody_mentions_themselves_or_the_chat(self):
        self.open_room()
        self.window.write("Message", "mine")
        self.press("alt+Return")
        self.assertEqual(self.boris.hear_from("Анна"), "mine")
        self.assertEqual(self.open_menu("mine"), OF_ONESELF)
        self.choose("Copy")
        self.check_copied("mine")
        notice = self.window.wait_for("label", "Борис joined the chat.")
        self.point(notice, "click", "3")
        self.assertEqual(self.menu(), ["Copy"])
        self.choose("Copy")
        self.check_copied("\u2068Борис\u2069 joined the chat\\.")

    def test_a_link_that_is_pointed_at_can_be_copied(self):
        self.open_room()
        text = f"a {LINK} z"
        self.say(text, "no link")
        items = ["Reply", "React…", "Copy", "Copy Link", "Select", "Mention", "Message Privately"]
        self.assertEqual(self.open_menu(text), items)
        self.choose("Copy Link")
        self.check_copied(LINK)
        label = self.window.extents(self.label(text))
        mouse(label.x + label.width, label.y + label.height // 2, "click", "3")
        self.assertEqual(self.menu(), OF_OTHERS)

    def fail_to_say(self, *texts):
        """Has a server refuse these; returns it."""
        modern = self.start_modern()
        self.window = self.open("--name", "Анна", modern.address)
        modern.let_in()
        self.window.focus()
        for text in texts:
            self.window.write("Message", text)
            self.press("alt+Return")
            refusal = {"type": "error", "code": "bad_payload", "text": "no"}
            modern.client.write({**refusal, "ref": modern.hear("text")["id"]})
        eventually(lambda: set(self.window.descriptions()) == set(texts), "the refusals")
        return modern

    def test_what_failed_is_sent_again_or_discarded_by_keyboard_alone(self):
        modern = self.fail_to_say("one", "two")
        self.press("shift+Tab")
        self.wait_for_focus("list item", "two")
        self.press("Tab")
        self.wait_for_focus("push button", "Send Again")
        self.press("space")
        again = modern.hear("text")
        self.assertEqual(again["content"], "two")
        modern.record(1, "Анна", "two", id=again["id"])
        eventually(lambda: set(self.window.descriptions()) == {"one"}, "two to be sent")
        self.wait_for_focus("text", "Message")
        self.press("shift+Tab")
        self.wait_for_focus("list item", "one")
        self.press("Menu")
        self.wait_for_focus("menu item", "Copy")
        self.press("Up")
        self.wait_for_focus("menu item", "Discard")
        self.press("Return")
        eventually(lambda: self.window.descriptions() == {}, "one to be gone")
        self.wait_for_focus("text", "Message")

    def test_what_failed_can_be_sent_again_or_discarded(self):
        modern = self.fail_to_say("one", "two")
        self.assertEqual(self.open_menu("one"), ["Copy", "Select", "Send Again", "Discard"])
        self.choose("Send Again")
        again = modern.hear("text")
        self.assertEqual(again["content"], "one")
        modern.record(1, "Анна", "one", id=again["id"])
        eventually(lambda: set(self.window.descriptions()) == {"two"}, "one to be sent")
        self.open_menu("two")
        self.choose("Discard")
        eventually(lambda: self.window.descriptions() == {}, "two to be gone")
        self.assertEqual(self.open_menu("one"), OF_ONESELF)


if __name__ == "__main__":
    unittest.main()
