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

mod arrival;
mod interface;
mod restore;
mod talk;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use pychat_wire::{
    ClientMessage, FrameError, MessageError, UserName, message::ErrorCode, notice::Notice,
};

use self::arrival::Hello;
pub use self::{
    interface::{CloseReason, Complaint, Effect, Input, Protocol, Refusal},
    restore::Restored,
    talk::STORAGE_RETRY_MS,
};
use crate::{
    clock::Time,
    deadlines::Deadlines,
    id::ConnectionId,
    pace::{Bucket, Pace},
    roster::{FreeName, Roster},
    tokens::{Expiry, Grant, Tokens},
};

/// How many payloads in a row that mean nothing end a connection.
pub const BAD_PAYLOADS_MAX: u32 = 16;

/// The room.
#[derive(Debug)]
pub struct Chat {
    peers: HashMap<ConnectionId, Peer>,
    roster: Roster,
    deadlines: Deadlines,
    tokens: Tokens,
    rules: Rules,
    /// What the clock on the wall shows, in UTC milliseconds since 1970.
    utc_ms: u64,
    /// The same, if it can be trusted.
    trusted_ms: Option<u64>,
}

/// What the operator decides for the room.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How long a guest may take to say who it is.
    pub hello_timeout: Duration,
    /// How fast one connection may speak; any speed if `None`.
    pub pace: Option<Pace>,
    /// How long a name is reserved for its owner since they used it last.
    pub name_age_max: Duration,
}

#[derive(Debug)]
struct Peer {
    phase: Phase,
    /// What it is spoken to in, as far as it has said.
    protocol: Protocol,
    /// What it has its name by, in protocol 2.
    grant: Option<Grant>,
    /// How many payloads in a row meant nothing.
    bad_payloads: u32,
    /// How much it has said lately.
    bucket: Bucket,
    /// It has been told that it speaks too fast, and has not slowed down since.
    is_told_to_slow_down: bool,
}

#[derive(Debug)]
enum Phase {
    Guest,
    Joined(UserName),
    Closing,
}

impl Chat {
    /// Returns an empty room under `rules`, in which names are proved by `tokens`.
    pub fn new(rules: Rules, tokens: Tokens) -> Self {
        Self {
            peers: HashMap::new(),
            roster: Roster::default(),
            deadlines: Deadlines::default(),
            tokens,
            rules,
            utc_ms: 0,
            trusted_ms: None,
        }
    }

