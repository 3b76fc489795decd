//! Several connections of one person, and several devices.

use std::time::{Duration, Instant};

use pychat_server::core::{
    chat::{
        Action, CONNECTIONS_PER_PERSON_MAX, CloseReason, Complaint, Effect, Event, Recipients,
        Refusal, Rules,
    },
    id::ConnectionId,
    people::{DEVICES_PER_PERSON_MAX, PAIR_CODE_AGE_MAX},
    rate_limit::RateLimit,
    record::{Device, PersonId, Request},
};
use pychat_wire::{
    ClientMessage,
    key::PairCode,
    message::{ErrorCode, Hello},
};

use super::{
    A, ANNOUNCE_AFTER, B, C, CHALLENGE, RULES, Room, arrive, close, depart, enter, refused, report,
    told,
    two::{hello, key, text},
};

/// Spoils a code of Anna's; returns the name and the code that are tried.
type Case = fn(&mut Room, PairCode) -> (&'static str, PairCode);

const ANNA: Option<PersonId> = Some(PersonId(1));

fn slot(slot: u32) -> ConnectionId {
    ConnectionId { slot, generation: 5 }
}

fn pairing(username: &str, device: u8, pair: PairCode) -> ClientMessage<'_> {
    let proof = Some(key(device).prove(&CHALLENGE, username));
    let label = Some("phone".into());
    ClientMessage::Hello(Hello { proof, pair: Some(pair), label, ..Hello::new(username, 2) })
}

fn held_until(effects: &[Effect]) -> Option<Instant> {
    effects.iter().find_map(|effect| match effect {
        Effect::Connection { action: Action::PauseRead { until }, .. } => Some(*until),
        _ => None,
    })
}

impl Room {
    /// Returns a code for another device of who is at `id`.
    pub(super) fn pair_code(&mut self, id: ConnectionId) -> PairCode {
        let effects = self.receive(id, ClientMessage::Pair);
        let [Effect::Tell { to: Recipients::One(to), event: Event::PairCode(code) }] = effects[..]
        else {
            panic!("{effects:?}")
        };
        assert_eq!(to, id);
        code
    }

    /// Returns the numbers of the devices of who is at `id`.
    fn devices(&mut self, id: ConnectionId) -> Vec<u8> {
        numbers(&self.receive(id, ClientMessage::Devices))
    }

    /// Returns the person who says something by `id`.
    fn speaker(&mut self, id: ConnectionId) -> Option<PersonId> {
        match &self.receive(id, text("hi", "1"))[..] {
            [Effect::Store { request: Request::Append { draft, .. }, .. }, ..] => draft.person,
            other => panic!("{other:?}"),
        }
    }
}

/// Returns the numbers of the devices that were listed last.
fn numbers(effects: &[Effect]) -> Vec<u8> {
    let Some(Effect::Tell { event: Event::Devices(devices), .. }) = effects.last() else {
        panic!("{effects:?}")
    };
    let number = |device: &Device| (1..=u8::MAX).find(|n| key(*n).public() == device.key);
    devices.iter().filter_map(number).collect()
}

#[test]
fn others_hear_of_somebody_with_their_first_connection_and_their_last() {
    let mut room = Room::with(&[(C, "Борис")]);
    room.connect(A);
    room.receive(A, hello("Анна", 1));
    room.connect(B);
    let effects = room.receive(B, hello("анна", 1));
    let [Effect::Tell { event: Event::Welcome { name, members, .. }, .. }, last] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!((name.as_str(), members.names()), ("Анна", vec!["Борис".into(), "Анна".into()]));
    assert_eq!(last, &enter(B, "Анна", ANNA, 2), "as she is present");
    assert_eq!(room.pass(ANNOUNCE_AFTER), [arrive(&[("Анна", 1)])]);
    assert_eq!(room.closed(A, CloseReason::Lost), []);
    assert_eq!(room.speaker(B), ANNA);
    room.connect(A);
    room.receive(A, hello("Анна", 1));
    assert_eq!(room.pass(ANNOUNCE_AFTER), [], "they know");
    assert_eq!(room.closed(B, CloseReason::Lost), []);
    assert_eq!(room.closed(A, CloseReason::Quit), [depart("Анна", CloseReason::Quit)]);
}

