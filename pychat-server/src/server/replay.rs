//! Replay: the history that peers missed, or ask for, read from the log little by little, as fast
//! as each peer reads.
//!
//! A client that comes back hears who comes and goes, but no new message until it has been sent
//! every one before it that was published; so it is for each room. What is sent ahead of a peer's
//! reading is bounded, and so is what one tick reads from the log for all: a hundred people who
//! missed ten thousand messages delay nobody's talk.

use std::{
    mem,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use pychat_wire::{ServerMessage, message::PAGE_MESSAGES_MAX};

use super::{
    encode::{self, Copy},
    history::{End, Replay, Source},
    searching,
    session::Asked,
    sessions::{Sessions, backlog_bytes_low},
};
use crate::{
    core::{
        admission::{Act, Admission, history_cost},
        chat::{CloseReason, Complaint},
        deadlines::Deadlines,
        id::{ConnectionId, HALL, RoomId},
        record::StorageError,
    },
    limits::Limits,
    logging,
    net::transport::Socket,
    store::{Read, Records},
};

/// The most that one tick reads from the log for all peers, in bytes of frames.
const TICK_BYTES_MAX: usize = 128 << 10;

/// The most that one tick searches for all peers, in bytes that take as long to read. Nobody is heard
/// meanwhile.
const TICK_SEARCH_BYTES_MAX: usize = 32 << 10;

/// The longest that searches wait for a tick in which nobody says anything.
const SEARCH_PAUSE_MAX: Duration = Duration::from_millis(20);

/// The cost of one message of which only the size is looked up, in bytes of that budget.
const LOOKUP_BYTES: u64 = 20;

/// The cost of reading from the log of one room, in bytes of that budget.
const READ_BYTES: usize = 1 << 10;

/// The most text and reactions that one page has, in bytes, unless one message alone has more.
pub(super) const PAGE_BYTES_MAX: usize = 256 << 10;

/// The replays of all peers, but for each one's own place in it, which its session has.
#[derive(Debug, Default)]
pub(super) struct Replays {
    /// When peers whose share of history is used up are sent more of it.
    limited: Deadlines,
    /// Peers whose history the store is fetching.
    fetching: Vec<ConnectionId>,
    /// When something was searched last.
    searched_at: Option<Instant>,
}

/// The parts of the server that a replay changes.
pub(super) struct Parts<'a, T> {
    pub(super) now: Instant,
    pub(super) source: Source<'a>,
    pub(super) sessions: &'a mut Sessions<T>,
    pub(super) admission: &'a mut Admission,
    pub(super) backlog_bytes_low: usize,
    /// The bytes of frames that this tick may still read, and those of searches.
    pub(super) budget: usize,
    pub(super) search_budget: usize,
    /// The peer that has used up what this tick may search.
    last_searcher: Option<ConnectionId>,
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

    /// Sends more to peers that asked and have read most of what they were sent. Those who search wait if this
    /// tick `is_busy` with what others say.
    pub(super) fn run<'a, T: Socket>(
        &mut self,
        now: Instant,
        source: Source<'a>,
        sessions: &'a mut Sessions<T>,
        admission: &'a mut Admission,
        limits: &Limits,
        is_busy: bool,
    ) {
        let has_waited = |at: Instant| SEARCH_PAUSE_MAX <= now.saturating_duration_since(at);
        let may_search = !is_busy || self.searched_at.is_none_or(has_waited);
        let mut parts = Parts {
            now,
            source,
            sessions,
            admission,
            backlog_bytes_low: backlog_bytes_low(limits),
            budget: TICK_BYTES_MAX,
            search_budget: if may_search { TICK_SEARCH_BYTES_MAX } else { 0 },
            last_searcher: None,
        };
        if parts.sessions.replaying.is_empty() {
            return;
        }
        parts.source.store.begin_reading();
        for _ in 0..parts.sessions.replaying.len() {
            if parts.budget == 0 {
                break;
            }
            let Some(id) = parts.sessions.replaying.pop_front() else { break };
            let Some(session) = parts.sessions.get_mut(id) else { continue };
            session.queued.replaying = false;
            let sent = match self.replay(id, &mut parts) {
                Ok(Read::Done) => Ok(self.search(id, &mut parts)),
                other => other,
            };
            match sent {
                Ok(Read::Done) => (),
                Ok(Read::Later) => self.fetching.push(id),
                Err(error) => parts.fail(id, &error),
            }
        }
        parts.source.store.end_reading();
        // The others have their turn in the next tick.
        let waiting = &mut parts.sessions.replaying;
        if let Some(place) = waiting.iter().position(|id| Some(*id) == parts.last_searcher) {
            let last = waiting.remove(place);
            waiting.extend(last);
        }
    }

    fn replay<T: Socket>(
        &mut self,
        id: ConnectionId,
        parts: &mut Parts<'_, T>,
    ) -> Result<Read, StorageError> {
        let next = |asked: &Asked| asked.replays.front().copied();
        while let Some(mut replay) = self.next(id, parts, parts.budget, next) {
            let read = parts.send(id, &mut replay)?;
            let is_over = parts.last(&replay).is_some_and(|last| last <= replay.after);
            if let Some(session) = parts.sessions.get_mut(id) {
                session.asked.replays.pop_front();
                if !is_over {
                    session.asked.replays.push_front(replay);
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

    /// Sends what a peer searches for, as far as it reads and may be sent more.
    fn search<T: Socket>(&mut self, id: ConnectionId, parts: &mut Parts<'_, T>) -> Read {
        let next = |asked: &Asked| (!asked.searches.is_empty()).then_some(());
        while self.next(id, parts, parts.search_budget, next).is_some() {
            self.searched_at = Some(parts.now);
            parts.last_searcher = Some(id);
            if searching::go_on(id, parts) == Read::Later {
                return Read::Later;
            }
        }
        Read::Done
    }

    /// Returns the `next` of what a peer has asked for, if there is any and it may be sent more now. Where
    /// the tick has no `budget` left or its address has used up its share, it goes on later.
    fn next<T: Socket, N>(
        &mut self,
        id: ConnectionId,
        parts: &mut Parts<'_, T>,
        budget: usize,
        next: impl Fn(&Asked) -> Option<N>,
    ) -> Option<N> {
        let session = parts.sessions.get_mut(id)?;
        if !session.is_listening() || parts.backlog_bytes_low <= session.connection.backlog() {
            return None;
        }
        let (next, origin) = (next(&session.asked)?, session.origin);
        if budget == 0 {
            parts.sessions.mark_replaying(id);
            return None;
        }
        if let Some(until) = parts.admission.full_until(parts.now, origin, Act::History) {
            self.limited.set(id, until);
            return None;
        }
        Some(next)
    }
}

impl<T: Socket> Parts<'_, T> {
    /// Returns the number at which a replay ends, once that is known.
    fn last(&self, replay: &Replay) -> Option<u64> {
        match replay.end {
            End::Live { limit: None } => Some(self.source.broadcasts.published_seq(replay.room)),
            End::PageFound { last, .. } => Some(last),
            End::Live { limit: Some(_) } | End::Page { .. } => None,
        }
    }

    /// Returns the number of the oldest message of a room that is kept and was published, or of the next
    /// if there is none.
    fn first(&self, room: RoomId) -> u64 {
        let Source { store, broadcasts } = &self.source;
        store.first_seq(room).min(broadcasts.published_seq(room) + 1)
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
        let room = replay.room;
        let first = self.first(room);
        let next = self.source.broadcasts.published_seq(room) + 1;
        match replay.end {
            End::Live { limit: None } | End::PageFound { .. } => (),
            End::Live { limit: Some(limit) } => {
                let missed = next.saturating_sub(replay.after + 1);
                let limit = limit.clamp(1, PAGE_MESSAGES_MAX);
                let Some(begin) = self.page_start(room, next, limit.min(missed), Records::All)?
                else {
                    return Ok(Read::Later);
                };
                let (from, to) = (replay.after + 1, begin.saturating_sub(1));
                replay.end = End::Live { limit: None };
                // What is no longer kept is a gap.
                if first < begin && from <= to {
                    replay.after = to;
                    self.tell(id, room, |out| encode::skip(room, from, to, out));
                }
            }
            End::Page { before, limit } => {
                let end = before.clamp(first, next);
                let limit = limit.min(PAGE_MESSAGES_MAX);
                let Some(begin) = self.page_start(room, end, limit, Records::Shown)? else {
                    return Ok(Read::Later);
                };
                let begin = begin.max(first);
                replay.after = begin - 1;
                // Before what is shown there may be amendments of messages that are not kept.
                let is_start = begin == first || (begin == end && 0 < limit);
                replay.end = End::PageFound { before, last: end - 1, count: 0, is_start };
            }
        }
        Ok(Read::Done)
    }

    /// Returns where a page of at most `limit` messages of a room begins that ends before number
    /// `before`, if that is at hand.
    fn page_start(
        &mut self,
        room: RoomId,
        before: u64,
        limit: u64,
        records: Records,
    ) -> Result<Option<u64>, StorageError> {
        let cost = usize::try_from(limit.min(before) * LOOKUP_BYTES).unwrap_or(usize::MAX);
        self.budget = self.budget.saturating_sub(cost);
        self.source.store.page_start(room, before, limit, PAGE_BYTES_MAX, records)
    }

    /// Passes over what is not kept any more.
    fn skip_forgotten(&mut self, id: ConnectionId, replay: &mut Replay) {
        let room = replay.room;
        let (from, to) = (replay.after + 1, self.first(room) - 1);
        if from <= to {
            if replay.is_resume() {
                self.tell(id, room, |out| encode::gap(room, from, to, out));
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
        let Self { now, source, sessions, admission, backlog_bytes_low, budget, .. } = self;
        let Source { store, broadcasts } = source;
        let room = replay.room;
        let Some(session) = sessions.get_mut(id) else { return Ok(Read::Done) };
        let person = session.member().and_then(|member| member.person);
        let (origin, mut frame) = (session.origin, Vec::new());
        session.owe_broadcast(broadcasts.frames(room));
        *budget = budget.saturating_sub(READ_BYTES);
        let mut is_used_up = false;
        let mut is_cut = false;
        let records = if replay.is_resume() { Records::All } else { Records::Shown };
        let read = store.read(room, replay.after, records, &mut |entry| {
            let is_full = *backlog_bytes_low <= session.connection.backlog();
            is_cut = is_full || *budget == 0 || is_used_up;
            if is_cut || last < entry.seq {
                return ControlFlow::Break(());
            }
            let own = person.is_some() && person == entry.person;
            frame.clear();
            encode::record(room, entry, Copy { own, replay: true, ..Copy::default() }, &mut frame);
            session.connection.owe(&frame);
            *budget = budget.saturating_sub(frame.len());
            let cost = history_cost(frame.len());
            is_used_up = admission.fill(*now, origin, Act::History, cost).is_some();
            replay.after = entry.seq;
            if let End::PageFound { count, .. } = &mut replay.end {
                *count += 1;
            }
            ControlFlow::Continue(())
        });
        // Nothing more is to be sent, though the last numbers may not be.
        if !is_cut && read == Ok(Read::Done) {
            replay.after = last;
        }
        sessions.mark_dirty(id);
        read
    }

    /// All that was asked for has been sent.
    fn finish(&mut self, id: ConnectionId, replay: &Replay) {
        let room = replay.room;
        match replay.end {
            End::Live { .. } => {
                if let Some(session) = self.sessions.get_mut(id) {
                    self.source.broadcasts.go_live(id, room, session);
                }
            }
            End::PageFound { before, count, is_start: start, .. } => {
                let page = ServerMessage::Page { room: room.on_wire(), before, count, start };
                self.tell(id, room, |out| page.encode(out));
            }
            End::Page { .. } => (),
        }
    }

    /// Owes a peer a frame, behind what all in a room have been told so far.
    fn tell(&mut self, id: ConnectionId, room: RoomId, encode: impl FnOnce(&mut Vec<u8>)) {
        self.sessions.tell(id, self.source.broadcasts.frames(room), encode);
    }

    /// Closes a peer that cannot be told what it missed, and tells it why; it will come back for
    /// that.
    fn fail(&mut self, id: ConnectionId, error: &StorageError) {
        logging::read_failed(error);
        let text = format!("cannot read the history: {error}");
        let complaint = Complaint::storage(None, error, &text);
        let reason = CloseReason::Storage;
        self.source.broadcasts.owe_all(id, self.sessions);
        self.tell(id, HALL, |out| encode::complaint(&complaint, out));
        self.tell(id, HALL, |out| encode::bye(reason.reason(), out));
        self.sessions.close(self.now, id, reason);
    }
}
