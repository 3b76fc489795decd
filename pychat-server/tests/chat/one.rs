//! Peers who are spoken to as the original speaks.

use std::time::Duration;

use pychat_server::core::{
    chat::{BAD_PAYLOADS_MAX, CloseReason, Effect, Input, Refusal, Rules},
    rate_limit::RateLimit,
    record::{Appended, Draft, StorageError},
};
use pychat_wire::{ClientMessage, FrameError, MessageError, NameError};

use super::{
    A, ANNOUNCE_AFTER, B, C, HELLO_TIMEOUT, RULES, Room, arrive, close, depart, enter,
    first_record, name, report, tell,
};

const STILL_WAITING: &str = "Still waiting for your username....";

#[test]
fn who_joins_is_welcomed_and_the_others_hear_it() {
    let mut room = Room::new();
    assert_eq!(room.connect(A), [Effect::Greet { to: A }]);
    assert_eq!(
        room.hello(A, " Анна "),
        [tell(A, "Добро пожаловать, Анна. Участников онлайн в чате: 0"), enter(A, "Анна", None, 0),]
    );
    assert_eq!(room.connect(B), [Effect::Greet { to: B }]);
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
    let [Effect::Append(draft)] = &room.text(B, "x")[..] else { panic!("one text, one draft") };
    assert_eq!(draft.author.as_str(), "AННA (2)");
}

#[test]
fn a_text_is_published_only_once_the_log_has_it() {
    let mut room = Room::with(&[(A, "Анна"), (B, "Борис")]);
    let draft =
        Draft { from: A, author: name("Анна"), owner: None, content: "hi\n".into(), id: None };
    assert_eq!(room.text(A, "hi\n"), [Effect::Append(draft.clone())]);
    let record = first_record(&draft);
    let publish = Effect::Publish { from: A, record: record.clone() };
    let appended = |record| Input::Appended { from: A, appended: Appended::New(record) };
    assert_eq!(room.handle(appended(record.clone())), std::slice::from_ref(&publish));

    room.handle(Input::Eof { id: A });
    room.closed(A, CloseReason::Quit);
    assert_eq!(room.handle(appended(record)), [publish], "whoever left");
}

#[test]
fn a_text_that_is_not_kept_is_said_to_its_author_alone() {
    let mut room = Room::with(&[(A, "Анна"), (B, "Борис")]);
    let [Effect::Append(draft)] = &room.text(A, "hi\n")[..] else { panic!("one text, one draft") };
    let not_kept = || Input::AppendFailed { draft: draft.clone(), error: StorageError::Full };
    let told = "Not kept, so not sent: the server cannot store messages now (disk full).";
    assert_eq!(room.handle(not_kept()), [tell(A, told)]);
    room.handle(Input::Eof { id: A });
    assert_eq!(room.handle(not_kept()), []);
}

#[test]
fn what_only_protocol_2_knows_means_nothing_here() {
    let mut room = Room::with(&[(A, "Анна")]);
    room.connect(B);
    for (message, kind) in [
        (ClientMessage::Ping, "ping"),
        (ClientMessage::Pong, "pong"),
        (ClientMessage::History { before: 1, limit: 1 }, "history"),
    ] {
        let error = MessageError::UnknownType { name: kind.into() };
        let told = tell(A, &format!("Not understood: nobody here knows the type \"{kind}\"."));
        let refused = |id| report(id, Refusal::Payload(error.clone()));
        assert_eq!(room.receive(A, message.clone()), [told, refused(A)]);
        assert_eq!(room.receive(B, message), [tell(B, STILL_WAITING), refused(B)]);
    }
    let text = ClientMessage::Text { content: "x".into(), id: Some("1".into()) };
    let [Effect::Append(draft)] = &room.receive(A, text)[..] else { panic!("one text") };
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
    let append = |from, author, content: &str| {
        Effect::Append(Draft {
            from,
            author: name(author),
            owner: None,
            content: content.into(),
            id: None,
        })
    };
    assert_eq!(room.text(A, "раз"), [append(A, "Анна", "раз")]);
    let hold = Effect::PauseRead { id: A, until: room.now + Duration::from_millis(200) };
    assert_eq!(room.text(A, "два"), [append(A, "Анна", "два"), hold]);
    assert_eq!(room.text(B, "раз"), [append(B, "Борис", "раз")], "to each their own");
    room.pass(Duration::from_secs(1));
    assert_eq!(room.text(A, "три"), [append(A, "Анна", "три")]);
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
