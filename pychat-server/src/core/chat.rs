//! The chat itself: who is in the room, and who hears what.
//!
//! This module is pure. It owns no socket, reads no clock and writes no log; time arrives as `now`,
//! and everything it wants done leaves as an [`Effect`]. The server carries effects out; tests
//! simply read them.
//!
//! ```text
//!                    a good hello              closed
//!  (connected) ───▶ Guest ────────▶ Joined ─────────────▶ (gone)
//!                   │  ▲ │           │ ▲ │                   ▲
//!                   │  └─┘ anything  │ └─┘ text              │
//!                   │      else      │                       │
//!                   └─── no hello in time, goodbye, ──▶ Closing
//!                        bad frame, server stops
//! ```
//!
//! A text becomes a [`Request`](super::record::Request) to the store; it exists once the store has
//! answered, and only then is it published. Somebody's leaving is told after what they said was
//! answered, though the store be slow. Effects are carried out in order, so everybody hears the
//! same in one order.

mod amend;
mod arrival;
mod buckets;
mod closing;
mod devices;
mod effect;
mod elsewhere;
mod enforcement;
mod flight;
mod input;
mod invites;
mod joining;
mod orders;
mod presence;
mod receive;
mod refusal;
mod requests;
mod restore;
mod rooms;
mod secure;
mod settling;
mod sharing;
mod slow;
mod talk;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use pychat_wire::{
    UserName,
    key::{Challenge, PublicKey},
    message::{Door, ErrorCode},
    notice::Notice,
};

use self::{
    arrival::Wish, buckets::Buckets, flight::InFlight, orders::Asker, presence::Announcements,
    requests::Requests, sharing::Leaving, slow::TooSoon,
};
pub use self::{
    buckets::TYPING_PAUSE,
    effect::{Action, Deed, Effect, Event, Recipients, RoomView, Search, Subscribe},
    flight::{APPENDS_MAX, APPENDS_PER_CONNECTION_MAX},
    input::{
        CloseReason, Complaint, Input, OVERTAKEN_RETRY_MS, PerProtocol, Protocol, Refusal,
        STORAGE_RETRY_MS,
    },
    joining::CONNECTIONS_PER_PERSON_MAX,
    presence::ANNOUNCED_AT_ONCE_MAX,
    refusal::BAD_PAYLOADS_MAX,
    restore::Restored,
    rooms::{TYPING_PRESENT_MAX, cursor},
    secure::Plain,
};
use crate::core::{
    admission::{Act, Admission, Origin, Shares},
    connection_map::ConnectionMap,
    deadlines::Deadlines,
    id::{ConnectionId, HALL},
    networks::Networks,
    people::{Expiry, People},
    rate_limit::RateLimit,
    record::PersonId,
    rooms::Rooms,
    roster::Roster,
    time::Time,
};

/// The people who are here, and the rooms that they talk in.
#[derive(Debug)]
pub struct Chat {
    peers: ConnectionMap<Peer>,
    roster: Roster,
    timers: Timers,
    people: People,
    rooms: Rooms,
    rules: Rules,
    wall_clock: WallTime,
    admission: Admission,
    buckets: Buckets,
    requests: Requests,
}

/// The things that happen after a time.
#[derive(Debug, Default)]
struct Timers {
    /// When guests are sent away who have not said hello.
    hello: Deadlines,
    announcements: Announcements,
    /// When the store is told again of people who are gone.
    leaving: VecDeque<Leaving>,
}

/// The rules that the operator sets for the room.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The time that a guest has to say hello.
    pub hello_timeout: Duration,
    /// The rate at which one connection may send texts; no limit if `None`.
    pub rate_limit: Option<RateLimit>,
    /// The time for which a name is reserved for its owner after its last use.
    pub name_age_max: Duration,
    /// The time that somebody must stay, unless they say something, before the others are told that
    /// they joined.
    pub announce_after: Duration,
    /// The most connections at once from one address, by which its other shares are measured too; no
    /// limits by address at all if zero.
    pub connections_per_address_max: usize,
    /// The connections that may go on without TLS.
    pub plain: Plain,
    /// The people who are let in.
    pub admission: Door,
    /// The networks that guests of protocol 1 may come from where only people who are invited are let
    /// in.
    pub guests_from: Networks,
}

impl Rules {
    fn shares(self) -> Shares {
        Shares { connections_max: self.connections_per_address_max, text: self.rate_limit }
    }
}

