//! Amendments by script: who may make which, and who is told.

use pychat_server::core::{
    chat::{CloseReason, Effect, Event, Input, Recipients},
    id::{CallId, HALL, RoomId},
    moderation::{Order, Reply},
    record::{Amending, Kind, Record, Request},
};
use pychat_wire::{
    ClientMessage,
    message::{Amendment, ErrorCode, RoomKind},
};

use super::house::{House, add, create, direct, duplicates, line, refusals, text};

/// The device and line of somebody else than the author.
const OTHER: u32 = 2;

fn amend<'a>(room: RoomId, amendment: Amendment<'a>, id: &'a str) -> ClientMessage<'a> {
    ClientMessage::Amend { amendment, room: room.on_wire(), id: Some(id.into()) }
}

fn edit(target: u64, words: &str) -> Amendment<'_> {
    Amendment::Edit { target, content: Some(words.into()) }
}

fn react(target: u64, emoji: &str) -> Amendment<'_> {
    Amendment::React { target, emoji: Some(emoji.into()) }
}

const fn delete(target: u64) -> Amendment<'static> {
    Amendment::Delete { target }
}

const fn restore(target: u64) -> Amendment<'static> {
    Amendment::Restore { target, content: None }
}

/// Returns the one record that all in a room are told of.
#[track_caller]
fn recorded(effects: &[Effect], room: RoomId) -> Record {
    let told: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Tell { to: Recipients::Room(to), event: Event::Recorded { record, .. } } => {
                assert_eq!(*to, room);
                Some(record.clone())
            }
            _ => None,
        })
        .collect();
    assert_eq!(told.len(), 1, "{effects:?}");
    told[0].clone()
}

#[track_caller]
fn refused(effects: &[Effect]) -> ErrorCode {
    let refusals = refusals(effects);
    assert_eq!(refusals.len(), 1, "{effects:?}");
    assert_eq!(refusals[0].1, "x", "it says which");
    refusals[0].0
}

/// Returns a house with people in the hall, in which Анна has said something under number 1.
fn house() -> House {
    let mut house = House::with(&["Анна", "Борис", "Вера"]);
    assert_eq!(recorded(&house.says(1, text(HALL, "hi", "1")), HALL).seq, 1);
    house
}

#[test]
fn all_in_the_room_are_told_of_an_amendment() {
    let mut house = house();
    let effects = house.says(1, amend(HALL, edit(1, "hello"), "2"));
    let record = recorded(&effects, HALL);
    let kind = Kind::Amendment { target: 1, amending: Amending::Edit(Some("hello")) };
    assert_eq!((record.seq, record.kind.as_deref()), (2, kind));
    assert_eq!(&*record.target.unwrap().line, "hi");
    let record = recorded(&house.says(OTHER, amend(HALL, react(1, "👍"), "1")), HALL);
    assert_eq!((record.seq, record.author.as_str()), (3, "Борис"));
    let record = recorded(&house.says(1, amend(HALL, delete(1), "3")), HALL);
    assert_eq!(record.kind.as_deref(), Kind::Amendment { target: 1, amending: Amending::Delete });
}

#[test]
fn what_is_sent_again_is_told_to_its_author_alone() {
    let mut house = house();
    house.says(1, amend(HALL, edit(1, "hello"), "2"));
    let effects = house.says(1, amend(HALL, edit(1, "hello"), "2"));
    assert_eq!((duplicates(&effects), effects.len()), (vec![(HALL, 2)], 1));
    let effects = house.says(1, amend(HALL, edit(1, "other words"), "2"));
    assert_eq!(refusals(&effects), [(ErrorCode::IdReused, "2".to_owned())]);
}

#[test]
fn only_the_author_changes_a_message() {
    let mut house = house();
    for amendment in [edit(1, "x"), delete(1)] {
        let effects = house.says(OTHER, amend(HALL, amendment, "x"));
        assert_eq!(refused(&effects), ErrorCode::Forbidden);
    }
    for (line, target) in [(1, 0), (1, 9), (1, u64::MAX), (OTHER, 9)] {
        for amendment in [edit(target, "x"), delete(target), react(target, "👍")] {
            let effects = house.says(line, amend(HALL, amendment, "x"));
            assert_eq!(refused(&effects), ErrorCode::NoMessage, "{line} {target}");
        }
    }
}

