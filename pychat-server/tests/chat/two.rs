//! Peers of protocol 2.

use std::time::Duration;

use pychat_server::core::{
    chat::{
        Action, BAD_PAYLOADS_MAX, CloseReason, Complaint, Effect, Event, Input, Recipients,
        Refusal, Rules, STORAGE_RETRY_MS,
    },
    id::{ConnectionId, HALL},
    rate_limit::RateLimit,
    record::{
        Appended, Draft, Kind, PersonChange, PersonId, ReadMark, Request, StorageError, Stored,
    },
};
use pychat_wire::{
    ClientMessage, FrameError, MessageError, NameError,
    key::SecretKey,
    message::{ErrorCode, Hello, Positions, Resume},
};

use super::{
    A, ANNOUNCE_AFTER, B, CHALLENGE, HELLO_TIMEOUT, RULES, Room, act, append, arrive, close, enter,
    first_record, name, refused, report, ticket, told, told_all,
};

/// Returns the hello of a device, which is told from others by a number.
pub(super) fn hello(username: &str, device: u8) -> ClientMessage<'_> {
    hello_of(username, key(device))
}

pub(super) fn hello_of(username: &str, key: SecretKey) -> ClientMessage<'_> {
    let proof = Some(key.prove(&CHALLENGE, username));
    ClientMessage::Hello(Hello { proof, ..Hello::new(username, 2) })
}

/// Returns the key of a device.
pub(super) fn key(device: u8) -> SecretKey {
    SecretKey([device; 32])
}

pub(super) fn text<'a>(content: &'a str, id: &'a str) -> ClientMessage<'a> {
    ClientMessage::Text {
        room: "".into(),
        content: content.into(),
        id: Some(id.into()),
        reply: None,
    }
}

fn complain(to: ConnectionId, code: ErrorCode, text: &str) -> Effect {
    refused(to, Complaint::new(code, text))
}

fn bye(to: ConnectionId, reason: CloseReason) -> Effect {
    told(to, Event::Bye { reason })
}

impl Room {
    /// Lets somebody join by a device, and be announced; returns the name that they were given.
    pub(super) fn join(&mut self, id: ConnectionId, username: &str, device: u8) -> String {
        self.connect(id);
        let effects = self.receive(id, hello(username, device));
        self.pass(ANNOUNCE_AFTER);
        let welcome = effects.iter().find_map(|effect| match effect {
            Effect::Tell { to: Recipients::One(to), event: Event::Welcome { name, .. } }
                if *to == id =>
            {
                Some(name.as_str().to_owned())
            }
            _ => None,
        });
        welcome.unwrap_or_else(|| panic!("{username} is welcome: {effects:?}"))
    }
}

#[test]
fn who_joins_is_told_who_is_there() {
    let mut room = Room::with(&[(A, "Анна")]);
    room.connect(B);
    let effects = room.receive(B, hello(" Борис ", 1));
    let [
        Effect::Store { request: Request::ChangePerson(PersonChange::Save(person)), .. },
        Effect::Store { request: Request::Mark(mark), .. },
        Effect::Tell { to: Recipients::One(B), event: Event::Welcome { name: given, members, .. } },
        rest @ ..,
    ] = &effects[..]
    else {
        panic!("{effects:?}");
    };
    assert_eq!((person.id, &*person.names[0].name), (PersonId(1), "Борис"));
    assert_eq!(person.devices[0].key, key(1).public());
    assert_eq!(*mark, ReadMark { room: HALL, person: PersonId(1), seq: 0 });
    assert_eq!(given, &name("Борис"));
    assert_eq!(members.names(), ["Анна", "Борис"]);
    assert_eq!(rest, [enter(B, "Борис", Some(PersonId(1)), 1)]);
    assert_eq!(room.pass(ANNOUNCE_AFTER), [arrive(&[("Борис", 1)])]);
    assert_eq!(room.chat.next_deadline(), None);
}

#[test]
fn who_comes_back_says_after_which_message() {
    let mut room = Room::new();
    room.connect(A);
    let rooms = Positions(vec![("".into(), 12), ("r1".into(), 3), ("".into(), 13)]);
    let resume = Some(Resume { epoch: "e".into(), rooms, limit: Some(7) });
    let proof = Some(key(1).prove(&CHALLENGE, "Анна"));
    let hello = ClientMessage::Hello(Hello { proof, resume, ..Hello::new("Анна", 2) });
    let last = act(A, Action::Resume { room: HALL, epoch: "e".into(), after: 12, limit: Some(7) });
    assert_eq!(room.receive(A, hello).last(), Some(&last));
}

