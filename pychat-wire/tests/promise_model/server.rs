//! A server of protocol 2, as small as it can be: a log, ids, resuming, and lines that it keeps.

use std::collections::{BTreeMap, HashMap};

use pychat_wire::{
    ClientMessage, Decoder, ServerMessage,
    message::{ErrorCode, Limits, Reason},
    name::SERVER,
    notice::Notice,
};

use crate::{Tally, chance::Chance};

/// One accepted text.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) content: String,
}

/// One log from its beginning, also of what is no longer kept.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) entries: Vec<Entry>,
    /// The oldest number that is kept.
    pub(crate) oldest: u64,
}

impl Log {
    fn new() -> Self {
        Self { entries: Vec::new(), oldest: 1 }
    }

    pub(crate) fn last(&self) -> u64 {
        self.entries.len() as u64
    }

    fn seq_of(&self, name: &str, id: &str) -> Option<u64> {
        let is_it = |entry: &Entry| entry.name == name && entry.id == id;
        self.entries.iter().position(is_it).map(|index| index as u64 + 1)
    }
}

/// What the server has of one line.
struct Connection {
    decoder: Decoder,
    out: Vec<u8>,
    place: Place,
}

/// Where somebody is in the log.
#[derive(Clone, Debug, PartialEq)]
enum Place {
    Guest,
    /// They are told what they missed, which began with `first`.
    Replay {
        name: String,
        first: u64,
        next: u64,
    },
    Live {
        name: String,
    },
}

impl Place {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Guest => None,
            Self::Replay { name, .. } | Self::Live { name } => Some(name),
        }
    }
}

