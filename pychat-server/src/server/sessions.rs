//! Every session, and the queues of those that need something done.

use std::{
    collections::VecDeque,
    io, mem,
    time::{Duration, Instant},
};

use super::{
    encode,
    frames::{Frames, RoomFrames},
    session::{Asked, Pauses, Progress, Session, SessionState},
};
use crate::{
    core::{
        chat::{CloseReason, Protocol},
        deadlines::Deadlines,
        id::{ConnectionId, HALL},
    },
    limits::Limits,
    net::{connection_table::ConnectionTable, transport::Socket},
};

/// The backlog below which a peer is sent more of what it asked for, in bytes; half of what it may
/// be owed, if that is less.
pub const BACKLOG_BYTES_LOW: usize = 64 << 10;

/// The time that a connection has to flush what it is owed once it is to be closed.
pub const CLOSING_TIMEOUT: Duration = Duration::from_secs(5);

/// The time that a peer has to close its side once it was told all.
pub const LINGER_TIMEOUT: Duration = Duration::from_secs(1);

/// The sessions. A connection is in each queue at most once.
pub(super) struct Sessions<T> {
    pub(super) table: ConnectionTable<Session<T>>,
    /// May have something to read.
    pub(super) ready: VecDeque<ConnectionId>,
    /// Is owed something, or is to end its stream.
    dirty: Vec<ConnectionId>,
    /// Asked for something of the past and may be sent more of it.
    pub(super) replaying: VecDeque<ConnectionId>,
    /// Ended one way or another, to be reaped.
    pub(super) ended: Vec<ConnectionId>,
    /// The bytes that all peers together are owed, as they were counted last.
    pub(super) owed: usize,
    /// When closing connections are given up.
    pub(super) closing: Deadlines,
    /// When connections that said too much are read again.
    pub(super) limited: Deadlines,
    /// The number of connections that are only being told that there is no room.
    pub(super) n_turned_away: usize,
    /// The buffer in which a frame for one peer is encoded before it is owed.
    frame: Vec<u8>,
}

/// The outcome of writing to a peer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Flushed {
    Fine,
    /// It is owed more than it may be.
    Slow,
}

impl<T> Default for Sessions<T> {
    fn default() -> Self {
        Self {
            table: ConnectionTable::default(),
            ready: VecDeque::new(),
            dirty: Vec::new(),
            replaying: VecDeque::new(),
            ended: Vec::new(),
            owed: 0,
            closing: Deadlines::default(),
            limited: Deadlines::default(),
            n_turned_away: 0,
            frame: Vec::new(),
        }
    }
}

impl<T: Socket> Sessions<T> {
    pub(super) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Session<T>> {
        self.table.get_mut(id)
    }

    /// Returns true if a queue has something that can be done now.
    pub(super) fn have_work(&self) -> bool {
        !self.ready.is_empty() || !self.ended.is_empty() || !self.replaying.is_empty()
    }

    /// Returns the connections that do not outlive the process: those that are encrypted, or all.
    pub(super) fn bound_to_process(&mut self, are_all: bool) -> Vec<ConnectionId> {
        let sessions = self.table.iter_mut();
        let bound = sessions.filter(|(_, it)| are_all || it.connection.transport().is_tls());
        bound.map(|(id, _)| id).collect()
    }

    /// Takes in edges of one connection.
    pub(super) fn set_ready(&mut self, id: ConnectionId, readable: bool, writable: bool) {
        let Some(session) = self.get_mut(id) else { return };
        session.connection.set_ready(readable, writable);
        let is_owed = session.connection.wants_write();
        if readable {
            self.mark_ready(id);
        }
        if writable && is_owed {
            self.mark_dirty(id);
        }
    }

    pub(super) fn mark_ready(&mut self, id: ConnectionId) {
        if let Some(session) = self.table.get_mut(id)
            && !session.pauses.any()
            && !mem::replace(&mut session.queued.ready, true)
        {
            self.ready.push_back(id);
        }
    }

    pub(super) fn mark_dirty(&mut self, id: ConnectionId) {
        if let Some(session) = self.table.get_mut(id)
            && !mem::replace(&mut session.queued.dirty, true)
        {
            self.dirty.push(id);
        }
    }

    pub(super) fn mark_replaying(&mut self, id: ConnectionId) {
        if let Some(session) = self.table.get_mut(id)
            && session.asked.is_any()
            && !mem::replace(&mut session.queued.replaying, true)
        {
            self.replaying.push_back(id);
        }
    }