#[test]
fn somebody_is_announced_though_their_first_connection_is_gone() {
    for is_by_words in [false, true] {
        let mut room = Room::with(&[(C, "Борис")]);
        for id in [A, B] {
            room.connect(id);
            room.receive(id, hello("Анна", 1));
        }
        assert_eq!(room.closed(A, CloseReason::Lost), []);
        let arrived = arrive(&[("Анна", 1)]);
        if is_by_words {
            assert!(room.receive(B, text("hi", "1")).contains(&arrived));
            assert_eq!(room.pass(ANNOUNCE_AFTER), []);
        } else {
            assert_eq!(room.pass(ANNOUNCE_AFTER), [arrived]);
        }
    }
}

#[test]
fn who_was_never_announced_leaves_with_their_last_connection_for_those_who_know() {
    let mut room = Room::with(&[(C, "Борис")]);
    for id in [A, B] {
        room.connect(id);
        room.receive(id, hello("Анна", 1));
    }
    room.connect(slot(7));
    room.hello(slot(7), "Вера");
    assert_eq!(room.closed(A, CloseReason::Quit), []);
    let effects = room.closed(B, CloseReason::Quit);
    let [Effect::Tell { to: Recipients::JoinedWithin(_, later), event: Event::Left { .. } }] =
        &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(later, &(2..4), "Vera's welcome named her");
}

#[test]
fn connections_of_one_person_say_no_more_together_than_one() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    room.join(B, "Анна", 1);
    room.chat.set_rules(Rules { rate_limit: RateLimit::new(2, 1), ..RULES });
    assert_eq!(held_until(&room.receive(A, text("1", "1"))), None);
    let until = held_until(&room.receive(B, text("2", "2")));
    assert_eq!(until, Some(room.now + Duration::from_secs(1)));
}

#[test]
fn one_connection_too_many_takes_the_place_of_the_oldest_of_its_device() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    let code = room.pair_code(A);
    room.connect(B);
    room.receive(B, pairing("Анна", 2, code));
    for number in 2..u32::try_from(CONNECTIONS_PER_PERSON_MAX).unwrap() {
        room.connect(slot(number));
        let effects = room.receive(slot(number), hello("Анна", 2));
        assert!(!effects.iter().any(|effect| matches!(
            effect,
            Effect::Connection { action: Action::Close { .. }, .. }
        )));
    }
    room.connect(slot(99));
    let effects = room.receive(slot(99), hello("Анна", 2));
    assert!(effects.contains(&close(B, CloseReason::Displaced)), "{effects:?}");
    room.closed(B, CloseReason::Displaced);
    room.connect(B);
    let effects = room.receive(B, hello("Анна", 1));
    assert!(effects.contains(&close(A, CloseReason::Displaced)), "{effects:?}");
    assert_eq!(room.chat.roster().n_connections(), CONNECTIONS_PER_PERSON_MAX);
}

#[test]
fn another_device_joins_its_person_by_a_code() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    let code = room.pair_code(A);
    room.connect(B);
    let effects = room.receive(B, pairing("анна", 2, code));
    let device = Device { key: key(2).public(), label: "phone".into(), added_ms: 0 };
    assert_eq!(effects[0], told(A, Event::DeviceAdded(device)));
    assert_eq!(effects.last(), Some(&enter(B, "Анна", ANNA, 1)));
    assert_eq!((room.speaker(A), room.speaker(B)), (ANNA, ANNA));
    assert_eq!(room.devices(B), [1, 2]);
    room.closed(A, CloseReason::Quit);
    room.closed(B, CloseReason::Quit);
    assert_eq!(room.join(B, "Анна", 2), "Анна", "it is one of hers from now on");
    room.closed(B, CloseReason::Quit);
    room.connect(B);
    let effects = room.receive(B, pairing("Анна", 2, code));
    assert_eq!(effects.last(), Some(&enter(B, "Анна", ANNA, 3)), "whose welcome was lost");
}

