//! People who come, talk and go by chance, over lines that cut, stall and break by chance.
//!
//! A witness who joined first and whose line is sound hears the room's one order; everybody else
//! must have heard a part of it, from their own join on. `PYCHAT_SEED=7` replays one run,
//! `PYCHAT_SEEDS=100000` makes as many.

use std::{
    collections::BTreeMap,
    env,
    net::SocketAddr,
    time::{Duration, Instant},
};

use fastrand::Rng;
use pychat_server::{
    chat::Rules,
    id::ConnectionId,
    limits::Limits,
    pace::Pace,
    switchboard::{CLOSING_TIMEOUT, LINGER_TIMEOUT, Switchboard},
};
use pychat_wire::{
    ClientMessage, Decoder, ServerMessage,
    name::{SERVER, YOU},
    notice::Notice,
};

use crate::line::Line;

const HELLO_TIMEOUT: Duration = Duration::from_secs(20);
const SEEDS: u64 = 100;
const STEPS: usize = 1_000;
const PEERS_MAX: usize = 12;
const NAMES: [&str; 4] = ["Анна", "Борис", "anna", "ANNA"];

#[test]
fn chance_breaks_no_promise() {
    let mut fired = BTreeMap::new();
    if let Some(seed) = number("PYCHAT_SEED") {
        run(seed, &mut fired);
        return;
    }
    for seed in 0..number("PYCHAT_SEEDS").unwrap_or(SEEDS) {
        run(seed, &mut fired);
    }
    for fault in Fault::ALL {
        assert!(fired.contains_key(&fault), "{fault:?} never happened: {fired:?}");
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|value| value.parse().expect("a number"))
}

fn run(seed: u64, fired: &mut BTreeMap<Fault, usize>) {
    let reproduce = Reproduce(seed);
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step();
    }
    world.finish();
    for (fault, times) in world.fired {
        *fired.entry(fault).or_default() += times;
    }
    drop(reproduce);
}

/// Says how to have the same run again, should it fail.
struct Reproduce(u64);

impl Drop for Reproduce {
    #[expect(clippy::print_stderr, reason = "whoever runs the tests must know")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("PYCHAT_SEED={} replays this run", self.0);
        }
    }
}

/// What goes wrong; each must really have happened in some run.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Fault {
    Reset,
    HalfClose,
    Goodbye,
    Garbage,
    Nonsense,
    Stall,
    SlowReaderCut,
    GuestTimedOut,
    StaleEvent,
    NameTaken,
}

impl Fault {
    const ALL: [Self; 10] = [
        Self::Reset,
        Self::HalfClose,
        Self::Goodbye,
        Self::Garbage,
        Self::Nonsense,
        Self::Stall,
        Self::SlowReaderCut,
        Self::GuestTimedOut,
        Self::StaleEvent,
        Self::NameTaken,
    ];
}

struct World {
    rng: Rng,
    switchboard: Switchboard<Line>,
    now: Instant,
    peers: Vec<Peer>,
    dead: Vec<ConnectionId>,
    fired: BTreeMap<Fault, usize>,
    texts: usize,
    /// One text in so many is large.
    large_one_in: usize,
}

