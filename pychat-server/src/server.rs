//! Every connection and the chat, joined: bytes in, bytes out, once a tick.
//!
//! This is the whole server but for waiting, accepting and the clock, which are the reactor's; so
//! tests can run it over sockets of their own. In a tick ([`Server::turn`]) nothing is written
//! while inputs are being handled: what peers are owed gathers in their outboxes and leaves together
//! at the end, so a burst of chatter costs each peer one write, not one a message.
//!
//! A connection is taken out of the table when the tick reaps, and nowhere else.

mod admitting;
mod broadcast;
mod commit;
mod effects;
mod encode;
mod handover;
mod keepalive;
mod presence;
mod replay;
mod session;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt, mem,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use pychat_wire::ClientMessage;

pub use self::{
    admitting::TURNED_AWAY_MAX,
    keepalive::{PING_INTERVAL, PONG_TIMEOUT},
    replay::BACKLOG_BYTES_LOW,
};

use self::{
    broadcast::Broadcast,
    commit::Forgotten,
    session::{Queues, Session, SessionState},
};
use crate::{
    core::{
        chat::{Chat, Effect, Input},
        deadlines::Deadlines,
        id::ConnectionId,
        time::WallClock,
        tokens::Tokens,
    },
    limits::Limits,
    logging,
    net::{
        connection::{Fill, Filled, READ_BUDGET_BYTES, Socket},
        connection_table::ConnectionTable,
    },
    store::{Log, Retention},
};

/// The most that is read from all connections before what they said is answered, in bytes.
///
/// It bounds what one tick can owe a single peer, so that a peer that reads is not taken for one
/// that does not because many spoke at once.
pub const TICK_READ_BYTES_MAX: usize = 4 * READ_BUDGET_BYTES;

/// The weight of effects, in bytes, that counts as much as one byte read: a tick owes its peers at
/// most this times [`TICK_READ_BYTES_MAX`].
const WEIGHT_PER_READ_BYTE: usize = 64;

/// The time that a connection has to flush what it is owed once it is to be closed.
pub const CLOSING_TIMEOUT: Duration = Duration::from_secs(5);

/// The time that a peer has to close its side once it was told all.
pub const LINGER_TIMEOUT: Duration = Duration::from_secs(1);

/// The connections, the chat between them, and the log.
pub struct Server<S> {
    connections: ConnectionTable<Session<S>>,
    chat: Chat,
    log: Log,
    limits: Limits,
    effects: Vec<Effect>,
    /// A second buffer for effects, empty between ticks.
    spare: Vec<Effect>,
    queues: Queues,
    /// The number of connections that are only being told that there is no room.
    n_turned_away: usize,
    /// When closing connections are given up.
    deadlines: Deadlines,
    /// When connections that said too much are read again.
    holds: Deadlines,
    /// The buffer into which sockets are read.
    scratch: Vec<u8>,
    /// The buffer in which a frame for one peer is encoded before it is owed.
    frame: Vec<u8>,
    broadcast: Broadcast,
    /// The number of the last message that went into the run; what a newcomer hears comes after it.
    published_seq: u64,
    /// The people who have entered the room and whose connection is still there, by join index.
    /// The chat's roster is ahead of this by the effects that are still to be applied.
    room: BTreeMap<u64, ConnectionId>,
    /// The peers that are being sent what they missed before they hear what all hear.
    catching_up: BTreeSet<ConnectionId>,
    /// The times at which peers of protocol 2 are checked: pinged, or given up for silence.
    keepalives: Deadlines,
    /// When peers whose share of history is used up are sent more of it.
    replay_waits: Deadlines,
    /// The time of this tick, and the latest that anybody was told, in UTC milliseconds since 1970: what
    /// peers are told never goes back, though somebody sets the clock.
    utc_ms: u64,
    told_ms: u64,
    clock: WallClock,
    forgotten: Forgotten,
    /// Answers of the log that the chat has not been told yet.
    appended: VecDeque<Input<'static>>,
    /// True from when the log refused something until it takes something.
    is_log_failing: bool,
}

