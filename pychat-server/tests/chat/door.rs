//! Admission where invites are needed.

use std::time::Duration;

use pychat_server::core::{
    admission::Origin,
    chat::{Action, CloseReason, Complaint, Effect, Event, Input, Refusal, Rules},
    networks::Networks,
    record::{Request, StorageError, Stored},
};
use pychat_wire::{
    ClientMessage,
    key::InviteCode,
    message::{ErrorCode, Hello},
};

use super::{
    A, B, C, CHALLENGE, Room, act, close,
    invites::{CLOSED, DAY_MS, complaint, invited, requests, slot, welcomed},
    refused, report, tell,
    two::{hello, key},
};

#[test]
fn who_owns_a_name_is_let_in_and_who_does_not_is_not() {
    let mut room = Room::for_invited();
    assert_eq!(welcomed(&room.knock(B, hello("Борис", 2)), B), Some("Борис"));
    assert_eq!(welcomed(&room.knock(slot(5), hello("Боря", 2)), slot(5)), Some("Боря"));
    // Whatever name a stranger asks for, they hear the same.
    for (number, name) in (10..).zip(["Вера", "Анна", "Борис", "Aннa"]) {
        let id = slot(number);
        let effects = room.knock(id, hello(name, 3));
        let text = "this server lets in only people who are invited";
        let expected = [
            refused(id, Complaint::new(ErrorCode::NotAdmitted, text)),
            report(id, Refusal::Uninvited),
        ];
        assert_eq!(effects, expected, "{name}");
    }
}

#[test]
fn another_device_needs_no_invite() {
    let mut room = Room::for_invited();
    let effects = room.receive(A, ClientMessage::Pair);
    let Some(&Effect::Tell { event: Event::PairCode(code), .. }) = effects.last() else {
        panic!("{effects:?}")
    };
    let proof = Some(key(3).prove(&CHALLENGE, "Анна"));
    let hello = Hello { proof, pair: Some(code), ..Hello::new("Анна", 2) };
    assert_eq!(welcomed(&room.knock(B, ClientMessage::Hello(hello)), B), Some("Анна"));
}

#[test]
fn old_clients_come_from_where_the_operator_says() {
    let mut room = Room::for_invited();
    let sentence = "This server lets in only people who are invited, by a newer client. Bye!\n";
    room.connect(B);
    let expected =
        [report(B, Refusal::Uninvited), tell(B, sentence), close(B, CloseReason::Protocol)];
    assert_eq!(room.hello(B, "Вера"), expected);

    let guests_from = Networks::new(&["10.0.0.0/8".parse().unwrap()]).unwrap();
    room.chat.set_rules(Rules { guests_from, ..CLOSED });
    for (id, address, is_let_in) in [(C, 0x0a01_0203, true), (slot(5), 0x0b01_0203, false)] {
        let origin = Origin::v4(address);
        room.handle(Input::Connected { id, origin, challenge: CHALLENGE });
        let effects = room.hello(id, "Вера");
        let is_subscribed = effects.iter().any(|effect| {
            matches!(effect, Effect::Connection { action: Action::Subscribe(_), .. })
        });
        assert_eq!(is_subscribed, is_let_in, "{effects:?}");
    }
    // There too a key needs an invite.
    let (id, origin) = (slot(6), Origin::v4(0x0a01_0203));
    room.handle(Input::Connected { id, origin, challenge: CHALLENGE });
    let effects = room.receive(id, hello("Глеб", 4));
    assert_eq!(complaint(&effects, id).code, ErrorCode::NotAdmitted);
}

#[test]
fn a_use_lets_one_newcomer_in_once_the_store_has_both() {
    let mut room = Room::for_invited();
    let code = room.invite(Some(2), Some(DAY_MS));
    room.is_answered = false;
    let effects = room.knock(B, invited("Вера", 3, code));
    let [(ticket, Request::Admit { person, invite })] = requests(&effects)[..] else {
        panic!("{effects:?}")
    };
    assert_eq!((person.names[0].name.as_str(), person.devices[0].key), ("Вера", key(3).public()));
    assert_eq!(effects.last(), Some(&act(B, Action::AwaitStore)));
    assert_eq!(welcomed(&effects, B), None, "the store does not have it yet");
    let invite = *invite;
    assert_eq!(complaint(&room.knock(C, hello("Вера", 1)), C).code, ErrorCode::NameTaken);
    let effects = room.answer(ticket, Ok(Stored::Changed));
    assert_eq!((&effects[0], welcomed(&effects, B)), (&act(B, Action::ResumeRead), Some("Вера")));
    room.is_answered = true;
    let left: Vec<_> = room.invites().iter().map(|it| (it.id(), it.terms.uses)).collect();
    assert_eq!(left, [(invite, Some(1))]);

    // The welcome was lost, and the hello comes again.
    room.closed(B, CloseReason::Lost);
    let effects = room.knock(slot(5), invited("Вера", 3, code));
    assert_eq!(welcomed(&effects, slot(5)), Some("Вера"));
    assert_eq!(room.invites()[0].terms.uses, Some(1), "no other use was taken");
    assert!(welcomed(&room.knock(slot(6), invited("Глеб", 4, code)), slot(6)).is_some());
    assert_eq!(room.invites(), [], "it is used up");
    let effects = room.knock(slot(7), invited("Дина", 5, code));
    let text = "this invite is not good, or no longer";
    assert_eq!(*complaint(&effects, slot(7)), Complaint::new(ErrorCode::NotAdmitted, text));
    assert!(effects.contains(&report(slot(7), Refusal::InviteCode)));
}

