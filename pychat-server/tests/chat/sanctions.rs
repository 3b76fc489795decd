//! Ways around what operators do.

use pychat_server::core::{
    chat::{Action, CloseReason, Complaint, Effect, Event, Refusal, Rules},
    moderation::{Order, Reply, Whom},
    record::{Appended, Request, StorageError, Stored},
};
use pychat_wire::{
    ClientMessage,
    key::PairCode,
    message::{ErrorCode, Hello, OperatorRequest},
};

use super::{
    A, B, C, CHALLENGE, RULES, Room, act, close, first_record,
    invites::{DAY_MS, complaint, invited, requests, slot, welcomed},
    report, ticket, told,
    two::{hello, key},
};

fn mute(name: &str) -> Order {
    Order::Mute { name: name.to_owned(), for_ms: None }
}

fn ban(name: &str) -> Order {
    Order::Ban { whom: Whom::Name(name.to_owned()), for_ms: None }
}

fn pairing(username: &str, device: u8, code: PairCode) -> ClientMessage<'_> {
    let proof = Some(key(device).prove(&CHALLENGE, username));
    ClientMessage::Hello(Hello { proof, pair: Some(code), ..Hello::new(username, 2) })
}

#[test]
fn who_is_muted_does_not_get_round_it_by_another_device() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    let code = room.pair_code(A);
    room.ordered(mute("Анна"));
    let effects = room.receive(A, ClientMessage::Pair);
    assert_eq!(complaint(&effects, A).code, ErrorCode::Muted);
    room.connect(B);
    let effects = room.receive(B, pairing("Анна", 2, code));
    assert_eq!(complaint(&effects, B).code, ErrorCode::Forbidden, "a code from before is none");
    room.ordered(Order::Unmute { name: "Анна".to_owned() });
    room.pair_code(A);
}

#[test]
fn a_device_that_is_banned_does_not_become_somebody_elses() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    room.join(B, "Борис", 2);
    room.ordered(ban("Борис"));
    room.closed(B, CloseReason::Banned);
    room.ordered(Order::FreeName { name: "Борис".to_owned() });
    let code = room.pair_code(A);
    room.connect(C);
    let effects = room.receive(C, pairing("Анна", 2, code));
    assert_eq!(effects.last(), Some(&close(C, CloseReason::Banned)));
    room.connect(slot(5));
    assert!(welcomed(&room.receive(slot(5), hello("Анна", 1)), slot(5)).is_some(), "nor bans Anna");
    room.connect(slot(6));
    let effects = room.receive(slot(6), pairing("Анна", 3, code));
    assert!(welcomed(&effects, slot(6)).is_some(), "the code was not used up");
}

#[test]
fn who_is_banned_while_they_wait_for_the_store_is_not_let_in() {
    let mut room = Room::for_invited();
    let code = room.invite(Some(1), None);
    room.is_answered = false;
    let effects = room.knock(B, invited("Вера", 3, code));
    let (ticket, _) = requests(&effects)[0];
    room.order(ban("Вера"));
    let effects = room.answer(ticket, Ok(Stored::Changed));
    assert_eq!(welcomed(&effects, B), None);
    assert_eq!(effects.last(), Some(&close(B, CloseReason::Banned)));
}

#[test]
fn who_is_banned_while_they_wait_for_a_name_is_not_let_in() {
    let mut room = Room::new();
    room.set_time_ms(1_000 * DAY_MS);
    for name in ["Анна", "Аня"] {
        room.join(A, name, 1);
        room.closed(A, CloseReason::Quit);
    }
    room.set_time_ms(2_000 * DAY_MS);
    room.connect(B);
    room.hello(B, "Анна");
    room.is_answered = false;
    let said = room.text(B, "hi");
    let (ticket, Request::Append { draft, .. }) = requests(&said)[0] else { panic!("{said:?}") };
    let appended = Appended::New(first_record(draft));
    room.connect(C);
    assert_eq!(room.receive(C, hello("Анна", 1)), [act(C, Action::AwaitStore)]);
    room.order(ban("Аня"));
    let effects = room.answer(ticket, Ok(Stored::Appended(appended)));
    assert_eq!(welcomed(&effects, C), None);
    assert_eq!(effects.last(), Some(&close(C, CloseReason::Banned)));
}

#[test]
fn who_is_here_is_meant_by_a_name_rather_than_who_once_owned_it() {
    let mut room = Room::new();
    room.set_time_ms(1_000 * DAY_MS);
    room.join(A, "Анна", 1);
    room.closed(A, CloseReason::Quit);
    room.set_time_ms(2_000 * DAY_MS);
    room.connect(B);
    room.hello(B, "Анна");
    room.ordered(mute("Анна"));
    let effects = room.text(B, "hi");
    assert!(effects.contains(&report(B, Refusal::Muted)), "{effects:?}");
    let (said, _) = room.ordered(Order::Kick { name: "Анна".to_owned() });
    assert_eq!(said, "Анна was sent away.");
    room.closed(B, CloseReason::Kicked);
    let (said, _) = room.ordered(Order::FreeName { name: "Анна".to_owned() });
    assert!(said.starts_with("Анна is free"), "{said}");
}

