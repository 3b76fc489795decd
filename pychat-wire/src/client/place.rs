//! A client's position in the log of one room: what it has seen, what comes next, and the page asked
//! for.
//!
//! Every number is shown once and in order: one that is not newer than the last was seen, and one
//! that is older than the oldest can only belong to a page that was asked for.

use super::{Amended, Page, record::Record};
use crate::message::{PAGE_MESSAGES_MAX, RoomEvent};

#[derive(Debug, Default)]
pub(super) struct Place {
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
    page: Page,
    bytes: usize,
    /// The numbers of the first and the last record that arrived, to be shown or not.
    arrived: Option<(u64, u64)>,
}

/// The position of a record relative to a place.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Order {
    /// The next one; where `missing` is some, numbers before it never came.
    Next { missing: Option<(u64, u64)> },
    /// Seen before, or part of nothing that was asked for.
    Known,
    /// Perhaps part of the page that was asked for.
    Older,
}

impl Place {
    /// Returns the place of a client that has seen everything up to `seq`.
    pub(super) fn resumed(seq: u64) -> Self {
        Self { last: seq, oldest: seq.saturating_add(1), ..Self::default() }
    }

    /// Returns the place before the first record of another log. The server was told that everything
    /// up to `asked_after` was seen, and may answer with a gap of those numbers.
    pub(super) fn anew(asked_after: u64) -> Self {
        Self { is_at_start: true, void: Some((1, asked_after)), ..Self::resumed(0) }
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Takes the end of the log as a welcome has it, in the same epoch. Returns the numbers that the
    /// log has lost at its end, if it has. `was_asked` is true if the hello resumed the room.
    pub(super) fn on_welcome(&mut self, seq: u64, was_asked: bool) -> Option<(u64, u64)> {
        if let Some(request) = &mut self.request {
            *request = Request::new(request.before, request.limit);
        }
        self.void = None;
        self.n_unwanted = 0;
        if self.last <= seq {
            return None;
        }
        let (from, to) = (seq + 1, self.last);
        self.last = seq;
        self.oldest = self.oldest.min(from);
        self.void = was_asked.then_some((from, to));
        Some((from, to))
    }

    /// Classifies a record by its number, and moves on if it is the next one.
    pub(super) fn on_record(&mut self, seq: u64) -> Order {
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
        self.has_older() && self.request_before(self.oldest, limit)
    }

    /// Asks for the page before `seq`; returns false if one is on its way or there is no such number.
    pub(super) fn request_before(&mut self, seq: u64, limit: u64) -> bool {
        if self.request.is_some() || seq <= 1 || self.last.saturating_add(1) < seq {
            return false;
        }
        self.request = Some(Request::new(seq, limit.clamp(1, PAGE_MESSAGES_MAX)));
        true
    }

    /// Makes everything older than `seq` count as not seen. A page that was asked for ends
    /// somewhere else, and is not wanted any more: then this returns true. It may come nevertheless,
    /// unless the request still `is_waiting`.
    pub(super) fn forget_before(&mut self, seq: u64, is_waiting: bool) -> bool {
        if seq <= self.oldest || self.last.saturating_add(1) < seq {
            return false;
        }
        self.oldest = seq;
        self.is_at_start = false;
        let was_asked = self.request.take().is_some();
        self.n_unwanted = self.n_unwanted.saturating_add(u32::from(was_asked && !is_waiting));
        was_asked
    }

    /// Returns true if there may be something older than what was seen.
    pub(super) fn has_older(&self) -> bool {
        !self.is_at_start && 1 < self.oldest
    }

    /// Returns the request for the page that is asked for, as (before, limit).
    pub(super) fn requested(&self) -> Option<(u64, u64)> {
        self.request.as_ref().map(|request| (request.before, request.limit))
    }

    /// Returns the memory that the page takes that is on its way, in bytes.
    pub(super) fn page_bytes(&self) -> usize {
        self.request.as_ref().map_or(0, |request| request.bytes)
    }

    /// Takes a record of the page that was asked for, if it takes at most `bytes_max`. One that is too
    /// many, or out of order, is dropped.
    pub(super) fn on_older(&mut self, seq: u64, record: Record, bytes_max: usize) {
        let Some(request) = self.request.as_mut().filter(|_| self.n_unwanted == 0) else { return };
        let bytes = record.bytes();
        let is_next = request.arrived.is_none_or(|(_, last)| last < seq);
        let n_taken = (request.page.messages.len() + request.page.events.len()) as u64;
        if !is_next || request.limit <= n_taken || bytes_max < bytes {
            return;
        }
        request.arrived = Some((request.arrived.map_or(seq, |(first, _)| first), seq));
        match record {
            Record::Message(message) => request.page.messages.push(message),
            Record::Event(record) if record.event != RoomEvent::Unknown => {
                request.page.events.push(record);
            }
            // It counts, and shows nothing.
            Record::Event(_) | Record::Amended(_) | Record::Unknown => return,
        }
        request.bytes = request.bytes.saturating_add(bytes);
    }

    /// Applies an amendment to the message in the page that is on its way, if it is there: it was read
    /// before. One that then takes more than `bytes_max` more is dropped.
    pub(super) fn amend_older(&mut self, amended: &Amended, bytes_max: usize) {
        let Some(request) = &mut self.request else { return };
        let (messages, target) = (&mut request.page.messages, amended.amendment.target());
        let index = messages.binary_search_by_key(&Some(target), |message| message.seq);
        let Some(message) = index.ok().and_then(|index| messages.get_mut(index)) else { return };
        let before = message.state.bytes();
        message.amend(amended);
        let more = message.state.bytes().saturating_sub(before);
        if more <= bytes_max {
            request.bytes = request.bytes.saturating_add(more);
        } else {
            messages.retain(|message| message.seq != Some(target));
        }
    }

    /// Takes the end of a page; returns the page if it is the one that was asked for, and the number from which
    /// on it has everything. Older ones go on from it, unless it lies after what was seen.
    pub(super) fn on_page(&mut self, before: u64, start: bool) -> Option<(Page, u64)> {
        if 0 < self.n_unwanted {
            self.n_unwanted -= 1;
            return None;
        }
        let request = self.request.take_if(|request| request.before == before)?;
        let first = request.arrived.map_or(before, |(first, _)| first);
        if first < before && before <= self.oldest || before == self.oldest {
            (self.oldest, self.is_at_start) = (first, start);
        }
        Some((Page { start, ..request.page }, first))
    }
}

impl Request {
    fn new(before: u64, limit: u64) -> Self {
        Self { before, limit, page: Page::default(), bytes: 0, arrived: None }
    }
}
