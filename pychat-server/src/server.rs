//! Every connection and the chat, joined: bytes in, bytes out, once a tick.
//!
//! Waiting, accepting and the clock are the reactor's; so tests run it over transports of their own. In
//! a tick ([`Server::tick`]) nothing is written while inputs are being handled: what peers are owed
//! gathers in their outboxes and leaves together at the end, so a burst of chatter costs each peer one
//! write. A connection is taken out of the table when the tick reaps, and nowhere else.

mod admit;
mod broadcast;
mod clock;
mod commit;
mod dispatch;
mod encode;
mod frames;
mod front;
mod hall;
mod handover;
mod history;
mod keepalive;
mod load;
mod lookup;
mod read;
mod replay;
mod searching;
mod session;
mod sessions;

use std::{fmt, io, mem, net::SocketAddr, time::Instant};

use pychat_wire::link::{Address, Code, Link};

pub use self::{
    admit::TURNED_AWAY_MAX,
    commit::Totals,
    keepalive::{PING_INTERVAL, PONG_TIMEOUT},
    load::load_rooms,
    lookup::{LISTED_MAX, Lookup},
    read::TICK_READ_BYTES_MAX,
    sessions::{BACKLOG_BYTES_LOW, CLOSING_TIMEOUT, LINGER_TIMEOUT},
};

use self::{
    admit::Admit, broadcast::Broadcasts, clock::Clock, commit::Commit, dispatch::Dispatch,
    front::Front, handover::Restore, history::Source, keepalive::Keepalive, read::Reader,
    replay::Replays, session::SessionState, sessions::Sessions,
};
use crate::{
    core::{
        chat::{Chat, Effect, Input},
        elsewhere::Present,
        id::{CallId, ConnectionId, HALL},
        moderation::{Order, Reply},
        people::People,
        rooms::Rooms,
        secret::Secret,
    },
    handover::Snapshot,
    limits::Limits,
    logging,
    net::transport::{Socket, Transport},
    store::{Retention, Store},
};

/// The connections, the chat between them, and the store.
pub struct Server<T> {
    chat: Chat,
    sessions: Sessions<T>,
    broadcasts: Broadcasts,
    replays: Replays,
    keepalive: Keepalive,
    commit: Commit,
    reader: Reader,
    clock: Clock,
    front: Front,
    /// Effects that are still to be carried out.
    effects: Vec<Effect>,
}

impl<T: Socket> Server<T> {
    /// Returns a server without connections that keeps what is said in `store`, which has these `rooms`,
    /// and in which names are owned by `people`. Each connection is greeted with one of the `nonces`.
    pub fn new(
        limits: Limits,
        store: Box<dyn Store>,
        people: People,
        rooms: Rooms,
        nonces: Secret,
    ) -> Self {
        Self {
            broadcasts: Broadcasts::new(rooms.published()),
            chat: Chat::new(limits.rules, people, rooms),
            sessions: Sessions::default(),
            replays: Replays::default(),
            keepalive: Keepalive::default(),
            commit: Commit::new(store),
            reader: Reader::default(),
            clock: Clock::default(),
            front: Front::new(&limits, nonces),
            effects: Vec::new(),
        }
    }

    /// Does everything that has become possible by `now`, `utc_ms` in UTC milliseconds since 1970.
    pub fn tick(&mut self, now: Instant, utc_ms: u64) {
        let time = self.clock.look(now, utc_ms);
        self.chat.set_time(&time);
        self.sessions.release_limited(now);
        self.replays.release_limited(now, &mut self.sessions);
        let (sessions, chat, nonces) = (&mut self.sessions, &mut self.chat, &mut self.front.nonces);
        let is_busy = self.reader.read_ready(now, sessions, chat, nonces, &mut self.effects);
        self.reap(now);
        self.chat.handle_timeout(now, &mut self.effects);
        self.sessions.abort_overdue(now);
        self.keepalive.check(now, &mut self.sessions, self.broadcasts.frames(HALL));
        self.commit(now);
        self.apply_effects(now);
        let source = Source { store: &mut *self.commit.store, broadcasts: &mut self.broadcasts };
        let admission = self.chat.admission();
        self.replays.run(now, source, &mut self.sessions, admission, &self.front.limits, is_busy);
        self.broadcasts.deliver(now, self.front.limits.crowd, &mut self.sessions);
        self.sessions.flush_dirty(now, &self.front.limits);
        self.sessions.cut_largest(self.front.limits.backlog_total_bytes_max);
        self.commit.maintain(&time);
    }

    /// Submits what the store is to do, and takes in its answers.
    fn commit(&mut self, now: Instant) {
        if self.commit.run(now, self.clock.utc_ms(), &mut self.chat, &mut self.effects) {
            self.replays.release_fetched(&mut self.sessions);
        }
    }

