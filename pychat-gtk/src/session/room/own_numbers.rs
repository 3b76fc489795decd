//! The numbers of the reader's own latest messages, by which answers to them are known in a room
//! whose messages are not here.

use std::{cell::RefCell, collections::BTreeSet};

/// The most numbers that are remembered of one room; the lowest go.
const NUMBERS_MAX: usize = 32;

/// The numbers of the reader's latest messages in one room.
#[derive(Debug, Default)]
pub(super) struct OwnNumbers(RefCell<BTreeSet<u64>>);

impl OwnNumbers {
    /// Takes in that the reader has said message number `seq`.
    pub(super) fn add(&self, seq: u64) {
        let mut numbers = self.0.borrow_mut();
        numbers.insert(seq);
        if NUMBERS_MAX < numbers.len() {
            numbers.pop_first();
        }
    }

    /// Takes in those that were kept.
    pub(super) fn restore(&self, kept: &[u64]) {
        self.0.take();
        for seq in kept {
            self.add(*seq);
        }
    }

    /// Forgets them: numbers mean other messages from now on.
    pub(super) fn clear(&self) {
        self.0.take();
    }

    /// Returns true if message number `seq` is one of them.
    pub(super) fn has(&self, seq: u64) -> bool {
        self.0.borrow().contains(&seq)
    }

    /// Returns all of them, the lowest first.
    pub(super) fn all(&self) -> Vec<u64> {
        self.0.borrow().iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_remembered() {
        let numbers = OwnNumbers::default();
        (1..=NUMBERS_MAX as u64 + 1).for_each(|seq| numbers.add(seq));
        assert!(!numbers.has(1) && numbers.has(2));
        let restored = OwnNumbers::default();
        restored.restore(&numbers.all());
        assert_eq!(restored.all(), numbers.all());
        restored.clear();
        assert!(restored.all().is_empty());
    }
}
