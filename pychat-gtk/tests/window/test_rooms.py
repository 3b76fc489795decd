"""Rooms and direct talks: the list beside the conversation, what is new in each, and the ways between."""

import contextlib
import unittest

import test_devices
from servers import Member
from support import (
    PATIENCE_S, Atspi, GLib, WindowTest, activate_action, children, eventually, forget, role_of,
    text_of, walk,
)

NARROW_PX = 400

# What is said in rooms that are not shown is notified of, and here is nobody who would show it.
NO_NOTIFICATIONS = "unable to send notifications"


class RoomsTest(WindowTest):
    tolerated = NO_NOTIFICATIONS

    def setUp(self):
        self.server = self.start_server(self.temporary_folder())
        self.window = self.open_joined(self.server)
        self.boris = self.member("Борис")
        self.window.focus()

    def member(self, name):
        member = Member(self.server, name)
        self.addCleanup(member.close)
        return member

    def listed(self, window=None):
        """The rooms in the list, as they are read out."""
        conversations = (window or self.window).find("list", "Conversations")
        rows = [] if conversations is None else children(conversations)
        return [row.get_name() for row in rows if role_of(row) == "list item"]

    def wait_for_listed(self, *expected, window=None):
        with contextlib.suppress(AssertionError):
            eventually(lambda: self.listed(window) == list(expected), f"{expected}")
        self.assertEqual(self.listed(window), list(expected))

    def wait_for_room(self, name):
        """Waits for a room in the list that is read out like this, and returns its row."""
        conversations = self.window.wait_for("list", "Conversations")
        return self.window.wait_for("list item", name, within=conversations)

    def enter(self, name):
        """Opens a room by the mouse."""
        self.window.click_at(self.wait_for_room(name))
        self.wait_for_shown(name.partition(",")[0])

    def shown(self):
        """The title of what is shown: the first label of the conversation's header, before its pages."""
        forget(self.window.frame)
        labels = (it.get_name() for it in walk(self.window.frame) if role_of(it) == "label")
        return next(labels, None)

    def wait_for_shown(self, title):
        """Waits for the room to be shown, and for the keyboard to be where one writes in it."""
        eventually(lambda: self.shown() == title, f"{title!r} to be shown")

    def wait_for_focus(self, role, name):
        def is_there():
            focused = self.window.focused()
            return focused and (role_of(focused), focused.get_name()) == (role, name)

        eventually(is_there, f"the focus on {role} {name!r}")

    def choose(self, item, button="Main Menu"):
        """Chooses something in a menu."""
        self.window.click_at(self.window.wait_for("push button", button))
        item = self.window.wait_for("menu item", item)
        Atspi.Action.do_action(item, 0)

    def say(self, text):
        self.window.write("Message", text)
        self.window.click("Send")
        self.window.wait_for_row(text)


class News(RoomsTest):
    def test_people_stand_above_rooms_and_each_says_what_is_new(self):
        kitchen = self.boris.create("Kitchen", kind="closed")
        self.boris.request("add_member", room=kitchen, username="Анна")
        self.wait_for_listed("Everyone", "Kitchen")
        direct = self.boris.direct("Анна")
        self.boris.say("psst", room=direct)
        self.wait_for_listed("Борис, 1 unread", "Everyone", "Kitchen")
        self.boris.say("@Анна look", room=direct)
        self.wait_for_listed("Борис, 2 unread, 1 mention", "Everyone", "Kitchen")
        self.boris.say("tea", room=kitchen)
        self.wait_for_listed("Борис, 2 unread, 1 mention", "Everyone", "Kitchen, 1 unread")
        self.enter("Борис, 2 unread, 1 mention")
        self.window.wait_for_row(": @Анна look")
        self.wait_for_listed("Борис", "Everyone", "Kitchen, 1 unread")

    def test_what_is_said_where_one_is_not_is_new_and_moves_nobody(self):
        self.enter_direct()
        self.boris.say("to all")
        self.wait_for_listed("Борис", "Everyone, 1 unread")
        self.assertEqual(self.shown(), "Борис")
        self.enter("Everyone, 1 unread")
        self.window.wait_for_row(": to all")
        self.wait_for_listed("Борис", "Everyone")

    def test_those_who_write_are_told_of_in_a_line_that_moves_nothing(self):
        direct = self.enter_direct()
        place = self.window.extents(self.window.wait_for("text", "Message")).y
        self.boris.write({"type": "typing", "room": direct})
        self.window.wait_for("label", "Борис is typing…")
        self.assertEqual(self.window.extents(self.window.wait_for("text", "Message")).y, place)
        self.boris.say("there", room=direct)
        eventually(lambda: not self.window.find("label", "Борис is typing…"), "the line to go")

    def test_others_are_told_that_one_writes(self):
        direct = self.enter_direct()
        self.window.write("Message", "a")
        self.assertEqual(self.boris.hear("typing")["room"], direct)

    def enter_direct(self):
        direct = self.boris.direct("Анна")
        self.enter("Борис")
        return direct


