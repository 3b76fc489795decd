//! People who own names, their devices, and the invites that let new ones in.

use std::sync::Arc;

use pychat_wire::key::{InviteId, PublicKey};

use super::PersonId;

/// Somebody who owns names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Person {
    /// Their number.
    pub id: PersonId,
    /// They may do what only operators may.
    pub is_operator: bool,
    /// They are a program, as an operator has marked them.
    pub is_bot: bool,
    /// Their names.
    pub names: Vec<OwnedName>,
    /// Their devices, in the order in which they were added. There may be none: a person of an earlier
    /// version, who had no key.
    pub devices: Vec<Device>,
}

/// A device of a person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Device {
    /// Its key.
    pub key: PublicKey,
    /// Its name; empty if it gave none.
    pub label: Arc<str>,
    /// When it was added, in UTC milliseconds since 1970.
    pub added_ms: u64,
}

/// A name that somebody owns.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OwnedName {
    /// The name as they spell it. It is any text: the rules for names may have changed.
    pub name: String,
    /// When they used it last, to the day, in UTC milliseconds since 1970.
    pub used_ms: u64,
    /// They said something under it, or came back on a later day than that on which they began.
    pub is_regular: bool,
}

/// A change to the people who own names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PersonChange {
    /// Keep this person, as they are now.
    Save(Person),
    /// Keep this person no longer.
    Forget(PersonId),
}

/// An invite, by whose code new people are let in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invite {
    /// The SHA-256 of its code.
    pub hash: [u8; 32],
    /// Its terms.
    pub terms: InviteTerms,
    /// The name of the person who made it, as they had it then; `None` if it was made on the server's
    /// machine.
    pub by: Option<Arc<str>>,
}

/// The terms of an invite.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct InviteTerms {
    /// The number of people whom it lets in still; any number if `None`.
    pub uses: Option<u64>,
    /// Its end, in UTC milliseconds since 1970; none if `None`.
    pub expires_ms: Option<u64>,
}

impl Invite {
    /// Returns its name: the beginning of its hash, from which nobody can guess the code.
    pub fn id(&self) -> InviteId {
        InviteId(std::array::from_fn(|index| self.hash[index]))
    }
}

impl InviteTerms {
    /// Returns true if it lets somebody in at `utc_ms`.
    pub fn are_met(self, utc_ms: u64) -> bool {
        self.uses != Some(0) && !self.are_over(utc_ms)
    }

    /// Returns true if its end has come by `utc_ms`.
    pub fn are_over(self, utc_ms: u64) -> bool {
        self.expires_ms.is_some_and(|expires_ms| expires_ms <= utc_ms)
    }
}
