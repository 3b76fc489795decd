//! A server and its peers, in which everything that can happen happens by chance.
//!
//! A witness of each protocol, who joined first and whose line is sound, hears the room's one order;
//! everybody else must have heard a part of it. Who was never harmed must have heard all of it, and
//! who came back, and resumed.

mod amending;
mod calling;
mod ending;
pub(crate) mod fault;
mod hearing;
mod limits;
mod people;
mod rooms;
mod searching;
mod trouble;

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    time::{Duration, Instant},
};

use pychat_server::{
    core::{id::ConnectionId, people::People, record::PersonId, rooms::Rooms, secret::Secret},
    limits::Limits,
    server::Server,
    store::{Memory, Retention},
};
use pychat_wire::ClientMessage;

use self::{
    calling::Network,
    fault::Fault,
    limits::{cost, limits},
    people::{PAGES_MAX, Person},
};
use crate::kit::{
    Chance, DELAY_TICKS_MAX, DelayedStore, Fired, Knob, Line, Oracle, V1Checker, V2Checker,
    Waiting, knobs,
};

/// More than a server keeps beyond its limit to tell callers that there is no room.
const CROWD: usize = 100;
const NAMES: [&str; 4] = ["Анна", "Борис", "anna", "ANNA"];
/// The first who join see everything.
const N_WITNESSES: usize = 2;

/// The name of the world's log.
const EPOCH: &str = "00000000000000000000000000000000";

/// The number of messages that are kept where nothing is forgotten. Nothing is forgotten for its
/// age alone, so a server without people waits for nothing.
const MESSAGES_MAX: u64 = 10_000;

knobs! {
    /// The next thing that somebody does, or the server; so often in 10 000 times, of which the
    /// rest is what [`Fault`] says.
    enum Step {
        Connect = 600,
        Hello = 1_400,
        Text = 1_700,
        /// Somebody amends a message.
        Amend = 250,
        Room = 700,
        /// The line takes some of what was said to the server.
        Carry = 2_020,
        Page = 288,
        Search = 130,
        Ping = 50,
        Pong = 50,
        /// Somebody asks for page after page.
        ReadEverything = 13,
        /// A few seconds pass.
        Pass = 100,
        /// Nobody says anything for a while.
        Idle = 13,
        /// The bytes that are owed are counted.
        Reckon = 13,
        /// The server's turn.
        Tick = 956,
    }
}

/// The server, everybody who talks to it, and what has gone wrong so far.
pub(crate) struct World<'a> {
    chance: Chance<'a>,
    server: Server<Line>,
    limits: Limits,
    /// When each network will have used up its connecting, in nanoseconds since the beginning.
    drained_ns: HashMap<Network, u64>,
    /// There is or was a limit by address.
    is_limited: bool,
    /// The answers of the store that wait.
    waiting: Waiting,
    /// The most ticks by which the store answers late.
    delay_ticks_max: usize,
    /// There is or was a limit on texts.
    is_paced: bool,
    retention: Retention,
    begin: Instant,
    now: Instant,
    /// The time that the server's clock showed when the world began, by how it is set now.
    clock_ms: u64,
    peers: Vec<Peer>,
    people: Vec<Person>,
    oracle: Oracle,
    /// The number of peers that there have been; each has the next number.
    n_peers: usize,
    /// The number of bytes that the witness has heard.
    witnessed: usize,
    /// Records of what those heard who are gone; the witness may hear of them a moment later.
    buried: Vec<Buried>,
    /// The names that were taken over from peers of protocol 1.
    replaced: Vec<String>,
    /// The last number that somebody was told is not kept.
    forgotten_to: u64,
    dead: Vec<ConnectionId>,
    /// Under which names those who left in order had said how much, by their numbers.
    said: BTreeMap<usize, (String, usize)>,
    fired: Fired<Fault>,
    /// The number of times that somebody became an operator, or was to be one no more.
    n_orders: u64,
    n_searches: usize,
    /// The words for there being no such room, once somebody was told so.
    no_room: Option<String>,
    /// The longest text, in bytes, and how rare it is.
    text_bytes_max: usize,
    large_one_in: usize,
}

