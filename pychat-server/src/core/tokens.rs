//! Owners of names: those who have the token that the owner was given.
//!
//! A name, and every name that looks like it, is *reserved* for its owner for as long as they come
//! back. A full table makes room by forgetting names whose owner never came back nor said anything,
//! and those that are not reserved any more, never others.
//!
//! A token is made from a secret that the process is started with, so nothing here is random by
//! itself. Only hashes are kept, and they are compared in constant time.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::{self, Write},
    mem,
};

use pychat_wire::{UserName, name::Skeleton};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::core::record::{Person, PersonChange, PersonId, TokenHash};

/// The most names that are owned at a time.
pub const OWNERS_MAX: usize = 100_000;

/// The length of a token, in bytes; it is written as twice as many hexadecimal digits.
const TOKEN_BYTES: usize = 16;

/// A day, in milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The owned names.
#[derive(Debug)]
pub struct Tokens {
    secret: Secret,
    /// The number of tokens made so far: each is made from its own, so no two are alike.
    made: u64,
    last_owner: PersonId,
    owners: HashMap<PersonId, Known>,
    by_skeleton: HashMap<Skeleton, PersonId>,
    /// The order in which they are forgotten where there is no room: those who only passed by, then by
    /// last use.
    by_use: BTreeSet<(bool, u64, PersonId)>,
    /// Changes of owners that the log is to keep and was not told of yet.
    changes: Vec<PersonChange>,
}

/// The proof by which a connection has its name: the owner, and their token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Grant {
    /// The owner of the name.
    pub person: PersonId,
    /// The hash of their token.
    pub token: TokenHash,
    /// The name is theirs when they are away, too.
    pub is_saved: bool,
}

/// The end of reservations.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expiry {
    /// For now no reservation ends: there is no clock that can be trusted.
    Never,
    /// Names that were used last by this time, in UTC milliseconds since 1970, are free; none was
    /// used later than `now_ms`.
    By {
        /// The end.
        expired_ms: u64,
        /// The time now.
        now_ms: u64,
    },
}

#[derive(Debug)]
struct Known {
    name: UserName,
    token: TokenHash,
    used_ms: u64,
    is_regular: bool,
}

