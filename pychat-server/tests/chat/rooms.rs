//! Rooms that are made and changed.

use pychat_server::core::{
    chat::{Action, Complaint, Effect, Event, Refusal, RoomView},
    id::{HALL, RoomId},
    moderation::Order,
    record::{Draft, Kind, PersonId, Record, Request, RoomChange},
};
use pychat_wire::{
    ClientMessage,
    message::{ErrorCode, Hello, Positions, Resume, RoomEvent, RoomKind, RoomRequest},
};

use super::{
    CHALLENGE, act,
    house::{
        House, add, create, duplicates, join, leave, line, records, refusals, remove, rename, text,
        view,
    },
    name, refused, report, told,
    two::key,
};

const ONE: RoomId = RoomId(1);

fn event(
    room: RoomId,
    seq: u64,
    author: (u64, &str),
    event: RoomEvent,
    subject: Option<&str>,
) -> Record {
    let (person, author) = author;
    let draft = Draft {
        author: name(author),
        person: Some(PersonId(person)),
        kind: Kind::Event { event, subject: subject.map(Into::into) },
        id: Some("1".into()),
        reply: None,
    };
    draft.into_record(room, seq, 5)
}

fn recorded(number: u32, record: Record) -> Effect {
    let (to, from) = (super::Recipients::Room(record.room), Some(line(number)));
    Effect::Tell { to, event: Event::Recorded { from, record } }
}

fn enter(number: u32, room: RoomId) -> Effect {
    act(line(number), Action::Enter { rooms: vec![room] })
}

fn shown(kind: RoomKind, name: &str, last: u64, is_mine: bool) -> RoomView {
    RoomView {
        room: ONE,
        kind,
        name: name.to_owned(),
        topic: String::new(),
        with: None,
        is_mine,
        last,
        read: last,
        unread: 0,
    }
}

fn complaint(number: u32, code: ErrorCode, text: &str, id: &str) -> [Effect; 2] {
    let complaint = Complaint { reference: Some(id.into()), ..Complaint::new(code, text) };
    let refusal = match code {
        ErrorCode::NoRoom | ErrorCode::Forbidden => Refusal::Outsider,
        _ => Refusal::Room,
    };
    [refused(line(number), complaint), report(line(number), refusal)]
}

#[test]
fn a_room_is_told_to_all_devices_of_its_maker_before_its_first_record() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.enter(3, "Анна", 1);
    let effects = house.asks(1, create(RoomKind::Open, "  Kitchen "), "1");
    let room = shown(RoomKind::Open, "Kitchen", 0, true);
    let made = event(ONE, 1, (1, "Анна"), RoomEvent::Created, Some("Kitchen"));
    let expected = [
        enter(1, ONE),
        told(line(1), Event::Room(room.clone())),
        enter(3, ONE),
        told(line(3), Event::Room(room)),
        recorded(1, made),
    ];
    assert_eq!(effects, expected);
    let Some(Request::Append { change: Some(RoomChange::Create(room)), .. }) =
        house.stored.iter().find(|request| matches!(request, Request::Append { .. }))
    else {
        panic!("{:?}", house.stored)
    };
    assert_eq!((room.maker, &room.members[..]), (Some(PersonId(1)), &[PersonId(1)][..]));
}

#[test]
fn who_joins_an_open_room_is_told_of_it_and_then_hears_that_they_joined() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.makes(1, create(RoomKind::Open, "a"));
    let effects = house.asks(2, join(ONE), "1");
    let joined = event(ONE, 2, (2, "Борис"), RoomEvent::Joined, None);
    let room = told(line(2), Event::Room(shown(RoomKind::Open, "a", 1, false)));
    assert_eq!(effects, [enter(2, ONE), room, recorded(2, joined)]);
    assert_eq!(records(&house.says(2, text(ONE, "hi", "2"))), [(ONE, 3, "Борис".to_owned())]);
    let already = complaint(2, ErrorCode::NotDone, "you are in this room already", "3");
    assert_eq!(house.asks(2, join(ONE), "3"), already);
    assert_eq!(duplicates(&house.asks(2, join(ONE), "1")), [(ONE, 2)], "its answer was lost");
    assert_eq!(refusals(&house.asks(2, join(HALL), "4")), [(ErrorCode::NotDone, "4".into())]);
}

