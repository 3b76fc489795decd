//! The pages of older messages that somebody asks for, and what they must be.

use std::{collections::BTreeMap, mem};

use super::Oracle;

/// The most text that a page has, in bytes.
const PAGE_BYTES_MAX: usize = 256 << 10;

/// What was asked for on one connection, and has not been answered.
#[derive(Debug)]
pub(super) struct Pages {
    /// How many messages are wanted at most, and what was the last number then, by the number before
    /// which they are wanted.
    asked: BTreeMap<u64, (u64, u64)>,
    /// What was heard of the page that is being answered.
    heard: Vec<u64>,
    /// What is old is not kept, so pages may be short.
    forgets: bool,
}

impl Pages {
    /// Returns no pages, of a server that `forgets`.
    pub(super) fn new(forgets: bool) -> Self {
        Self { asked: BTreeMap::new(), heard: Vec::new(), forgets }
    }

    /// Somebody who has heard number `last` asks for `limit` messages before `before`.
    pub(super) fn ask(&mut self, before: u64, limit: u64, last: u64) {
        self.asked.insert(before, (limit, last));
    }

    /// Returns how many are waited for.
    pub(super) fn len(&self) -> usize {
        self.asked.len()
    }

    /// Returns true if the one before `before` is waited for.
    pub(super) fn are_asked_before(&self, before: u64) -> bool {
        self.asked.contains_key(&before)
    }

    /// Somebody hears number `seq` as part of one.
    pub(super) fn hear(&mut self, seq: u64) {
        self.heard.push(seq);
    }

    /// A page has the newest messages before a number, oldest first, and says how many; no more than
    /// were asked for, nor than a page has room for.
    pub(super) fn end(&mut self, before: u64, count: u64, start: bool, oracle: &Oracle) {
        let page = mem::take(&mut self.heard);
        let (limit, last_then) = self.asked.remove(&before).expect("a page that was asked for");
        assert_eq!(page.len() as u64, count);
        assert!(count <= limit.min(500), "{count} of {limit}");
        let is_next = |a: &u64, b: &u64| a + 1 == *b || (self.forgets && a < b);
        assert!(page.is_sorted_by(is_next), "{page:?}");
        if let (Some(first), Some(last)) = (page.first(), page.last()) {
            let is_newest = last_then.min(before - 1) <= *last || self.forgets;
            assert!(*last < before && is_newest, "{last} before {before}");
            assert!(*first != 1 || start, "nothing is before 1");
        }
        let bytes: usize = page.iter().filter_map(|seq| oracle.bytes(*seq)).sum();
        assert!(count <= 1 || bytes <= PAGE_BYTES_MAX, "{bytes} bytes of text in a page");
        let next = page.first().and_then(|first| oracle.bytes(first - 1));
        let is_full = next.is_some_and(|next| PAGE_BYTES_MAX < bytes + next);
        let is_whole = start || is_full || count == limit.min(500);
        assert!(is_whole || self.forgets, "{count} of {limit}");
    }
}