    /// Reads those again that said too much a while ago.
    pub(super) fn release_limited(&mut self, now: Instant) {
        while let Some(id) = self.limited.pop_due(now) {
            if let Some(session) = self.table.get_mut(id) {
                session.pauses.is_limited = false;
                self.mark_ready(id);
            }
        }
    }

    /// Reads a connection no more until a time.
    pub(super) fn limit(&mut self, id: ConnectionId, until: Instant) {
        if let Some(session) = self.table.get_mut(id) {
            session.pauses.is_limited = true;
            self.limited.set(id, until);
        }
    }

    /// Reads a connection no more until the store has answered, or again when it has.
    pub(super) fn set_awaiting_store(&mut self, id: ConnectionId, awaits_store: bool) {
        if let Some(session) = self.table.get_mut(id) {
            session.pauses.awaits_store = awaits_store;
            self.mark_ready(id);
        }
    }

    /// Owes one peer a frame, behind what all in a room have been told so far.
    pub(super) fn tell(
        &mut self,
        to: ConnectionId,
        frames: RoomFrames<'_>,
        encode: impl FnOnce(&mut Vec<u8>),
    ) {
        let Some(session) = self.table.get_mut(to) else { return };
        self.frame.clear();
        encode(&mut self.frame);
        session.owe_broadcast(frames);
        session.connection.owe(&self.frame);
        self.mark_dirty(to);
    }

    /// Owes one peer what all in a room have been told so far, and bytes after that.
    pub(super) fn owe(&mut self, to: ConnectionId, frames: RoomFrames<'_>, bytes: &[u8]) {
        if let Some(session) = self.table.get_mut(to) {
            session.owe_broadcast(frames);
            session.connection.owe(bytes);
            self.mark_dirty(to);
        }
    }

    /// Gives every member the rest of what all in the hall were told. A peer that is owed nothing else
    /// is written to from it directly; only what its transport did not take is copied.
    pub(super) fn deliver(&mut self, frames: &Frames) {
        let mut lost = Vec::new();
        for (id, session) in self.table.iter_mut() {
            match session.deliver(RoomFrames { room: HALL, frames }) {
                Ok(true) if !mem::replace(&mut session.queued.dirty, true) => self.dirty.push(id),
                Ok(_) => (),
                Err(error) => lost.push((id, error)),
            }
        }
        for (id, error) in lost {
            self.lose(id, error);
        }
    }

    /// Gives one peer the rest of what all in a room were told: as [`deliver`](Self::deliver) does, or
    /// it is owed that with what follows.
    pub(super) fn deliver_to(&mut self, to: ConnectionId, waiting: RoomFrames<'_>, directly: bool) {
        let Some(session) = self.table.get_mut(to) else { return };
        let given = if directly { session.deliver(waiting) } else { Ok(session.gather(waiting)) };
        match given {
            Ok(true) => self.mark_dirty(to),
            Ok(false) => (),
            Err(error) => self.lose(to, error),
        }
    }

    /// Writes to each peer that is owed something, once.
    pub(super) fn flush_dirty(&mut self, now: Instant, limits: &Limits) {
        let mut dirty = mem::take(&mut self.dirty);
        for id in dirty.drain(..) {
            match self.flush(now, id, limits.backlog_bytes_max) {
                None => continue,
                Some(Flushed::Slow) => self.end_slow(now, id),
                Some(Flushed::Fine) => (),
            }
            let Some(session) = self.table.get_mut(id) else { continue };
            let (is_over, is_lingering) =
                (session.connection.is_over(), session.connection.is_lingering());
            if session.connection.backlog() < backlog_bytes_low(limits) {
                self.mark_replaying(id);
            }
            if is_over {
                self.ended.push(id);
            } else if is_lingering {
                self.closing.set(id, now + LINGER_TIMEOUT);
            }
        }
        self.dirty = dirty;
    }

    /// Writes what a peer is owed, as far as its transport takes it.
    fn flush(
        &mut self,
        now: Instant,
        id: ConnectionId,
        backlog_bytes_max: usize,
    ) -> Option<Flushed> {
        let session = self.table.get_mut(id)?;
        session.queued.dirty = false;
        let before = session.connection.backlog();
        if let Err(error) = session.connection.flush() {
            self.lose(id, error);
        }
        let session = self.table.get_mut(id)?;
        let backlog = session.connection.backlog();
        session.welcome = session.welcome.saturating_sub(before.saturating_sub(backlog));
        if 0 < session.owed && backlog < before {
            session.set_alive(now); // What did not fit before fits now: somebody reads.
        }
        let is_slow = backlog_bytes_max.saturating_add(session.welcome) < backlog
            && session.progress() != Some(Progress::Farewell);
        self.count(id);
        Some(if is_slow { Flushed::Slow } else { Flushed::Fine })
    }

