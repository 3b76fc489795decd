"""The people who are here: counted, found, called, beside the conversation or over it."""

import unittest

from servers import Member
from support import Atspi, WindowTest, children, eventually, russian

BESIDE_PX, OVER_PX = 900, 400


class People(WindowTest):
    def setUp(self):
        self.server = self.start_server()
        self.boris = self.let_join(self.server, "Борис")

    def open_people(self, width, **environment):
        window = self.open_joined(self.server, **environment)
        window.resize(width)
        window.press("F9")
        return window

    def names(self, window, name="People"):
        people = window.find("list", name)
        return [] if people is None else [person.get_name() for person in children(people)]

    def wait_for_focus(self, window, name):
        def is_there():
            focused = window.focused()
            return focused and focused.get_name() == name

        eventually(is_there, f"the focus on {name!r}")

    def wait_for_names(self, window, *expected):
        eventually(lambda: self.names(window) == list(expected), f"{expected}")

    def wait_for_count(self, window, count, name="People"):
        window.wait_for("label", count, within=window.wait_for("filler", name))

    def mention(self, window):
        """Chooses that in the menu on somebody."""
        Atspi.Action.do_action(window.wait_for("menu item", "Mention"), 0)

    def test_they_are_sorted_by_name_and_counted(self):
        window = self.open_people(BESIDE_PX)
        self.wait_for_names(window, "Анна (you)", "Борис")
        self.wait_for_count(window, "2 people online")
        vera = self.let_join(self.server, "Вера")
        self.wait_for_names(window, "Анна (you)", "Борис", "Вера")
        self.boris.close()
        vera.close()
        self.wait_for_names(window, "Анна (you)")
        self.wait_for_count(window, "Only you")

    def test_any_word_of_a_name_is_found_and_nobody_is_told(self):
        self.let_join(self.server, "Сергей Константинопольский")
        window = self.open_people(BESIDE_PX)
        window.write("Find a Person", "конст")
        self.wait_for_names(window, "Сергей Константинопольский")
        window.write("Find a Person", "nobody")
        window.wait_for("label", "No One Found")
        window.write("Find a Person", "")
        self.wait_for_names(window, "Анна (you)", "Борис", "Сергей Константинопольский")

    def test_the_title_says_where_one_is_and_how_many_are_there(self):
        window = self.open_joined(self.server)
        window.wait_for("label", self.server.address)
        window.wait_for("label", "2 people online · Анна")
        self.let_join(self.server, "Вера")
        window.wait_for("label", "3 people online · Анна")

    def test_who_is_found_by_typing_is_called(self):
        self.let_join(self.server, "Вера")
        window = self.open_people(BESIDE_PX)
        self.wait_for_names(window, "Анна (you)", "Борис", "Вера")
        window.focus()
        self.wait_for_focus(window, "Find a Person")
        window.write("Find a Person", "БОР")
        self.wait_for_names(window, "Борис")
        self.wait_for_count(window, "1 of 3 people")
        window.press("Return")
        self.mention(window)
        eventually(lambda: window.draft() == "@Борис ", "the name in the draft")
        self.wait_for_focus(window, "Message")
        self.wait_for_names(window, "Анна (you)", "Борис", "Вера")

    def test_a_click_calls_after_what_is_written(self):
        window = self.open_people(BESIDE_PX)
        self.wait_for_names(window, "Анна (you)", "Борис")
        window.write("Message", "tea,")
        window.point(window.wait_for("list item", "Борис"), "click", "1")
        self.mention(window)
        eventually(lambda: "@Борис" in window.draft(), "the name in the draft")
        self.assertIn(window.draft(), ("@Борис tea,", "tea, @Борис "))  # Where the cursor was.
        self.assertTrue(self.names(window), "beside the conversation they stay")

    def test_escape_takes_back_what_was_typed_and_then_the_list(self):
        window = self.open_people(BESIDE_PX)
        window.focus()
        window.write("Find a Person", "nobody")
        self.wait_for_count(window, "0 of 2 people")
        window.press("Escape")
        self.wait_for_names(window, "Анна (you)", "Борис")
        window.press("Escape")
        eventually(lambda: not self.names(window), "the people to go")
        self.wait_for_focus(window, "Message")

    def test_in_a_narrow_window_they_come_over_the_conversation_and_go(self):
        window = self.open_people(OVER_PX)
        self.wait_for_names(window, "Анна (you)", "Борис")
        window.write("Find a Person", "бор")
        self.wait_for_names(window, "Борис")
        window.press("Return")
        self.mention(window)
        eventually(lambda: not self.names(window), "the people to go")
        eventually(lambda: window.draft() == "@Борис ", "the name in the draft")

    def test_a_window_that_narrows_sends_them_away_and_has_them_back(self):
        window = self.open_people(BESIDE_PX)
        self.wait_for_names(window, "Анна (you)", "Борис")
        window.resize(OVER_PX)
        eventually(lambda: not self.names(window), "the people to go")
        window.resize(BESIDE_PX)
        self.wait_for_names(window, "Анна (you)", "Борис")

    def test_they_outlive_a_lost_connection(self):
        window = self.open_people(BESIDE_PX)
        self.wait_for_names(window, "Анна (you)", "Борис")
        self.server.stop()
        window.wait_for("alert")
        self.assertEqual(self.names(window), ["Анна (you)", "Борис"])
        self.server.start()
        self.wait_for_names(window, "Анна (you)")

    def test_russian_counts_as_russians_do(self):
        window = self.open_people(BESIDE_PX, **russian())
        self.wait_for_count(window, "2 человека в сети", "Участники")
        self.assertEqual(self.names(window, "Участники"), ["Анна (вы)", "Борис"])
        for n in range(3):
            self.let_join(self.server, f"Гость {n}")
        self.wait_for_count(window, "5 человек в сети", "Участники")


