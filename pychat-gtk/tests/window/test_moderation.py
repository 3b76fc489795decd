"""Operators at work, those whom it is about, and what others see of it: nothing."""

import unittest

from support import Atspi, WindowTest, children, eventually

MODERATION = ("Mute…", "Remove from Chat…", "Ban…")


def press_button(window, name):
    """GTK 4.8 puts the label of a button before its name, as in questions and toasts."""
    names = (name, f"{name} {name}", f"_{name} {name}")

    def find_button():
        found = (window.find_anywhere("push button", it) for it in names)
        return next(filter(None, found), None)

    button = eventually(find_button, f"the button {name!r}")
    Atspi.Action.do_action(button, 0)


class ModerationTest(WindowTest):
    has_dialogs = True

    def setUp(self):
        super().setUp()
        self.server = self.start_server(self.temporary_folder())
        self.boris = self.let_join(self.server, "Борис")

    def open_operator(self):
        self.boris.say("spam")
        window = self.open_joined(self.server)
        self.server.ctl("operator", "add", "Анна")
        window.wait_for_note("You are an operator of this chat now.")
        return window

    def choose(self, window, item):
        """Chooses something in the menu that is open."""
        Atspi.Action.do_action(window.wait_for("menu item", item), 0)

    def open_main_menu(self, window):
        window.focus()
        window.press("F10")
        window.wait_for("menu item", "About Pychat")

    def open_message_menu(self, window, text):
        window.point(window.wait_for_row(text), "click", "3")
        window.wait_for("menu item", "Mention")

    def answer(self, window, title, answer):
        """Answers the question of the window with this title."""
        eventually(lambda: title in window.frames(), title)
        press_button(window, answer)
        eventually(lambda: title not in window.frames(), "the question to go")
        window.focus()


class Operators(ModerationTest):
    def test_a_mute_is_undone_from_its_toast(self):
        window = self.open_operator()
        self.open_message_menu(window, "spam")
        self.choose(window, "Mute…")
        for time in ("10 minutes", "1 hour", "1 day", "Until undone"):
            eventually(lambda: window.find_anywhere("check box", time), time)
        self.answer(window, "Mute Борис?", "Mute")
        window.wait_for("label", "Борис was muted")
        self.boris.say("more")
        self.boris.hear_until(lambda it: it["content"].startswith("Not sent."))
        press_button(window, "Undo")
        window.wait_for("label", "Борис was unmuted")
        self.boris.say("sorry")
        window.wait_for_row(": sorry")

    def test_who_is_removed_may_come_back(self):
        window = self.open_operator()
        self.open_message_menu(window, "spam")
        self.choose(window, "Remove from Chat…")
        self.answer(window, "Remove Борис from the Chat?", "Remove")
        window.wait_for("label", "Борис was removed from the chat")
        self.boris.hear_until(lambda it: it["content"].startswith("You were sent away"))
        self.let_join(self.server, "Борис")
        window.wait_for("label", "2 people online · Анна")

    def test_people_have_the_menu_too_but_not_the_reader(self):
        window = self.open_operator()
        window.resize(900)
        window.press("F9")

        def find_people():
            people = list(children(window.find("list", "People")))
            names = [person.get_name() for person in people]
            return names == ["Анна (you)", "Борис"] and people

        oneself, boris = eventually(find_people, "the people")
        window.point(oneself, "click", "3")  # It opens nothing.
        window.point(boris, "click", "3")
        for item in MODERATION:
            window.wait_for("menu item", item)
        self.choose(window, "Ban…")
        # Who has no key is banned by address, and here that is the operator's own.
        self.answer(window, "Ban Борис?", "Ban")
        window.wait_for("label", "You are connected from 127.0.0.1 yourself.")

    def test_rules_are_changed_and_undone_in_one_place(self):
        window = self.open_operator()
        self.server.ctl("mute", "Борис", "--for", "10m")
        window.wait_for_note("muted Борис.")
        self.open_main_menu(window)
        self.choose(window, "Moderation")
        eventually(
            lambda: window.find_anywhere("push button", "Unmute Борис"), "the mute in the list"
        )
        eventually(lambda: window.find_anywhere("label", "Nobody is banned"), "no bans")
        self.server.ctl("ban", "192.0.2.0/24")
        eventually(
            lambda: window.find_anywhere("push button", "Unban 192.0.2.0/24"), "the ban in the list"
        )
        unmute = eventually(
            lambda: window.find_anywhere("push button", "Unmute Борис"), "the mute still"
        )
        Atspi.Action.do_action(unmute, 0)
        eventually(lambda: window.find_anywhere("label", "Nobody is muted"), "the list without it")
        self.server.ctl("slow", "30")
        eventually(lambda: window.find_anywhere("label", "30 seconds"), "the slow mode")

    def test_who_is_no_operator_sees_nothing_of_it(self):
        self.boris.say("hello")
        window = self.open_joined(self.server)
        self.open_message_menu(window, "hello")
        for item in MODERATION:
            self.assertIsNone(window.find("menu item", item))
        window.press("Escape")
        self.open_main_menu(window)
        self.assertIsNone(window.find("menu item", "Moderation"))
        window.press("Escape")
        self.server.ctl("operator", "add", "Анна")
        window.wait_for_note("You are an operator of this chat now.")
        self.server.ctl("operator", "remove", "Анна")
        window.wait_for_note("You are no longer an operator of this chat.")
        self.open_main_menu(window)
        self.assertIsNone(window.find("menu item", "Moderation"))


