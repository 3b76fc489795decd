//! Whose a name is while its owner is away.

use std::time::Duration;

use pychat_server::core::{
    admission::Origin,
    chat::{Action, CloseReason, Effect, Protocol, Refusal, Restored, Rules},
    id::ConnectionId,
    record::{OwnedName, PersonChange, PersonId, Request, Stored},
    time::Time,
};

use pychat_wire::{ClientMessage, key::SecretKey};

use super::{
    A, ANNOUNCE_AFTER, B, C, CHALLENGE, HELLO_TIMEOUT, NAME_AGE_MAX, RULES, Room, act, close,
    depart, enter, name, report, ticket,
    two::{hello, hello_of, text},
};

#[test]
fn a_name_is_its_owner_s_from_their_first_hello_on() {
    let mut room = Room::new();
    room.join(B, "Анна", 1);
    let [
        Effect::Store { request: Request::Append { draft, .. }, .. },
        Effect::Store { request: Request::ChangePerson(PersonChange::Save(person)), .. },
    ] = &room.receive(B, text("hi", "1"))[..]
    else {
        panic!("from her first text on she is more than a passer-by");
    };
    let [OwnedName { name: owned, is_regular: true, .. }] = &person.names[..] else {
        panic!("{person:?}")
    };
    assert_eq!((draft.person, &**owned), (Some(person.id), "Анна"));
    assert_eq!(room.receive(B, text("again", "2")).len(), 1, "and once");
    room.closed(B, CloseReason::Lost);
    for stranger in ["Анна", "анна"] {
        room.connect(A);
        let refused = room.receive(A, hello(stranger, 2));
        assert_eq!(refused.last(), Some(&report(A, Refusal::NameTaken)));
        let given = name(stranger).numbered(2);
        let effects = room.hello(A, stranger);
        let index = room.chat.roster().join_index(A).unwrap();
        assert_eq!(effects[1..], [enter(A, given.as_str(), None, index)]);
        room.closed(A, CloseReason::Quit);
    }
    assert_eq!(room.join(C, "анна", 1), "анна", "as she spells it");
}

#[test]
fn one_person_may_own_a_few_names_and_is_themselves_under_each() {
    let mut room = Room::new();
    let said_by = |room: &mut Room, name: &str| {
        room.join(A, name, 1);
        let effects = room.receive(A, text("hi", name));
        let Effect::Store { request: Request::Append { draft, .. }, .. } = &effects[0] else {
            panic!("{effects:?}")
        };
        let person = draft.person;
        room.closed(A, CloseReason::Quit);
        person
    };
    for name in ["Анна", "Аня", "Anna", "Нюра", "Ася"] {
        assert_eq!(said_by(&mut room, name), Some(PersonId(1)), "{name}");
    }
    for (name, is_owned) in [("Анна", true), ("Нюра", true), ("Ася", false)] {
        room.connect(B);
        let effects = room.receive(B, hello(name, 2));
        let is_refused = effects.last() == Some(&report(B, Refusal::NameTaken));
        assert_eq!(is_refused, is_owned, "{name}");
        room.closed(B, CloseReason::Quit);
    }
}

/// Returns a room in which `B` has a name that looks like that of an owner who is away.
fn squatted() -> Room {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    room.receive(A, text("hi", "1"));
    room.closed(A, CloseReason::Quit);
    // Here before the name was hers: of an earlier process, say.
    let restored = Restored {
        name: Some(name("анна")),
        protocol: Protocol::V1,
        challenge: CHALLENGE,
        grant: None,
        origin: Origin::v4(1),
        limited_for: Duration::ZERO,
        slow_for: Duration::ZERO,
        hello_for: Duration::ZERO,
    };
    assert!(room.chat.restore(room.now, B, restored));
    room
}

#[test]
fn an_owner_gets_their_name_once_what_was_said_under_it_is_answered() {
    let mut room = squatted();
    room.is_answered = false;
    let effects = room.text(B, "hi");
    let tickets: Vec<_> = effects.iter().filter_map(ticket).collect();
    room.connect(C);
    assert_eq!(room.receive(C, hello("Анна", 1)), [act(C, Action::AwaitStore)]);
    assert_eq!(room.receive(C, ClientMessage::Ping), [], "what follows on the hello waits too");
    assert_eq!(room.closed(B, CloseReason::Lost), []);
    let effects: Vec<_> =
        tickets.into_iter().flat_map(|ticket| room.answer(ticket, Ok(Stored::Changed))).collect();
    assert_eq!(effects[..2], [depart("анна", CloseReason::Lost), act(C, Action::ResumeRead)]);
    assert!(effects.contains(&enter(C, "Анна", Some(PersonId(1)), 2)), "{effects:?}");
    assert_eq!(room.chat.next_deadline(), Some(room.now + ANNOUNCE_AFTER));
}

