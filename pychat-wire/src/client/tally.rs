//! The messages of others that our person has not seen, in one room.
//!
//! The server counts them when it describes the room; from there on the client counts on. Numbers
//! that were heard without a break, up to the last one, are counted exactly. Of the older ones no
//! more is known than how many of them the server has counted.

use std::collections::VecDeque;

use super::UNREAD_MAX;

#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The number up to which everything was seen, here or on another device.
    mark: u64,
    /// The same, as far as the server knows.
    told: u64,
    /// The number up to which another device has seen what may be yet to come here.
    ahead: u64,
    /// The numbers that the server counted, as (exclusive lower, inclusive upper) bound.
    counted: (u64, u64),
    /// The number of messages that the server counted and that were not heard.
    n_hidden: u64,
    /// The number from which on everything was heard.
    known_from: u64,
    /// The numbers of the messages of others that were heard, oldest first; at most [`UNREAD_MAX`].
    heard: VecDeque<u64>,
}

impl Tally {
    /// Returns the tally of a room in which everything after `last` will be heard, and of which
    /// everything up to `mark` was seen.
    pub(super) fn new(last: u64, mark: u64) -> Self {
        Self { mark, known_from: last.saturating_add(1), ..Self::default() }
    }

    pub(super) fn mark(&self) -> u64 {
        self.mark
    }

    /// Returns the last number that the server has counted.
    pub(super) fn counted_to(&self) -> u64 {
        self.counted.1
    }

    /// Takes the server's count: `unread` messages after `read`, up to `last`, or up to where it has
    /// counted before.
    pub(super) fn count(&mut self, last: u64, read: u64, unread: u64) {
        let (last, read) = (last.max(self.counted.1), read.min(last));
        (self.counted, self.told) = ((read, last), read);
        self.mark = self.mark.max(read);
        self.prune();
        let n_heard = self.n_counted_and_heard();
        // At its limit the server has stopped counting.
        let is_exact = unread < UNREAD_MAX;
        self.n_hidden = if is_exact { unread.saturating_sub(n_heard) } else { u64::MAX };
    }

    /// Takes in that nothing after `last` exists any more.
    pub(super) fn rewind(&mut self, last: u64) {
        (self.mark, self.ahead) = (self.mark.min(last), self.ahead.min(last));
        self.counted.1 = self.counted.1.min(last);
        self.known_from = self.known_from.min(last.saturating_add(1));
        self.heard.retain(|seq| *seq <= last);
    }

    /// Takes the next message.
    pub(super) fn hear(&mut self, seq: u64, is_own: bool) {
        if is_own {
            self.learn(seq);
            return;
        }
        self.reveal(seq);
        if seq <= self.mark {
            return;
        }
        if self.heard.len() as u64 == UNREAD_MAX
            && let Some(oldest) = self.heard.pop_front()
        {
            self.known_from = oldest.saturating_add(1);
        }
        self.heard.push_back(seq);
    }

    /// Takes in that a message is there no more, which record number `by` says. If it comes back, the server
    /// counts it again.
    pub(super) fn forget(&mut self, seq: u64, by: u64) {
        let (n_heard, (above, last)) = (self.heard.len(), self.counted);
        self.heard.retain(|heard| *heard != seq);
        let is_hidden = n_heard == self.heard.len() && above.max(self.mark) < seq && seq <= last;
        // The server does not count what was deleted before.
        if is_hidden && last < by && self.n_hidden != u64::MAX {
            self.n_hidden = self.n_hidden.saturating_sub(1);
        }
    }

    /// Takes in that nothing up to `to` was heard, but exists.
    pub(super) fn skip(&mut self, to: u64) {
        self.n_hidden = self.n_hidden.saturating_add(self.n_counted_and_heard());
        self.heard.clear();
        self.known_from = to.saturating_add(1);
    }

    /// Takes the messages of others, oldest first, of a page whose records are those from `first` on
    /// and before `before`.
    pub(super) fn page(&mut self, (first, before): (u64, u64), others: &[u64]) {
        if before < self.known_from {
            return;
        }
        let known_from = self.known_from;
        for seq in others.iter().rev().copied().filter(|seq| *seq < known_from) {
            self.reveal(seq);
            if self.heard.len() as u64 == UNREAD_MAX {
                self.known_from = seq.saturating_add(1);
                return;
            }
            if self.mark < seq {
                self.heard.push_front(seq);
            }
        }
        self.known_from = self.known_from.min(first);
    }

    /// Takes in that everything up to `seq` was seen; returns true if that is news.
    pub(super) fn see(&mut self, seq: u64) -> bool {
        let is_news = self.mark < seq;
        self.mark = self.mark.max(seq);
        self.prune();
        is_news
    }

    /// Takes in that the server knows everything up to `seq` to be seen; returns true if that is news.
    pub(super) fn learn(&mut self, seq: u64) -> bool {
        self.told = self.told.max(seq);
        self.see(seq)
    }

    /// Takes in that the server has everything up to `seq` as seen, and no more: it may not have kept what
    /// it was told. What comes after `last` counts as seen once it has [come](Self::reach). Returns true if
    /// that is news.
    pub(super) fn hear_mark(&mut self, seq: u64, last: u64) -> bool {
        (self.told, self.ahead) = (seq.min(last), seq);
        self.see(self.told)
    }

    /// Takes in that everything up to `last` has come.
    pub(super) fn reach(&mut self, last: u64) {
        if self.mark < self.ahead {
            self.learn(self.ahead.min(last));
        }
    }

    /// Returns the mark, if the server is to be told of it; from then on it knows it.
    pub(super) fn tell(&mut self) -> Option<u64> {
        let is_news = self.is_news();
        self.told = self.told.max(self.mark);
        is_news.then_some(self.mark)
    }

    /// Returns true if the server is to be told of the mark.
    pub(super) fn is_news(&self) -> bool {
        self.told < self.mark
    }

    /// Returns the number of messages of others after the mark, at most [`UNREAD_MAX`]. `last` is the
    /// number up to which everything was heard.
    pub(super) fn unread(&self, last: u64) -> u64 {
        let n_before = self.known_from.saturating_sub(1).saturating_sub(self.mark);
        let n_after = self.counted.1.saturating_sub(last.max(self.mark));
        let n_hidden = self.n_hidden.min(n_before.saturating_add(n_after));
        n_hidden.saturating_add(self.heard.len() as u64).min(UNREAD_MAX)
    }

    /// Takes in that a message is not hidden any more, if it was.
    fn reveal(&mut self, seq: u64) {
        if self.is_counted(seq) && self.n_hidden != u64::MAX {
            self.n_hidden = self.n_hidden.saturating_sub(1);
        }
    }

    fn is_counted(&self, seq: u64) -> bool {
        self.counted.0 < seq && seq <= self.counted.1
    }

    fn n_counted_and_heard(&self) -> u64 {
        self.heard.iter().filter(|seq| self.is_counted(**seq)).count() as u64
    }

    fn prune(&mut self) {
        while self.heard.pop_front_if(|seq| *seq <= self.mark).is_some() {}
    }
}
