//! Operators in the room, and those who are none.

use pychat_server::core::{
    chat::{Action, Complaint, Deed, Effect, Event, Input, Refusal, Rules},
    elsewhere::{Elsewhere, Presence, Present, ServerId},
    moderation::{self, Order, Reply},
    rate_limit::RateLimit,
    record::{PersonId, Stored},
};
use pychat_wire::{
    ClientMessage, UserName,
    message::{Door, ErrorCode, OperatorRequest, Whom},
};

use super::{
    A, B, C, RULES, Room, refused, report, told,
    two::{hello, key},
};

fn name(name: &str) -> String {
    name.to_owned()
}

fn operate<'a>(request: OperatorRequest<'a>, id: &'a str) -> ClientMessage<'a> {
    ClientMessage::Operate { request, id: Some(id.into()) }
}

/// Every request of operators, about somebody who is not here.
fn requests() -> Vec<OperatorRequest<'static>> {
    let username = || "Никто".into();
    vec![
        OperatorRequest::Mute { username: username(), for_ms: None },
        OperatorRequest::Unmute { username: username() },
        OperatorRequest::Kick { username: username() },
        OperatorRequest::Ban { whom: Whom::Person(username()), for_ms: None },
        OperatorRequest::Ban { whom: Whom::Network("0.0.0.0/0".into()), for_ms: None },
        OperatorRequest::Unban { whom: Whom::Network("192.0.2.1".into()) },
        OperatorRequest::Slow { seconds: u64::MAX },
        OperatorRequest::Door { admission: Door::Invite },
        OperatorRequest::Bans,
    ]
}

#[test]
fn who_is_no_operator_hears_that_and_nothing_else_however_often() {
    let mut room = Room::with(&[(C, "Борис")]);
    room.join(A, "Анна", 1);
    let words = "this is for operators";
    let complaint =
        Complaint { reference: Some("1".into()), ..Complaint::new(ErrorCode::Forbidden, words) };
    let expected = [refused(A, complaint), report(A, Refusal::Operator)];
    for _ in 0..20 {
        for request in requests() {
            assert_eq!(room.receive(A, operate(request, "1")), expected);
        }
    }
    let endless = "x".repeat(65);
    let effects = room.receive(A, operate(OperatorRequest::Bans, &endless));
    assert_eq!(effects[0], refused(A, Complaint::new(ErrorCode::Forbidden, words)), "no such id");
    let effects = room.receive(C, operate(OperatorRequest::Bans, "1"));
    assert!(matches!(&effects[1], Effect::Connection { action: Action::Log(_), .. }));
    assert!(matches!(
        &effects[0],
        Effect::Tell { event: Event::Notice(text), .. } if text.starts_with("Not understood: ")
    ));

    room.chat.set_rules(Rules { rate_limit: RateLimit::new(2, 1), ..RULES });
    room.receive(A, operate(OperatorRequest::Bans, "1"));
    let effects = room.receive(A, operate(OperatorRequest::Bans, "1"));
    assert!(
        matches!(effects.last(), Some(Effect::Connection { action: Action::PauseRead { .. }, .. })),
        "it costs what a text costs: {effects:?}"
    );
}

#[test]
fn an_operator_in_the_room_is_answered_and_other_operators_hear_of_it() {
    let mut room = Room::new();
    for (id, spelled, device) in [(A, "Анна", 1), (B, "Вера", 2)] {
        room.join(id, spelled, device);
        room.ordered(Order::AddOperator { name: name(spelled) });
    }
    room.connect(C);
    room.hello(C, "Борис");
    let request = OperatorRequest::Mute { username: "Борис".into(), for_ms: Some(60_000) };
    let mut effects = room.receive(A, operate(request, "o-1"));
    effects.retain(|effect| !matches!(effect, Effect::Store { .. }));
    let deed = |id: Option<&str>| {
        Event::Done(Deed {
            verb: "mute".to_owned(),
            by: "Анна".to_owned(),
            subject: "Борис".to_owned(),
            text: "Борис is muted for 1 minute.".to_owned(),
            id: id.map(ToOwned::to_owned),
        })
    };
    assert_eq!(effects, [told(B, deed(None)), told(A, deed(Some("o-1")))]);
    let Effect::Tell {
        event: Event::Bans { bans, mutes, slow_seconds: 0, admission: Door::Open },
        ..
    } = &room.receive(B, operate(OperatorRequest::Bans, "o-2"))[0]
    else {
        panic!("a list")
    };
    assert_eq!((bans.len(), &*mutes[0].subject, &*mutes[0].by), (0, "Борис", "Анна"));
    let request = OperatorRequest::Kick { username: "Никто".into() };
    let complaint = Complaint {
        reference: Some("o-3".into()),
        ..Complaint::new(ErrorCode::NotDone, "Nobody is called Никто.")
    };
    assert_eq!(room.receive(A, operate(request, "o-3")), [refused(A, complaint)]);

    room.ordered(Order::RemoveOperator { name: name("Анна") });
    let request = OperatorRequest::Unmute { username: "Борис".into() };
    let effects = room.receive(A, operate(request, "o-4"));
    assert_eq!(effects.last(), Some(&report(A, Refusal::Operator)), "no longer");
}