#[test]
fn a_taken_name_is_refused_and_another_suggested() {
    let mut room = Room::with(&[(A, "Анна")]);
    room.connect(B);
    for device in [1, 2] {
        let complaint = Complaint {
            suggest: Some(name("Aнна (2)")),
            ..Complaint::new(ErrorCode::NameTaken, "somebody else has this name")
        };
        assert_eq!(
            room.receive(B, hello("Aнна", device)), // A Latin A.
            [refused(B, complaint), report(B, Refusal::NameTaken)]
        );
    }
    let reason = CloseReason::Timeout;
    let told = complain(B, ErrorCode::Timeout, "No username within 20 seconds. Bye!");
    assert_eq!(room.pass(HELLO_TIMEOUT), [told, bye(B, reason), close(B, reason)]);
}

#[test]
fn an_owner_whose_first_text_was_not_kept_is_kept_with_the_next() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    room.is_answered = false;
    let said = |room: &mut Room, id| {
        let effects = room.receive(A, text("hi", id));
        assert_eq!(effects.len(), effects.iter().filter_map(ticket).count());
        effects.iter().filter_map(ticket).collect::<Vec<_>>()
    };
    let tickets = said(&mut room, "1");
    assert_eq!(tickets.len(), 2);
    for ticket in tickets {
        room.answer(ticket, Err(StorageError::Full));
    }
    assert_eq!(said(&mut room, "2").len(), 2);
    assert_eq!(said(&mut room, "3").len(), 1);
}

#[test]
fn other_words_under_an_id_that_was_used_are_refused() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    let complaint = Complaint {
        reference: Some("a-1".into()),
        ..Complaint::new(
            ErrorCode::IdReused,
            "you said something else under this id; this was not sent",
        )
    };
    room.is_answered = false;
    let effects = room.receive(A, text("hi", "a-1"));
    let ticket = ticket(&effects[0]).expect("a text is stored");
    let conflict = Ok(Stored::Appended(Appended::Conflict { id: "a-1".into() }));
    assert_eq!(
        room.answer(ticket, conflict),
        [refused(A, complaint), report(A, Refusal::IdReused)]
    );
}

#[test]
fn a_text_has_an_id_by_which_it_is_acknowledged_once_it_is_kept() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    room.is_answered = false;
    let draft = Draft {
        author: name("Анна"),
        person: Some(PersonId(1)),
        kind: Kind::Text("hi".into()),
        id: Some("a-1".into()),
        reply: None,
    };
    let record = first_record(&draft);
    let complaint = Complaint {
        reference: Some("a-1".into()),
        retry_ms: Some(STORAGE_RETRY_MS),
        ..Complaint::new(
            ErrorCode::Storage,
            "Not kept, so not sent: the server cannot store messages now (disk full).",
        )
    };
    for (outcome, effect) in [
        (
            Ok(Stored::Appended(Appended::New(record.clone()))),
            told_all(Event::Recorded { from: Some(A), record: record.clone() }),
        ),
        (
            Ok(Stored::Appended(Appended::Known(record.clone()))),
            told(A, Event::Duplicate { record }),
        ),
        (Err(StorageError::Full), refused(A, complaint)),
    ] {
        let effects = room.receive(A, text("hi", "a-1"));
        let ticket = ticket(&effects[0]).expect("a text is stored");
        assert_eq!(effects[0], append(ticket.0, draft.clone()));
        assert_eq!(room.answer(ticket, outcome), [effect]);
    }
}

#[test]
fn a_text_without_a_good_id_is_refused() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    let long = "x".repeat(65);
    for message in [ClientMessage::text("hi"), text("hi", ""), text("hi", &long)] {
        assert_eq!(
            room.receive(A, message),
            [
                complain(A, ErrorCode::BadPayload, "a text needs an id of 1 to 64 bytes"),
                report(A, Refusal::MessageId)
            ]
        );
    }
    assert!(matches!(
        room.receive(A, text("hi", &long[1..]))[0],
        Effect::Store { request: Request::Append { .. }, .. }
    ));
}

