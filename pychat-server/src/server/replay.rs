//! Replay: the history that peers missed, or ask for, read from the log little by little, as fast
//! as each peer reads.
//!
//! A client that comes back hears who comes and goes, but no new message until it has been sent
//! every one before it that was published. What is sent ahead of a peer's reading is bounded, and so
//! is what one tick reads from the log for all: a hundred people who missed ten thousand messages
//! delay nobody's talk.

use std::{mem, ops::ControlFlow, time::Instant};

use pychat_wire::{
    ServerMessage,
    message::{self as wire, ErrorCode, PAGE_MESSAGES_MAX},
};

use super::{
    broadcast::Broadcast,
    encode::{self, Copy},
    sessions::{Sessions, backlog_bytes_low},
};
use crate::{
    core::{
        admission::{Act, Admission, history_cost},
        chat::{CloseReason, Complaint, STORAGE_RETRY_MS},
        deadlines::Deadlines,
        id::{ConnectionId, HALL},
        record::StorageError,
    },
    limits::Limits,
    logging,
    net::transport::Socket,
    store::{Read, Store},
};

/// The most that one tick reads from the log for all peers, in bytes of text.
const TICK_BYTES_MAX: usize = 128 << 10;

/// The cost of one message beside its text, in bytes of that budget.
const MESSAGE_BYTES: usize = 100;

/// The most text that one page has, in bytes, unless one message alone has more.
const PAGE_BYTES_MAX: usize = 256 << 10;

/// The most requests that one peer may have open.
const REPLAYS_MAX: usize = 4;

/// A peer's request for history: everything after a number, up to some end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replay {
    pub(super) after: u64,
    pub(super) end: End,
}

/// The end of a replay.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// The newest message; then the peer hears what all hear. Of what was missed only the last
    /// `limit` messages are sent, if there is a limit that was not looked at yet.
    Live { limit: Option<u64> },
    /// The page before number `before` of at most `limit` messages, which is not looked up yet.
    Page { before: u64, limit: u64 },
    /// Number `last`; then the peer is told that those were `count`.
    PageFound { before: u64, last: u64, count: u64, is_start: bool },
}

/// Where history comes from.
pub(super) struct Source<'a> {
    pub(super) store: &'a mut dyn Store,
    pub(super) broadcast: &'a mut Broadcast,
}

/// The replays of all peers, but for each one's own place in it, which its session has.
#[derive(Debug, Default)]
pub(super) struct Replays {
    /// When peers whose share of history is used up are sent more of it.
    limited: Deadlines,
    /// Peers whose history the store is fetching.
    fetching: Vec<ConnectionId>,
}

/// The parts of the server that a replay changes.
struct Parts<'a, T> {
    now: Instant,
    source: Source<'a>,
    sessions: &'a mut Sessions<T>,
    admission: &'a mut Admission,
    backlog_bytes_low: usize,
    /// The bytes of text that this tick may still read.
    budget: usize,
}

impl Replays {
    /// Returns when somebody whose address has used up its share of history is sent more of it.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.limited.next()
    }

    pub(super) fn forget(&mut self, id: ConnectionId) {
        self.limited.clear(id);
    }

    /// Lets peers be sent more whose share of history has room again.
    pub(super) fn release_limited<T: Socket>(&mut self, now: Instant, sessions: &mut Sessions<T>) {
        while let Some(id) = self.limited.pop_due(now) {
            sessions.mark_replaying(id);
        }
    }

    /// Lets peers be sent more whose history the store has fetched.
    pub(super) fn release_fetched<T: Socket>(&mut self, sessions: &mut Sessions<T>) {
        for id in mem::take(&mut self.fetching) {
            sessions.mark_replaying(id);
        }
    }

    /// Sends more to peers that asked and have read most of what they were sent.
    pub(super) fn run<'a, T: Socket>(
        &mut self,
        now: Instant,
        source: Source<'a>,
        sessions: &'a mut Sessions<T>,
        admission: &'a mut Admission,
        limits: &Limits,
    ) {
        let mut parts = Parts {
            now,
            source,
            sessions,
            admission,
            backlog_bytes_low: backlog_bytes_low(limits),
            budget: TICK_BYTES_MAX,
        };
        for _ in 0..parts.sessions.replaying.len() {
            if parts.budget == 0 {
                return;
            }
            let Some(id) = parts.sessions.replaying.pop_front() else { return };
            let Some(session) = parts.sessions.get_mut(id) else { continue };
            session.queued.replaying = false;
            match self.replay(id, &mut parts) {
                Ok(Read::Done) => (),
                Ok(Read::Later) => self.fetching.push(id),
                Err(error) => parts.fail(id, &error),
            }
        }
    }

    fn replay<T: Socket>(
        &mut self,
        id: ConnectionId,
        parts: &mut Parts<'_, T>,
    ) -> Result<Read, StorageError> {
        while let Some(session) = parts.sessions.get_mut(id)
            && session.is_listening()
            && session.connection.backlog() < parts.backlog_bytes_low
            && let Some(mut replay) = session.replays.front().copied()
        {
            if parts.budget == 0 {
                parts.sessions.mark_replaying(id);
                break;
            }
            let origin = session.origin;
            if let Some(until) = parts.admission.full_until(parts.now, origin, Act::History) {
                self.limited.set(id, until);
                break;
            }
            let read = parts.send(id, &mut replay)?;
            let is_over = parts.last(&replay).is_some_and(|last| last <= replay.after);
            if let Some(session) = parts.sessions.get_mut(id) {
                session.replays.pop_front();
                if !is_over {
                    session.replays.push_front(replay);
                }
            }
            if is_over {
                parts.finish(id, &replay);
            } else if read == Read::Later {
                return Ok(Read::Later);
            }
        }
        Ok(Read::Done)
    }
}