/// Returns what operators are told of each other.
fn deeds(effects: &[Effect]) -> Vec<Deed> {
    let deed = |effect: &Effect| match effect {
        Effect::Tell { event: Event::Done(deed), .. } => Some(deed.clone()),
        _ => None,
    };
    effects.iter().filter_map(deed).collect()
}

#[test]
fn what_was_done_on_another_server_is_told_in_the_same_words() {
    let (mut here, mut there) = (Room::new(), Room::new());
    there.chat.share(ServerId(2), Vec::new());
    for room in [&mut here, &mut there] {
        room.join(A, "Анна", 1);
        room.ordered(Order::AddOperator { name: name("Анна") });
    }
    here.connect_from(C, 0xc000_0207);
    here.hello(C, "Борис");
    here.join(B, "Вера", 2);
    let (boris, vera) = (|| name("Борис"), || name("Вера"));
    let address = |address: &str| moderation::Whom::Network(name(address));
    for order in [
        Order::Mute { name: boris(), for_ms: Some(60_000) },
        Order::Unmute { name: boris() },
        Order::Slow { seconds: 1 },
        Order::Slow { seconds: 30 },
        Order::Slow { seconds: 0 },
        Order::Door { admission: Door::Invite },
        Order::Door { admission: Door::Open },
        Order::Say { text: name("Lunch at noon.") },
        Order::Bot { name: vera(), is_bot: true },
        Order::Bot { name: vera(), is_bot: false },
        Order::Ban { whom: moderation::Whom::Name(boris()), for_ms: Some(120_000) },
        Order::Unban { whom: address("192.0.2.7") },
        Order::Ban { whom: address("192.0.3.0/24"), for_ms: None },
        Order::AddOperator { name: vera() },
        Order::RemoveOperator { name: vera() },
        Order::AddOperator { name: vera() },
        Order::Kick { name: vera() },
        Order::FreeName { name: vera() },
    ] {
        let effects = here.order(order);
        let mut expected = deeds(&effects);
        expected.truncate(1); // Вера may be told, too.
        for count in ["; 0 connections were closed", "; 1 connection was closed"] {
            expected[0].text = expected[0].text.replace(count, ""); // Those of one server.
        }
        let mut told = Vec::new();
        for effect in effects {
            let Effect::Store { request, .. } = effect else { continue };
            let request = Box::new(request);
            let done = Elsewhere::Done { server: ServerId(1), request, stored: Stored::Changed };
            told.extend(deeds(&there.handle(Input::Elsewhere(done))));
        }
        assert_eq!(told, expected);
    }
}

#[test]
fn who_is_on_another_server_alone_is_listed_as_muted_and_known_by_their_key() {
    let mut room = Room::new();
    let presence = |spelled: &str, key| Presence {
        name: UserName::new(spelled).unwrap(),
        person: Option::map(key, |_| PersonId(1 << 62)),
        key,
    };
    let present = [presence("Анна", Some(key(1).public())), presence("Борис", None)];
    let present = present.map(|presence| Present { server: ServerId(2), presence });
    room.chat.share(ServerId(1), present.to_vec());
    let muted = |room: &mut Room| match room.order(Order::Who).pop() {
        Some(Effect::Reply { reply: Reply::People { people }, .. }) => {
            people.iter().map(|person| person.muted).collect::<Vec<_>>()
        }
        effect => panic!("{effect:?}"),
    };
    assert_eq!(muted(&mut room), [false, false]);
    for spelled in ["Анна", "Борис"] {
        room.ordered(Order::Mute { name: name(spelled), for_ms: None });
    }
    assert_eq!(muted(&mut room), [true, true]);
    assert_eq!(room.join(A, "Анна", 1), "Анна");
    room.connect(B);
    let effects = room.receive(B, hello("Анна", 2));
    let is_refused = |it: &Effect| matches!(it, Effect::Tell { event: Event::Refused(it), .. } if it.code == ErrorCode::NameTaken);
    assert!(effects.iter().any(is_refused), "{effects:?}");
}

#[test]
fn nobody_bans_the_address_that_they_are_connected_from() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    room.ordered(Order::AddOperator { name: name("Анна") });
    room.connect(B);
    room.hello(B, "Борис"); // A guest, who can be banned by address alone.
    let text = "You are connected from 127.0.0.1 yourself.";
    let complaint =
        Complaint { reference: Some("o-1".into()), ..Complaint::new(ErrorCode::NotDone, text) };
    for whom in [Whom::Person("Борис".into()), Whom::Network("127.0.0.1".into())] {
        let request = OperatorRequest::Ban { whom, for_ms: None };
        let effects = room.receive(A, operate(request, "o-1"));
        assert_eq!(effects, [refused(A, complaint.clone())]);
    }
}
