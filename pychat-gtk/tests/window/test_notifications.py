"""What the desktop is told while one looks elsewhere."""

import json
import pathlib
import subprocess
import sys
import threading
import unittest

from servers import Member
from support import ISOLATES, WindowTest, activate_action, eventually, russian

# As many as the server takes at once.
N_FLOOD = 20

DAEMON = pathlib.Path(__file__).with_name("notification_daemon.py")


class Desktop:
    """What shows notifications: one on the test's bus, whose history can be read."""

    def __init__(self, *capabilities):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(DAEMON), *capabilities],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        self.events = []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()
        eventually(lambda: {"ready": True} in self.events, "the desktop")

    def _read(self):
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def shown(self):
        """What is on the screen: title and body of each notification, by its number."""
        shown = {}
        for event in list(self.events):
            if "shown" in event:
                words = (event["title"], event["body"])
                shown[event["shown"]] = tuple(it.translate(ISOLATES) for it in words)
            shown.pop(event.get("closed"), None)
        return shown

    def wait_for(self, *expected):
        def are_there():
            return sorted(self.shown().values()) == sorted(expected)

        try:
            eventually(are_there, f"{expected}")
        except AssertionError:
            raise AssertionError(f"waited for {expected}, and there was {self.events}") from None

    def click(self, number, button=None):
        """Clicks a notification, or a button in it."""
        shown = [it for it in self.events if it.get("shown") == number][-1]["actions"]
        names = dict(zip(shown[1::2], shown[::2]))
        action = "default" if button is None else names[button]
        self.process.stdin.write(json.dumps([number, action]) + "\n")
        self.process.stdin.flush()

    def close(self):
        if self.process.stdin.closed:
            return
        self.process.stdin.close()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()


