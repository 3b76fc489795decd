//! The pages of older messages that somebody asks for, and what they must be.

use std::{collections::BTreeMap, mem};

use super::room_log::{PageHeard, RoomLog};

/// The pages that were asked for on one connection, and have not been answered.
#[derive(Debug)]
pub(super) struct Pages {
    /// The pages that must come, by the number before which they are wanted.
    asked: BTreeMap<u64, Wanted>,
    /// Those that may come, or be refused: their room was left, or not there, when they were asked for.
    doubtful: BTreeMap<u64, Wanted>,
    /// The numbers that were heard of the page that is being answered.
    heard: Vec<u64>,
    /// Old messages are not kept, so pages may be short.
    forgets: bool,
}

/// One page that is wanted.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    /// The most messages.
    limit: u64,
    /// The last number that was heard when it was asked for.
    last: u64,
}

impl Pages {
    /// Returns no pages, of a server that `forgets`.
    pub(super) fn new(forgets: bool) -> Self {
        Self { asked: BTreeMap::new(), doubtful: BTreeMap::new(), heard: Vec::new(), forgets }
    }

    /// Somebody who has heard number `last`, if they are in the room, asks for `limit` messages before
    /// `before`.
    pub(super) fn ask(&mut self, before: u64, limit: u64, last: Option<u64>) {
        let pages = if last.is_some() { &mut self.asked } else { &mut self.doubtful };
        pages.insert(before, Wanted { limit, last: last.unwrap_or_default() });
    }

    /// Returns how many are waited for.
    pub(super) fn len(&self) -> usize {
        self.asked.len()
    }

    /// Returns true if the one before `before` is waited for.
    pub(super) fn are_asked_before(&self, before: u64) -> bool {
        self.asked.contains_key(&before) || self.doubtful.contains_key(&before)
    }

    /// Somebody hears number `seq` as part of one.
    pub(super) fn hear(&mut self, seq: u64) {
        self.heard.push(seq);
    }

    /// Somebody is in the room no more: the page that is being answered will not be answered to its
    /// end, and others may be refused.
    pub(super) fn break_off(&mut self) {
        self.heard.clear();
        self.doubtful.append(&mut self.asked);
    }

    /// Returns how many may come or not.
    pub(super) fn n_doubtful(&self) -> usize {
        self.doubtful.len()
    }

    /// A page has the newest messages before a number, oldest first, and says how many; no more than
    /// were asked for, nor than a page has room for.
    pub(super) fn end(&mut self, before: u64, count: u64, start: bool, log: &mut RoomLog) {
        let page = mem::take(&mut self.heard);
        let wanted = self.asked.remove(&before).or_else(|| self.doubtful.remove(&before));
        let Wanted { limit, last: last_then } = wanted.expect("a page that was asked for");
        assert_eq!(page.len() as u64, count);
        assert!(count <= limit.min(500), "{count} of {limit}");
        assert!(page.is_sorted_by(|a, b| a < b), "{page:?}");
        if let (Some(first), Some(last)) = (page.first(), page.last()) {
            assert!(*last < before, "{last} before {before}");
            assert!(*first != 1 || start, "nothing is before 1");
        }
        if self.forgets {
            return;
        }
        let is_full = start || count == limit.min(500);
        if 0 < limit {
            // The numbers between those of a page, and after them, are amendments.
            let end = (last_then + 1).min(before);
            let begin =
                if start { 1 } else { *page.first().expect("a page of nothing is the first") };
            let ends = page.iter().copied().chain([end]);
            let begins = [begin].into_iter().chain(page.iter().map(|seq| seq + 1));
            begins.zip(ends).flat_map(|(begin, end)| begin..end).for_each(|seq| log.leave_out(seq));
        }
        log.note_page(PageHeard { numbers: page, known: last_then, is_full });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::kit::room_log::{Copy, Message};

    /// Returns the log of a room of which numbers from `first` to 20 were heard, of 16 KiB each.
    fn log(first: u64) -> RoomLog {
        let mut log = RoomLog::default();
        let text = "m".repeat(16 << 10);
        (first..=20)
            .for_each(|seq| _ = log.check(seq, &Message::text(seq, "a", &text), Copy::Live));
        log
    }

    /// Somebody is sent the page that begins with number `first`.
    fn send_page_from(first: u64, log: &mut RoomLog) {
        let mut pages = Pages::new(false);
        pages.ask(21, 500, Some(20));
        (first..=20).for_each(|seq| pages.hear(seq));
        pages.end(21, 21 - first, false, log);
    }

    #[test]
    fn a_page_without_room_for_the_message_before_it_is_full() {
        let mut log = log(1);
        send_page_from(5, &mut log);
        log.check_whole(0);
    }

    #[test]
    #[should_panic(expected = "a page had room for number 5")]
    fn a_page_with_room_for_the_message_before_it_is_not_full() {
        let mut log = log(1);
        send_page_from(6, &mut log);
        log.check_whole(0);
    }

    #[test]
    #[should_panic(expected = "a page had room for number 5")]
    fn a_page_is_held_against_the_message_before_it_once_that_is_heard() {
        let mut log = log(6);
        send_page_from(6, &mut log);
        log.check(5, &Message::text(5, "a", "short"), Copy::Live);
        log.check_whole(4);
    }
}
