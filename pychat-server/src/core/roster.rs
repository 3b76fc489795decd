//! The roster: the people present, in the order in which they joined.
//!
//! Somebody is present for as long as one of their connections is. Invariant: no two people present
//! have names that a reader would take for each other.
//!
//! Where servers share the store, everybody on all of them is here, and somebody is present for as long as
//! they are on one server, by what the store has told.

mod numbers;
mod servers;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pychat_wire::{UserName, key::PublicKey, message::Listing, name::Skeleton};

pub use self::servers::Gone;
use self::{numbers::Numbers, servers::Servers};
use crate::core::{
    connection_map::ConnectionMap,
    id::ConnectionId,
    record::{PersonId, Presence, ServerId},
};

/// The separator of two names in a list of them.
const SEPARATOR: &str = ", ";

/// The people present.
#[derive(Debug, Default)]
pub struct Roster {
    /// Those present, by the join index of the connection by which each of them joined.
    participants: BTreeMap<u64, Participant>,
    by_id: ConnectionMap<Place>,
    /// The connections of those who proved who they are, by person.
    by_person: BTreeSet<(PersonId, ConnectionId)>,
    /// The participant with a name of this skeleton.
    taken: HashMap<Skeleton, u64>,
    /// The numbers behind the names of people present, given or chosen.
    numbers: Numbers,
    /// The names in join order, joined; `None` since somebody left, until somebody asks.
    listing: Option<String>,
    /// The same for protocol 2.
    members: Option<Listing>,
    next_number: u64,
    servers: Servers,
}

/// Somebody present.
#[derive(Debug)]
pub struct Participant {
    name: UserName,
    person: Option<PersonId>,
    /// Their key, if they own no name and servers share the store.
    key: Option<PublicKey>,
    /// Their connections to this server, in join order; at least one, unless servers share the store.
    connections: Vec<ConnectionId>,
    /// The servers that they are on, if several share the store.
    servers: BTreeSet<ServerId>,
}

/// The place of one connection.
#[derive(Clone, Copy, Debug)]
struct Place {
    participant: u64,
    join_index: u64,
}

/// The outcome of a connection's leaving.
#[derive(Debug)]
pub enum Left {
    /// Somebody is not present any more.
    Gone {
        /// Their name.
        name: UserName,
        /// The join index of the connection by which they had joined.
        index: u64,
    },
    /// They are still present, by this connection among others.
    Present(ConnectionId),
    /// That was the last connection to this server, of several that share the store. They are present until
    /// that has been told.
    Away(Presence),
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

impl Participant {
    /// Returns their name.
    pub fn name(&self) -> &UserName {
        &self.name
    }

    /// Returns the person, if they proved who they are.
    pub fn person(&self) -> Option<PersonId> {
        self.person
    }

    /// Returns their key, if they owned no name when they came and servers share the store.
    pub fn key(&self) -> Option<PublicKey> {
        self.key
    }

