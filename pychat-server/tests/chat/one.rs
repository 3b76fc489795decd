//! Peers who are spoken to as the original speaks.

use std::time::Duration;

use pychat_server::core::{
    chat::{
        APPENDS_MAX, APPENDS_PER_CONNECTION_MAX, Action, BAD_PAYLOADS_MAX, CloseReason, Effect,
        Event, Input, Refusal, Rules,
    },
    id::{ConnectionId, Ticket},
    rate_limit::RateLimit,
    record::{Appended, Draft, Kind, Request, StorageError, Stored},
};
use pychat_wire::{ClientMessage, FrameError, MessageError, NameError};

use super::{
    A, ANNOUNCE_AFTER, B, C, CHALLENGE, HELLO_TIMEOUT, RULES, Room, act, append, arrive, close,
    depart, enter, first_record, name, report, tell, told, told_all,
};

const STILL_WAITING: &str = "Still waiting for your username....";

#[test]
fn who_joins_is_welcomed_and_the_others_hear_it() {
    let mut room = Room::new();
    assert_eq!(room.connect(A), [told(A, Event::Greeting(CHALLENGE.nonce))]);
    assert_eq!(
        room.hello(A, " Анна "),
        [tell(A, "Добро пожаловать, Анна. Участников онлайн в чате: 0"), enter(A, "Анна", None, 0),]
    );
    assert_eq!(room.connect(B), [told(B, Event::Greeting(CHALLENGE.nonce))]);
    assert_eq!(
        room.hello(B, "Борис"),
        [
            tell(B, "Добро пожаловать, Борис. Участников онлайн в чате: 1\nАнна"),
            enter(B, "Борис", None, 1),
        ]
    );
    let announced = arrive(&[("Анна", 0), ("Борис", 1)]);
    assert_eq!(room.pass(ANNOUNCE_AFTER), [announced], "once they have stayed");
    assert_eq!(room.chat.next_deadline(), None);
}

#[test]
fn a_taken_name_is_given_a_number_everywhere() {
    let mut room = Room::with(&[(A, "Анна")]);
    room.connect(B);
    assert_eq!(
        room.hello(B, "AННA"),
        [
            tell(B, "Добро пожаловать, AННA (2). Участников онлайн в чате: 1\nАнна"),
            enter(B, "AННA (2)", None, 1),
        ]
    );
    room.pass(ANNOUNCE_AFTER);
    let [Effect::Store { request: Request::Append { draft, .. }, .. }] = &room.text(B, "x")[..]
    else {
        panic!("one text, one draft")
    };
    assert_eq!(draft.author.as_str(), "AННA (2)");
}

#[test]
fn a_text_is_published_only_once_the_store_has_it_and_leaving_told_after_that() {
    let mut room = Room::with(&[(A, "Анна"), (B, "Борис")]);
    room.is_answered = false;
    let kind = Kind::Text("hi\n".into());
    let draft = Draft { author: name("Анна"), person: None, kind, id: None, reply: None };
    assert_eq!(room.text(A, "hi\n"), [append(1, draft.clone())]);
    assert_eq!(room.text(A, "hi\n"), [append(2, draft.clone())]);
    let record = first_record(&draft);
    let publish = told_all(Event::Recorded { from: Some(A), record: record.clone() });
    let taken = || Ok(Stored::Appended(Appended::New(record.clone())));
    assert_eq!(room.answer(Ticket(1), taken()), std::slice::from_ref(&publish));
    assert_eq!(room.answer(Ticket(1), taken()), [], "an answer counts once");

    assert_eq!(room.handle(Input::Eof { id: A }), [act(A, Action::AwaitStore)]);
    assert_eq!(room.closed(A, CloseReason::Lost), []);
    assert_eq!(room.chat.roster().name(A), Some(&name("Анна")), "nobody has the name till then");
    let left = depart("Анна", CloseReason::Lost);
    assert_eq!(
        room.answer(Ticket(2), taken()),
        [publish, close(A, CloseReason::Quit), left],
        "though she is gone"
    );
    assert_eq!(room.chat.roster().name(A), None);
}

