//! Every connection and the chat, joined: bytes in, bytes out, once a tick.
//!
//! This is the whole server but for waiting, accepting and the clock, which are the reactor's; so
//! tests can run it over sockets of their own. In a tick ([`Switchboard::turn`]) nothing is written
//! while inputs are being handled: what peers are owed gathers in their outboxes and leaves together
//! at the end, so a burst of chatter costs each peer one write, not one a message.
//!
//! A connection is taken out of the table when the tick reaps, and nowhere else.

mod seat;

use std::{
    collections::VecDeque,
    fmt, mem,
    net::SocketAddr,
    time::{Duration, Instant},
};

use pychat_wire::{
    ClientMessage, ServerMessage, UserName,
    name::{SERVER, YOU},
};

use self::seat::{Queues, Seat, Stay};
use crate::{
    chat::{Chat, CloseReason, Effect, Input, Refusal},
    connection::{Connection, Filled, READ_BUDGET_BYTES, Socket},
    connections::Connections,
    deadlines::Deadlines,
    id::ConnectionId,
    limits::Limits,
    log::{Log, Record},
    logging,
    outbox::BACKLOG_BYTES_MAX,
};

/// The most that is read from all connections before what they said is answered, in bytes.
///
/// It bounds what one tick can owe a single peer, so that who reads is not taken for one that does
/// not because many spoke at once.
pub const TICK_READ_BYTES_MAX: usize = 4 * READ_BUDGET_BYTES;

/// How long a connection may take to flush what it is owed once it is to be closed.
pub const CLOSING_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a peer that was told all may take to close its side.
pub const LINGER_TIMEOUT: Duration = Duration::from_secs(1);

/// What the common run keeps of its memory from tick to tick, in bytes.
const RUN_CAPACITY_BYTES: usize = 256 << 10;

/// How many refusals of one connection are logged; a rude peer does not fill the journal.
const REFUSALS_LOGGED_MAX: u32 = 16;

/// How many connections beyond the limit may be kept for the moment that it takes to say so.
const TURNED_AWAY_MAX: usize = 64;

const _: () = assert!(2 * TICK_READ_BYTES_MAX <= BACKLOG_BYTES_MAX);

/// The connections, the chat between them, and the log.
pub struct Switchboard<S> {
    connections: Connections<Seat<S>>,
    chat: Chat,
    log: Log,
    limits: Limits,
    effects: Vec<Effect>,
    /// The other place for effects, empty between ticks.
    spare: Vec<Effect>,
    queues: Queues,
    /// When closing connections are given up.
    deadlines: Deadlines,
    /// Where sockets are read into.
    scratch: Vec<u8>,
    /// Where a frame for one peer is encoded before it is owed.
    frame: Vec<u8>,
    /// The frames of this tick that everybody in the room gets, encoded once, in order.
    run: Vec<u8>,
    /// What the log has taken and the chat has not been told yet.
    appended: VecDeque<Input<'static>>,
}

impl<S: Socket> Switchboard<S> {
    /// Returns a switchboard without connections.
    pub fn new(limits: Limits) -> Self {
        Self {
            connections: Connections::default(),
            chat: Chat::new(limits.hello_timeout),
            log: Log::default(),
            limits,
            effects: Vec::new(),
            queues: Queues::default(),
            deadlines: Deadlines::default(),
            scratch: vec![0; READ_BUDGET_BYTES],
            frame: Vec::new(),
            run: Vec::new(),
            appended: VecDeque::new(),
            spare: Vec::new(),
        }
    }

    /// Returns the id that the next [admitted](Self::admit) connection will have.
    pub fn next_id(&self) -> ConnectionId {
        self.connections.next_id()
    }

    /// Takes in a connection, or, at the limit, tells it that there is no room and closes it.
    pub fn admit(&mut self, now: Instant, socket: S, peer: SocketAddr) {
        let used = self.connections.len();
        let has_room = used < self.limits.connections_max;
        if self.limits.connections_max + TURNED_AWAY_MAX <= used {
            return;
        }
        let connection = Connection::new(socket, self.limits.payload_bytes_max);
        let stay = if has_room { Stay::Guest } else { Stay::Left };
        let seat = Seat {
            connection,
            peer,
            stay,
            given: 0,
            refusals: 0,
            is_ready: false,
            is_dirty: false,
        };
        let id = self.connections.insert(seat);
        if has_room {
            self.chat.handle(now, Input::Connected { id }, &mut self.effects);
            self.note(id, true, false);
        } else {
            logging::full(peer, self.limits.connections_max);
            self.turn_away(now, id);
        }
    }

