//! Presence and pairing, as servers of one chat tell each other of them.

use pychat_wire::{UserName, key::PublicKey};

use super::PersonId;

/// The number of a server of this chat, in the order in which they first started. The store gives it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ServerId(pub u64);

/// Somebody present, by a name that nobody else has whom a reader would take for them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Presence {
    /// Their name.
    pub name: UserName,
    /// The person, if they proved who they are.
    pub person: Option<PersonId>,
    /// The key of somebody who owns no name: nothing else tells who they are.
    pub key: Option<PublicKey>,
}

impl Presence {
    /// Returns true if the other is of the same person by the same name, whatever the device.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.name, self.person) == (&other.name, other.person)
    }
}

/// A code by which another device can join a person, as all servers know it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PairOffer {
    /// The person.
    pub person: PersonId,
    /// The SHA-256 of the code.
    pub hash: [u8; 32],
}
