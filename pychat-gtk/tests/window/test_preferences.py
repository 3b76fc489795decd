"""The preferences: what a desktop that confines the client has to say about them."""

import pathlib
import subprocess
import sys
import unittest

from support import Atspi, WindowTest, eventually, forget

PORTAL = pathlib.Path(__file__).with_name("portal.py")
REFUSED = "Your system does not allow Pychat to run in the background"


class Background(WindowTest):
    has_dialogs = True
    tolerated = "Failed to get the '"  # GLib asks the portal about the network, which knows nothing.

    def start_portal(self, answer):
        portal = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(PORTAL), str(answer)],
            stdout=subprocess.PIPE, text=True,
        )

        def stop():
            portal.terminate()
            portal.wait()
            portal.stdout.close()

        self.addCleanup(stop)
        self.assertEqual(portal.stdout.readline(), "ready\n")
        return portal

    def switch_on(self, **environment):
        window = self.open(**self.with_settings(), **environment)
        window.focus()
        window.press("ctrl+comma")
        switch = eventually(
            lambda: window.find_anywhere("check box", "Stay Connected"), "the preference"
        )
        Atspi.Action.do_action(switch, 0)
        return window, switch

    def is_on(self, switch):
        forget(switch)
        return switch.get_state_set().contains(Atspi.StateType.CHECKED)

    def test_a_refusal_takes_the_preference_back_and_says_so(self):
        portal = self.start_portal(1)
        window, switch = self.switch_on(GTK_USE_PORTAL="1")
        eventually(lambda: window.find_anywhere("label", REFUSED), "the refusal")
        self.assertEqual(portal.stdout.readline(), "asked\n")
        eventually(lambda: not self.is_on(switch), "the preference to be off")

    def test_with_leave_it_stays_on(self):
        portal = self.start_portal(0)
        window, switch = self.switch_on(GTK_USE_PORTAL="1")
        self.assertEqual(portal.stdout.readline(), "asked\n")
        eventually(lambda: self.is_on(switch), "the preference to be on")
        self.assertIsNone(window.find_anywhere("label", REFUSED))

    def test_nobody_is_asked_where_nothing_confines_the_client(self):
        _, switch = self.switch_on()
        eventually(lambda: self.is_on(switch), "the preference to be on")


if __name__ == "__main__":
    unittest.main()
