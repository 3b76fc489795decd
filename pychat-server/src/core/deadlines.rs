//! Deadlines: an ordered set of (time, id), at most one for each id.

use std::{collections::BTreeSet, hash::Hash, time::Instant};

use rustc_hash::FxHashMap;

use crate::core::id::ConnectionId;

/// The deadlines of many connections, or of other things with an id, soonest first.
#[derive(Debug)]
pub struct Deadlines<K = ConnectionId> {
    ordered: BTreeSet<(Instant, K)>,
    by_id: FxHashMap<K, Instant>,
}

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Self { ordered: BTreeSet::new(), by_id: FxHashMap::default() }
    }
}

impl<K: Copy + Hash + Ord> Deadlines<K> {
    /// Sets the deadline of `id`, in place of any that it had.
    pub fn set(&mut self, id: K, deadline: Instant) {
        self.clear(id);
        self.by_id.insert(id, deadline);
        self.ordered.insert((deadline, id));
    }

    /// Takes the deadline of `id` away, if it had one.
    pub fn clear(&mut self, id: K) {
        if let Some(deadline) = self.by_id.remove(&id) {
            self.ordered.remove(&(deadline, id));
        }
    }

    /// Takes out one whose deadline is `now` or was before, the most overdue first.
    pub fn pop_due(&mut self, now: Instant) -> Option<K> {
        let (deadline, id) = *self.ordered.first()?;
        if now < deadline {
            return None;
        }
        self.clear(id);
        Some(id)
    }

    /// Returns the deadline of `id`, if it has one.
    pub fn of(&self, id: K) -> Option<Instant> {
        self.by_id.get(&id).copied()
    }

    /// Returns the one with the soonest deadline.
    pub fn first(&self) -> Option<K> {
        self.ordered.first().map(|(_, id)| *id)
    }

    /// Returns the soonest deadline.
    pub fn next(&self) -> Option<Instant> {
        self.ordered.first().map(|(deadline, _)| *deadline)
    }

    /// Returns how many have a deadline.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Returns true if nobody has a deadline.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn id(slot: u32) -> ConnectionId {
        ConnectionId { slot, generation: 0 }
    }

    #[test]
    fn deadlines_fall_due_in_order_at_their_time_and_not_before() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let just_before = at(0) + Duration::from_nanos(999_999_999);
        let mut deadlines = Deadlines::default();
        deadlines.set(id(1), at(3));
        deadlines.set(id(2), at(1));
        deadlines.set(id(3), at(1));
        assert_eq!(deadlines.next(), Some(at(1)));
        assert_eq!(deadlines.pop_due(just_before), None);
        assert_eq!(deadlines.pop_due(at(1)), Some(id(2)));
        assert_eq!(deadlines.pop_due(at(1)), Some(id(3)));
        assert_eq!(deadlines.pop_due(at(1)), None);
        assert_eq!(deadlines.pop_due(at(9)), Some(id(1)));
        assert!(deadlines.is_empty());
    }

    #[test]
    fn a_new_deadline_replaces_the_old_one() {
        let start = Instant::now();
        let mut deadlines = Deadlines::default();
        deadlines.set(id(1), start);
        deadlines.set(id(1), start + Duration::from_secs(5));
        assert_eq!((deadlines.pop_due(start), deadlines.len()), (None, 1));
        deadlines.clear(id(1));
        deadlines.clear(id(1));
        assert_eq!((deadlines.next(), deadlines.len()), (None, 0));
    }
}
