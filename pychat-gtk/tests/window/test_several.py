"""Several servers of one chat: the window stays what it is when it goes on at another one."""

import unittest

from servers import Door, Peer, Server
from support import WindowTest, eventually


class Several(WindowTest):
    def setUp(self):
        super().setUp()
        self.doors = [Door(), Door()]
        for door in self.doors:
            self.addCleanup(door.shut)
        self.folder = self.temporary_folder()

    def start(self, **more):
        server = Server(folder=self.folder, name="Office", **more)
        server.start()
        self.addCleanup(server.stop)
        return server

    def said(self, window):
        """What people said, as it is shown."""
        names = (row.get_name().rpartition(": ")[2] for row in window.rows())
        return [name for name in names if name.startswith("text ")]

    def test_a_window_goes_on_at_a_server_that_it_was_told_of(self):
        first, second = self.doors
        server = self.start(servers=[door.address for door in self.doors])
        first.open(server)
        second.open(server)
        window = self.open("--name", "Анна", f"pychat://{first.address}/")
        window.wait_for_title("Анна — Office")
        peer = Peer(server, "Борис")
        peer.say("text 1")
        window.wait_for_row(": text 1")
        window.write("Message", "unfinished")

        first.shut()
        peer.say("text 2")
        window.wait_for_row(": text 2")
        self.assertEqual(window.title, "Анна — Office")
        self.assertIsNone(window.find("alert", within=window.conversation()))
        self.assertEqual(window.draft(), "unfinished")
        window.write("Message", "text 3")
        window.click("Send")
        self.assertEqual(peer.hear_from("Анна"), "text 3")
        eventually(lambda: window.descriptions() == {}, "the message to be sent")
        self.assertEqual(self.said(window), ["text 1", "text 2", "text 3"])

    def test_a_server_that_stops_sends_its_people_elsewhere(self):
        first, second = self.doors
        server = self.start(servers=[door.address for door in self.doors])
        first.open(server)
        window = self.open("--name", "Анна", first.address)
        window.wait_for_title("Анна — Office")
        Peer(server, "Борис").say("text 1")
        window.wait_for_row(": text 1")

        server.stop()
        first.shut()
        other = self.start(servers=[door.address for door in self.doors])
        second.open(other)
        Peer(other, "Борис").say("text 2")
        window.wait_for_row(": text 2")
        eventually(lambda: not window.find("alert", within=window.conversation()), "the end of it")
        self.assertEqual(window.title, "Анна — Office")
        self.assertEqual(self.said(window), ["text 1", "text 2"])


if __name__ == "__main__":
    unittest.main()
