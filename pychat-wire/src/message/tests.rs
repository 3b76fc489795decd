//! Payloads as they arrive and as they are written.

mod rooms;

use std::borrow::Cow;

use super::*;
use crate::key::PublicKey;
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
        (r#"{"type":"text","thread":{"a":[[]]},"to":null,"caps":-1.5}"#, text("")),
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
        (r#"{"type":"invite","uses":"1"}"#, not_a_number("uses")),
        (r#"{"type":"invite","for_ms":-1}"#, not_a_number("for_ms")),
        (r#"{"type":"invite","uses":null}"#, not_a_number("uses")),
        (r#"{"type":"mute","username":"a","for_ms":"5"}"#, not_a_number("for_ms")),
        (r#"{"type":"mute","username":"a","for_ms":1e3}"#, not_a_number("for_ms")),
        (r#"{"type":"ban","username":"a","for_ms":-5}"#, not_a_number("for_ms")),
        (r#"{"type":"ban","address":"::1","for_ms":5.0}"#, not_a_number("for_ms")),
        (r#"{"type":"ban","username":"a","for_ms":18446744073709551616}"#, not_a_number("for_ms")),
        (r#"{"type":"slow","seconds":"5"}"#, not_a_number("seconds")),
        (r#"{"type":"slow"}"#, not_a_number("seconds")),
        (r#"{"type":"revoke_invite"}"#, not_a_string("invite")),
        (
            r#"{"type":"revoke_invite","invite":"CQkJCQkJCQkJCQkJCQkJCQ"}"#,
            MessageError::NotEncoded { member: "invite" },
        ),
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
    for payload in
        ["", "{", "{}{}", "text", r#"{"a":NaN}"#, r#"{"type":"\ud8"}"#, "{\"type\":\"\n\"}"]
    {
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

#[test]
fn half_an_emoji_is_read_as_a_replacement() {
    for (escaped, read) in [
        (r"hi \ud83d you", "hi \u{fffd} you"),
        (r"\ud83d", "\u{fffd}"),
        (r"\udc4b\ud83d", "\u{fffd}\u{fffd}"),
        (r"\ud83d\ud83d\udc4b\udc4b", "\u{fffd}👋\u{fffd}"),
        (r"\ud83d\n", "\u{fffd}\n"),
        (r"\ud83dж\u0436", "\u{fffd}жж"),
        (r"\uD83D\uDC4B", "👋"),
        (r"\ufffd\ud7ff\ue000", "\u{fffd}\u{d7ff}\u{e000}"),
    ] {
        let said = format!(r#"{{"\udfff":"\ud800","type":"text","content":"{escaped}"}}"#);
        assert_eq!(ClientMessage::parse(said.as_bytes()), Ok(text(read)), "{escaped}");
        let hello = format!(
            r#"{{"type":"hello","username":"{escaped}","resume":{{"epoch":"{escaped}","rooms":{{"{escaped}":1}}}}}}"#
        );
        let rooms = Positions(vec![(read.into(), 1)]);
        let resume = Some(Resume { epoch: read.into(), rooms, limit: None });
        let expected = ClientMessage::Hello(Hello { resume, ..Hello::new(read, 1) });
        assert_eq!(ClientMessage::parse(hello.as_bytes()), Ok(expected));
        let told = format!(r#"{{"type":"message","username":"{escaped}","content":"{escaped}"}}"#);
        let expected = ServerMessage::Message { username: read.into(), content: read.into() };
        assert_eq!(ServerMessage::parse(told.as_bytes()), Ok(expected));
        let welcome = format!(
            r#"{{"type":"welcome","username":"a","epoch":"","time":0,"members":["{escaped}"],"rooms":[{{"room":"","kind":"hall","name":"{escaped}x","topic":"{escaped}"}}]}}"#
        );
        let Ok(ServerMessage::Welcome { members, rooms, .. }) =
            ServerMessage::parse(welcome.as_bytes())
        else {
            panic!("{welcome}")
        };
        assert_eq!(members.names(), [read]);
        let name = label(format!("{read}x"));
        assert_eq!((&rooms.0[0].name, &*rooms.0[0].topic), (&name, read));
    }
}

#[test]
fn what_a_server_says_is_bounded() {
    let long = "ж".repeat(1 << 20);
    let (name, words) = ("ж".repeat(31) + "…", "ж".repeat(499) + "…");
    let content = "ж".repeat((1 << 19) - 2) + "…";
    let id = || Some(long.as_str().into());
    let record = |username, content, id| ServerMessage::Record {
        room: HALL.into(),
        seq: u64::MAX,
        time: TIME_MS_MAX,
        username,
        content,
        id,
        dup: false,
        replay: false,
        reply: None,
        edited: None,
        deleted: false,
        reactions: Reactions::default(),
    };
    let message = |username, content| ServerMessage::Message { username, content };
    let error = |text, reference, suggest| ServerMessage::Error {
        code: ErrorCode::Full,
        text,
        reference,
        retry_ms: Some(RETRY_MS_MAX),
        suggest,
    };
    let (long, name, words, content) = (&*long, &*name, &*words, &*content);
    for (said, heard) in [
        (record(long.into(), long.into(), id()), record(name.into(), content.into(), None)),
        (message(long.into(), long.into()), message(name.into(), content.into())),
        (
            message(crate::name::SERVER.into(), long.into()),
            message(crate::name::SERVER.into(), long.into()),
        ),
        (error(long.into(), id(), id()), error(words.into(), None, Some(name.into()))),
        (
            ServerMessage::Joined { username: long.into(), time: u64::MAX },
            ServerMessage::Joined { username: name.into(), time: TIME_MS_MAX },
        ),
        (
            ServerMessage::bye(Reason::Slow, u64::MAX),
            ServerMessage::bye(Reason::Slow, RETRY_MS_MAX),
        ),
    ] {
        assert_eq!(ServerMessage::parse(&payload(&said)), Ok(heard));
    }
    let welcome = |epoch: &'static str, members: Listing| ServerMessage::Welcome {
        username: "a".into(),
        epoch: epoch.into(),
        time: 0,
        operator: false,
        members: Cow::Owned(members),
        rooms: RoomList::default(),
    };
    let crowd: Listing = std::iter::once(long).chain(vec!["b"; 20_500]).collect();
    let kept: Listing = std::iter::once(name).chain(vec!["b"; 19_999]).collect();
    assert_eq!(ServerMessage::parse(&payload(&welcome("", crowd))), Ok(welcome("", kept)));
    let longest = welcome("x".repeat(256).leak(), Listing::default());
    assert_eq!(ServerMessage::parse(&payload(&longest)), Ok(longest));
    let endless = welcome("x".repeat(257).leak(), Listing::default());
    let error = MessageError::NotAString { member: "epoch" };
    assert_eq!(ServerMessage::parse(&payload(&endless)), Err(error));
    let list = |label: &'static str, count| {
        let device = Device { key: PublicKey([7; 32]), label: label.into(), time: 5 };
        ServerMessage::Devices { devices: DeviceList(vec![device; count]) }
    };
    let label = ("ж".repeat(63) + "…").leak();
    let told = payload(&list("ж".repeat(65).leak(), 65));
    assert_eq!(ServerMessage::parse(&told), Ok(list(label, 64)));
}

#[test]
fn of_servers_that_are_told_each_that_is_none_is_left_out() {
    let long = format!("\"{}\"", "a".repeat(600));
    let many: Vec<_> = (1..=20).map(|port| format!("\"a:{port}\"")).collect();
    let first: Vec<_> = (1..=16).map(|port| format!("a:{port}")).collect();
    let list = |entries: &[&str]| format!("[{}]", entries.join(","));
    for (servers, kept) in [
        ("7".to_owned(), vec![]),
        ("{\"a\":1}".to_owned(), vec![]),
        ("[]".to_owned(), vec![]),
        (
            list(&["\"a\"", "\"b:7\"", "\"A:12345\"", "\"[::1]:1\""]),
            vec!["a:12345", "b:7", "[::1]:1"],
        ),
        (
            list(&[
                "1",
                "null",
                "[\"x\"]",
                "{}",
                "\"\"",
                "\"a b\"",
                "\"a:0\"",
                "\"\\ud83d\"",
                &long,
                "\"c\"",
            ]),
            vec!["c:12345"],
        ),
        (format!("[{}]", many.join(",")), first.iter().map(String::as_str).collect()),
        (list(&[&["1"; 16][..], &["\"a\""]].concat()), vec![]),
    ] {
        let bye = format!(r#"{{"type":"bye","reason":"shutdown","servers":{servers}}}"#);
        let Ok(ServerMessage::Bye { servers: told, .. }) = ServerMessage::parse(bye.as_bytes())
        else {
            panic!("{bye}")
        };
        let told: Vec<_> = told.0.iter().map(ToString::to_string).collect();
        assert_eq!(told, kept, "{bye}");
    }
}

#[test]
fn a_value_that_is_none_counts_as_missing_in_a_hello_and_as_bad_elsewhere() {
    let (key, signature) = ("B".repeat(42) + "A", "C".repeat(85) + "A");
    for (key, signature, pair, is_proof, is_pair) in [
        (&*key, &*signature, "AAAAAAAAAAAAAAAAAAAAAA", true, true),
        (&key[1..], &signature, "AAAAAAAAAAAAAAAAAAAAA", false, false),
        (&key, &signature[1..], "=====================A", false, false),
        (&key, "", "", false, false),
        (&"A".repeat(60_000), &"A".repeat(60_000), "\\n", false, false),
    ] {
        let hello = format!(
            r#"{{"type":"hello","username":"a","key":"{key}","signature":"{signature}","pair":"{pair}","label":" a\u0007\u202e\u2028b\u200f "}}"#
        );
        let Ok(ClientMessage::Hello(hello)) = ClientMessage::parse(hello.as_bytes()) else {
            panic!("{hello}")
        };
        assert_eq!((hello.proof.is_some(), hello.pair.is_some()), (is_proof, is_pair));
        assert_eq!(hello.label.as_deref(), Some("ab"));
    }
    let error = ClientMessage::parse(br#"{"type":"remove_device","key":"x"}"#).unwrap_err();
    assert_eq!(error.to_string(), "\"key\" has the wrong length or alphabet");
}

fn payload(message: &ServerMessage<'_>) -> Vec<u8> {
    let mut frame = Vec::new();
    message.encode(&mut frame);
    let end_of_length = frame.iter().position(|byte| *byte == b':').unwrap();
    frame.split_off(end_of_length + 1)
}
