//! Who is present, in the order in which they joined.
//!
//! Invariant: no two people present have names that a reader would take for each other.

use std::collections::{BTreeMap, HashMap};

use pychat_wire::{UserName, name::Skeleton};

use crate::id::ConnectionId;

/// The people present.
#[derive(Debug, Default)]
pub struct Roster {
    /// In join order; the number is only good for that.
    participants: BTreeMap<u64, UserName>,
    by_id: HashMap<ConnectionId, u64>,
    /// How many skeletons of people present are this one; a name may have the same one twice.
    taken: HashMap<Skeleton, u32>,
    next_number: u64,
}

impl Roster {
    /// Lets `id` in, as `name` or, where that is taken, as the first free `name (2)`, `name (3)` …
    ///
    /// Returns the name given.
    ///
    /// # Panics
    ///
    /// In debug builds, if `id` is present already.
    pub fn join(&mut self, id: ConnectionId, name: &UserName) -> UserName {
        debug_assert!(!self.by_id.contains_key(&id), "one person a connection");
        let mut given = name.clone();
        let mut number = 1;
        while self.is_taken(&given) {
            number += 1;
            given = name.numbered(number);
        }
        for skeleton in given.skeletons() {
            *self.taken.entry(skeleton).or_default() += 1;
        }
        self.participants.insert(self.next_number, given.clone());
        self.by_id.insert(id, self.next_number);
        self.next_number += 1;
        self.check_invariants();
        given
    }

    /// Takes `id` off the roster; returns its name if it was present.
    pub fn leave(&mut self, id: ConnectionId) -> Option<UserName> {
        let name = self.participants.remove(&self.by_id.remove(&id)?)?;
        for skeleton in name.skeletons() {
            if let Some(count) = self.taken.get_mut(&skeleton) {
                *count -= 1;
                if *count == 0 {
                    self.taken.remove(&skeleton);
                }
            }
        }
        self.check_invariants();
        Some(name)
    }

    /// Returns the names of those present, in join order.
    pub fn names(&self) -> impl Iterator<Item = &UserName> {
        self.participants.values()
    }

    /// Returns the name of `id`, if it is present.
    pub fn name(&self, id: ConnectionId) -> Option<&UserName> {
        self.participants.get(self.by_id.get(&id)?)
    }

    /// Returns how many are present.
    pub fn len(&self) -> usize {
        self.participants.len()
    }

    /// Returns true if nobody is present.
    pub fn is_empty(&self) -> bool {
        self.participants.is_empty()
    }

    fn is_taken(&self, name: &UserName) -> bool {
        name.skeletons().iter().any(|skeleton| self.taken.contains_key(skeleton))
    }

    fn check_invariants(&self) {
        debug_assert_eq!(self.participants.len(), self.by_id.len());
        debug_assert!(self.taken.len() <= 2 * self.participants.len());
        debug_assert!(self.participants.len() <= self.taken.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(slot: u32) -> ConnectionId {
        ConnectionId { slot, generation: 0 }
    }

    fn join(roster: &mut Roster, slot: u32, name: &str) -> String {
        roster.join(id(slot), &UserName::new(name).unwrap()).to_string()
    }

    fn names(roster: &Roster) -> Vec<&str> {
        roster.names().map(UserName::as_str).collect()
    }

    #[test]
    fn names_are_told_in_join_order() {
        let mut roster = Roster::default();
        for (slot, name) in [(3, "c"), (1, "a"), (2, "b")] {
            assert_eq!(join(&mut roster, slot, name), name);
        }
        assert_eq!(roster.leave(id(1)).unwrap().as_str(), "a");
        assert_eq!(roster.leave(id(1)), None);
        join(&mut roster, 1, "a");
        assert_eq!(names(&roster), ["c", "b", "a"]);
        assert_eq!(roster.name(id(2)).map(UserName::as_str), Some("b"));
    }

    #[test]
    fn a_taken_name_is_given_a_number() {
        let mut roster = Roster::default();
        for (slot, given) in [(1, "Анна"), (2, "Анна (2)"), (3, "Анна (3)")] {
            assert_eq!(join(&mut roster, slot, "Анна"), given);
        }
        assert_eq!(join(&mut roster, 4, "AННA"), "AННA (4)");
        assert_eq!(join(&mut roster, 5, "анна (2)"), "анна (2) (2)");
        roster.leave(id(2));
        assert_eq!(join(&mut roster, 6, "Анна"), "Анна (2)");
        for slot in [1, 3, 4, 5, 6] {
            roster.leave(id(slot));
        }
        assert!(roster.is_empty() && roster.taken.is_empty());
        assert_eq!(join(&mut roster, 7, "Анна"), "Анна");
    }
}