class Notifications(WindowTest):
    def setUp(self):
        self.desktop = Desktop()
        self.addCleanup(self.desktop.close)
        self.server = self.start_server()
        self.boris = self.let_join(self.server, "Борис")

    def wait_for(self, *expected):
        """Waits for notifications with these titles, each of which says which chat it is of."""
        chat = self.server.address
        self.desktop.wait_for(*((f"{title} · {chat}", body) for title, body in expected))

    def open_in_background(self, *settings, **environment):
        window = self.open_joined(self.server, **self.with_settings(*settings), **environment)
        window.focus()
        window.lose_focus()
        return window

    def test_each_replaces_the_one_before_and_the_last_goes_when_it_is_read(self):
        window = self.open_in_background()
        self.boris.say("tea?")
        self.wait_for(("Борис", "tea?"))
        self.boris.say("with <b>cake</b> &amp; jam")
        self.wait_for(("2 new messages", "Борис: with &lt;b&gt;cake&lt;/b&gt; &amp;amp; jam"))
        window.focus()
        self.desktop.wait_for()
        window.lose_focus()
        self.boris.say("late")
        self.wait_for(("Борис", "late"))

    def test_a_flood_is_told_of_once_a_second(self):
        window = self.open_in_background()
        for n in range(N_FLOOD):
            self.boris.say(f"n {n}")
        window.wait_for_row(f": n {N_FLOOD - 1}")
        self.wait_for((f"{N_FLOOD} new messages", f"Борис: n {N_FLOOD - 1}"))
        n_shown = sum("shown" in event for event in self.desktop.events)
        self.assertLess(n_shown, N_FLOOD / 2)

    def test_who_looks_at_the_window_is_not_told(self):
        window = self.open_joined(self.server)
        window.focus()
        self.boris.say("seen")
        window.wait_for_row(": seen")
        window.lose_focus()
        self.boris.say("not seen")
        self.wait_for(("Борис", "not seen"))
        self.assertFalse([it for it in self.desktop.events if it.get("body") == "seen"])

    def test_what_was_said_before_is_not_news(self):
        vera = self.let_join(self.server, "Вера")
        self.boris.say("before")
        self.assertEqual(vera.hear_from("Борис"), "before")
        window = self.open_in_background()
        window.wait_for_row(": before")
        self.boris.say("after")
        self.wait_for(("Борис", "after"))
        self.assertFalse([it for it in self.desktop.events if it.get("body") == "before"])

    def test_what_is_deleted_goes_and_an_answer_calls(self):
        maria = Member(self.server, "Maria")
        self.addCleanup(maria.close)
        window = self.open_joined(
            self.server, **self.with_settings(("notifications", "'mentions'"))
        )
        window.write("Message", "who brings tea?")
        window.click("Send")
        asked = maria.hear("message", content="who brings tea?")
        window.wait_for_row("who brings tea?")
        window.focus()
        window.lose_focus()
        maria.write({"type": "react", "id": "reaction", "target": asked["seq"], "emoji": "👍"})
        answer = maria.request("text", content="my secret", reply=asked["seq"])
        self.wait_for(("Maria replied to you", "my secret"))
        maria.write({"type": "delete", "id": "deletion", "target": answer["seq"]})
        self.wait_for()
        window.wait_for_row("Message deleted")

    def test_mentions_alone_can_be_wished_for(self):
        window = self.open_in_background(("notifications", "'mentions'"))
        self.boris.say("not for you")
        self.boris.say("@анна, tea?")
        self.wait_for(("Борис mentioned you", "@анна, tea?"))
        window.wait_for_row("tea?")

    def test_a_bot_calls_only_whom_it_mentions(self):
        self.server = self.start_server(folder=self.temporary_folder())
        bot = Member(self.server, "Сборка")
        self.addCleanup(bot.close)
        boris = self.let_join(self.server, "Борис")
        self.server.ctl("bot", "Сборка", "on")
        window = self.open_in_background()
        bot.write({"type": "text", "content": "build 7 is done", "id": "1"})
        window.wait_for_row("build 7 is done")
        boris.say("tea?")
        self.wait_for(("Борис", "tea?"))
        bot.write({"type": "text", "content": "@анна, it failed", "id": "2"})
        self.wait_for(("Сборка mentioned you", "@анна, it failed"))

    def test_a_mention_is_not_replaced_by_what_is_said_later(self):
        window = self.open_in_background()
        self.boris.say("one")
        self.wait_for(("Борис", "one"))
        self.boris.say("@анна, tea?")
        self.wait_for(("Борис mentioned you", "@анна, tea?"))
        self.boris.say("three")
        window.wait_for_row("three")
        self.boris.say("@анна, cake?")
        self.wait_for(("Борис mentioned you", "@анна, cake?"))
        self.assertFalse([it for it in self.desktop.events if it.get("body") == "three"])

    def test_a_desktop_without_markup_is_told_texts_as_they_are(self):
        self.desktop.close()
        self.desktop = Desktop("actions", "body")
        self.addCleanup(self.desktop.close)
        self.open_in_background()
        self.boris.say("a < b && c")
        self.wait_for(("Борис", "a < b && c"))

    def test_none_can_be_wished_for(self):
        window = self.open_in_background(("notifications", "'none'"))
        self.boris.say("@Анна, tea?")
        window.wait_for_row("tea?")
        self.desktop.wait_for()
        activate_action("quit")  # Whatever it had to say is said by then.
        window.process.wait(15)
        self.assertEqual(self.desktop.events, [{"ready": True}])

    def test_a_click_brings_the_window_forward(self):
        window = self.open_in_background()
        self.boris.say("tea?")
        self.wait_for(("Борис", "tea?"))
        self.desktop.click(1)
        eventually(window.is_active, "the window to be active")
        self.desktop.wait_for()

    def test_what_is_not_to_be_read_is_marked_without_the_window(self):
        window = self.open_in_background()
        self.boris.say("tea?")
        self.wait_for(("Борис", "tea?"))
        self.desktop.click(1, "Mark as Read")
        self.desktop.wait_for()
        self.boris.say("coffee?")
        self.wait_for(("Борис", "coffee?"))
        self.assertFalse(window.is_active())
        marked = [it.get_name() for it in window.rows() if "New messages" in it.get_name()]
        self.assertEqual([name.rpartition(": ")[2] for name in marked], ["coffee?"])

    def test_leaving_takes_it_back(self):
        window = self.open_in_background()
        self.boris.say("tea?")
        self.wait_for(("Борис", "tea?"))
        activate_action("quit")
        window.process.wait(15)
        self.desktop.wait_for()

    def test_russian_counts_as_russians_do(self):
        self.open_in_background(**russian())
        for n in range(1, 4):
            self.boris.say(f"чай {n}")
        self.wait_for(("3 новых сообщения", "Борис: чай 3"))

    def test_a_hidden_window_goes_on_and_a_click_shows_it(self):
        window = self.open_in_background(("run-in-background", "true"))
        window.focus()
        window.press("ctrl+w")
        eventually(lambda: not window.is_on_screen(), "the window to go")
        self.boris.say("still there?")
        self.wait_for(("Борис", "still there?"))
        self.desktop.click(1)
        eventually(window.is_on_screen, "the window to come back")
        window.find_again()
        row = window.wait_for_row(": still there?")
        self.assertIn("New messages. ", row.get_name())
        self.desktop.wait_for()

    def test_quitting_ends_a_hidden_window(self):
        window = self.open_in_background(("run-in-background", "true"))
        self.boris.hear_until(lambda payload: payload["content"] == "Анна присоединился к чату.")
        window.focus()
        window.press("ctrl+w")
        eventually(lambda: not window.is_on_screen(), "the window to go")
        activate_action("quit")
        window.process.wait(15)
        self.boris.hear_until(lambda payload: payload["content"] == "Анна покинул чат.")


if __name__ == "__main__":
    unittest.main()
