//! Replay: the history that peers missed, or ask for, read from the log little by little, as fast
//! as each peer reads.
//!
//! A client that comes back hears who comes and goes, but no new message until it has been sent
//! every one before it. What is sent ahead of a peer's reading is bounded, and so is what one tick reads
//! from the log for all: a hundred people who missed ten thousand messages delay nobody's talk.

use std::{ops::ControlFlow, time::Instant};

use pychat_wire::{
    ServerMessage,
    message::{ErrorCode, PAGE_MESSAGES_MAX},
};

use super::{
    Server,
    encode::{self, Copy},
    session::Subscription,
};
use crate::{
    core::{
        admission::{Act, history_cost},
        chat::{CloseReason, Complaint, STORAGE_RETRY_MS},
        id::ConnectionId,
        record::StorageError,
    },
    handover::SavedReplay,
    logging,
    net::connection::Socket,
};

/// The backlog below which a peer is sent more of what it asked for, in bytes; half of what it may
/// be owed, if that is less.
pub const BACKLOG_BYTES_LOW: usize = 64 << 10;

/// The most that one tick reads from the log for all peers, in bytes of text.
const TICK_BYTES_MAX: usize = 128 << 10;

/// The cost of one message beside its text, in bytes of that budget.
const MESSAGE_BYTES: usize = 100;

/// The most text that one page has, in bytes, unless one message alone has more.
const PAGE_BYTES_MAX: usize = 256 << 10;

/// The most requests that one peer may have open.
const REPLAYS_MAX: usize = 4;

/// A peer's request for history: everything after a number, up to some end.
#[derive(Debug)]
pub(super) struct Replay {
    after: u64,
    up_to: UpTo,
}

#[derive(Debug)]
enum UpTo {
    /// Up to the newest message; then the peer hears what all hear.
    Now,
    /// Up to number `last`; then the peer is told that those were `count`.
    Page { before: u64, last: u64, count: u64, is_start: bool },
}

impl Replay {
    /// Returns this request as the next process is told of it.
    pub(super) fn saved(&self) -> SavedReplay {
        match self.up_to {
            UpTo::Now => SavedReplay::Resume { after: self.after },
            UpTo::Page { before, last, count, is_start } => {
                SavedReplay::Page { after: self.after, last, before, count, is_start }
            }
        }
    }

    /// Returns a request of which an earlier process told.
    pub(super) fn restored(saved: SavedReplay) -> Self {
        match saved {
            SavedReplay::Resume { after } => Self { after, up_to: UpTo::Now },
            SavedReplay::Page { after, last, before, count, is_start } => {
                Self { after, up_to: UpTo::Page { before, last, count, is_start } }
            }
        }
    }
}

impl<S: Socket> Server<S> {
    /// Begins to send what `id` missed since number `after` of the log called `epoch`; if that is more
    /// than `limit` messages, or than a page, the last of it.
    pub(super) fn resume(
        &mut self,
        now: Instant,
        id: ConnectionId,
        (epoch, after): (&str, u64),
        limit: Option<u64>,
    ) {
        let is_other = epoch != self.log.epoch();
        let last = self.published_seq;
        let (after, gap) = match after {
            0 => (0, None),
            after if is_other => (0, Some((1, after))),
            after if last < after => (last, Some((last + 1, after))),
            after => (after, None),
        };
        if let Some((from, to)) = gap {
            self.tell(id, |out| ServerMessage::Gap { from, to }.encode(out));
        }
        let after = match limit.map(|limit| self.skip(id, after, limit)) {
            None => after,
            Some(Ok(after)) => after,
            Some(Err(error)) => return self.fail_replay(now, id, &error),
        };
        let Some(session) = self.connections.get_mut(id) else { return };
        if let Subscription::Nothing | Subscription::Farewell = session.subscription {
            return;
        }
        self.queues.owe(id, session, self.broadcast.frames(), &[]);
        session.subscription = Subscription::Presence;
        self.catching_up.insert(id);
        session.replays.retain(|replay| !matches!(replay.up_to, UpTo::Now));
        session.replays.push_front(Replay { after, up_to: UpTo::Now });
        self.queues.mark_replaying(id, session);
    }

    /// Passes over what was said after number `after` and before the last `limit` messages, or as many
    /// as make a page; returns the number after which these begin.
    fn skip(&mut self, id: ConnectionId, after: u64, limit: u64) -> Result<u64, StorageError> {
        let end = self.published_seq + 1;
        let limit = limit.clamp(1, PAGE_MESSAGES_MAX);
        let begin = self.log.page_start(end, limit, PAGE_BYTES_MAX)?;
        let (from, to) = (after + 1, begin.saturating_sub(1));
        if begin <= self.log.first_seq() || to < from {
            return Ok(after); // What is no longer kept is a gap.
        }
        self.tell(id, |out| ServerMessage::Skip { from, to }.encode(out));
        Ok(to)
    }

    /// Begins to send the newest `limit` messages before number `before`, or as many of them as make a
    /// page.
    pub(super) fn page(&mut self, now: Instant, id: ConnectionId, before: u64, limit: u64) {
        let Some(session) = self.connections.get_mut(id) else { return };
        if REPLAYS_MAX <= session.replays.len() {
            let text = "one page after the other";
            let complaint = Complaint::new(ErrorCode::SlowDown, text);
            return self.tell(id, |out| encode::complaint(&complaint, out));
        }
        let first = self.log.first_seq();
        let end = before.clamp(first, self.log.last_seq() + 1);
        let begin = match self.log.page_start(end, limit.min(PAGE_MESSAGES_MAX), PAGE_BYTES_MAX) {
            Ok(begin) => begin.max(first),
            Err(error) => return self.fail_replay(now, id, &error),
        };
        let up_to = UpTo::Page { before, last: end - 1, count: 0, is_start: begin == first };
        session.replays.push_back(Replay { after: begin - 1, up_to });
        self.queues.mark_replaying(id, session);
    }