    fn apply_effects(&mut self, now: Instant) {
        let mut effects = mem::take(&mut self.effects);
        let mut dispatch = Dispatch {
            now,
            front: &self.front,
            store: &mut *self.commit.store,
            door: self.chat.door(),
            admission: self.chat.admission(),
            sessions: &mut self.sessions,
            broadcasts: &mut self.broadcasts,
            keepalive: &mut self.keepalive,
            clock: &mut self.clock,
        };
        effects.drain(..).for_each(|effect| dispatch.apply(effect));
        self.effects = effects; // With its capacity.
    }

    /// Tells the chat of connections that have ended, and removes those that are over.
    fn reap(&mut self, now: Instant) {
        for id in mem::take(&mut self.sessions.ended) {
            let Some(session) = self.sessions.get_mut(id) else { continue };
            if let SessionState::Ending { member, reason, error } = &mut session.state {
                let reason = *reason;
                if let Some(missing) = self.chat.admission().may_log(now, session.origin) {
                    let name = member.as_ref().map(|member| &member.name);
                    logging::missing(session.peer, missing);
                    logging::left(name, session.peer, reason, error.as_ref());
                }
                session.state = SessionState::Left(member.take());
                self.chat.handle(now, Input::Closed { id, reason }, &mut self.effects);
            }
            if session.connection.is_over()
                && let Some(session) = self.sessions.remove(id)
            {
                if let SessionState::TurnedAway = session.state {
                    self.sessions.n_turned_away -= 1;
                } else {
                    self.chat.admission().leave(session.origin);
                }
                self.broadcasts.remove(id, &session);
                self.keepalive.forget(id);
                self.replays.forget(id);
            }
        }
    }

    /// Returns every connection that can go on in another process, with its transport; nothing may
    /// happen here after that. Those that are closing have had their last word and end here.
    pub fn save(&mut self, now: Instant) -> (Snapshot, Vec<&T>) {
        self.reap(now);
        self.chat.announce_all(&mut self.effects);
        self.dismiss(now);
        self.reap(now);
        self.commit(now);
        self.apply_effects(now);
        let mut ids: Vec<_> = self.sessions.table.iter_mut().map(|(id, _)| id).collect();
        ids.sort_by_key(|id| self.chat.roster().join_index(*id).unwrap_or(u64::MAX));
        let saved = |id: &ConnectionId| {
            handover::save(now, *id, &self.chat, &mut self.sessions, &self.broadcasts)
                .map(|saved| (*id, saved))
        };
        let (ids, connections): (Vec<_>, Vec<_>) = ids.iter().filter_map(saved).unzip();
        let epoch = self.commit.store.epoch().to_owned();
        let snapshot = Snapshot { epoch, time_ms: self.clock.told_ms(), connections };
        let sessions = ids.into_iter().filter_map(|id| self.sessions.table.get(id));
        (snapshot, sessions.map(|session| session.connection.transport().socket()).collect())
    }

    /// Says goodbye to those whose connections do not outlive the process: their keys do not, or other
    /// servers would not know that they are here.
    fn dismiss(&mut self, now: Instant) {
        for id in self.sessions.bound_to_process(self.commit.store.is_shared()) {
            self.chat.dismiss(id, &mut self.effects);
        }
        self.commit(now);
        self.apply_effects(now);
        self.sessions.flush_dirty(now, &self.front.limits);
    }

    /// Lives with the other servers that share the store, on which these are present.
    pub fn share(&mut self, present: Vec<Present>) {
        self.chat.share(self.commit.store.server(), present);
    }

    /// Goes on with an earlier process's connections and transports, and `register`s each under its id.
    pub fn restore(
        &mut self,
        now: Instant,
        snapshot: Snapshot,
        transports: impl IntoIterator<Item = impl Into<Transport<T>>>,
        register: impl FnMut(&mut Transport<T>, ConnectionId) -> io::Result<()>,
    ) {
        self.clock.tell_at_least(snapshot.time_ms);
        let is_same_log = snapshot.epoch == self.commit.store.epoch();
        let mut restore = Restore {
            now,
            limits: &self.front.limits,
            chat: &mut self.chat,
            sessions: &mut self.sessions,
            broadcasts: &mut self.broadcasts,
            keepalive: &mut self.keepalive,
            effects: &mut self.effects,
        };
        let transports = transports.into_iter().map(Into::into);
        restore.restore_all(snapshot, is_same_log, transports, register);
    }

    /// Returns the id that the next [admitted](Self::admit) connection will have.
    pub fn next_id(&self) -> ConnectionId {
        self.sessions.table.next_id()
    }

    /// Returns true for a caller to be closed at once: banned by address, or calling far too often.
    pub fn is_to_be_dropped(&mut self, now: Instant, peer: SocketAddr) -> bool {
        admit::is_to_be_dropped(now, peer, &mut self.chat)
    }