    /// Returns their connections, in join order.
    pub fn connections(&self) -> &[ConnectionId] {
        &self.connections
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

    /// Lets somebody in by connection `id` under a name that is free.
    ///
    /// # Panics
    ///
    /// In debug builds, if `id` is present already, or the name is taken by now.
    pub fn join(&mut self, id: ConnectionId, free: FreeName, person: Option<PersonId>) {
        debug_assert!(!self.by_id.contains_key(&id), "a connection joins once");
        debug_assert!(!self.is_taken(free.name()), "one person a name");
        let index = self.insert(free, person, vec![id]);
        self.place(id, index, person);
    }

    /// Lists somebody; returns their join index.
    fn insert(
        &mut self,
        FreeName(name): FreeName,
        person: Option<PersonId>,
        connections: Vec<ConnectionId>,
    ) -> u64 {
        let index = self.next_number;
        for skeleton in name.skeletons() {
            if self.taken.insert(skeleton.clone(), index).is_none() {
                self.numbers.take(skeleton);
            }
        }
        if let Some(listing) = &mut self.listing {
            append(listing, &name);
        }
        if let Some(members) = &mut self.members {
            members.push(name.as_str());
        }
        let (key, servers) = (None, BTreeSet::new());
        self.participants.insert(index, Participant { name, person, key, connections, servers });
        index
    }

    /// Lets in another connection of the person who is present by connection `present`; returns false
    /// if they are not.
    pub fn join_again(&mut self, id: ConnectionId, present: ConnectionId) -> bool {
        let Some(Place { participant, .. }) = self.by_id.get(&present).copied() else {
            return false;
        };
        self.attach(id, participant);
        true
    }

    /// Adds a connection of who is present with this join index.
    fn attach(&mut self, id: ConnectionId, index: u64) {
        let Some(participant) = self.participants.get_mut(&index) else { return };
        participant.connections.push(id);
        let person = participant.person;
        self.place(id, index, person);
    }

    fn place(&mut self, id: ConnectionId, participant: u64, person: Option<PersonId>) {
        self.by_person.extend(person.map(|person| (person, id)));
        self.by_id.insert(id, Place { participant, join_index: self.next_number });
        self.next_number += 1;
        self.check_invariants();
    }

    /// Lets `id` in under the name that it had in another process; returns false if somebody else has
    /// it.
    pub fn restore(&mut self, id: ConnectionId, name: UserName, person: Option<PersonId>) -> bool {
        if !self.is_taken(&name) {
            self.join(id, FreeName(name), person);
            return true;
        }
        let is_present = |holder: &&Participant| holder.name == name && holder.person == person;
        let present = self.holders(&name).find(is_present).filter(|_| person.is_some());
        let present = present.and_then(|holder| holder.connections.first().copied());
        present.is_some_and(|present| self.join_again(id, present))
    }

    /// Returns the position of `id` in join order, if it is present; numbers may be missing.
    pub fn join_index(&self, id: ConnectionId) -> Option<u64> {
        self.by_id.get(&id).map(|place| place.join_index)
    }

    /// Returns the join index of the connection by which the person at `id` joined.
    pub fn first_index(&self, id: ConnectionId) -> Option<u64> {
        self.by_id.get(&id).map(|place| place.participant)
    }

    /// Returns the join index of the connection that joins next.
    pub fn next_join_index(&self) -> u64 {
        self.next_number
    }

    /// Takes `id` off the roster; returns what follows, if it was present.
    pub fn leave(&mut self, id: ConnectionId) -> Option<Left> {
        let Place { participant: index, .. } = self.by_id.remove(&id)?;
        let participant = self.participants.get_mut(&index)?;
        participant.connections.retain(|connection| *connection != id);
        if let Some(person) = participant.person {
            self.by_person.remove(&(person, id));
        }
        if let Some(other) = participant.connections.first() {
            return Some(Left::Present(*other));
        }
        if self.servers.here.is_some() {
            let Participant { ref name, person, key, .. } = *participant;
            return Some(Left::Away(Presence { name: name.clone(), person, key }));
        }
        let name = self.remove(index)?.name;
        Some(Left::Gone { name, index })
    }

    /// Takes who is present with this join index off the roster.
    fn remove(&mut self, index: u64) -> Option<Participant> {
        let participant = self.participants.remove(&index)?;
        for skeleton in participant.name.skeletons() {
            if self.taken.remove(skeleton).is_some() {
                self.numbers.free(skeleton);
            }
        }
        for id in &participant.connections {
            self.by_id.remove(id);
            if let Some(person) = participant.person {
                self.by_person.remove(&(person, *id));
            }
        }
        (self.listing, self.members) = (None, None);
        self.check_invariants();
        Some(participant)
    }

    /// Returns the names of those present, in join order, separated by `, `.
    pub fn listing(&mut self) -> &str {
        self.listing.get_or_insert_with(|| {
            let mut listing = String::new();
            let names = self.participants.values().map(|participant| &participant.name);
            names.for_each(|name| append(&mut listing, name));
            listing
        })
    }

    /// Returns the names of those present, in join order, as protocol 2 lists them.
    pub fn members(&mut self) -> &Listing {
        let names = self.participants.values().map(|participant| participant.name.as_str());
        self.members.get_or_insert_with(|| names.collect())
    }

    /// Returns those present with this name or one that looks like it: at most one for each of its
    /// skeletons.
    pub fn holders(&self, name: &UserName) -> impl Iterator<Item = &Participant> {
        let mut indices: Vec<_> =
            name.skeletons().iter().filter_map(|skeleton| self.taken.get(skeleton)).collect();
        indices.dedup();
        indices.into_iter().filter_map(|index| self.participants.get(index))
    }

    /// Returns those present, in join order.
    pub fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.participants.values()
    }

    /// Returns who is present by connection `id`.
    pub fn participant(&self, id: ConnectionId) -> Option<&Participant> {
        self.participants.get(&self.by_id.get(&id)?.participant)
    }

    /// Returns the connections by which a person is present, under whatever names, in order.
    pub fn connections_of(&self, person: PersonId) -> impl Iterator<Item = ConnectionId> {
        /// The least and the greatest id that a connection can have.
        const LEAST: ConnectionId = ConnectionId { slot: 0, generation: 0 };
        const GREATEST: ConnectionId = ConnectionId { slot: u32::MAX, generation: u32::MAX };
        self.by_person.range((person, LEAST)..=(person, GREATEST)).map(|(_, id)| *id)
    }

    /// Returns the name of `id`, if it is present.
    pub fn name(&self, id: ConnectionId) -> Option<&UserName> {
        self.participant(id).map(Participant::name)
    }

    /// Returns how many people are present.
    pub fn len(&self) -> usize {
        self.participants.len()
    }

    /// Returns by how many connections.
    pub fn n_connections(&self) -> usize {
        self.by_id.len()
    }

    /// Returns true if nobody is present.
    pub fn is_empty(&self) -> bool {
        self.participants.is_empty()
    }

    fn is_taken(&self, name: &UserName) -> bool {
        name.skeletons().iter().any(|skeleton| self.taken.contains_key(skeleton))
            || self.servers.is_held(name)
    }

    fn check_invariants(&self) {
        debug_assert!(self.is_shared() || self.participants.len() <= self.by_id.len());
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
mod tests;
