"""What a screen reader is told of new messages while its user is writing.

It hears that the entry is described in another way, as GTK has nothing better before 4.14.
"""

import contextlib
import unittest

from support import Atspi, GLib, WindowTest, eventually
from test_notifications import Desktop

EVENT = "object:property-change:accessible-description"


class Ears:
    """Whatever the entry is described as.

    AT-SPI knows no threads: events are taken where everything else is asked for.
    """

    def __init__(self):
        self._heard = []
        self.listener = Atspi.EventListener.new(self._on_event)
        self.listener.register(EVENT)

    def close(self):
        self.listener.deregister(EVENT)

    def heard(self):
        while GLib.MainContext.default().iteration(False):
            pass
        return list(self._heard)

    def forget(self):
        self.heard()
        self._heard.clear()

    def _on_event(self, event):
        if event.any_data and event.source.get_name() == "Message":
            self._heard.append(event.any_data)


class Announcements(WindowTest):
    def setUp(self):
        desktop = Desktop()  # What comes while nobody looks is told there.
        self.addCleanup(desktop.close)
        self.server = self.start_server()
        self.window = self.open_joined(self.server)
        self.boris = self.let_join(self.server, "Борис")
        self.window.wait_for_row("Борис joined the chat.")
        self.window.focus()
        self.window.wait_for("text", "Message")
        self.ears = Ears()
        self.addCleanup(self.ears.close)
        self.wait_for_ears()

    def wait_for_ears(self):
        """Waits until the client knows that somebody listens: GTK tells nobody of events before."""
        def is_heard():
            self.boris.say("listen")
            eventually(self.description, "an announcement")
            eventually(lambda: not self.description(), "the announcement to be over")
            return self.ears.heard()

        eventually(is_heard, "announcements to be heard")
        self.ears.forget()

    def wait_for_heard(self, *sentences):
        with contextlib.suppress(AssertionError):
            eventually(lambda: self.ears.heard() == list(sentences), "the announcements")
        self.assertEqual(self.ears.heard(), list(sentences))

    def test_a_new_message_is_said_and_again_if_it_is_the_same(self):
        self.boris.say("Привет!")
        self.wait_for_heard("Борис: Привет!")
        eventually(lambda: not self.description(), "the announcement to be over")
        self.boris.say("Привет!")
        self.wait_for_heard("Борис: Привет!", "Борис: Привет!")

    def test_of_many_at_once_the_number_is_said(self):
        for n in range(1, 6):
            self.boris.say(f"{n}")
        self.wait_for_heard("Борис: 1", "4 new messages")

    def test_one_s_own_messages_and_those_elsewhere_are_not_said(self):
        self.window.write("Message", "mine")
        self.window.click("Send")
        self.window.wait_for_row("mine")
        self.window.lose_focus()
        self.boris.say("one")
        self.window.wait_for_row(": one")
        self.window.focus()
        self.boris.say("two")
        self.wait_for_heard("Борис: two")

    def description(self):
        return self.window.wait_for("text", "Message").get_description()


if __name__ == "__main__":
    unittest.main()