    /// Takes in a connection, or, at a limit, tells it that there is no room and closes it.
    pub fn admit(&mut self, now: Instant, transport: impl Into<Transport<T>>, peer: SocketAddr) {
        let mut admit = Admit {
            limits: &self.front.limits,
            nonces: &mut self.front.nonces,
            chat: &mut self.chat,
            sessions: &mut self.sessions,
            effects: &mut self.effects,
        };
        admit.admit(now, transport.into(), peer);
    }

    /// Takes in edges of one connection; nothing else happens until the next [tick](Self::tick).
    pub fn set_ready(&mut self, id: ConnectionId, readable: bool, writable: bool) {
        self.sessions.set_ready(id, readable, writable);
    }

    /// Returns the store, for what the loop does with it itself.
    pub fn store(&mut self) -> &mut dyn Store {
        &mut *self.commit.store
    }

    /// Says goodbye to everybody; each connection closes once it has been told.
    pub fn stop(&mut self, now: Instant) {
        self.chat.handle(now, Input::Stopping, &mut self.effects);
    }

    /// Has an order of an operator carried out; [`take_replies`](Self::take_replies) has its answer.
    pub fn order(&mut self, now: Instant, call: CallId, by: &str, order: Order) {
        self.chat.handle(now, Input::Ordered { call, by, order }, &mut self.effects);
    }

    /// Takes the answers that there are by now.
    pub fn take_replies(&mut self) -> Vec<(CallId, Reply)> {
        let mut replies = mem::take(&mut self.commit.replies);
        for (_, reply) in &mut replies {
            if let Reply::Invited { link, .. } = reply {
                *link = self.front.link_for_operators(link.code);
            }
        }
        replies
    }

    /// Returns the way for operators on the machine to look something up.
    pub fn lookup(&mut self) -> Lookup<'_> {
        let source = Source { store: &mut *self.commit.store, broadcasts: &mut self.broadcasts };
        Lookup { chat: &self.chat, servers: &self.front.servers.0, source }
    }

    /// Returns the link by which people can join, with an invite for the first person if they need one.
    pub fn first_link(&mut self, now: Instant, utc_ms: u64) -> Link {
        self.chat.set_time(&self.clock.look(now, utc_ms));
        let code = self.chat.invite_first(&mut self.effects);
        self.commit(now);
        let code = code.filter(|code| self.chat.is_invite(*code)).map(Code::Invite);
        self.front.link_for_operators(code)
    }

    /// Sets what those who connect from now on are told: its name, and where all servers of its chat are.
    pub fn set_shown(&mut self, name: &str, servers: &[Address]) {
        self.front.set_shown(name, servers);
    }

    /// Sets the link by which others can reach it from now on, and the address at which its own machine can.
    pub fn set_link(&mut self, link: Link, local: Address) {
        (self.front.link, self.front.local) = (link, local);
    }

    /// Changes the limits for what comes from now on; nobody is sent away by that alone.
    pub fn set_limits(&mut self, limits: Limits) {
        self.front.limits = limits;
        self.chat.set_rules(limits.rules);
    }

    /// Changes how much is kept of what was said.
    pub fn set_retention(&mut self, retention: Retention) {
        self.commit.set_retention(retention);
    }

    /// Returns what another server needs to go on.
    pub fn into_parts(self) -> (Box<dyn Store>, People) {
        (self.commit.store, self.chat.into_people())
    }

    /// Returns true if the next tick has something to do already.
    pub fn has_work(&self) -> bool {
        self.sessions.have_work() || !self.effects.is_empty() || self.commit.store.is_check_due()
    }

    /// Returns when the next tick has something to do for the time alone.
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let deadlines = [
            self.chat.next_deadline(),
            self.sessions.closing.next(),
            self.next_release(),
            self.next_delivery(now),
            self.keepalive.next_deadline(),
            self.next_replay(),
            self.commit.store.next_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Returns when somebody who said too much is read again.
    pub fn next_release(&self) -> Option<Instant> {
        self.sessions.limited.next()
    }

    /// Returns when somebody whose address has used up its share of history is sent more of it.
    pub fn next_replay(&self) -> Option<Instant> {
        self.replays.next_deadline()
    }

    /// Returns when everybody is told what waits to be delivered to all.
    pub fn next_delivery(&self, now: Instant) -> Option<Instant> {
        self.broadcasts.due_at(now)
    }

    /// Returns how many connections there are, closing ones among them.
    pub fn len(&self) -> usize {
        self.sessions.table.len()
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.sessions.table.is_empty()
    }

    /// Returns how many people are in the room.
    pub fn people(&self) -> usize {
        self.chat.roster().len()
    }

    /// Returns what is kept, in numbers.
    pub fn totals(&self) -> Totals {
        Totals { rooms: self.chat.rooms().len(), ..self.commit.totals() }
    }

    /// Returns how much all peers together are owed, in bytes.
    pub fn backlog_bytes(&self) -> usize {
        self.sessions.owed
    }
}

impl<T> fmt::Debug for Server<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Server").field("chat", &self.chat).finish_non_exhaustive()
    }
}
