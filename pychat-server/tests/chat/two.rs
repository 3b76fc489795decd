//! Peers of protocol 2.

use std::time::Duration;

use pychat_server::core::{
    chat::{
        BAD_PAYLOADS_MAX, CloseReason, Complaint, Effect, Input, Refusal, Rules, STORAGE_RETRY_MS,
    },
    id::ConnectionId,
    rate_limit::RateLimit,
    record::{Appended, Draft, OwnerChange, OwnerId, StorageError},
};
use pychat_wire::{
    ClientMessage, FrameError, MessageError, NameError,
    message::{ErrorCode, Resume},
};

use super::{
    A, ANNOUNCE_AFTER, B, C, HELLO_TIMEOUT, RULES, Room, arrive, close, depart, enter,
    first_record, name, report,
};

pub(super) fn hello<'a>(username: &'a str, token: Option<&'a str>) -> ClientMessage<'a> {
    let (username, token) = (username.into(), token.map(Into::into));
    ClientMessage::Hello { username, protocol: 2, token, resume: None }
}

pub(super) fn text<'a>(content: &'a str, id: &'a str) -> ClientMessage<'a> {
    ClientMessage::Text { content: content.into(), id: Some(id.into()) }
}

fn complain(to: ConnectionId, code: ErrorCode, text: &str) -> Effect {
    Effect::Complain { to, complaint: Complaint::new(code, text) }
}

fn bye(to: ConnectionId, reason: CloseReason) -> Effect {
    Effect::Bye { to, reason }
}

impl Room {
    /// Lets somebody join and be announced; returns their token.
    pub(super) fn join(&mut self, id: ConnectionId, username: &str, token: Option<&str>) -> String {
        self.connect(id);
        let effects = self.receive(id, hello(username, token));
        self.pass(ANNOUNCE_AFTER);
        let welcome = effects.iter().find_map(|effect| match effect {
            Effect::Welcome { to, token, .. } if *to == id => Some(token.clone()),
            _ => None,
        });
        welcome.unwrap_or_else(|| panic!("{username} is welcome: {effects:?}"))
    }
}

#[test]
fn who_joins_is_told_who_is_there_and_given_a_token() {
    let mut room = Room::with(&[(A, "Анна")]);
    room.connect(B);
    let effects = room.receive(B, hello(" Борис ", None));
    let [
        Effect::ChangeOwner(OwnerChange::Save(owner)),
        Effect::Welcome { to: B, name: given, token, members },
        rest @ ..,
    ] = &effects[..]
    else {
        panic!("{effects:?}");
    };
    assert_eq!((owner.id, &*owner.name), (OwnerId(1), "Борис"));
    assert_eq!(given, &name("Борис"));
    assert_eq!((token.len(), members.names()), (32, vec!["Анна".into(), "Борис".into()]));
    assert_eq!(rest, [enter(B, "Борис", Some(OwnerId(1)), 1)]);
    assert_eq!(room.pass(ANNOUNCE_AFTER), [arrive(&[("Борис", 1)])]);
    assert_eq!(room.chat.next_deadline(), None);
}

#[test]
fn who_comes_back_says_after_which_message() {
    let mut room = Room::new();
    room.connect(A);
    let resume = Some(Resume { epoch: "e".into(), after: 12, limit: Some(7) });
    let hello =
        ClientMessage::Hello { username: "Анна".into(), protocol: 2, token: None, resume };
    let last = Effect::Resume { id: A, epoch: "e".into(), after: 12, limit: Some(7) };
    assert_eq!(room.receive(A, hello).last(), Some(&last));
}

#[test]
fn a_taken_name_is_refused_and_another_suggested() {
    let mut room = Room::with(&[(A, "Анна")]);
    room.connect(B);
    for token in [None, Some("0123456789abcdef0123456789abcdef")] {
        let complaint = Complaint {
            suggest: Some(name("Aнна (2)")),
            ..Complaint::new(ErrorCode::NameTaken, "somebody else has this name")
        };
        assert_eq!(
            room.receive(B, hello("Aнна", token)), // A Latin A.
            [Effect::Complain { to: B, complaint }, report(B, Refusal::NameTaken)]
        );
    }
    let reason = CloseReason::Timeout;
    let told = complain(B, ErrorCode::Timeout, "No username within 20 seconds. Bye!");
    assert_eq!(room.pass(HELLO_TIMEOUT), [told, bye(B, reason), close(B, reason)]);
}

#[test]
fn a_token_takes_the_name_over_from_a_connection_that_is_still_open() {
    let mut room = Room::new();
    let token = room.join(A, "Анна", None);
    room.connect(B);
    let effects = room.receive(B, hello("Анна", Some(&token)));
    let [begin @ .., Effect::Welcome { to: B, token: same, members, .. }, last] = &effects[..]
    else {
        panic!("{effects:?}");
    };
    assert_eq!(
        begin,
        [
            bye(A, CloseReason::Replaced),
            close(A, CloseReason::Replaced),
            depart("Анна", CloseReason::Replaced)
        ]
    );
    assert_eq!((same, members.names()), (&token, vec!["Анна".to_owned()]));
    assert_eq!(last, &enter(B, "Анна", Some(OwnerId(1)), 1));
    assert_eq!(room.receive(A, text("late", "1")), [], "who was replaced says no more");
    assert_eq!(room.closed(A, CloseReason::Replaced), [], "the others know already");
}

#[test]
fn a_hello_that_was_long_under_way_takes_the_name_from_no_newer_connection() {
    let mut room = Room::new();
    let token = room.join(A, "Анна", None);
    room.connect(B);
    room.connect(C);
    room.receive(C, hello("Анна", Some(&token)));
    let late = room.receive(B, hello("Анна", Some(&token)));
    assert_eq!(late, [bye(B, CloseReason::Replaced), close(B, CloseReason::Replaced)]);
    room.pass(ANNOUNCE_AFTER);
    assert!(matches!(room.receive(C, text("still here", "1"))[0], Effect::Append(_)));
}