#[test]
fn an_operator_removes_what_others_said_and_brings_it_back() {
    let mut house = house();
    let operator = amend(HALL, restore(1), "x");
    assert_eq!(refused(&house.says(OTHER, operator.clone())), ErrorCode::Forbidden);
    house.room.order(Order::AddOperator { name: "Борис".into() });
    assert_eq!(refused(&house.says(OTHER, operator)), ErrorCode::NoMessage, "it is there");
    assert_eq!(refused(&house.says(OTHER, amend(HALL, edit(1, "x"), "x"))), ErrorCode::Forbidden);
    recorded(&house.says(OTHER, amend(HALL, delete(1), "1")), HALL);
    assert_eq!(refused(&house.says(1, amend(HALL, edit(1, "x"), "x"))), ErrorCode::NoMessage);
    let record = recorded(&house.says(OTHER, amend(HALL, restore(1), "2")), HALL);
    let kind = Kind::Amendment { target: 1, amending: Amending::Restore(Some("hi")) };
    assert_eq!(record.kind.as_deref(), kind);
}

#[test]
fn an_operator_removes_nothing_in_a_direct_room() {
    let mut house = house();
    house.room.order(Order::AddOperator { name: "Борис".into() });
    let room = house.makes(1, direct(&["Борис"]));
    house.says(1, text(room, "hi", "2"));
    let effects = house.says(OTHER, amend(room, delete(2), "x"));
    assert_eq!(refused(&effects), ErrorCode::Forbidden);
    recorded(&house.says(1, amend(room, delete(2), "3")), room);
}

#[test]
fn an_operator_removes_what_is_said_in_rooms_that_they_are_in() {
    let mut house = house();
    house.room.order(Order::AddOperator { name: "Борис".into() });
    let room = house.makes(1, create(RoomKind::Closed, "a"));
    house.says(1, text(room, "hi", "2"));
    let effects = house.says(OTHER, amend(room, delete(2), "x"));
    assert_eq!(refused(&effects), ErrorCode::NoRoom);
    house.asks(1, add(room, "Борис"), "3");
    recorded(&house.says(OTHER, amend(room, delete(2), "4")), room);
}

/// Has an operator on the machine ask for something; returns the answer and what else follows.
#[track_caller]
fn ordered(house: &mut House, order: Order) -> (Reply, Vec<Effect>) {
    let effects = house.room.order(order);
    let mut effects = house.settle(effects);
    match effects.pop() {
        Some(Effect::Reply { reply, .. }) => (reply, effects),
        other => panic!("not answered: {other:?}"),
    }
}

#[track_caller]
fn refused_order(house: &mut House, order: Order) -> String {
    match ordered(house, order) {
        (Reply::Failed { text }, effects) if effects.is_empty() => text,
        other => panic!("{other:?}"),
    }
}

fn remove_message(room: RoomId, number: u64) -> Order {
    Order::RemoveMessage { room: room.on_wire().into_owned(), number }
}

fn restore_message(room: RoomId, number: u64) -> Order {
    Order::RestoreMessage { room: room.on_wire().into_owned(), number }
}

fn done(text: &str) -> Reply {
    Reply::Done { text: text.to_owned() }
}

#[test]
fn an_operator_on_the_machine_removes_a_message_and_brings_it_back() {
    let mut house = house();
    let (reply, effects) = ordered(&mut house, remove_message(HALL, 1));
    assert_eq!(reply, done("Message 1 in the hall is removed; it can be restored for 7 days."));
    let record = recorded(&effects, HALL);
    assert_eq!((record.author.as_str(), record.person, record.id), ("root", None, None));
    let Some(Request::Amend { entry: Some(entry), .. }) = house.stored.last() else {
        panic!("{:?}", house.stored)
    };
    assert_eq!((&*entry.who, &*entry.verb), ("root", "delete"));
    assert_eq!(entry.detail, "message 1 in the hall");
    assert_eq!(
        refused_order(&mut house, remove_message(HALL, 1)),
        "There is no message 1 in the hall, or no longer."
    );
    let (reply, effects) = ordered(&mut house, restore_message(HALL, 1));
    assert_eq!(reply, done("Message 1 in the hall is there again."));
    let kind = Kind::Amendment { target: 1, amending: Amending::Restore(Some("hi")) };
    assert_eq!(recorded(&effects, HALL).kind.as_deref(), kind);
}