class Away(RoomsTest):
    def test_a_mention_that_came_while_one_was_away_is_counted(self):
        kitchen = self.boris.create("Kitchen", kind="closed")
        self.boris.request("add_member", room=kitchen, username="Анна")
        self.wait_for_listed("Everyone", "Kitchen")
        activate_action("quit")
        self.window.process.wait(PATIENCE_S)
        self.boris.say("@Анна look", room=kitchen)
        self.boris.say("tea", room=kitchen)
        eventually(lambda: self.finds("look"), "the server to find it")
        self.window = self.open_joined(self.server)
        self.window.focus()
        self.wait_for_listed("Everyone", "Kitchen, 2 unread, 1 mention")
        self.enter("Kitchen, 2 unread, 1 mention")
        self.window.wait_for_row(": tea")
        self.wait_for_listed("Everyone", "Kitchen")

    def finds(self, words):
        """Returns true once the server finds something with these words: a second after that was said."""
        self.boris.write({"type": "search", "ref": "s", "query": words, "limit": 1})
        while (payload := self.boris.read())["type"] != "found_end":
            if payload["type"] == "found":
                return True
        return False


class Ways(RoomsTest):
    def test_keys_lead_up_and_down_the_list(self):
        self.boris.direct("Анна")
        kitchen = self.boris.create("Kitchen", kind="closed")
        self.boris.request("add_member", room=kitchen, username="Анна")
        self.wait_for_listed("Борис", "Everyone", "Kitchen")
        for keys, title in [
            ("alt+Down", "Kitchen"), ("alt+Down", "Kitchen"), ("alt+Up", "Everyone"),
            ("alt+Up", "Борис"), ("alt+Down", "Everyone"),
        ]:
            self.window.press(keys)
            self.wait_for_shown(title)
            self.wait_for_focus("text", "Message")

    def test_a_talk_with_somebody_begins_in_the_list_of_people(self):
        self.window.press("F9")
        people = self.window.wait_for("list", "People")
        self.window.click_at(self.window.wait_for("list item", "Борис", within=people))
        item = self.window.wait_for("menu item", "Message Privately")
        Atspi.Action.do_action(item, 0)
        self.wait_for_shown("Борис")
        room = self.boris.hear("room", kind="direct")
        self.say("psst")
        self.assertEqual(self.boris.hear("message", room=room["room"])["content"], "psst")

    def test_in_a_narrow_window_the_list_takes_the_place_of_the_conversation(self):
        direct = self.boris.direct("Анна")
        self.wait_for_listed("Борис", "Everyone")
        self.window.resize(NARROW_PX)
        eventually(lambda: not self.listed(), "the list to go")
        self.boris.say("psst", room=direct)
        self.window.click("Conversations")
        self.wait_for_listed("Борис, 1 unread", "Everyone")
        self.assertIsNone(self.window.find("text", "Message"))
        self.boris.say("to all")
        self.wait_for_listed("Борис, 1 unread", "Everyone, 1 unread")  # Nobody sees it there.
        self.enter("Борис, 1 unread")
        self.window.wait_for_row(": psst")
        self.assertEqual(self.listed(), [])


class WithoutRooms(WindowTest):
    def test_a_server_that_knows_no_rooms_has_no_list(self):
        original = self.start_original()
        window = self.open("--name", "Анна", original.address)
        original.let_in()
        window.wait_for_title(f"Анна — {original.address}")
        self.assertIsNone(window.find("list", "Conversations"))
        self.assertIsNone(window.find("push button", "New Conversation"))


