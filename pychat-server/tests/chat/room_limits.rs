//! The limits of what is done with rooms: by the store, by operators, by cost.

use std::time::Duration;

use pychat_server::core::{
    chat::{Action, CloseReason, Complaint, Effect, Event, Rules, STORAGE_RETRY_MS},
    id::{HALL, RoomId},
    moderation::Order,
    rate_limit::RateLimit,
};
use pychat_wire::{
    ClientMessage,
    message::{ErrorCode, RoomKind},
};

use super::{
    RULES, act,
    house::{House, add, create, join, leave, line, records, refusals, remove, rename, text},
    refused, told,
};

const ONE: RoomId = RoomId(1);

#[test]
fn nothing_happens_that_is_not_stored() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.makes(1, create(RoomKind::Closed, "a"));
    house.asks(1, add(ONE, "Борис"), "0");
    house.is_full = true;
    for request in [
        create(RoomKind::Open, "b"),
        super::house::direct(&["Борис"]),
        rename(ONE, "b"),
        remove(ONE, "Борис"),
        leave(ONE),
    ] {
        let effects = house.asks(1, request, "1");
        let text = "Not done: the server cannot store anything now (disk full).";
        let complaint = Complaint {
            reference: Some("1".into()),
            retry_ms: Some(STORAGE_RETRY_MS),
            ..Complaint::new(ErrorCode::Storage, text)
        };
        assert_eq!(effects, [refused(line(1), complaint)]);
    }
    house.is_full = false;
    assert_eq!(records(&house.says(1, text(ONE, "hi", "2"))).len(), 1);
    assert_eq!(records(&house.says(2, text(ONE, "hi", "2"))).len(), 1);
    assert_eq!(records(&house.asks(1, create(RoomKind::Open, "b"), "3")).len(), 1);
    assert_eq!(records(&house.asks(1, super::house::direct(&["Борис"]), "4")).len(), 1);
}

#[test]
fn what_is_not_stored_yet_counts_against_people_and_never_for_them() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.makes(1, create(RoomKind::Closed, "a"));
    house.asks(1, add(ONE, "Борис"), "0");
    house.held = Some(Vec::new());
    house.asks(1, remove(ONE, "Борис"), "1");
    house.says(2, text(ONE, "hi", "1"));
    house.asks(1, create(RoomKind::Open, "b"), "2");
    house.asks(2, create(RoomKind::Open, "B"), "3");
    house.says(1, text(RoomId(2), "hi", "4"));
    let effects = house.answers(&[0, 1, 2, 3, 4]);
    let expected = [
        (ErrorCode::NoRoom, "1".to_owned()),
        (ErrorCode::NameTaken, "3".to_owned()),
        (ErrorCode::NoRoom, "4".to_owned()),
    ];
    assert_eq!(refusals(&effects), expected);
}

#[test]
fn answers_about_several_rooms_come_in_any_order_and_other_ones_behind_them() {
    let mut house = House::with(&["Анна"]);
    house.makes(1, create(RoomKind::Open, "a"));
    house.held = Some(Vec::new());
    house.says(1, text(HALL, "one", "1"));
    assert_eq!(house.says(1, ClientMessage::Ping), []);
    house.says(1, text(ONE, "two", "2"));
    assert_eq!(house.says(1, ClientMessage::Members { room: ONE.on_wire() }), []);
    let effects = house.answers(&[1, 0]);
    assert_eq!(records(&effects[..1]), [(ONE, 2, "Анна".into())]);
    assert_eq!(records(&effects[1..2]), [(HALL, 1, "Анна".into())]);
    assert_eq!(effects[2], told(line(1), Event::Pong));
    assert!(matches!(&effects[3], Effect::Tell { event: Event::Members { .. }, .. }));
    assert_eq!(effects.len(), 4);
}

#[test]
fn who_is_muted_changes_no_room_and_slow_mode_is_one_for_all() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.makes(1, create(RoomKind::Open, "a"));
    house.makes(1, create(RoomKind::Open, "b"));
    house.room.order(Order::Slow { seconds: 10 });
    assert_eq!(records(&house.says(1, text(HALL, "1", "1"))).len(), 1);
    assert_eq!(refusals(&house.says(1, text(ONE, "2", "2")))[0].0, ErrorCode::SlowDown);
    assert_eq!(refusals(&house.asks(1, leave(ONE), "3")), [(ErrorCode::SlowDown, "3".into())]);
    assert_eq!(records(&house.asks(1, leave(RoomId(2)), "4")).len(), 1, "nothing waits there");
    house.room.pass(Duration::from_secs(10));
    assert_eq!(records(&house.says(1, text(ONE, "2", "2"))).len(), 1);
    assert_eq!(records(&house.asks(1, leave(ONE), "3")).len(), 1);

    house.room.order(Order::Mute { name: "Борис".into(), for_ms: None });
    for request in [create(RoomKind::Open, "c"), join(ONE), super::house::direct(&["Анна"])] {
        assert_eq!(refusals(&house.asks(2, request, "5")), [(ErrorCode::Muted, "5".into())]);
    }
}