    /// Changes the rules for what comes from now on: guests here already keep their deadline.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Takes in what the time is, for what comes from now on.
    pub fn set_time(&mut self, time: &Time) {
        (self.utc_ms, self.trusted_ms) = (time.utc_ms, time.trusted_ms());
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
            Input::Closed { id, reason } => self.on_closed(id, reason, effects),
            Input::Appended { from, appended } => self.on_appended(from, appended, effects),
            Input::NotKept { draft, error } => self.on_not_kept(&draft, &error, effects),
            Input::Stopping => self.on_stopping(effects),
        }
        self.check_invariants();
    }

    /// Ends what has gone on for too long by `now`.
    pub fn handle_timeout(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        while let Some(id) = self.deadlines.pop_due(now) {
            let seconds = self.rules.hello_timeout.as_secs();
            let content = format!("No username within {seconds} seconds. Bye!");
            self.say(id, ErrorCode::Timeout, &content, effects);
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
        let peer = Peer {
            phase: Phase::Guest,
            protocol: Protocol::One,
            grant: None,
            bad_payloads: 0,
            bucket: Bucket::default(),
            is_told_to_slow_down: false,
        };
        self.peers.insert(id, peer);
        self.deadlines.set(id, now + self.rules.hello_timeout);
        effects.push(Effect::Greet { to: id });
    }

    fn on_received(
        &mut self,
        now: Instant,
        id: ConnectionId,
        message: ClientMessage<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if peer.protocol == Protocol::One
            && let Some(kind) = unknown_to_original(&message)
        {
            let error = MessageError::UnknownType { name: kind.to_owned() };
            return self.on_misunderstood(id, error, effects);
        }
        peer.bad_payloads = 0;
        match (&peer.phase, message) {
            (Phase::Closing, _) | (_, ClientMessage::Pong) => (),
            (_, ClientMessage::Ping) => effects.push(Effect::Pong { to: id }),
            (Phase::Guest, ClientMessage::Hello { username, protocol, token, resume }) => {
                let hello = Hello {
                    username: &username,
                    protocol,
                    token: token.as_deref(),
                    resume: resume.as_ref().map(|resume| (&*resume.epoch, resume.after)),
                };
                self.on_hello(id, &hello, effects);
            }
            (Phase::Guest, message) => self.on_early(id, &message, effects),
            (Phase::Joined(_), ClientMessage::Text { content, id: message_id }) => {
                self.on_text(now, id, &content, message_id.as_deref(), effects);
            }
            (Phase::Joined(_), ClientMessage::History { before, limit }) => {
                effects.push(Effect::Page { to: id, before, limit });
            }
            (Phase::Joined(_), ClientMessage::Hello { .. }) => {
                if peer.protocol == Protocol::Two {
                    let text = "this connection has a name already";
                    complain(id, Complaint::new(ErrorCode::AlreadyJoined, text), effects);
                }
                effects.push(Effect::Report { id, refusal: Refusal::AlreadyJoined });
            }
        }
    }

    fn on_misunderstood(
        &mut self,
        id: ConnectionId,
        error: MessageError,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.bad_payloads += 1;
        let code = match &error {
            MessageError::UnknownType { .. } => ErrorCode::UnknownType,
            _ => ErrorCode::BadPayload,
        };
        match (&peer.phase, peer.protocol) {
            (Phase::Closing, _) => return,
            _ if peer.bad_payloads == BAD_PAYLOADS_MAX => {
                let content =
                    format!("Not understood {BAD_PAYLOADS_MAX} times in a row: {error}. Bye!");
                self.say(id, code, &content, effects);
                self.close(id, CloseReason::Protocol, effects);
            }
            (Phase::Guest, Protocol::One) => tell(id, Notice::StillWaiting, effects),
            (Phase::Joined(_), Protocol::One) => {
                tell(id, Notice::Other(&format!("Not understood: {error}.")), effects);
            }
            (_, Protocol::Two) => {
                complain(id, Complaint::new(code, &error.to_string()), effects);
            }
        }
        effects.push(Effect::Report { id, refusal: Refusal::Payload(error) });
    }

    fn on_broken(&mut self, id: ConnectionId, error: FrameError, effects: &mut Vec<Effect>) {
        if !self.is_open(id) {
            return;
        }
        let code = match error {
            FrameError::TooLarge { .. } => ErrorCode::TooLarge,
            _ => ErrorCode::BadFrame,
        };
        self.say(id, code, &format!("Connection closed: {error}. Bye!"), effects);
        effects.push(Effect::Report { id, refusal: Refusal::Frame(error) });
        self.close(id, CloseReason::Protocol, effects);
    }

    /// The others hear only now that somebody left, whatever it was that closed the connection.
    fn on_closed(&mut self, id: ConnectionId, reason: CloseReason, effects: &mut Vec<Effect>) {
        self.peers.remove(&id);
        self.deadlines.clear(id);
        if let Some(name) = self.roster.leave(id) {
            effects.push(Effect::Depart { name, reason });
        }
    }

    fn on_stopping(&mut self, effects: &mut Vec<Effect>) {
        let mut ids: Vec<_> = self.peers.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            if self.is_open(id) {
                if self.protocol(id) == Protocol::One {
                    tell(id, Notice::Stopping, effects);
                }
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
        let is_sent_away = match reason {
            CloseReason::Quit => false, // Who goes by itself knows.
            _ => self.protocol(id) == Protocol::Two,
        };
        if is_sent_away {
            effects.push(Effect::Bye { to: id, reason });
        }
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.phase = Phase::Closing;
        }
        effects.push(Effect::Close { id, reason });
    }

    /// Says a last sentence to a peer, in whatever protocol it is spoken to in.
    fn say(&self, to: ConnectionId, code: ErrorCode, text: &str, effects: &mut Vec<Effect>) {
        match self.protocol(to) {
            Protocol::One => effects.push(Effect::Tell { to, content: format!("{text}\n") }),
            Protocol::Two => complain(to, Complaint::new(code, text), effects),
        }
    }

    /// Returns the name under which somebody who asks for `name` and does not own it can join now.
    fn find_free(&self, name: UserName) -> FreeName {
        let expiry = self.name_expiry();
        self.roster.find_free(name, |name| self.tokens.is_reserved(name, None, expiry))
    }

    fn name_expiry(&self) -> Expiry {
        let age_max_ms = u64::try_from(self.rules.name_age_max.as_millis()).ok();
        match self.trusted_ms.zip(age_max_ms) {
            Some((now_ms, age_max_ms)) => now_ms
                .checked_sub(age_max_ms)
                .map_or(Expiry::Never, |expired_ms| Expiry::By { expired_ms, now_ms }),
            None => Expiry::Never,
        }
    }

    fn protocol(&self, id: ConnectionId) -> Protocol {
        self.peers.get(&id).map_or(Protocol::One, |peer| peer.protocol)
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

fn complain(to: ConnectionId, complaint: Complaint, effects: &mut Vec<Effect>) {
    effects.push(Effect::Complain { to, complaint });
}

/// Names the type of a message that protocol 1 does not have.
fn unknown_to_original(message: &ClientMessage<'_>) -> Option<&'static str> {
    match message {
        ClientMessage::Hello { .. } | ClientMessage::Text { .. } => None,
        ClientMessage::History { .. } => Some("history"),
        ClientMessage::Ping => Some("ping"),
        ClientMessage::Pong => Some("pong"),
    }
}
