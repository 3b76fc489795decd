//! A client's position in the log: what it has seen, what comes next, and the page asked for.
//!
//! Every number is shown once and in order: one that is not newer than the last was seen, and one
//! that is older than the oldest can only belong to a page that was asked for.

use super::{Message, PAGE_BYTES_MAX, Page};
use crate::message::PAGE_MESSAGES_MAX;

#[derive(Debug, Default)]
pub(super) struct Place {
    /// The epoch that the numbers belong to; `None` before the first welcome of a new beginning.
    epoch: Option<String>,
    /// The last number that was seen.
    last: u64,
    /// The number below which nothing was seen since this client was made.
    oldest: u64,
    /// True if nothing older than `oldest` exists.
    is_at_start: bool,
    /// The gap, as (from, to), that only repeats what the welcome told us.
    void: Option<(u64, u64)>,
    request: Option<Request>,
    /// The number of pages, to come before the one asked for, that are not wanted any more.
    n_unwanted: u32,
}

/// A page that was asked for, and what has arrived of it.
#[derive(Debug)]
struct Request {
    before: u64,
    limit: u64,
    messages: Vec<Message>,
    bytes: usize,
}

/// The position of a message relative to a place.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Order {
    /// The next one; where `missing` is some, numbers before it never came.
    Next { missing: Option<(u64, u64)> },
    /// Seen before, or part of nothing that was asked for.
    Known,
    /// Perhaps part of the page that was asked for.
    Older,
}

/// The change that a welcome brought.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Change {
    /// Nothing: the same log, and all that was seen is in it.
    None,
    /// The beginning: messages from now on come next.
    Begun,
    /// Another log: all of it comes next.
    NewEpoch,
    /// The same log has lost its end, which were these numbers.
    Rewound { from: u64, to: u64 },
}

impl Place {
    pub(super) fn resumed(epoch: Option<String>, seq: u64) -> Self {
        Self { epoch, last: seq, oldest: seq.saturating_add(1), ..Self::default() }
    }

    /// Returns the epoch and the last number seen; `None` before it began.
    pub(super) fn resume(&self) -> Option<(&str, u64)> {
        self.epoch.as_deref().map(|epoch| (epoch, self.last))
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Takes what a welcome says about the log. `asked_after` is the number that the server was
    /// told in the hello that it answers.
    pub(super) fn on_welcome(&mut self, epoch: &str, seq: u64, asked_after: Option<u64>) -> Change {
        if let Some(request) = &mut self.request {
            (request.messages, request.bytes) = (Vec::new(), 0);
        }
        self.void = None;
        self.n_unwanted = 0;
        match &self.epoch {
            None => {
                *self = Self::resumed(Some(epoch.to_owned()), seq);
                Change::Begun
            }
            Some(known) if known != epoch => {
                *self = Self::resumed(Some(epoch.to_owned()), 0);
                self.is_at_start = true;
                self.void = asked_after.map(|after| (1, after));
                Change::NewEpoch
            }
            Some(_) if seq < self.last => {
                let (from, to) = (seq + 1, self.last);
                self.last = seq;
                self.oldest = self.oldest.min(from);
                self.void = asked_after.map(|_| (from, to));
                Change::Rewound { from, to }
            }
            Some(_) => Change::None,
        }
    }

    /// Classifies a message by its number, and moves on if it is the next one.
    pub(super) fn on_message(&mut self, seq: u64) -> Order {
        if self.last < seq {
            let missing = (self.last + 1 < seq).then(|| (self.last + 1, seq - 1));
            self.last = seq;
            self.void = None;
            return Order::Next { missing };
        }
        match &self.request {
            Some(request) if seq < request.before => Order::Older,
            _ => Order::Known,
        }
    }

    /// Takes a gap; returns the numbers that will not come because of it, if there are any.
    pub(super) fn on_gap(&mut self, from: u64, to: u64) -> Option<(u64, u64)> {
        if self.void.take() == Some((from, to)) || to <= self.last {
            return None;
        }
        let missing = (self.last + 1, to);
        self.last = to;
        Some(missing)
    }

    /// Asks for a page; returns false if one is on its way or nothing older exists.
    pub(super) fn request(&mut self, limit: u64) -> bool {
        if self.request.is_some() || !self.has_older() {
            return false;
        }
        let limit = limit.clamp(1, PAGE_MESSAGES_MAX);
        self.request = Some(Request { before: self.oldest, limit, messages: Vec::new(), bytes: 0 });
        true
    }

    /// Makes everything older than `seq` count as not seen. A page that was asked for ends
    /// somewhere else, and is not wanted any more.
    pub(super) fn forget_before(&mut self, seq: u64) {
        if self.oldest < seq && seq <= self.last.saturating_add(1) {
            self.oldest = seq;
            self.is_at_start = false;
            self.n_unwanted += u32::from(self.request.take().is_some());
        }
    }

    /// Returns true if there may be something older than what was seen.
    pub(super) fn has_older(&self) -> bool {
        !self.is_at_start && 1 < self.oldest
    }

    /// Returns the request for the page that is asked for, as (before, limit).
    pub(super) fn requested(&self) -> Option<(u64, u64)> {
        self.request.as_ref().map(|request| (request.before, request.limit))
    }

    /// Takes a message of the page that was asked for. One that is too many, or out of order, is
    /// dropped.
    pub(super) fn on_older(&mut self, seq: u64, message: Message) {
        let Some(request) = self.request.as_mut().filter(|_| self.n_unwanted == 0) else { return };
        let bytes = request.bytes.saturating_add(message.bytes());
        let is_next = request.messages.last().is_none_or(|last| last.seq < Some(seq));
        let is_within = (request.messages.len() as u64) < request.limit && bytes <= PAGE_BYTES_MAX;
        if is_next && is_within {
            request.messages.push(message);
            request.bytes = bytes;
        }
    }

    /// Takes the end of a page; returns the page if it is the one that was asked for.
    pub(super) fn on_page(&mut self, before: u64, start: bool) -> Option<Page> {
        if 0 < self.n_unwanted {
            self.n_unwanted -= 1;
            return None;
        }
        let request = self.request.take_if(|request| request.before == before)?;
        if let Some(oldest) = request.messages.first().and_then(|message| message.seq) {
            self.oldest = oldest;
        }
        self.is_at_start = start;
        Some(Page { messages: request.messages, start })
    }
}
