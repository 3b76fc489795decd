//! Direct rooms: between a set of people that never changes.

use pychat_server::core::{
    chat::{Action, Effect, Event},
    id::RoomId,
    record::Request,
};
use pychat_wire::message::{ErrorCode, RoomKind, RoomRequest};

use super::house::{
    House, add, create, direct, duplicates, leave, line, records, refusals, remove, rename, view,
};

const ONE: RoomId = RoomId(1);

/// Returns the lines that are told that they are in a room now.
fn entered(effects: &[Effect]) -> Vec<u32> {
    let entered = effects.iter().filter_map(|effect| match effect {
        Effect::Connection { id, action: Action::Enter { .. } } => Some(id.slot),
        _ => None,
    });
    entered.collect()
}

#[test]
fn everybody_in_a_new_direct_room_is_told_of_it() {
    let mut house = House::with(&["Анна", "Борис", "Вера"]);
    house.enter(4, "Борис", 2);
    let effects = house.asks(1, direct(&["борис", "Вера", "Анна", "Борис"]), "1");
    assert_eq!(entered(&effects), [1, 2, 4, 3]);
    assert_eq!(records(&effects), [(ONE, 1, "Анна".to_owned())]);
    for (number, read) in [(1, 0), (2, 0), (3, 0), (4, 0)] {
        let room = view(&effects, number);
        assert_eq!(
            (room.kind, room.is_mine, room.last, room.read),
            (RoomKind::Direct, false, 0, read)
        );
        assert_eq!(room.with.expect("people"), ["Анна", "Борис", "Вера"]);
    }
    assert!(matches!(effects.last(), Some(Effect::Tell { event: Event::Recorded { .. }, .. })));
}

#[test]
fn the_same_people_have_one_room() {
    let mut house = House::with(&["Анна", "Борис", "Вера"]);
    house.asks(1, direct(&["Борис"]), "1");
    for (number, other, id) in [(2, "Анна", "1"), (1, "Борис", "2"), (1, "Борис", "1")]
    {
        let effects = house.asks(number, direct(&[other]), id);
        assert_eq!((view(&effects, number).room, view(&effects, number).last), (ONE, 1));
        assert_eq!((duplicates(&effects), entered(&effects)), (vec![(ONE, 1)], vec![]));
        let Some(Effect::Tell { event: Event::Duplicate { record }, .. }) = effects.last() else {
            panic!("{effects:?}")
        };
        assert_eq!((record.id.as_deref(), record.author.as_str()), (Some(id), "Анна"));
    }
    assert_eq!(
        records(&house.asks(1, direct(&["Борис", "Вера"]), "3")),
        [(RoomId(2), 1, "Анна".to_owned())]
    );
}

#[test]
fn who_asks_for_a_room_that_is_being_made_waits_for_it() {
    for (is_full, order) in [(false, [0, 1]), (false, [1, 0]), (true, [0, 1])] {
        let mut house = House::with(&["Анна", "Борис"]);
        house.says(1, super::two::text("hi", "0")); // So that the store has all of them.
        house.says(2, super::two::text("hi", "0"));
        house.held = Some(Vec::new());
        house.asks(1, direct(&["Борис"]), "1");
        house.asks(2, direct(&["Анна"]), "2");
        house.says(2, super::two::text("hi", "3"));
        house.is_full = is_full;
        let effects = house.answers(&order);
        if is_full {
            let storage = |id: &str| (ErrorCode::Storage, id.to_owned());
            assert_eq!(refusals(&effects), ["1", "2", "3"].map(storage));
            house.is_full = false;
            assert_eq!(records(&house.asks(2, direct(&["Анна"]), "2")).len(), 1);
        } else {
            assert_eq!((records(&effects).len(), duplicates(&effects)), (2, vec![(ONE, 1)]));
            assert_eq!(refusals(&effects), []);
        }
    }
}

#[test]
fn only_people_who_own_names_talk_directly() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.room.connect(line(9));
    house.room.hello(line(9), "guest");
    for (with, code) in [
        (&[][..], ErrorCode::NotDone),
        (&["Анна"], ErrorCode::NotDone),
        (&["guest"], ErrorCode::NotDone),
        (&["Борис", "nobody"], ErrorCode::NotDone),
        (&["Борис", "\n"], ErrorCode::NotDone),
    ] {
        assert_eq!(
            refusals(&house.asks(1, direct(with), "1")),
            [(code, "1".to_owned())],
            "{with:?}"
        );
    }
    house.is_full = true;
    house.enter(3, "Вера", 3);
    house.is_full = false;
    let forbidden = [(ErrorCode::Forbidden, "1".to_owned())];
    assert_eq!(refusals(&house.asks(3, direct(&["Борис"]), "1")), forbidden, "a guest herself");
    assert_eq!(refusals(&house.asks(3, create(RoomKind::Open, "a"), "1")), forbidden);
}

#[test]
fn eight_people_are_the_most() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "k"];
    let mut house = House::with(&names);
    assert_eq!(refusals(&house.asks(1, direct(&names), "1")), [(ErrorCode::NotDone, "1".into())]);
    assert_eq!(records(&house.asks(1, direct(&names[..8]), "1")).len(), 1);
}

#[test]
fn the_people_of_a_direct_room_never_change() {
    let mut house = House::with(&["Анна", "Борис", "Вера"]);
    house.makes(1, direct(&["Борис"]));
    let join = RoomRequest::JoinRoom { room: ONE.on_wire() };
    for (request, code) in [
        (leave(ONE), ErrorCode::Forbidden),
        (add(ONE, "Вера"), ErrorCode::Forbidden),
        (remove(ONE, "Борис"), ErrorCode::Forbidden),
        (rename(ONE, "a"), ErrorCode::Forbidden),
        (join, ErrorCode::NotDone),
    ] {
        assert_eq!(refusals(&house.asks(1, request, "1")), [(code, "1".to_owned())]);
    }
    let n_appends = |request: &&Request| matches!(request, Request::Append { .. });
    assert_eq!(house.stored.iter().filter(n_appends).count(), 1, "nothing but its making");
}
