//! Connections that may outlive the process: what the next one must know is noted once a tick.
//!
//! What was said in the tick is in the log by then, nothing of it has been written to anybody, and
//! what was read is still there to be read. So a process that ends before the notes are written has,
//! for the next one, not begun the tick, but for the log, which says itself what it has taken. One
//! that ends later has ended somewhere in writing what was noted; how far it came in that, and in
//! taking what it had read, the system knows of each socket.

use std::{
    collections::VecDeque,
    mem,
    time::{Duration, Instant},
};

use super::{
    Switchboard,
    seat::{Hears, Seat, Stay},
};
use crate::{
    chat::{Chat, CloseReason, Protocol},
    connection::Socket,
    id::ConnectionId,
    logging,
    notes::{Note, Notes, Peer},
};

/// How long notes that could not be written are left alone.
const RETRY: Duration = Duration::from_secs(1);

/// The most sockets that are handed to whoever keeps them at once; the system passes no more.
const HANDED_MAX: usize = 250;

/// What it takes to let connections outlive the process.
#[derive(Debug)]
pub(super) struct Keeping {
    notes: Notes,
    /// Whose socket nobody else has yet.
    newcomers: VecDeque<ConnectionId>,
    /// Cookies of connections that are no more, which has not been noted.
    gone: Vec<u64>,
    /// Nothing is noted before this, as it could not be.
    rest_until: Option<Instant>,
    /// Who is to be welcomed once more.
    pub(super) unwelcomed: VecDeque<ConnectionId>,
}

impl Keeping {
    fn new(notes: Notes) -> Self {
        Self {
            notes,
            newcomers: VecDeque::new(),
            gone: Vec::new(),
            rest_until: None,
            unwelcomed: VecDeque::new(),
        }
    }

    pub(super) fn remove(&mut self, cookie: u64) {
        self.gone.push(cookie);
    }
}

impl<S: Socket> Switchboard<S> {
    /// From here on connections may outlive the process, by these notes and by whoever is
    /// [handed](Self::hand_out) their sockets.
    pub fn keep(&mut self, notes: Notes) {
        self.keeping = Some(Keeping::new(notes));
    }

    /// Returns true if connections would outlive the process if it ended now.
    pub fn is_keeping(&self) -> bool {
        self.keeping.as_ref().is_some_and(|keeping| keeping.rest_until.is_none())
    }

    /// Returns true if there are sockets that nobody else has yet.
    pub fn has_newcomers(&self) -> bool {
        self.keeping.as_ref().is_some_and(|keeping| !keeping.newcomers.is_empty())
    }

    /// Hands sockets that nobody else has yet to `take`, some at a time, until it takes no more.
    pub fn hand_out(&mut self, mut take: impl FnMut(&[&S]) -> bool) {
        let Some(keeping) = &mut self.keeping else { return };
        while !keeping.newcomers.is_empty() {
            let count = keeping.newcomers.len().min(HANDED_MAX);
            let seats = keeping.newcomers.iter().take(count);
            let seats = seats.filter_map(|id| self.connections.get(*id));
            let sockets: Vec<_> = seats.map(|seat| seat.connection.socket()).collect();
            if !sockets.is_empty() && !take(&sockets) {
                return;
            }
            keeping.newcomers.drain(..count);
        }
    }

    /// Lets a connection that is new outlive the process, if any may. One whose socket has no cookie
    /// may not: its peer has gone.
    pub(super) fn keep_newcomer(&mut self, id: ConnectionId) {
        let Some(keeping) = &mut self.keeping else { return };
        let Some(seat) = self.connections.get_mut(id) else { return };
        seat.cookie = seat.connection.socket().cookie().ok();
        if seat.cookie.is_some() {
            seat.connection.keep();
            keeping.newcomers.push_back(id);
        }
    }

