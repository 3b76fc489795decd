//! Whose a name is while its owner is away.

use std::time::Duration;

use pychat_server::core::{
    admission::Origin,
    chat::{CloseReason, Effect, Protocol, Refusal, Restored, Rules},
    id::ConnectionId,
    record::{PersonChange, PersonId, Request},
    time::Time,
};

use super::{
    A, B, C, NAME_AGE_MAX, RULES, Room, close, depart, enter, name, report,
    two::{hello, text},
};

#[test]
fn a_name_is_its_owner_s_from_their_first_hello_on() {
    let mut room = Room::new();
    let token = room.join(B, "Анна", None);
    let [
        Effect::Store { request: Request::Append { draft, .. }, .. },
        Effect::Store { request: Request::ChangePerson(PersonChange::Save(person)), .. },
    ] = &room.receive(B, text("hi", "1"))[..]
    else {
        panic!("from her first text on she is more than a passer-by");
    };
    assert_eq!((draft.person, &*person.name, person.is_regular), (Some(person.id), "Анна", true));
    assert_eq!(room.receive(B, text("again", "2")).len(), 1, "and once");
    room.closed(B, CloseReason::Lost);
    for stranger in ["Анна", "анна"] {
        room.connect(A);
        for token in [None, Some("0123456789abcdef0123456789abcdef")] {
            let refused = room.receive(A, hello(stranger, token));
            assert_eq!(refused.last(), Some(&report(A, Refusal::NameTaken)));
        }
        let given = name(stranger).numbered(2);
        let effects = room.hello(A, stranger);
        let index = room.chat.roster().join_index(A).unwrap();
        assert_eq!(effects[1..], [enter(A, given.as_str(), None, index)]);
        room.closed(A, CloseReason::Quit);
    }
    assert_eq!(room.join(C, "анна", Some(&token)), token, "as she spells it");
}

#[test]
fn a_name_is_not_lost_with_its_first_welcome_where_its_owner_has_chosen_the_token() {
    let mut room = Room::new();
    let token = "00112233445566778899aabbccddeeff";
    room.connect(A);
    room.receive(A, hello("Анна", Some(token)));
    room.closed(A, CloseReason::Lost); // She has read nothing.
    assert_eq!(room.join(B, "Анна", Some(token)), token);
    for other in ["00112233445566778899aabbccddeef", "00112233445566778899AABBCCDDEEFF"] {
        let given = room.join(C, "Борис", Some(other));
        assert_ne!(given, other, "this is no token");
        room.closed(C, CloseReason::Quit);
        room = Room::new();
    }
}

#[test]
fn an_owner_gets_their_name_back_from_who_looks_like_them() {
    // Both were here before the name was hers: of an earlier process, say.
    let restored = |username| Restored {
        name: Some(name(username)),
        protocol: Protocol::V1,
        grant: None,
        origin: Origin::v4(1),
        limited_for: Duration::ZERO,
        hello_for: Duration::ZERO,
    };
    let mut room = Room::new();
    let token = room.join(A, "Анна", None);
    room.receive(A, text("hi", "1"));
    room.closed(A, CloseReason::Quit);
    assert!(room.chat.restore(room.now, B, restored("анна")));
    room.connect(A);
    let effects = room.receive(A, hello("Анна", Some(&token)));
    let replaced = CloseReason::Replaced;
    assert_eq!(effects[..2], [close(B, replaced), depart("анна", replaced)]);
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
    let token = room.join(A, "Анна", None);
    room.receive(A, text("hi", "1"));
    room.closed(A, CloseReason::Quit);
    room.connect(B);
    let refusal = Some(report(B, Refusal::NameTaken));
    for (utc_ms, is_trusted) in [(999 + age_ms, true), (2 * age_ms, false)] {
        room.chat.set_time(&at(&room, utc_ms, is_trusted));
        assert_eq!(room.receive(B, hello("Анна", None)).last(), refusal.as_ref());
    }
    room.chat.set_time(&at(&room, 1_000 + age_ms, true));
    let effects = room.receive(B, hello("Анна", None));
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
    let effects = room.receive(C, hello("Анна", Some(&token)));
    assert_eq!(effects.last(), Some(&report(C, Refusal::NameTaken)));
}

#[test]
fn twenty_thousand_strangers_take_nothing_from_anybody() {
    let mut room = Room::new();
    let token = room.join(A, "Анна", None);
    room.receive(A, text("hi", "1"));
    let quiet = room.join(C, "Тихая", None);
    room.chat.set_rules(Rules { connections_per_address_max: 64, ..RULES });
    let mut n_changes = 0;
    for number in 0..20_000 {
        room.connect(B);
        let effects = room.receive(B, hello(&format!("n{number}"), None));
        let is_change = |effect: &&Effect| {
            matches!(effect, Effect::Store { request: Request::ChangePerson(_), .. })
        };
        n_changes += effects.iter().filter(is_change).count();
        room.closed(B, CloseReason::Quit);
    }
    assert_eq!(n_changes, 128, "what one address may have reserved at once");
    for (name, token) in [("Анна", token), ("Тихая", quiet)] {
        let id = ConnectionId { slot: 9, generation: 9 };
        assert_eq!(room.join(id, name, Some(&token)), token);
        room.closed(id, CloseReason::Quit);
    }
}