/// Begins to send what `id` missed since number `after` of the log called `epoch`; if that is more
/// than `limit` messages, or than a page, the last of it.
pub(super) fn resume<T: Socket>(
    id: ConnectionId,
    (epoch, after): (&str, u64),
    limit: Option<u64>,
    source: Source<'_>,
    sessions: &mut Sessions<T>,
) {
    let Source { store, broadcast } = source;
    let is_other = epoch != store.epoch();
    let last = broadcast.published_seq();
    let (after, gap) = match after {
        0 => (0, None),
        after if is_other => (0, Some((1, after))),
        after if last < after => (last, Some((last + 1, after))),
        after => (after, None),
    };
    if let Some((from, to)) = gap {
        sessions.tell(id, broadcast.frames(), |out| {
            ServerMessage::Gap { room: wire::HALL.into(), from, to }.encode(out);
        });
    }
    let Some(session) = sessions.get_mut(id).filter(|session| session.is_listening()) else {
        return;
    };
    session.replays.retain(|replay| !matches!(replay.end, End::Live { .. }));
    session.replays.push_front(Replay { after, end: End::Live { limit } });
    broadcast.begin_catching_up(id, sessions);
    sessions.mark_replaying(id);
}

/// Begins to send the newest `limit` messages before number `before`, or as many of them as make a
/// page.
pub(super) fn page<T: Socket>(
    id: ConnectionId,
    before: u64,
    limit: u64,
    broadcast: &Broadcast,
    sessions: &mut Sessions<T>,
) {
    let Some(session) = sessions.get_mut(id).filter(|session| session.is_listening()) else {
        return;
    };
    if REPLAYS_MAX <= session.replays.len() {
        let complaint = Complaint::new(ErrorCode::SlowDown, "one page after the other");
        return sessions.tell(id, broadcast.frames(), |out| encode::complaint(&complaint, out));
    }
    session.replays.push_back(Replay { after: 0, end: End::Page { before, limit } });
    sessions.mark_replaying(id);
}