    /// Returns true if there is somebody to be welcomed once more.
    pub(super) fn has_unwelcomed(&self) -> bool {
        self.keeping.as_ref().is_some_and(|keeping| !keeping.unwelcomed.is_empty())
    }

    /// Notes what has changed since the last time; if that has become much, everything.
    pub(super) fn take_notes(&mut self, now: Instant) {
        let Some(keeping) = &mut self.keeping else { return };
        if keeping.rest_until.is_some_and(|until| now < until) {
            return;
        }
        let notes = &mut keeping.notes;
        let is_everything = notes.is_everything_due();
        if is_everything {
            self.run.forget_noted();
            notes.begin_everything(self.log.epoch(), self.run.begin());
            for (id, seat) in self.connections.iter_mut() {
                seat.connection.forget_noted();
                self.queues.mark_touched(id, seat);
            }
            keeping.gone.clear();
        } else {
            notes.begin();
        }
        let begin = self.run.begin();
        let (one, two) = self.run.note();
        if is_everything || !one.is_empty() {
            notes.put(&Note::Run { published: self.published_seq, one, two });
        }
        for peer in keeping.gone.drain(..) {
            notes.put(&Note::Gone { peer });
        }
        let clock = Clock { now, utc_ms: self.utc_ms };
        for id in self.queues.touched.drain(..) {
            if let Some(seat) = self.connections.get_mut(id) {
                seat.is_touched = false;
                put_peer(notes, &self.chat, clock, id, seat, begin);
            }
        }
        let result = notes.write(is_everything);
        let is_failing = result.is_err();
        if let (Err(error), None) = (result, keeping.rest_until) {
            logging::notes_failed(&error);
        }
        keeping.rest_until = is_failing.then(|| now + RETRY);
    }

    /// Takes what was read, which is noted by now.
    pub(super) fn take_read(&mut self) {
        let mut read = mem::take(&mut self.queues.read);
        for id in read.drain(..) {
            let Some(seat) = self.connections.get_mut(id) else { continue };
            match seat.connection.take_read(&mut self.scratch) {
                Ok(true) => self.queues.mark_ready(id, seat),
                Ok(false) => (),
                Err(error) => self.queues.lose(id, seat, error),
            }
        }
        self.queues.read = read;
    }
}

/// What the time is, both ways.
#[derive(Clone, Copy)]
struct Clock {
    now: Instant,
    utc_ms: u64,
}

/// Notes how it is with somebody, in a room whose common run `begin`s there.
fn put_peer<S: Socket>(
    notes: &mut Notes,
    chat: &Chat,
    clock: Clock,
    id: ConnectionId,
    seat: &mut Seat<S>,
    begin: (u64, u64),
) {
    let Some(peer) = seat.cookie else { return };
    let name = chat.roster().name(id);
    let joined = name.and_then(|name| Some((name.as_str(), chat.roster().place(id)?)));
    let closing = match &seat.stay {
        Stay::Guest | Stay::Present(_) => None,
        Stay::Ending { reason, .. } => Some(*reason),
        Stay::Left | Stay::TurnedAway => Some(CloseReason::Quit),
    };
    let hears = match seat.hears {
        Hears::All { given } if seat.protocol == Protocol::One => Some(begin.0 + given as u64),
        Hears::All { given } => Some(begin.1 + given as u64),
        Hears::Nothing | Hears::Farewell | Hears::Presence => None,
    };
    let left = chat.paced_until(id).and_then(|until| until.checked_duration_since(clock.now));
    let paced_until_ms =
        left.map(|left| clock.utc_ms + u64::try_from(left.as_millis()).unwrap_or(0));
    let (read, unfinished) = (seat.connection.read_bytes(), seat.connection.unfinished());
    let (at, owed) = seat.connection.note_owed();
    notes.put(&Note::Peer(Peer {
        peer,
        joined,
        protocol: chat.protocol_of(id),
        closing,
        paced_until_ms,
        read,
        unfinished: &unfinished,
        at,
        owed,
        hears,
    }));
}