#[test]
fn who_leaves_hears_that_last_and_can_say_nothing_more() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.makes(1, create(RoomKind::Open, "a"));
    house.asks(2, join(ONE), "0");
    house.enter(3, "Борис", 2);
    let effects = house.asks(2, leave(ONE), "1");
    let mut expected = vec![recorded(2, event(ONE, 3, (2, "Борис"), RoomEvent::Left, None))];
    for number in [2, 3] {
        expected.push(act(line(number), Action::Exit { room: ONE }));
        expected.push(told(line(number), Event::RoomGone(ONE)));
    }
    assert_eq!(effects, expected);
    let outside = complaint(2, ErrorCode::Forbidden, "join this room first", "2");
    assert_eq!(house.says(2, text(ONE, "hi", "2")), outside);
    assert_eq!(duplicates(&house.asks(2, leave(ONE), "1")), [(ONE, 3)], "its answer was lost");
    assert_eq!(records(&house.asks(2, join(ONE), "3")).len(), 1);
}

#[test]
fn members_of_a_closed_room_add_others_and_its_maker_removes_them() {
    let mut house = House::with(&["Анна", "Борис", "Вера"]);
    house.makes(1, create(RoomKind::Closed, "a"));
    assert_eq!(refusals(&house.asks(2, join(ONE), "1")), [(ErrorCode::NoRoom, "1".into())]);
    let effects = house.asks(1, add(ONE, "борис"), "1");
    let added = event(ONE, 2, (1, "Анна"), RoomEvent::Added, Some("Борис"));
    let room = told(line(2), Event::Room(shown(RoomKind::Closed, "a", 1, false)));
    assert_eq!(effects, [enter(2, ONE), room, recorded(1, added)]);
    assert_eq!(records(&house.asks(2, add(ONE, "Вера"), "1")), [(ONE, 3, "Борис".into())]);

    let theirs = "this is for the maker of the room, and operators";
    let refused = complaint(2, ErrorCode::Forbidden, theirs, "2");
    assert_eq!(house.asks(2, remove(ONE, "Вера"), "2"), refused);
    let removed = event(ONE, 4, (1, "Анна"), RoomEvent::Removed, Some("Вера"));
    let mut expected = vec![recorded(1, Record { id: Some("2".into()), ..removed })];
    expected.push(act(line(3), Action::Exit { room: ONE }));
    expected.push(told(line(3), Event::RoomGone(ONE)));
    assert_eq!(house.asks(1, remove(ONE, "Вера"), "2"), expected);
    for (request, text) in [
        (add(ONE, "Борис"), "Борис is in this room already"),
        (add(ONE, "Глеб"), "nobody owns the name Глеб"),
        (remove(ONE, "Вера"), "Вера is not in this room"),
    ] {
        assert_eq!(house.asks(1, request, "3"), complaint(1, ErrorCode::NotDone, text, "3"));
    }

    house.room.order(Order::AddOperator { name: "Борис".into() });
    assert_eq!(records(&house.asks(2, remove(ONE, "Анна"), "4")).len(), 1, "also its maker");
    house.room.order(Order::AddOperator { name: "Вера".into() });
    assert_eq!(refusals(&house.asks(3, add(ONE, "Анна"), "5"))[0].0, ErrorCode::NoRoom);
}

