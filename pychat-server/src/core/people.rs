//! People: the keys by which their devices prove who they are, the names that they own, and the invites
//! by which others become people.
//!
//! A name, and every name that looks like it, is *reserved* for its owner for as long as they come
//! back. A full table makes room by forgetting names whose owner never came back nor said anything,
//! and those that are not reserved any more, never others. A person with no name left is forgotten.
//! An operator's names are reserved for as long as they are one.

mod bots;
mod changes;
mod codes;
mod devices;
mod invites;
mod operators;
mod policy;

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
};

use pychat_wire::{UserName, key::PublicKey, name::Skeleton};

pub use self::{
    bots::BOTS_MAX,
    changes::Replaced,
    codes::{PAIR_CODE_AGE_MAX, offer},
    invites::{INVITES_MAX, Invites, NewInvite},
};
use self::{changes::Changes, codes::Codes, policy::Policy};
use crate::core::{
    record::{Device, OwnedName, Person, PersonId},
    secret::Secret,
};

/// The most names that are owned at a time.
pub const NAMES_MAX: usize = 100_000;

/// The most names that one person owns at a time.
pub const NAMES_PER_PERSON_MAX: usize = 4;

/// The most devices that one person has.
pub const DEVICES_PER_PERSON_MAX: usize = 16;

/// A day, in milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The people who own names.
#[derive(Debug)]
pub struct People {
    last_person: PersonId,
    known: HashMap<PersonId, Known>,
    by_key: HashMap<PublicKey, PersonId>,
    names: HashMap<NameNumber, Owned>,
    last_name: NameNumber,
    by_skeleton: HashMap<Skeleton, NameNumber>,
    /// The order in which names are forgotten where there is no room: those of people who only passed
    /// by, then by last use. Those of operators are not among them.
    by_use: BTreeSet<(bool, u64, NameNumber)>,
    codes: Codes,
    policy: Policy,
    changes: Changes,
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

/// Names one owned name within the process.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct NameNumber(u64);

#[derive(Debug, Default)]
struct Known {
    is_operator: bool,
    names: Vec<NameNumber>,
    devices: Vec<Device>,
}

#[derive(Clone, Debug)]
struct Owned {
    name: UserName,
    person: PersonId,
    used_ms: u64,
    is_regular: bool,
}

impl People {
    /// Returns the `known` people, and for new ones the numbers after `last_person`. Codes are made of
    /// `secret`.
    ///
    /// Names that break a rule by now, or look like one that was used later, are left out.
    pub fn new(
        secret: Secret,
        known: impl IntoIterator<Item = Person>,
        last_person: PersonId,
    ) -> Self {
        let mut people = Self {
            last_person,
            known: HashMap::new(),
            by_key: HashMap::new(),
            names: HashMap::new(),
            last_name: NameNumber::default(),
            by_skeleton: HashMap::new(),
            by_use: BTreeSet::new(),
            codes: Codes::new(secret),
            policy: Policy::default(),
            changes: Changes::default(),
        };
        let mut names = Vec::new();
        for Person { id, is_operator, is_bot, names: owned, devices } in known {
            if is_bot {
                people.policy.bots.insert(id);
            }
            people.by_key.extend(devices.iter().map(|device| (device.key, id)));
            people.known.insert(id, Known { is_operator, names: Vec::new(), devices });
            names.extend(owned.into_iter().map(|name| (id, name)));
        }
        names.sort_by_key(|(_, name)| Reverse(name.used_ms));
        for (person, OwnedName { name, used_ms, is_regular }) in names {
            if let Ok(name) = UserName::new(&name)
                && people.lookalikes(&name).next().is_none()
            {
                people.insert(Owned { name, person, used_ms, is_regular });
            }
        }
        let nameless: Vec<_> = people
            .known
            .iter()
            .filter(|(_, known)| known.names.is_empty())
            .map(|(id, _)| *id)
            .collect();
        for person in nameless {
            people.forget_person(person);
        }
        people.changes.clear(); // The log has them as they are.
        people
    }

    /// Returns the number of somebody new. Where servers share the store none of them can count, so it
    /// is any that nobody else will be given.
    pub fn stranger(&mut self) -> PersonId {
        /// The digits of a number, in bits: so many that no two are alike, and few enough for a signed one.
        const DIGITS: u32 = 62;
        if self.is_shared() {
            let number = self.codes.secret.number() >> (u64::BITS - DIGITS);
            return PersonId(1 << DIGITS | number);
        }
        self.last_person.0 += 1;
        self.last_person
    }

    /// Never gives the number of this person to another one.
    pub fn pass_over(&mut self, person: PersonId) {
        self.last_person = self.last_person.max(person);
    }

    /// Returns the person whose device has this key, if one is known.
    pub fn of_key(&self, key: PublicKey) -> Option<PersonId> {
        self.by_key.get(&key).copied()
    }

    /// Returns true if this person owns `name`, or one that looks like it.
    pub fn owns(&self, person: PersonId, name: &UserName) -> bool {
        self.lookalikes(name).any(|(_, owned)| owned.person == person)
    }

    /// Returns true if this person owns `name`, or may own one more.
    pub fn may_own(&self, person: PersonId, name: &UserName) -> bool {
        let n_owned = self.known.get(&person).map_or(0, |known| known.names.len());
        n_owned < NAMES_PER_PERSON_MAX || self.owns(person, name)
    }

    /// Returns true if somebody else than `person` has a reserved name that looks like this one.
    pub fn is_reserved(&self, name: &UserName, person: Option<PersonId>, expiry: Expiry) -> bool {
        self.lookalikes(name)
            .any(|(_, owned)| Some(owned.person) != person && !self.is_expired(owned, expiry))
    }