#[test]
fn a_text_that_is_not_kept_is_said_to_its_author_alone_and_once() {
    let mut room = Room::with(&[(A, "Анна"), (B, "Борис")]);
    room.is_answered = false;
    let not_kept =
        tell(A, "Not kept, so not sent: the server cannot store messages now (disk full).");
    let fails = |room: &mut Room, number| room.answer(Ticket(number), Err(StorageError::Full));
    room.text(A, "hi\n");
    assert_eq!(fails(&mut room, 1), std::slice::from_ref(&not_kept));
    room.text(A, "a");
    room.text(A, "b");
    room.handle(Input::Eof { id: A });
    assert_eq!(fails(&mut room, 2), [not_kept], "these are as new a fault as the first");
    assert_eq!(fails(&mut room, 3), [close(A, CloseReason::Quit)], "one answer is like another");
}

#[test]
fn answers_come_in_the_order_of_what_they_answer() {
    let mut room = Room::with(&[(A, "Анна")]);
    room.is_answered = false;
    let nonsense = report(A, Refusal::Payload(MessageError::NoType));
    let refusal = tell(A, "Not understood: the payload has no \"type\".");
    room.text(A, "one");
    assert_eq!(room.nonsense(A), std::slice::from_ref(&nonsense));
    room.text(A, "two");
    let error = FrameError::BadPrefix { byte: b'x' };
    let effects = room.handle(Input::BadFrame { id: A, error });
    assert_eq!(effects, [report(A, Refusal::Frame(error)), act(A, Action::AwaitStore)]);
    assert_eq!(room.answer(Ticket(1), Ok(Stored::Changed)), [refusal]);
    let goodbye = "Connection closed: `x` where a frame's length should stand. Bye!\n";
    assert_eq!(
        room.answer(Ticket(2), Ok(Stored::Changed)),
        [tell(A, goodbye), close(A, CloseReason::Protocol)]
    );
}

#[test]
fn who_has_too_much_in_flight_is_not_read_until_it_is_answered() {
    let mut room = Room::with(&[(A, "Анна"), (B, "Борис")]);
    room.is_answered = false;
    let waits = |effects: &[Effect], id| effects.contains(&act(id, Action::AwaitStore));
    for _ in 1..APPENDS_PER_CONNECTION_MAX {
        assert!(!waits(&room.text(A, "x"), A));
    }
    assert!(waits(&room.text(A, "x"), A));
    assert!(!waits(&room.text(B, "x"), B), "to each their own");
    let goes_on = act(A, Action::ResumeRead);
    for number in 1..=APPENDS_PER_CONNECTION_MAX as u64 {
        let effects = room.answer(Ticket(number), Ok(Stored::Changed));
        let is_last = number == APPENDS_PER_CONNECTION_MAX as u64;
        assert_eq!(effects.contains(&goes_on), is_last, "{number}");
    }
    let of_other = Ticket(APPENDS_PER_CONNECTION_MAX as u64 + 1);
    assert_eq!(room.answer(of_other, Ok(Stored::Changed)), [], "nobody waited for that");
}

#[test]
fn all_together_have_no_more_in_flight_than_the_store_can_owe() {
    let mut room = Room::new();
    let crowd: Vec<_> = (0..20).map(|slot| ConnectionId { slot, generation: 7 }).collect();
    for id in &crowd {
        room.connect(*id);
        room.hello(*id, &format!("n{}", id.slot));
    }
    room.pass(ANNOUNCE_AFTER);
    room.is_answered = false;
    let mut n_said = 0;
    let mut waiting = Vec::new();
    for id in &crowd {
        for _ in 1..APPENDS_PER_CONNECTION_MAX {
            n_said += 1;
            if room.text(*id, "x").contains(&act(*id, Action::AwaitStore)) {
                waiting.push(*id);
                break;
            }
        }
    }
    assert_eq!(n_said, APPENDS_MAX + waiting.len() - 1);
    let mut released = Vec::new();
    for number in 1..=n_said as u64 {
        let effects = room.answer(Ticket(number), Ok(Stored::Changed));
        released.extend(effects.iter().filter_map(|effect| match effect {
            Effect::Connection { id, action: Action::ResumeRead } => Some(*id),
            _ => None,
        }));
    }
    released.sort_unstable();
    assert_eq!(released, waiting);
}

