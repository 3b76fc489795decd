"""The way from an answer to what it answers, where that has to be fetched first, and back."""

import select
import unittest

from support import Atspi, WindowTest, eventually, role_of, walk
from test_notifications import Desktop

N_MESSAGES = 400


class Jumping(WindowTest):
    def setUp(self):
        desktop = Desktop()  # What comes is told there.
        self.addCleanup(desktop.close)
        self.modern = self.start_modern()
        self.window = self.open("--name", "Анна", self.modern.address)
        self.modern.let_in(N_MESSAGES)
        self.modern.give_page()
        self.window.wait_for_row(f"number {N_MESSAGES}")
        self.window.focus()

    def give_pages(self):
        """Gives the pages that are asked for, if there are any."""
        while select.select([self.modern.client.connection], [], [], 0.1)[0]:
            payload = self.modern.client.read()
            if payload["type"] == "history":
                self.modern.give_page(payload)

    def is_in_view(self, ending):
        rows = [row for row in self.window.rows() if row.get_name().endswith(ending)]
        area = self.window.extents(self.window.wait_for("list", "Messages"))
        places = [self.window.extents(row) for row in rows]
        return any(0 < it.height and area.y <= it.y < area.y + 700 for it in places)

    def test_a_quote_leads_to_a_message_that_is_fetched_and_the_button_back(self):
        self.modern.record(N_MESSAGES + 1, "Вера", "that was it", reply=5)
        row = self.window.wait_for_row("that was it")
        quote = next(it for it in walk(row) if role_of(it) == "push button")
        Atspi.Action.do_action(quote, 0)
        self.modern.give_page()
        eventually(lambda: self.is_in_view(": number 5"), "what was answered in view")
        # What comes after it is fetched as one reads on.
        while not self.is_in_view(": number 100"):
            self.window.scroll("down", 5)
            self.give_pages()
        self.window.click(eventually(self.window.way_back, "the way back"))
        eventually(lambda: not self.window.way_back(), "the end in view")
        eventually(lambda: self.is_in_view("that was it"), "the answer in view")


if __name__ == "__main__":
    unittest.main()
