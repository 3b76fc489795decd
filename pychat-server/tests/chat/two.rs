//! Peers of protocol 2.

use std::time::Duration;

use pychat_server::core::{
    chat::{
        Action, BAD_PAYLOADS_MAX, CloseReason, Complaint, Effect, Event, Input, Recipients,
        Refusal, Rules, STORAGE_RETRY_MS,
    },
    id::{ConnectionId, HALL},
    rate_limit::RateLimit,
    record::{Appended, Draft, Kind, PersonChange, PersonId, Request, StorageError, Stored},
};
use pychat_wire::{
    ClientMessage, FrameError, MessageError, NameError,
    message::{ErrorCode, Resume},
};

use super::{
    A, ANNOUNCE_AFTER, B, C, HELLO_TIMEOUT, RULES, Room, act, append, arrive, close, depart, enter,
    first_record, name, refused, report, ticket, told, told_all,
};

pub(super) fn hello<'a>(username: &'a str, token: Option<&'a str>) -> ClientMessage<'a> {
    let (username, token) = (username.into(), token.map(Into::into));
    ClientMessage::Hello { username, protocol: 2, token, resume: None }
}

pub(super) fn text<'a>(content: &'a str, id: &'a str) -> ClientMessage<'a> {
    ClientMessage::Text { content: content.into(), id: Some(id.into()) }
}

fn complain(to: ConnectionId, code: ErrorCode, text: &str) -> Effect {
    refused(to, Complaint::new(code, text))
}

fn bye(to: ConnectionId, reason: CloseReason) -> Effect {
    told(to, Event::Bye { reason })
}

impl Room {
    /// Lets somebody join and be announced; returns their token.
    pub(super) fn join(&mut self, id: ConnectionId, username: &str, token: Option<&str>) -> String {
        self.connect(id);
        let effects = self.receive(id, hello(username, token));
        self.pass(ANNOUNCE_AFTER);
        let welcome = effects.iter().find_map(|effect| match effect {
            Effect::Tell { to: Recipients::One(to), event: Event::Welcome { token, .. } }
                if *to == id =>
            {
                Some(token.clone())
            }
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
        Effect::Store { request: Request::ChangePerson(PersonChange::Save(person)), .. },
        Effect::Tell {
            to: Recipients::One(B),
            event: Event::Welcome { name: given, token, members },
        },
        rest @ ..,
    ] = &effects[..]
    else {
        panic!("{effects:?}");
    };
    assert_eq!((person.id, &*person.name), (PersonId(1), "Борис"));
    assert_eq!(given, &name("Борис"));
    assert_eq!((token.len(), members.names()), (32, vec!["Анна".into(), "Борис".into()]));
    assert_eq!(rest, [enter(B, "Борис", Some(PersonId(1)), 1)]);
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
    let last = act(A, Action::Resume { room: HALL, epoch: "e".into(), after: 12, limit: Some(7) });
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
            [refused(B, complaint), report(B, Refusal::NameTaken)]
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
    let [
        begin @ ..,
        Effect::Tell { to: Recipients::One(B), event: Event::Welcome { token: same, members, .. } },
        last,
    ] = &effects[..]
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
    assert_eq!(last, &enter(B, "Анна", Some(PersonId(1)), 1));
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
    assert!(matches!(
        room.receive(C, text("still here", "1"))[0],
        Effect::Store { request: Request::Append { .. }, .. }
    ));
}

#[test]
fn an_owner_whose_first_text_was_not_kept_is_kept_with_the_next() {
    let mut room = Room::new();
    room.join(A, "Анна", None);
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
    room.join(A, "Анна", None);
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
    room.join(A, "Анна", None);
    room.is_answered = false;
    let draft = Draft {
        author: name("Анна"),
        person: Some(PersonId(1)),
        kind: Kind::Text("hi".into()),
        id: Some("a-1".into()),
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
            told_all(Event::Message { from: A, record: record.clone() }),
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
fn a_name_is_taken_over_once_what_was_said_under_it_is_answered() {
    let mut room = Room::new();
    let token = room.join(A, "Анна", None);
    room.is_answered = false;
    let effects = room.receive(A, text("hi", "1"));
    let tickets: Vec<_> = effects.iter().filter_map(ticket).collect();
    room.connect(B);
    assert_eq!(room.receive(B, hello("Анна", Some(&token))), [act(B, Action::AwaitStore)]);
    assert_eq!(room.receive(B, ClientMessage::Ping), [], "what follows on the hello waits too");
    assert_eq!(room.closed(A, CloseReason::Lost), []);
    let effects: Vec<_> =
        tickets.into_iter().flat_map(|ticket| room.answer(ticket, Ok(Stored::Changed))).collect();
    assert_eq!(effects[0], depart("Анна", CloseReason::Lost));
    assert_eq!(effects[1], act(B, Action::ResumeRead));
    assert!(effects.contains(&enter(B, "Анна", Some(PersonId(1)), 1)), "{effects:?}");
    assert_eq!(room.chat.next_deadline(), Some(room.now + ANNOUNCE_AFTER));
}

#[test]
fn who_waits_for_a_name_may_leave_and_is_not_waited_for_for_ever() {
    for gone in [false, true] {
        let mut room = Room::new();
        let token = room.join(A, "Анна", None);
        room.is_answered = false;
        let effects = room.receive(A, text("hi", "1"));
        let tickets: Vec<_> = effects.iter().filter_map(ticket).collect();
        room.connect(B);
        room.receive(B, hello("Анна", Some(&token)));
        let effects =
            if gone { room.closed(B, CloseReason::Lost) } else { room.pass(HELLO_TIMEOUT) };
        assert_eq!(effects.contains(&close(B, CloseReason::Timeout)), !gone);
        for ticket in tickets {
            assert_eq!(room.answer(ticket, Ok(Stored::Changed)), []);
        }
        assert_eq!(room.chat.roster().name(A), Some(&name("Анна")));
    }
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
        assert_eq!(room.receive(A, hello(username, None)), [report(A, Refusal::Name(error)), told]);
    }
    let complaint = Complaint {
        reference: Some("a-1".into()),
        ..Complaint::new(ErrorCode::NotJoined, "say hello first")
    };
    let refusal = refused(A, complaint);
    assert_eq!(room.receive(A, text("early", "a-1")), [report(A, Refusal::NotJoined), refusal]);
    room.receive(A, hello("Анна", None));
    room.pass(ANNOUNCE_AFTER);
    let text = "this connection has a name already";
    let refusal = complain(A, ErrorCode::AlreadyJoined, text);
    assert_eq!(room.receive(A, hello("Анна", None)), [report(A, Refusal::AlreadyJoined), refusal]);
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
        effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Tell { event: Event::Refused(_), .. }))
            .count()
    };
    assert_eq!([told(&mut room), told(&mut room), told(&mut room)], [0, 1, 0]);
    room.pass(Duration::from_secs(5));
    assert_eq!([told(&mut room), told(&mut room)], [0, 1]);
}