impl<S: Socket> Server<S> {
    /// Returns a server without connections that keeps what is said in `log`, and in which names
    /// are proved by `tokens`.
    pub fn new(limits: Limits, log: Log, tokens: Tokens) -> Self {
        Self {
            connections: ConnectionTable::default(),
            chat: Chat::new(limits.rules, tokens),
            published_seq: log.last_seq(),
            log,
            limits,
            effects: Vec::new(),
            queues: Queues::default(),
            n_turned_away: 0,
            deadlines: Deadlines::default(),
            holds: Deadlines::default(),
            scratch: vec![0; READ_BUDGET_BYTES],
            frame: Vec::new(),
            broadcast: Broadcast::default(),
            room: BTreeMap::new(),
            catching_up: BTreeSet::new(),
            keepalives: Deadlines::default(),
            replay_waits: Deadlines::default(),
            utc_ms: 0,
            told_ms: 0,
            clock: WallClock::default(),
            forgotten: Forgotten::default(),
            appended: VecDeque::new(),
            is_log_failing: false,
            spare: Vec::new(),
        }
    }

    /// Returns the id that the next [admitted](Self::admit) connection will have.
    pub fn next_id(&self) -> ConnectionId {
        self.connections.next_id()
    }

    /// Returns what another server needs to go on: the log, and the owners of names.
    pub fn into_parts(self) -> (Log, Tokens) {
        (self.log, self.chat.into_tokens())
    }