#[test]
fn what_cannot_be_is_refused_in_its_own_words() {
    let mut room = Room::new();
    room.connect(A);
    for (username, error) in [("", NameError::Empty), ("Вы", NameError::Reserved)] {
        let told = complain(A, ErrorCode::NameInvalid, &error.to_string());
        assert_eq!(room.receive(A, hello(username, 1)), [report(A, Refusal::Name(error)), told]);
    }
    let complaint = Complaint {
        reference: Some("a-1".into()),
        ..Complaint::new(ErrorCode::NotJoined, "say hello first")
    };
    let refusal = refused(A, complaint);
    assert_eq!(room.receive(A, text("early", "a-1")), [report(A, Refusal::NotJoined), refusal]);
    room.receive(A, hello("Анна", 1));
    room.pass(ANNOUNCE_AFTER);
    let text = "this connection has a name already";
    let refusal = complain(A, ErrorCode::AlreadyJoined, text);
    assert_eq!(room.receive(A, hello("Анна", 1)), [report(A, Refusal::AlreadyJoined), refusal]);
    let unknown = MessageError::UnknownType { name: "dance".into() };
    for (error, code) in
        [(MessageError::NoType, ErrorCode::BadPayload), (unknown, ErrorCode::UnknownType)]
    {
        let told = complain(A, code, &error.to_string());
        let effects = room.handle(Input::BadMessage { id: A, error: error.clone() });
        assert_eq!(effects, [told, report(A, Refusal::Payload(error))]);
    }
    assert_eq!(room.receive(A, ClientMessage::Ping), [told(A, Event::Pong)]);
    assert_eq!(room.receive(A, ClientMessage::Pong), []);
    let page = act(A, Action::Page { room: HALL, before: 7, limit: 3 });
    assert_eq!(
        room.receive(A, ClientMessage::History { room: "".into(), before: 7, limit: 3 }),
        [page]
    );
}

#[test]
fn who_is_sent_away_hears_a_bye_last() {
    let ending = |happen: &dyn Fn(&mut Room) -> Vec<Effect>| {
        let mut room = Room::new();
        room.join(A, "Анна", 1);
        happen(&mut room)
    };
    let nonsense = |room: &mut Room| {
        (1..BAD_PAYLOADS_MAX).for_each(|_| drop(room.nonsense(A)));
        room.nonsense(A)
    };
    let error = FrameError::TooLarge { limit: 5 };
    let reason = CloseReason::Protocol;
    let last = |effects: &[Effect]| [effects[1].clone(), effects[2].clone()];
    let effects = ending(&nonsense);
    assert_eq!(last(&effects), [bye(A, reason), close(A, reason)]);
    let effects = ending(&|room| room.handle(Input::BadFrame { id: A, error }));
    assert_eq!(
        effects,
        [
            complain(
                A,
                ErrorCode::TooLarge,
                "Connection closed: a payload of more than 5 bytes. Bye!"
            ),
            report(A, Refusal::Frame(error)),
            bye(A, reason),
            close(A, reason)
        ]
    );
    let reason = CloseReason::Shutdown;
    let effects = ending(&|room| room.handle(Input::Stopping));
    assert_eq!(effects, [bye(A, reason), close(A, reason)]);
    let effects = ending(&|room| room.handle(Input::Eof { id: A }));
    assert_eq!(effects, [close(A, CloseReason::Quit)], "who goes by itself knows");
}

#[test]
fn who_speaks_too_fast_is_told_once_until_it_slows_down() {
    let mut room = Room::new();
    room.chat.set_rules(Rules { rate_limit: RateLimit::new(2, 5), ..RULES });
    room.join(A, "Анна", 1);
    let mut said = 0;
    let mut told = |room: &mut Room| {
        said += 1;
        let effects = room.receive(A, text("x", &said.to_string()));
        effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Tell { event: Event::Refused(_), .. }))
            .count()
    };
    assert_eq!([told(&mut room), told(&mut room), told(&mut room)], [0, 1, 0]);
    room.pass(Duration::from_secs(5));
    assert_eq!([told(&mut room), told(&mut room)], [0, 1]);
}
