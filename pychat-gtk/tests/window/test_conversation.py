"""Talking, and reading what was said."""

import re
import subprocess
import unittest

from patience import settled
from servers import SERVER_AUTHOR
from support import (
    Atspi,
    WindowTest,
    children,
    eventually,
    is_sensitive,
    role_of,
    hebrew,
    walk,
)


class Conversation(WindowTest):
    def setUp(self):
        self.server = self.start_server()

    def test_an_empty_room_says_something_friendly(self):
        window = self.open_joined(self.server)
        window.wait_for("label", "No Messages Yet")
        window.wait_for("label", "Welcome, Анна. Nobody else is here yet.")

    def test_author_time_and_text_are_shown_and_read_out(self):
        window = self.open_joined(self.server)
        peer = self.let_join(self.server, "Борис")
        peer.say("Привет!\nКак дела?\n")
        row = window.wait_for_row("Как дела?")
        self.assertRegex(row.get_name(), r"^Борис, \d\d:\d\d: Привет!\nКак дела\?$")
        labels = [it.get_name() for it in walk(row) if it.get_role_name() == "label"]
        self.assertEqual(labels[:2], ["Борис", "Привет!\nКак дела?"])
        self.assertRegex(labels[2], r"^\d\d:\d\d$")

    def test_the_button_sends(self):
        window = self.open_joined(self.server)
        peer = self.let_join(self.server, "Борис")
        window.write("Message", "раз\nдва")
        window.click("Send")
        self.assertEqual(peer.hear_from("Анна"), "раз\nдва")
        row = window.wait_for_row("раз\nдва")
        self.assertRegex(row.get_name(), r"^You, \d\d:\d\d: ")
        self.assertEqual(window.draft(), "")

    def test_alt_enter_sends(self):
        window = self.open_joined(self.server)
        peer = self.let_join(self.server, "Борис")
        for n, keys in enumerate(["alt+Return", "alt+KP_Enter"]):
            window.wait_for("text", "Message")
            for key in [str(n), "shift+Return", "x", keys]:
                window.press(key)
            self.assertEqual(peer.hear_from("Анна"), f"{n}\nx")
            eventually(lambda: window.draft() == "", "the text to be gone")

    def test_blanks_are_not_sent(self):
        window = self.open_joined(self.server)
        peer = self.let_join(self.server, "Борис")
        window.write("Message", " \n ")
        self.assertFalse(is_sensitive(window.wait_for("push button", "Send")))
        window.press("alt+Return")
        window.write("Message", "words")
        window.press("alt+Return")
        self.assertEqual(peer.hear_from("Анна"), "words")

    def test_people_come_and_go(self):
        window = self.open_joined(self.server)
        peer = self.let_join(self.server, "Борис")
        window.wait_for_row("Борис joined the chat.")
        peer.close()
        window.wait_for_row("Борис left the chat.")

    def test_nothing_is_taken_for_markup(self):
        name, text = "<i>A</i>&amp;", "<b>bold</b> &amp; <span"
        original = self.start_original()  # It takes any name.
        window = self.open("--name", "Анна", original.address)
        original.let_in(name)
        window.wait_for_title(f"{name} — {original.address}")
        placeholder = window.wait_for("panel", "No Messages Yet")
        window.wait_for("label", f"Welcome, {name}. Nobody else is here yet.", placeholder)
        original.say("<s>B</s>", text)
        row = window.wait_for_row(text)
        labels = [it.get_name() for it in walk(row) if it.get_role_name() == "label"]
        self.assertEqual(labels[:2], ["<s>B</s>", text])

    def test_a_very_long_text_is_shown_bit_by_bit(self):
        window = self.open_joined(self.server)
        peer = self.let_join(self.server, "Борис")
        for text, shown in [
            ("x" * 30_000, "x" * 2_000),
            ("line\n" * 6_000, "\n".join(["line"] * 40)),
            ("word " * 6_000, " ".join(["word"] * 400)),
        ]:
            peer.say(text)
            row = window.wait_for_row(f": {shown}…")
            window.click("Show More", row)
            eventually(lambda: any(len(it.get_name()) > len(shown) for it in walk(row)
                                   if it.get_role_name() == "label"), "more")
            window.click("Show Less", row)
            window.wait_for_row(f": {shown}…")
            peer.say("after it")
            window.wait_for_row(": after it")

    def test_a_burst_is_shown_in_order(self):
        original = self.start_original()
        window = self.open("--name", "Анна", original.address)
        original.let_in()
        for n in range(150):
            original.say("Борис", f"number {n}")

        def numbers():
            numbers = [re.search(r"number (\d+)$", row.get_name()) for row in window.rows()]
            return [int(it[1]) for it in numbers if it]

        eventually(lambda: numbers()[-1:] == [149], "the last of them")
        seen = set()

        def is_seen_to_the_first():
            looked_at = numbers()
            if looked_at == list(range(looked_at[0], looked_at[-1] + 1)):
                seen.update(looked_at)
                window.scroll("up", 3)
            return seen == set(range(150))

        eventually(is_seen_to_the_first, "all of them in order")

    def test_a_flood_into_an_empty_room_ends_in_view(self):
        modern = self.start_modern()
        window = self.open("--name", "Анна", modern.address)
        modern.let_in()
        for n in range(1, 20_001):
            modern.record(n, "Борис", f"number {n}")
        row = window.wait_for_row("number 20000")
        page = window.extents(window.wait_for("list", "Messages"))

        def is_in_view():
            place = window.extents(row)
            return page.y <= place.y < place.y + place.height <= page.y + page.height

        eventually(is_in_view, "the last message to be in view")