    /// Notes that somebody used a name of theirs at `utc_ms`, as they spell it.
    ///
    /// From the second day on that makes them somebody who comes back.
    pub fn note_use(&mut self, person: PersonId, name: &UserName, utc_ms: u64) {
        let Some(number) = self.number_of(person, name) else { return };
        let owned = &self.names[&number];
        let is_later_day = owned.used_ms / DAY_MS < utc_ms / DAY_MS;
        if is_later_day || owned.name != *name {
            let owned = Owned {
                name: name.clone(),
                person,
                used_ms: owned.used_ms.max(utc_ms),
                is_regular: owned.is_regular || is_later_day,
            };
            self.insert(owned);
        }
    }

    /// Notes that somebody said something under a name of theirs: from now on it is not forgotten for
    /// those who only pass by.
    pub fn note_text(&mut self, person: PersonId, name: &UserName) {
        if let Some(number) = self.number_of(person, name)
            && !self.names[&number].is_regular
        {
            let owned = Owned { is_regular: true, ..self.names[&number].clone() };
            self.insert(owned);
        }
    }

    /// Reserves `name`, which nobody else has reserved, for a person, whose `device` this is if they
    /// were not known.
    ///
    /// Returns false if there is no room, or they own too many.
    pub fn reserve(
        &mut self,
        person: PersonId,
        device: &Device,
        name: &UserName,
        utc_ms: u64,
        expiry: Expiry,
    ) -> bool {
        let owned = self.number_of(person, name);
        if owned.is_none() && !(self.may_own(person, name) && self.make_room(expiry)) {
            return false;
        }
        let is_regular = owned.is_some_and(|number| self.names[&number].is_regular);
        if !self.known.contains_key(&person) {
            self.touch(person);
            self.by_key.insert(device.key, person);
            let devices = vec![device.clone()];
            self.known.insert(person, Known { devices, ..Known::default() });
        }
        self.insert(Owned { name: name.clone(), person, used_ms: utc_ms, is_regular });
        true
    }

    /// Makes room for another name; returns false if there is none.
    fn make_room(&mut self, expiry: Expiry) -> bool {
        if NAMES_MAX <= self.names.len() {
            let Some((_, _, first)) = self.by_use.first().copied() else { return false };
            let is_forgettable =
                |owned: &Owned| !owned.is_regular || self.is_expired(owned, expiry);
            if !self.names.get(&first).is_some_and(is_forgettable) {
                return false;
            }
            self.forget(first);
        }
        true
    }

    /// Corrects the last use of a name that looks like this one if it lies ahead, by a clock that was
    /// wrong: nothing is reserved for longer than from now on.
    pub fn correct_use(&mut self, name: &UserName, expiry: Expiry) {
        let Expiry::By { now_ms, .. } = expiry else { return };
        let ahead: BTreeSet<_> = self
            .lookalikes(name)
            .filter(|(_, owned)| now_ms < owned.used_ms)
            .map(|(number, _)| number)
            .collect();
        for number in ahead {
            let owned = Owned { used_ms: now_ms, ..self.names[&number].clone() };
            self.insert(owned);
        }
    }

    /// The owned names that look like this one, one for each of its skeletons.
    fn lookalikes(&self, name: &UserName) -> impl Iterator<Item = (NameNumber, &Owned)> {
        name.skeletons()
            .iter()
            .filter_map(|skeleton| self.by_skeleton.get(skeleton))
            .filter_map(|number| Some((*number, self.names.get(number)?)))
    }

    /// Returns the name of this person's that looks like this one.
    fn number_of(&self, person: PersonId, name: &UserName) -> Option<NameNumber> {
        self.lookalikes(name).find(|(_, owned)| owned.person == person).map(|(number, _)| number)
    }

    /// Every name that looks like this one is forgotten for it, an earlier spelling among them.
    fn insert(&mut self, owned: Owned) {
        let person = owned.person;
        self.touch(person);
        self.last_name.0 += 1;
        let number = self.last_name;
        if let Some(known) = self.known.get_mut(&person) {
            known.names.push(number); // First, so that this person is not forgotten with their last name.
        }
        let others: BTreeSet<_> = self.lookalikes(&owned.name).map(|(other, _)| other).collect();
        for other in others {
            self.forget(other);
        }
        for skeleton in owned.name.skeletons() {
            self.by_skeleton.insert(skeleton.clone(), number);
        }
        if !self.is_operator(person) {
            self.by_use.insert(owned.use_order(number));
        }
        self.names.insert(number, owned);
    }

    /// Forgets a name, and its owner with their last one.
    fn forget(&mut self, number: NameNumber) {
        let Some(person) = self.names.get(&number).map(|owned| owned.person) else { return };
        self.touch(person);
        let Some(owned) = self.names.remove(&number) else { return };
        self.by_use.remove(&owned.use_order(number));
        for skeleton in owned.name.skeletons() {
            self.by_skeleton.remove(skeleton);
        }
        let Some(known) = self.known.get_mut(&owned.person) else { return };
        known.names.retain(|other| *other != number);
        if known.names.is_empty() {
            self.forget_person(owned.person);
        }
    }

    fn forget_person(&mut self, person: PersonId) {
        let Some(known) = self.known.remove(&person) else { return };
        for device in known.devices {
            self.by_key.remove(&device.key);
        }
        self.codes.forget(person);
        self.policy.bots.remove(person);
    }
}

impl Owned {
    fn use_order(&self, number: NameNumber) -> (bool, u64, NameNumber) {
        (self.is_regular, self.used_ms, number)
    }

    fn is_expired(&self, expiry: Expiry) -> bool {
        matches!(expiry, Expiry::By { expired_ms, .. } if self.used_ms <= expired_ms)
    }
}

#[cfg(test)]
mod tests;