class Places(RoomsTest):
    def setUp(self):
        super().setUp()
        self.direct = self.boris.direct("Анна")
        self.wait_for_room("Борис")

    def test_each_room_keeps_what_is_being_written(self):
        self.window.write("Message", "to all of you")
        self.enter("Борис")
        eventually(lambda: self.window.draft() == "", "no draft")
        self.window.write("Message", "to you")
        self.enter("Everyone")
        eventually(lambda: self.window.draft() == "to all of you", "the draft")
        self.enter("Борис")
        eventually(lambda: self.window.draft() == "to you", "the other draft")

    def test_each_room_is_found_where_it_was_left(self):
        for n in range(60):
            self.boris.say(f"number {n}")
        self.window.wait_for_row(": number 59")
        self.window.scroll("up", 12)
        eventually(self.window.way_back, "to be away from the end")
        before = eventually(self.top, "a row at the top")
        self.enter("Борис")
        eventually(lambda: not self.window.way_back(), "another conversation")
        self.enter("Everyone")
        eventually(lambda: self.top() == before, f"{before} at the top")

    def test_each_room_keeps_its_search(self):
        self.boris.say("apple pie")
        self.window.wait_for_row(": apple pie")
        self.window.press("ctrl+f")
        self.window.write("Search the conversation", "apple")
        self.window.wait_for("label", "1 of 1")
        self.enter("Борис")
        eventually(lambda: not self.window.find("label", "1 of 1"), "the search to go")
        self.enter("Everyone")
        self.window.wait_for("label", "1 of 1")

    def top(self):
        """The first row that begins in view, and where."""
        for row in self.window.rows():
            with contextlib.suppress(GLib.Error):  # It has just gone.
                y = self.window.extents(row).y
                if 60 < y:
                    return row.get_name(), y
        return None


class Finder(RoomsTest):
    has_dialogs = True

    def find(self, text):
        self.window.press("ctrl+k")
        entry = eventually(
            lambda: self.window.find_anywhere("entry", "Find a Room or a Person"), "the entry"
        )
        Atspi.EditableText.set_text_contents(entry, text)
        return entry

    def test_rooms_and_people_are_found_by_their_names(self):
        kitchen = self.boris.create("Kitchen", kind="closed")
        self.boris.request("add_member", room=kitchen, username="Анна")
        self.wait_for_room("Kitchen")
        entry = self.find("kit")
        eventually(
            lambda: entry.get_description() == "Kitchen: 1 of 2", "what is found, read out"
        )
        self.window.press("Return")
        self.wait_for_shown("Kitchen")
        self.find("бор")
        eventually(
            lambda: self.window.find_anywhere("list item", "Борис"), "the person"
        )
        self.window.press("Return")
        self.wait_for_shown("Борис")

    def test_somebody_who_is_away_gets_it_when_they_come(self):
        self.boris.close()
        self.find("Борис")
        eventually(lambda: self.window.find_anywhere("list item", "Message Борис"), "the offer")
        self.window.press("Return")
        self.wait_for_shown("Борис")
        self.say("for later")
        boris = self.member("Борис")
        rooms = {room["kind"]: room for room in boris.welcome["rooms"]}
        self.assertEqual(rooms["direct"]["unread"], 1)