    /// Changes the limits for what comes from now on; nobody is sent away by that alone.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        self.chat.set_rules(limits.rules);
    }

    /// Changes how much is kept of what was said.
    pub fn set_retention(&mut self, retention: Retention) {
        self.log.set_retention(retention);
    }

    /// Notes edges of one connection; nothing else happens until the next [turn](Self::turn).
    pub fn set_ready(&mut self, id: ConnectionId, readable: bool, writable: bool) {
        let Some(session) = self.connections.get_mut(id) else { return };
        session.connection.set_ready(readable, writable);
        if readable {
            self.queues.mark_ready(id, session);
        }
        if writable && 0 < session.connection.backlog() {
            self.queues.mark_dirty(id, session);
        }
    }

    /// Says goodbye to everybody; each connection closes once it has been told.
    pub fn stop(&mut self, now: Instant) {
        self.chat.handle(now, Input::Stopping, &mut self.effects);
    }

    /// Does everything that has become possible by `now`, which is `utc_ms` in UTC milliseconds
    /// since 1970: one tick.
    pub fn turn(&mut self, now: Instant, utc_ms: u64) {
        let time = self.clock.look(now, utc_ms);
        self.chat.set_time(&time);
        self.utc_ms = utc_ms.max(self.told_ms);
        self.release_held(now);
        self.release_replays(now);
        self.read_ready(now);
        self.append(now);
        self.reap(now);
        self.chat.handle_timeout(now, &mut self.effects);
        self.give_up_overdue(now);
        self.check_keepalives(now);
        self.apply_effects(now);
        self.replay(now);
        self.deliver_broadcast(now);
        self.flush_dirty(now);
        self.cut_largest();
        self.check_log(now);
        self.log.maintain(&time);
        self.log_forgotten(now);
    }

    /// Returns true if the next turn has something to do already.
    pub fn has_work(&self) -> bool {
        let Queues { ready, ended, replaying, .. } = &self.queues;
        let has_queued = !ready.is_empty() || !ended.is_empty() || !replaying.is_empty();
        has_queued || !self.effects.is_empty() || self.log.is_check_due()
    }

    /// Returns when the next turn has something to do for the time alone.
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let ours = [
            self.deadlines.next(),
            self.next_release(),
            self.next_delivery(now),
            self.keepalives.next(),
            self.next_replay(),
            self.log.next_deadline(),
        ];
        self.chat.next_deadline().into_iter().chain(ours.into_iter().flatten()).min()
    }

    /// Returns when somebody who said too much is read again.
    pub fn next_release(&self) -> Option<Instant> {
        self.holds.next()
    }

    /// Returns when somebody whose address has used up its share of history is sent more of it.
    pub fn next_replay(&self) -> Option<Instant> {
        self.replay_waits.next()
    }

    /// Returns when everybody is told what waits for the broadcast.
    pub fn next_delivery(&self, now: Instant) -> Option<Instant> {
        self.broadcast.due_at(now)
    }

    /// Returns how many connections there are, closing ones among them.
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// Returns how many people are in the room.
    pub fn people(&self) -> usize {
        self.chat.roster().len()
    }

    /// Returns how much all peers together are owed, in bytes.
    pub fn backlog_bytes(&self) -> usize {
        self.queues.owed
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    fn release_held(&mut self, now: Instant) {
        while let Some(id) = self.holds.pop_due(now) {
            self.release(id);
        }
    }

    fn release(&mut self, id: ConnectionId) {
        self.holds.clear(id);
        if let Some(session) = self.connections.get_mut(id)
            && mem::take(&mut session.is_held)
        {
            self.queues.mark_ready(id, session);
        }
    }

    /// Gives every ready connection one turn, as far as this tick's budget goes.
    fn read_ready(&mut self, now: Instant) {
        let mut budget = TICK_READ_BYTES_MAX;
        for _ in 0..self.queues.ready.len() {
            if budget == 0 {
                return;
            }
            let Some(id) = self.queues.ready.pop_front() else { return };
            budget = budget.saturating_sub(self.read(now, id));
        }
    }

    /// Reads one connection; returns how much of the tick's budget that took.
    fn read(&mut self, now: Instant, id: ConnectionId) -> usize {
        let Some(session) = self.connections.get_mut(id) else { return 0 };
        session.queued.ready = false;
        if let Some(until) = self.chat.held_until(now, id) {
            session.is_held = true;
            self.holds.set(id, until);
            return 0;
        }
        let (chat, effects) = (&mut self.chat, &mut self.effects);
        let n_effects = effects.len();
        let filled = session.connection.fill(&mut self.scratch, |payload| {
            let n_effects = effects.len();
            chat.handle(now, understand(id, payload), effects);
            if effects[n_effects..].iter().any(|effect| effect.ends_reading(id)) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        let weight: usize = effects[n_effects..].iter().map(Effect::weight).sum();
        let Fill { end, bytes } = match filled {
            Ok(fill) => fill,
            Err(error) => {
                self.queues.lose(id, session, error);
                return 0;
            }
        };
        if 0 < bytes {
            (session.alive_at, session.is_pinged) = (now, false);
        }
        match end {
            Filled::Drained => (),
            Filled::Held => session.is_held = true,
            Filled::Budget => self.queues.mark_ready(id, session),
            Filled::Eof if session.connection.is_over() => self.queues.ended.push(id),
            Filled::Eof => chat.handle(now, Input::Eof { id }, effects),
            Filled::BadFrame(error) => {
                chat.handle(now, Input::BadFrame { id, error }, effects);
                self.queues.mark_ready(id, session); // The rest must be read, if only to be dropped.
            }
        }
        bytes + weight / WEIGHT_PER_READ_BYTE
    }

    /// Tells the chat of connections that have ended, and removes those that are over.
    fn reap(&mut self, now: Instant) {
        let mut ended = mem::take(&mut self.queues.ended);
        for id in ended.drain(..) {
            let Some(session) = self.connections.get_mut(id) else { continue };
            if let SessionState::Ending { name, reason, error } = &session.state {
                if let Some(missing) = self.chat.admission().may_log(now, session.origin) {
                    logging::missing(session.peer, missing);
                    logging::left(name.as_ref(), session.peer, *reason, error.as_ref());
                }
                let input = Input::Closed { id, reason: *reason };
                session.state = SessionState::Left;
                self.chat.handle(now, input, &mut self.effects);
            }
            if session.connection.is_over() {
                if matches!(session.state, SessionState::TurnedAway) {
                    self.n_turned_away -= 1;
                } else {
                    self.chat.admission().leave(session.origin);
                }
                session.connection.abort();
                self.queues.count(session);
                session.join_index.map(|join_index| self.room.remove(&join_index));
                self.deadlines.clear(id);
                self.holds.clear(id);
                self.keepalives.clear(id);
                self.replay_waits.clear(id);
                self.catching_up.remove(&id);
                self.connections.remove(id);
            }
        }
        self.queues.ended = ended; // With its capacity; nothing was added meanwhile.
    }

    fn give_up_overdue(&mut self, now: Instant) {
        while let Some(id) = self.deadlines.pop_due(now) {
            if let Some(session) = self.connections.get_mut(id) {
                session.connection.abort();
                self.queues.count(session);
                self.queues.ended.push(id);
            }
        }
    }
}

impl<S> fmt::Debug for Server<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Server")
            .field("connections", &self.connections.len())
            .field("chat", &self.chat)
            .finish_non_exhaustive()
    }
}

/// Returns a payload as an input of the chat; an empty one is the original's goodbye.
fn understand(id: ConnectionId, payload: &[u8]) -> Input<'_> {
    if payload.is_empty() {
        return Input::Eof { id };
    }
    match ClientMessage::parse(payload) {
        Ok(message) => Input::Received { id, message },
        Err(error) => Input::BadMessage { id, error },
    }
}