#[derive(Debug)]
struct Peer {
    phase: Phase,
    /// The protocol that it is spoken to in, as far as it has said.
    protocol: Protocol,
    /// The challenge that its hello must sign.
    challenge: Challenge,
    /// The person that it has proved to be, in protocol 2.
    grant: Option<Grant>,
    origin: Origin,
    /// Everything that it says and hears is encrypted.
    is_secure: bool,
    /// The number of useless payloads since the last text.
    bad_payloads: u32,
    /// It was told that it speaks too fast, and its person's bucket has not drained since.
    is_told_to_slow_down: bool,
    /// The first of its texts that came too soon in slow mode, and has not come again.
    too_soon: Option<TooSoon>,
    in_flight: InFlight,
}

/// The proof that a peer gave: who it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Grant {
    /// The person.
    pub person: PersonId,
    /// The key of the device.
    pub key: PublicKey,
    /// The name is theirs when they are away, too.
    pub is_saved: bool,
}

#[derive(Debug)]
enum Phase {
    Guest,
    /// A guest that waits: for somebody to make way who has its name, or for the store to keep what lets
    /// it in.
    Claiming(Wish),
    Joined(UserName),
    Closing,
}

/// The clock on the wall.
#[derive(Clone, Copy, Debug, Default)]
struct WallTime {
    /// In UTC milliseconds since 1970.
    utc_ms: u64,
    /// The same, if it can be trusted.
    trusted_ms: Option<u64>,
}

impl Chat {
    /// Returns these rooms, with nobody present, under `rules`; names are owned by `people`.
    pub fn new(rules: Rules, people: People, rooms: Rooms) -> Self {
        Self {
            peers: ConnectionMap::default(),
            roster: Roster::default(),
            timers: Timers::default(),
            people,
            rooms,
            rules,
            wall_clock: WallTime::default(),
            admission: Admission::new(rules.shares()),
            buckets: Buckets::default(),
            requests: Requests::default(),
        }
    }