#[test]
fn guests_whose_names_look_alike_are_muted_once() {
    let mut room = Room::with(&[(A, "Борис")]);
    room.ordered(mute("Борис"));
    room.closed(A, CloseReason::Quit);
    room.connect(B);
    room.hello(B, "борис");
    room.ordered(mute("борис"));
    let effects = room.order(Order::Bans);
    let [Effect::Reply { reply: Reply::Bans { mutes, .. }, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(mutes.len(), 1);
    room.ordered(Order::Unmute { name: "Борис".to_owned() });
    assert!(room.text(B, "hi").iter().any(|effect| ticket(effect).is_some()));
}

#[test]
fn nothing_is_done_for_no_time_at_all() {
    let mut room = Room::with(&[(A, "Борис")]);
    let words = "Choose a longer time.";
    let order = Order::Mute { name: "Борис".to_owned(), for_ms: Some(0) };
    assert_eq!(room.refused_order(order), words);
    let order = Order::Ban { whom: Whom::Name("Борис".to_owned()), for_ms: Some(0) };
    assert_eq!(room.refused_order(order), words);
    let order = Order::Mute { name: "Борис".to_owned(), for_ms: Some(u64::MAX) };
    room.ordered(order);
    assert!(room.text(A, "hi").contains(&report(A, Refusal::Muted)));
}

#[test]
fn nothing_that_is_said_to_all_can_be_read_as_the_servers_own_sentence() {
    let mut room = Room::with(&[(A, "Борис")]);
    for text in [
        "Анна покинул чат.",
        "Анна присоединился к чату.",
        "Connection closed due to server is shutting down. Bye!\n",
        "hello\nАнна покинул чат.",
        "Connection established. Waiting for your username...",
        "The chat is full: 3",
    ] {
        let refused = room.refused_order(Order::Say { text: text.to_owned() });
        assert_eq!(
            refused, "Clients would take this for a sentence of the server's own.",
            "{text}"
        );
    }
}

#[test]
fn whoever_is_no_operator_hears_the_same_to_everything() {
    let mut room = Room::for_invited();
    room.join(B, "Борис", 2);
    let code = room.invite(Some(2), None);
    let invite = room.invites()[0].id();
    let operate = |request| ClientMessage::Operate { request, id: None };
    let expected = [
        told(B, Event::Refused(Complaint::new(ErrorCode::Forbidden, "this is for operators"))),
        report(B, Refusal::Operator),
    ];
    for _ in 0..20 {
        for message in [
            ClientMessage::Invite { uses: Some(2), for_ms: None },
            ClientMessage::Invites,
            ClientMessage::RevokeInvite { invite },
            operate(OperatorRequest::Bans),
            operate(OperatorRequest::Kick { username: "Анна".into() }),
        ] {
            assert_eq!(room.receive(B, message), expected);
        }
    }
    assert!(welcomed(&room.knock(C, invited("Вера", 3, code)), C).is_some());
}

#[test]
fn nobody_has_an_address_banned_by_being_called_like_it() {
    let mut room = Room::with(&[(A, "192.0.2.7")]);
    let ban = |whom| Order::Ban { whom, for_ms: None };
    let refused = room.refused_order(ban(Whom::Typed("192.0.2.7".to_owned())));
    assert_eq!(
        refused,
        "Somebody is called 192.0.2.7. Write the address as a prefix, or ban them from within the chat."
    );
    let (said, _) = room.ordered(ban(Whom::Typed("192.0.2.7/32".to_owned())));
    assert_eq!(said, "192.0.2.7 is banned; 0 connections were closed.");
    let (said, _) = room.ordered(ban(Whom::Name("192.0.2.7".to_owned())));
    assert!(said.contains("127.0.0.1 is banned"), "{said}");
}

#[test]
fn what_was_taken_away_and_will_come_back_is_told_of() {
    let mut room = Room::for_invited();
    let effects = room.receive(A, ClientMessage::Pair);
    let Some(&Effect::Tell { event: Event::PairCode(code), .. }) = effects.last() else {
        panic!("{effects:?}")
    };
    room.knock(B, pairing("Анна", 3, code));
    room.invite(Some(1), None);
    let invite = room.invites()[0].id();
    room.is_answered = false;
    let remove = ClientMessage::RemoveDevice { key: key(3).public() };
    for message in [remove, ClientMessage::RevokeInvite { invite }] {
        let effects = room.receive(A, message);
        let (ticket, _) = requests(&effects)[0];
        let effects = room.answer(ticket, Err(StorageError::Full));
        assert_eq!(complaint(&effects, A).code, ErrorCode::Storage);
    }
}

#[test]
fn who_is_banned_is_sent_away_under_every_name() {
    let mut room = Room::new();
    room.chat.set_rules(Rules { connections_per_address_max: 1, ..RULES });
    for (number, name) in (5..).zip(["Глеб", "Дина"]) {
        room.join(slot(number), name, 9); // With which no more names of this address are reserved.
    }
    for (id, name) in [(A, "Анна"), (B, "Вера")] {
        room.join(id, name, 1);
    }
    let (_, effects) = room.ordered(ban("Анна"));
    for id in [A, B] {
        assert!(effects.contains(&close(id, CloseReason::Banned)), "{effects:?}");
    }
}
