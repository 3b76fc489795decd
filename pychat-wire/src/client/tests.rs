//! A client on a stage: the test is the server, the line and the clock.

mod amending;
mod amendments;
mod bots;
mod chosen;
mod invites;
mod joining;
mod lines;
mod order;
mod original;
mod pending;
mod pending_limits;
mod reading;
mod requests;
mod rooms;
mod searching;
mod servers;
mod state;
mod summarized;
mod texts;

use self::summarized::{name_of, summary};
use super::*;
use crate::{
    frame::{Decoder, FrameError},
    key::{Challenge, Nonce, Proof, SecretKey},
    message::{
        self, Amendment, ClientMessage, Door, ErrorCode, HALL, Limits, Reactions, Reason,
        RoomEvent, RoomKind, RoomList, RoomRequest, ServerMessage,
    },
    name::SERVER,
    notice::Notice,
};

/// The name of the log unless a test says otherwise.
const EPOCH: &str = "0f8e";

/// The key of somebody who was here before.
const KEY: SecretKey = SecretKey([5; 32]);

/// The nonce of every greeting.
const NONCE: Nonce = Nonce([9; 16]);

/// After so long a silence the server wants to be asked, in milliseconds.
const PING_MS: u64 = 30_000;

struct Stage {
    client: Client,
    now: u64,
}

impl Stage {
    fn of(client: Client) -> Self {
        Self { client, now: 0 }
    }

    fn new() -> Self {
        Self::of(Client::new(anna(), Saved::default(), [7; 32]))
    }

    /// Somebody who was here before, by a key of theirs, and has seen everything up to `seq`.
    fn back(seq: u64) -> Self {
        Self::of(Client::new(anna(), saved(seq), [7; 32]))
    }

    /// Somebody who has just joined a room of protocol 2 whose log ends at `seq`.
    fn joined(seq: u64) -> Self {
        let mut stage = Self::new();
        stage.enter(EPOCH, seq);
        stage
    }

    /// Somebody who looks at the last 50 messages first.
    fn window(saved: Saved) -> Self {
        Self::of(Client::new(anna(), saved, [7; 32]).beginning(Begin::LastPage(50)))
    }

    /// Connects, is greeted and welcomed; what was told meanwhile is dropped, what was written is
    /// returned.
    fn enter(&mut self, epoch: &str, seq: u64) -> Vec<String> {
        self.client.connected(self.now);
        self.hear(&[greeting(epoch), welcome(epoch, seq)]);
        self.written()
    }

    /// The same, with other rooms than the hall, too; what was told is returned instead.
    fn enter_all(&mut self, seq: u64, rooms: Vec<message::Room<'_>>) -> Vec<Event> {
        self.told();
        self.client.connected(self.now);
        self.hear(&[greeting(EPOCH), welcome_to(EPOCH, seq, rooms)])
    }

    /// A window that has just joined the hall, which is empty, and another room, whose log ends at
    /// `seq` and in which everything was seen.
    fn in_two_rooms(seq: u64) -> Self {
        let mut stage = Self::window(Saved::default());
        stage.enter_all(0, vec![read(described("r7", seq), seq, 0)]);
        stage.written();
        stage
    }

    /// The line breaks, and the next one is there at once; the events are dropped.
    fn cut(&mut self) {
        self.client.disconnected(self.now);
        self.told();
    }

    fn hear(&mut self, messages: &[ServerMessage<'_>]) -> Vec<Event> {
        let mut wire = Vec::new();
        for message in messages {
            message.encode(&mut wire);
        }
        self.client.receive(self.now, &wire);
        self.told()
    }

    fn told(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.client.next_event()).collect()
    }

    /// Returns the payloads that the client wrote.
    fn written(&mut self) -> Vec<String> {
        let wire = self.client.take_outgoing();
        let (mut rest, mut decoder) = (&wire[..], Decoder::default());
        let mut payloads = Vec::new();
        while let Some(payload) = decoder.next_payload(&mut rest).unwrap() {
            ClientMessage::parse(payload).expect("what it writes means something");
            payloads.push(String::from_utf8(payload.to_vec()).unwrap());
        }
        payloads
    }

    fn say(&mut self, text: &str) -> MessageId {
        self.client.say(&hall(), text).unwrap()
    }

    /// Lets time pass, minding every deadline on the way.
    fn pass(&mut self, ms: u64) -> Vec<Event> {
        let end = self.now + ms;
        while let Some(deadline) = self.client.next_deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.client.handle_timeout(self.now);
        }
        self.now = end;
        self.told()
    }

    /// Returns what a client would be that went on from what is saved now.
    fn killed(self) -> Self {
        let json = serde_json::to_string(self.client.saved()).unwrap();
        let saved = serde_json::from_str(&json).unwrap();
        Self { client: Client::new(anna(), saved, [8; 32]), now: 0 }
    }
}

fn anna() -> UserName {
    UserName::new("Анна").unwrap()
}

fn saved(seq: u64) -> Saved {
    Saved {
        name: "Анна".into(),
        key: Some(KEY),
        is_known: true,
        epoch: Some(EPOCH.into()),
        rooms: [(hall(), saved::Spot { seq, seen: None })].into(),
        ..Saved::default()
    }
}