#[test]
fn an_owner_whose_first_text_was_not_kept_is_kept_with_the_next() {
    let mut room = Room::new();
    room.join(A, "Анна", None);
    let said = |room: &mut Room, id| {
        let effects = room.receive(A, text("hi", id));
        let Effect::Append(draft) = effects[0].clone() else { panic!("{effects:?}") };
        (draft, effects.len())
    };
    let (draft, count) = said(&mut room, "1");
    assert_eq!(count, 2);
    room.handle(Input::AppendFailed { draft, error: StorageError::Full });
    assert_eq!(said(&mut room, "2").1, 2);
    assert_eq!(said(&mut room, "3").1, 1);
}

#[test]
fn other_words_under_an_id_that_was_used_are_refused() {
    let mut room = Room::new();
    room.join(A, "Анна", None);
    let complaint = Complaint {
        reference: Some("a-1".into()),
        ..Complaint::new(
            ErrorCode::IdReused,
            "you said something else under this id; this was not sent",
        )
    };
    let conflict =
        || Input::Appended { from: A, appended: Appended::Conflict { id: "a-1".into() } };
    assert_eq!(
        room.handle(conflict()),
        [Effect::Complain { to: A, complaint }, report(A, Refusal::IdReused)]
    );
    room.closed(A, CloseReason::Quit);
    assert_eq!(room.handle(conflict()), []);
}

#[test]
fn a_text_has_an_id_by_which_it_is_acknowledged_once_it_is_kept() {
    let mut room = Room::new();
    room.join(A, "Анна", None);
    let draft = Draft {
        from: A,
        author: name("Анна"),
        owner: Some(OwnerId(1)),
        content: "hi".into(),
        id: Some("a-1".into()),
    };
    assert_eq!(room.receive(A, text("hi", "a-1"))[0], Effect::Append(draft.clone()));
    let record = first_record(&draft);
    for (appended, effect) in [
        (Appended::New(record.clone()), Effect::Publish { from: A, record: record.clone() }),
        (Appended::Known(record.clone()), Effect::Acknowledge { to: A, record }),
    ] {
        assert_eq!(room.handle(Input::Appended { from: A, appended }), [effect]);
    }
    let complaint = Complaint {
        reference: Some("a-1".into()),
        retry_ms: Some(STORAGE_RETRY_MS),
        ..Complaint::new(
            ErrorCode::Storage,
            "Not kept, so not sent: the server cannot store messages now (disk full).",
        )
    };
    let not_kept = Input::AppendFailed { draft, error: StorageError::Full };
    assert_eq!(room.handle(not_kept), [Effect::Complain { to: A, complaint }]);
}

#[test]
fn a_text_without_a_good_id_is_refused() {
    let mut room = Room::new();
    room.join(A, "Анна", None);
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
    assert!(matches!(room.receive(A, text("hi", &long[1..]))[0], Effect::Append(_)));
}

#[test]
fn what_cannot_be_is_refused_in_its_own_words() {
    let mut room = Room::new();
    room.connect(A);
    for (username, error) in [("", NameError::Empty), ("Вы", NameError::Reserved)] {
        let told = complain(A, ErrorCode::NameInvalid, &error.to_string());
        assert_eq!(room.receive(A, hello(username, None)), [report(A, Refusal::Name(error)), told]);
    }
    let complaint = Complaint {
        reference: Some("a-1".into()),
        ..Complaint::new(ErrorCode::NotJoined, "say hello first")
    };
    let told = Effect::Complain { to: A, complaint };
    assert_eq!(room.receive(A, text("early", "a-1")), [report(A, Refusal::NotJoined), told]);
    room.receive(A, hello("Анна", None));
    room.pass(ANNOUNCE_AFTER);
    let text = "this connection has a name already";
    let told = complain(A, ErrorCode::AlreadyJoined, text);
    assert_eq!(room.receive(A, hello("Анна", None)), [report(A, Refusal::AlreadyJoined), told]);
    let unknown = MessageError::UnknownType { name: "dance".into() };
    for (error, code) in
        [(MessageError::NoType, ErrorCode::BadPayload), (unknown, ErrorCode::UnknownType)]
    {
        let told = complain(A, code, &error.to_string());
        let effects = room.handle(Input::BadMessage { id: A, error: error.clone() });
        assert_eq!(effects, [told, report(A, Refusal::Payload(error))]);
    }
    assert_eq!(room.receive(A, ClientMessage::Ping), [Effect::Pong { to: A }]);
    assert_eq!(room.receive(A, ClientMessage::Pong), []);
    let page = Effect::Page { to: A, before: 7, limit: 3 };
    assert_eq!(room.receive(A, ClientMessage::History { before: 7, limit: 3 }), [page]);
}

#[test]
fn who_is_sent_away_hears_a_bye_last() {
    let ending = |happen: &dyn Fn(&mut Room) -> Vec<Effect>| {
        let mut room = Room::new();
        room.join(A, "Анна", None);
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
    room.join(A, "Анна", None);
    let mut said = 0;
    let mut told = |room: &mut Room| {
        said += 1;
        let effects = room.receive(A, text("x", &said.to_string()));
        effects.iter().filter(|effect| matches!(effect, Effect::Complain { .. })).count()
    };
    assert_eq!([told(&mut room), told(&mut room), told(&mut room)], [0, 1, 0]);
    room.pass(Duration::from_secs(5));
    assert_eq!([told(&mut room), told(&mut room)], [0, 1]);
}
