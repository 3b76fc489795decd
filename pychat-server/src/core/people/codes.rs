//! Codes by which another device joins a person: one at a time for each, for a while, for one use.
//! Only hashes are kept, and they are compared in constant time.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use pychat_wire::key::PairCode;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::core::{
    record::{PairOffer, PersonId},
    secret::Secret,
    sweep::Sweep,
};

/// The time for which a code is good.
pub const PAIR_CODE_AGE_MAX: Duration = Duration::from_mins(10);

/// The codes that are good.
#[derive(Debug)]
pub(super) struct Codes {
    pub(super) secret: Secret,
    by_person: HashMap<PersonId, Code>,
    sweep: Sweep,
}

#[derive(Debug)]
pub(super) struct Code {
    hash: [u8; 32],
    expires: Instant,
}

impl Codes {
    pub(super) fn new(secret: Secret) -> Self {
        Self { secret, by_person: HashMap::new(), sweep: Sweep::default() }
    }

    /// Makes a code for a person, in place of any that they had.
    pub(super) fn make(&mut self, now: Instant, person: PersonId) -> PairCode {
        let code = PairCode(self.secret.bytes());
        self.add(now, PairOffer { person, hash: hash(code) });
        code
    }

    /// Adds the code of a person in place of any that they had. It is good for as long as any from now on, by
    /// this server's own clock: that of another one may be wrong.
    pub(super) fn add(&mut self, now: Instant, PairOffer { person, hash }: PairOffer) {
        self.sweep.run(&mut self.by_person, |code| now < code.expires);
        self.by_person.insert(person, Code { hash, expires: now + PAIR_CODE_AGE_MAX });
    }

    /// Takes the code of a person out.
    pub(super) fn take_out(&mut self, person: PersonId) -> Option<Code> {
        self.by_person.remove(&person)
    }

    /// Puts back a code that was taken out.
    pub(super) fn put_back(&mut self, person: PersonId, code: Code) {
        self.by_person.insert(person, code);
    }

    /// Returns true, and forgets the code, if it is that of `person`.
    pub(super) fn take(&mut self, now: Instant, person: PersonId, code: PairCode) -> bool {
        let is_theirs = self
            .by_person
            .get(&person)
            .is_some_and(|made| now < made.expires && bool::from(made.hash.ct_eq(&hash(code))));
        if is_theirs {
            self.forget(person);
        }
        is_theirs
    }

    /// Forgets the code of a person, if they have one.
    pub(super) fn forget(&mut self, person: PersonId) {
        self.by_person.remove(&person);
    }
}

/// Returns a code of a person as other servers are told of it.
pub fn offer(person: PersonId, code: PairCode) -> PairOffer {
    PairOffer { person, hash: hash(code) }
}

fn hash(code: PairCode) -> [u8; 32] {
    Sha256::digest(code.0).into()
}
