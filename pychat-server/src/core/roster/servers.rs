//! The roster of a chat with several servers, which changes only as the store tells: in one order on all of
//! them.

use std::collections::{BTreeSet, HashSet};

use pychat_wire::{UserName, name::Skeleton};

use super::{FreeName, Participant, Roster};
use crate::core::{
    id::ConnectionId,
    record::{PersonId, Presence, ServerId},
};

/// The servers of a chat, as far as the roster of one knows them.
#[derive(Debug, Default)]
pub(super) struct Servers {
    /// This one, if there may be others.
    pub(super) here: Option<ServerId>,
    /// The looks of the names that are about to appear or to go on this server, which the store has not
    /// told. Nobody else on this server is given one of them.
    held: HashSet<Skeleton>,
}

/// Somebody who is present no more.
#[derive(Debug)]
pub struct Gone {
    /// Their name.
    pub name: UserName,
    /// The join index by which they were listed.
    pub index: u64,
    /// Their connections to this server.
    pub connections: Vec<ConnectionId>,
}

impl Servers {
    pub(super) fn is_held(&self, name: &UserName) -> bool {
        name.skeletons().iter().any(|skeleton| self.held.contains(skeleton))
    }
}

impl Roster {
    /// Has it live with other servers; this is number `here`.
    pub fn share(&mut self, here: ServerId) {
        self.servers.here = Some(here);
    }

    /// Returns the number of this server, if others may share the store.
    pub fn here(&self) -> Option<ServerId> {
        self.servers.here
    }

    /// Returns true if other servers may share the store.
    pub fn is_shared(&self) -> bool {
        self.servers.here.is_some()
    }

    /// Holds a name until the store has told whether somebody appears or goes by it on this server.
    pub fn hold(&mut self, name: &UserName) {
        self.servers.held.extend(name.skeletons().iter().cloned());
    }

    /// Ends that.
    pub fn release(&mut self, name: &UserName) {
        for skeleton in name.skeletons() {
            self.servers.held.remove(skeleton);
        }
    }

    /// Returns true if a name that looks like this one is held.
    pub fn is_held(&self, name: &UserName) -> bool {
        self.servers.is_held(name)
    }

    /// Takes off those whom somebody displaces who appears: they have names that look alike, and are not the
    /// same person.
    pub fn displace(&mut self, by: &Presence) -> Vec<Gone> {
        let indices: BTreeSet<_> = self.indices(&by.name).collect();
        let is_other = |index: &u64| {
            self.participants
                .get(index)
                .is_some_and(|it| by.person.is_none() || it.person != by.person)
        };
        let others: Vec<_> = indices.into_iter().filter(is_other).collect();
        others.into_iter().filter_map(|index| self.take_off(index)).collect()
    }

    /// Lists somebody as present on a server; returns the join index by which they are listed, and true if
    /// they were not.
    pub fn appear(&mut self, server: ServerId, presence: &Presence) -> (u64, bool) {
        let listed = self.find(presence);
        let index = listed.unwrap_or_else(|| {
            let free = FreeName(presence.name.clone());
            let index = self.insert(free, presence.person, Vec::new());
            self.next_number += 1;
            index
        });
        if let Some(participant) = self.participants.get_mut(&index) {
            participant.servers.insert(server);
            participant.key = participant.key.or(presence.key);
        }
        (index, listed.is_none())
    }

    /// Adds a connection of who is listed so and present on this server; returns false if they are not.
    pub fn join_listed(&mut self, id: ConnectionId, presence: &Presence) -> bool {
        let Some(index) = self.find(presence) else { return false };
        self.attach(id, index);
        true
    }

    /// Lists somebody no more as present on a server; returns them if they are on no other.
    pub fn go(&mut self, server: ServerId, presence: &Presence) -> Option<Gone> {
        let index = self.find(presence)?;
        self.go_from(server, index)
    }

    /// Lists nobody any more as present on a server; returns those who are on no other, in join order.
    pub fn go_all(&mut self, server: ServerId) -> Vec<Gone> {
        let indices: Vec<_> = self.participants.keys().copied().collect();
        indices.into_iter().filter_map(|index| self.go_from(server, index)).collect()
    }

    /// Returns the names of those present with their persons and servers, by name.
    pub fn by_server(&self) -> Vec<(String, Option<PersonId>, BTreeSet<ServerId>)> {
        let all = self.participants.values();
        let mut all: Vec<_> =
            all.map(|it| (it.name.to_string(), it.person, it.servers.clone())).collect();
        all.sort_unstable_by(|(name, ..), (other, ..)| name.cmp(other));
        all
    }

    /// Returns the join index by which somebody is listed who has this very name.
    pub fn index_of(&self, name: &UserName) -> Option<u64> {
        self.indices(name).find(|index| self.participants[index].name == *name)
    }

    /// Returns the name of who is listed by this join index.
    pub fn listed(&self, index: u64) -> Option<&UserName> {
        self.participants.get(&index).map(Participant::name)
    }

    fn find(&self, presence: &Presence) -> Option<u64> {
        let is_it = |it: &Participant| it.name == presence.name && it.person == presence.person;
        self.indices(&presence.name).find(|index| is_it(&self.participants[index]))
    }

    fn indices(&self, name: &UserName) -> impl Iterator<Item = u64> {
        let taken = name.skeletons().iter().filter_map(|skeleton| self.taken.get(skeleton));
        taken.copied().filter(|index| self.participants.contains_key(index))
    }

    fn go_from(&mut self, server: ServerId, index: u64) -> Option<Gone> {
        let participant = self.participants.get_mut(&index)?;
        let was_there = participant.servers.remove(&server);
        let is_gone = was_there && participant.servers.is_empty();
        is_gone.then(|| self.take_off(index)).flatten()
    }

    fn take_off(&mut self, index: u64) -> Option<Gone> {
        let Participant { name, connections, .. } = self.remove(index)?;
        Some(Gone { name, index, connections })
    }
}

impl Participant {
    /// Returns true if they are on another server than `here`.
    pub fn is_elsewhere(&self, here: Option<ServerId>) -> bool {
        self.servers.iter().any(|server| Some(*server) != here)
    }
}