#[test]
fn a_room_gets_another_name_or_topic_one_at_a_time() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.makes(1, create(RoomKind::Open, "a"));
    house.asks(2, join(ONE), "0");
    assert_eq!(refusals(&house.asks(2, rename(ONE, "b"), "1"))[0].0, ErrorCode::Forbidden);
    let renamed = event(ONE, 3, (1, "Анна"), RoomEvent::Renamed, Some("b"));
    assert_eq!(house.asks(1, rename(ONE, "b"), "1"), [recorded(1, renamed)]);
    let topic = |topic: &'static str| RoomRequest::UpdateRoom {
        room: ONE.on_wire(),
        name: None,
        topic: Some(topic.into()),
    };
    assert_eq!(records(&house.asks(1, topic("food"), "2")).len(), 1);
    assert_eq!(refusals(&house.asks(1, topic("food"), "3")), [(ErrorCode::NotDone, "3".into())]);
    assert_eq!(records(&house.asks(1, topic(""), "4")).len(), 1);
    let both = RoomRequest::UpdateRoom {
        room: ONE.on_wire(),
        name: Some("c".into()),
        topic: Some("d".into()),
    };
    assert_eq!(refusals(&house.asks(1, both, "5")), [(ErrorCode::BadPayload, "5".into())]);
    let Effect::Tell { event: Event::OpenRooms(rooms), .. } =
        &house.says(2, ClientMessage::Rooms)[0]
    else {
        panic!("no list")
    };
    assert_eq!((&*rooms[0].name, &*rooms[0].topic, rooms[0].last), ("b", "", 5));
}

#[test]
fn open_rooms_have_names_that_look_different() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.makes(1, create(RoomKind::Open, "Kitchen"));
    let taken = complaint(2, ErrorCode::NameTaken, "another room has this name", "1");
    assert_eq!(house.asks(2, create(RoomKind::Open, "kitсhen"), "1"), taken, "a Cyrillic с");
    let closed = house.makes(2, create(RoomKind::Closed, "Kitchen"));
    assert_eq!(records(&house.asks(2, rename(closed, "KITCHEN"), "2")).len(), 1);
    assert_eq!(records(&house.asks(1, rename(ONE, "KITCHEN"), "3")).len(), 1, "its own");
    house.asks(1, rename(ONE, "Hall"), "4");
    assert_eq!(records(&house.asks(2, create(RoomKind::Open, "kitchen"), "5")).len(), 1);
    for (bad, code) in [
        ("", ErrorCode::NameInvalid),
        (" ", ErrorCode::NameInvalid),
        ("a\u{202e}b", ErrorCode::NameInvalid),
        ("a\nb", ErrorCode::NameInvalid),
        (&*"a".repeat(65), ErrorCode::NameInvalid),
    ] {
        assert_eq!(
            refusals(&house.asks(1, create(RoomKind::Open, bad), "6")),
            [(code, "6".into())]
        );
        assert_eq!(refusals(&house.asks(1, rename(ONE, bad), "7")), [(code, "7".into())]);
    }
    let kinds = [RoomKind::Hall, RoomKind::Direct, RoomKind::Unknown];
    for kind in kinds {
        let effects = house.asks(1, create(kind, "x"), "8");
        assert_eq!(refusals(&effects), [(ErrorCode::BadPayload, "8".into())]);
    }
}

#[test]
fn a_request_whose_answer_was_lost_is_answered_with_what_it_became() {
    let mut house = House::with(&["Анна"]);
    let kitchen = || create(RoomKind::Open, "Kitchen");
    house.asks(1, kitchen(), "1");
    let again = house.asks(1, kitchen(), "1");
    assert_eq!((duplicates(&again), view(&again, 1).room), (vec![(ONE, 1)], ONE));
    assert_eq!(refusals(&house.asks(1, kitchen(), "2")), [(ErrorCode::NameTaken, "2".into())]);
    house.asks(1, rename(ONE, "b"), "3");
    let again = house.asks(1, kitchen(), "1");
    assert_eq!((duplicates(&again), &*view(&again, 1).name), (vec![(ONE, 1)], "b"));
    let other = house.asks(1, create(RoomKind::Open, "c"), "1");
    assert_eq!(refusals(&other), [(ErrorCode::IdReused, "1".into())]);
    assert_eq!(records(&house.asks(1, create(RoomKind::Open, "c"), "4")).len(), 1, "it is free");
    for id in [None, Some(""), Some(&*"x".repeat(65))] {
        let id = id.map(|id: &str| id.to_owned().into());
        let effects = house.says(1, ClientMessage::Change { request: kitchen(), id });
        assert_eq!(refusals(&effects), [(ErrorCode::BadPayload, String::new())]);
    }
}

