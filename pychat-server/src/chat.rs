//! The chat itself: who is in the room, and who hears what.
//!
//! This module is pure. It owns no socket, reads no clock and writes no log; time arrives as `now`,
//! and everything it wants done leaves as an [`Effect`]. The switchboard carries effects out; tests
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
//! A text becomes [`Effect::Append`]; it exists once the log answers [`Input::Appended`], and only
//! that is published. Effects are carried out in order, so everybody hears the same in one order.

mod interface;

use std::{
    collections::HashMap,
    fmt::Write,
    time::{Duration, Instant},
};

use pychat_wire::{ClientMessage, FrameError, MessageError, NameError, UserName, notice::Notice};

pub use self::interface::{CloseReason, Effect, Input, Refusal};
use crate::{
    deadlines::Deadlines,
    id::ConnectionId,
    log::Draft,
    pace::{Bucket, Pace},
    roster::Roster,
};

/// How many payloads in a row that mean nothing end a connection.
pub const BAD_PAYLOADS_MAX: u32 = 16;

/// The room.
#[derive(Debug)]
pub struct Chat {
    peers: HashMap<ConnectionId, Peer>,
    roster: Roster,
    deadlines: Deadlines,
    rules: Rules,
}

/// What the operator decides for the room.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How long a guest may take to say who it is.
    pub hello_timeout: Duration,
    /// How fast one connection may speak; any speed if `None`.
    pub pace: Option<Pace>,
}

#[derive(Debug)]
struct Peer {
    phase: Phase,
    /// How many payloads in a row meant nothing.
    bad_payloads: u32,
    /// How much it has said lately.
    bucket: Bucket,
}

#[derive(Debug)]
enum Phase {
    Guest,
    Joined(UserName),
    Closing,
}

impl Chat {
    /// Returns an empty room under `rules`.
    pub fn new(rules: Rules) -> Self {
        Self {
            peers: HashMap::new(),
            roster: Roster::default(),
            deadlines: Deadlines::default(),
            rules,
        }
    }

    /// Changes the rules for what comes from now on: guests here already keep their deadline.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Takes one thing in and appends what is to be done about it to `effects`.
    ///
    /// What concerns a connection that is closing or unknown changes nothing, but for
    /// [`Input::Closed`] and [`Input::Appended`]: what was accepted is published, whoever left.
    pub fn handle(&mut self, now: Instant, input: Input<'_>, effects: &mut Vec<Effect>) {
        match input {
            Input::Connected { id } => self.on_connected(now, id, effects),
            Input::Received { id, message } => self.on_received(now, id, message, effects),
            Input::Misunderstood { id, error } => self.on_misunderstood(id, error, effects),
            Input::Broken { id, error } => self.on_broken(id, error, effects),
            Input::Finished { id } => self.close(id, CloseReason::Quit, effects),
            Input::Closed { id } => self.on_closed(id, effects),
            Input::Appended { from, record } => effects.push(Effect::Publish { from, record }),
            Input::Stopping => self.on_stopping(effects),
        }
        self.check_invariants();
    }

    /// Ends what has gone on for too long by `now`.
    pub fn handle_timeout(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        while let Some(id) = self.deadlines.pop_due(now) {
            let seconds = self.rules.hello_timeout.as_secs();
            let content = format!("No username within {seconds} seconds. Bye!\n");
            effects.push(Effect::Tell { to: id, content });
            self.close(id, CloseReason::Timeout, effects);
        }
        self.check_invariants();
    }

