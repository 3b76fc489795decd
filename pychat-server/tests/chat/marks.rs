//! Marks of what was seen, and the word that somebody is writing.

use std::time::Duration;

use pychat_server::core::{
    chat::{Effect, Event, RoomView, TYPING_PAUSE, TYPING_PRESENT_MAX},
    id::{HALL, RoomId},
    people::People,
    record::{PersonId, ReadMark, Request},
    secret::Secret,
};
use pychat_wire::{ClientMessage, message::RoomKind};

use super::{
    Room,
    house::{House, add, create, direct, join, line, refusals, text, view},
    name, told,
};

const ONE: RoomId = RoomId(1);

fn read(room: RoomId, seq: u64) -> ClientMessage<'static> {
    ClientMessage::Read { room: room.on_wire(), seq }
}

fn typing(room: RoomId) -> ClientMessage<'static> {
    ClientMessage::Typing { room: room.on_wire() }
}

impl House {
    /// Returns the marks that the store was asked to keep since this was asked last.
    fn marks(&mut self) -> Vec<(RoomId, u64, u64)> {
        let stored = std::mem::take(&mut self.stored);
        let marks = stored.into_iter().filter_map(|request| match request {
            Request::Mark(ReadMark { room, person, seq }) => Some((room, person.0, seq)),
            _ => None,
        });
        marks.collect()
    }

    /// Somebody comes by another line; returns their rooms.
    fn rooms_at(&mut self, number: u32, name: &str, device: u8) -> Vec<RoomView> {
        let effects = self.enter(number, name, device);
        let welcome = effects.into_iter().find_map(|effect| match effect {
            Effect::Tell { event: Event::Welcome { rooms, .. }, .. } => Some(rooms),
            _ => None,
        });
        welcome.expect("a welcome")
    }
}

#[test]
fn what_was_seen_only_grows_and_other_devices_hear_of_it() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.enter(3, "Анна", 1);
    for _ in 0..5 {
        house.says(
            2,
            ClientMessage::Text { room: "".into(), content: "x".into(), id: None, reply: None },
        );
    }
    for id in ["1", "2", "3"] {
        house.says(2, text(HALL, "x", id));
    }
    house.marks();
    let told_of = |seq| [told(line(3), Event::Read { room: HALL, seq })];
    assert_eq!(house.says(1, read(HALL, 2)), told_of(2));
    assert_eq!(house.says(1, read(HALL, 2)), []);
    assert_eq!(house.says(1, read(HALL, 1)), []);
    assert_eq!(house.says(1, read(HALL, 0)), []);
    assert_eq!(house.says(1, read(HALL, u64::MAX)), told_of(3), "no further than there is");
    assert_eq!(house.says(1, read(HALL, 4)), []);
    assert_eq!(house.marks(), [(HALL, 1, 2), (HALL, 1, 3)]);
}

#[test]
fn who_tells_what_cannot_be_stored_is_told_what_is() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.enter(3, "Анна", 1);
    for id in ["1", "2", "3"] {
        house.says(2, text(HALL, "x", id));
    }
    house.says(1, read(HALL, 1));
    house.is_full = true;
    let kept = [told(line(1), Event::Read { room: HALL, seq: 1 })];
    assert_eq!(house.says(1, read(HALL, 3)), kept);
    house.is_full = false;
    let told_of = [told(line(3), Event::Read { room: HALL, seq: 3 })];
    assert_eq!(house.says(1, read(HALL, 3)), told_of);
}

#[test]
fn messages_of_others_are_counted_and_nothing_else() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.makes(1, create(RoomKind::Closed, "a"));
    house.asks(1, add(ONE, "Борис"), "1");
    house.says(1, text(ONE, "one", "2"));
    house.says(2, text(ONE, "two", "2"));
    house.says(1, text(ONE, "three", "3"));
    house.asks(1, create(RoomKind::Closed, "b"), "4");
    let seen = |views: Vec<RoomView>| (views[1].last, views[1].read, views[1].unread);
    assert_eq!(seen(house.rooms_at(3, "Анна", 1)), (5, 5, 0), "she said the last");
    assert_eq!(seen(house.rooms_at(4, "Борис", 2)), (5, 4, 1), "he has seen what he said");
    house.says(1, text(ONE, "four", "7"));
    house.says(2, read(ONE, 5));
    assert_eq!(seen(house.rooms_at(5, "Борис", 2)), (6, 5, 1));
    house.asks(1, super::house::remove(ONE, "Борис"), "5");
    house.asks(1, add(ONE, "Борис"), "6");
    assert_eq!(seen(house.rooms_at(6, "Борис", 2)), (8, 8, 0), "the past is no news");
}

