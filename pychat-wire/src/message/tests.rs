//! Payloads as they arrive and as they are written.

use super::*;
use crate::notice::Notice;

fn hello(username: &str) -> ClientMessage<'_> {
    ClientMessage::hello(username)
}

fn text(content: &str) -> ClientMessage<'_> {
    ClientMessage::text(content)
}

#[test]
fn reads_what_clients_say() {
    for (payload, message) in [
        (r#"{"type":"hello","username":"Анна"}"#, hello("Анна")),
        (r#"{"type":"hello","username":"\u0410\u043d\u043d\u0430"}"#, hello("Анна")),
        (r#" { "username" : "" , "type" : "hello" } "#, hello("")),
        (r#"{"type":"hello","username":"a","content":5,"extra":[1,{"x":null}]}"#, hello("a")),
        (r#"{"type":"hello","username":"a","username":"b"}"#, hello("b")),
        (r#"{"type":"text","content":"a\nb"}"#, text("a\nb")),
        (r#"{"type":"text","content":"\ud83d\udc4b"}"#, text("👋")),
        (r#"{"type":"text"}"#, text("")),
        (r#"{"\u0074ype":"t\u0065xt"}"#, text("")),
        (r#"{"type":"text","room":{"a":[[]]},"to":null,"caps":-1.5}"#, text("")),
    ] {
        assert_eq!(ClientMessage::parse(payload.as_bytes()), Ok(message), "{payload}");
    }
}

#[test]
fn refuses_what_means_nothing() {
    let not_a_string = |member| MessageError::NotAString { member };
    let not_a_number = |member| MessageError::NotANumber { member };
    for (payload, error) in [
        (r"{}", MessageError::NoType),
        (r#"{"type":"history","before":-1,"limit":5}"#, not_a_number("before")),
        (r#"{"type":"history","before":1}"#, not_a_number("limit")),
        (r#"{"type":5}"#, not_a_string("type")),
        (r#"{"type":"Text"}"#, MessageError::UnknownType { name: "Text".into() }),
        (r#"{"type":"hello"}"#, not_a_string("username")),
        (r#"{"type":"hello","username":["a"]}"#, not_a_string("username")),
        (r#"{"type":"text","content":5}"#, not_a_string("content")),
        (r#"{"type":"text","content":null}"#, not_a_string("content")),
        (r#"{"type":"text","content":{"a":1}}"#, not_a_string("content")),
    ] {
        assert_eq!(ClientMessage::parse(payload.as_bytes()), Err(error), "{payload}");
    }
    let long = format!(r#"{{"type":"{}"}}"#, "ж".repeat(1_000));
    let error = MessageError::UnknownType { name: "ж".repeat(TYPE_CHARS_SHOWN) };
    assert_eq!(ClientMessage::parse(long.as_bytes()), Err(error));
}

#[test]
fn refuses_what_is_no_object() {
    for payload in ["1", "[]", "null", "\"text\"", "-0.5e3", "[{}]"] {
        assert_eq!(ClientMessage::parse(payload.as_bytes()), Err(MessageError::NotAnObject));
    }
    let lists = "[".repeat(60_000);
    for payload in ["", "{", "{}{}", "text", r#"{"a":NaN}"#, r#"{"type":"\ud83d"}"#] {
        let error = ClientMessage::parse(payload.as_bytes()).unwrap_err();
        assert!(matches!(error, MessageError::NotJson { .. }), "{payload}: {error:?}");
    }
    assert_eq!(ClientMessage::parse(lists.as_bytes()), Err(MessageError::NotAnObject));
    let deep = r#"{"a":"#.repeat(20_000) + "1" + &"}".repeat(20_000);
    assert_eq!(ClientMessage::parse(deep.as_bytes()), Err(MessageError::NoType));
    let error = ClientMessage::parse(b"{\"type\":\"\xff\"}").unwrap_err();
    assert_eq!(error.to_string(), "the payload is not UTF-8: byte 9 is wrong");
}

#[test]
fn writes_compact_json_with_the_keys_in_order() {
    let mut out = Vec::new();
    ClientMessage::hello("Вера").encode(&mut out);
    ClientMessage::text("\"\\\n\u{1}👋").encode(&mut out);
    ServerMessage::Message { username: "a".into(), content: "<b>&".into() }.encode(&mut out);
    let wire = concat!(
        r#"38:{"type":"hello","username":"Вера"}"#,
        r#"44:{"type":"text","content":"\"\\\n\u0001👋"}"#,
        r#"50:{"type":"message","username":"a","content":"<b>&"}"#
    );
    assert_eq!(String::from_utf8(out).unwrap(), wire);
}

#[test]
fn reads_back_what_servers_say() {
    let message = ServerMessage::notice(Notice::Joined { name: "Анна" });
    let payload = r#"{"content":"Анна присоединился к чату.","type":"message","username":"Сервер Чата","seq":1}"#;
    assert_eq!(ServerMessage::parse(payload.as_bytes()), Ok(message));
    let error = ServerMessage::parse(br#"{"type":"greeting"}"#).unwrap_err();
    assert_eq!(error.to_string(), "nobody here knows the type \"greeting\"");
}