#[test]
fn a_code_is_good_for_one_use_a_while_and_the_names_of_its_person() {
    let complaint = Complaint::new(ErrorCode::Forbidden, "this code is not good, or no longer");
    let refusal = [refused(C, complaint), report(C, Refusal::PairCode)];
    let cases: [Case; 6] = [
        |_, _| ("Анна", PairCode([0; 16])),
        |_, code| ("Борис", code),
        |_, code| ("Вера", code),
        |room, code| {
            room.now += PAIR_CODE_AGE_MAX;
            ("Анна", code)
        },
        |room, code| {
            room.pair_code(A);
            ("Анна", code)
        },
        |room, code| {
            room.connect(slot(7));
            room.receive(slot(7), pairing("Анна", 2, code));
            ("Анна", code)
        },
    ];
    for case in cases {
        let mut room = Room::new();
        room.join(A, "Анна", 1);
        room.join(B, "Борис", 9);
        let code = room.pair_code(A);
        let (name, code) = case(&mut room, code);
        room.connect(C);
        assert_eq!(room.receive(C, pairing(name, 3, code)), refusal, "{name}");
    }
}

#[test]
fn a_device_is_removed_by_another_at_once_and_for_good() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    let code = room.pair_code(A);
    room.connect(B);
    room.receive(B, pairing("Анна", 2, code));
    let (first, second) = (key(1).public(), key(2).public());
    let own = room.receive(A, ClientMessage::RemoveDevice { key: first });
    let complaint = Complaint::new(ErrorCode::Forbidden, "a device cannot remove itself");
    assert_eq!(own, [refused(A, complaint), report(A, Refusal::Device)]);
    let code = room.pair_code(B);
    let effects = room.receive(A, ClientMessage::RemoveDevice { key: second });
    assert_eq!(effects[0], told(B, Event::Bye { reason: CloseReason::Removed }));
    assert_eq!(effects[1], close(B, CloseReason::Removed));
    assert_eq!(numbers(&effects), [1]);
    assert_eq!(room.receive(B, text("late", "1")), []);
    assert_eq!(room.closed(B, CloseReason::Removed), [], "she is still present");
    room.connect(B);
    let effects = room.receive(B, hello("Анна", 2));
    assert_eq!(effects.last(), Some(&report(B, Refusal::NameTaken)));
    let effects = room.receive(B, pairing("Анна", 2, code));
    assert_eq!(effects.last(), Some(&report(B, Refusal::PairCode)), "nor by a code of its own");
    room.join(C, "Борис", 9);
    let effects = room.receive(C, ClientMessage::RemoveDevice { key: first });
    assert_eq!(numbers(&effects), [9], "whose is none of theirs");
    assert_eq!(room.speaker(A), ANNA);
}

#[test]
fn a_person_has_so_many_devices_and_no_more() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    for number in 2..=u8::try_from(DEVICES_PER_PERSON_MAX).unwrap() {
        let code = room.pair_code(A);
        room.connect(B);
        room.receive(B, pairing("Анна", number, code));
        room.closed(B, CloseReason::Quit);
    }
    let effects = room.receive(A, ClientMessage::Pair);
    assert_eq!(effects.last(), Some(&report(A, Refusal::Device)));
    room.receive(A, ClientMessage::RemoveDevice { key: key(2).public() });
    room.pair_code(A);
}

#[test]
fn wrong_signatures_and_codes_cost_an_address_its_time() {
    let forged = || {
        let proof = Some(key(1).prove(&CHALLENGE, "Вера"));
        ClientMessage::Hello(Hello { proof, ..Hello::new("Анна", 2) })
    };
    let bare = || ClientMessage::Hello(Hello::new("Анна", 2));
    let guess = || pairing("Анна", 2, PairCode([0; 16]));
    for wrong in [&forged as &dyn Fn() -> ClientMessage<'static>, &bare, &guess] {
        let mut room = Room::new();
        room.chat.set_rules(Rules { connections_per_address_max: 64, ..RULES });
        let (mut n_tried, mut number) = (0, 0);
        let until = loop {
            number += 1;
            if let Some(until) = held_until(&room.connect(slot(number))) {
                break until;
            }
            for _ in 0..15 {
                n_tried += 1;
                if held_until(&room.receive(slot(number), wrong())).is_some() {
                    break;
                }
            }
            room.closed(slot(number), CloseReason::Quit);
        };
        assert!((100..=150).contains(&n_tried), "{n_tried}");
        assert!(room.now < until);
    }
}

#[test]
fn what_asks_of_devices_costs_like_a_text() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    room.chat.set_rules(Rules { rate_limit: RateLimit::new(2, 1), ..RULES });
    assert_eq!(held_until(&room.receive(A, ClientMessage::Devices)), None);
    assert!(held_until(&room.receive(A, ClientMessage::Pair)).is_some());
}
