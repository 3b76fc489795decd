//! Entries, written and read.

use std::{sync::Arc, time::Duration};

use pychat_wire::{
    UserName,
    key::PublicKey,
    message::{Door, RoomKind},
};

use super::*;
use crate::core::{
    moderation::{Change as Rule, Measure, Sanction, Subject},
    record::{Amending, Device, Draft as Words, Invite, InviteTerms, OwnedName, Person, Room},
};

fn name() -> UserName {
    UserName::new("Анна").unwrap()
}

fn person() -> Person {
    let owned = OwnedName { name: "Анна".into(), used_ms: 5, is_regular: true };
    let device = Device { key: PublicKey([7; 32]), label: "nul \0".into(), added_ms: 6 };
    Person {
        id: PersonId(3),
        is_operator: true,
        is_bot: false,
        names: vec![owned],
        devices: vec![device],
    }
}

fn audit(verb: &str) -> AuditEntry {
    let (who, subject, detail) = ("root".into(), "Анна".into(), "\"x\"".into());
    AuditEntry { time_ms: 5, who, verb: verb.into(), subject, detail }
}

fn rules() -> Vec<Rule> {
    let sanction = |id, measure, subject| {
        let by = "root".to_owned();
        Rule::Impose(Sanction { id, measure, subject, until_ms: Some(9), since_ms: 5, by })
    };
    let keys = vec![PublicKey([1; 32])];
    let network = Subject::Network("10.0.0.0/8".parse().unwrap());
    let terms = InviteTerms { uses: Some(2), expires_ms: None };
    let invite = Invite { hash: [9; 32], terms, by: Some("Анна".into()) };
    vec![
        sanction(1, Measure::Ban, Subject::Person { name: "Анна".into(), keys }),
        sanction(2, Measure::Mute, network),
        Rule::Lift(1),
        Rule::Slow(Some(Duration::from_secs(3))),
        Rule::Slow(None),
        Rule::Door(Door::Invite),
        Rule::RevokeInvite(invite.id()),
        Rule::AddInvite(invite),
    ]
}

/// Requests that are answered without a record.
fn changes() -> Vec<Request> {
    let presence = |key| Presence { name: name(), person: Some(PersonId(3)), key };
    let offer = PairOffer { person: PersonId(3), hash: [4; 32] };
    vec![
        Request::Mark(ReadMark { room: RoomId(7), person: PersonId(3), seq: 9 }),
        Request::EndRoom(RoomId(7)),
        Request::ChangePerson(PersonChange::Save(person())),
        Request::ChangePerson(PersonChange::Forget(PersonId(3))),
        Request::Moderate { changes: rules(), entry: audit("ban"), by: None },
        Request::Admit { person: person(), invite: InviteId([8; 6]) },
        Request::Enter(presence(Some(PublicKey([5; 32])))),
        Request::Leave(presence(None), Reason::Lost),
        Request::Offer(offer),
    ]
}

#[test]
fn a_change_is_read_as_it_was_written() {
    let mut entry = Draft::default();
    for request in changes() {
        entry.add(request, &Stored::Changed);
    }
    let end = End { first_ms: Some(4), last_seq: 5, last_ms: 6, last_bytes: 7 };
    let bytes = entry.encode(&[(RoomId(7), end)], [RoomId(8)].into_iter(), Some(9));
    let read = decode(&bytes).unwrap();
    assert_eq!(read.changes, changes().into_iter().map(Change::Other).collect::<Vec<_>>());
    assert_eq!((read.ends(), read.erased_ms), (vec![(RoomId(7), end)], Some(9)));
    assert!(read.amended().eq([RoomId(8)]));
    let gone = decode(&gone(ServerId(7))).unwrap();
    assert_eq!((gone.ends(), gone.changes), (Vec::new(), vec![Change::Gone(ServerId(7))]));
}