class Windows(RoomsTest):
    has_dialogs = True

    def wait_for_in(self, title, role, name=None):
        """Waits for something in another window of the client's, which has this title."""

        def find():
            dialog = self.window.find_dialog(title)
            return dialog and self.window.find(role, name, within=dialog)

        return eventually(find, f"{role} {name!r} in {title!r}")

    def begin_room(self, name):
        """Types the name of a room that is to be made."""
        self.choose("New Room…", "New Conversation")
        entry = self.wait_for_in("New Room", "text", "Name")
        Atspi.EditableText.set_text_contents(entry, name)
        return entry

    def click_anywhere(self, name):
        """Libadwaita 1.2 puts the name with its mnemonic before the name of a button."""
        names = (name, f"_{name} {name}")
        button = eventually(
            lambda: next(
                filter(None, (self.window.find_anywhere("push button", it) for it in names)), None
            ),
            f"the button {name!r}",
        )
        Atspi.Action.do_action(button, 0)

    def test_a_room_is_made_and_others_join_it(self):
        self.begin_room("Kitchen")
        self.click_anywhere("Create")
        self.wait_for_shown("Kitchen")
        self.window.wait_for("label", "Open room")
        eventually(lambda: "New Room" not in self.window.frames(), "the window to go")
        self.boris.write({"type": "rooms"})
        room = self.boris.hear("rooms")["rooms"][0]
        self.assertEqual(room["name"], "Kitchen")
        self.boris.request("join_room", room=room["room"])
        self.boris.say("tea?", room=room["room"])
        self.window.wait_for_row(": tea?")

    def test_a_name_that_is_taken_is_told_of_where_it_was_typed(self):
        self.boris.create("Kitchen")
        entry = self.begin_room("kitchen")
        self.click_anywhere("Create")
        self.wait_for_in("New Room", "alert")
        self.assertEqual(text_of(entry), "kitchen")

    def test_open_rooms_are_listed_and_joined(self):
        kitchen = self.boris.create("Kitchen", topic="Lunch")
        self.choose("Browse Rooms…", "New Conversation")
        self.click_anywhere("Join Kitchen")
        self.wait_for_shown("Kitchen")
        self.window.wait_for("label", "Lunch")
        self.say("cake")
        self.assertEqual(self.boris.hear("message", room=kitchen)["content"], "cake")

    def test_a_room_is_left(self):
        kitchen = self.boris.create("Kitchen", kind="closed")
        self.boris.request("add_member", room=kitchen, username="Анна")
        self.enter("Kitchen")
        self.choose("Conversation Details")
        self.click_anywhere("Leave Room…")
        self.click_anywhere("Leave")
        self.wait_for_shown("Everyone")
        self.wait_for_listed("Everyone")
        self.assertEqual(self.boris.hear("event", event="left")["username"], "Анна")

    def test_who_is_removed_is_shown_the_hall(self):
        kitchen = self.boris.create("Kitchen", kind="closed")
        self.boris.request("add_member", room=kitchen, username="Анна")
        self.enter("Kitchen")
        self.boris.request("remove_member", room=kitchen, username="Анна")
        self.wait_for_shown("Everyone")
        self.wait_for_listed("Everyone")

    def test_members_are_listed_added_and_removed(self):
        self.begin_room("Budget")
        Atspi.Action.do_action(self.wait_for_in("New Room", "check box"), 0)
        self.click_anywhere("Create")
        self.wait_for_shown("Budget")
        self.window.wait_for("label", "Closed room")
        self.choose("Conversation Details")
        self.click_anywhere("Add Person…")
        name = self.wait_for_in("Add Person", "text", "Name")
        Atspi.EditableText.set_text_contents(name, "Борис")
        self.click_anywhere("Add")
        room = self.boris.hear("room", kind="closed")["room"]
        menu = self.wait_for_in("Conversation Details", "push button", "Menu of Борис")
        Atspi.Action.do_action(next(it for it in children(menu) if role_of(it) == "push button"), 0)
        item = self.wait_for_in("Conversation Details", "menu item", "Remove from Room…")
        Atspi.Action.do_action(item, 0)
        self.click_anywhere("Remove")
        self.assertEqual(self.boris.hear("room_gone")["room"], room)


class ReadElsewhere(test_devices.LinkTest):
    tolerated = NO_NOTIFICATIONS

    def test_what_is_read_on_one_device_is_new_on_none(self):
        window = self.open_joined(self.server)
        other = self.other_device(self.open_link_to_add(window))
        other.click("Join")
        other.wait_for_title(f"Анна — {self.server.address}")
        # A window that closes gives the keyboard to another one of its client.
        eventually(lambda: "Add Device" not in window.frames(), "the link to go")
        boris = Member(self.server, "Борис")
        self.addCleanup(boris.close)
        room = boris.direct("Анна")
        boris.say("psst", room=room)
        row = other.wait_for("list item", "Борис, 1 unread")
        eventually(lambda: window.find("list item", "Борис, 1 unread"), "the news on the other")
        other.focus()
        other.click_at(row)
        other.wait_for_row(": psst")
        other.focus()  # Without a window manager, its dialogs may have given it to the first window.
        eventually(lambda: window.find("list item", "Борис"), "no news on the other")


if __name__ == "__main__":
    unittest.main()
