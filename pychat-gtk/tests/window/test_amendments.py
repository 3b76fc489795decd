"""Answers, edits, deletions and reactions, and what operators take away and bring back."""

import subprocess
import unittest

from servers import Member
from support import CLIENT, Atspi, WindowTest, eventually, forget, role_of, walk


def press_button(window, name):
    """GTK 4.8 puts the label of a button before its name, as in questions and toasts."""
    names = (name, f"{name} {name}", f"_{name} {name}")
    button = eventually(
        lambda: next(filter(None, (window.find("push button", it) for it in names)), None),
        f"the button {name!r}",
    )
    Atspi.Action.do_action(button, 0)


def is_pressed(chip):
    forget(chip)
    states = chip.get_state_set()
    pressed = (Atspi.StateType.PRESSED, Atspi.StateType.CHECKED)
    return any(states.contains(state) for state in pressed)


def names_in(frame):
    """What everything in a window is called, in one text."""
    forget(frame)
    return "\n".join(it.get_name() or "" for it in walk(frame))


class Amendments(WindowTest):
    def setUp(self):
        super().setUp()
        self.server = self.start_server(self.temporary_folder())
        self.window = self.open_joined(self.server)
        self.boris = Member(self.server, "Борис")
        self.addCleanup(self.boris.close)
        self.window.wait_for_note("Борис joined the chat.")  # What is said then is the newest.
        self.window.focus()

    def type(self, text):
        subprocess.run(["xdotool", "type", "--delay", "5", text], check=True)

    def say(self, text):
        """Says something as a person does, and returns its number."""
        self.type(text)
        self.window.press("Return")
        heard = self.boris.hear("message", username="Анна", content=text)
        self.window.wait_for_row(f": {text}")
        return heard["seq"]

    def amend(self, kind, **members):
        """Has Борис change something, and waits until that is done."""
        self.boris.n_requests += 1
        members["id"] = f"amendment-{self.boris.n_requests}"
        self.boris.write({"type": kind, **members})
        return self.boris.hear(kind, id=members["id"])

    def wait_for_draft(self, text):
        eventually(lambda: self.window.draft() == text, f"{text!r} in the entry")

    def select_row(self, ending, *below):
        """Gives the keyboard to a message, below which there are these alone, and returns it."""
        row = self.window.wait_for_row(ending)
        self.window.press("shift+Tab")
        for other in below:
            lower = self.window.wait_for_row(other)
            eventually(lambda: self.window.focused() == lower, "the message below it")
            self.window.press("Up")
        eventually(lambda: self.window.focused() == row, "the message to have the keyboard")
        return row

    def choose(self, item):
        """Chooses something in the menu of the message that has the keyboard."""
        self.window.press("Menu")
        Atspi.Action.do_action(self.window.wait_for("menu item", item), 0)
        eventually(lambda: self.window.find("menu item", item) is None, "the menu to go")


class Edits(Amendments):
    def test_up_edits_what_was_said_last_and_escape_brings_the_draft_back(self):
        seq = self.say("helo")
        self.window.press("Up")
        self.wait_for_draft("helo")
        self.window.wait_for("label", "Editing message")
        self.window.press("BackSpace")
        self.type("lo")
        self.window.press("Return")
        edit = self.boris.hear("edit", target=seq)
        self.assertEqual(edit["content"], "hello")
        self.wait_for_draft("")
        row = self.window.wait_for_row(": hello")
        self.assertIn(", edited", row.get_name())
        self.window.press("Up")
        self.wait_for_draft("hello")
        self.window.press("Escape")
        self.wait_for_draft("")
        eventually(lambda: self.window.find("label", "Editing message") is None, "the bar to go")

    def test_an_edit_waits_while_something_else_is_written(self):
        self.say("first")
        self.type("a draft")
        self.select_row(": first")
        self.choose("Edit")
        self.wait_for_draft("first")
        self.window.press("Escape")
        self.wait_for_draft("a draft")


class Deletions(Amendments):
    def test_a_deletion_can_be_undone_until_its_toast_goes(self):
        self.say("oops")
        self.select_row(": oops")
        self.window.press("Delete")
        press_button(self.window, "Undo")  # Within ten seconds.
        self.window.wait_for_row(": oops")
        eventually(lambda: not self.window.find("label", "Message deleted"), "the toast to go")