#[test]
fn what_the_store_cannot_keep_takes_no_use_and_no_name() {
    let mut room = Room::for_invited();
    let code = room.invite(Some(1), None);
    room.is_answered = false;
    let effects = room.knock(B, invited("Вера", 3, code));
    let (ticket, _) = requests(&effects)[0];
    let effects = room.answer(ticket, Err(StorageError::Full));
    assert_eq!(complaint(&effects, B).code, ErrorCode::Storage);
    room.is_answered = true;
    assert_eq!(room.invites()[0].terms.uses, Some(1));
    let effects = room.receive(B, invited("Вера", 3, code));
    assert_eq!(welcomed(&effects, B), Some("Вера"), "the same hello again");
}

#[test]
fn who_is_gone_before_the_store_has_answered_is_let_in_when_they_come_back() {
    let mut room = Room::for_invited();
    let code = room.invite(Some(1), None);
    room.is_answered = false;
    let effects = room.knock(B, invited("Вера", 3, code));
    let (ticket, _) = requests(&effects)[0];
    // Nobody else gets the use meanwhile.
    let effects = room.knock(C, invited("Глеб", 4, code));
    assert_eq!(complaint(&effects, C).code, ErrorCode::NotAdmitted);
    room.closed(B, CloseReason::Lost);
    assert_eq!(room.answer(ticket, Ok(Stored::Changed)), []);
    room.is_answered = true;
    assert_eq!(welcomed(&room.knock(slot(5), hello("Вера", 3)), slot(5)), Some("Вера"));
}

#[test]
fn a_name_that_is_taken_takes_no_use() {
    let mut room = Room::for_invited();
    let code = room.invite(Some(1), None);
    let effects = room.knock(B, invited("Борис", 3, code));
    assert_eq!(complaint(&effects, B).code, ErrorCode::NameTaken);
    let effects = room.receive(B, invited("Вера", 3, code));
    assert_eq!(welcomed(&effects, B), Some("Вера"));
}

#[test]
fn a_newcomer_for_whose_name_there_is_no_room_comes_later() {
    let mut room = Room::for_invited();
    room.chat.set_rules(Rules { connections_per_address_max: 1, ..CLOSED });
    let code = room.invite(None, None);
    for (id, device) in [(C, 4), (slot(5), 5)] {
        let name = format!("guest {device}");
        let effects = room.knock(id, invited(&name, device, code));
        assert!(welcomed(&effects, id).is_some(), "{effects:?}");
    }
    room.pass(Duration::from_secs(64));
    let effects = room.knock(B, invited("Вера", 3, code));
    let complaint = complaint(&effects, B);
    assert_eq!(complaint.code, ErrorCode::Full);
    assert!(complaint.retry_ms.is_some_and(|ms| 0 < ms), "{complaint:?}");
    assert!(effects.contains(&report(B, Refusal::NoRoom)));
}

#[test]
fn a_wrong_code_costs_an_address_like_a_wrong_signature() {
    let guesses = |max| {
        let mut room = Room::for_invited();
        room.chat.set_rules(Rules { connections_per_address_max: max, ..CLOSED });
        let mut number = 10;
        loop {
            number += 1;
            let effects = room.knock(slot(number), invited("Вера", 3, InviteCode([7; 16])));
            let is_held = effects.iter().any(|effect| {
                matches!(effect, Effect::Connection { action: Action::PauseRead { .. }, .. })
            });
            if is_held {
                break number - 10;
            }
        }
    };
    // 8 N units, of which each guess takes one for its signature and four for its code.
    assert_eq!(guesses(5), 8);
    assert_eq!(guesses(64), 103);
}

#[test]
fn another_connection_of_a_newcomer_waits_for_the_same_answer() {
    for outcome in [Ok(Stored::Changed), Err(StorageError::Full)] {
        let mut room = Room::for_invited();
        let code = room.invite(Some(1), None);
        room.is_answered = false;
        let effects = room.knock(B, invited("Вера", 3, code));
        let (ticket, _) = requests(&effects)[0];
        let effects = room.knock(C, invited("Вера", 3, code));
        assert_eq!(effects, [act(C, Action::AwaitStore)], "nothing is taken for it");
        let effects = room.answer(ticket, outcome.clone());
        if outcome.is_ok() {
            assert!(welcomed(&effects, B).is_some() && welcomed(&effects, C).is_some());
        } else {
            // The other one tries by itself.
            assert_eq!(complaint(&effects, B).code, ErrorCode::Storage);
            let [(_, Request::ChangePerson(_)), (ticket, Request::Admit { .. })] =
                requests(&effects)[..]
            else {
                panic!("who was not let in is forgotten, and the next one asked for: {effects:?}")
            };
            let effects = room.answer(ticket, Ok(Stored::Changed));
            assert!(welcomed(&effects, C).is_some(), "{effects:?}");
        }
    }
}
