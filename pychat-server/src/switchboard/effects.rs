//! What the chat wants done, done: effects become bytes in outboxes, and bytes leave.
//!
//! What one peer is told goes to its own outbox. What everybody in the room is told goes to one
//! run of frames, from which each socket that owes nothing else is written directly.

use std::{mem, net::SocketAddr, time::Instant};

use pychat_wire::{
    ServerMessage, UserName,
    name::{SERVER, YOU},
};

use super::{CLOSING_TIMEOUT, LINGER_TIMEOUT, Seat, Stay, Switchboard};
use crate::{
    chat::{CloseReason, Effect, Refusal},
    connection::{Connection, Socket},
    id::ConnectionId,
    log::Record,
    logging,
};

/// How many refusals of one connection are logged; a rude peer does not fill the journal.
const REFUSALS_LOGGED_MAX: u32 = 16;

impl<S: Socket> Switchboard<S> {
    pub(super) fn apply_effects(&mut self, now: Instant) {
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
            Effect::TellAll { content } => {
                self.run.push(|out| encode(SERVER, &content, out));
            }
            Effect::Enter { id, name } => self.enter(id, name),
            Effect::Publish { from, record } => self.publish(from, &record),
            Effect::Hold { id, until } => self.holds.set(id, until),
            Effect::Report { id, refusal } => self.report(id, &refusal),
            Effect::Close { id, reason } => self.close(now, id, reason),
        }
    }

    fn enter(&mut self, id: ConnectionId, name: UserName) {
        let Some(seat) = self.connections.get_mut(id) else { return };
        if matches!(seat.stay, Stay::Guest) {
            logging::joined(&name, seat.peer);
            seat.stay = Stay::Present(name);
            seat.given = self.run.frames().len();
        }
    }

    /// The author's own copy takes the place of everybody's.
    fn publish(&mut self, from: ConnectionId, record: &Record) {
        self.tell(from, YOU, &record.content);
        self.run.push(|out| encode(record.author.as_str(), &record.content, out));
        if let Some(seat) = self.connections.get_mut(from) {
            seat.given = self.run.frames().len();
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
        self.queues.owe(id, seat, self.run.frames(), &[]);
        seat.connection.close_gently();
        self.queues.end(id, seat, reason, None);
        self.queues.mark_dirty(id, seat);
        self.deadlines.set(id, now + CLOSING_TIMEOUT);
        self.release(id); // What it says now is read to be dropped.
    }

    pub(super) fn turn_away(
        &mut self,
        now: Instant,
        connection: Connection<S>,
        peer: SocketAddr,
        told: &str,
    ) {
        logging::turned_away(peer, told.trim_end());
        let id = self.connections.insert(Seat::new(connection, peer, Stay::TurnedAway));
        self.tell(id, SERVER, told);
        self.close(now, id, CloseReason::Shutdown);
        self.note(id, true, false);
    }

    fn tell(&mut self, to: ConnectionId, author: &str, content: &str) {
        if let Some(seat) = self.connections.get_mut(to) {
            self.frame.clear();
            encode(author, content, &mut self.frame);
            self.queues.owe(to, seat, self.run.frames(), &self.frame);
        }
    }

    /// Gives everybody in the room the common run, if it is due. Who owes it nothing else is written
    /// to from it directly; nobody's copy of it is made but of what a socket did not take.
    pub(super) fn deliver_run(&mut self, now: Instant) {
        if self.run.due_at(now).is_none_or(|due| now < due) {
            return;
        }
        let run = self.run.take(now, self.chat.roster().len(), self.limits.crowd);
        for (id, seat) in self.connections.iter_mut() {
            if seat.stay.name().is_some() {
                self.queues.deliver(id, seat, &run);
            }
        }
        self.run.delivered(run);
    }

    /// Cuts those who are owed most, until all together are owed no more than the limit.
    pub(super) fn cut_largest(&mut self) {
        let limit = self.limits.backlog_total_bytes_max;
        if self.queues.owed <= limit {
            return;
        }
        let mut owed: Vec<_> =
            self.connections.iter_mut().map(|(id, seat)| (seat.owed, id)).collect();
        owed.sort_unstable();
        while limit < self.queues.owed
            && let Some((_, id)) = owed.pop()
        {
            if let Some(seat) = self.connections.get_mut(id) {
                self.queues.cut(id, seat);
            }
        }
    }

    /// Writes to each peer that is owed something, once.
    pub(super) fn flush_dirty(&mut self, now: Instant) {
        let mut dirty = mem::take(&mut self.queues.dirty);
        for id in dirty.drain(..) {
            let Some(seat) = self.connections.get_mut(id) else { continue };
            self.queues.flush(id, seat, self.limits.backlog_bytes_max);
            if seat.connection.is_over() {
                self.queues.ended.push(id);
            } else if seat.connection.is_lingering() {
                self.deadlines.set(id, now + LINGER_TIMEOUT);
            }
        }
        self.queues.dirty = dirty;
    }
}

fn encode(author: &str, content: &str, out: &mut Vec<u8>) {
    ServerMessage::Message { username: author.into(), content: content.into() }.encode(out);
}