fn greeting(epoch: &str) -> ServerMessage<'_> {
    ServerMessage::Greeting {
        username: SERVER.into(),
        content: Notice::Greeting.to_string().into(),
        protocol: 2,
        server: "Office".into(),
        epoch: epoch.into(),
        nonce: NONCE,
        limits: Limits { payload: 65_536, name: 32, burst: 10, per_second: 5 },
        tls: false,
        admission: Door::Open,
        servers: std::borrow::Cow::default(),
        ping_seconds: PING_MS / 1_000,
    }
}

fn welcome(epoch: &str, seq: u64) -> ServerMessage<'_> {
    welcome_to(epoch, seq, Vec::new())
}

/// A welcome to the hall, whose log ends at `seq`, and to other `rooms`.
fn welcome_to<'a>(epoch: &'a str, seq: u64, rooms: Vec<message::Room<'a>>) -> ServerMessage<'a> {
    ServerMessage::Welcome {
        username: "Анна".into(),
        epoch: epoch.into(),
        time: 1_000,
        operator: false,
        members: std::borrow::Cow::Owned(["Борис", "Анна"].into_iter().collect()),
        rooms: RoomList([vec![described("", seq)], rooms].concat()),
    }
}

/// A room of whose records our person has seen none, and the server has counted none.
fn described(room: &str, last: u64) -> message::Room<'_> {
    message::Room {
        room: room.into(),
        kind: if room == HALL { RoomKind::Hall } else { RoomKind::Closed },
        name: room.into(),
        topic: "".into(),
        with: None,
        mine: false,
        last,
        read: 0,
        unread: 0,
    }
}

/// The same room, of which our person has seen everything up to `read`, after which are `unread`
/// messages of others.
fn read(room: message::Room<'_>, read: u64, unread: u64) -> message::Room<'_> {
    message::Room { read, unread, ..room }
}

/// The same message in another room.
fn within<'a>(room: &'a str, mut message: ServerMessage<'a>) -> ServerMessage<'a> {
    if let ServerMessage::Record { room: within, .. }
    | ServerMessage::Amended { room: within, .. }
    | ServerMessage::Event { room: within, .. }
    | ServerMessage::UnknownRecord { room: within, .. }
    | ServerMessage::Gap { room: within, .. }
    | ServerMessage::Skip { room: within, .. }
    | ServerMessage::Page { room: within, .. } = &mut message
    {
        *within = room.into();
    }
    message
}

/// Record `seq`, by which `Борис` did something to a room.
fn event(seq: u64, event: RoomEvent, subject: Option<&'static str>) -> ServerMessage<'static> {
    ServerMessage::Event {
        room: HALL.into(),
        seq,
        time: seq,
        username: "Борис".into(),
        event,
        subject: subject.map(Into::into),
        id: None,
        dup: false,
        replay: false,
    }
}

/// Record `seq`, by which `Борис` amends a message.
fn amended(seq: u64, amendment: Amendment<'static>) -> ServerMessage<'static> {
    ServerMessage::Amended {
        amendment,
        room: HALL.into(),
        seq,
        time: seq,
        username: "Борис".into(),
        id: None,
        dup: false,
        replay: false,
    }
}

fn edit(target: u64, content: &'static str) -> Amendment<'static> {
    Amendment::Edit { target, content: Some(content.into()) }
}

fn react(target: u64, emoji: Option<&'static str>) -> Amendment<'static> {
    Amendment::React { target, emoji: emoji.map(Into::into) }
}

fn other() -> RoomId {
    RoomId::from("r7")
}

fn hall() -> RoomId {
    RoomId::hall()
}

/// Returns the members of a hello by which `key` proves to be ours, without TLS.
fn proof(key: SecretKey) -> String {
    let Proof { key, signature } = key.prove(&Challenge { nonce: NONCE, binding: [0; 32] }, "Анна");
    format!(r#""key":"{key}","signature":"{signature}""#)
}

/// Message `seq`, said by `Борис`, whose content is its number.
fn record(seq: u64, replay: bool) -> ServerMessage<'static> {
    let content = seq.to_string().into();
    let username = "Борис".into();
    ServerMessage::Record {
        room: "".into(),
        seq,
        time: seq,
        username,
        content,
        id: None,
        dup: false,
        replay,
        reply: None,
        edited: None,
        deleted: false,
        reactions: Reactions::default(),
    }
}

fn live(seq: u64) -> ServerMessage<'static> {
    record(seq, false)
}

fn replayed(seq: u64) -> ServerMessage<'static> {
    record(seq, true)
}

/// Our own message `seq`.
fn copy(seq: u64, id: &MessageId, dup: bool, replay: bool) -> ServerMessage<'static> {
    let id = Some(id.as_str().to_owned().into());
    let (username, content) = ("Анна".into(), seq.to_string().into());
    ServerMessage::Record {
        room: HALL.into(),
        seq,
        time: seq,
        username,
        content,
        id,
        dup,
        replay,
        reply: None,
        edited: None,
        deleted: false,
        reactions: Reactions::default(),
    }
}

fn error(code: ErrorCode, id: Option<&MessageId>, retry_ms: Option<u64>) -> ServerMessage<'static> {
    let reference = id.map(|id| id.as_str().to_owned().into());
    ServerMessage::Error { code, text: "no".into(), reference, retry_ms, suggest: None }
}

fn notice(notice: Notice<'_>) -> ServerMessage<'static> {
    let content = notice.to_string().into();
    ServerMessage::Message { username: SERVER.into(), content }
}

fn plain(text: &str) -> Said {
    Said::Text { text: text.to_owned(), reply: None }
}

#[track_caller]
fn assert_told(events: &[Event], expected: &[&str]) {
    assert_eq!(summary(events), expected);
}
