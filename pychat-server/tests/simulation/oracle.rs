//! What the room's log must hold, as far as anybody has heard of it.

use std::collections::{BTreeMap, BTreeSet};

/// Every message of protocol 2 that was ever heard, by its number. Whoever hears a number again
/// must hear the same.
#[derive(Debug, Default)]
pub(crate) struct Oracle(BTreeMap<u64, Message>);

/// One message as whoever heard it first heard it.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Message {
    pub(crate) time: u64,
    pub(crate) author: String,
    pub(crate) content: String,
}

impl Oracle {
    /// Somebody hears number `seq`: what it says is what everybody else heard under it.
    pub(crate) fn check(&mut self, seq: u64, time: u64, author: &str, content: &str) {
        let known = self.0.entry(seq).or_insert_with(|| Message {
            time,
            author: author.to_owned(),
            content: content.to_owned(),
        });
        let heard = (time, author, content);
        assert_eq!((known.time, &*known.author, &*known.content), heard, "number {seq}");
    }

    /// Returns number `seq`.
    pub(crate) fn message(&self, seq: u64) -> &Message {
        &self.0[&seq]
    }

    /// Returns the size of number `seq`, if anybody has heard it, in bytes of its text.
    pub(crate) fn bytes(&self, seq: u64) -> Option<usize> {
        self.0.get(&seq).map(|message| message.content.len())
    }

    /// Returns the last number; 0 if there is none.
    pub(crate) fn last(&self) -> u64 {
        self.0.last_key_value().map_or(0, |(seq, _)| *seq)
    }

    /// Numbers are dense from 1, and no time is before the one before it. What somebody tagged as
    /// `@WHO.NUMBER`, however often it was sent, is there once, unless the log `forgets`.
    pub(crate) fn check_whole(&self, forgets: bool) {
        assert!(self.0.keys().copied().eq(1..=self.last()), "numbers are dense");
        assert!(self.0.values().is_sorted_by_key(|message| message.time), "time goes back");
        let mut tags = BTreeSet::new();
        for Message { content, .. } in self.0.values() {
            if let Some((tag, _)) = content.split_once(' ')
                && tag.starts_with('@')
            {
                assert!(tags.insert(tag) || forgets, "{tag} is there twice");
            }
        }
    }
}
