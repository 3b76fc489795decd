//! Rooms that nobody is in any more.

use std::time::Duration;

use pychat_server::core::{
    chat::{Effect, Event, Rules},
    id::RoomId,
    moderation::Order,
    record::Request,
    rooms::ROOMS_MADE_MAX,
};
use pychat_wire::{
    ClientMessage,
    message::{ErrorCode, RoomKind},
};

use super::{
    RULES,
    house::{
        House, add, create, duplicates, join, leave, line, records, refusals, remove, rename, text,
    },
};

const ONE: RoomId = RoomId(1);

/// Returns the rooms that are over among some effects.
fn over(effects: &[Effect]) -> Vec<RoomId> {
    let rooms = effects.iter().filter_map(|effect| match effect {
        Effect::EndRoom(room) => Some(*room),
        _ => None,
    });
    rooms.collect()
}

/// Returns the names of the open rooms, as the first person is told of them.
fn open(house: &mut House) -> Vec<String> {
    let effects = house.says(1, ClientMessage::Rooms);
    let rooms = effects.into_iter().find_map(|effect| match effect {
        Effect::Tell { event: Event::OpenRooms(rooms), .. } => Some(rooms),
        _ => None,
    });
    rooms.expect("a list").into_iter().map(|room| room.name).collect()
}

#[test]
fn a_closed_room_is_over_when_the_last_one_leaves() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.makes(1, create(RoomKind::Closed, "a"));
    house.says(1, text(ONE, "hi", "1"));
    house.asks(1, add(ONE, "Борис"), "2");
    assert_eq!(over(&house.asks(1, leave(ONE), "3")), []);
    let effects = house.asks(2, leave(ONE), "3");
    assert_eq!((records(&effects).len(), over(&effects)), (1, vec![ONE]));
    assert!(matches!(effects.last(), Some(Effect::EndRoom(ONE))), "once all is told");
    assert!(house.stored.contains(&Request::EndRoom(ONE)));
    for (request, id) in [
        (join(ONE), "4"),
        (add(ONE, "Борис"), "5"),
        (remove(ONE, "Борис"), "6"),
        (rename(ONE, "b"), "7"),
    ] {
        let effects = house.asks(1, request, id);
        assert_eq!(refusals(&effects)[0].0, ErrorCode::NoRoom);
    }
}

#[test]
fn an_open_room_stays_as_long_as_there_is_something_to_read_in_it() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.makes(1, create(RoomKind::Open, "read"));
    let mute = house.makes(1, create(RoomKind::Open, "mute"));
    assert_eq!(over(&house.asks(1, leave(mute), "1")), [mute]);
    house.says(1, text(ONE, "hi", "2"));
    assert_eq!(over(&house.asks(1, leave(ONE), "3")), []);
    assert_eq!(open(&mut house), ["read"]);
    assert_eq!(records(&house.asks(2, join(ONE), "1")).len(), 1);
    assert_eq!(over(&house.asks(2, leave(ONE), "2")), []);
    // The name of the other one is free.
    assert_eq!(house.makes(2, create(RoomKind::Open, "Mute")), RoomId(3));
    assert_eq!(open(&mut house), ["Mute", "read"]);
}

#[test]
fn a_room_that_somebody_comes_into_is_not_over() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.makes(1, create(RoomKind::Open, "a"));
    house.held = Some(Vec::new());
    house.asks(1, leave(ONE), "1");
    house.asks(2, join(ONE), "1");
    let effects = house.answers(&[0, 1]);
    assert_eq!((records(&effects).len(), over(&effects)), (2, vec![]));

    // Nor until it is known that nobody comes.
    house.held = Some(Vec::new());
    house.asks(2, leave(ONE), "2");
    house.asks(1, join(ONE), "2");
    let held = house.held.take().expect("two");
    let left = house.outcome(held[0].1.clone());
    let effects = house.room.answer(held[0].0, left);
    assert_eq!(over(&house.settle(effects)), []);
    house.is_full = true;
    let refused = house.outcome(held[1].1.clone());
    let effects = house.room.answer(held[1].0, refused);
    assert_eq!(over(&house.settle(effects)), [ONE]);
}

#[test]
fn requests_that_come_again_are_known_though_the_room_is_over() {
    let mut house = House::with(&["Анна"]);
    house.asks(1, create(RoomKind::Closed, "a"), "1");
    house.asks(1, leave(ONE), "2");
    assert_eq!(duplicates(&house.asks(1, leave(ONE), "2")), [(ONE, 2)]);
    let effects = house.asks(1, create(RoomKind::Closed, "a"), "1");
    assert_eq!((duplicates(&effects), records(&effects)), (vec![(ONE, 1)], vec![]));
    assert!(!effects.iter().any(|it| matches!(it, Effect::Tell { event: Event::Room(_), .. })));
}

#[test]
fn a_room_is_over_when_the_last_one_in_it_is_forgotten() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.makes(1, create(RoomKind::Closed, "a"));
    let talk = house.makes(1, super::house::direct(&["Борис"]));
    for (name, expected) in [("Анна", vec![ONE]), ("Борис", vec![talk])] {
        let effects = house.room.order(Order::FreeName { name: name.into() });
        assert_eq!(over(&house.settle(effects)), expected, "{name}");
    }
}

#[test]
fn who_makes_rooms_and_leaves_them_may_make_others_but_not_without_end() {
    let mut house = House::with(&["Анна"]);
    for round in 0..2 {
        let made: Vec<_> =
            (0..ROOMS_MADE_MAX).map(|_| house.makes(1, create(RoomKind::Closed, "a"))).collect();
        let effects = house.asks(1, create(RoomKind::Closed, "a"), "more");
        assert_eq!(refusals(&effects)[0].0, ErrorCode::NotDone, "round {round}");
        for room in made {
            assert_eq!(over(&house.asks(1, leave(room), &format!("leave {room}"))), [room]);
        }
    }

    let mut house = House::with(&["Анна"]);
    house.room.chat.set_rules(Rules { connections_per_address_max: 1, ..RULES });
    let n_made = (0..10).filter(|number| {
        let id = format!("make {number}");
        let effects = house.asks(1, create(RoomKind::Closed, "a"), &id);
        effects.iter().any(|it| matches!(it, Effect::Tell { event: Event::Room(_), .. }))
    });
    assert_eq!(n_made.count(), 4, "of one address");
    house.room.pass(Duration::from_mins(64));
    house.makes(1, create(RoomKind::Closed, "a"));
    assert_eq!(house.room.chat.rooms_of(line(1)).len(), 5);
}