#[test]
fn a_record_is_told_without_its_words() {
    let draft = |kind| Words {
        author: name(),
        person: Some(PersonId(3)),
        kind,
        id: Some("id".into()),
        reply: None,
    };
    let edit = Amending::Edit(Some(Arc::from("secret")));
    let kinds = [
        Kind::Text(Arc::from("secret")),
        Kind::Amendment { target: 2, amending: edit },
        Kind::Amendment { target: 2, amending: Amending::React(Some("secret".into())) },
    ];
    let members = vec![PersonId(3), PersonId(4)];
    let (topic, maker) = ("Тема".to_owned(), Some(PersonId(3)));
    let room =
        Room { id: RoomId(7), kind: RoomKind::Direct, name: String::new(), topic, maker, members };
    let room_changes = [
        RoomChange::Create(room),
        RoomChange::Add(PersonId(5)),
        RoomChange::Remove(PersonId(5)),
        RoomChange::Rename("Дом".into()),
        RoomChange::SetTopic("Тема".into()),
    ];
    let append = kinds.iter().map(|kind| (kind.clone(), With::Append(None)));
    let amend = [(kinds[1].clone(), With::Amend(Some(audit("delete"))))];
    let change = room_changes.map(|change| (kinds[0].clone(), With::Append(Some(change))));
    for (kind, with) in append.chain(amend).chain(change) {
        let (room, draft) = (RoomId(7), draft(kind));
        let record = draft.clone().into_record(room, 9, 5);
        let request = match with.clone() {
            With::Append(change) => Request::Append { room, draft, change },
            With::Amend(entry) => Request::Amend { room, draft, entry },
        };
        let mut entry = Draft::default();
        entry.add(request, &Stored::Appended(Appended::New(record.clone())));
        assert_eq!((&*entry.rooms, &*entry.seqs, entry.n_bytes), (&[7][..], &[9][..], 6));
        let bytes = entry.encode(&[], std::iter::empty(), None);
        assert!(!String::from_utf8(bytes.clone()).unwrap().contains("secret"));
        let [Change::Record(read, read_with)] = &decode(&bytes).unwrap().changes[..] else {
            panic!("{bytes:?}")
        };
        assert_eq!(*read_with, with);
        let kind = read.kind.clone();
        assert_eq!(kind.text(), "");
        assert!(kind.target() == record.kind.target() && kind.is_shown() == record.kind.is_shown());
        let state = State { is_deleted: kind.target().is_none(), ..State::default() };
        assert_eq!(**read, Record { kind, id: None, state, ..record });
    }
}

#[test]
fn what_changes_nothing_is_not_told() {
    let mut entry = Draft::default();
    let (person, id) = (PersonId(3), Arc::from("id"));
    entry.add(Request::Recall { person, id }, &Stored::Recalled(None));
    entry.add(Request::Find { room: RoomId(7), seq: 9 }, &Stored::Recalled(None));
    let kind = Kind::Text("x".into());
    let draft = Words { author: name(), person: None, kind, id: None, reply: None };
    let request = Request::Append { room: RoomId(7), draft, change: None };
    entry.add(request, &Stored::Appended(Appended::Conflict { id: "id".into() }));
    assert!(entry.is_empty());
}

#[test]
fn entries_of_later_versions_are_read_as_far_as_they_may_be() {
    let end = r#"{"kind":"end_room","room":7,"later":true}"#;
    for (changes, expected) in [
        (end.to_owned(), Some(1)),
        (format!(r#"{end},{{"kind":"later","ignorable":true}}"#), Some(1)),
        (format!(r#"{end},{{"kind":"later","ignorable":false}}"#), None),
        (format!(r#"{end},{{"kind":"later"}}"#), None),
        (r#"{"kind":"moderate","changes":[{"later":1}],"entry":{}}"#.to_owned(), None),
        ("7".to_owned(), None),
        (r#"{"kind":"enter","name":"","person":null}"#.to_owned(), None),
    ] {
        let entry = format!(r#"{{"format":1,"changes":[{changes}],"later":[]}}"#);
        let read = decode(entry.as_bytes());
        assert_eq!(read.map(|entry| entry.changes.len()).ok(), expected, "{entry}");
    }
    for entry in ["", "{", r#"{"changes":[]}"#, r#"{"format":2,"changes":[]}"#] {
        assert_eq!(decode(entry.as_bytes()).map(|_| ()), Err(Unreadable), "{entry}");
    }
}