struct Peer {
    id: ConnectionId,
    number: usize,
    address: SocketAddr,
    line: Line,
    checker: Checker,
    /// The bytes that it has said and the line has not carried yet.
    unsent: Vec<u8>,
    manner: Manner,
    /// The name that it asked for last.
    asked: Option<String>,
    /// The number of texts that it has said, after its hello.
    texts: usize,
    /// The value of `witnessed` when this peer stopped reading, in bytes, if it does not read.
    stalled_at: Option<usize>,
    /// When the server ended its stream, if it has.
    ended_at: Option<Instant>,
    /// The reception that its first message must tell of.
    welcome: Welcome,
    is_received: bool,
    /// Its line was stalled or broken: it may be cut, and what it says be lost.
    is_harmed: bool,
    /// It did something that ends its connection.
    is_leaving: bool,
    pulse: Pulse,
    /// The number of pages that it was refused.
    refused: usize,
    /// The number of things that it was told were of no use, since its last text was heard.
    bad: u32,
    /// The total cost of its texts and requests, as [`cost`] counts it.
    units: usize,
    /// The number of things that it asked of a room that is not there, without an id.
    void: usize,
    /// The number of things without an id that it was denied.
    denied: usize,
    /// The number of events that the witness of its protocol had heard when it connected.
    since: usize,
}

/// A record of what somebody heard who is gone.
struct Buried {
    checker: Checker,
    asked: Option<String>,
    since: usize,
}

/// The way in which a peer answers pings.
enum Pulse {
    /// At once.
    Prompt,
    /// Never.
    Mute { is_asked: bool },
}

/// The protocol that a peer speaks, and the checker of what it hears.
enum Checker {
    V1(V1Checker),
    V2 { checker: Box<V2Checker>, person: usize },
}

impl Checker {
    /// Returns as whom it was welcomed.
    fn name(&self) -> Option<&str> {
        match self {
            Self::V1(checker) => checker.name(),
            Self::V2 { checker, .. } => checker.name(),
        }
    }

    /// Returns how much was heard of what everybody is told, in events.
    fn n_events(&self) -> usize {
        match self {
            Self::V1(checker) => checker.heard().len(),
            Self::V2 { checker, .. } => checker.story().len(),
        }
    }

    /// Returns how much of a frame was heard whose rest is missing, in bytes.
    fn pending_bytes(&self) -> usize {
        match self {
            Self::V1(checker) => checker.pending_bytes(),
            Self::V2 { checker, .. } => checker.pending_bytes(),
        }
    }
}

/// The way in which a peer goes about saying who it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Manner {
    /// It never will, and may time out.
    Shy,
    Unnamed,
    /// It has sent a hello.
    Named,
}

/// The way in which a caller is received.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Welcome {
    Greeted,
    Full,
    TooMany,
    TooFast,
    /// Dropped without a word.
    Crowd,
}

impl<'a> World<'a> {
    /// Returns a room with a witness in it.
    pub(crate) fn new(mut chance: Chance<'a>, fired: Fired<Fault>) -> Self {
        let limits = limits(&mut chance);
        let is_wide = 1 << 20 <= limits.backlog_bytes_max;
        let messages_max = [MESSAGES_MAX, MESSAGES_MAX, 5, 40][chance(4)];
        let retention = Retention { messages_max, ..Retention::default() };
        let delay_ticks_max = [0, 0, 3, DELAY_TICKS_MAX][chance(4)];
        let store = Memory::new(0, retention);
        let (store, waiting) = DelayedStore::new(store, delay_ticks_max, chance(1 << 16) as u64);
        let people = People::new(Secret::new([7; 32]), [], PersonId(0));
        let now = Instant::now();
        let mut world = Self {
            large_one_in: [2, 10, 50][chance(3)],
            chance,
            server: Server::new(
                limits,
                Box::new(store),
                people,
                Rooms::default(),
                Secret::new([8; 32]),
            ),
            waiting,
            delay_ticks_max,
            limits,
            drained_ns: HashMap::new(),
            is_paced: limits.rules.rate_limit.is_some(),
            is_limited: limits.rules.connections_per_address_max != 0,
            retention,
            begin: now,
            now,
            clock_ms: 1_000_000_000_000,
            peers: Vec::new(),
            people: Vec::new(),
            oracle: Oracle::of(EPOCH),
            n_peers: 0,
            witnessed: 0,
            buried: Vec::new(),
            replaced: Vec::new(),
            forgotten_to: 0,
            dead: Vec::new(),
            said: BTreeMap::new(),
            fired,
            n_orders: 0,
            n_searches: 0,
            no_room: None,
            text_bytes_max: if is_wide { 60_000 } else { limits.payload_bytes_max - 100 },
        };
        world.connect();
        world.say(0, &ClientMessage::hello("witness"));
        world.peers[0].manner = Manner::Named;
        world.carry(0, usize::MAX);
        world.tick();
        assert_eq!(world.peers[0].checker.name(), Some("witness"));
        world.now += limits.rules.announce_after;
        world.tick();
        world.connect();
        world.tick();
        world.hello(1);
        world.carry(1, usize::MAX);
        world.tick();
        assert_eq!(world.peers[1].checker.name(), Some("second witness"));
        world.now += limits.rules.announce_after;
        world.tick();
        world
    }

