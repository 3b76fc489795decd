//! The messages of the original's server, word for word, said again to our session.

use std::{fs, path::Path};

use pychat_gtk::{
    model::{Delivery, Message, MessageKind},
    session::{Account, Session, SessionState},
};
use pychat_wire::UserName;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    finish, messages, new_session, run,
    server::{Peer, SERVER, Server},
    told, until, until_state,
};

/// A recorded conversation between the original's server and some people.
#[derive(Clone, Deserialize)]
struct Transcript {
    log: Vec<Entry>,
}

/// A step of one person, and the messages that everybody heard of it.
#[derive(Clone, Deserialize)]
struct Entry {
    step: Vec<Value>,
    heard: Map<String, Value>,
}

/// A row of the conversation: kind, author, text.
type Row = (MessageKind, String, String);

/// An action of a person, as far as our session does such things.
enum Action {
    Connect,
    Hello(String),
    Say(String),
    Leave,
}

impl Entry {
    /// Returns what `person` did, if it was them.
    fn action(&self, person: &str) -> Option<Action> {
        let [verb, who, rest @ ..] = self.step.as_slice() else { panic!("a step has two words") };
        if who != person {
            return None;
        }
        let payload = match (verb.as_str(), rest) {
            (Some("connect"), []) => return Some(Action::Connect),
            (Some("close" | "shut"), []) => return Some(Action::Leave),
            (Some("frame"), [payload]) => payload.clone(),
            (Some("json" | "send"), [Value::String(text)]) => {
                let begin = text.find('{').expect("an object, with or without its length");
                serde_json::from_str(&text[begin..]).expect("JSON was sent")
            }
            _ => panic!("no session does {:?}", self.step),
        };
        let text = |key: &str| payload[key].as_str().expect("text").to_owned();
        Some(match payload["type"].as_str() {
            Some("hello") => Action::Hello(text("username")),
            Some("text") => Action::Say(text("content").trim_end().to_owned()),
            _ => panic!("no session says {payload}"),
        })
    }

    /// Returns what `person` heard, as author and content.
    fn heard(&self, person: &str) -> Vec<(String, String)> {
        let messages = self.heard.get(person).and_then(Value::as_array);
        let message = |message: &Value| {
            let text = |key: &str| message[key].as_str().map(ToOwned::to_owned);
            Some((text("username")?, text("content")?))
        };
        messages.into_iter().flatten().filter_map(message).collect()
    }
}

/// Returns the row in which our session shows what the original's would have shown.
fn row(author: &str, content: &str, own_name: &str) -> Option<Row> {
    let text = content.strip_suffix('\n').unwrap_or(content).to_owned();
    if author == "Вы" {
        return Some((MessageKind::Own, own_name.to_owned(), text));
    }
    if author != SERVER {
        return Some((MessageKind::Other, author.to_owned(), text));
    }
    let notice = |text: String| Some((MessageKind::Notice, String::new(), text));
    if text.starts_with("Connection established") {
        None
    } else if let Some(name) = text.strip_suffix(" присоединился к чату.") {
        notice(format!("{name} joined the chat."))
    } else if let Some(name) = text.strip_suffix(" покинул чат.") {
        notice(format!("{name} left the chat."))
    } else {
        let others = match text.split_once('\n') {
            Some((_, names)) => format!("Already here: {names}."),
            None => "Nobody else is here yet.".to_owned(),
        };
        Some((MessageKind::Welcome, String::new(), format!("Welcome, {own_name}. {others}")))
    }
}

fn rows(session: &Session) -> Vec<(Row, Delivery)> {
    let rows = |message: &Message| {
        let (kind, author) = (message.kind(), message.author().to_owned());
        let delivery = message.delivery();
        told(message).into_iter().map(move |text| ((kind, author.clone(), text), delivery))
    };
    messages(session).iter().flat_map(rows).collect()
}

/// Plays the server's side towards `person`.
fn play(peer: &mut Peer, transcript: &Transcript, person: &str) {
    for entry in &transcript.log {
        match entry.action(person) {
            None | Some(Action::Connect) => (),
            Some(Action::Hello(name)) => assert_eq!(peer.read_payload()["username"], *name),
            Some(Action::Say(text)) => assert_eq!(peer.hear(), text),
            Some(Action::Leave) => return,
        }
        for (author, content) in entry.heard(person) {
            peer.say(&author, &content);
        }
    }
}

/// Lets our session be `person`, against a server that writes `piece_bytes` at a time.
fn check(name: &str, person: &'static str, piece_bytes: usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../pychat-server/tests/transcripts")
        .join(name)
        .with_extension("json");
    let source = fs::read_to_string(&path).expect("the transcript is there");
    let transcript: Transcript = serde_json::from_str(&source).expect("a transcript is JSON");
    let own_name = transcript
        .log
        .iter()
        .find_map(|entry| match entry.action(person)? {
            Action::Hello(name) => Some(name),
            _ => None,
        })
        .expect("the person joined");

    run(async {
        let script = transcript.clone();
        let server = Server::start(move |door| {
            let mut peer = door.accept();
            peer.in_pieces(piece_bytes);
            play(&mut peer, &script, person);
            peer.expect_end();
        });
        let session = new_session();
        // What is on its way is shown too; a transcript knows only what came.
        let arrived = || {
            let is_there = |row: &(Row, Delivery)| row.1 == Delivery::Sent;
            rows(&session).into_iter().filter(is_there).map(|(row, _)| row).collect::<Vec<_>>()
        };
        let mut expected = Vec::new();
        for entry in &transcript.log {
            match entry.action(person) {
                None | Some(Action::Hello(_)) => (),
                Some(Action::Connect) => {
                    let name = UserName::new(&own_name).expect("a good name");
                    session.join(Account::new(name, server.address.clone()));
                }
                Some(Action::Say(text)) => {
                    until_state(&session, SessionState::Joined).await;
                    session.room().say(&text).expect("joined");
                }
                Some(Action::Leave) => break,
            }
            let heard = entry.heard(person);
            expected.extend(heard.iter().filter_map(|(who, what)| row(who, what, &own_name)));
            until(|| expected.len() <= arrived().len()).await;
        }
        assert_eq!(arrived(), expected, "{name}, {person}, {piece_bytes} at a time");
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_session_shows_what_the_original_said_whatever_the_pieces() {
    for (name, person) in [
        ("join-and-talk", "a"),
        ("join-and-talk", "b"),
        ("three-people", "a"),
        ("three-people", "b"),
        ("three-people", "d"),
        ("escapes", "a"),
        ("escapes", "b"),
        ("goodbye", "a"),
        ("goodbye", "c"),
        ("bare-json", "a"),
    ] {
        for piece_bytes in [1, 2, 3, 7, 64, usize::MAX] {
            check(name, person, piece_bytes);
        }
    }
}
