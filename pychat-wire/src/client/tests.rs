//! A client that hears what a test says.

use super::*;

fn message(username: &str, content: &str) -> Vec<u8> {
    let mut out = Vec::new();
    ServerMessage::Message { username: username.into(), content: content.into() }.encode(&mut out);
    out
}

fn notice(notice: Notice<'_>) -> Vec<u8> {
    message(SERVER, &notice.to_string())
}

fn hear(client: &mut Client, bytes: &[u8]) -> Vec<Event> {
    client.receive(bytes);
    std::iter::from_fn(|| client.next_event()).collect()
}

fn joined() -> Client {
    let mut client = Client::new(UserName::new("Анна").unwrap());
    assert_eq!(hear(&mut client, &notice(Notice::Greeting)), []);
    assert_eq!(client.take_outgoing(), r#"38:{"type":"hello","username":"Анна"}"#.as_bytes());
    let welcome = Notice::Welcome { name: "Анна (2)", online: 2, names: "a1, Анна" };
    let others = vec!["a1".to_owned(), "Анна".to_owned()];
    let event = Event::Joined { name: "Анна (2)".into(), others };
    assert_eq!(hear(&mut client, &notice(welcome)), [event]);
    client
}

fn own(content: &str) -> Event {
    Event::Message { author: "Анна (2)".into(), content: content.into(), own: true }
}

#[test]
fn what_was_said_is_unacknowledged_until_it_comes_back() {
    let mut client = joined();
    client.say("раз  \n").unwrap();
    client.say("два\nтри").unwrap();
    assert_eq!(client.unacknowledged().collect::<Vec<_>>(), ["раз", "два\nтри"]);
    let outgoing = String::from_utf8(client.take_outgoing()).unwrap();
    assert!(outgoing.starts_with(r#"34:{"type":"text","content":"раз"}"#), "{outgoing}");

    assert_eq!(hear(&mut client, &message(YOU, "раз")), [own("раз")]);
    assert_eq!(client.unacknowledged().collect::<Vec<_>>(), ["два\nтри"]);
    assert_eq!(hear(&mut client, &message(YOU, "два\nтри")), [own("два\nтри")]);
    assert_eq!(client.unacknowledged().count(), 0);
}

#[test]
fn what_cannot_be_sent_is_not() {
    let mut client = Client::new(UserName::new("Анна").unwrap());
    assert_eq!(client.say("x"), Err(SayError::NotJoined));
    client = joined();
    assert_eq!(client.say(" \n\t"), Err(SayError::Blank));
    let fits = "x".repeat(PAYLOAD_BYTES_MAX - r#"{"type":"text","content":""}"#.len());
    let error = SayError::TooLarge { bytes: PAYLOAD_BYTES_MAX + 1, limit: PAYLOAD_BYTES_MAX };
    assert_eq!(client.say(&(fits.clone() + "x")), Err(error));
    assert!(client.take_outgoing().is_empty());
    assert_eq!(client.say(&fits), Ok(()));
}

#[test]
fn one_newline_at_the_end_is_the_originals_and_not_shown() {
    let mut client = joined();
    let event = |content: &str| {
        [Event::Message { author: "b".into(), content: content.into(), own: false }]
    };
    assert_eq!(hear(&mut client, &message("b", "x\n")), event("x"));
    assert_eq!(hear(&mut client, &message("b", "\nx\n\n")), event("\nx\n"));
}

#[test]
fn the_server_is_told_from_people() {
    let mut client = joined();
    for (heard, told) in [
        (Notice::Joined { name: "b" }, ServerNotice::Joined { name: "b".into() }),
        (Notice::Left { name: "b" }, ServerNotice::Left { name: "b".into() }),
        (Notice::Stopping, ServerNotice::Stopping),
        (Notice::Other("ой"), ServerNotice::Other { text: "ой".into() }),
    ] {
        assert_eq!(hear(&mut client, &notice(heard)), [Event::Notice(told)]);
    }
}

#[test]
fn a_name_that_is_not_taken_is_said_so() {
    let mut client = Client::new(UserName::new("Анна").unwrap());
    let heard = [notice(Notice::Greeting), notice(Notice::Other("no\n"))].concat();
    assert_eq!(hear(&mut client, &heard), [Event::Refused { reason: "no".into() }]);
    assert_eq!(client.say("x"), Err(SayError::NotJoined));
}

#[test]
fn what_it_does_not_understand_is_passed_over() {
    let mut client = joined();
    assert_eq!(hear(&mut client, b"0:2:{}1:x{\"type\":\"typing\"}"), []);
    let broken = Event::Broken(FrameError::BadPrefix { byte: b'x' });
    assert_eq!(hear(&mut client, b"x"), [broken]);
}
