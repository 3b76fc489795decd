//! The lines, to the letter.

use pychat_wire::client::{MessageId, MessageState, RoomId};

use super::*;

fn message(content: &str) -> Message {
    Message {
        room: RoomId::from("r7"),
        seq: Some(17),
        time_ms: Some(1_769_860_800_250),
        author: "Анна".to_owned(),
        state: MessageState::new(content.to_owned()),
        reply: None,
        own: false,
        id: None,
        replayed: false,
    }
}

fn amended(amendment: Amendment<'static>) -> Amended {
    Amended {
        room: RoomId::from("r7"),
        seq: 18,
        time_ms: 1_769_860_801_000,
        author: "Анна".to_owned(),
        own: true,
        id: MessageId::chosen("a"),
        replayed: false,
        amendment,
    }
}

#[track_caller]
fn check(record: &Record<'_>, json: &str, plain: &str) {
    assert_eq!(record.line(Format::Json, "r7", "builds"), format!("{json}\n"));
    assert_eq!(record.line(Format::Plain, "r7", "builds"), format!("{plain}\n"));
}

#[test]
fn a_message_is_a_line() {
    check(
        &Record::Message(&message("Привет")),
        r#"{"type":"message","room":"r7","room_name":"builds","seq":17,"time":"2026-01-31T12:00:00.250Z","author":"Анна","own":false,"text":"Привет","deleted":false}"#,
        "2026-01-31 12:00:00Z [builds #17] Анна: Привет",
    );
    let mut amended = Message {
        reply: Some(3),
        own: true,
        id: MessageId::chosen("build-7"),
        ..message("one\ntwo")
    };
    amended.state.edited_ms = Some(1_769_860_801_000);
    amended.state.reactions = vec![("👍".to_owned(), vec!["Борис".to_owned()])];
    check(
        &Record::Message(&amended),
        r#"{"type":"message","room":"r7","room_name":"builds","seq":17,"time":"2026-01-31T12:00:00.250Z","author":"Анна","own":true,"id":"build-7","text":"one\ntwo","reply":3,"edited":"2026-01-31T12:00:01.000Z","deleted":false,"reactions":{"👍":["Борис"]}}"#,
        "2026-01-31 12:00:00Z [builds #17] Анна (to #3): one\n    two",
    );
}

#[test]
fn an_amendment_is_a_line_of_its_own() {
    let head = |kind| {
        format!(
            r#"{{"type":"{kind}","room":"r7","room_name":"builds","seq":18,"time":"2026-01-31T12:00:01.000Z","author":"Анна","own":true,"id":"a","target":17"#
        )
    };
    let target = 17;
    let words = |words: &str| Some(words.to_owned().into());
    for (amendment, kind, rest, did) in [
        (
            Amendment::Edit { target, content: words("new") },
            "edit",
            r#","text":"new"}"#,
            "edited #17: new",
        ),
        (Amendment::Delete { target }, "delete", "}", "deleted #17"),
        (
            Amendment::React { target, emoji: words("👍") },
            "react",
            r#","emoji":"👍"}"#,
            "reacted to #17: 👍",
        ),
        (Amendment::React { target, emoji: None }, "react", "}", "took back the reaction to #17"),
        (Amendment::Restore { target, content: None }, "restore", "}", "brought back #17"),
    ] {
        let plain = format!("2026-01-31 12:00:01Z [builds #18] Анна {did}");
        check(&Record::Amended(&amended(amendment)), &(head(kind) + rest), &plain);
    }
}

#[test]
fn nobody_commands_the_terminal_or_makes_up_a_line() {
    let author = "A\n2026-01-31 12:00:00Z [#1] B".to_owned();
    let hostile = Message { author, ..message("x\x1b[2J\ny\r\u{9b}\u{202e}z") };
    let line = Record::Message(&hostile).line(Format::Plain, "r7", "bu\nilds\x1b");
    assert_eq!(
        line,
        "2026-01-31 12:00:00Z [bu ilds  #17] A 2026-01-31 12:00:00Z [#1] B: \
         x\\u{1b}[2J\n    y\\r\\u{9b}\\u{202e}z\n"
    );
    let json = Record::Message(&hostile).line(Format::Json, "r7", "\x1b");
    assert_eq!(json.lines().count(), 1);
    assert!(!json.trim_end().contains(char::is_control), "{json:?}");
}

#[test]
fn the_furthest_time_can_be_told() {
    let late = Message { time_ms: Some(u64::MAX), ..message("x") };
    let line = Record::Message(&late).line(Format::Plain, "", "");
    assert_eq!(line, "9999-12-31 23:59:59Z [#17] Анна: x\n");
}
