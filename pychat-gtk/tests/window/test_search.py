"""Searching the conversation: what is shown of it, and what the server finds."""

import contextlib
import re
import threading
import unittest

from patience import settled
from servers import Modern, now_ms
from support import Atspi, WindowTest, children, eventually, is_sensitive, text_of
from test_notifications import Desktop

ENTRY = "Search the conversation"
RESULTS = "Search Results"

# Wide enough for the results beside the conversation, and beside the people too; and too narrow.
# Of these the list of rooms takes 280.
WIDE_PX, WIDER_PX, NARROW_PX = 1040, 1270, 840


# The last message; every seventh is about a fir.
LAST = 346
N_FIRS = 49


class Keeper(Modern):
    """One that keeps what was said, and answers by itself."""

    def __init__(self):
        super().__init__()
        self.said = {}
        self.begun_ms = now_ms() - 1_000 * LAST
        self.lock = threading.Lock()
        self.answers_searches = threading.Event()
        self.answers_searches.set()
        for seq in range(1, LAST + 1):
            words = "word " * (7 * seq % 40)
            text = f"{words}Ёлка number {seq}" if seq % 7 == 0 else f"{words}number {seq}"
            self.said[seq] = ("Борис", text)

    def keep(self):
        self.let_in(LAST)
        threading.Thread(target=self.answer, daemon=True).start()

    def say(self, seq, author, text):
        self.said[seq] = (author, text)
        with self.lock:
            self.record(seq, author, text, time=self.time_of(seq))

    def time_of(self, seq):
        return self.begun_ms + 1_000 * seq

    def answer(self):
        """Answers until the client has gone."""
        answers = {"history": self.give, "search": self.find, "ping": self.pong}
        with contextlib.suppress(OSError):
            while (payload := self.client.read()) is not None:
                if payload["type"] == "search":
                    self.answers_searches.wait()
                with self.lock:
                    answers.get(payload["type"], lambda _: None)(payload)

    def pong(self, _):
        self.client.write({"type": "pong"})

    def give(self, request):
        first = max(1, request["before"] - request["limit"])
        for seq in range(first, request["before"]):
            self.record(seq, *self.said[seq], time=self.time_of(seq), replay=True)
        self.client.write({
            "type": "page", "before": request["before"], "count": request["before"] - first,
            "start": first == 1,
        })

    def find(self, request):
        """Finds what has all words, each of which may be the beginning of one."""
        words = folded(request["query"]).split()
        before = int(request.get("before", LAST + 100))
        found = [
            (seq, author, text)
            for seq, (author, text) in sorted(self.said.items(), reverse=True)
            if seq < before
            and request.get("from", author) == author
            and all(any(it.startswith(word) for it in folded(text).split()) for word in words)
        ]
        for seq, author, text in found[: request["limit"]]:
            message = {"seq": seq, "time": self.time_of(seq), "username": author, "content": text}
            self.client.write({"type": "found", "ref": request["ref"], "message": message})
        end = {"type": "found_end", "ref": request["ref"]}
        if request["limit"] < len(found):
            end["before"] = str(found[request["limit"] - 1][0])
        self.client.write(end)


def folded(text):
    return text.lower().replace("ё", "е")


