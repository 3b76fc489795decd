"""Losing the connection, coming back, and leaving."""

import signal
import time
import unittest

from servers import SERVER_AUTHOR, Peer
from support import WindowTest, eventually, is_sensitive, text_of

LOST = "The connection to the server was lost."


class Connection(WindowTest):
    def test_a_lost_connection_is_told_and_comes_back_by_itself(self):
        server = self.start_server()
        window = self.open_joined(server)
        peer = self.let_join(server, "Борис")
        peer.say("before")
        window.wait_for_row(": before")

        server.stop(signal.SIGKILL)
        window.wait_for("alert", LOST, window.conversation())
        window.wait_for("push button", "Try Now", window.conversation())
        eventually(lambda: window.find_label(r"^Retrying in \d+ seconds?$"), "the countdown")
        window.write("Message", "said meanwhile")
        window.click("Send")
        eventually(lambda: window.descriptions() == {"said meanwhile": "Sending…"}, "the clock")

        server.start()
        peer = self.let_join(server, "Борис")
        self.assertEqual(peer.hear_from("Анна"), "said meanwhile")
        eventually(lambda: window.descriptions() == {}, "the message to be sent")
        eventually(lambda: not window.find("alert", LOST), "the alert to go")
        self.assertEqual(window.title, f"Анна — {server.address}")
        names = [row.get_name() for row in window.rows()]
        self.assertEqual(sum(name.endswith(": said meanwhile") for name in names), 1)
        self.assertEqual(sum(name.endswith(": before") for name in names), 1)

    def test_a_connection_that_is_soon_back_is_not_spoken_of(self):
        modern = self.start_modern()
        window = self.open("--name", "Анна", modern.address)
        modern.let_in()
        window.wait_for_title(f"Анна — {modern.address}")
        modern.record(1, "Борис", "before")
        window.wait_for_row(": before")
        modern.client.close()
        modern.accept()
        time.sleep(0.4)  # What must not be shown can only be waited out.
        self.assertIsNone(window.find("alert", within=window.conversation()))
        hello = modern.welcome(2)
        self.assertEqual(hello["resume"], {"epoch": "e1", "rooms": {"": 1}, "limit": 500})
        modern.record(2, "Борис", "meanwhile", replay=True)
        window.wait_for_row(": meanwhile")
        self.assertIsNone(window.find("alert", within=window.conversation()))
        names = [row.get_name().rpartition(": ")[2] for row in window.rows()]
        self.assertEqual(names[1:], ["before", "meanwhile"])

    def test_one_can_try_again_at_once_and_in_vain(self):
        server = self.start_server()
        window = self.open_joined(server)
        server.stop(signal.SIGKILL)
        for _ in range(2):
            window.click("Try Now", window.conversation())
            eventually(lambda: window.find_label(r"^Retrying in \d+ seconds?$"), "the countdown")
        self.wait_for_long_wait(window)
        server.start()
        window.click("Try Now", window.conversation())
        eventually(lambda: self.is_there(server, "Анна"), "the connection", patience_s=2)
        eventually(lambda: not window.find("alert", within=window.conversation()), "the end of it")

    def test_who_looks_at_the_window_does_not_have_to_wait(self):
        server = self.start_server()
        window = self.open_joined(server)
        window.lose_focus()
        server.stop(signal.SIGKILL)
        self.wait_for_long_wait(window)
        server.start()
        window.focus()
        eventually(lambda: self.is_there(server, "Анна"), "the connection", patience_s=2)

    def wait_for_long_wait(self, window):
        """Each wait is longer than the one before; in this one there is time for a test."""
        eventually(lambda: window.find_label(r"^Retrying in ([4-9]|\d\d) seconds$"), "a long wait")

    def is_there(self, server, name):
        peer = Peer(server, "Борис")
        present = peer.welcome.partition("\n")[2].split(", ")
        peer.close()
        return name in present

    def test_coming_back_can_be_cancelled(self):
        original = self.start_original()
        window = self.open("--name", "Анна", original.address)
        original.let_in()
        window.wait_for_title(f"Анна — {original.address}")
        original.client.close()
        window.wait_for("alert", LOST, window.conversation())
        window.wait_for("label", f"Connecting to {original.address}…", window.conversation())
        window.write("Message", "a draft")
        send = window.wait_for("push button", "Send")
        self.assertFalse(is_sensitive(send), "nothing can be said to who may not hear it")
        window.click("Cancel", window.conversation())
        window.wait_for("alert", "You are not connected to the server.", window.conversation())
        window.click("Reconnect", window.conversation())
        original.listener.accept()[0].close()
        original.let_in()
        eventually(lambda: is_sensitive(send), "the connection")
        self.assertEqual(window.draft(), "a draft")

    def test_whose_device_is_removed_is_told_and_stays_away(self):
        modern = self.start_modern()
        window = self.open("--name", "Анна", modern.address)
        modern.let_in()
        window.wait_for_title(f"Анна — {modern.address}")
        modern.client.write({"type": "bye", "reason": "removed", "retry_ms": 0})
        window.wait_for("alert", "This device was removed from another of your devices.", window.conversation())
        window.click("Reconnect", window.conversation())
        modern.let_in()
        eventually(lambda: not window.find("alert", within=window.conversation()), "the end of it")

    def test_a_server_that_stops_says_so(self):
        server = self.start_server()
        window = self.open_joined(server)
        server.stop(signal.SIGTERM)
        window.wait_for("alert", "The server was shut down.", window.conversation())

    def test_an_original_server_that_stops_says_so(self):
        original = self.start_original()
        window = self.open("--name", "Анна", original.address)
        original.let_in()
        original.say(SERVER_AUTHOR, "Connection closed due to server is shutting down. Bye!\n")
        original.close()
        window.wait_for("alert", "The server was shut down.", window.conversation())
        window.wait_for_note("The server is shutting down. Bye!")

    def test_what_never_arrived_at_an_original_server_can_be_sent_again(self):
        original = self.start_original()
        window = self.open("--name", "Анна", original.address)
        original.let_in()
        for text in ["one", "two"]:
            window.write("Message", text)
            window.click("Send")
            self.assertEqual(original.client.read()["content"], text)
        window.write("Message", "a draft")
        original.client.close()
        original.let_in()
        lost = "Connection lost. This message may not have been delivered. Check with the others before sending it again."
        eventually(lambda: window.descriptions() == {"one": lost, "two": lost}, "the failures")
        window.click("Send Again", window.wait_for_row(": two"))
        self.assertEqual(original.client.read()["content"], "two")
        original.say("Вы", "two")
        eventually(lambda: window.descriptions() == {"one": lost}, "the message to be sent")
        self.assertEqual(window.draft(), "a draft")

    def test_what_a_kill_interrupted_is_sent_by_the_next_window(self):
        modern = self.start_modern()
        window = self.open("--name", "Анна", modern.address)
        earlier = modern.let_in()
        window.write("Message", "the last words")
        window.click("Send")
        before = modern.hear("text")
        window.kill()
        modern.client.close()

        window = self.open("--name", "Анна", modern.address)
        self.assertEqual(modern.let_in()["key"], earlier["key"])
        window.wait_for_row(": the last words")
        self.assertEqual(modern.hear("text"), before)
        modern.record(1, "Анна", "the last words", id=before["id"])
        eventually(lambda: window.descriptions() == {}, "the message to be sent")
        names = [row.get_name() for row in window.rows()]
        self.assertEqual(sum(name.endswith(": the last words") for name in names), 1)

    def test_leaving_goes_back_to_the_first_page_and_keeps_the_draft(self):
        server = self.start_server()
        window = self.open_joined(server)
        peer = self.let_join(server, "Борис")
        window.write("Message", "a draft")
        window.press("F10")
        window.press("d")
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