struct Secret([u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

impl Tokens {
    /// Returns tokens made from `secret`, which must be random and told to nobody, those of the known
    /// `owners`, and for new ones the numbers after `last_owner`.
    ///
    /// Owners of names that break a rule by now, or look like the name of somebody who used it later,
    /// are left out.
    pub fn new(
        secret: [u8; 32],
        owners: impl IntoIterator<Item = Person>,
        last_owner: PersonId,
    ) -> Self {
        let mut tokens = Self {
            secret: Secret(secret),
            made: 0,
            last_owner,
            owners: HashMap::new(),
            by_skeleton: HashMap::new(),
            by_use: BTreeSet::new(),
            changes: Vec::new(),
        };
        let mut owners: Vec<_> = owners.into_iter().collect();
        owners.sort_by_key(|person| person.used_ms);
        for Person { id, name, token, used_ms, is_regular } in owners {
            if let Ok(name) = UserName::new(&name) {
                tokens.insert(id, Known { name, token, used_ms, is_regular });
            }
        }
        tokens.changes.clear(); // The log has them as they are.
        tokens
    }

    /// Makes a token that nobody has, and its owner, who is not kept yet.
    pub fn make(&mut self) -> (String, Grant) {
        self.made += 1;
        let bits = Sha256::new()
            .chain_update(self.secret.0)
            .chain_update(self.made.to_be_bytes())
            .finalize();
        let token = bits[..TOKEN_BYTES].iter().fold(String::new(), |mut token, byte| {
            write!(token, "{byte:02x}").ok(); // A String takes it all.
            token
        });
        let grant = self.grant(&token);
        (token, grant)
    }

    /// Takes the token that somebody has chosen, and makes its owner, who is not kept yet. Returns
    /// `None` if it is not 32 hexadecimal digits in lower case, as the tokens made here are.
    pub fn take(&mut self, token: &str) -> Option<Grant> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_token = token.len() == 2 * TOKEN_BYTES && token.bytes().all(is_digit);
        is_token.then(|| self.grant(token))
    }

    fn grant(&mut self, token: &str) -> Grant {
        self.last_owner.0 += 1;
        Grant { person: self.last_owner, token: hash(token), is_saved: false }
    }

    /// Never gives the number of this owner to another one.
    pub fn pass_over(&mut self, person: PersonId) {
        self.last_owner = self.last_owner.max(person);
    }

    /// Returns the owner of `name`, or of one that looks like it, if this is their `token`.
    pub fn prove(&self, name: &UserName, token: &str) -> Option<Grant> {
        let token = hash(token);
        self.lookalikes(name).find(|(_, known)| token.is(&known.token)).map(|(person, _)| Grant {
            person,
            token,
            is_saved: true,
        })
    }

    /// Returns the owner of exactly this name, if it has one.
    pub fn person(&self, name: &UserName) -> Option<Grant> {
        self.lookalikes(name).find(|(_, known)| known.name == *name).map(|(person, known)| Grant {
            person,
            token: known.token,
            is_saved: true,
        })
    }

    /// Returns true if somebody else than `owner` has a reserved name that looks like this one.
    pub fn is_reserved(&self, name: &UserName, person: Option<PersonId>, expiry: Expiry) -> bool {
        self.lookalikes(name).any(|(id, known)| Some(id) != person && !known.is_expired(expiry))
    }

    /// Notes that somebody used their name at `utc_ms`, as they spell it.
    ///
    /// From the second day on that makes them somebody who comes back.
    pub fn note_use(&mut self, person: PersonId, name: &UserName, utc_ms: u64) {
        let Some(known) = self.owners.get(&person) else { return };
        let is_later_day = known.used_ms / DAY_MS < utc_ms / DAY_MS;
        if is_later_day || known.name != *name {
            let known = Known {
                name: name.clone(),
                token: known.token,
                used_ms: known.used_ms.max(utc_ms),
                is_regular: known.is_regular || is_later_day,
            };
            self.insert(person, known);
        }
    }

    /// Notes that somebody said something under their name: from now on it is not forgotten for those
    /// who only pass by.
    pub fn note_text(&mut self, person: PersonId) {
        if self.owners.get(&person).is_some_and(|known| !known.is_regular)
            && let Some(known) = self.remove(person)
        {
            self.insert(person, Known { is_regular: true, ..known });
        }
    }

    /// Reserves `name`, which nobody else has reserved, for its owner.
    ///
    /// Returns false if there is no room.
    pub fn reserve(&mut self, grant: Grant, name: &UserName, utc_ms: u64, expiry: Expiry) -> bool {
        if !self.owners.contains_key(&grant.person) && OWNERS_MAX <= self.owners.len() {
            let Some((_, _, first)) = self.by_use.first().copied() else { return false };
            let is_forgettable = |known: &Known| !known.is_regular || known.is_expired(expiry);
            if !self.owners.get(&first).is_some_and(is_forgettable) {
                return false;
            }
            self.forget(first);
        }
        let before = self.owners.get(&grant.person);
        let is_regular = before.is_some_and(|known| known.is_regular);
        let known = Known { name: name.clone(), token: grant.token, used_ms: utc_ms, is_regular };
        self.insert(grant.person, known);
        true
    }

    /// Corrects the last use of a name that looks like this one if it lies ahead, by a clock that was
    /// wrong: nothing is reserved for longer than from now on.
    pub fn correct_use(&mut self, name: &UserName, expiry: Expiry) {
        let Expiry::By { now_ms, .. } = expiry else { return };
        let ahead: BTreeSet<_> = self
            .lookalikes(name)
            .filter(|(_, known)| now_ms < known.used_ms)
            .map(|(id, _)| id)
            .collect();
        for id in ahead {
            if let Some(known) = self.remove(id) {
                self.insert(id, Known { used_ms: now_ms, ..known });
            }
        }
    }

    /// Takes what the log is to keep since this was asked last.
    pub fn take_changes(&mut self) -> Vec<PersonChange> {
        mem::take(&mut self.changes)
    }

    /// The owners whose names look like this one, one for each of its skeletons.
    fn lookalikes(&self, name: &UserName) -> impl Iterator<Item = (PersonId, &Known)> {
        name.skeletons()
            .iter()
            .filter_map(|skeleton| self.by_skeleton.get(skeleton))
            .filter_map(|id| Some((*id, self.owners.get(id)?)))
    }

    /// Every owner of a name that looks like this one is forgotten for it.
    fn insert(&mut self, id: PersonId, known: Known) {
        self.remove(id);
        let others: BTreeSet<_> = self.lookalikes(&known.name).map(|(other, _)| other).collect();
        for other in others {
            self.forget(other);
        }
        for skeleton in known.name.skeletons() {
            self.by_skeleton.insert(skeleton.clone(), id);
        }
        self.by_use.insert((known.is_regular, known.used_ms, id));
        self.changes.push(PersonChange::Save(Person {
            id,
            name: known.name.as_str().to_owned(),
            token: known.token,
            used_ms: known.used_ms,
            is_regular: known.is_regular,
        }));
        self.owners.insert(id, known);
    }

    fn forget(&mut self, id: PersonId) {
        if self.remove(id).is_some() {
            self.changes.push(PersonChange::Forget(id));
        }
    }

    fn remove(&mut self, id: PersonId) -> Option<Known> {
        let known = self.owners.remove(&id)?;
        self.by_use.remove(&(known.is_regular, known.used_ms, id));
        for skeleton in known.name.skeletons() {
            self.by_skeleton.remove(skeleton);
        }
        Some(known)
    }
}

impl Known {
    fn is_expired(&self, expiry: Expiry) -> bool {
        matches!(expiry, Expiry::By { expired_ms, .. } if self.used_ms <= expired_ms)
    }
}

impl Grant {
    /// Returns true if `token` is the one that the name was given by.
    pub fn is_proven_by(&self, token: &str) -> bool {
        self.token.is(&hash(token))
    }
}

impl TokenHash {
    /// Compares in constant time.
    fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

fn hash(token: &str) -> TokenHash {
    TokenHash(Sha256::digest(token.as_bytes()).into())
}

#[cfg(test)]
mod tests;
