//! The server tick by tick: what the loop promises.

mod amending;
mod encrypted;
mod keepalive;
mod limits;
mod returning;
mod rooms;
mod searching;
mod second;
mod slow;
mod year;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use pychat_server::{
    core::{
        chat::{Plain, Rules},
        id::ConnectionId,
        networks::Networks,
        people::People,
        record::PersonId,
        rooms::Rooms,
        secret::Secret,
    },
    limits::Limits,
    net::connection::READ_BUDGET_BYTES,
    server::{CLOSING_TIMEOUT, LINGER_TIMEOUT, Server},
    store::{Memory, Retention},
};
use pychat_wire::{
    ClientMessage, Decoder, ServerMessage,
    key::{Challenge, Nonce},
    message::Door,
};

use crate::kit::Line;

const HELLO_TIMEOUT: Duration = Duration::from_secs(20);

/// No limit by address, and everybody is announced in the tick in which they join.
const RULES: Rules = Rules {
    hello_timeout: HELLO_TIMEOUT,
    rate_limit: None,
    name_age_max: Duration::MAX,
    announce_after: Duration::ZERO,
    connections_per_address_max: 0,
    plain: Plain::Always,
    admission: Door::Open,
    guests_from: Networks::NONE,
};

struct Harness {
    server: Server<Line>,
    /// The nonces of the server, for peers that do not wait to hear theirs.
    nonces: Secret,
    now: Instant,
    utc_ms: u64,
}

struct Peer {
    id: ConnectionId,
    line: Line,
    challenge: Challenge,
}

impl Harness {
    fn new(connections_max: usize) -> Self {
        Self::limited(&Limits { connections_max, rules: RULES, ..Limits::default() })
    }

    fn limited(limits: &Limits) -> Self {
        let log = Box::new(Memory::new(0, Retention::default()));
        Self {
            server: Server::new(*limits, log, people(), Rooms::default(), Secret::new([8; 32])),
            nonces: Secret::new([8; 32]),
            now: Instant::now(),
            utc_ms: 0,
        }
    }

    fn connect(&mut self) -> Peer {
        self.connect_from([127, 0, 0, 1])
    }

    fn connect_from(&mut self, address: [u8; 4]) -> Peer {
        let (id, line) = (self.server.next_id(), Line::default());
        self.server.admit(self.now, line.clone(), SocketAddr::from((address, 1)));
        let nonce = Nonce(self.nonces.bytes());
        Peer { id, line, challenge: Challenge { nonce, ..Challenge::default() } }
    }

    fn join(&mut self, name: &str) -> Peer {
        let peer = self.connect();
        self.say(&peer, &ClientMessage::hello(name));
        self.settle();
        peer.line.take_writes();
        peer.line.take_heard();
        peer
    }

    fn say(&mut self, peer: &Peer, message: &ClientMessage<'_>) {
        let mut frame = Vec::new();
        message.encode(&mut frame);
        self.send(peer, &frame);
    }

    fn text(&mut self, peer: &Peer, content: &str) {
        self.say(peer, &ClientMessage::text(content));
    }

    fn send(&mut self, peer: &Peer, bytes: &[u8]) {
        peer.line.send(bytes);
        self.server.set_ready(peer.id, true, false);
    }

    fn tick(&mut self) {
        self.server.tick(self.now, self.utc_ms);
    }

    /// Turns until nothing is left to do without an edge or more time.
    fn settle(&mut self) {
        for _ in 0..1_000 {
            self.tick();
            if !self.server.has_work() {
                return;
            }
        }
        panic!("a thousand ticks and still at work");
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.settle();
    }
}

/// Returns nobody.
fn people() -> People {
    People::new(Secret::new([7; 32]), [], PersonId(0))
}

/// Takes what a peer has heard, as `author: content`.
fn heard(peer: &Peer) -> Vec<String> {
    let bytes = peer.line.take_heard();
    let (mut decoder, mut input, mut heard) = (Decoder::new(usize::MAX), &bytes[..], Vec::new());
    while let Some(payload) = decoder.next_payload(&mut input).expect("frames") {
        let (ServerMessage::Message { username, content }
        | ServerMessage::Greeting { username, content, .. }) =
            ServerMessage::parse(payload).expect("a message")
        else {
            panic!("no message: {}", String::from_utf8_lossy(payload));
        };
        heard.push(format!("{username}: {content}"));
    }
    assert_eq!(decoder.pending_bytes(), 0, "whole frames only");
    heard
}

