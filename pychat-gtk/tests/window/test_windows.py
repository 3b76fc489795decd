"""One process, a window for each person in each chat; links; the keyboard alone."""

import os
import pathlib
import subprocess
import unittest

from support import (
    APP_ID, CLIENT, Atspi, WindowTest, activate_action, call_application, children, eventually,
    forget, russian, text_of,
)


def all_titles():
    """The titles of all windows of all programs."""
    desktop = Atspi.get_desktop(0)
    forget(desktop)
    return [window.get_name() for program in children(desktop) for window in children(program)]


class Windows(WindowTest):
    has_dialogs = True

    def setUp(self):
        self.server = self.start_server()

    def run_again(self, *arguments):
        """Starts the program once more, which talks to the one that is there."""
        done = subprocess.run([CLIENT, *arguments], timeout=15)
        self.assertEqual(done.returncode, 0)

    def open_link(self, link):
        call_application("org.freedesktop.Application", "Open", "asa{sv}", "1", link, "0")

    def title(self, name):
        return f"{name} — {self.server.address}"

    def test_the_same_person_in_the_same_chat_has_one_window(self):
        window = self.open_joined(self.server)
        window.lose_focus()
        self.run_again("--name", "Анна", self.server.address)
        eventually(window.is_active, "the window to come forward")
        self.assertEqual(window.frames(), [self.title("Анна")])

    def test_somebody_else_has_another(self):
        window = self.open_joined(self.server)
        self.run_again("--name", "Борис", self.server.address)
        expected = sorted(map(self.title, ["Анна", "Борис"]))
        eventually(lambda: sorted(window.frames()) == expected, "both windows")

    def test_a_new_window_asks_who_and_where(self):
        window = self.open_joined(self.server)
        window.focus()
        window.press("ctrl+n")
        eventually(
            lambda: sorted(window.frames()) == sorted(["Pychat", self.title("Анна")]),
            "the new window",
        )

    def test_a_link_fills_in_and_waits_for_a_yes(self):
        window = self.open("pychat://%D0%90%D0%BD%D0%BD%D0%B0@" + self.server.address)
        entry = window.wait_for("text", "Name")
        self.assertEqual(text_of(entry), "Анна")
        self.assertEqual(text_of(window.wait_for("text", "Server")), self.server.address)
        window.focus()
        window.press("Return")
        window.wait_for_title(self.title("Анна"))

    def test_a_link_to_a_chat_one_is_in_brings_it_forward(self):
        window = self.open_joined(self.server)
        window.lose_focus()
        self.open_link(f"pychat://Анна@{self.server.address}")
        eventually(window.is_active, "the window to come forward")
        self.assertEqual(window.frames(), [self.title("Анна")])

    def test_the_desktop_opens_links(self):
        window = self.open_joined(self.server)
        self.open_link(f"pychat://Вера@{self.server.address}")
        eventually(lambda: "Pychat" in window.frames(), "the window that asks")
        self.assertNotIn(self.title("Вера"), window.frames())

    def test_a_link_is_asked_about_in_the_window_that_asks(self):
        window = self.open()
        self.open_link(f"pychat://Вера@{self.server.address}")
        entry = window.wait_for("text", "Name")
        eventually(lambda: text_of(entry) == "Вера", "the link's name")
        self.assertEqual(window.frames(), ["Pychat"])
        self.run_again("--name", "Борис", self.server.address)
        window.wait_for_title(self.title("Борис"))
        self.assertEqual(window.frames(), [self.title("Борис")])

    def test_a_link_takes_nothing_away_that_is_being_typed(self):
        window = self.open()
        window.write("Name", "Ан")
        self.open_link(f"pychat://Вера@{self.server.address}")
        eventually(lambda: window.frames() == ["Pychat", "Pychat"], "a window of its own")
        self.assertEqual(text_of(window.wait_for("text", "Name")), "Ан")

    def test_each_window_has_a_size_of_its_own(self):
        window = self.open_joined(self.server)
        first = window.extents(window.frame)
        self.run_again("--name", "Борис", self.server.address)
        eventually(lambda: len(window.frames()) == 2, "both windows")
        pid = str(window.process.pid)
        frames = subprocess.check_output(
            ["xdotool", "search", "--onlyvisible", "--pid", pid], text=True
        ).split()
        subprocess.run(["xdotool", "windowsize", "--sync", frames[-1], "500", "600"], check=True)
        window.wait_for("text", "Message")
        sizes = [window.extents(frame) for frame in window.windows()]
        self.assertIn((first.width, first.height), [(it.width, it.height) for it in sizes])
        self.assertEqual(len({(it.width, it.height) for it in sizes}), 2)

    def test_the_shortcuts_fit_on_a_small_screen(self):
        window = self.open_joined(self.server, **russian())
        window.focus()
        window.press("ctrl+question")

        def width():
            windows = window.windows()
            named = (it for it in windows if it.get_name() == "Комбинации клавиш")
            return sum(window.extents(it).width for it in named)

        eventually(width, "the shortcuts")
        self.assertLess(width(), 1_280)

    def test_about_says_who_to_turn_to(self):
        window = self.open()
        activate_action("about")
        for name in ("Report an Issue", "What’s New"):
            eventually(lambda: window.find_anywhere("label", name), name)
        self.assertTrue(window.find_anywhere("label", "The Pychat developers"))

    def show_conversation(self, name):
        call_application(
            "org.freedesktop.Application", "ActivateAction", "sava{sv}", "show-conversation",
            "1", "(sss)", name, self.server.address, "", "0",
        )

    def test_a_click_on_a_notification_leads_back_to_a_chat_that_was_left(self):
        window = self.open_joined(self.server)
        window.focus()
        window.press("F10")
        eventually(lambda: window.find_anywhere("menu item", "Disconnect"), "the menu")
        window.press("d")
        eventually(lambda: window.title == "Pychat", "the chat to be left")
        self.show_conversation("Анна")
        window.wait_for_title(self.title("Анна"))

    def test_a_chat_that_was_never_joined_is_asked_about(self):
        self.install_service()
        self.show_conversation("Анна")
        eventually(lambda: "Pychat" in all_titles(), "the window that asks")
        self.assertNotIn(self.title("Анна"), all_titles())
        activate_action("quit")
        eventually(lambda: "Pychat" not in all_titles(), "the end")

    def install_service(self):
        """Tells the bus how to start the program, as its package does."""
        folder = pathlib.Path(os.environ["XDG_RUNTIME_DIR"]) / "dbus-1/services"
        folder.mkdir(parents=True, exist_ok=True)
        service = folder / f"{APP_ID}.service"
        service.write_text(
            f"[D-BUS Service]\nName={APP_ID}\nExec={CLIENT} --gapplication-service\n"
        )
        bus = ["org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus"]
        reload = ["busctl", "--user", "call", *bus, "ReloadConfig"]
        subprocess.run(reload, check=True)
        self.addCleanup(subprocess.run, reload, check=True)
        self.addCleanup(service.unlink)