#[test]
fn a_welcome_shows_the_rooms_and_only_those_are_resumed() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.makes(1, create(RoomKind::Open, "a"));
    let two = house.makes(1, create(RoomKind::Closed, "b"));
    let direct = house.makes(2, super::house::direct(&["Анна"]));
    let three = house.makes(2, create(RoomKind::Closed, "c"));
    house.says(2, text(direct, "hi", "1"));
    house.says(2, text(HALL, "hi", "2"));
    house.room.connect(line(3));
    let positions = [two, three, HALL, RoomId(9), direct].map(|room| (room.on_wire(), 7));
    let resume =
        Some(Resume { epoch: "e".into(), rooms: Positions(positions.into()), limit: None });
    let proof = Some(key(1).prove(&CHALLENGE, "Анна"));
    let hello = ClientMessage::Hello(Hello { proof, resume, ..Hello::new("Анна", 2) });
    let effects = house.says(3, hello);
    let rooms = effects.iter().find_map(|effect| match effect {
        Effect::Tell { event: Event::Welcome { rooms, .. }, .. } => Some(rooms),
        _ => None,
    });
    let seen: Vec<_> = rooms
        .expect("a welcome")
        .iter()
        .map(|view| (view.room, view.kind, view.is_mine, view.last, view.read, view.unread))
        .collect();
    let expected = [
        (HALL, RoomKind::Hall, false, 1, 0, 1),
        (ONE, RoomKind::Open, true, 1, 1, 0),
        (two, RoomKind::Closed, true, 1, 1, 0),
        (direct, RoomKind::Direct, false, 2, 0, 1),
    ];
    assert_eq!(seen, expected);
    let resume =
        |room| act(line(3), Action::Resume { room, epoch: "e".into(), after: 7, limit: None });
    let enter = act(line(3), Action::Enter { rooms: vec![ONE, two, direct] });
    assert!(effects.ends_with(&[enter, resume(two), resume(HALL), resume(direct)]), "{effects:?}");
    assert_eq!(house.room.chat.rooms_of(line(3)), [ONE, two, direct]);
}

#[test]
fn who_becomes_an_operator_is_told_of_the_rooms_that_are_theirs_to_change_now() {
    let mut house = House::with(&["Анна", "Борис"]);
    house.makes(1, create(RoomKind::Open, "a"));
    let own = house.makes(2, create(RoomKind::Open, "b"));
    house.makes(2, super::house::direct(&["Анна"]));
    house.asks(2, join(ONE), "1");
    house.enter(3, "Борис", 2);
    for (order, told) in [
        (Order::AddOperator { name: "Борис".into() }, Some(true)),
        (Order::AddOperator { name: "Борис".into() }, None),
        (Order::RemoveOperator { name: "Борис".into() }, Some(false)),
    ] {
        let effects = house.room.order(order);
        let views = effects.iter().filter_map(|effect| match effect {
            Effect::Tell { to: super::Recipients::One(to), event: Event::Room(view) } => {
                Some((*to, view.room, view.is_mine))
            }
            _ => None,
        });
        let lines = told.into_iter().flat_map(|is_mine| [2, 3].map(|it| (line(it), ONE, is_mine)));
        assert!(views.eq(lines), "{effects:?}");
        house.settle(effects);
    }
    let effects = house.asks(2, rename(own, "c"), "2");
    assert_eq!(records(&effects).len(), 1, "they still made this one");
}
