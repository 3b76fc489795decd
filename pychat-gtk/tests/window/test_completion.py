"""Names are completed while one writes `@` and their beginning."""

import subprocess
import unittest

from support import Atspi, children, eventually
from test_composer import Entry

LIST = "People to Mention"


class Completion(Entry):
    """A room with Boris, another Boris, and Bella."""

    def setUp(self):
        # A pointer that another test has left where the names appear would choose one of them.
        subprocess.run(["xdotool", "mousemove", "1270", "1010"], check=True)
        super().setUp()
        self.let_join(self.server, "Борис")
        self.bella = self.let_join(self.server, "Bella")
        self.window.wait_for_row("Bella joined the chat.")

    def offered(self):
        people = self.window.find("list", LIST)
        return [] if people is None else [it.get_name() for it in children(people)]

    def chosen(self):
        people = self.window.find("list", LIST)
        people = [] if people is None else children(people)
        selected = Atspi.StateType.SELECTED
        return [it.get_name() for it in people if it.get_state_set().contains(selected)]

    def wait_for_offered(self, *names):
        eventually(lambda: sorted(self.offered()) == sorted(names), f"{names}, not {self.offered()}")

    def test_a_name_is_completed_by_the_keyboard_alone(self):
        self.type("see @")
        self.wait_for_offered("Bella", "Борис", "Борис (2)")  # Not oneself.
        self.type("b")
        self.wait_for_offered("Bella")
        self.window.press("Return")
        self.wait_for_draft("see @Bella ")
        self.wait_for_offered()
        self.window.press("Return")
        self.assertEqual(self.boris.hear_from("Анна"), "see @Bella")

    def test_one_goes_through_the_names_and_round(self):
        self.type("@")
        self.wait_for_offered("Bella", "Борис", "Борис (2)")
        first = eventually(self.chosen, "the first")
        self.window.press("Up")
        eventually(lambda: self.chosen() == [self.offered()[-1]], "the last")
        self.window.press("Down")
        eventually(lambda: self.chosen() == first, "the first again")
        self.window.press("Down")
        eventually(lambda: self.chosen() == [self.offered()[1]], "the second")
        second = self.chosen()[0]
        self.window.press("Tab")
        self.wait_for_draft(f"@{second} ")

    def test_escape_declines_until_another_name_is_begun(self):
        self.type("@B")
        self.wait_for_offered("Bella")
        self.window.press("Escape")
        self.wait_for_offered()
        self.type("e")
        self.wait_for_draft("@Be")
        self.wait_for_offered()
        self.type(" @B")
        self.wait_for_offered("Bella")

    def test_a_click_chooses(self):
        self.type("@B")
        self.wait_for_offered("Bella")
        search = ["xdotool", "search", "--onlyvisible", "--pid", str(self.window.process.pid)]
        popover = subprocess.check_output(search, text=True).split()[-1]
        geometry = ["xdotool", "getwindowgeometry", "--shell", popover]
        size = dict(it.split("=") for it in subprocess.check_output(geometry, text=True).split())
        middle = [str(int(size["WIDTH"]) // 2), str(int(size["HEIGHT"]) // 2)]
        subprocess.run(
            ["xdotool", "mousemove", "--window", popover, *middle, "click", "1"], check=True
        )
        self.wait_for_draft("@Bella ")

    def test_nobody_is_offered_within_a_word_or_where_the_name_is_whole(self):
        self.type("a@b")
        self.wait_for_draft("a@b")
        self.wait_for_offered()
        self.type(" @bella")
        self.wait_for_draft("a@b @bella")
        self.wait_for_offered()
        self.window.press("Return")
        self.assertEqual(self.boris.hear_from("Анна"), "a@b @bella")

    def test_who_has_left_is_not_offered(self):
        self.type("@B")
        self.wait_for_offered("Bella")
        self.bella.close()
        self.wait_for_offered()


if __name__ == "__main__":
    unittest.main()