    /// Lets peers be sent more whose share of history has room again.
    pub(super) fn release_replays(&mut self, now: Instant) {
        while let Some(id) = self.replay_waits.pop_due(now) {
            if let Some(session) = self.connections.get_mut(id) {
                self.queues.mark_replaying(id, session);
            }
        }
    }

    /// Sends more to peers that asked and have read most of what they were sent.
    pub(super) fn replay(&mut self, now: Instant) {
        let mut budget = TICK_BYTES_MAX;
        for _ in 0..self.queues.replaying.len() {
            if budget == 0 {
                return;
            }
            let Some(id) = self.queues.replaying.pop_front() else { return };
            let Some(session) = self.connections.get_mut(id) else { continue };
            session.queued.replaying = false;
            if let Err(error) = self.replay_one(now, id, &mut budget) {
                self.fail_replay(now, id, &error);
            }
        }
    }

    /// Returns the backlog below which a peer is sent more, in bytes: what is sent ahead must not
    /// make a slow reader of one that reads.
    pub(super) fn backlog_bytes_low(&self) -> usize {
        BACKLOG_BYTES_LOW.min(self.limits.backlog_bytes_max / 2)
    }

    fn replay_one(
        &mut self,
        now: Instant,
        id: ConnectionId,
        budget: &mut usize,
    ) -> Result<(), StorageError> {
        let backlog_bytes_low = self.backlog_bytes_low();
        while let Some(session) = self.connections.get_mut(id)
            && matches!(session.subscription, Subscription::All { .. } | Subscription::Presence)
            && session.connection.backlog() < backlog_bytes_low
        {
            if *budget == 0 {
                self.queues.mark_replaying(id, session);
                return Ok(());
            }
            if let Some(until) = self.chat.admission().full_until(now, session.origin, Act::History)
                && !session.replays.is_empty()
            {
                self.replay_waits.set(id, until);
                return Ok(());
            }
            let Some(mut replay) = session.replays.pop_front() else { return Ok(()) };
            let last = match replay.up_to {
                UpTo::Now => self.log.last_seq(),
                UpTo::Page { last, .. } => last,
            };
            self.skip_forgotten(id, &mut replay);
            if replay.after < last {
                self.send(now, id, &mut replay, last, budget)?;
            }
            if last <= replay.after {
                self.finish(id, &replay);
            } else if let Some(session) = self.connections.get_mut(id) {
                session.replays.push_front(replay);
            }
        }
        Ok(())
    }

    /// Passes over what is not kept any more.
    fn skip_forgotten(&mut self, id: ConnectionId, replay: &mut Replay) {
        let (from, to) = (replay.after + 1, self.log.first_seq() - 1);
        if from <= to {
            if let UpTo::Now = replay.up_to {
                self.tell(id, |out| ServerMessage::Gap { from, to }.encode(out));
            }
            replay.after = to;
        }
    }

    /// Sends messages up to number `last`, as many as the peer and the tick have room for.
    fn send(
        &mut self,
        now: Instant,
        id: ConnectionId,
        replay: &mut Replay,
        last: u64,
        budget: &mut usize,
    ) -> Result<(), StorageError> {
        let backlog_bytes_low = self.backlog_bytes_low();
        let Self { chat, connections, log, queues, broadcast, frame, .. } = self;
        let Some(session) = connections.get_mut(id) else { return Ok(()) };
        let mut is_used_up = false;
        log.read(replay.after, |entry| {
            let is_full =
                backlog_bytes_low <= session.connection.backlog() || *budget == 0 || is_used_up;
            if is_full || last < entry.seq {
                return ControlFlow::Break(());
            }
            let own = session.owner.is_some() && session.owner == entry.owner;
            frame.clear();
            encode::record(entry, Copy { own, replay: true, ..Copy::default() }, frame);
            queues.owe(id, session, broadcast.frames(), frame);
            *budget = budget.saturating_sub(entry.content.len() + MESSAGE_BYTES);
            let cost = history_cost(frame.len());
            is_used_up = chat.admission().fill(now, session.origin, Act::History, cost).is_some();
            replay.after = entry.seq;
            if let UpTo::Page { count, .. } = &mut replay.up_to {
                *count += 1;
            }
            ControlFlow::Continue(())
        })
    }

    /// All that was wanted has been sent.
    fn finish(&mut self, id: ConnectionId, replay: &Replay) {
        match replay.up_to {
            UpTo::Now => {
                if let Some(session) = self.connections.get_mut(id) {
                    session.subscription = Subscription::All {
                        given: self.broadcast.frames().of(session.protocol).len(),
                    };
                }
                self.catching_up.remove(&id);
            }
            UpTo::Page { before, count, is_start: start, .. } => {
                self.tell(id, |out| ServerMessage::Page { before, count, start }.encode(out));
            }
        }
    }

    /// Closes a peer that cannot be told what it missed, and tells it why; it will come back for
    /// that.
    fn fail_replay(&mut self, now: Instant, id: ConnectionId, error: &StorageError) {
        logging::read_failed(error);
        let complaint = Complaint {
            retry_ms: Some(STORAGE_RETRY_MS),
            ..Complaint::new(ErrorCode::Storage, &format!("cannot read the history: {error}"))
        };
        self.tell(id, |out| encode::complaint(&complaint, out));
        let reason = CloseReason::Storage;
        self.tell(id, |out| encode::bye(reason.reason(), out));
        self.close(now, id, reason);
    }
}