class Time(WindowTest):
    """When each message was said, at the end of its text."""

    def open_at(self, **environment):
        server = self.start_server()
        self.window = self.open_joined(server, **environment)
        self.peer = self.let_join(server, "Борис")

    def parts(self, text):
        """Returns where text and time of a message are."""
        row = self.window.wait_for_row(text)
        shown, time = (
            next(it for it in walk(row) if role_of(it) == "label" and is_meant(it.get_name()))
            for is_meant in (text.__eq__, re.compile(r"\d\d:\d\d").fullmatch)
        )
        return self.window.extents(shown), self.window.extents(time)

    def test_it_stands_beside_the_last_line_or_below_where_there_is_no_room(self):
        self.open_at()
        kinds = set()
        for n in [1, 2, *range(60, 100, 3)]:
            text = " ".join(["word"] * (n // 4) + ["w" * (1 + n % 4), f"{n}."])
            self.peer.say(text)
            shown, time = self.parts(text)
            self.assertAlmostEqual(time.x + time.width, shown.x + shown.width, delta=1)
            kinds.add("beside" if time.y < shown.y + shown.height else "below")
        self.assertEqual(kinds, {"beside", "below"})

    def test_it_stands_at_the_other_side_where_one_reads_from_the_right(self):
        self.open_at(**hebrew())
        self.peer.say("שלום")
        shown, time = self.parts("שלום")
        self.assertAlmostEqual(time.x, shown.x, delta=1)

    def test_it_alone_tells_the_date_when_pointed_at(self):
        self.open_at()
        self.peer.say("a few words")
        shown, time = self.parts("a few words")
        n_windows = self.count_windows()
        self.point(time)
        eventually(lambda: self.count_windows() == n_windows + 1, "the date")
        self.point(shown)
        eventually(lambda: self.count_windows() == n_windows, "the date to go")

    def point(self, area):
        at = [str(area.x + 12), str(area.y + area.height // 2)]
        subprocess.run(["xdotool", "mousemove", *at, "mousemove_relative", "2", "0"], check=True)

    def count_windows(self):
        search = ["xdotool", "search", "--onlyvisible", "--pid", str(self.window.process.pid)]
        return len(subprocess.check_output(search).split())


class Delivery(WindowTest):
    """What becomes of what one says."""

    def setUp(self):
        self.modern = self.start_modern()
        self.window = self.open("--name", "Анна", self.modern.address)
        self.modern.let_in()

    def say(self, text):
        self.window.write("Message", text)
        self.window.click("Send")
        return self.modern.hear("text")["id"]

    def texts(self):
        return [row.get_name().rpartition(": ")[2] for row in self.window.rows()]

    def test_a_message_is_on_its_way_until_the_server_has_it(self):
        one, two = self.say("one"), self.say("two")
        self.window.wait_for_row(": two")
        self.assertEqual(self.window.descriptions(), {"one": "Sending…", "two": "Sending…"})
        row = self.window.wait_for_row(": one")
        eventually(lambda: self.window.find("image", "Sending…", row), "the clock")
        self.modern.record(1, "Борис", "in between")
        eventually(lambda: self.texts()[1:] == ["in between", "one", "two"], "the server's order")
        self.modern.record(2, "Анна", "one", id=one)
        eventually(lambda: self.window.descriptions() == {"two": "Sending…"}, "one to be sent")
        self.assertIsNone(self.window.find("image", "Sending…", self.window.wait_for_row(": one")))
        self.modern.record(3, "Анна", "two", id=two)
        eventually(lambda: self.window.descriptions() == {}, "two to be sent")
        self.assertEqual(self.texts()[1:], ["in between", "one", "two"])

    def test_a_message_that_is_refused_can_be_sent_again_or_discarded(self):
        for text in ["one", "two"]:
            self.modern.client.write({
                "type": "error", "code": "bad_payload", "text": "not now", "ref": self.say(text),
            })
        reason = "Not sent. The server did not understand the request."
        failed = {"one": reason, "two": reason}
        eventually(lambda: self.window.descriptions() == failed, "the refusals")
        row = self.window.wait_for_row(": one")
        self.window.wait_for("label", reason, row)
        self.window.click("Send Again", row)
        again = self.modern.hear("text")
        self.assertEqual(again["content"], "one")
        self.modern.record(1, "Анна", "one", id=again["id"])
        eventually(lambda: self.texts()[1:] == ["one", "two"], "the refused one after the sent one")
        self.assertEqual(self.window.descriptions(), {"two": reason})

        more = self.window.wait_for("push button", "More", self.window.wait_for_row(": two"))
        Atspi.Action.do_action(next(children(more)), 0)
        self.window.wait_for("menu item", "Copy")
        Atspi.Action.do_action(self.window.wait_for("menu item", "Discard"), 0)
        eventually(lambda: self.texts()[1:] == ["one"], "it to be gone")


# The most messages that the client has on show.
N_KEPT = 10_000


class Past(WindowTest):
    """What was said before."""

    def open_at(self, last):
        self.modern = self.start_modern()
        self.window = self.open("--name", "Анна", self.modern.address)
        self.modern.let_in(last)
        return self.page()

    def page(self):
        """Answers one request for history."""
        request = self.modern.hear("history")
        begin = max(1, request["before"] - request["limit"])
        for seq in range(begin, request["before"]):
            text = f"number {seq}\n" + "word " * (7 * seq % 60)
            self.modern.record(seq, "Борис", text, replay=True)
        self.modern.client.write({
            "type": "page", "before": request["before"], "count": request["before"] - begin,
            "start": begin == 1,
        })
        return begin

    def row(self, n):
        pattern = re.compile(rf": number {n}$", re.MULTILINE)
        return next((it for it in self.window.rows() if pattern.search(it.get_name())), None)

    def bottom(self, row):
        extents = self.window.extents(row)
        return extents.y + extents.height

    def end_of(self, n):
        """Returns where row `n` ends once it has come to rest: above its text there may be more or
        less to say, depending on what comes before."""
        looks = []

        def is_settled():
            row = self.row(n)
            looks.append(row and self.bottom(row))
            return row and looks[-3:-1] == [looks[-1]] * 2

        eventually(is_settled, "the list to come to rest")
        return looks[-1]

    def test_the_last_page_is_there_and_older_ones_come_above_without_moving_what_is_read(self):
        self.assertEqual(self.open_at(200), 151)
        eventually(lambda: self.row(200), "the last message")
        self.window.wait_for_row("Welcome, Анна.")
        self.modern.client.connection.settimeout(0.5)
        with self.assertRaises(TimeoutError, msg="nobody has asked for more"):
            self.modern.client.read()
        self.modern.client.connection.settimeout(15)

        self.window.scroll("up", 80)
        eventually(lambda: self.row(151), "the first message of the page")
        before = self.end_of(151)
        self.assertEqual(self.page(), 101)
        self.modern.record(201, "Борис", "number 201")  # Once it is counted, the page is there too.
        eventually(lambda: self.window.n_missed() == 1, "the message after the page")
        self.assertAlmostEqual(self.end_of(151), before, delta=1)
        self.window.scroll("up", 1)
        eventually(lambda: self.row(150), "the older messages")
        self.window.scroll("up", 80)
        self.assertEqual(self.page(), 51)
        self.window.scroll("up", 80)
        self.assertEqual(self.page(), 1)
        self.window.scroll("up", 80)
        eventually(lambda: self.row(1), "the first message of all")

    def test_what_there_was_no_room_for_comes_back_and_so_does_the_end(self):
        self.assertEqual(self.open_at(100), 51)
        last = 100 + N_KEPT + 20
        for seq in range(101, last + 1):
            self.modern.record(seq, "Борис", f"number {seq}")
        eventually(lambda: self.row(last), "the last message")
        self.window.focus()
        self.window.press("shift+Tab")
        eventually(lambda: (it := self.window.focused()) and it.get_name().endswith(f" {last}"),
                   "the focus on the last message")
        self.window.press("Home")
        self.assertEqual(self.page(), last - N_KEPT + 1 - 50)
        self.modern.record(last + 1, "Борис", f"number {last + 1}")
        eventually(lambda: self.window.n_missed() == 1, "the way back, with a count")
        self.window.scroll("up", 1)
        eventually(lambda: self.row(last - N_KEPT), "what had been forgotten")

        self.window.press("End")
        eventually(lambda: self.row(last + 1), "the end")
        eventually(lambda: self.numbers()[-10:] == list(range(last - 8, last + 2)), "all of it")
        eventually(lambda: not self.window.way_back(), "no way back")

    def numbers(self):
        """Returns the numbers of the messages; of one that is being laid out there is none."""
        names = [row.get_name() or "" for row in self.window.rows()]
        numbers = [re.search(r": number (\d+)$", name) for name in names]
        return [int(number[1]) for number in numbers if number]

    def test_a_short_page_is_filled_up_until_there_is_enough_to_see(self):
        self.modern = self.start_modern()
        self.window = self.open("--name", "Анна", self.modern.address)
        self.modern.let_in(60)
        for begin, before in [(60, 61), (59, 60), (1, 59)]:
            self.assertEqual(self.modern.hear("history")["before"], before)
            for seq in range(begin, before):
                self.modern.record(seq, "Борис", f"number {seq}", replay=True)
            self.modern.client.write({
                "type": "page", "before": before, "count": before - begin, "start": begin == 1,
            })
        eventually(lambda: self.row(60), "the end of the list")


class Scrolling(WindowTest):
    """Where the list is, is asked of its rows: its scrollbar alone proves nothing."""

    def setUp(self):
        self.original = self.start_original()
        narrow = self.with_settings(("window-width", 640))  # As wide as beside a list of rooms.
        self.window = self.open("--name", "Анна", self.original.address, **narrow)
        self.original.let_in()
        self.say(0, 40)

    def say(self, begin, end):
        for n in range(begin, end):
            self.original.say("Борис", f"number {n}\n" + "word " * (7 * n % 60))

    def row(self, n):
        pattern = re.compile(rf": number {n}$", re.MULTILINE)
        return next((it for it in self.window.rows() if pattern.search(it.get_name())), None)

    def is_in_view(self, n):
        row = self.row(n)
        if row is None:
            return False
        view = self.window.extents(self.window.find("list", "Messages").get_parent().get_parent())
        bounds = self.window.extents(row)
        is_below_top = view.y <= bounds.y
        is_above_bottom = bounds.y + bounds.height <= view.y + view.height
        return 0 < bounds.height and is_below_top and is_above_bottom

    def focused_number(self):
        focused = self.window.focused()
        number = focused and re.search(r"number (\d+)", focused.get_name() or "")
        return number and int(number[1])

    def wait_for_end(self, n):
        eventually(lambda: self.is_in_view(n), f"number {n} in view")

    def scroll_up(self):
        """Scrolls, and returns a message that has come into view by that.

        A row that leaves the view between two frames is still said to be where it was.
        """
        first = next(n for n in range(40) if self.is_in_view(n))
        self.window.scroll("up", 8)

        def find():
            return next((n for n in range(1, first) if self.is_in_view(n)), None)

        return eventually(find, "the list to be scrolled")

    def test_the_list_stays_at_its_end(self):
        self.wait_for_end(39)
        for n in range(40, 60):
            self.say(n, n + 1)
        self.wait_for_end(59)

    def test_after_a_flood_its_end_is_in_view(self):
        self.say(40, 20_000)
        self.wait_for_end(19_999)

    def test_a_reader_who_scrolled_up_is_not_moved(self):
        self.wait_for_end(39)
        n = self.scroll_up()
        before = self.settled_y(n)
        self.say(40, 60)
        eventually(lambda: self.window.n_missed() == 20, "the last message")
        self.assertEqual(self.settled_y(n), before)
        self.assertFalse(self.is_in_view(59))

        self.window.scroll("down", 100)
        self.wait_for_end(59)
        self.say(60, 61)
        self.wait_for_end(60)

    def test_the_keyboard_scrolls_too(self):
        self.wait_for_end(39)
        self.window.press("shift+Tab")
        eventually(lambda: self.focused_number() == 39, "the focus on the newest message")
        for _ in range(3):
            self.window.press("Page_Up")
        # Between two rows nothing has it.
        eventually(lambda: (self.focused_number() or 39) < 30, "the focus further up")
        n = self.focused_number()
        before = self.settled_y(n)
        self.say(40, 50)
        eventually(lambda: self.window.n_missed() == 10, "the last message")
        self.assertEqual(self.settled_y(n), before)
        self.window.press("End")
        self.wait_for_end(49)

    def test_who_says_something_is_taken_to_the_end(self):
        self.wait_for_end(39)
        self.scroll_up()
        self.window.write("Message", "number 40")
        self.window.press("alt+Return")
        self.assertEqual(self.original.client.read()["content"], "number 40")
        self.original.say("Вы", "number 40")
        self.wait_for_end(40)

    def test_two_thousand_messages_are_followed_to_the_last(self):
        self.say(40, 2_000)
        self.wait_for_end(1_999)
        self.original.say(SERVER_AUTHOR, "Вика присоединился к чату.")
        self.window.wait_for_row("Вика joined the chat.")

    def settled_y(self, n):
        """Returns where row `n` is, once it has come to rest."""
        return settled(lambda: self.window.extents(self.row(n)).y, f"number {n}")


if __name__ == "__main__":
    unittest.main()