    /// Returns when [`handle_timeout`](Self::handle_timeout) has something to do next.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Returns who is in the room.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    fn on_connected(&mut self, now: Instant, id: ConnectionId, effects: &mut Vec<Effect>) {
        self.peers
            .insert(id, Peer { phase: Phase::Guest, bad_payloads: 0, bucket: Bucket::default() });
        self.deadlines.set(id, now + self.rules.hello_timeout);
        tell(id, Notice::Greeting, effects);
    }

    fn on_received(
        &mut self,
        now: Instant,
        id: ConnectionId,
        message: ClientMessage<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.bad_payloads = 0;
        match (&peer.phase, message) {
            (Phase::Guest, ClientMessage::Hello { username }) => {
                self.on_hello(id, &username, effects);
            }
            (Phase::Guest, ClientMessage::Text { .. }) => {
                effects.push(Effect::Report { id, refusal: Refusal::NotJoined });
                tell(id, Notice::StillWaiting, effects);
            }
            (Phase::Joined(name), ClientMessage::Text { content }) => {
                let (author, content) = (name.clone(), content.into());
                let draft = Draft { from: id, author, content, id: None };
                effects.push(Effect::Append(draft));
                if let Some(until) = self.rules.pace.and_then(|pace| peer.bucket.fill(now, pace)) {
                    effects.push(Effect::Hold { id, until });
                }
            }
            (Phase::Joined(_), ClientMessage::Hello { .. }) => {
                effects.push(Effect::Report { id, refusal: Refusal::AlreadyJoined });
            }
            (Phase::Closing, _) => (),
        }
    }

    /// `Guest` becomes `Joined`, provided the name keeps the rules.
    fn on_hello(&mut self, id: ConnectionId, username: &str, effects: &mut Vec<Effect>) {
        let name = match UserName::new(username) {
            Ok(name) => name,
            Err(error) => {
                effects.push(Effect::Report { id, refusal: Refusal::Name(error) });
                // The original's answer to an empty name; it knows no other bad ones.
                match error {
                    NameError::Empty => tell(id, Notice::StillWaiting, effects),
                    _ => {
                        tell(id, Notice::Other(&format!("Choose another name: {error}.")), effects);
                    }
                }
                return;
            }
        };
        let free = self.roster.find_free(name);
        let name = free.name().clone();
        self.welcome(id, &name, effects);
        self.roster.join(id, free);
        self.deadlines.clear(id);
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.phase = Phase::Joined(name.clone());
        }
        tell_all(Notice::Joined { name: name.as_str() }, effects);
        effects.push(Effect::Enter { id, name });
    }

    /// Tells who is there already, which in a large room is a long text. Its memory comes in sizes
    /// that will be asked for again: a little more for each newcomer would leave a hole for each.
    fn welcome(&mut self, to: ConnectionId, name: &UserName, effects: &mut Vec<Effect>) {
        let (name, online) = (name.as_str(), self.roster.len());
        let names = self.roster.listing();
        let mut content = String::with_capacity((256 + names.len()).next_power_of_two());
        write!(content, "{}", Notice::Welcome { name, online, names }).ok(); // A String takes it all.
        effects.push(Effect::Tell { to, content });
    }

    fn on_misunderstood(
        &mut self,
        id: ConnectionId,
        error: MessageError,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.bad_payloads += 1;
        match peer.phase {
            Phase::Closing => return,
            _ if peer.bad_payloads == BAD_PAYLOADS_MAX => {
                let content =
                    format!("Not understood {BAD_PAYLOADS_MAX} times in a row: {error}. Bye!\n");
                tell(id, Notice::Other(&content), effects);
                self.close(id, CloseReason::Protocol, effects);
            }
            Phase::Guest => tell(id, Notice::StillWaiting, effects),
            Phase::Joined(_) => {
                tell(id, Notice::Other(&format!("Not understood: {error}.")), effects);
            }
        }
        effects.push(Effect::Report { id, refusal: Refusal::Payload(error) });
    }

    fn on_broken(&mut self, id: ConnectionId, error: FrameError, effects: &mut Vec<Effect>) {
        if !self.is_open(id) {
            return;
        }
        tell(id, Notice::Other(&format!("Connection closed: {error}. Bye!\n")), effects);
        effects.push(Effect::Report { id, refusal: Refusal::Frame(error) });
        self.close(id, CloseReason::Protocol, effects);
    }

    /// The others hear only now that somebody left, whatever it was that closed the connection.
    fn on_closed(&mut self, id: ConnectionId, effects: &mut Vec<Effect>) {
        self.peers.remove(&id);
        self.deadlines.clear(id);
        if let Some(name) = self.roster.leave(id) {
            tell_all(Notice::Left { name: name.as_str() }, effects);
        }
    }

    fn on_stopping(&mut self, effects: &mut Vec<Effect>) {
        let mut ids: Vec<_> = self.peers.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            if self.is_open(id) {
                tell(id, Notice::Stopping, effects);
                self.close(id, CloseReason::Shutdown, effects);
            }
        }
    }

    /// `Guest` or `Joined` becomes `Closing`; a second reason changes nothing.
    fn close(&mut self, id: ConnectionId, reason: CloseReason, effects: &mut Vec<Effect>) {
        if !self.is_open(id) {
            return;
        }
        self.deadlines.clear(id);
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.phase = Phase::Closing;
        }
        effects.push(Effect::Close { id, reason });
    }

    fn is_open(&self, id: ConnectionId) -> bool {
        self.peers.get(&id).is_some_and(|peer| !matches!(peer.phase, Phase::Closing))
    }

    fn check_invariants(&self) {
        if cfg!(debug_assertions) {
            let (mut guests, mut joined) = (0, 0);
            for (id, Peer { phase, .. }) in &self.peers {
                match phase {
                    Phase::Guest => guests += 1,
                    Phase::Joined(name) => {
                        assert_eq!(self.roster.name(*id), Some(name));
                        joined += 1;
                    }
                    Phase::Closing => (),
                }
            }
            assert_eq!(self.deadlines.len(), guests, "every guest has a deadline");
            assert!(joined <= self.roster.len() && self.roster.len() + guests <= self.peers.len());
        }
    }
}

fn tell(to: ConnectionId, notice: Notice<'_>, effects: &mut Vec<Effect>) {
    effects.push(Effect::Tell { to, content: notice.to_string() });
}

fn tell_all(notice: Notice<'_>, effects: &mut Vec<Effect>) {
    effects.push(Effect::TellAll { content: notice.to_string() });
}
