//! The roster: the people present, in the order in which they joined.
//!
//! Invariant: no two people present have names that a reader would take for each other.

mod numbers;

use std::collections::{BTreeMap, HashMap};

use pychat_wire::{UserName, message::Listing, name::Skeleton};

use self::numbers::Numbers;
use crate::core::id::ConnectionId;

/// The separator of two names in a list of them.
const SEPARATOR: &str = ", ";

/// The people present.
#[derive(Debug, Default)]
pub struct Roster {
    /// The names by join index, which is good for the order alone.
    participants: BTreeMap<u64, UserName>,
    by_id: HashMap<ConnectionId, u64>,
    /// The person present with a name of this skeleton.
    taken: HashMap<Skeleton, ConnectionId>,
    /// The numbers behind the names of people present, given or chosen.
    numbers: Numbers,
    /// The names in join order, joined; `None` since somebody left, until somebody asks.
    listing: Option<String>,
    /// The same for protocol 2.
    members: Option<Listing>,
    next_number: u64,
}

/// A name that nobody present has.
#[derive(Debug)]
pub struct FreeName(UserName);

impl FreeName {
    /// Returns the name.
    pub fn name(&self) -> &UserName {
        &self.0
    }
}

impl Roster {
    /// Returns the name under which somebody who asks for `name` can join now: that one or, where it
    /// is taken or reserved, `name (2)`, `name (3)` … A handful of look-ups finds it, however many are
    /// taken; where numbers are reserved for people who are away, some are left out.
    pub fn find_free(&self, name: UserName, is_reserved: impl Fn(&UserName) -> bool) -> FreeName {
        let is_free = |name: &UserName| !self.is_taken(name) && !is_reserved(name);
        if is_free(&name) {
            return FreeName(name);
        }
        let (mut number, mut step) = (self.numbers.find_free(&name), 1);
        let mut given = name.numbered(number);
        while !is_free(&given) {
            number = number.saturating_add(step);
            step = step.saturating_mul(2);
            given = name.numbered(number);
        }
        FreeName(given)
    }

    /// Lets `id` in under a name that is free.
    ///
    /// # Panics
    ///
    /// In debug builds, if `id` is present already, or the name is taken by now.
    pub fn join(&mut self, id: ConnectionId, free: FreeName) {
        debug_assert!(!self.by_id.contains_key(&id), "one person a connection");
        let FreeName(name) = free;
        debug_assert!(!self.is_taken(&name), "one person a name");
        for skeleton in name.skeletons() {
            if self.taken.insert(skeleton.clone(), id).is_none() {
                self.numbers.take(skeleton);
            }
        }
        if let Some(listing) = &mut self.listing {
            append(listing, &name);
        }
        if let Some(members) = &mut self.members {
            members.push(name.as_str());
        }
        self.participants.insert(self.next_number, name);
        self.by_id.insert(id, self.next_number);
        self.next_number += 1;
        self.check_invariants();
    }

    /// Lets `id` in under the name that it had in another process; returns false if somebody has it.
    pub fn restore(&mut self, id: ConnectionId, name: UserName) -> bool {
        let is_free = !self.is_taken(&name);
        if is_free {
            self.join(id, FreeName(name));
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
        let name = self.participants.remove(&number)?;
        for skeleton in name.skeletons() {
            if self.taken.remove(skeleton).is_some() {
                self.numbers.free(skeleton);
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
            self.participants.values().for_each(|name| append(&mut listing, name));
            listing
        })
    }

    /// Returns the names of those present, in join order, as protocol 2 lists them.
    pub fn members(&mut self) -> &Listing {
        self.members
            .get_or_insert_with(|| self.participants.values().map(UserName::as_str).collect())
    }

    /// Returns the connections with this name or one that looks like it: at most one for each of
    /// its skeletons.
    pub fn holders(&self, name: &UserName) -> Vec<ConnectionId> {
        let holders = name.skeletons().iter().filter_map(|skeleton| self.taken.get(skeleton));
        let mut holders: Vec<_> = holders.copied().collect();
        holders.dedup();
        holders
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
        let before = numbers::N_LOOK_UPS.get();
        let free = roster.find_free(UserName::new(name).unwrap(), |_| false);
        assert!(numbers::N_LOOK_UPS.get() - before <= 9, "a handful of look-ups");
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
        let holders = |name| roster.holders(&UserName::new(name).unwrap());
        assert_eq!([holders("b"), holders("B"), holders("c")], [vec![id(2)], vec![id(2)], vec![]]);
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
        assert!(roster.is_empty() && roster.taken.is_empty() && roster.numbers.is_empty());
        assert_eq!(roster.listing(), "");
        assert_eq!(join(&mut roster, 7, "Анна"), "Анна");
    }

    #[test]
    fn numbers_that_people_chose_are_passed_over_at_once() {
        let mut roster = Roster::default();
        join(&mut roster, 1, "Анна");
        for number in 2..=500 {
            // Cyrillic, Latin letters among them, and capitals: one skeleton or the other.
            let spelled = ["Анна", "Aннa", "анна", "АННА"][number as usize % 4];
            let given = join(&mut roster, number, &format!("{spelled} ({number})"));
            assert_eq!(given, format!("{spelled} ({number})"));
        }
        for (slot, asked, given) in
            [(501, "Анна", "Анна (501)"), (502, "анна", "анна (502)"), (503, "Aннa", "Aннa (503)")]
        {
            assert_eq!(join(&mut roster, slot, asked), given);
        }
        roster.leave(id(77));
        assert_eq!(join(&mut roster, 77, "Анна"), "Анна (77)");
    }

    #[test]
    fn a_free_name_is_found_whoever_takes_turns_with_whom() {
        let mut roster = Roster::default();
        // `Bob` with a Cyrillic capital В has a skeleton for each kind of B.
        let (both, capital, small) = ("Воb", "Bob", "воb");
        for (slot, name) in [(0, capital), (1, small)] {
            assert_eq!(join(&mut roster, slot, name), name);
        }
        for number in 2..1_000 {
            let spelled = if number % 2 == 0 { capital } else { small };
            join(&mut roster, number, &format!("{spelled} ({number})"));
        }
        for slot in 1_000..2_000 {
            assert_eq!(join(&mut roster, slot, both), format!("{both} ({slot})"));
        }
        for slot in 0..2_000 {
            roster.leave(id(slot));
        }
        assert!(roster.is_empty() && roster.taken.is_empty() && roster.numbers.is_empty());
    }
}