#[test]
fn who_waits_for_a_name_may_leave_and_is_not_waited_for_for_ever() {
    for gone in [false, true] {
        let mut room = squatted();
        room.is_answered = false;
        let effects = room.text(B, "hi");
        let tickets: Vec<_> = effects.iter().filter_map(ticket).collect();
        room.connect(C);
        room.receive(C, hello("Анна", 1));
        let effects =
            if gone { room.closed(C, CloseReason::Lost) } else { room.pass(HELLO_TIMEOUT) };
        assert_eq!(effects.contains(&close(C, CloseReason::Timeout)), !gone);
        for ticket in tickets {
            assert_eq!(room.answer(ticket, Ok(Stored::Changed)), []);
        }
        assert_eq!(room.chat.roster().name(B), Some(&name("анна")));
    }
}

#[test]
fn an_owner_gets_their_name_back_from_who_looks_like_them() {
    let mut room = squatted();
    room.connect(A);
    let effects = room.receive(A, hello("Анна", 1));
    let displaced = CloseReason::Displaced;
    assert_eq!(effects[..2], [close(B, displaced), depart("анна", displaced)]);
    assert_eq!(effects.last(), Some(&enter(A, "Анна", Some(PersonId(1)), 2)));
}

#[test]
fn a_name_is_free_again_once_its_owner_stays_away_for_too_long() {
    let mut room = Room::new();
    let at = |room: &Room, utc_ms: u64, is_trusted: bool| {
        let trusted_at = if is_trusted { room.now } else { room.now + Duration::from_secs(1) };
        Time { now: room.now, utc_ms, trusted_at }
    };
    let age_ms = u64::try_from(NAME_AGE_MAX.as_millis()).unwrap();
    room.chat.set_time(&at(&room, 1_000, false));
    room.join(A, "Анна", 1);
    room.receive(A, text("hi", "1"));
    room.closed(A, CloseReason::Quit);
    room.connect(B);
    let refusal = Some(report(B, Refusal::NameTaken));
    for (utc_ms, is_trusted) in [(999 + age_ms, true), (2 * age_ms, false)] {
        room.chat.set_time(&at(&room, utc_ms, is_trusted));
        assert_eq!(room.receive(B, hello("Анна", 2)).last(), refusal.as_ref());
    }
    room.chat.set_time(&at(&room, 1_000 + age_ms, true));
    let effects = room.receive(B, hello("Анна", 2));
    assert_eq!(effects.last(), Some(&enter(B, "Анна", Some(PersonId(2)), 1)));
    let forgotten = PersonChange::Forget(PersonId(1));
    let is_forgotten = |effect: &Effect| {
        matches!(
            effect,
            Effect::Store { request: Request::ChangePerson(change), .. } if *change == forgotten
        )
    };
    assert!(effects.iter().any(is_forgotten), "{effects:?}");
    room.connect(C);
    let effects = room.receive(C, hello("Анна", 1));
    assert_eq!(effects.last(), Some(&report(C, Refusal::NameTaken)));
}

#[test]
fn twenty_thousand_strangers_take_nothing_from_anybody() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    room.receive(A, text("hi", "1"));
    room.join(C, "Тихая", 2);
    room.chat.set_rules(Rules { connections_per_address_max: 64, ..RULES });
    let mut n_changes = 0;
    let stranger = |number: u32| {
        let mut key = [3; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        key
    };
    for number in 0..20_000 {
        room.connect(B);
        let effects = room.receive(B, hello_of(&format!("n{number}"), SecretKey(stranger(number))));
        let is_change = |effect: &&Effect| {
            matches!(effect, Effect::Store { request: Request::ChangePerson(_), .. })
        };
        n_changes += effects.iter().filter(is_change).count();
        room.closed(B, CloseReason::Quit);
    }
    assert_eq!(n_changes, 128, "what one address may have reserved at once");
    for (name, device) in [("Анна", 1), ("Тихая", 2)] {
        let id = ConnectionId { slot: 9, generation: 9 };
        assert_eq!(room.join(id, name, device), name);
        room.closed(id, CloseReason::Quit);
    }
}