class Help(WindowTest):
    has_dialogs = True

    def test_the_keyboard_is_explained(self):
        window = self.open()
        window.focus()
        window.press("ctrl+question")
        eventually(lambda: window.find_anywhere("label", "Recall last message"), "the shortcuts")

    def test_the_program_tells_what_it_is(self):
        window = self.open()
        window.focus()
        activate_action("about")
        eventually(lambda: window.find_anywhere("label", "Pychat"), "its name")


class Keyboard(WindowTest):
    def test_from_the_start_to_a_message_by_keyboard_alone(self):
        server = self.start_server()
        boris = self.let_join(server, "Борис")
        window = self.open()
        window.focus()
        self.type(window, "Name", "Anna")
        window.press("Tab")
        window.press("ctrl+a")
        self.type(window, "Server", server.address)
        window.press("Return")
        window.wait_for_title(f"Anna — {server.address}")
        self.type(window, "Message", "hello")
        window.press("alt+Return")
        self.assertEqual(boris.hear_from("Anna"), "hello")
        window.wait_for_row(": hello")
        self.type(window, "Message", "again")

    def type(self, window, name, text):
        """Types to whatever has the keyboard, which should be this entry."""
        entry = window.wait_for("text", name)
        subprocess.run(["xdotool", "type", "--delay", "20", text], check=True)
        eventually(lambda: text_of(entry) == text, f"{text!r} in {name}")


if __name__ == "__main__":
    unittest.main()