#[test]
fn lists_are_for_those_who_may_see_them() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.room.connect(line(9));
    house.room.hello(line(9), "guest");
    house.makes(1, create(RoomKind::Closed, "a"));
    let open = house.makes(1, create(RoomKind::Open, "b"));
    house.asks(1, add(ONE, "Борис"), "1");
    house.asks(1, leave(ONE), "2");
    let members = |house: &mut House, number, room: RoomId| match &house
        .says(number, ClientMessage::Members { room: room.on_wire() })[..]
    {
        [Effect::Tell { event: Event::Members { members, .. }, .. }] => members.names(),
        other => panic!("{other:?}"),
    };
    assert_eq!(members(&mut house, 2, ONE), ["Борис"]);
    assert_eq!(members(&mut house, 1, open), ["Анна"]);
    assert_eq!(members(&mut house, 2, HALL), ["Анна", "Борис", "guest"]);
    let Effect::Tell { event: Event::OpenRooms(rooms), .. } =
        &house.says(2, ClientMessage::Rooms)[0]
    else {
        panic!("no list")
    };
    assert_eq!(rooms.iter().map(|room| room.room).collect::<Vec<_>>(), [open]);
    assert_eq!((rooms[0].is_mine, rooms[0].unread), (false, 0));
}

#[test]
fn whoever_owns_no_name_any_more_is_in_no_room() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.makes(1, create(RoomKind::Closed, "a"));
    house.asks(1, add(ONE, "Борис"), "1");
    house.room.order(Order::FreeName { name: "Борис".into() });
    house.room.closed(line(2), CloseReason::Removed);
    let effects = house.enter(3, "Борис", 2);
    assert!(
        !effects.iter().any(|effect| matches!(
            effect,
            Effect::Connection { action: Action::Enter { .. }, .. }
        ))
    );
    assert_eq!(refusals(&house.says(3, text(ONE, "hi", "1")))[0].0, ErrorCode::NoRoom);
    assert_eq!(records(&house.asks(1, add(ONE, "Борис"), "2")).len(), 1, "somebody else now");
}

#[test]
fn every_verb_costs_and_none_leaves_anything_behind() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.makes(1, create(RoomKind::Open, "a"));
    let verbs = |house: &mut House, turn: u32| {
        for request in [
            create(RoomKind::Open, "A"),
            create(RoomKind::Closed, ""),
            super::house::direct(&["nobody"]),
            join(ONE),
            join(RoomId(turn)),
            leave(RoomId(turn + 2)),
            add(ONE, "Борис"),
            remove(ONE, "Борис"),
            rename(ONE, "a"),
        ] {
            assert_eq!(refusals(&house.asks(1, request, "x")).len(), 1);
        }
        for message in [
            ClientMessage::Read { room: RoomId(turn + 2).on_wire(), seq: turn.into() },
            ClientMessage::Read { room: ONE.on_wire(), seq: turn.into() },
            ClientMessage::Typing { room: ONE.on_wire() },
            ClientMessage::Members { room: ONE.on_wire() },
            ClientMessage::Rooms,
        ] {
            house.says(1, message);
        }
    };
    verbs(&mut house, 1);
    let size = format!("{:?}", house.room.chat).len();
    for turn in 2..200 {
        verbs(&mut house, turn);
    }
    let grown = format!("{:?}", house.room.chat).len() - size;
    assert!(grown < 100, "{grown} bytes");

    house.room.chat.set_rules(Rules { rate_limit: RateLimit::new(4, 1), ..RULES });
    for (number, request) in
        [(1, create(RoomKind::Open, "b")), (2, super::house::direct(&["nobody"]))]
    {
        let effects = house.asks(number, request, "y");
        let until = house.room.now + Duration::from_secs(1);
        assert!(effects.contains(&act(line(number), Action::PauseRead { until })), "{effects:?}");
    }
}