    /// Notes edges of one connection; nothing else happens until the next [turn](Self::turn).
    pub fn note(&mut self, id: ConnectionId, readable: bool, writable: bool) {
        let Some(seat) = self.connections.get_mut(id) else { return };
        seat.connection.note(readable, writable);
        if readable {
            self.queues.mark_ready(id, seat);
        }
        if writable && 0 < seat.connection.backlog() {
            self.queues.mark_dirty(id, seat);
        }
    }

    /// Says goodbye to everybody; each connection closes once it has been told.
    pub fn stop(&mut self, now: Instant) {
        self.chat.handle(now, Input::Stopping, &mut self.effects);
    }

    /// Does everything that has become possible by `now`: one tick.
    pub fn turn(&mut self, now: Instant) {
        self.read_ready(now);
        self.append(now);
        self.reap(now);
        self.chat.handle_timeout(now, &mut self.effects);
        self.give_up_overdue(now);
        self.apply_effects(now);
        self.deliver_run();
        self.flush_dirty(now);
    }

    /// Returns true if the next turn has something to do already.
    pub fn has_work(&self) -> bool {
        !self.queues.ready.is_empty() || !self.queues.ended.is_empty() || !self.effects.is_empty()
    }

    /// Returns when the next turn has something to do for the time alone.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.chat.next_deadline().into_iter().chain(self.deadlines.next()).min()
    }

    /// Returns how many connections there are, closing ones among them.
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
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
        let Some(seat) = self.connections.get_mut(id) else { return 0 };
        seat.is_ready = false;
        let (chat, effects) = (&mut self.chat, &mut self.effects);
        let mut read_bytes = 0;
        let filled = seat.connection.fill(&mut self.scratch, |payload| {
            read_bytes += payload.len();
            chat.handle(now, understand(id, payload), effects);
        });
        match filled {
            Ok(Filled::Drained) => (),
            Ok(Filled::Budget) => {
                self.queues.mark_ready(id, seat);
                read_bytes = READ_BUDGET_BYTES;
            }
            Ok(Filled::Eof) if seat.connection.is_over() => self.queues.ended.push(id),
            Ok(Filled::Eof) => chat.handle(now, Input::Finished { id }, effects),
            Ok(Filled::Broken(error)) => {
                chat.handle(now, Input::Broken { id, error }, effects);
                self.queues.mark_ready(id, seat); // The rest must be read, if only to be dropped.
            }
            Err(error) => self.queues.lose(id, seat, error),
        }
        read_bytes
    }

    /// Takes this tick's texts into the log before anything of them is shown to anybody.
    ///
    /// Each is published where it was said, between what was answered before and after it.
    fn append(&mut self, now: Instant) {
        let drafts = self.effects.iter().filter_map(|effect| match effect {
            Effect::Append(draft) => Some(draft.clone()),
            _ => None,
        });
        let appended = &mut self.appended;
        self.log.append(drafts, |from, record| {
            appended.push_back(Input::Appended { from, record });
        });
        let mut effects = mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Append(_) => {
                    if let Some(input) = self.appended.pop_front() {
                        self.chat.handle(now, input, &mut self.spare);
                    }
                }
                effect => self.spare.push(effect),
            }
        }
        self.effects = mem::replace(&mut self.spare, effects);
    }

    /// Tells the chat who has gone, and forgets who is gone for good.
    fn reap(&mut self, now: Instant) {
        let mut ended = mem::take(&mut self.queues.ended);
        for id in ended.drain(..) {
            let Some(seat) = self.connections.get_mut(id) else { continue };
            if let Stay::Ending { name, reason, error } = &seat.stay {
                logging::left(name.as_ref(), seat.peer, *reason, error.as_ref());
                seat.stay = Stay::Left;
                self.chat.handle(now, Input::Closed { id }, &mut self.effects);
            }
            if seat.connection.is_over() {
                self.deadlines.clear(id);
                self.connections.remove(id);
            }
        }
        self.queues.ended = ended; // With its capacity; nothing was added meanwhile.
    }

    fn give_up_overdue(&mut self, now: Instant) {
        while let Some(id) = self.deadlines.pop_due(now) {
            if let Some(seat) = self.connections.get_mut(id) {
                seat.connection.abort();
                self.queues.ended.push(id);
            }
        }
    }

    fn apply_effects(&mut self, now: Instant) {
        let mut effects = mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            self.apply(now, effect);
        }
        self.effects = effects;
    }

    fn apply(&mut self, now: Instant, effect: Effect) {
        match effect {
            Effect::Append(_) => unreachable!("`append` took them all"),
            Effect::Tell { to, content } => self.tell(to, SERVER, &content),
            Effect::TellAll { content } => encode(SERVER, &content, &mut self.run),
            Effect::Enter { id, name } => self.enter(id, name),
            Effect::Publish { from, record } => self.publish(from, &record),
            Effect::Report { id, refusal } => self.report(id, &refusal),
            Effect::Close { id, reason } => self.close(now, id, reason),
        }
    }

    fn enter(&mut self, id: ConnectionId, name: UserName) {
        let Some(seat) = self.connections.get_mut(id) else { return };
        if matches!(seat.stay, Stay::Guest) {
            logging::joined(&name, seat.peer);
            seat.stay = Stay::Present(name);
            seat.given = self.run.len();
        }
    }

    /// The author's own copy takes the place of everybody's.
    fn publish(&mut self, from: ConnectionId, record: &Record) {
        self.tell(from, YOU, &record.content);
        encode(record.author.as_str(), &record.content, &mut self.run);
        if let Some(seat) = self.connections.get_mut(from) {
            seat.given = self.run.len();
        }
    }

    fn report(&mut self, id: ConnectionId, refusal: &Refusal) {
        let Some(seat) = self.connections.get_mut(id) else { return };
        seat.refusals += 1;
        if seat.refusals <= REFUSALS_LOGGED_MAX {
            logging::refused(seat.stay.name(), seat.peer, refusal);
        }
    }

    fn close(&mut self, now: Instant, id: ConnectionId, reason: CloseReason) {
        let Some(seat) = self.connections.get_mut(id) else { return };
        seat.connection.close_gently();
        self.queues.end(id, seat, reason, None);
        self.queues.mark_dirty(id, seat);
        self.deadlines.set(id, now + CLOSING_TIMEOUT);
    }

    fn turn_away(&mut self, now: Instant, id: ConnectionId) {
        let limit = self.limits.connections_max;
        self.tell(id, SERVER, &format!("The chat is full: {limit} connections. Bye!\n"));
        self.close(now, id, CloseReason::Shutdown);
        self.note(id, true, false);
    }

    fn tell(&mut self, to: ConnectionId, author: &str, content: &str) {
        if let Some(seat) = self.connections.get_mut(to) {
            self.frame.clear();
            encode(author, content, &mut self.frame);
            self.queues.owe(to, seat, &self.run, &self.frame);
        }
    }

    /// Gives everybody in the room the common run. Who owes it nothing else is written to from it
    /// directly; nobody's copy of it is made but of what a socket did not take.
    fn deliver_run(&mut self) {
        if self.run.is_empty() {
            return;
        }
        for (id, seat) in self.connections.iter_mut() {
            if seat.stay.name().is_some() {
                self.queues.deliver(id, seat, &self.run);
            }
        }
        self.run.clear();
        self.run.shrink_to(RUN_CAPACITY_BYTES);
    }

    /// Writes to each peer that is owed something, once.
    fn flush_dirty(&mut self, now: Instant) {
        let mut dirty = mem::take(&mut self.queues.dirty);
        for id in dirty.drain(..) {
            let Some(seat) = self.connections.get_mut(id) else { continue };
            self.queues.flush(id, seat);
            if seat.connection.is_over() {
                self.queues.ended.push(id);
            } else if seat.connection.is_lingering() {
                self.deadlines.set(id, now + LINGER_TIMEOUT);
            }
        }
        self.queues.dirty = dirty;
    }
}

impl<S> fmt::Debug for Switchboard<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Switchboard")
            .field("connections", &self.connections.len())
            .field("chat", &self.chat)
            .finish_non_exhaustive()
    }
}

fn encode(author: &str, content: &str, out: &mut Vec<u8>) {
    ServerMessage::Message { username: author.into(), content: content.into() }.encode(out);
}

/// What a payload tells the chat; an empty one is the original's goodbye.
fn understand(id: ConnectionId, payload: &[u8]) -> Input<'_> {
    if payload.is_empty() {
        return Input::Finished { id };
    }
    match ClientMessage::parse(payload) {
        Ok(message) => Input::Received { id, message },
        Err(error) => Input::Misunderstood { id, error },
    }
}
