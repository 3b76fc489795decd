//! Amendments of messages, replies and reactions.

use std::borrow::Cow;

use pychat_wire::{
    ClientMessage, MessageError, ServerMessage,
    message::{Amendment, HALL, Reactions},
};

use super::{check_server_message, framed};

#[test]
fn clients_ask_to_amend() {
    let amend = |amendment, room: &'static str, id: &'static str| ClientMessage::Amend {
        amendment,
        room: room.into(),
        id: Some(id.into()),
    };
    for (message, payload) in [
        (
            ClientMessage::Text {
                room: "r7".into(),
                content: "да".into(),
                id: Some("a-1".into()),
                reply: Some(5),
            },
            r#"{"type":"text","room":"r7","content":"да","id":"a-1","reply":5}"#,
        ),
        (
            amend(Amendment::Edit { target: 7, content: Some("x".into()) }, "r7", "a-1"),
            r#"{"type":"edit","target":7,"content":"x","room":"r7","id":"a-1"}"#,
        ),
        (
            amend(Amendment::Delete { target: 7 }, HALL, "a-1"),
            r#"{"type":"delete","target":7,"id":"a-1"}"#,
        ),
        (
            amend(Amendment::React { target: 7, emoji: Some("👍".into()) }, HALL, "a-1"),
            r#"{"type":"react","target":7,"emoji":"👍","id":"a-1"}"#,
        ),
        (
            amend(Amendment::React { target: 7, emoji: None }, HALL, "a-1"),
            r#"{"type":"react","target":7,"id":"a-1"}"#,
        ),
        (
            amend(Amendment::Restore { target: 7, content: None }, HALL, "a-1"),
            r#"{"type":"restore","target":7,"id":"a-1"}"#,
        ),
    ] {
        let mut wire = Vec::new();
        message.encode(&mut wire);
        assert_eq!(String::from_utf8_lossy(&wire), String::from_utf8_lossy(&framed(payload)));
        assert_eq!(ClientMessage::parse(payload.as_bytes()), Ok(message));
    }
}

#[test]
fn an_amendment_that_lacks_something_is_refused() {
    for (payload, error) in [
        (r#"{"type":"edit","target":7}"#, MessageError::NotAString { member: "content" }),
        (r#"{"type":"edit","content":"x"}"#, MessageError::NotANumber { member: "target" }),
        (r#"{"type":"delete","target":"7"}"#, MessageError::NotANumber { member: "target" }),
        (r#"{"type":"react","target":7,"emoji":5}"#, MessageError::NotAString { member: "emoji" }),
        (r#"{"type":"restore"}"#, MessageError::NotANumber { member: "target" }),
    ] {
        assert_eq!(ClientMessage::parse(payload.as_bytes()), Err(error));
    }
}

#[test]
fn servers_tell_of_amendments() {
    let amended = |amendment, id: Option<&'static str>, dup, replay| ServerMessage::Amended {
        amendment,
        room: "r7".into(),
        seq: 9,
        time: 5,
        username: "Анна".into(),
        id: id.map(Cow::from),
        dup,
        replay,
    };
    for (message, payload) in [
        (
            amended(Amendment::Edit { target: 7, content: Some("x".into()) }, None, false, true),
            r#"{"type":"edit","target":7,"content":"x","room":"r7","seq":9,"time":5,"username":"Анна","replay":true}"#,
        ),
        (
            amended(Amendment::Edit { target: 7, content: None }, None, false, true),
            r#"{"type":"edit","target":7,"room":"r7","seq":9,"time":5,"username":"Анна","replay":true}"#,
        ),
        (
            amended(Amendment::Delete { target: 7 }, Some("a-1"), true, false),
            r#"{"type":"delete","target":7,"room":"r7","seq":9,"time":5,"username":"Анна","id":"a-1","dup":true}"#,
        ),
        (
            amended(Amendment::React { target: 7, emoji: Some("👍".into()) }, None, false, false),
            r#"{"type":"react","target":7,"emoji":"👍","room":"r7","seq":9,"time":5,"username":"Анна"}"#,
        ),
        (
            amended(
                Amendment::Restore { target: 7, content: Some("x".into()) },
                None,
                false,
                false,
            ),
            r#"{"type":"restore","target":7,"content":"x","room":"r7","seq":9,"time":5,"username":"Анна"}"#,
        ),
        (
            ServerMessage::Record {
                room: HALL.into(),
                seq: 7,
                time: 5,
                username: "Анна".into(),
                content: "да".into(),
                id: None,
                dup: false,
                replay: true,
                reply: Some(5),
                edited: Some(6),
                deleted: false,
                reactions: Reactions(vec![("👍".into(), vec!["Борис".into(), "Вера".into()])]),
            },
            r#"{"type":"message","seq":7,"time":5,"username":"Анна","content":"да","replay":true,"reply":5,"edited":6,"reactions":{"👍":["Борис","Вера"]}}"#,
        ),
    ] {
        check_server_message(&message, payload);
    }
}

#[test]
fn an_amendment_that_cannot_be_read_counts() {
    for payload in [
        r#"{"type":"edit","seq":9,"time":5,"username":"a","content":"x"}"#,
        r#"{"type":"delete","seq":9,"target":7,"username":"a"}"#,
        r#"{"type":"react","seq":9,"time":5,"target":7}"#,
    ] {
        let counted = ServerMessage::UnknownRecord { room: HALL.into(), seq: 9 };
        assert_eq!(ServerMessage::parse(payload.as_bytes()), Ok(counted), "{payload}");
    }
}