#[test]
fn a_burst_costs_each_peer_one_write() {
    let mut server = Harness::new(10);
    let (a, b) = (server.join("a"), server.join("b"));
    a.line.take_writes();
    for n in 0..100 {
        server.text(&a, &n.to_string());
    }
    server.tick();
    assert_eq!((a.line.take_writes().len(), b.line.take_writes().len()), (1, 1));
    assert_eq!(heard(&b), (0..100).map(|n| format!("a: {n}")).collect::<Vec<_>>());
    assert_eq!(heard(&a).last().unwrap(), "Вы: 99");
    server.tick();
    assert_eq!(b.line.take_writes(), [0; 0]);
}

#[test]
fn who_floods_has_one_budget_a_tick_and_needs_no_second_edge() {
    let mut server = Harness::new(10);
    let (flood, quiet) = (server.join("flood"), server.join("quiet"));
    heard(&flood);
    let mut frame = Vec::new();
    ClientMessage::text("x".repeat(1_000)).encode(&mut frame);
    let frames = 4 * READ_BUDGET_BYTES / frame.len();
    server.send(&flood, &frame.repeat(frames));
    server.text(&quiet, "hello");
    server.tick();
    assert!(3 * READ_BUDGET_BYTES - frame.len() <= flood.line.unread());
    assert!(heard(&flood).contains(&"quiet: hello".to_owned()), "the others have their turn");
    assert!(server.server.has_work(), "or the loop would wait for an edge that never comes");
    server.settle();
    assert_eq!(flood.line.unread(), 0);
    let said = heard(&quiet).iter().filter(|line| line.starts_with("flood: ")).count();
    assert_eq!(said, frames);
}

#[test]
fn events_for_the_dead_find_nobody() {
    let mut server = Harness::new(10);
    let (old, witness) = (server.join("old"), server.join("witness"));
    old.line.reset();
    server.server.set_ready(old.id, true, false);
    server.settle();
    assert!(old.line.is_dropped());
    assert_eq!(heard(&witness), ["Сервер Чата: old покинул чат."]);

    let new = server.join("new");
    assert_eq!(new.id.slot, old.id.slot, "the slot is used again");
    new.line.reset();
    server.server.set_ready(old.id, true, true);
    server.settle();
    assert!(!new.line.is_dropped(), "a late edge of the old tenant reads nothing");
    server.server.set_ready(new.id, true, true);
    server.settle();
    assert!(new.line.is_dropped());
}

#[test]
fn what_was_said_before_a_goodbye_is_heard_before_it() {
    let mut server = Harness::new(10);
    let (a, b) = (server.join("a"), server.join("b"));
    server.text(&a, "last words");
    server.send(&a, b"0:{\"type\":\"text\",\"content\":\"too late\"}");
    server.settle();
    assert_eq!(heard(&b), ["a: last words", "Сервер Чата: a покинул чат."]);
    assert_eq!(heard(&a), ["Сервер Чата: b присоединился к чату.", "Вы: last words"]);
    assert!(a.line.is_ended() && !a.line.is_dropped(), "its own end is waited for");
    a.line.finish();
    server.server.set_ready(a.id, true, false);
    server.settle();
    assert!(a.line.is_dropped());
}

#[test]
fn a_half_closed_peer_is_told_all_it_is_owed() {
    let mut server = Harness::new(10);
    let peer = server.connect();
    peer.line.set_room(Some(5));
    peer.line.send(b"{\"type\":\"hello\",\"username\":\"a\"}{\"type\":\"text\",\"content\":\"x\"}");
    peer.line.finish();
    server.settle();
    assert!(!peer.line.is_ended());
    peer.line.set_room(None);
    server.server.set_ready(peer.id, false, true);
    server.settle();
    let welcome = "Сервер Чата: Добро пожаловать, a. Участников онлайн в чате: 0";
    assert_eq!(heard(&peer)[1..], [welcome, "Вы: x"]);
    assert!(peer.line.is_ended() && peer.line.is_dropped());
}

#[test]
fn who_does_not_read_is_cut_and_delays_nobody() {
    let mut server = Harness::new(10);
    let (slow, talker) = (server.join("slow"), server.join("talker"));
    let listener = server.join("listener");
    slow.line.take_heard();
    slow.line.set_room(Some(100));
    let text = "x".repeat(50_000);
    let mut said = 0;
    while !slow.line.is_dropped() {
        server.text(&talker, &text);
        server.settle();
        said += 1;
        assert!(
            said * text.len() <= Limits::default().backlog_bytes_max + 2 * text.len(),
            "the limit is kept"
        );
    }
    assert!(
        Limits::default().backlog_bytes_max < (said + 1) * (text.len() + 60),
        "and not a byte sooner"
    );
    assert_eq!(slow.line.take_heard().len(), 100);
    let heard = heard(&listener);
    assert_eq!(heard.len(), said + 1);
    assert_eq!(heard[said], "Сервер Чата: slow покинул чат.");
}