#[test]
fn whoever_is_new_has_missed_nothing() {
    let mut house = House::with(&["Анна"]);
    for id in ["1", "2"] {
        house.says(1, text(HALL, "x", id));
    }
    house.marks();
    let hall = house.rooms_at(2, "Борис", 2).remove(0);
    assert_eq!((hall.last, hall.read, hall.unread), (2, 2, 0));
    assert_eq!(house.marks(), [(HALL, 2, 2)]);
    house.says(1, text(HALL, "x", "3"));
    let hall = house.rooms_at(3, "Борис", 2).remove(0);
    assert_eq!((hall.last, hall.read, hall.unread), (3, 2, 1));
    assert_eq!(house.marks(), []);
    house.is_full = true;
    let hall = house.rooms_at(4, "Вера", 4).remove(0);
    assert_eq!((hall.last, hall.read, hall.unread), (3, 3, 0), "also if that cannot be stored");
}

#[test]
fn the_others_in_a_direct_room_hear_that_somebody_is_writing_but_seldom() {
    let mut house = House::with(&["Анна", "Борис", "Вера"]);
    house.enter(4, "Анна", 1);
    house.enter(5, "Борис", 2);
    house.makes(1, direct(&["Борис"]));
    let writing =
        |room| [2, 5].map(|number| told(line(number), Event::Typing { room, name: name("Анна") }));
    assert_eq!(house.says(1, typing(ONE)), writing(ONE));
    assert_eq!(house.says(4, typing(ONE)), [], "one person, though two devices");
    house.room.pass(TYPING_PAUSE.saturating_sub(Duration::from_millis(1)));
    assert_eq!(house.says(1, typing(ONE)), []);
    house.room.pass(Duration::from_millis(1));
    assert_eq!(house.says(4, typing(ONE)), writing(ONE));
    assert_eq!(house.says(1, typing(HALL)).len(), 3, "in the hall too");
}

#[test]
fn nobody_hears_of_writing_where_many_are() {
    let mut house = House::of(Room::of(People::new(Secret::new([7; 32]), [], PersonId(0))));
    for number in 1..=TYPING_PRESENT_MAX {
        let number = u8::try_from(number).expect("few");
        house.enter(number.into(), &format!("n{number}"), number);
        if number == 1 {
            house.makes(1, create(RoomKind::Open, "a"));
        } else {
            house.asks(number.into(), join(ONE), "1");
        }
    }
    assert_eq!(house.says(2, typing(ONE)).len(), TYPING_PRESENT_MAX - 1);
    assert_eq!(house.says(2, typing(HALL)).len(), TYPING_PRESENT_MAX - 1);
    house.enter(99, "other", 99);
    house.room.pass(TYPING_PAUSE);
    assert_eq!(house.says(2, typing(HALL)), []);
    assert_eq!(house.says(2, typing(ONE)).len(), TYPING_PRESENT_MAX - 1);
    house.asks(99, join(ONE), "1");
    house.room.pass(TYPING_PAUSE);
    assert_eq!(house.says(2, typing(ONE)), []);
    house.room.closed(line(99), pychat_server::core::chat::CloseReason::Quit);
    house.room.pass(TYPING_PAUSE);
    assert_eq!(house.says(2, typing(ONE)).len(), TYPING_PRESENT_MAX - 1, "present, not members");
}

#[test]
fn what_is_seen_elsewhere_is_refused() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.makes(1, create(RoomKind::Open, "a"));
    for message in [read(ONE, 1), typing(ONE)] {
        assert_eq!(refusals(&house.says(2, message)).len(), 1);
    }
    let effects = house.asks(2, join(ONE), "1");
    assert_eq!(view(&effects, 2).read, 1);
}