struct Peer {
    id: ConnectionId,
    line: Line,
    decoder: Decoder,
    /// What it has said and the line has not carried yet.
    unsent: Vec<u8>,
    asked: bool,
    is_stalled: bool,
    /// It did something that ends its connection.
    is_leaving: bool,
    name: Option<String>,
    heard: Vec<String>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let pace = if rng.bool() { Pace::new(5, 5) } else { None };
        let rules = Rules { hello_timeout: HELLO_TIMEOUT, pace };
        let limits = Limits { connections_max: PEERS_MAX, rules, ..Limits::default() };
        let large_one_in = *rng.choice(&[2, 20, 200, 200]).expect("some choice");
        let mut world = Self {
            rng,
            large_one_in,
            switchboard: Switchboard::new(limits),
            now: Instant::now(),
            peers: Vec::new(),
            dead: Vec::new(),
            fired: BTreeMap::new(),
            texts: 0,
        };
        world.connect();
        world.say(0, &ClientMessage::Hello { username: "witness".into() });
        world.carry(0, usize::MAX);
        world.turn();
        assert_eq!(world.peers[0].name.as_deref(), Some("witness"));
        world
    }

    fn step(&mut self) {
        let any = self.rng.usize(..self.peers.len());
        match self.rng.u8(..100) {
            0..5 if self.switchboard.len() < PEERS_MAX => self.connect(),
            5..20 => self.hello(any),
            20..45 => self.text(any),
            45..70 => {
                let bytes = if self.rng.u8(..4) == 0 { usize::MAX } else { self.rng.usize(1..40) };
                self.carry(any, bytes);
            }
            70..75 if any != 0 => self.break_line(any),
            75..77 if any != 0 => self.stall(any),
            77 => self.unstall(any),
            78 => self.now += Duration::from_millis(self.rng.u64(..8_000)),
            79..82 => self.stale_event(),
            _ => self.turn(),
        }
    }

    fn connect(&mut self) {
        let (id, line) = (self.switchboard.next_id(), Line::default());
        if self.rng.bool() {
            let large = self.large_one_in == 2; // A flood in single bytes takes for ever.
            line.set_call_bytes_max(self.rng.usize(if large { 500..5_000 } else { 1..2_000 }));
        }
        self.switchboard.admit(self.now, line.clone(), SocketAddr::from(([127, 0, 0, 1], 1)));
        self.peers.push(Peer {
            id,
            line,
            decoder: Decoder::new(usize::MAX),
            unsent: Vec::new(),
            asked: !self.peers.is_empty() && self.rng.u8(..5) == 0, // Too shy to say who they are.
            is_stalled: false,
            is_leaving: false,
            name: None,
            heard: Vec::new(),
        });
    }

    fn hello(&mut self, peer: usize) {
        if self.peers[peer].asked || self.peers[peer].is_leaving {
            return;
        }
        self.peers[peer].asked = true;
        let username = NAMES[self.rng.usize(..NAMES.len())];
        self.say(peer, &ClientMessage::Hello { username: username.into() });
    }

    fn text(&mut self, peer: usize) {
        if !self.peers[peer].asked || self.peers[peer].is_leaving {
            return;
        }
        let padding =
            if self.rng.usize(..self.large_one_in) == 0 { 60_000 } else { self.rng.usize(..100) };
        self.texts += 1;
        let content = format!("#{} {:padding$}", self.texts, "");
        self.say(peer, &ClientMessage::Text { content: content.into() });
    }

    fn say(&mut self, peer: usize, message: &ClientMessage<'_>) {
        message.encode(&mut self.peers[peer].unsent);
    }

    /// The line takes up to `bytes` of what the peer said to the server.
    fn carry(&mut self, peer: usize, bytes: usize) {
        let Peer { id, line, unsent, .. } = &mut self.peers[peer];
        let piece: Vec<_> = unsent.drain(..bytes.min(unsent.len())).collect();
        line.send(&piece);
        self.switchboard.note(*id, true, self.rng.bool());
    }

    fn break_line(&mut self, peer: usize) {
        if self.peers[peer].is_leaving || self.peers[peer].line.is_dropped() {
            return;
        }
        let fault = match self.rng.u8(..5) {
            0 => {
                self.peers[peer].line.reset();
                Fault::Reset
            }
            1 => {
                self.carry(peer, usize::MAX);
                self.peers[peer].line.finish();
                Fault::HalfClose
            }
            2 => {
                self.peers[peer].unsent.extend_from_slice(b"0:");
                Fault::Goodbye
            }
            3 => {
                self.peers[peer].unsent.extend_from_slice(b"\n-garbage");
                Fault::Garbage
            }
            _ => {
                self.peers[peer].unsent.extend_from_slice(b"7:[1,2,3]{\"type\":1}");
                *self.fired.entry(Fault::Nonsense).or_default() += 1;
                return;
            }
        };
        self.peers[peer].is_leaving = true;
        self.switchboard.note(self.peers[peer].id, true, false);
        *self.fired.entry(fault).or_default() += 1;
    }

    fn stall(&mut self, peer: usize) {
        let room = self.rng.usize(..300);
        self.peers[peer].line.set_room(Some(room));
        self.peers[peer].is_stalled = true;
        *self.fired.entry(Fault::Stall).or_default() += 1;
    }

    fn unstall(&mut self, peer: usize) {
        self.peers[peer].line.set_room(None);
        self.peers[peer].is_stalled = false;
        self.switchboard.note(self.peers[peer].id, false, true);
    }

    fn stale_event(&mut self) {
        if let Some(id) = self.rng.choice(&self.dead) {
            self.switchboard.note(*id, true, true);
            *self.fired.entry(Fault::StaleEvent).or_default() += 1;
        }
    }

    fn turn(&mut self) {
        self.switchboard.turn(self.now);
        for peer in &mut self.peers {
            peer.listen(&mut self.fired);
        }
        for index in (1..self.peers.len()).rev() {
            if self.peers[index].line.is_dropped() {
                let peer = self.peers.swap_remove(index);
                self.bury(&peer);
            }
        }
    }

    /// What somebody heard is a part of what the witness heard, from their own join on.
    fn bury(&mut self, peer: &Peer) {
        if peer.is_stalled && !peer.is_leaving && peer.name.is_some() {
            *self.fired.entry(Fault::SlowReaderCut).or_default() += 1;
        }
        self.dead.push(peer.id);
        self.compare(peer);
    }

    fn compare(&self, peer: &Peer) {
        let Some(name) = &peer.name else { return };
        let joined = Notice::Joined { name }.to_string();
        let witness = &self.peers[0].heard;
        // A name may have come before; the join that counts is the last that everything follows.
        let is_heard_from = |begin: usize| witness[begin + 1..].starts_with(&peer.heard);
        let begins = witness.iter().enumerate().filter(|(_, line)| line.ends_with(&joined));
        let found = begins.map(|(begin, _)| begin).any(is_heard_from);
        assert!(found, "{name} heard what the witness did not: {:?}", peer.heard);
    }

    /// Everything is carried, everybody leaves, and nothing is left.
    fn finish(&mut self) {
        for peer in 0..self.peers.len() {
            self.unstall(peer);
            self.carry(peer, usize::MAX);
        }
        self.settle();
        for peer in &self.peers[1..] {
            if !peer.is_leaving {
                assert_eq!(peer.decoder.pending_bytes(), 0, "no frame is torn");
                assert_eq!(peer.line.unread(), 0, "no edge is missed");
                self.compare(peer);
            }
        }
        let witness = &self.peers[0].heard;
        let texts = witness.iter().filter(|line| line.contains(": #")).collect::<Vec<_>>();
        let mut once = texts.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), texts.len(), "no text is heard twice");

        self.switchboard.stop(self.now);
        self.settle();
        for wait in [LINGER_TIMEOUT, CLOSING_TIMEOUT] {
            self.now += wait;
            self.settle();
        }
        assert!(self.switchboard.is_empty() && self.switchboard.next_deadline(self.now).is_none());
        assert!(self.peers.len() == 1 && self.peers[0].line.is_dropped());
    }

    fn settle(&mut self) {
        for _ in 0..10_000 {
            self.turn();
            match self.switchboard.next_release() {
                _ if self.switchboard.has_work() => (),
                Some(release) => self.now = self.now.max(release),
                None => return,
            }
        }
        panic!("ten thousand ticks and still at work");
    }
}

impl Peer {
    fn listen(&mut self, fired: &mut BTreeMap<Fault, usize>) {
        let bytes = self.line.take_heard();
        let mut input = &bytes[..];
        while let Some(payload) = self.decoder.next_payload(&mut input).expect("no torn frame") {
            let ServerMessage::Message { username, content } =
                ServerMessage::parse(payload).expect("no torn payload");
            let notice = (username == SERVER).then(|| Notice::parse(&content));
            match (&self.name, notice) {
                (None, Some(Notice::Welcome { name, .. })) => {
                    self.name = Some(name.to_owned());
                    if name.ends_with(')') {
                        *fired.entry(Fault::NameTaken).or_default() += 1;
                    }
                }
                (None, Some(Notice::Other(text))) if text.starts_with("No username") => {
                    self.is_leaving = true;
                    *fired.entry(Fault::GuestTimedOut).or_default() += 1;
                }
                // Told to this peer alone.
                (None, _) | (Some(_), Some(Notice::Stopping | Notice::Other(_))) => (),
                (Some(name), None) if username == YOU => {
                    self.heard.push(format!("{name}: {content}"));
                }
                (Some(_), _) => self.heard.push(format!("{username}: {content}")),
            }
        }
    }
}