#[test]
fn what_only_protocol_2_knows_means_nothing_here() {
    let mut room = Room::with(&[(A, "Анна")]);
    room.connect(B);
    for (message, kind) in [
        (ClientMessage::Ping, "ping"),
        (ClientMessage::Pong, "pong"),
        (ClientMessage::History { room: "".into(), before: 1, limit: 1 }, "history"),
    ] {
        let error = MessageError::UnknownType { name: kind.into() };
        let told = tell(A, &format!("Not understood: nobody here knows the type \"{kind}\"."));
        let refused = |id| report(id, Refusal::Payload(error.clone()));
        assert_eq!(room.receive(A, message.clone()), [told, refused(A)]);
        assert_eq!(room.receive(B, message), [tell(B, STILL_WAITING), refused(B)]);
    }
    let text = ClientMessage::Text {
        room: "".into(),
        content: "x".into(),
        id: Some("1".into()),
        reply: None,
    };
    let [Effect::Store { request: Request::Append { draft, .. }, .. }] = &room.receive(A, text)[..]
    else {
        panic!("one text")
    };
    assert_eq!(draft.id, None);
}

#[test]
fn a_guest_hears_that_it_is_waited_for_whatever_it_says() {
    let mut room = Room::new();
    room.connect(A);
    let waiting = tell(A, STILL_WAITING);
    let not_joined = report(A, Refusal::NotJoined);
    assert_eq!(room.text(A, "early"), [not_joined, waiting.clone()]);
    let no_type = report(A, Refusal::Payload(MessageError::NoType));
    assert_eq!(room.nonsense(A), [waiting.clone(), no_type]);
    let empty = report(A, Refusal::Name(NameError::Empty));
    assert_eq!(room.hello(A, " "), [empty, waiting]);
}

#[test]
fn a_name_that_breaks_a_rule_is_told_why_and_waited_for() {
    for (given, error, why) in [
        ("Вы", NameError::Reserved, "this name is kept for the chat itself"),
        (
            "a\nb",
            NameError::Forbidden { character: '\n' },
            "a name may not hold the character U+000A",
        ),
        (
            &"x".repeat(33),
            NameError::TooLong { chars: 33 },
            "a name may have at most 32 characters, not 33",
        ),
        (
            "Анна покинул чат. Борис",
            NameError::Sentence,
            "this name reads like something that the chat itself says",
        ),
    ] {
        let mut room = Room::new();
        room.connect(A);
        let told = tell(A, &format!("Choose another name: {why}."));
        assert_eq!(room.hello(A, given), [report(A, Refusal::Name(error)), told]);
        assert_eq!(room.hello(A, "Анна").last(), Some(&enter(A, "Анна", None, 0)));
    }
}

#[test]
fn who_speaks_too_fast_is_held_and_loses_nothing() {
    let mut room = Room::with(&[(A, "Анна"), (B, "Борис")]);
    room.chat.set_rules(Rules { rate_limit: RateLimit::new(2, 5), ..RULES });
    let said = |number, author, content: &str| {
        let kind = Kind::Text(content.into());
        append(number, Draft { author: name(author), person: None, kind, id: None, reply: None })
    };
    assert_eq!(room.text(A, "раз"), [said(1, "Анна", "раз")]);
    let hold = act(A, Action::PauseRead { until: room.now + Duration::from_millis(200) });
    assert_eq!(room.text(A, "два"), [said(2, "Анна", "два"), hold]);
    assert_eq!(room.text(B, "раз"), [said(3, "Борис", "раз")], "to each their own");
    room.pass(Duration::from_secs(1));
    assert_eq!(room.text(A, "три"), [said(4, "Анна", "три")]);
}

#[test]
fn a_second_hello_changes_nothing() {
    let mut room = Room::with(&[(A, "Анна")]);
    assert_eq!(room.hello(A, "Борис"), [report(A, Refusal::AlreadyJoined)]);
    assert_eq!(room.chat.roster().name(A), Some(&name("Анна")));
}

