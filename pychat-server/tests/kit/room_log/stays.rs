//! The people in one room, by its records.

use std::collections::BTreeMap;

/// The stays of people in a room: from the record by which each came to the one by which they went.
#[derive(Debug, Default)]
pub(crate) struct Stays(BTreeMap<String, Vec<(u64, u64)>>);

impl Stays {
    pub(super) fn enter(&mut self, name: &str, seq: u64) {
        assert!(!self.has(name, seq), "{name} comes, being there, number {seq}");
        self.0.entry(name.to_owned()).or_default().push((seq, u64::MAX));
    }

    pub(super) fn go(&mut self, name: &str, seq: u64) {
        let stays = self.0.get_mut(name).and_then(|stays| stays.last_mut());
        let (_, end) = stays.filter(|(_, end)| *end == u64::MAX).expect("who goes is there");
        *end = seq;
    }

    /// Returns true if `name` was there when number `seq` was said: it may be the one by which they
    /// came, or went.
    pub(crate) fn has(&self, name: &str, seq: u64) -> bool {
        self.of(name).any(|(from, to)| (from..=to).contains(&seq))
    }

    /// Returns true if `name` was there after number `seq`.
    pub(crate) fn has_after(&self, name: &str, seq: u64) -> bool {
        self.of(name).any(|(from, to)| (from..to).contains(&seq))
    }

    /// Returns true if `name` was there all the time after number `seq`.
    pub(crate) fn has_ever_after(&self, name: &str, seq: u64) -> bool {
        self.of(name).any(|(from, to)| from <= seq && to == u64::MAX)
    }

    /// Returns true if `name` ever was there.
    pub(crate) fn had(&self, name: &str) -> bool {
        self.of(name).next().is_some()
    }

    /// Returns the names of those who were there after number `seq`, sorted.
    pub(crate) fn names_after(&self, seq: u64) -> Vec<&str> {
        self.0.keys().map(|name| &**name).filter(|name| self.has_after(name, seq)).collect()
    }

    /// Returns true if `name` came with number `seq`.
    pub(crate) fn is_entry(&self, name: &str, seq: u64) -> bool {
        self.of(name).any(|(from, _)| from == seq)
    }

    fn of(&self, name: &str) -> impl Iterator<Item = (u64, u64)> {
        self.0.get(name).into_iter().flatten().copied()
    }
}