    /// Changes the rules for what comes from now on: guests here already keep their deadline.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
        self.admission.set_shares(rules.shares());
    }

    /// Returns the limits by address.
    pub fn admission(&mut self) -> &mut Admission {
        &mut self.admission
    }

    /// Sets the time for what comes from now on.
    pub fn set_time(&mut self, time: &Time) {
        self.wall_clock = WallTime { utc_ms: time.utc_ms, trusted_ms: time.trusted_ms() };
    }

    /// Takes one thing in and appends what is to be done about it to `effects`.
    ///
    /// An input about a connection that is closing or unknown changes nothing, but for
    /// [`Input::Closed`] and [`Input::Stored`]: a text that was accepted is published, even if its
    /// author left.
    pub fn handle(&mut self, now: Instant, input: Input<'_>, effects: &mut Vec<Effect>) {
        let begin = effects.len();
        match input {
            Input::Connected { id, origin, challenge } => {
                self.on_connected(now, id, origin, challenge, effects);
            }
            Input::Received { id, message } => {
                self.on_received(now, id, message, effects);
                self.hold_back(id, begin, effects);
            }
            Input::BadMessage { id, error } => {
                self.on_bad_message(id, error, effects);
                self.hold_back(id, begin, effects);
            }
            Input::BadFrame { id, error } => {
                self.on_bad_frame(id, error, effects);
                self.hold_back(id, begin, effects);
            }
            Input::Eof { id } => {
                self.close(id, CloseReason::Quit, effects);
                self.hold_back(id, begin, effects);
            }
            Input::TlsWanted { id } => self.on_tls_wanted(now, id, effects),
            Input::Secured { id, challenge } => self.on_secured(id, challenge, effects),
            Input::Closed { id, reason } => self.on_closed(id, reason, effects),
            Input::Stored { ticket, outcome } => self.on_stored(now, ticket, outcome, effects),
            Input::Elsewhere(elsewhere) => self.on_elsewhere(now, elsewhere, effects),
            Input::Ordered { call, by, order } => {
                self.on_order(now, Asker::Call(call), by, &order, effects);
            }
            Input::Stopping => self.on_stopping(effects),
        }
        self.check_invariants();
    }

    /// Ends what has gone on for too long by `now`, and announces those who have stayed long enough;
    /// if they are many, [`next_deadline`](Self::next_deadline) stays in the past until all are.
    pub fn handle_timeout(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        while let Some(id) = self.timers.hello.pop_due(now) {
            let seconds = self.rules.hello_timeout.as_secs();
            let content = format!("No username within {seconds} seconds. Bye!");
            self.say(id, ErrorCode::Timeout, &content, effects);
            self.close(id, CloseReason::Timeout, effects);
        }
        self.announce_due(now, effects);
        self.leave_again(now, effects);
        self.check_invariants();
    }

    /// Returns when [`handle_timeout`](Self::handle_timeout) has something to do next.
    pub fn next_deadline(&self) -> Option<Instant> {
        let deadlines = [self.timers.hello.next(), self.next_announcement(), self.next_leaving()];
        deadlines.into_iter().flatten().min()
    }

    /// Returns the rooms, and who is in which.
    pub fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// Returns the people who own names.
    pub fn people(&self) -> &People {
        &self.people
    }

    /// Returns the roster: the people in the room.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    fn on_connected(
        &mut self,
        now: Instant,
        id: ConnectionId,
        origin: Origin,
        challenge: Challenge,
        effects: &mut Vec<Effect>,
    ) {
        let peer = Peer {
            phase: Phase::Guest,
            protocol: Protocol::V1,
            challenge,
            grant: None,
            origin,
            is_secure: false,
            bad_payloads: 0,
            is_told_to_slow_down: false,
            too_soon: None,
            in_flight: InFlight::default(),
        };
        self.peers.insert(id, peer);
        self.timers.hello.set(id, now + self.rules.hello_timeout);
        tell(id, Event::Greeting(challenge.nonce), effects);
        let full_until = |act| self.admission.full_until(now, origin, act);
        if let Some(until) = full_until(Act::Join).max(full_until(Act::Verify)) {
            self.hold_guest(id, until, effects);
        }
    }

    /// Reads nothing from a guest for a while; its time to say hello begins after that.
    fn hold_guest(&mut self, id: ConnectionId, until: Instant, effects: &mut Vec<Effect>) {
        self.timers.hello.set(id, until + self.rules.hello_timeout);
        act(id, Action::PauseRead { until }, effects);
    }

    fn name_expiry(&self) -> Expiry {
        let age_max_ms = u64::try_from(self.rules.name_age_max.as_millis()).ok();
        match self.wall_clock.trusted_ms.zip(age_max_ms) {
            Some((now_ms, age_max_ms)) => now_ms
                .checked_sub(age_max_ms)
                .map_or(Expiry::Never, |expired_ms| Expiry::By { expired_ms, now_ms }),
            None => Expiry::Never,
        }
    }

    fn protocol(&self, id: ConnectionId) -> Protocol {
        self.peers.get(&id).map_or(Protocol::V1, |peer| peer.protocol)
    }

    fn is_open(&self, id: ConnectionId) -> bool {
        self.peers.get(&id).is_some_and(|peer| !matches!(peer.phase, Phase::Closing))
    }

    fn check_invariants(&self) {
        if cfg!(debug_assertions) {
            let (mut guests, mut present) = (0, 0);
            for (id, Peer { phase, .. }) in &self.peers {
                match phase {
                    Phase::Guest | Phase::Claiming(_) => guests += 1,
                    Phase::Joined(name) => {
                        assert_eq!(self.roster.name(*id), Some(name));
                        present += 1;
                    }
                    // Present until the connection is gone, or has made way.
                    Phase::Closing => present += usize::from(self.roster.name(*id).is_some()),
                }
            }
            assert_eq!(self.timers.hello.len(), guests, "every guest has a deadline");
            assert_eq!(self.roster.n_connections(), present, "who is present has a connection");
        }
    }
}

fn tell(to: ConnectionId, event: Event, effects: &mut Vec<Effect>) {
    effects.push(Effect::Tell { to: Recipients::One(to), event });
}

fn tell_all(event: Event, effects: &mut Vec<Effect>) {
    effects.push(Effect::Tell { to: Recipients::Room(HALL), event });
}

fn notify(to: ConnectionId, notice: Notice<'_>, effects: &mut Vec<Effect>) {
    tell(to, Event::Notice(notice.to_string()), effects);
}

fn complain(to: ConnectionId, complaint: Complaint, effects: &mut Vec<Effect>) {
    tell(to, Event::Refused(complaint), effects);
}

fn act(id: ConnectionId, action: Action, effects: &mut Vec<Effect>) {
    effects.push(Effect::Connection { id, action });
}
