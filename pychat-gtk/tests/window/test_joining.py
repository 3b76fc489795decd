"""The form with a name and a server."""

import pathlib
import socket
import unittest

from servers import Server, free_port
from support import (
    Atspi, GLib, WindowTest, activate_action, eventually, forget, is_sensitive, text_of, walk,
)


def refused(address):
    return (f"No server is running at {address}. Check the address and the port, or start one with "
            "pychat-server.")


class Joining(WindowTest):
    def test_a_first_start_offers_the_name_of_the_login_and_a_server(self):
        window = self.open()
        self.assertEqual(window.title, "Pychat")
        name = GLib.get_real_name()
        self.assertEqual(text_of(window.wait_for("text", "Name")), "" if name == "Unknown" else name)
        self.assertEqual(text_of(window.wait_for("text", "Server")), "127.0.0.1:12345")
        window.wait_for("label", "Your name is how others will see you")

    def test_nothing_moves_while_something_is_wrong(self):
        window = self.open()
        window.write("Name", "Анна")
        button, server = window.wait_for("push button", "Join"), window.wait_for("text", "Server")

        def places():
            return [(it.x, it.y) for it in map(window.extents, (button, server))]

        before = places()
        for name in ["", "а" * 33, "a\u200eb", "Вера"]:
            window.write("Name", name)
            eventually(lambda: is_sensitive(button) == (name == "Вера"), "it to be checked")
            self.assertEqual(places(), before, name)

    def test_a_server_is_called_by_its_name(self):
        server = Server(name="Office")
        server.start()
        self.addCleanup(server.stop)
        window = self.open("--name", "Анна", server.address, **self.with_settings())
        window.wait_for_title("Анна — Office")
        window.wait_for("label", "Office")
        activate_action("new-window")
        eventually(lambda: window.find_anywhere("list item", "Анна at Office"), "it among the recent")

    def test_what_is_typed_is_checked_and_the_reason_given(self):
        window = self.open()
        window.write("Name", "Анна")
        window.write("Server", "localhost")
        button = window.wait_for("push button", "Join")
        eventually(lambda: is_sensitive(button), "the button to be usable")
        for entry, text, good, reason in [
            ("Name", "", "Анна", "Enter your name to join"),
            ("Name", "Bы", "Анна", "This name is reserved"),
            ("Name", "а" * 33, "Анна", "Names can have at most 32 characters; this one has 33"),
            ("Name", "a\u200eb", "Анна", "Names can’t contain the character U+200E"),
            ("Server", "", "[::1]", "Enter the server’s address"),
            ("Server", "two words", "h", "Not a valid host name or IP address"),
            ("Server", "::1", "h:1", "An IPv6 address needs brackets, like this: [::1]:12345"),
            ("Server", "h:65536", "h:65535", "The port must be between 1 and 65535"),
        ]:
            with self.subTest(text=text):
                window.write(entry, text)
                window.wait_for("label", reason)
                self.assertFalse(is_sensitive(button))
                window.write(entry, good)
                eventually(lambda: not window.find("label", reason), "the reason to go")
                self.assertTrue(is_sensitive(button))

    def test_enter_in_an_entry_joins(self):
        server = self.start_server()
        window = self.open()
        window.write("Server", server.address)
        window.write("Name", "Анна")
        window.press("Return")
        window.wait_for_title(f"Анна — {server.address}")

    def test_enter_does_nothing_while_something_is_wrong(self):
        server = self.start_server()
        window = self.open()
        window.write("Server", server.address)
        window.press("Return")
        window.write("Name", "Вы")
        window.press("Return")
        window.write("Name", "Вика")
        window.press("Return")
        window.wait_for_title(f"Вика — {server.address}")
        window.wait_for("label", "Welcome, Вика. Nobody else is here yet.")

    def test_a_refused_connection_is_told_in_the_page_and_tried_again_by_itself(self):
        server = self.start_server()
        server.stop()
        window = self.open("--name", "Анна", server.address)
        window.wait_for("alert", refused(server.address), window.joining())
        eventually(lambda: window.find_label(r"^Retrying in \d+ seconds?$"), "the countdown")
        server.start()
        window.wait_for_title(f"Анна — {server.address}")

    def test_what_is_changed_meanwhile_ends_the_attempts(self):
        server = self.start_server()
        window = self.open("--name", "Анна", f"127.0.0.1:{free_port()}")
        eventually(lambda: window.find_label(r"^Retrying in \d+ seconds?$"), "the countdown")
        window.write("Server", server.address)
        eventually(lambda: not window.find("alert", within=window.joining()), "the end of it")
        self.assertIsNone(window.find_label(r"^Retrying"))
        window.click("Join", window.joining())
        window.wait_for_title(f"Анна — {server.address}")

    def test_another_attempt_can_be_made_at_once(self):
        server = self.start_server()
        server.stop()
        window = self.open("--name", "Анна", server.address)
        window.wait_for("alert", refused(server.address), window.joining())
        server.start()
        window.click("Try Again", window.joining())
        window.wait_for_title(f"Анна — {server.address}")

    def test_an_unknown_host_is_told_apart(self):
        quickly = {"RES_OPTIONS": "timeout:1 attempts:1"}  # Not every machine has a name server.
        window = self.open("--name", "Анна", "no-such-host.invalid", **quickly)
        reason = "The server no-such-host.invalid:12345 was not found. Check the address."
        window.wait_for("alert", reason)

    def test_what_is_no_chat_server_is_told_apart(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            window = self.open("--name", "Анна", f"127.0.0.1:{port}")
            connection, _ = listener.accept()
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            window.wait_for("alert", f"There is a web server at 127.0.0.1:{port}, not a chat "
                                     "server. Check the address and the port.")
            connection.close()

    def test_a_link_or_an_address_of_a_browser_is_taken_for_the_server(self):
        server = self.start_server()
        window = self.open()
        window.write("Server", f" pychat://anna@{server.address}/ ")
        eventually(lambda: text_of(window.wait_for("text", "Name")) == "anna", "the name")
        window.write("Server", f"http://{server.address}/")
        window.click("Join", window.joining())
        window.wait_for_title(f"anna — {server.address}")

    def test_joining_can_be_cancelled(self):
        original = self.start_original()
        window = self.open("--name", "Анна", original.address)
        window.wait_for("label", f"Connecting to {original.address}…")
        window.click("Cancel", window.joining())
        button = window.wait_for("push button", "Join")
        eventually(lambda: is_sensitive(button), "the button to be usable")
        self.assertIsNone(window.find("alert", within=window.joining()))
        self.assertEqual(window.title, "Pychat")

    def test_a_taken_name_is_told_and_one_that_is_free_is_offered(self):
        server = self.start_server()
        self.let_join(server, "Анна")
        window = self.open("--name", "Анна", server.address)
        window.wait_for(
            "alert",
            "The name “Анна” is taken. “Анна (2)” is available.",
            window.joining(),
        )
        eventually(lambda: text_of(window.wait_for("text", "Name")) == "Анна (2)", "the offer")
        window.click("Join", window.joining())
        window.wait_for_title(f"Анна (2) — {server.address}")

    def test_an_original_server_gives_a_name_of_its_own(self):
        original = self.start_original()
        window = self.open("--name", "Анна", original.address)
        original.let_in("Анна (2)")
        window.wait_for_title(f"Анна (2) — {original.address}")

    def test_name_and_server_are_remembered(self):
        server = self.start_server()
        memory = {"GSETTINGS_BACKEND": "keyfile", "XDG_CONFIG_HOME": self.temporary_folder()}
        window = self.open(**memory)
        window.write("Name", "Анна")
        window.write("Server", server.address)
        window.click("Join")
        window.wait_for_title(f"Анна — {server.address}")
        window.press("ctrl+q")
        self.assertEqual(window.process.wait(10), 0)

        window = self.open(**memory)
        self.assertEqual(text_of(window.wait_for("text", "Name")), "Анна")
        self.assertEqual(text_of(window.wait_for("text", "Server")), server.address)

    def test_chats_are_listed_the_last_first_and_joined_with_a_click(self):
        server = self.start_server()
        chats = f"[('Анна', 'host:1'), ('Вера', '{server.address}')]"
        memory = self.with_settings(("recent", chats))
        window = self.open(**memory)
        row = window.wait_for("list item", f"Вера at {server.address}")
        self.assertEqual(text_of(window.wait_for("text", "Server")), "host:1")
        window.click_at(row)
        window.wait_for_title(f"Вера — {server.address}")
        window.press("ctrl+q")
        self.assertEqual(window.process.wait(10), 0)

        window = self.open(**memory)
        self.wait_for_list(window, "Анна at host:1")
        self.assertEqual(text_of(window.wait_for("text", "Server")), server.address)

    def test_the_chat_in_the_form_is_not_listed_beside_it(self):
        chats = "[('Анна', 'a:1'), ('Анна', 'b:2')]"
        window = self.open(**self.with_settings(("recent", chats)))
        self.wait_for_list(window, "Анна at b:2")
        window.write("Name", "Вера")
        self.wait_for_list(window, "Анна at a:1", "Анна at b:2")

    def test_a_chat_is_removed_from_the_list_and_put_back(self):
        chats = "[('Анна', 'a:1'), ('Анна', 'b:2'), ('Анна', 'c:3')]"
        window = self.open(**self.with_settings(("recent", chats)))
        self.wait_for_list(window, "Анна at b:2", "Анна at c:3")
        window.click("Remove Анна at b:2 from List")
        self.wait_for_list(window, "Анна at c:3")
        window.wait_for("label", "Анна at b:2 removed from the list")

        def find_undo():  # GTK 4.8 says it twice.
            return next((it for it in window.names("push button") if it.startswith("Undo")), None)

        window.click(eventually(find_undo, "a way back"))
        self.wait_for_list(window, "Анна at b:2", "Анна at c:3")
        for name, left in [("c:3", ["Анна at b:2"]), ("b:2", [])]:
            window.click(f"Remove Анна at {name} from List")
            self.wait_for_list(window, *left)

    def wait_for_list(self, window, *chats):
        eventually(lambda: self.listed(window) == list(chats), f"{chats}")

    def listed(self, window):
        forget(window.frame)
        rows = (it for it in walk(window.frame) if it.get_role_name() == "list item")
        return [name for name in (row.get_name() for row in rows) if " at " in (name or "")]

    def test_what_the_command_line_says_only_in_part_is_filled_in(self):
        port = free_port()
        window = self.open(f"localhost:{port}")
        self.assertEqual(text_of(window.wait_for("text", "Server")), f"localhost:{port}")
        self.assertEqual(window.title, "Pychat")


class Rejoining(WindowTest):
    has_dialogs = True

    def test_the_last_chat_is_joined_at_the_start_where_that_is_preferred(self):
        server = self.start_server()
        memory = {"GSETTINGS_BACKEND": "keyfile", "XDG_CONFIG_HOME": self.temporary_folder()}
        window = self.open_joined(server, **memory)
        window.focus()
        window.press("ctrl+comma")
        switch = eventually(
            lambda: window.find_anywhere("check box", "Rejoin the Last Chat"), "the switch"
        )
        Atspi.Action.do_action(switch, 0)
        kept = pathlib.Path(memory["XDG_CONFIG_HOME"], "glib-2.0", "settings", "keyfile")
        eventually(lambda: "join-at-start=true" in kept.read_text(), "it to be remembered")
        activate_action("quit")
        self.assertEqual(window.process.wait(10), 0)
        self.open(**memory).wait_for_title(f"Анна — {server.address}")


if __name__ == "__main__":
    unittest.main()