class Sanctions(ModerationTest):
    def test_who_is_banned_is_told_so_and_stays_away(self):
        window = self.open_joined(self.server)
        self.server.ctl("ban", "Анна")
        window.wait_for("label", "You Are Banned")
        eventually(lambda: window.focused().get_name() == "Back to Start", "the focus")
        window.click("Back to Start")
        window.wait_for("filler", "Join a Chat")
        window.click("Join")
        window.wait_for("alert", "An operator has banned you from this chat.")
        self.server.ctl("unban", "Анна")
        window.click("Try Again")
        window.wait_for_title(f"Анна — {self.server.address}")

    def test_who_is_muted_keeps_the_text(self):
        window = self.open_joined(self.server)
        self.server.ctl("mute", "Анна")
        window.write("Message", "hello?")
        window.click("Send")
        window.wait_for_row("hello?")
        window.wait_for("label", "Not sent. An operator has muted you.")

    def test_slow_mode_says_when_the_next_message_goes_out(self):
        window = self.open_joined(self.server)
        self.server.ctl("slow", "30")

        def find_time():
            return window.find_label(r"^The next message will be sent in \d+ seconds$")

        for text in ("one", "two"):
            window.write("Message", text)
            window.click("Send")
            window.wait_for_row(text)
        eventually(find_time, "the time that is left")
        self.server.ctl("slow", "off")
        self.boris.hear_until(lambda it: it["content"].startswith("two"))
        eventually(lambda: find_time() is None, "the time to go")


class Names(WindowTest):
    has_dialogs = True

    def test_a_server_without_a_name_gets_one(self):
        server = self.start_original()
        window = self.open("--name", "Анна", server.address)
        server.let_in()
        window.wait_for_title(f"Анна — {server.address}")
        self.name(window, "Kitchen")
        window.wait_for_title("Анна — Kitchen")
        window.wait_for("label", "Kitchen")
        self.name(window, "")
        window.wait_for_title(f"Анна — {server.address}")

    def name(self, window, name):
        window.focus()
        window.press("F10")
        Atspi.Action.do_action(window.wait_for("menu item", "Name This Server…"), 0)
        question = eventually(lambda: window.find_dialog("Name This Server"), "the question")
        entry = window.wait_for("text", "Name", within=question)
        Atspi.EditableText.set_text_contents(entry, name)
        press_button(window, "Save")


if __name__ == "__main__":
    unittest.main()
