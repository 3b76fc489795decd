"""Losing the connection, coming back, and leaving."""

import signal
import unittest

from support import WindowTest, eventually, is_sensitive, text_of

LOST = "The connection to the server was lost."


class Connection(WindowTest):
    def test_a_lost_connection_is_told_and_nothing_is_lost_with_it(self):
        server = self.start_server()
        window = self.open_joined(server)
        peer = self.let_join(server, "Борис")
        peer.say("before")
        window.wait_for_row(": before")
        window.write("Message", "a draft")

        server.stop(signal.SIGKILL)
        window.wait_for("alert", LOST, window.conversation())
        window.wait_for_row(": before")
        self.assertEqual(window.draft(), "a draft")
        send = window.wait_for("push button", "Send (Alt+Enter)")
        self.assertFalse(is_sensitive(send))
        window.press("alt+Return")
        self.assertEqual(window.draft(), "a draft")

        server.start()
        window.click("Try Again", window.conversation())
        eventually(lambda: is_sensitive(send), "the connection")
        eventually(lambda: not window.find("alert", LOST), "the alert to go")
        self.assertEqual(window.title, f"Анна — {server.address}")
        window.wait_for_row(": before")
        peer = self.let_join(server, "Борис")
        window.click("Send (Alt+Enter)")
        self.assertEqual(peer.hear_from("Анна"), "a draft")

    def test_trying_again_in_vain_can_be_done_again(self):
        server = self.start_server()
        window = self.open_joined(server)
        server.stop(signal.SIGKILL)
        window.wait_for("alert", LOST, window.conversation())
        window.click("Try Again", window.conversation())
        window.wait_for(
            "alert",
            "Could not connect: the server does not answer, or it refused the connection.",
            window.conversation(),
        )
        self.assertEqual(window.title, f"Анна — {server.address}")
        server.start()
        window.click("Try Again", window.conversation())
        send = window.wait_for("push button", "Send (Alt+Enter)")
        window.write("Message", "back")
        eventually(lambda: is_sensitive(send), "the connection")

    def test_coming_back_can_be_cancelled(self):
        original = self.start_original()
        window = self.open("--name", "Анна", original.address)
        original.let_in()
        window.wait_for_title(f"Анна — {original.address}")
        original.client.close()
        window.wait_for("alert", LOST, window.conversation())
        window.click("Try Again", window.conversation())
        window.wait_for("alert", f"Connecting to {original.address}…", window.conversation())
        window.click("Cancel", window.conversation())
        window.wait_for("alert", "You are not connected to the server.", window.conversation())

    def test_a_server_that_stops_says_so(self):
        server = self.start_server()
        window = self.open_joined(server)
        server.stop(signal.SIGTERM)
        window.wait_for("alert", "The server was shut down.", window.conversation())
        window.wait_for_row("The server is shutting down. Bye!")

    def test_what_never_arrived_comes_back(self):
        original = self.start_original()
        window = self.open("--name", "Анна", original.address)
        original.let_in()
        for text in ["one", "two"]:
            window.write("Message", text)
            window.click("Send (Alt+Enter)")
            self.assertEqual(original.client.read()["content"], text)
        window.write("Message", "a draft")
        original.client.close()
        window.wait_for("alert", LOST, window.conversation())
        eventually(lambda: window.draft() == "one\ntwo\na draft", "the texts to come back")

    def test_leaving_goes_back_to_the_first_page_and_keeps_the_draft(self):
        server = self.start_server()
        window = self.open_joined(server)
        peer = self.let_join(server, "Борис")
        window.write("Message", "a draft")
        window.press("F10")
        window.press("l")
        window.wait_for_title("Pychat")
        peer.hear_until(lambda payload: payload["content"] == "Анна покинул чат.")
        self.assertEqual(text_of(window.wait_for("text", "Name")), "Анна")
        window.press("Return")  # The main button has the focus.
        window.wait_for_title(f"Анна — {server.address}")
        self.assertEqual(window.draft(), "a draft")

    def test_closing_the_window_ends_the_connection_in_order(self):
        for keys in ["ctrl+w", "ctrl+q"]:
            original = self.start_original()
            window = self.open("--name", "Анна", original.address)
            original.let_in()
            window.wait_for_title(f"Анна — {original.address}")
            original.say("Борис", "unread " * 50_000)
            window.write("Message", "the last words")
            window.press("alt+Return")
            window.press(keys)
            self.assertEqual(original.client.read()["content"], "the last words")
            self.assertIsNone(original.client.read(), "an end in order, not a reset")
            original.client.close()
            self.assertEqual(window.process.wait(10), 0)


if __name__ == "__main__":
    unittest.main()
