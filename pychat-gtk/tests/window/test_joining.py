"""The page that asks who one is and where the server is."""

import unittest

from servers import free_port
from support import WindowTest, eventually, is_sensitive, text_of, walk

REFUSED = "Could not connect: the server does not answer, or it refused the connection."


class Joining(WindowTest):
    def test_a_first_start_asks_for_a_name_and_offers_a_server(self):
        window = self.open()
        self.assertEqual(window.title, "Pychat")
        self.assertEqual(text_of(window.wait_for("text", "Name")), "")
        self.assertEqual(text_of(window.wait_for("text", "Server")), "127.0.0.1:12345")
        window.wait_for("label", "Your name is needed to enter the chat")
        self.assertFalse(is_sensitive(window.wait_for("push button", "Join")))

    def test_what_is_typed_is_checked_and_the_reason_given(self):
        window = self.open()
        window.write("Name", "Анна")
        window.write("Server", "localhost")
        button = window.wait_for("push button", "Join")
        eventually(lambda: is_sensitive(button), "the button to be usable")
        for entry, text, good, reason in [
            ("Name", "", "Анна", "Your name is needed to enter the chat"),
            ("Name", "Bы", "Анна", "This name is kept for the chat itself"),
            ("Name", "а" * 33, "Анна", "A name may have at most 32 characters; this one has 33"),
            ("Name", "a\u200eb", "Анна", "A name may not contain the character U+200E"),
            ("Server", "", "[::1]", "The server’s name or address is needed"),
            ("Server", "two words", "h", "This is neither a host name nor an address"),
            ("Server", "::1", "h:1", "An IPv6 address needs brackets, like this: [::1]:12345"),
            ("Server", "h:65536", "h:65535", "The port is a number from 1 to 65535"),
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
        self.assertEqual([row.get_name() for row in window.rows()],
                         ["Today. Welcome, Вика. Nobody else is here yet."])

    def test_a_refused_connection_is_told_in_the_page_and_can_be_tried_again(self):
        server = self.start_server()
        server.stop()
        window = self.open("--name", "Анна", server.address)
        window.wait_for("alert", REFUSED, window.joining())
        server.start()
        window.click("Try Again", window.joining())
        window.wait_for_title(f"Анна — {server.address}")

    def test_an_unknown_host_is_told_apart(self):
        quickly = {"RES_OPTIONS": "timeout:1 attempts:1"}  # Not every machine has a name server.
        window = self.open("--name", "Анна", "no-such-host.invalid", **quickly)
        window.wait_for("alert", "Could not connect: the host was not found.")

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
            "Somebody in the chat is called Анна already. The name Анна (2) is free.",
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
        chats = f"[('Анна', 'host:1'), ('<Вера>', '{server.address}')]"
        memory = self.with_settings(("recent", chats))
        window = self.open(**memory)
        row = window.wait_for("list item", f"<Вера> at {server.address}")
        window.wait_for("list item", "Анна at host:1")
        window.click_at(row)
        window.wait_for_title(f"<Вера> — {server.address}")
        window.press("ctrl+q")
        self.assertEqual(window.process.wait(10), 0)

        window = self.open(**memory)
        expected = [f"<Вера> at {server.address}", "Анна at host:1"]
        eventually(lambda: self.listed(window) == expected, f"{expected}")

    def test_chats_are_forgotten(self):
        chats = "[('Анна', 'a:1'), ('Анна', 'b:2'), ('Анна', 'c:3')]"
        window = self.open(**self.with_settings(("recent", chats)))
        window.click("Forget Анна at b:2")
        eventually(lambda: self.listed(window) == ["Анна at a:1", "Анна at c:3"], "the rest")
        window.click("Forget Анна at a:1")
        eventually(lambda: self.listed(window) == [], "the list to go: the last one is filled in")

    def listed(self, window):
        window.frame.clear_cache()
        rows = (it for it in walk(window.frame) if it.get_role_name() == "list item")
        return [name for name in (row.get_name() for row in rows) if " at " in (name or "")]

    def test_what_the_command_line_says_only_in_part_is_filled_in(self):
        port = free_port()
        window = self.open(f"localhost:{port}")
        self.assertEqual(text_of(window.wait_for("text", "Server")), f"localhost:{port}")
        self.assertEqual(window.title, "Pychat")


if __name__ == "__main__":
    unittest.main()