#[test]
fn what_the_dead_were_owed_is_not_counted_against_the_living() {
    let limits = Limits {
        backlog_bytes_max: 100_000,
        backlog_total_bytes_max: 150_000,
        rules: RULES,
        ..Limits::default()
    };
    let mut server = Harness::limited(&limits);
    let (talker, lagging) = (server.join("talker"), server.join("lagging"));
    for _ in 0..10 {
        let doomed = server.join("doomed");
        doomed.line.set_room(Some(0));
        server.text(&talker, &"x".repeat(60_000));
        server.settle();
        doomed.line.reset();
        server.server.set_ready(doomed.id, true, false);
        server.settle();
        assert!(doomed.line.is_dropped());
    }
    lagging.line.set_room(Some(0));
    server.text(&talker, &"x".repeat(60_000));
    server.settle();
    assert!(!lagging.line.is_dropped() && !talker.line.is_dropped());
}

#[test]
fn a_large_tick_does_not_make_a_reader_slow() {
    let mut server = Harness::new(100);
    let listener = server.join("listener");
    let talkers: Vec<_> = (0..40).map(|n| server.join(&n.to_string())).collect();
    heard(&listener);
    for talker in &talkers {
        server.text(talker, &"x".repeat(60_000));
    }
    server.settle();
    assert_eq!(heard(&listener).len(), 40);
    assert!(!listener.line.is_dropped());
}

#[test]
fn a_peer_that_will_not_leave_is_left() {
    for (room, patience) in [(None, LINGER_TIMEOUT), (Some(0), CLOSING_TIMEOUT)] {
        let mut server = Harness::new(10);
        let peer = server.join("a");
        peer.line.set_room(room);
        server.send(&peer, b"nonsense");
        server.settle();
        server.pass(patience.saturating_sub(Duration::from_nanos(1)));
        assert!(!peer.line.is_dropped());
        server.pass(Duration::from_nanos(1));
        assert!(peer.line.is_dropped() && server.server.is_empty());
        assert_eq!(server.server.next_deadline(server.now), None);
    }
}

#[test]
fn beyond_the_limit_callers_are_told_and_closed() {
    let mut server = Harness::new(1);
    let (first, second) = (server.join("a"), server.connect());
    server.send(&second, b"{\"type\":\"hello\",\"username\":\"b\"}");
    server.settle();
    assert_eq!(heard(&second), ["Сервер Чата: The chat is full: 1 connections. Bye!\n"]);
    assert!(second.line.is_ended());
    second.line.finish();
    server.server.set_ready(second.id, true, false);
    server.settle();
    assert!(second.line.is_dropped());
    assert_eq!(heard(&first), Vec::<String>::new());

    server.send(&first, b"0:");
    first.line.finish();
    server.settle();
    let third = server.connect();
    server.settle();
    assert_eq!(heard(&third).len(), 1, "there is room again");
    assert!(!third.line.is_ended());
    let crowd: Vec<_> = (0..1_000).map(|_| server.connect()).collect();
    assert!(server.server.len() < 100, "a crowd outside takes no memory");
    drop(crowd);
}

#[test]
fn a_silent_guest_is_told_and_closed() {
    let mut server = Harness::new(10);
    let guest = server.connect();
    server.pass(HELLO_TIMEOUT);
    assert_eq!(heard(&guest)[1], "Сервер Чата: No username within 20 seconds. Bye!\n");
    assert!(guest.line.is_ended());
}

#[test]
fn stopping_tells_everybody_and_waits_for_them() {
    let mut server = Harness::new(10);
    let (person, guest) = (server.join("a"), server.connect());
    server.settle();
    heard(&guest);
    server.server.stop(server.now);
    server.settle();
    let goodbye = "Сервер Чата: Connection closed due to server is shutting down. Bye!\n";
    for peer in [&person, &guest] {
        assert_eq!(heard(peer), [goodbye]);
        assert!(peer.line.is_ended());
        peer.line.finish();
        server.server.set_ready(peer.id, true, false);
    }
    server.settle();
    assert!(server.server.is_empty());
}
