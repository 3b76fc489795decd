//! The chat's effects, carried out: they become bytes in outboxes, and bytes leave.
//!
//! Frames for one peer go to its own outbox. Frames for everybody in the room go to one broadcast, from
//! which each peer that is owed nothing else is written to directly.

use std::{mem, time::Instant};

use pychat_wire::{
    ServerMessage, UserName,
    message::{Limits, PROTOCOL},
    name::{NAME_CHARS_MAX, SERVER, YOU},
    notice::Notice,
};

use super::{
    CLOSING_TIMEOUT, LINGER_TIMEOUT, Server, SessionState,
    encode::{self, Copy},
    keepalive::PING_INTERVAL,
    session::{Flushed, Subscription},
};
use crate::{
    core::{
        chat::{CloseReason, Effect, Protocol, Refusal},
        id::ConnectionId,
        rate_limit::RateLimit,
        record::{Entry, OwnerId, Record},
    },
    logging,
    net::connection::Socket,
};

impl<S: Socket> Server<S> {
    pub(super) fn apply_effects(&mut self, now: Instant) {
        let mut effects = mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            self.apply(now, effect);
        }
        self.effects = effects;
    }

    fn apply(&mut self, now: Instant, effect: Effect) {
        let time_ms = self.utc_ms;
        if effect.tells_time() {
            self.told_ms = time_ms;
        }
        match effect {
            Effect::Append(_) | Effect::ChangeOwner(_) => unreachable!("`append` took them all"),
            Effect::Greet { to } => self.greet(to),
            Effect::Tell { to, content } => {
                self.tell(to, |out| encode::message(SERVER, &content, out));
            }
            Effect::Complain { to, complaint } => {
                self.tell(to, |out| encode::complaint(&complaint, out));
            }
            Effect::Welcome { to, name, token, members } => {
                let (seq, epoch) = (self.published_seq, self.log.epoch().to_owned());
                let welcome = encode::Welcome {
                    name: &name,
                    token: &token,
                    epoch: &epoch,
                    seq,
                    time_ms,
                    members: &members,
                };
                self.tell(to, |out| encode::welcome(&welcome, out));
            }
            Effect::Joined { people } => self.announce(&people),
            Effect::Left { name, reason, known_to } => self.depart(&name, reason, known_to),
            Effect::Subscribe { id, name, owner, protocol, join_index } => {
                self.enter(now, id, name, owner, protocol, join_index);
            }
            Effect::Resume { id, epoch, after, limit } => {
                self.resume(now, id, (&epoch, after), limit);
            }
            Effect::Page { to, before, limit } => self.page(now, to, before, limit),
            Effect::Pong { to } => self.tell(to, |out| ServerMessage::Pong.encode(out)),
            Effect::Publish { from, record } => self.publish(Some(from), record.entry()),
            Effect::Acknowledge { to, record } => self.acknowledge(to, &record),
            Effect::Bye { to, reason } => self.tell(to, |out| encode::bye(reason.reason(), out)),
            Effect::PauseRead { id, until } => self.holds.set(id, until),
            Effect::Log { id, refusal } => self.report(now, id, &refusal),
            Effect::Close { id, reason } => self.close(now, id, reason),
        }
    }

    fn greet(&mut self, to: ConnectionId) {
        let (burst, per_second) = self.limits.rules.rate_limit.map_or((0, 0), RateLimit::numbers);
        let limits = Limits {
            payload: self.limits.payload_bytes_max as u64,
            name: NAME_CHARS_MAX as u64,
            burst: burst.into(),
            per_second: per_second.into(),
        };
        let epoch = self.log.epoch().to_owned();
        let greeting = ServerMessage::Greeting {
            username: SERVER.into(),
            content: Notice::Greeting.to_string().into(),
            protocol: PROTOCOL,
            epoch: epoch.into(),
            limits,
            ping_seconds: PING_INTERVAL.as_secs(),
        };
        self.tell(to, |out| greeting.encode(out));
    }

    fn enter(
        &mut self,
        now: Instant,
        id: ConnectionId,
        name: UserName,
        owner: Option<OwnerId>,
        protocol: Protocol,
        join_index: u64,
    ) {
        let Some(session) = self.connections.get_mut(id) else { return };
        if matches!(session.state, SessionState::Guest) {
            if let Some(missing) = self.chat.admission().may_log(now, session.origin) {
                logging::missing(session.peer, missing);
                logging::joined(&name, session.peer);
            }
            session.state = SessionState::Present(name);
            (session.owner, session.protocol) = (owner, protocol);
            session.subscription =
                Subscription::All { given: self.broadcast.frames().of(protocol).len() };
            session.welcome = session.connection.backlog();
            session.join_index = Some(join_index);
            self.room.insert(join_index, id);
            if protocol == Protocol::V2 {
                self.watch(now, id);
            }
        }
    }

    /// The author's own copy takes the place of everybody's.
    pub(super) fn publish(&mut self, from: Option<ConnectionId>, entry: Entry<'_>) {
        self.published_seq = entry.seq;
        self.utc_ms = self.utc_ms.max(entry.time_ms);
        self.told_ms = self.utc_ms;
        let author = from.and_then(|from| {
            self.connections
                .get_mut(from)
                .map(|session| (from, session.protocol, session.subscription))
        });
        let own = Copy { own: true, ..Copy::default() };
        match author {
            Some((from, Protocol::V1, _)) => {
                self.tell(from, |out| encode::message(YOU, entry.content, out));
            }
            Some((from, Protocol::V2, Subscription::All { .. })) => {
                self.tell(from, |out| encode::record(entry, own, out));
            }
            // A peer that is still being sent what it missed finds its own copy there.
            Some((_, Protocol::V2, _)) | None => (),
        }
        self.broadcast.push(
            |out| encode::message(entry.author, entry.content, out),
            |out| encode::record(entry, Copy::default(), out),
        );
        if let Some(session) = from.and_then(|from| self.connections.get_mut(from))
            && let Subscription::All { given } = &mut session.subscription
        {
            *given = self.broadcast.frames().of(session.protocol).len();
        }
    }

    /// Tells the author of a text that it had been accepted before.
    fn acknowledge(&mut self, to: ConnectionId, record: &Record) {
        let Some(session) = self.connections.get_mut(to) else { return };
        let copy = Copy { own: true, dup: true, ..Copy::default() };
        match session.protocol {
            Protocol::V1 => self.tell(to, |out| encode::message(YOU, &record.content, out)),
            Protocol::V2 => self.tell(to, |out| encode::record(record.entry(), copy, out)),
        }
    }

    fn report(&mut self, now: Instant, id: ConnectionId, refusal: &Refusal) {
        let Some(session) = self.connections.get_mut(id) else { return };
        if let Some(missing) = self.chat.admission().may_log(now, session.origin) {
            logging::missing(session.peer, missing);
            logging::refused(session.state.name(), session.peer, refusal);
        }
    }

    pub(super) fn close(&mut self, now: Instant, id: ConnectionId, reason: CloseReason) {
        let Some(session) = self.connections.get_mut(id) else { return };
        self.queues.owe(id, session, self.broadcast.frames(), &[]);
        session.subscription = Subscription::Nothing;
        session.connection.close_gently();
        self.queues.end(id, session, reason, None);
        self.queues.mark_dirty(id, session);
        self.deadlines.set(id, now + CLOSING_TIMEOUT);
        self.release(id); // What it says now is read to be dropped.
    }

    /// Owes one peer a frame.
    pub(super) fn tell(&mut self, to: ConnectionId, encode: impl FnOnce(&mut Vec<u8>)) {
        if let Some(session) = self.connections.get_mut(to) {
            self.frame.clear();
            encode(&mut self.frame);
            self.queues.owe(to, session, self.broadcast.frames(), &self.frame);
        }
    }

    /// Gives everybody in the room the common broadcast, if it is due. A peer that is owed nothing else
    /// is written to from it directly; only what its socket did not take is copied.
    pub(super) fn deliver_broadcast(&mut self, now: Instant) {
        if self.broadcast.due_at(now).is_none_or(|due| now < due) {
            return;
        }
        let broadcast = self.broadcast.take(now, self.chat.roster().len(), self.limits.crowd);
        for (id, session) in self.connections.iter_mut() {
            self.queues.deliver(id, session, &broadcast);
        }
        self.broadcast.delivered(broadcast);
    }

    /// Cuts those who are owed most, until all together are owed no more than the limit.
    pub(super) fn cut_largest(&mut self) {
        let limit = self.limits.backlog_total_bytes_max;
        if self.queues.owed <= limit {
            return;
        }
        let mut owed: Vec<_> =
            self.connections.iter_mut().map(|(id, session)| (session.owed, id)).collect();
        owed.sort_unstable();
        while limit < self.queues.owed
            && let Some((_, id)) = owed.pop()
        {
            if let Some(session) = self.connections.get_mut(id) {
                self.queues.cut(id, session);
            }
        }
    }

    /// Writes to each peer that is owed something, once.
    pub(super) fn flush_dirty(&mut self, now: Instant) {
        let backlog_bytes_low = self.backlog_bytes_low();
        let mut dirty = mem::take(&mut self.queues.dirty);
        for id in dirty.drain(..) {
            let Some(session) = self.connections.get_mut(id) else { continue };
            match self.queues.flush(now, id, session, self.limits.backlog_bytes_max) {
                Flushed::Slow if session.protocol == Protocol::V2 => {
                    self.frame.clear();
                    encode::bye(CloseReason::Slow.reason(), &mut self.frame);
                    self.queues.farewell(id, session, &self.frame);
                    self.deadlines.set(id, now + CLOSING_TIMEOUT);
                }
                Flushed::Slow => self.queues.cut(id, session),
                Flushed::Fine if session.connection.backlog() < backlog_bytes_low => {
                    self.queues.mark_replaying(id, session);
                }
                Flushed::Fine => (),
            }
            if session.connection.is_over() {
                self.queues.ended.push(id);
            } else if session.connection.is_lingering() {
                self.deadlines.set(id, now + LINGER_TIMEOUT);
            }
        }
        self.queues.dirty = dirty;
    }
}