#[test]
fn leaving_is_heard_when_the_connection_is_closed_and_once() {
    let mut room = Room::with(&[(A, "Анна"), (B, "Борис")]);
    assert_eq!(room.handle(Input::Eof { id: A }), [close(A, CloseReason::Quit)]);
    assert_eq!(room.handle(Input::Eof { id: A }), []);
    assert_eq!(room.text(A, "late"), [], "what comes after the goodbye is not heard");
    assert_eq!(room.hello(A, "late"), []);
    assert_eq!(room.nonsense(A), []);
    assert_eq!(room.closed(A, CloseReason::Quit), [depart("Анна", CloseReason::Quit)]);
    assert_eq!(room.closed(A, CloseReason::Quit), []);
}

#[test]
fn a_guest_leaves_without_a_word() {
    let mut room = Room::new();
    room.connect(A);
    assert_eq!(room.closed(A, CloseReason::Quit), []);
    assert_eq!(room.chat.next_deadline(), None);
}

#[test]
fn a_name_is_free_again_once_its_owner_is_gone() {
    let mut room = Room::with(&[(A, "Анна")]);
    room.closed(A, CloseReason::Quit);
    room.connect(C);
    assert_eq!(room.hello(C, "Анна").last(), Some(&enter(C, "Анна", None, 1)));
    assert_eq!(room.text(A, "from the grave"), [], "the slot is used again, the id is not");
}

#[test]
fn a_broken_frame_is_answered_before_the_end() {
    for name in [None, Some("Анна")] {
        let mut room = Room::new();
        room.connect(A);
        name.map(|name| room.hello(A, name));
        let error = FrameError::BadPrefix { byte: b'x' };
        let told = "Connection closed: `x` where a frame's length should stand. Bye!\n";
        assert_eq!(
            room.handle(Input::BadFrame { id: A, error }),
            [tell(A, told), report(A, Refusal::Frame(error)), close(A, CloseReason::Protocol)]
        );
        assert_eq!(room.handle(Input::BadFrame { id: A, error }), []);
    }
}

#[test]
fn nonsense_is_answered_and_too_much_of_it_in_a_row_is_the_end() {
    let mut room = Room::with(&[(A, "Анна")]);
    let told = tell(A, "Not understood: the payload has no \"type\".");
    let no_type = report(A, Refusal::Payload(MessageError::NoType));
    for _ in 1..BAD_PAYLOADS_MAX {
        assert_eq!(room.nonsense(A), [told.clone(), no_type.clone()]);
    }
    room.text(A, "a word that means something");
    for _ in 1..BAD_PAYLOADS_MAX {
        assert_eq!(room.nonsense(A), [told.clone(), no_type.clone()]);
    }
    let last = "Not understood 16 times in a row: the payload has no \"type\". Bye!\n";
    assert_eq!(room.nonsense(A), [tell(A, last), close(A, CloseReason::Protocol), no_type]);
    assert_eq!(room.nonsense(A), []);
}

#[test]
fn silence_is_cut_off_at_the_deadline_and_not_before() {
    let mut room = Room::new();
    room.connect(A);
    assert_eq!(room.pass(Duration::from_secs(5)), []);
    room.connect(B);
    room.text(A, "words do not help");
    assert_eq!(room.pass(HELLO_TIMEOUT.saturating_sub(Duration::from_nanos(5_000_000_001))), []);
    let told = "No username within 20 seconds. Bye!\n";
    assert_eq!(room.pass(Duration::from_nanos(1)), [tell(A, told), close(A, CloseReason::Timeout)]);
    room.hello(B, "Борис");
    room.pass(ANNOUNCE_AFTER);
    assert_eq!(room.chat.next_deadline(), None);
    assert_eq!(room.pass(10 * HELLO_TIMEOUT), [], "who has joined may be silent");
}

#[test]
fn when_the_server_stops_everybody_is_told_guests_too() {
    let mut room = Room::with(&[(A, "Анна")]);
    room.connect(B);
    let told = "Connection closed due to server is shutting down. Bye!\n";
    assert_eq!(
        room.handle(Input::Stopping),
        [
            tell(A, told),
            close(A, CloseReason::Shutdown),
            tell(B, told),
            close(B, CloseReason::Shutdown),
        ]
    );
    assert_eq!(room.handle(Input::Stopping), []);
}