pub(crate) struct Server {
    pub(crate) logs: Vec<Log>,
    tokens: HashMap<String, String>,
    connections: BTreeMap<usize, Connection>,
    /// True while texts are read and not accepted, just before a crash.
    pub(crate) is_forgetting: bool,
    /// True while texts cannot be kept.
    pub(crate) is_disk_full: bool,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self {
            logs: vec![Log::new()],
            tokens: HashMap::new(),
            connections: BTreeMap::new(),
            is_forgetting: false,
            is_disk_full: false,
        }
    }

    pub(crate) fn log(&mut self) -> &mut Log {
        self.logs.last_mut().expect("there is always one")
    }

    fn epoch(&self) -> String {
        format!("epoch {}", self.logs.len())
    }

    pub(crate) fn accept(&mut self, line: usize) {
        let greeting = ServerMessage::Greeting {
            username: SERVER.into(),
            content: Notice::Greeting.to_string().into(),
            protocol: 2,
            epoch: self.epoch().into(),
            limits: Limits { payload: 65_536, name: 32, burst: 0, per_second: 0 },
            ping_seconds: 30,
        };
        let mut out = Vec::new();
        greeting.encode(&mut out);
        let connection = Connection { decoder: Decoder::default(), out, place: Place::Guest };
        self.connections.insert(line, connection);
    }

    /// The line has ended; the others hear of it.
    pub(crate) fn on_end(&mut self, line: usize, reason: Reason) {
        let Some(connection) = self.connections.remove(&line) else { return };
        if let Some(name) = connection.place.name() {
            let left = ServerMessage::Left { username: name.into(), time: 0, reason };
            self.tell_room(&left);
        }
    }

    pub(crate) fn lines(&self) -> Vec<usize> {
        self.connections.keys().copied().collect()
    }

    pub(crate) fn take_out(&mut self, line: usize) -> Vec<u8> {
        self.connections
            .get_mut(&line)
            .map(|connection| std::mem::take(&mut connection.out))
            .unwrap_or_default()
    }

    pub(crate) fn receive(&mut self, line: usize, mut bytes: &[u8], tally: &mut Tally) {
        let Some(connection) = self.connections.get_mut(&line) else { return };
        let mut decoder = std::mem::take(&mut connection.decoder);
        while let Some(payload) = decoder.next_payload(&mut bytes).expect("clients write frames") {
            let message = ClientMessage::parse(payload).expect("clients write what has a meaning");
            self.on_message(line, message, tally);
        }
        if let Some(connection) = self.connections.get_mut(&line) {
            connection.decoder = decoder;
        }
    }

    fn on_message(&mut self, line: usize, message: ClientMessage<'_>, tally: &mut Tally) {
        let Some(place) = self.connections.get(&line).map(|it| it.place.clone()) else { return };
        match (message, place.name()) {
            (ClientMessage::Hello { username, token, resume, protocol }, None) => {
                assert_eq!(protocol, 2);
                let resume = resume.map(|resume| (resume.epoch.to_string(), resume.after));
                self.on_hello(line, &username, token.as_deref(), resume, tally);
            }
            (ClientMessage::Text { .. }, Some(_)) if self.is_forgetting => {
                *tally.entry("the server forgot what it had read").or_default() += 1;
            }
            (ClientMessage::Text { content, id }, Some(name)) => {
                let id = id.expect("protocol 2 has ids");
                self.on_text(line, name, &content, &id, tally);
            }
            (ClientMessage::History { before, limit }, Some(_)) => {
                self.on_history(line, before, limit);
            }
            (ClientMessage::Ping, _) => self.tell(line, &ServerMessage::Pong),
            (ClientMessage::Pong, _) => (),
            (message, _) => panic!("out of place: {message:?}"),
        }
    }

    fn on_hello(
        &mut self,
        line: usize,
        name: &str,
        token: Option<&str>,
        resume: Option<(String, u64)>,
        tally: &mut Tally,
    ) {
        let has_name = |connection: &Connection| connection.place.name() == Some(name);
        let holder = self.connections.iter().find(|(_, it)| has_name(it)).map(|(line, _)| *line);
        if let Some(holder) = holder {
            if token.is_none() || self.tokens.get(name).map(String::as_str) != token {
                *tally.entry("the server refused a name").or_default() += 1;
                return self.tell(
                    line,
                    &ServerMessage::Error {
                        code: ErrorCode::NameTaken,
                        text: "taken".into(),
                        reference: None,
                        retry_ms: None,
                        suggest: None,
                    },
                );
            }
            *tally.entry("the server replaced a line").or_default() += 1;
            self.on_end(holder, Reason::Replaced);
        }
        let token = format!("token of {name}");
        self.tokens.insert(name.to_owned(), token);
        self.tell_room(&ServerMessage::Joined { username: name.into(), time: 0 });
        let (epoch, last) = (self.epoch(), self.log().last());
        self.welcome(line, name, Place::Live { name: name.to_owned() });
        match resume {
            None => (),
            Some((known, after)) if known != epoch => {
                if 0 < after {
                    self.tell(line, &ServerMessage::Gap { from: 1, to: after });
                }
                self.resume(line, name, 0);
            }
            Some((_, after)) => {
                assert!(after <= last, "nobody has seen what was never said");
                self.resume(line, name, after);
            }
        }
    }

    fn welcome(&mut self, line: usize, name: &str, place: Place) {
        let (epoch, seq) = (self.epoch(), self.log().last());
        self.connections.get_mut(&line).expect("it is there").place = place;
        let members = self.connections.values().filter_map(|it| it.place.name()).collect();
        let token = self.tokens[name].clone();
        self.tell(
            line,
            &ServerMessage::Welcome {
                username: name.into(),
                token: token.into(),
                epoch: epoch.into(),
                seq,
                time: 0,
                members: std::borrow::Cow::Owned(members),
            },
        );
    }

    fn resume(&mut self, line: usize, name: &str, after: u64) {
        let first = after + 1;
        let place = Place::Replay { name: name.to_owned(), first, next: first };
        self.connections.get_mut(&line).expect("it is there").place = place;
    }

    fn on_text(&mut self, line: usize, name: &str, content: &str, id: &str, tally: &mut Tally) {
        if let Some(seq) = self.log().seq_of(name, id) {
            *tally.entry("a text was sent twice").or_default() += 1;
            if matches!(&self.connections[&line].place, Place::Replay { next, .. } if *next <= seq)
            {
                *tally.entry("an answer overtook the replay").or_default() += 1;
            }
            return self.tell_entry(line, seq, true, false);
        }
        if self.is_disk_full {
            *tally.entry("the server could not keep a text").or_default() += 1;
            return self.tell(
                line,
                &ServerMessage::Error {
                    code: ErrorCode::Storage,
                    text: "full".into(),
                    reference: Some(id.into()),
                    retry_ms: None,
                    suggest: None,
                },
            );
        }
        let (name, id, content) = (name.to_owned(), id.to_owned(), content.to_owned());
        self.log().entries.push(Entry { name, id, content });
        let seq = self.log().last();
        for line in self.lines() {
            if matches!(self.connections[&line].place, Place::Live { .. }) {
                self.tell_entry(line, seq, false, false);
            }
        }
    }

    fn on_history(&mut self, line: usize, before: u64, limit: u64) {
        let oldest = self.log().oldest;
        let from = before.saturating_sub(limit).max(oldest);
        for seq in from..before.min(self.log().last() + 1) {
            self.tell_entry(line, seq, false, true);
        }
        let (count, start) = (before.saturating_sub(from), from <= oldest);
        self.tell(line, &ServerMessage::Page { before, count, start });
    }

    /// Tells everybody who missed something a little more of it.
    pub(crate) fn replay(&mut self, n_messages: usize, tally: &mut Tally) {
        for line in self.lines() {
            for _ in 0..n_messages {
                let Place::Replay { name, first, next } = self.connections[&line].place.clone()
                else {
                    break;
                };
                let (oldest, last) = (self.log().oldest, self.log().last());
                let place = if next < oldest {
                    if first < next {
                        *tally.entry("the server trimmed what it was replaying").or_default() += 1;
                    }
                    self.tell(line, &ServerMessage::Gap { from: next, to: oldest - 1 });
                    Place::Replay { name, first, next: oldest }
                } else if last < next {
                    Place::Live { name }
                } else {
                    self.tell_entry(line, next, false, true);
                    *tally.entry("a message was replayed").or_default() += 1;
                    Place::Replay { name, first, next: next + 1 }
                };
                self.connections.get_mut(&line).expect("it is there").place = place;
            }
        }
    }

    /// Forgets the oldest messages.
    pub(crate) fn trim(&mut self, chance: &mut Chance) -> bool {
        let log = self.log();
        let oldest = log.oldest + chance.next() % (log.last() + 2 - log.oldest);
        oldest != std::mem::replace(&mut log.oldest, oldest)
    }

    /// The process is gone, and so are its lines.
    pub(crate) fn crash(&mut self) {
        self.connections.clear();
    }

    /// The log is gone.
    pub(crate) fn lose_log(&mut self) {
        self.logs.push(Log::new());
    }

    /// Returns true if whoever is at the end of `line` has been told everything.
    pub(crate) fn is_done_with(&self, line: usize) -> bool {
        let is_done = |it: &Connection| {
            it.out.is_empty() && matches!(it.place, Place::Live { .. } | Place::Guest)
        };
        self.connections.get(&line).is_none_or(is_done)
    }

    pub(crate) fn say_bye(&mut self, line: usize, reason: Reason) {
        self.tell(line, &ServerMessage::Bye { reason, retry_ms: 0 });
    }

    fn tell_entry(&mut self, line: usize, seq: u64, dup: bool, replay: bool) {
        let index = usize::try_from(seq - 1).expect("small");
        let Entry { name, id, content } = self.log().entries[index].clone();
        let is_own = self.connections[&line].place.name() == Some(&name);
        self.tell(
            line,
            &ServerMessage::Record {
                seq,
                time: 0,
                username: name.into(),
                content: content.into(),
                id: is_own.then(|| id.into()),
                dup,
                replay,
            },
        );
    }

    fn tell_room(&mut self, message: &ServerMessage<'_>) {
        for connection in self.connections.values_mut() {
            if connection.place.name().is_some() {
                message.encode(&mut connection.out);
            }
        }
    }

    fn tell(&mut self, line: usize, message: &ServerMessage<'_>) {
        if let Some(connection) = self.connections.get_mut(&line) {
            message.encode(&mut connection.out);
        }
    }
}