impl<T: Socket> Parts<'_, T> {
    /// Returns the number at which a replay ends, once that is known.
    fn last(&self, replay: &Replay) -> Option<u64> {
        match replay.end {
            End::Live { limit: None } => Some(self.source.broadcast.published_seq()),
            End::PageFound { last, .. } => Some(last),
            End::Live { limit: Some(_) } | End::Page { .. } => None,
        }
    }

    /// Returns the number of the oldest message that is kept and was published, or of the next if
    /// there is none.
    fn first(&self) -> u64 {
        self.source.store.first_seq(HALL).min(self.source.broadcast.published_seq() + 1)
    }

    /// Sends as much of a replay as the peer and the tick have room for.
    fn send(&mut self, id: ConnectionId, replay: &mut Replay) -> Result<Read, StorageError> {
        if self.begin(id, replay)? == Read::Later {
            return Ok(Read::Later);
        }
        self.skip_forgotten(id, replay);
        match self.last(replay) {
            Some(last) if replay.after < last => self.send_up_to(id, replay, last),
            _ => Ok(Read::Done),
        }
    }

    /// Finds out where a replay begins, if that is not known.
    fn begin(&mut self, id: ConnectionId, replay: &mut Replay) -> Result<Read, StorageError> {
        let Source { store, broadcast } = &mut self.source;
        let next = broadcast.published_seq() + 1;
        let first = store.first_seq(HALL).min(next);
        match replay.end {
            End::Live { limit: None } | End::PageFound { .. } => (),
            End::Live { limit: Some(limit) } => {
                let limit = limit.clamp(1, PAGE_MESSAGES_MAX);
                let Some(begin) = store.page_start(HALL, next, limit, PAGE_BYTES_MAX)? else {
                    return Ok(Read::Later);
                };
                let (from, to) = (replay.after + 1, begin.saturating_sub(1));
                replay.end = End::Live { limit: None };
                // What is no longer kept is a gap.
                if first < begin && from <= to {
                    replay.after = to;
                    self.sessions.tell(id, broadcast.frames(), |out| {
                        ServerMessage::Skip { room: wire::HALL.into(), from, to }.encode(out);
                    });
                }
            }
            End::Page { before, limit } => {
                let end = before.clamp(first, next);
                let limit = limit.min(PAGE_MESSAGES_MAX);
                let Some(begin) = store.page_start(HALL, end, limit, PAGE_BYTES_MAX)? else {
                    return Ok(Read::Later);
                };
                let begin = begin.max(first);
                replay.after = begin - 1;
                let is_start = begin == first;
                replay.end = End::PageFound { before, last: end - 1, count: 0, is_start };
            }
        }
        Ok(Read::Done)
    }

    /// Passes over what is not kept any more.
    fn skip_forgotten(&mut self, id: ConnectionId, replay: &mut Replay) {
        let (from, to) = (replay.after + 1, self.first() - 1);
        if from <= to {
            if let End::Live { .. } = replay.end {
                self.sessions.tell(id, self.source.broadcast.frames(), |out| {
                    ServerMessage::Gap { room: wire::HALL.into(), from, to }.encode(out);
                });
            }
            replay.after = to;
        }
    }

    /// Sends messages up to number `last`, as many as the peer and the tick have room for.
    fn send_up_to(
        &mut self,
        id: ConnectionId,
        replay: &mut Replay,
        last: u64,
    ) -> Result<Read, StorageError> {
        let Self { now, source, sessions, admission, backlog_bytes_low, budget } = self;
        let Source { store, broadcast } = source;
        let Some(session) = sessions.get_mut(id) else { return Ok(Read::Done) };
        let person = session.member().and_then(|member| member.person);
        let (origin, mut frame) = (session.origin, Vec::new());
        session.owe_broadcast(broadcast.frames());
        let mut is_used_up = false;
        let read = store.read(HALL, replay.after, &mut |entry| {
            let is_full = *backlog_bytes_low <= session.connection.backlog();
            if is_full || *budget == 0 || is_used_up || last < entry.seq {
                return ControlFlow::Break(());
            }
            let own = person.is_some() && person == entry.person;
            frame.clear();
            encode::record(entry, Copy { own, replay: true, ..Copy::default() }, &mut frame);
            session.connection.owe(&frame);
            *budget = budget.saturating_sub(entry.kind.text().len() + MESSAGE_BYTES);
            let cost = history_cost(frame.len());
            is_used_up = admission.fill(*now, origin, Act::History, cost).is_some();
            replay.after = entry.seq;
            if let End::PageFound { count, .. } = &mut replay.end {
                *count += 1;
            }
            ControlFlow::Continue(())
        });
        sessions.mark_dirty(id);
        read
    }

    /// All that was asked for has been sent.
    fn finish(&mut self, id: ConnectionId, replay: &Replay) {
        match replay.end {
            End::Live { .. } => {
                if let Some(session) = self.sessions.get_mut(id) {
                    self.source.broadcast.go_live(id, session);
                }
            }
            End::PageFound { before, count, is_start, .. } => {
                let page =
                    ServerMessage::Page { room: wire::HALL.into(), before, count, start: is_start };
                self.sessions.tell(id, self.source.broadcast.frames(), |out| page.encode(out));
            }
            End::Page { .. } => (),
        }
    }

    /// Closes a peer that cannot be told what it missed, and tells it why; it will come back for
    /// that.
    fn fail(&mut self, id: ConnectionId, error: &StorageError) {
        logging::read_failed(error);
        let complaint = Complaint {
            retry_ms: Some(STORAGE_RETRY_MS),
            ..Complaint::new(ErrorCode::Storage, &format!("cannot read the history: {error}"))
        };
        let (frames, reason) = (self.source.broadcast.frames(), CloseReason::Storage);
        self.sessions.tell(id, frames, |out| encode::complaint(&complaint, out));
        self.sessions.tell(id, frames, |out| encode::bye(reason.reason(), out));
        self.sessions.close(self.now, id, reason, frames);
    }
}