class Bots(WindowTest):
    tolerated = "unable to send notifications"

    def setUp(self):
        self.server = self.start_server(self.temporary_folder())
        self.bot = Member(self.server, "Сборка")
        self.addCleanup(self.bot.close)
        self.server.ctl("bot", "Сборка", "on")

    def check(self, window, people, mark):
        window.resize(OVER_PX)
        self.bot.say("build 7 is done")
        self.wait_for_sentence(window, f"Сборка ({mark}), ")
        window.resize(BESIDE_PX)
        window.press("F9")
        self.wait_for_person(window, people, f"Сборка ({mark})")
        self.server.ctl("bot", "Сборка", "off")
        self.wait_for_sentence(window, "Сборка, ")
        self.wait_for_person(window, people, "Сборка")
        self.assertIsNone(window.find("label", mark))

    def wait_for_sentence(self, window, beginning):
        """Waits for what the bot said to be read out like this, and for the mark to be there or not."""

        def is_read_out():
            row = window.wait_for_row(": build 7 is done")
            return row.get_name().startswith(beginning)

        eventually(is_read_out, f"a sentence that begins with {beginning!r}")
        mark = beginning.partition("(")[2].partition(")")[0]
        if mark:
            label = window.wait_for("label", mark, within=window.wait_for_row(": build 7 is done"))
            extents = window.extents(label)
            self.assertLess(extents.x + extents.width, OVER_PX)

    def wait_for_person(self, window, people, name):
        def is_listed():
            listed = window.find("list", people)
            return listed and name in [person.get_name() for person in children(listed)]

        eventually(is_listed, f"{name!r} in the list")

    def test_a_bot_is_marked_beside_its_name_and_read_out_as_one(self):
        self.check(self.open_joined(self.server), "People", "bot")

    def test_in_russian_too(self):
        self.check(self.open_joined(self.server, **russian()), "Участники", "бот")


if __name__ == "__main__":
    unittest.main()