class Others(Amendments):
    has_dialogs = True

    def test_what_is_deleted_for_good_is_gone_in_every_window(self):
        seq = self.say("a secret")
        row = self.select_row(": a secret")
        other = self.open_beside("Мария")
        eventually(lambda: ": a secret" in names_in(other), "the message there")
        eventually(lambda: self.window.focused() == row, "the message to have the keyboard")
        self.window.press("Delete")
        self.window.wait_for_row(": Message deleted")
        self.assertIn(": a secret", names_in(other))
        self.window.press("ctrl+w")
        self.boris.hear("delete", target=seq)
        eventually(lambda: ": Message deleted" in names_in(other), "the deletion there")
        self.assertNotIn("secret", names_in(other))

    def open_beside(self, name):
        """Opens the window of somebody else, in the same process, and returns it."""
        start = [CLIENT, "--name", name, self.server.address]
        subprocess.run(start, check=True, stderr=subprocess.DEVNULL)
        title = f"{name} — {self.server.address}"
        window = eventually(lambda: self.window.find_dialog(title), "the other window")
        self.window.focus()
        return window


class Replies(Amendments):
    def test_an_answer_quotes_and_leads_to_what_it_answers(self):
        self.boris.say("who brings tea?\nand cake?")
        self.select_row("and cake?")
        self.window.press("ctrl+r")
        self.window.wait_for("label", "Replying to Борис")
        self.type("me")
        self.window.press("Return")
        answer = self.boris.hear("message", username="Анна")
        self.assertEqual((answer["content"], answer["reply"]), ("me", 1))
        row = self.window.wait_for_row(": me")
        self.assertIn("in reply to Борис", row.get_name())
        for n in range(40):
            self.boris.say(f"number {n}")
        self.window.wait_for_row(": number 39")
        quoted = self.boris.say("and you?") and self.boris.request("text", content="yes", reply=1)
        self.assertEqual(quoted["reply"], 1)
        row = self.window.wait_for_row(": yes")
        quote = next(it for it in walk(row) if role_of(it) == "push button")
        Atspi.Action.do_action(quote, 0)
        target = self.window.wait_for_row("and cake?")
        area = self.window.extents(self.window.wait_for("list", "Messages"))

        def is_in_view():
            place = self.window.extents(target)
            return 0 < place.height and 40 < place.y < 600 and area.height

        eventually(is_in_view, "what was answered in view")
        self.window.wait_for("push button", self.window.way_back() or "Jump to Latest")


class Reactions(Amendments):
    def chip(self, name):
        return self.window.wait_for("push button", name)

    def test_reactions_are_given_by_keyboard_and_taken_back_by_their_chips(self):
        said = self.boris.say("cake at four")
        self.select_row("cake at four")
        self.window.press("ctrl+l")
        eventually(lambda: self.window.focused().get_name() == "Thumbs Up", "the choice")
        self.window.press("Return")
        self.assertEqual(self.boris.hear("react", target=said["seq"])["emoji"], "👍")
        chip = self.chip("👍 1, Анна")
        eventually(lambda: is_pressed(chip), "the own reaction to be pressed")
        self.amend("react", target=said["seq"], emoji="👍")
        chip = self.chip("👍 2, Анна, Борис")
        self.assertTrue(is_pressed(chip))
        self.window.wait_for_row("cake at four (reactions: 👍 2)")
        Atspi.Action.do_action(chip, 0)
        self.assertNotIn("emoji", self.boris.hear("react", username="Анна"))
        chip = self.chip("👍 1, Борис")
        self.assertFalse(is_pressed(chip))
        Atspi.Action.do_action(chip, 0)
        self.assertTrue(is_pressed(self.chip("👍 2, Борис, Анна")))


class Operators(Amendments):
    def test_an_operator_removes_and_restores(self):
        said = self.boris.say("spam")
        self.server.ctl("operator", "add", "Анна")
        self.window.wait_for_note("You are an operator of this chat now.")
        self.select_row(": spam", "You are an operator of this chat now.")
        self.choose("Remove Message")
        press_button(self.window, "Undo")  # Within ten seconds.
        self.boris.hear("delete", target=said["seq"])
        self.boris.hear("restore", target=said["seq"])
        self.window.wait_for_row(": spam")
        self.choose("Remove Message")
        self.window.wait_for_row(": Message deleted")
        self.boris.hear("delete", target=said["seq"])
        self.choose("Restore Message")
        self.window.wait_for_row(": spam")

    def test_who_is_no_operator_changes_nothing_of_others(self):
        self.boris.say("hello")
        self.select_row(": hello")
        self.window.press("Menu")
        self.window.wait_for("menu item", "Reply")
        for item in ("Edit", "Delete", "Remove Message", "Restore Message"):
            self.assertIsNone(self.window.find("menu item", item))


if __name__ == "__main__":
    unittest.main()
