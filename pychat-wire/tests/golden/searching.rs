//! Searches, and what is found.

use pychat_wire::{
    ClientMessage, MessageError, ServerMessage,
    message::{FoundMessage, HALL, Reactions, Search},
};

use super::{check_server_message, framed};

fn search() -> Search<'static> {
    Search {
        reference: "s-0".into(),
        query: "обед".into(),
        room: None,
        from: None,
        before: None,
        limit: 50,
    }
}

#[test]
fn clients_search() {
    let (room, from, before) = (Some("r7".into()), Some("Анна".into()), Some("5k".into()));
    for (search, payload) in [
        (search(), r#"{"type":"search","ref":"s-0","query":"обед","limit":50}"#),
        (
            Search { room: Some(HALL.into()), ..search() },
            r#"{"type":"search","ref":"s-0","query":"обед","room":"","limit":50}"#,
        ),
        (
            Search { room, from, before, ..search() },
            r#"{"type":"search","ref":"s-0","query":"обед","room":"r7","from":"Анна","before":"5k","limit":50}"#,
        ),
    ] {
        let mut wire = Vec::new();
        let message = ClientMessage::Search(search);
        message.encode(&mut wire);
        assert_eq!(String::from_utf8_lossy(&wire), String::from_utf8_lossy(&framed(payload)));
        assert_eq!(ClientMessage::parse(payload.as_bytes()), Ok(message));
    }
}

#[test]
fn a_search_that_lacks_something_or_is_too_long_is_refused() {
    let too_long = |member, bytes_max| MessageError::TooLong { member, bytes_max };
    let [long, longer, longest] = [64, 65, 257].map(|bytes| "x".repeat(bytes));
    for (payload, error) in [
        (r#"{"type":"search","query":"x","limit":5}"#, MessageError::NotAString { member: "ref" }),
        (r#"{"type":"search","ref":"s","limit":5}"#, MessageError::NotAString { member: "query" }),
        (
            r#"{"type":"search","ref":"s","query":"x"}"#,
            MessageError::NotANumber { member: "limit" },
        ),
        (
            r#"{"type":"search","ref":"s","query":"x","from":5,"limit":5}"#,
            MessageError::NotAString { member: "from" },
        ),
        (
            r#"{"type":"search","ref":"s","query":"x","before":5,"limit":5}"#,
            MessageError::NotAString { member: "before" },
        ),
        (
            &format!(r#"{{"type":"search","ref":"{longer}","query":"x","limit":5}}"#),
            too_long("ref", 64),
        ),
        (
            &format!(r#"{{"type":"search","ref":"s","query":"{longest}","limit":5}}"#),
            too_long("query", 256),
        ),
        (
            &format!(r#"{{"type":"search","ref":"s","query":"x","before":"{longer}","limit":5}}"#),
            too_long("before", 64),
        ),
    ] {
        assert_eq!(ClientMessage::parse(payload.as_bytes()), Err(error), "{payload}");
    }
    let payload = format!(r#"{{"type":"search","ref":"{long}","query":"x","limit":5}}"#);
    assert!(ClientMessage::parse(payload.as_bytes()).is_ok());
}

#[test]
fn a_search_in_what_is_no_room_is_not_one_everywhere() {
    for room in ["5", "null", "true"] {
        let payload =
            format!(r#"{{"type":"search","ref":"s","query":"x","room":{room},"limit":5}}"#);
        let Ok(ClientMessage::Search(search)) = ClientMessage::parse(payload.as_bytes()) else {
            panic!("{payload}")
        };
        assert!(search.room.is_some_and(|room| room != HALL));
    }
}

#[test]
fn servers_tell_what_was_found() {
    let message = FoundMessage {
        room: HALL.into(),
        seq: 7,
        time: 5,
        username: "Анна".into(),
        content: "обед".into(),
        id: None,
        reply: None,
        edited: None,
        reactions: Reactions::default(),
    };
    let found = |message| ServerMessage::Found { reference: "s-0".into(), message };
    check_server_message(
        &found(message.clone()),
        r#"{"type":"found","ref":"s-0","message":{"seq":7,"time":5,"username":"Анна","content":"обед"}}"#,
    );
    let message = FoundMessage {
        room: "r7".into(),
        id: Some("a-1".into()),
        reply: Some(3),
        edited: Some(6),
        reactions: Reactions(vec![("👍".into(), vec!["Борис".into()])]),
        ..message
    };
    check_server_message(
        &found(message),
        r#"{"type":"found","ref":"s-0","message":{"room":"r7","seq":7,"time":5,"username":"Анна","content":"обед","id":"a-1","reply":3,"edited":6,"reactions":{"👍":["Борис"]}}}"#,
    );
    for (before, payload) in [
        (None, r#"{"type":"found_end","ref":"s-0"}"#),
        (Some("5k".into()), r#"{"type":"found_end","ref":"s-0","before":"5k"}"#),
    ] {
        check_server_message(&ServerMessage::FoundEnd { reference: "s-0".into(), before }, payload);
    }
}

#[test]
fn what_was_found_is_bounded() {
    let payload = format!(
        r#"{{"type":"found","ref":"s","message":{{"seq":1,"time":99999999999999999,"username":"{}","content":"x","id":"{}"}}}}"#,
        "b".repeat(100),
        "i".repeat(65)
    );
    let Ok(ServerMessage::Found { message, .. }) = ServerMessage::parse(payload.as_bytes()) else {
        panic!("{payload}")
    };
    assert_eq!(message.username.chars().count(), 32);
    assert_eq!(message.time, pychat_wire::message::TIME_MS_MAX);
    assert_eq!(message.id, None);
    let payload = format!(r#"{{"type":"found_end","ref":"s","before":"{}"}}"#, "x".repeat(65));
    let end = ServerMessage::FoundEnd { reference: "s".into(), before: None };
    assert_eq!(ServerMessage::parse(payload.as_bytes()), Ok(end));
    for payload in [
        r#"{"type":"found","ref":"s"}"#,
        r#"{"type":"found","ref":"s","message":5}"#,
        r#"{"type":"found","ref":"s","message":{}}"#,
        r#"{"type":"found","message":{"seq":7,"time":5,"username":"b","content":"x"}}"#,
    ] {
        assert!(ServerMessage::parse(payload.as_bytes()).is_err(), "{payload}");
    }
}
