"""Messages that a finger drags aside to answer them."""

import os
import unittest

from support import WindowTest, eventually, hebrew
from touchscreen import touchscreen

# More messages than there is room for.
N_BEFORE = 30


@unittest.skipUnless("HEADLESS_TOUCH" in os.environ, "it has a run of its own")
class TouchSwiping(WindowTest):
    # GTK 4.8 does when a row under a finger leaves the view.
    tolerated = "Broken accounting of active state"

    @classmethod
    def setUpClass(cls):
        cls.screen = touchscreen()

    def start(self, **environment):
        self.modern = self.start_modern()
        self.window = self.open("--name", "Анна", self.modern.address, **environment)
        self.modern.let_in()
        self.n_said = N_BEFORE
        for seq in range(1, N_BEFORE + 1):
            self.modern.record(seq, "Борис", f"number {seq}")
        self.say()

    def say(self):
        self.n_said += 1
        self.modern.record(self.n_said, "Борис", f"number {self.n_said}")
        what = f"message {self.n_said} in view"
        eventually(lambda: 0 < self.extents().height, what)

    def extents(self):
        """Where the last message is."""
        return self.window.extents(self.window.wait_for_row(f": number {self.n_said}"))

    def drag(self, dx):
        """Drags the last message to the right by this much, or to the left."""
        area = self.extents()
        x, y = area.x + area.width // 2, area.y + area.height // 2
        self.screen.drag((x, y), (x + dx, y), duration_s=0.2, rest_s=0.05)

    def is_answering(self):
        return self.window.find("label", "Replying to Борис") is not None

    def test_a_message_is_answered_that_is_dragged_far_enough_in_its_direction(self):
        self.start()
        self.drag(-40)
        self.say()  # What the finger led to has come before it.
        self.assertFalse(self.is_answering())
        self.drag(-150)
        eventually(self.is_answering, "the answer")

    def test_who_reads_from_the_right_drags_the_other_way(self):
        self.start(**hebrew())
        self.drag(150)
        eventually(self.is_answering, "the answer")


if __name__ == "__main__":
    unittest.main()