#[test]
fn an_operator_on_the_machine_hears_why_nothing_is_removed() {
    let mut house = house();
    let room = house.makes(1, create(RoomKind::Closed, "a"));
    let private = house.makes(1, direct(&["Борис"]));
    house.says(1, text(room, "hi", "2"));
    let nowhere = "There is no room r99.";
    let never = format!("{private} is a direct room: nobody removes messages of others there.");
    let nothing = "There is nothing to restore of message 1 in the hall: no operator removed it, or \
        too long ago.";
    for (order, expected) in [
        (remove_message(RoomId(99), 1), nowhere),
        (restore_message(RoomId(99), 1), nowhere),
        (remove_message(private, 1), &*never),
        (restore_message(private, 1), &*never),
        (remove_message(HALL, 9), "There is no message 9 in the hall, or no longer."),
        (restore_message(HALL, 9), "There is no message 9 in the hall, or no longer."),
        (
            remove_message(HALL, u64::MAX),
            &*format!("There is no message {} in the hall, or no longer.", u64::MAX),
        ),
        (remove_message(room, 1), "There is no message 1 in r1, or no longer."),
        (restore_message(HALL, 1), nothing),
        (Order::RemoveMessage { room: "hall".into(), number: 1 }, "There is no room hall."),
    ] {
        assert_eq!(refused_order(&mut house, order), expected);
    }
    let (_, effects) = ordered(&mut house, remove_message(room, 2));
    recorded(&effects, room);
    house.is_full = true;
    assert_eq!(
        refused_order(&mut house, remove_message(HALL, 1)),
        "Not done: the server cannot store it now (disk full)."
    );
}

#[test]
fn an_operator_on_the_machine_is_answered_once_the_store_has_answered() {
    let mut house = house();
    house.held = Some(Vec::new());
    let effects = house.room.order(remove_message(HALL, 1));
    assert_eq!(house.settle(effects), []);
    let effects = house.answers(&[0]);
    assert!(matches!(&effects[..], [Effect::Tell { .. }, Effect::Reply { .. }]), "{effects:?}");
}

#[test]
fn a_removal_has_a_name_that_a_person_could_have() {
    let mut house = house();
    let group = "a member of the socket's group";
    for (by, author) in
        [("uid 1000", "uid 1000"), (group, group), ("Сервер Чата", "operator"), ("", "operator")]
    {
        for order in [remove_message(HALL, 1), restore_message(HALL, 1)] {
            let call = CallId(7);
            let effects = house.room.handle(Input::Ordered { call, by, order });
            let effects = house.settle(effects);
            assert_eq!(recorded(&effects, HALL).author.as_str(), author);
        }
    }
}

#[test]
fn who_is_muted_may_take_back_what_they_said_and_nothing_else() {
    let mut house = house();
    house.room.order(Order::Mute { name: "Анна".into(), for_ms: None });
    for amendment in [edit(1, "x"), react(1, "👍")] {
        assert_eq!(refused(&house.says(1, amend(HALL, amendment, "x"))), ErrorCode::Muted);
    }
    recorded(&house.says(1, amend(HALL, delete(1), "2")), HALL);
}

#[test]
fn a_reaction_is_one_emoji() {
    let mut house = house();
    for emoji in ["", "a", "👍👍", "👍 ", "1", "👍\u{202E}"] {
        let effects = house.says(OTHER, amend(HALL, react(1, emoji), "x"));
        assert_eq!(refused(&effects), ErrorCode::BadPayload, "{emoji:?}");
    }
    recorded(&house.says(OTHER, amend(HALL, react(1, "👩‍❤️‍👨"), "1")), HALL);
}

#[test]
fn an_answer_to_no_message_is_refused() {
    let mut house = house();
    let answer = |reply, id: &'static str| ClientMessage::Text {
        room: HALL.on_wire(),
        content: "yes".into(),
        id: Some(id.into()),
        reply: Some(reply),
    };
    assert_eq!(refused(&house.says(OTHER, answer(7, "x"))), ErrorCode::NoMessage);
    let record = recorded(&house.says(OTHER, answer(1, "1")), HALL);
    assert_eq!((record.reply, &*record.target.unwrap().line), (Some(1), "hi"));
}

#[test]
fn amendments_are_no_news_and_what_is_deleted_is_none_any_more() {
    let mut house = house();
    let unread = |house: &mut House| {
        house.room.closed(line(3), CloseReason::Quit);
        let effects = house.enter(3, "Вера", 3);
        effects
            .iter()
            .find_map(|effect| match effect {
                Effect::Tell { event: Event::Welcome { rooms, .. }, .. } => Some(rooms[0].unread),
                _ => None,
            })
            .expect("a welcome")
    };
    assert_eq!(unread(&mut house), 1);
    house.says(1, amend(HALL, edit(1, "hello"), "2"));
    house.says(OTHER, amend(HALL, react(1, "👍"), "1"));
    assert_eq!(unread(&mut house), 1);
    house.room.order(Order::AddOperator { name: "Борис".into() });
    house.says(OTHER, amend(HALL, delete(1), "2"));
    assert_eq!(unread(&mut house), 0);
    house.says(OTHER, amend(HALL, restore(1), "3"));
    assert_eq!(unread(&mut house), 1);
}