    /// Returns true if the log keeps so little that some of it is forgotten.
    fn forgets(&self) -> bool {
        self.retention.messages_max < MESSAGES_MAX
    }

    /// Lets one thing happen.
    pub(crate) fn step(&mut self) {
        let any = self.below(self.peers.len());
        if self.below(Step::shares() + Fault::shares()) < Fault::shares() {
            let fault = Fault::choose(&mut self.chance);
            return self.trouble(fault, any);
        }
        match Step::choose(&mut self.chance) {
            Step::Connect => self.connect(),
            Step::Hello => self.hello(any),
            Step::Text => self.text(any),
            Step::Amend => self.amend(any),
            Step::Room => self.act_in_rooms(any),
            Step::Carry => {
                let bytes = if self.below(4) == 0 { usize::MAX } else { self.below(40) };
                self.carry(any, bytes);
            }
            Step::Page => self.ask_for_page(any, PAGES_MAX),
            Step::Search => self.search(any),
            Step::Ping => self.ping(any),
            Step::Pong => self.pong(any),
            Step::ReadEverything => self.read_everything(),
            Step::Pass => {
                let millis = self.below(8_000);
                self.now += Duration::from_millis(millis as u64);
            }
            Step::Idle => self.idle(),
            Step::Reckon => self.reckon(),
            Step::Tick => self.tick(),
        }
    }

    fn hello(&mut self, peer: usize) {
        let Peer { manner, is_leaving, .. } = &mut self.peers[peer];
        if *is_leaving || *manner != Manner::Unnamed {
            return;
        }
        *manner = Manner::Named;
        if let Checker::V2 { .. } = self.peers[peer].checker {
            return self.hello_of_two(peer);
        }
        let username = NAMES[self.below(NAMES.len())];
        self.say(peer, &ClientMessage::hello(username));
    }

    fn text(&mut self, peer: usize) {
        let is_large = self.below(self.large_one_in) == 0;
        let padding = if is_large { self.text_bytes_max } else { self.below(50) };
        let Peer { number, texts, units, manner, is_leaving, checker, .. } = &mut self.peers[peer];
        if let Checker::V2 { .. } = checker {
            return self.text_of_two(peer, padding);
        }
        let content = match (*is_leaving, *manner) {
            (false, Manner::Named) => {
                *texts += 1;
                *units += cost(padding);
                format!("#{number}.{} {:padding$}", *texts - 1, "")
            }
            (false, Manner::Shy) => "too early".to_owned(),
            _ => return,
        };
        self.say(peer, &ClientMessage::text(content));
    }

    fn say(&mut self, peer: usize, message: &ClientMessage<'_>) {
        let Peer { checker, unsent, asked, .. } = &mut self.peers[peer];
        if let ClientMessage::Hello(hello) = message {
            *asked = Some(hello.username.to_string());
        }
        match (checker, message) {
            (Checker::V2 { checker, .. }, _) => checker.says(message, &mut self.oracle),
            (_, ClientMessage::Text { content, .. }) => self.oracle.say(content),
            _ => (),
        }
        message.encode(unsent);
    }

    /// Returns true if something happens without an edge and without time to pass.
    fn has_work(&self) -> bool {
        self.server.has_work() || !self.waiting.is_empty()
    }

    fn below(&mut self, end: usize) -> usize {
        (self.chance)(end)
    }

    fn fire(&self, fault: Fault) {
        self.fired.note(fault);
    }
}
