//! The texts that the room's log must hold: those that people said, in the one order in which
//! anybody hears them.

use std::collections::{BTreeMap, HashSet};

/// Every text that was said, and every message of protocol 2 that was heard, by its number. All who
/// hear a number must hear the same.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    /// The name of the log, once that is known.
    epoch: Option<String>,
    said: HashSet<String>,
    heard: BTreeMap<u64, Message>,
    /// The least size of messages that a page had no room for, and that nobody has heard, in bytes of
    /// their text.
    unheard: BTreeMap<u64, usize>,
    /// The last number that a welcome told of.
    last_told: u64,
}

/// One message as it was first heard.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Message {
    pub(crate) time: u64,
    pub(crate) author: String,
    pub(crate) content: String,
}

impl Oracle {
    /// Returns what a log must hold that has the name `epoch`, and of which nobody has heard.
    pub(crate) fn of(epoch: &str) -> Self {
        Self { epoch: Some(epoch.to_owned()), ..Self::default() }
    }

    /// Somebody is told what the log is called, which is what everybody else is told.
    pub(crate) fn check_epoch(&mut self, epoch: &str) {
        let known = self.epoch.get_or_insert_with(|| epoch.to_owned());
        assert_eq!(known, epoch, "the log's name");
    }

    /// Returns true if the log is called `epoch`.
    pub(crate) fn is_epoch(&self, epoch: &str) -> bool {
        self.epoch.as_deref() == Some(epoch)
    }

    /// Somebody says `content`.
    pub(crate) fn say(&mut self, content: &str) {
        self.said.insert(line(content).to_owned());
    }

    /// Somebody hears number `seq`: it is something that was said, and what everybody else hears
    /// under it.
    pub(crate) fn check(&mut self, seq: u64, time: u64, author: &str, content: &str) {
        let known = self.heard.entry(seq).or_insert_with(|| {
            assert!(self.said.contains(line(content)), "nobody said {content:.40?}, number {seq}");
            let least = self.unheard.remove(&seq).unwrap_or_default();
            assert!(least <= content.len(), "a page had room for number {seq}");
            Message { time, author: author.to_owned(), content: content.to_owned() }
        });
        let heard = (time, author, content);
        assert_eq!((known.time, &*known.author, &*known.content), heard, "number {seq}");
    }

    /// Somebody is told that number `seq` is the last, who said hello when `known` was known to be
    /// there.
    pub(crate) fn check_last(&mut self, seq: u64, known: u64) {
        assert!(known <= seq, "number {known} was there before, {seq} is told to be the last");
        self.last_told = self.last_told.max(seq);
    }

    /// Returns number `seq`.
    pub(crate) fn message(&self, seq: u64) -> &Message {
        &self.heard[&seq]
    }

    /// Returns every message that was heard, by its number.
    pub(crate) fn messages(&self) -> impl Iterator<Item = (u64, &Message)> {
        self.heard.iter().map(|(seq, message)| (*seq, message))
    }

    /// Returns the size of number `seq`, if anybody has heard it, in bytes of its text.
    pub(crate) fn bytes(&self, seq: u64) -> Option<usize> {
        self.heard.get(&seq).map(|message| message.content.len())
    }

    /// Number `seq`, if it was heard, or else once it is heard, has at least `least` bytes of text.
    pub(crate) fn check_bytes(&mut self, seq: u64, least: usize) {
        match self.bytes(seq) {
            Some(bytes) => assert!(least <= bytes, "a page had room for number {seq}"),
            None => _ = self.unheard.insert(seq, least),
        }
    }

    /// Returns the last number; 0 if there is none.
    pub(crate) fn last(&self) -> u64 {
        self.heard.last_key_value().map_or(0, |(seq, _)| *seq)
    }

    /// Everything after `forgotten_to`, up to which the log need not have anything any more, was heard,
    /// up to the last number that anybody was told of, and is [in order](Self::check_order).
    pub(crate) fn check_whole(&self, forgotten_to: u64) {
        let kept = self.heard.range(forgotten_to + 1..).map(|(seq, _)| *seq);
        assert!(kept.eq(forgotten_to + 1..=self.last()), "numbers are dense");
        assert!(self.last_told <= self.last(), "{} was never there", self.last_told);
        self.check_order(forgotten_to);
    }

    /// No time is before the one before it. What somebody tagged as `@WHO.NUMBER`, however often it
    /// was sent, is there once, unless it was said again after it was forgotten.
    pub(crate) fn check_order(&self, forgotten_to: u64) {
        assert!(self.heard.values().is_sorted_by_key(|message| message.time), "time goes back");
        let mut tags = BTreeMap::new();
        for (seq, Message { content, .. }) in &self.heard {
            if let Some((tag, _)) = content.split_once(' ')
                && tag.starts_with('@')
                && let Some(first) = tags.insert(tag, *seq)
            {
                assert!(first <= forgotten_to, "{tag} is there twice, as {first} and {seq}");
            }
        }
    }
}

/// Returns a text without the end of line that clients of protocol 1 put after it.
pub(crate) fn line(content: &str) -> &str {
    content.strip_suffix('\n').unwrap_or(content)
}
