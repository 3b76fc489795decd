//! Transcripts of the original server: this one says the same, word for word.
//!
//! `transcripts/` holds conversations recorded from the original: who did what, and what every
//! connected peer heard of it. Each is held again with the real server, in three ways that must
//! make no difference. A peer's whole stream is compared in order, up to the goodbye that ends it,
//! so a word too many is found like one too few.

#![cfg(test)]

#[path = "kit/process/mod.rs"]
mod process;

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;
use serde_json::Value;

use self::process::{GOODBYE, Peer, Server, frame};

/// A recorded conversation.
#[derive(Debug, Deserialize)]
struct Transcript {
    name: String,
    log: Vec<Entry>,
}

/// One step of it, and what each peer heard of that.
#[derive(Clone, Debug, Deserialize)]
struct Entry {
    step: Step,
    heard: BTreeMap<String, Vec<Value>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Vec<Value>")]
struct Step {
    who: String,
    action: Action,
}

#[derive(Clone, Debug)]
enum Action {
    Connect,
    /// Writes these bytes.
    Write(String),
    /// Closes the writing side.
    Shut,
    Close,
}

/// The division of a peer's bytes into writes.
#[derive(Clone, Copy, Debug)]
enum Writes {
    AsRecorded,
    ByteByByte,
    /// All that one peer writes while nobody else does anything.
    Together,
}

#[test]
fn the_transcripts_hold_as_they_were_recorded() {
    replay_all(Writes::AsRecorded);
}

#[test]
fn the_transcripts_hold_when_every_byte_is_written_alone() {
    replay_all(Writes::ByteByByte);
}

#[test]
fn the_transcripts_hold_when_a_peer_writes_all_it_has_to_say_at_once() {
    replay_all(Writes::Together);
}

fn replay_all(writes: Writes) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut replayed = 0;
    for file in fs::read_dir(&directory).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read_to_string(&path).unwrap();
            let transcript: Transcript = serde_json::from_str(&text).unwrap();
            println!("{}: {}, {writes:?}", path.display(), transcript.name);
            replay(transcript, writes);
            replayed += 1;
        }
    }
    assert!(0 < replayed, "no transcript in {}", directory.display());
}

fn replay(transcript: Transcript, writes: Writes) {
    let log = match writes {
        Writes::Together => gathered(transcript.log),
        Writes::AsRecorded | Writes::ByteByByte => transcript.log,
    };
    let server = Server::start();
    let mut peers = BTreeMap::new();
    for entry in log {
        println!("  {:?}", entry.step);
        act(&server, &mut peers, entry.step, writes);
        for (who, expected) in entry.heard {
            for expected in expected {
                hear(&mut peers, &who, &expected);
            }
        }
    }
    server.signal("TERM");
    for (who, mut peer) in peers {
        println!("  {who} hears nothing more");
        peer.is_told(GOODBYE);
        peer.hears_the_end();
    }
}

fn act(server: &Server, peers: &mut BTreeMap<String, Peer>, step: Step, writes: Writes) {
    let Step { who, action } = step;
    match action {
        Action::Connect => {
            peers.insert(who, Peer::connect(server.address()));
        }
        Action::Write(bytes) => {
            let peer = peers.get_mut(&who).unwrap();
            match writes {
                Writes::AsRecorded | Writes::Together => peer.send(bytes),
                Writes::ByteByByte => bytes.bytes().for_each(|byte| peer.send([byte])),
            }
        }
        Action::Shut => peers.get_mut(&who).unwrap().shut(),
        Action::Close => drop(peers.remove(&who).unwrap()),
    }
}

/// The next thing that `who` hears is `expected`; members that the original has not are ignored.
fn hear(peers: &mut BTreeMap<String, Peer>, who: &str, expected: &Value) {
    let peer = peers.get_mut(who).unwrap();
    let Value::Object(expected) = expected else {
        assert_eq!(expected, "<eof>");
        peer.hears_the_end();
        peers.remove(who);
        return;
    };
    let payload = peer.payload().expect("the stream ended");
    let mut heard: serde_json::Map<_, _> = serde_json::from_str(&payload).unwrap();
    heard.retain(|member, _| expected.contains_key(member));
    assert_eq!(&heard, expected, "{who}");
}

/// The frame that ends a conversation.
const FAREWELL: &str = "0:";

/// Makes one entry of all that one peer writes in a row; but a goodbye waits until what came before
/// it was heard, for nobody hears of somebody who leaves in the moment of joining.
fn gathered(log: Vec<Entry>) -> Vec<Entry> {
    let mut gathered: Vec<Entry> = Vec::new();
    for next in log {
        if let Some(Entry { step: Step { who, action: Action::Write(bytes) }, heard }) =
            gathered.last_mut()
            && let Action::Write(more) = &next.step.action
            && *who == next.step.who
            && more != FAREWELL
        {
            *bytes += more;
            for (listener, messages) in next.heard {
                heard.entry(listener).or_default().extend(messages);
            }
        } else {
            gathered.push(next);
        }
    }
    gathered
}

impl TryFrom<Vec<Value>> for Step {
    type Error = String;

    fn try_from(step: Vec<Value>) -> Result<Self, Self::Error> {
        let unknown = || format!("no such step: {step:?}");
        let (Some(Value::String(action)), Some(Value::String(who))) = (step.first(), step.get(1))
        else {
            return Err(unknown());
        };
        let action = match (action.as_str(), step.get(2)) {
            ("connect", None) => Action::Connect,
            ("send", Some(Value::String(bytes))) => Action::Write(bytes.clone()),
            ("frame", Some(payload)) => Action::Write(frame(&payload.to_string())),
            ("json", Some(Value::String(payload))) => Action::Write(frame(payload)),
            ("shut", None) => Action::Shut,
            ("close", None) => Action::Close,
            _ => return Err(unknown()),
        };
        Ok(Self { who: who.clone(), action })
    }
}
