//! Who is present, in the order in which they joined.
//!
//! Invariant: no two people present have names that a reader would take for each other.

use std::collections::{BTreeMap, HashMap};

use pychat_wire::{UserName, message::Listing, name::Skeleton};

use crate::id::ConnectionId;

/// What stands between two names in a list of them.
const SEPARATOR: &str = ", ";

/// The people present.
#[derive(Debug, Default)]
pub struct Roster {
    /// In join order; the number is only good for that.
    participants: BTreeMap<u64, FreeName>,
    by_id: HashMap<ConnectionId, u64>,
    /// How many skeletons of people present are this one; a name may have the same one twice.
    taken: HashMap<Skeleton, u32>,
    /// Names that were asked for and taken, while anybody is present under a number instead.
    numbered: HashMap<UserName, Numbered>,
    /// The names in join order, joined; `None` since somebody left, until somebody asks.
    listing: Option<String>,
    /// The same for protocol 2.
    members: Option<Listing>,
    next_number: u64,
}

/// Who was given a number for the same name.
#[derive(Debug)]
struct Numbered {
    count: usize,
    /// Every `name (number)` below this number is taken.
    lowest_free: u32,
}

impl Default for Numbered {
    fn default() -> Self {
        Self { count: 0, lowest_free: 2 }
    }
}

/// A name that nobody present has.
#[derive(Debug)]
pub struct FreeName {
    name: UserName,
    /// The name that was asked for and taken, and the number that it was given.
    numbered: Option<(UserName, u32)>,
}

impl FreeName {
    /// Returns the name.
    pub fn name(&self) -> &UserName {
        &self.name
    }
}

impl Roster {
    /// Returns the name under which somebody who asks for `name` can join now: that one or, where it
    /// is taken, the first free `name (2)`, `name (3)` …
    pub fn find_free(&self, name: UserName) -> FreeName {
        if !self.is_taken(&name) {
            return FreeName { name, numbered: None };
        }
        let mut number = self.numbered.get(&name).map_or(2, |numbered| numbered.lowest_free);
        let mut given = name.numbered(number);
        while self.is_taken(&given) {
            number += 1;
            given = name.numbered(number);
        }
        FreeName { name: given, numbered: Some((name, number)) }
    }

    /// Lets `id` in under a name that is free.
    ///
    /// # Panics
    ///
    /// In debug builds, if `id` is present already, or the name is taken by now.
    pub fn join(&mut self, id: ConnectionId, free: FreeName) {
        debug_assert!(!self.by_id.contains_key(&id), "one person a connection");
        debug_assert!(!self.is_taken(&free.name), "one person a name");
        for skeleton in free.name.skeletons() {
            *self.taken.entry(skeleton.clone()).or_default() += 1;
        }
        if let Some((asked, number)) = &free.numbered {
            let numbered = self.numbered.entry(asked.clone()).or_default();
            numbered.count += 1;
            numbered.lowest_free = number + 1;
        }
        if let Some(listing) = &mut self.listing {
            append(listing, &free.name);
        }
        if let Some(members) = &mut self.members {
            members.push(free.name.as_str());
        }
        self.participants.insert(self.next_number, free);
        self.by_id.insert(id, self.next_number);
        self.next_number += 1;
        self.check_invariants();
    }

    /// Lets `id` in under the name that it had in another process; returns false if somebody has it.
    pub fn restore(&mut self, id: ConnectionId, name: UserName) -> bool {
        let is_free = !self.is_taken(&name);
        if is_free {
            self.join(id, FreeName { name, numbered: None });
        }
        is_free
    }

    /// Returns the position of `id` in join order, if it is present; numbers may be missing.
    pub fn join_index(&self, id: ConnectionId) -> Option<u64> {
        self.by_id.get(&id).copied()
    }

    /// Returns the join index of the person who joins next.
    pub fn next_join_index(&self) -> u64 {
        self.next_number
    }

    /// Takes `id` off the roster; returns its name if it was present.
    pub fn leave(&mut self, id: ConnectionId) -> Option<UserName> {
        let number = self.by_id.remove(&id)?;
        let FreeName { name, numbered } = self.participants.remove(&number)?;
        for skeleton in name.skeletons() {
            if let Some(count) = self.taken.get_mut(skeleton) {
                *count -= 1;
                if *count == 0 {
                    self.taken.remove(skeleton);
                }
            }
        }
        if let Some((asked, number)) = numbered
            && let Some(numbered) = self.numbered.get_mut(&asked)
        {
            numbered.count -= 1;
            numbered.lowest_free = numbered.lowest_free.min(number);
            if numbered.count == 0 {
                self.numbered.remove(&asked);
            }
        }
        (self.listing, self.members) = (None, None);
        self.check_invariants();
        Some(name)
    }

    /// Returns the names of those present, in join order, separated by `, `.
    pub fn listing(&mut self) -> &str {
        self.listing.get_or_insert_with(|| {
            let mut listing = String::new();
            self.participants
                .values()
                .for_each(|participant| append(&mut listing, &participant.name));
            listing
        })
    }

    /// Returns the names of those present, in join order, as protocol 2 lists them.
    pub fn members(&mut self) -> &Listing {
        self.members.get_or_insert_with(|| {
            self.participants.values().map(|participant| participant.name.as_str()).collect()
        })
    }

    /// Returns who has exactly this name.
    pub fn holder(&self, name: &UserName) -> Option<ConnectionId> {
        if !self.is_taken(name) {
            return None;
        }
        let holds = |(_, number): &(&ConnectionId, &u64)| {
            self.participants.get(number).is_some_and(|participant| participant.name == *name)
        };
        self.by_id.iter().find(holds).map(|(id, _)| *id)
    }

    /// Returns the name of `id`, if it is present.
    pub fn name(&self, id: ConnectionId) -> Option<&UserName> {
        self.participants.get(self.by_id.get(&id)?).map(|participant| &participant.name)
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

fn append(listing: &mut String, name: &UserName) {
    if !listing.is_empty() {
        listing.push_str(SEPARATOR);
    }
    listing.push_str(name.as_str());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(slot: u32) -> ConnectionId {
        ConnectionId { slot, generation: 0 }
    }

    fn join(roster: &mut Roster, slot: u32, name: &str) -> String {
        let free = roster.find_free(UserName::new(name).unwrap());
        let given = free.name().to_string();
        roster.join(id(slot), free);
        given
    }

    fn names(roster: &mut Roster) -> Vec<String> {
        roster.members().names()
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
        assert_eq!(names(&mut roster), ["c", "b", "a"]);
        assert_eq!(roster.listing(), "c, b, a");
        join(&mut roster, 4, "d");
        assert_eq!(roster.listing(), "c, b, a, d");
        roster.leave(id(3));
        assert_eq!(roster.listing(), "b, a, d");
        assert_eq!(names(&mut roster), ["b", "a", "d"]);
        assert_eq!(roster.name(id(2)).map(UserName::as_str), Some("b"));
        let holder = |name| roster.holder(&UserName::new(name).unwrap());
        assert_eq!((holder("b"), holder("B"), holder("c")), (Some(id(2)), None, None));
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
        roster.leave(id(3));
        assert_eq!(join(&mut roster, 3, "Анна"), "Анна (3)");
        for slot in [1, 3, 4, 5, 6] {
            roster.leave(id(slot));
        }
        assert!(roster.is_empty() && roster.taken.is_empty() && roster.numbered.is_empty());
        assert_eq!(roster.listing(), "");
        assert_eq!(join(&mut roster, 7, "Анна"), "Анна");
    }
}