class Search(WindowTest):
    def setUp(self):
        desktop = Desktop()  # What comes is told there.
        self.addCleanup(desktop.close)
        self.keeper = Keeper()
        self.addCleanup(self.keeper.close)
        self.window = self.open("--name", "Анна", self.keeper.address)
        self.keeper.keep()
        self.window.wait_for_row(f"number {LAST}")
        self.window.focus()

    def search(self, words):
        self.window.press("ctrl+f")
        eventually(lambda: self.has_focus(ENTRY), "the focus in the entry")
        Atspi.EditableText.set_text_contents(self.window.wait_for("entry", ENTRY), words)

    def is_open(self):
        return self.window.find("entry", ENTRY) is not None

    def has_focus(self, name):
        focused = self.window.focused()
        return focused is not None and focused.get_name() == name

    def outcome(self):
        label = self.window.find("label", within=self.window.wait_for("form", "Search"))
        return label and label.get_name()

    def wait_for_outcome(self, outcome):
        eventually(lambda: self.outcome() == outcome, f"{outcome!r}, not {self.outcome()!r}")

    def results(self):
        """What is listed of the results."""
        results = self.window.find("list", RESULTS)
        return [] if results is None else list(children(results))

    def wait_for_results(self, *endings):
        """Waits for these to be the first results, each with the end of what is read out."""

        def are_there():
            names = [it.get_name() or "" for it in self.results()[: len(endings)]]
            return len(names) == len(endings) and all(map(str.endswith, names, endings))

        eventually(are_there, f"{endings} as results")

    def wait_for_no_results(self):
        eventually(lambda: self.window.find("list", RESULTS) is None, "the results to be gone")

    def selected(self):
        """Which of the results are selected, as numbers from 1 on."""
        selected = Atspi.StateType.SELECTED
        numbered = enumerate(self.results(), 1)
        return [n for n, it in numbered if it.get_state_set().contains(selected)]

    def wait_for_selected(self, number):
        eventually(lambda: self.selected() == [number], f"result {number} to be selected")

    def place_of(self, number):
        """Where a message is, or was when it last could be seen; None if it never could be."""
        pattern = re.compile(rf"number {number}$")
        row = next((it for it in self.window.rows() if pattern.search(it.get_name() or "")), None)
        bounds = row and self.window.extents(row)
        return bounds if bounds and bounds.height else None

    def is_in_view(self, number):
        messages = self.window.wait_for("list", "Messages")
        view = self.window.extents(messages.get_parent().get_parent())
        place = self.place_of(number)
        return (
            place is not None
            and view.y <= place.y
            and place.y + place.height <= view.y + view.height
        )

    def wait_for_view(self, number):
        eventually(lambda: self.is_in_view(number), f"number {number} in view")

    def scroll_to_view(self, number):
        """Goes a little further down; returns true once a message is in view."""
        self.window.scroll("down", 5)
        return self.is_in_view(number)

    def settled_y(self, number):
        """Returns how far down a message is, once it has come to rest."""
        return settled(lambda: (place := self.place_of(number)) and place.y, f"number {number}")

    def test_matches_are_counted_gone_through_and_shown(self):
        self.wait_for_view(346)
        self.search("елка")
        self.wait_for_outcome(f"1 of {N_FIRS}")
        self.wait_for_view(343)
        self.assertFalse(is_sensitive(self.window.wait_for("push button", "Newer Match")))
        self.window.press("Return")
        self.wait_for_outcome("2 of 49")
        self.window.press("ctrl+g")
        self.wait_for_outcome("3 of 49")
        self.window.click("Older Match")
        self.wait_for_outcome("4 of 49")
        self.wait_for_view(322)
        self.window.press("shift+Return")
        self.wait_for_outcome("3 of 49")
        self.window.press("ctrl+shift+g")
        self.wait_for_outcome("2 of 49")
        self.window.click("Newer Match")
        self.wait_for_outcome(f"1 of {N_FIRS}")
        for n in range(2, 50):
            self.window.press("Return")
            self.wait_for_outcome(f"{n} of 49")
        self.wait_for_view(7)
        self.assertFalse(is_sensitive(self.window.wait_for("push button", "Older Match")))

    def test_giving_up_leads_back_to_where_one_was(self):
        # The list keeps a row, of those that it began with the first, for the keyboard: not this one.
        at_end = self.settled_y(338)
        self.window.scroll("up", 3)
        eventually(lambda: at_end < self.settled_y(338), "the list to be scrolled")
        before = self.settled_y(338)
        self.search("number 102")
        self.wait_for_outcome("1 of 1")
        self.wait_for_view(102)
        self.assertIsNone(self.place_of(338))
        self.window.press("Escape")
        self.wait_for_view(338)
        self.assertEqual(self.settled_y(338), before)
        eventually(lambda: not self.is_open(), "the bar to be gone")
        eventually(lambda: self.has_focus("Message"), "the focus where messages are written")

    def test_the_end_is_followed_again_after_giving_up_there(self):
        self.wait_for_view(346)
        self.search("number 200")
        self.wait_for_view(200)
        self.keeper.say(347, "Борис", "number 347")
        eventually(lambda: self.window.n_missed() == 1, "the message below")
        self.settled_y(200)
        self.assertIsNone(self.place_of(347))
        self.window.press("Escape")
        self.wait_for_view(347)
        self.keeper.say(348, "Борис", "number 348")
        self.wait_for_view(348)

    def test_the_button_opens_it_and_leaves_one_at_the_match(self):
        button = self.window.wait_for("push button", "Search")
        Atspi.Action.do_action(button, 0)
        eventually(lambda: self.has_focus(ENTRY), "the focus in the entry")
        self.window.press("ctrl+a")
        for key in "number":
            self.window.press(key)
        for key in ["space", "3", "2", "2"]:
            self.window.press(key)
        self.wait_for_view(322)
        Atspi.Action.do_action(button, 0)
        eventually(lambda: not self.is_open(), "the bar to be gone")
        self.settled_y(322)
        self.assertTrue(self.is_in_view(322))

    def test_what_is_being_asked_for_is_told_and_nothing_found_only_at_the_end(self):
        self.keeper.answers_searches.clear()
        self.search("nothing of the kind")
        reading = "Searching older messages…"
        eventually(lambda: self.window.find("progress bar", reading), "the spinner")
        self.assertIsNone(self.window.find("label", "No Results Found"))
        self.keeper.answers_searches.set()
        self.window.wait_for("label", "No Results Found")
        self.assertIsNone(self.window.find("progress bar", reading))
        self.search("number 343")
        self.wait_for_outcome("1 of 1")
        self.assertIsNone(self.window.find("label", "No Results Found"))

    def test_what_is_said_meanwhile_is_found_too(self):
        self.search("number 343")
        self.wait_for_outcome("1 of 1")
        self.keeper.say(347, "Борис", "not number 343 again")
        self.wait_for_outcome("2 of 2")
        entry = self.window.wait_for("entry", ENTRY)
        self.assertEqual(text_of(entry), "number 343")

    def test_results_are_listed_and_lead_there(self):
        self.window.resize(WIDE_PX)
        self.search("елка")
        self.wait_for_results("Ёлка number 343", "Ёлка number 336", "Ёлка number 329")
        # It begins a few words before that; number 336 has 32 of them, number 280 has none.
        name = self.results()[1].get_name()
        self.assertRegex(name, r"^Борис, \d\d:\d\d: …word word word word Ёлка number 336$")
        self.wait_for_selected(1)
        self.window.click_at(self.results()[2])
        self.wait_for_outcome("3 of 49")
        self.wait_for_view(329)
        self.wait_for_selected(3)
        self.window.press("Down")
        eventually(lambda: self.has_focus(self.results()[3].get_name()), "the focus on the next")
        self.assertEqual((self.outcome(), self.selected()), ("3 of 49", [3]))
        self.window.press("Return")
        self.wait_for_outcome("4 of 49")
        self.wait_for_view(322)
        self.window.click("Newer Match")
        self.wait_for_selected(3)
        self.keeper.say(347, "Мария", "Ёлка number 347")
        self.wait_for_results("Ёлка number 347", "Ёлка number 343")
        self.wait_for_outcome("4 of 50")
        self.wait_for_selected(4)
        # It leads there again, too. A row that leaves the view between two frames is still said to
        # be where it was; so one is waited for that was never in view.
        eventually(lambda: self.scroll_to_view(347), "number 347 in view")
        self.settled_y(347)
        self.window.click_at(self.results()[3])
        self.wait_for_view(329)
        self.window.press("Escape")
        eventually(lambda: not self.is_open(), "the bar to be gone")
        self.wait_for_no_results()

    def test_tab_leads_to_the_results(self):
        self.window.resize(WIDE_PX)
        self.search("елка")
        self.wait_for_results("Ёлка number 343", "Ёлка number 336")

        def is_in_results():
            self.window.press("Tab")
            return self.window.focused() in self.results()

        eventually(is_in_results, "the focus in the list")
        self.assertEqual(self.outcome(), "1 of 49")

        def is_at_last():
            self.window.press("End")  # More are listed as the end comes near.
            return self.window.focused().get_name().endswith("Ёлка number 7")

        eventually(is_at_last, "the focus on the last result")
        self.window.press("Return")
        self.wait_for_outcome("49 of 49")
        self.wait_for_view(7)

    def test_results_are_listed_where_there_is_room_for_them(self):
        self.window.resize(NARROW_PX)
        self.search("елка")
        self.wait_for_outcome(f"1 of {N_FIRS}")
        self.assertIsNone(self.window.find("list", RESULTS))
        self.window.resize(WIDE_PX)
        self.wait_for_results("Ёлка number 343", "Ёлка number 336")
        self.window.press("F9")
        self.wait_for_no_results()
        self.window.resize(WIDER_PX)
        self.wait_for_results("Ёлка number 343")
        self.window.resize(NARROW_PX)
        self.wait_for_no_results()
        self.wait_for_outcome(f"1 of {N_FIRS}")

    def test_more_results_are_asked_for_at_the_end(self):
        self.window.resize(WIDE_PX)
        self.search("number")
        self.wait_for_outcome("1 of 50+")
        self.window.click("Show More Results")
        self.wait_for_outcome("1 of 100+")
        self.wait_for_selected(1)

    def test_an_author_is_asked_for(self):
        self.window.resize(WIDE_PX)
        self.keeper.say(347, "Мария", "Ёлка <b>by</b> the door")
        self.keeper.say(348, "Мария", "number 348")
        self.keeper.say(349, "Борис", "мария from:мария")
        self.search("елка from:мари")
        self.wait_for_outcome("1 of 1")
        self.wait_for_results("Ёлка <b>by</b> the door")
        self.search("from:МАРИЯ")
        self.wait_for_outcome("1 of 2")
        self.wait_for_results("number 348", "Ёлка <b>by</b> the door")


if __name__ == "__main__":
    unittest.main()
