"""Searching the conversation: what is shown of it, and what the server still has."""

import re
import unittest

from patience import settled
from support import Atspi, WindowTest, children, eventually, is_sensitive, text_of
from test_notifications import Desktop

ENTRY = "Search the conversation"
RESULTS = "Search Results"

# Wide enough for the results beside the conversation, and beside the people too; and too narrow.
# Of these the list of rooms takes 280.
WIDE_PX, WIDER_PX, NARROW_PX = 1040, 1270, 840


class Search(WindowTest):
    """A room with 400 messages, of which the last 50 are shown; every seventh is about a fir."""

    def setUp(self):
        desktop = Desktop()  # What comes is told there.
        self.addCleanup(desktop.close)
        self.modern = self.start_modern()
        self.window = self.open("--name", "Анна", self.modern.address)
        self.modern.let_in(400)
        self.answer()
        self.window.wait_for_row("number 400")
        self.window.focus()

    def answer(self):
        """Answers one request for history; returns the first number of the page."""
        request = self.modern.hear("history")
        begin = max(1, request["before"] - request["limit"])
        for seq in range(begin, request["before"]):
            words = "word " * (7 * seq % 40)
            text = f"{words}Ёлка number {seq}" if seq % 7 == 0 else f"{words}number {seq}"
            self.modern.record(seq, "Борис", text, replay=True)
        self.modern.client.write({
            "type": "page", "before": request["before"], "count": request["before"] - begin,
            "start": begin == 1,
        })
        return begin

    def answer_all(self):
        """Answers for as long as there is something older."""
        while self.answer() != 1:
            pass

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
        self.wait_for_view(400)
        self.search("елка")
        self.answer_all()
        self.wait_for_outcome("1 of 57")
        self.wait_for_view(399)
        self.assertFalse(is_sensitive(self.window.wait_for("push button", "Newer Match")))
        self.window.press("Return")
        self.wait_for_outcome("2 of 57")
        self.window.press("ctrl+g")
        self.wait_for_outcome("3 of 57")
        self.window.click("Older Match")
        self.wait_for_outcome("4 of 57")
        self.wait_for_view(378)
        self.window.press("shift+Return")
        self.wait_for_outcome("3 of 57")
        self.window.press("ctrl+shift+g")
        self.wait_for_outcome("2 of 57")
        self.window.click("Newer Match")
        self.wait_for_outcome("1 of 57")
        for n in range(2, 58):
            self.window.press("Return")
            self.wait_for_outcome(f"{n} of 57")
        self.wait_for_view(7)
        self.assertFalse(is_sensitive(self.window.wait_for("push button", "Older Match")))

    def test_giving_up_leads_back_to_where_one_was(self):
        at_end = self.settled_y(392)
        self.window.scroll("up", 3)
        eventually(lambda: at_end < self.settled_y(392), "the list to be scrolled")
        before = self.settled_y(392)
        self.search("number 102")
        self.answer_all()
        self.wait_for_outcome("1 of 1")
        self.wait_for_view(102)
        self.assertIsNone(self.place_of(392))
        self.window.press("Escape")
        self.wait_for_view(392)
        self.assertEqual(self.settled_y(392), before)
        eventually(lambda: not self.is_open(), "the bar to be gone")
        eventually(lambda: self.has_focus("Message"), "the focus where messages are written")

    def test_the_end_is_followed_again_after_giving_up_there(self):
        self.wait_for_view(400)
        self.search("number 200")
        self.answer_all()
        self.wait_for_view(200)
        self.modern.record(401, "Борис", "number 401")
        eventually(lambda: self.window.n_missed() == 1, "the message below")
        self.settled_y(200)
        self.assertIsNone(self.place_of(401))
        self.window.press("Escape")
        self.wait_for_view(401)
        self.modern.record(402, "Борис", "number 402")
        self.wait_for_view(402)

    def test_the_button_opens_it_and_leaves_one_at_the_match(self):
        button = self.window.wait_for("push button", "Search")
        Atspi.Action.do_action(button, 0)
        eventually(lambda: self.has_focus(ENTRY), "the focus in the entry")
        self.window.press("ctrl+a")
        for key in "number":
            self.window.press(key)
        for key in ["space", "3", "7", "8"]:
            self.window.press(key)
        self.wait_for_view(378)
        Atspi.Action.do_action(button, 0)
        eventually(lambda: not self.is_open(), "the bar to be gone")
        self.settled_y(378)
        self.assertTrue(self.is_in_view(378))

    def test_what_is_being_asked_for_is_told_and_nothing_found_only_at_the_end(self):
        self.search("nothing of the kind")
        reading = "Searching older messages…"
        eventually(lambda: self.window.find("progress bar", reading), "the spinner")
        self.assertIsNone(self.window.find("label", "No Results Found"))
        self.answer_all()
        self.window.wait_for("label", "No Results Found")
        self.assertIsNone(self.window.find("progress bar", reading))
        self.search("number 399")
        self.wait_for_outcome("1 of 1")
        self.assertIsNone(self.window.find("label", "No Results Found"))

    def test_messages_are_found_by_their_authors(self):
        self.modern.record(401, "Мария", "by the door")
        self.modern.record(402, "Борис", "ask мария")
        self.search("МАРИЯ")
        self.answer_all()
        self.wait_for_outcome("1 of 2")
        self.window.press("Return")
        self.wait_for_outcome("2 of 2")

    def test_what_is_said_meanwhile_is_found_too(self):
        self.search("number 399")
        self.answer_all()
        self.wait_for_outcome("1 of 1")
        self.modern.record(401, "Борис", "not number 399 again")
        self.wait_for_outcome("2 of 2")
        entry = self.window.wait_for("entry", ENTRY)
        self.assertEqual(text_of(entry), "number 399")

    def test_results_are_listed_and_lead_there(self):
        self.window.resize(WIDE_PX)
        self.search("елка")
        self.answer_all()
        self.wait_for_results("Ёлка number 399", "Ёлка number 392", "Ёлка number 385")
        # It begins a few words before that; number 392 has 24 of them, number 240 has none.
        name = self.results()[1].get_name()
        self.assertRegex(name, r"^Борис, \d\d:\d\d: …word word word word Ёлка number 392$")
        self.wait_for_selected(1)
        self.window.click_at(self.results()[2])
        self.wait_for_outcome("3 of 57")
        self.wait_for_view(385)
        self.wait_for_selected(3)
        self.window.press("Down")
        eventually(lambda: self.has_focus(self.results()[3].get_name()), "the focus on the next")
        self.assertEqual((self.outcome(), self.selected()), ("3 of 57", [3]))
        self.window.press("Return")
        self.wait_for_outcome("4 of 57")
        self.wait_for_view(378)
        self.window.click("Newer Match")
        self.wait_for_selected(3)
        self.modern.record(401, "Мария", "Ёлка number 401")
        self.wait_for_results("Ёлка number 401", "Ёлка number 399")
        self.wait_for_outcome("4 of 58")
        self.wait_for_selected(4)
        # It leads there again, too. A row that leaves the view between two frames is still said to
        # be where it was; so one is waited for that was never in view.
        eventually(lambda: self.scroll_to_view(401), "number 401 in view")
        self.settled_y(401)
        self.window.click_at(self.results()[3])
        self.wait_for_view(385)
        self.window.press("Escape")
        eventually(lambda: not self.is_open(), "the bar to be gone")
        self.wait_for_no_results()

    def test_tab_leads_to_the_results(self):
        self.window.resize(WIDE_PX)
        self.search("елка")
        self.answer_all()
        self.wait_for_results("Ёлка number 399", "Ёлка number 392")

        def is_in_results():
            self.window.press("Tab")
            return self.window.focused() in self.results()

        eventually(is_in_results, "the focus in the list")
        self.assertEqual(self.outcome(), "1 of 57")

        def is_at_last():
            self.window.press("End")  # More are listed as the end comes near.
            return self.window.focused().get_name().endswith("Ёлка number 7")

        eventually(is_at_last, "the focus on the last result")
        self.window.press("Return")
        self.wait_for_outcome("57 of 57")
        self.wait_for_view(7)

    def test_results_are_listed_where_there_is_room_for_them(self):
        self.window.resize(NARROW_PX)
        self.search("елка")
        self.answer_all()
        self.wait_for_outcome("1 of 57")
        self.assertIsNone(self.window.find("list", RESULTS))
        self.window.resize(WIDE_PX)
        self.wait_for_results("Ёлка number 399", "Ёлка number 392")
        self.window.press("F9")
        self.wait_for_no_results()
        self.window.resize(WIDER_PX)
        self.wait_for_results("Ёлка number 399")
        self.window.resize(NARROW_PX)
        self.wait_for_no_results()
        self.wait_for_outcome("1 of 57")

    def test_more_results_are_asked_for_at_the_end(self):
        self.window.resize(WIDE_PX)
        self.search("number")
        self.answer()
        self.wait_for_outcome("1 of 300+")
        self.window.click("Show More Results")
        self.answer()
        self.wait_for_outcome("1 of 400")
        self.assertIsNone(self.window.find("push button", "Show More Results"))
        self.wait_for_selected(1)

    def test_an_author_is_asked_for(self):
        self.window.resize(WIDE_PX)
        self.modern.record(401, "Мария", "Ёлка <b>by</b> the door")
        self.modern.record(402, "Мария", "number 402")
        self.modern.record(403, "Борис", "мария from:мария")
        self.search("елка from:мари")
        self.answer_all()
        self.wait_for_outcome("1 of 1")
        self.wait_for_results("Ёлка <b>by</b> the door")
        self.search("from:МАРИЯ")
        self.wait_for_outcome("1 of 2")
        self.wait_for_results("number 402", "Ёлка <b>by</b> the door")


if __name__ == "__main__":
    unittest.main()