    /// Says the last word to a peer of protocol 2 that reads too slowly; gives up one of protocol 1.
    fn end_slow(&mut self, now: Instant, id: ConnectionId) {
        let Some(session) = self.table.get_mut(id) else { return };
        if session.protocol() == Protocol::V1 {
            return self.cut(id);
        }
        session.set_progress(HALL, Progress::Farewell);
        self.frame.clear();
        encode::bye(CloseReason::Slow.reason(), &mut self.frame);
        session.connection.owe(&self.frame);
        session.connection.close_gently();
        self.count(id);
        self.end(id, CloseReason::Slow, None);
        self.closing.set(id, now + CLOSING_TIMEOUT);
    }

    /// Cuts those who are owed most, until all together are owed no more than `limit` bytes.
    pub(super) fn cut_largest(&mut self, limit: usize) {
        if self.owed <= limit {
            return;
        }
        let mut owed: Vec<_> =
            self.table.iter_mut().map(|(id, session)| (session.owed, id)).collect();
        owed.sort_unstable();
        while limit < self.owed
            && let Some((_, id)) = owed.pop()
        {
            self.cut(id);
        }
    }

    /// Begins TLS on a connection whose peer wants it.
    pub(super) fn start_tls(&mut self, id: ConnectionId) {
        let Some(session) = self.table.get_mut(id) else { return };
        match session.connection.start_tls() {
            Ok(()) => {
                self.mark_ready(id);
                self.mark_dirty(id);
            }
            Err(error) => self.lose(id, error),
        }
    }

    /// Gives up a peer that does not read.
    fn cut(&mut self, id: ConnectionId) {
        self.abort(id);
        self.end(id, CloseReason::Slow, None);
    }

    /// Gives up a peer whose line broke.
    pub(super) fn lose(&mut self, id: ConnectionId, error: io::Error) {
        self.abort(id);
        self.end(id, CloseReason::Lost, Some(error));
    }

    /// Gives up the peers whose time to take the last word is over.
    pub(super) fn abort_overdue(&mut self, now: Instant) {
        while let Some(id) = self.closing.pop_due(now) {
            self.abort(id);
            self.ended.push(id);
        }
    }

    pub(super) fn abort(&mut self, id: ConnectionId) {
        if let Some(session) = self.table.get_mut(id) {
            session.connection.abort();
            self.count(id);
        }
    }

    /// Counts anew what a peer is owed.
    fn count(&mut self, id: ConnectionId) {
        if let Some(session) = self.table.get_mut(id) {
            let owed = session.connection.backlog();
            self.owed = self.owed - mem::replace(&mut session.owed, owed) + owed;
        }
    }

    /// Reads nothing more from a connection, flushes what it is owed, and closes it.
    pub(super) fn close(&mut self, now: Instant, id: ConnectionId, reason: CloseReason) {
        let Some(session) = self.table.get_mut(id) else { return };
        session.set_progress(HALL, Progress::Ended);
        session.connection.close_gently();
        session.pauses = Pauses::default(); // What it says now is read to be dropped.
        self.limited.clear(id);
        self.end(id, reason, None);
        self.closing.set(id, now + CLOSING_TIMEOUT);
        self.mark_dirty(id);
        self.mark_ready(id);
    }

    /// `Guest` or `Joined` becomes `Ending`; a second reason changes nothing.
    fn end(&mut self, id: ConnectionId, reason: CloseReason, error: Option<io::Error>) {
        let Some(session) = self.table.get_mut(id) else { return };
        self.ended.push(id);
        session.asked = Asked::default();
        let member = match mem::replace(&mut session.state, SessionState::Left(None)) {
            SessionState::Guest => None,
            SessionState::Joined(member) => Some(member),
            over => {
                session.state = over;
                return;
            }
        };
        session.state = SessionState::Ending { member, reason, error };
    }

    /// Takes a connection out for good.
    pub(super) fn remove(&mut self, id: ConnectionId) -> Option<Session<T>> {
        self.abort(id);
        self.closing.clear(id);
        self.limited.clear(id);
        self.table.remove(id)
    }
}

/// Returns the backlog below which a peer is sent more, in bytes: what is sent ahead must not make a
/// slow reader of one that reads.
pub(super) fn backlog_bytes_low(limits: &Limits) -> usize {
    BACKLOG_BYTES_LOW.min(limits.backlog_bytes_max / 2)
}
