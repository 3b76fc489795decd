"""Two people who talk after as few steps as README.md counts, and a stranger who gets nowhere: each in
front of a client on a machine of their own, where the package has just been installed."""

import os
import socket
from pathlib import Path

from servers import PATIENCE_S, SERVER_AUTHOR, Speaker
from support import GLib, WindowTest, eventually, text_of, walk

# All that Boris and Anna have to read until they talk, on a terminal and in windows.
WORDS_MAX = 60
IS_OVER = Path("/run/pychat/is-over")
HELLO = "Hello, Anna!"
ANSWER = "Hello, Boris!"
PORT = 12345


def words_in(part):
    """All words to be read in a part of a window, with what stands in its entries."""
    shown = []
    for it in walk(part):
        role = it.get_role_name()
        if role in ("label", "heading"):
            shown.append(it.get_name())
        elif role == "text":
            shown.append(text_of(it))
    return " ".join(dict.fromkeys(shown)).split()  # An entry has its name twice.


class Anna(WindowTest):
    """The one who has the server: she made the link, and joins by it at once."""

    def test_she_talks_with_boris(self):
        window = self.open("--name", "Anna", os.environ["LINK"])
        window.wait_for_title("Anna — anna")
        window.wait_for("push button", "Encrypted")
        window.wait_for_row(f": {HELLO}")
        window.write("Message", ANSWER)
        window.click("Send")
        eventually(IS_OVER.exists, "the others to go", 4 * PATIENCE_S)


class Boris(WindowTest):
    """The one who is invited: he opens the link, and joins with a click."""

    def test_he_talks_with_anna(self):
        link, answer = os.environ["LINK"], os.environ["ANSWER"]
        self.assertTrue(link.startswith("pychat://10.77.1.1,10.77.2.1/#pin="), link)
        handler = GLib.spawn_command_line_sync("gio mime x-scheme-handler/pychat")[1].decode()
        self.assertIn("io.github.pychat.Pychat.desktop", handler)
        window = self.open(link)
        name = window.wait_for("text", "Name")
        if not text_of(name):  # Who logs in has a name mostly, of which nothing is known here.
            window.write("Name", "Boris")
        read = answer.replace(link, "").split() + words_in(window.joining())
        print(f"Boris and Anna read {len(read)} words: {' '.join(read)}")
        self.assertLessEqual(len(read), WORDS_MAX, read)
        window.click("Join", window.joining())
        window.wait_for("push button", "Encrypted")
        window.write("Message", HELLO)
        window.click("Send")
        window.wait_for_row(f": {ANSWER}")


class Eve(WindowTest):
    """A stranger who knows the address, and nothing else."""

    def test_she_gets_nowhere(self):
        window = self.open("--name", "Eve", os.environ["ADDRESS"])
        window.wait_for("alert", "You need an invite to join this chat. Ask somebody who is there already "
                                 "for a link.")
        shown = " ".join(words_in(window.frame))
        for secret in ["Anna", "Boris", HELLO, ANSWER]:
            self.assertNotIn(secret, shown)

    def test_she_gets_nowhere_with_an_old_client(self):
        with socket.create_connection((os.environ["ADDRESS"], PORT), PATIENCE_S) as connection:
            speaker = Speaker(connection)
            speaker.write({"type": "hello", "username": "Eve"})
            greeting = speaker.read()
            self.assertEqual((greeting["server"], greeting["admission"]), ("anna", "invite"))
            refusal = "This server lets in only people who are invited, by a newer client. Bye!\n"
            expected = {"type": "message", "username": SERVER_AUTHOR, "content": refusal}
            self.assertEqual(speaker.read(), expected)
            self.assertIsNone(speaker.read())
