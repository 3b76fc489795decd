"""Searching all rooms: what is here, and what the server finds; the way to a result and back."""

import unittest

from servers import Modern, now_ms
from support import Atspi, WindowTest, children, eventually
from test_notifications import Desktop

ENTRY = "Search all rooms"
RESULTS = "Search Results"
NARROW_PX = 840

# A message that comes along with the welcome is unread then, and the client looks for its reader's name.
MISSED_MENTIONS = '"Анна"'


class Roomy(Modern):
    """One with a room beside the hall, in which there are 300 messages."""

    def welcome(self, seq=0, epoch="e1"):
        write = self.client.write

        def with_room(payload):
            if payload["type"] == "welcome":
                payload["rooms"].append({
                    "room": "r1", "kind": "open", "name": "Tea", "topic": "", "last": 300,
                    "read": 300, "unread": 0,
                })
            write(payload)

        self.client.write = with_room
        return super().welcome(seq, epoch)

    def give_page_of(self, room):
        """Gives the next page of the room that is asked for."""
        request = self.hear("history")
        assert request["room"] == room, request
        before = request["before"]
        first = max(1, before - request["limit"])
        for seq in range(first, before):
            self.record(seq, "Вера", f"cup {seq}", room=room, replay=True)
        self.client.write({
            "type": "page", "room": room, "before": before, "count": before - first,
            "start": first == 1,
        })

    def hear_search(self):
        """Returns the reader's next search. Before it the client may make one for mentions that were missed."""
        while (request := self.hear("search"))["query"] == MISSED_MENTIONS:
            self.client.write({"type": "found_end", "ref": request["ref"]})
        return request

    def find(self, *found, before=None):
        """Answers a search, and returns it."""
        request = self.hear_search()
        for room, seq, author, text in found:
            self.client.write({"type": "found", "ref": request["ref"], "message": {
                "room": room, "seq": seq, "time": now_ms() - 60_000, "username": author,
                "content": text,
            }})
        end = {"type": "found_end", "ref": request["ref"]}
        self.client.write(end if before is None else {**end, "before": before})
        return request


class SearchEverywhere(WindowTest):
    def setUp(self):
        desktop = Desktop()  # What comes is told there.
        self.addCleanup(desktop.close)
        self.modern = Roomy()
        self.addCleanup(self.modern.close)
        self.window = self.open("--name", "Анна", self.modern.address)
        self.modern.let_in()
        self.modern.record(1, "Борис", "a cup of tea")
        self.window.wait_for_row("a cup of tea")
        self.window.focus()

    def search(self, words):
        self.window.press("ctrl+shift+f")
        entry = self.window.wait_for("entry", ENTRY)
        eventually(lambda: self.window.focused().get_name() == ENTRY, "the focus in the entry")
        Atspi.EditableText.set_text_contents(entry, words)

    def results(self):
        results = self.window.find("list", RESULTS)
        return [] if results is None else [it.get_name() for it in children(results)]

    def wait_for_results(self, *expected):
        """Waits for these rooms, authors and endings alone."""

        def matches():
            names = self.results()
            return len(names) == len(expected) and all(
                name.startswith(f"{room}: {author}") and name.endswith(text)
                for name, (room, author, text) in zip(names, expected)
            )

        eventually(matches, f"the results {expected}")

    def choose(self, ending):
        """Chooses a result by keyboard."""
        self.window.press("Return")
        for _ in self.results():
            focused = self.window.focused()
            if focused is not None and focused.get_name().endswith(ending):
                break
            self.window.press("Down")
        eventually(
            lambda: self.window.focused().get_name().endswith(ending), "the result to have the keyboard"
        )
        self.window.press("Return")

    def test_a_result_leads_to_its_room_and_escape_back(self):
        self.search("cup")
        request = self.modern.find(("r1", 20, "Вера", "cup 20"), ("", 1, "Борис", "a cup of tea"))
        self.assertEqual(request["query"], "cup")
        self.assertNotIn("room", request)
        self.wait_for_results(("Everyone", "Борис", "a cup of tea"), ("Tea", "Вера", "cup 20"))
        self.choose("cup 20")
        self.modern.give_page_of("r1")
        self.modern.hear("members")
        self.modern.give_page_of("r1")
        row = self.window.wait_for_row("cup 20")
        eventually(lambda: 0 < self.window.extents(row).y < 700, "the message in view")
        self.window.press("ctrl+shift+f")
        eventually(lambda: self.window.focused().get_name() == ENTRY, "the focus in the entry")
        self.window.press("Escape")
        self.window.wait_for_row("a cup of tea")
        self.assertIsNone(self.window.find("entry", ENTRY))

    def test_without_a_connection_what_is_loaded_is_searched(self):
        self.modern.client.close()
        self.modern.listener.close()
        self.window.wait_for("push button", "Try Now", self.window.conversation())
        self.search("cup")
        self.wait_for_results(("Everyone", "Борис", "a cup of tea"))
        self.window.wait_for("alert", "Searching only what is loaded")

    def test_nothing_is_found_and_refusals_are_told(self):
        self.search("no such thing")
        self.modern.find()
        self.window.wait_for("label", "No Results Found")
        Atspi.EditableText.set_text_contents(self.window.wait_for("entry", ENTRY), "plate")
        request = self.modern.hear_search()
        self.modern.client.write({
            "type": "error", "code": "slow_down", "text": "no", "ref": request["ref"],
        })
        self.window.click("Show More Results")
        self.modern.find(("r1", 7, "Вера", "a <b>plate</b>"))
        self.wait_for_results(("Tea", "Вера", "a <b>plate</b>"))

    def test_a_narrow_window_shows_the_results_above_the_conversation(self):
        self.window.resize(NARROW_PX)
        self.search("cup")
        self.modern.find()
        self.wait_for_results(("Everyone", "Борис", "a cup of tea"))
        self.choose("a cup of tea")
        eventually(lambda: not self.results(), "the results to go")
        self.window.press("Escape")


if __name__ == "__main__":
    unittest.main()
