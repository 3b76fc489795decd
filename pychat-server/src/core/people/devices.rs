//! The devices of a person: another one is added by a code, and each can be removed.

use std::{collections::BTreeSet, time::Instant};

use pychat_wire::{
    UserName,
    key::{PairCode, PublicKey},
};

use super::{DEVICES_PER_PERSON_MAX, People};
use crate::core::record::{Device, PairOffer, PersonId};

impl People {
    /// Returns the devices of a person, in the order in which they were added.
    pub fn devices(&self, person: PersonId) -> &[Device] {
        self.known.get(&person).map_or(&[], |known| &known.devices)
    }

    /// Makes a code by which another device can join a person, in place of any that they had; `None`
    /// if they own no name, or have as many devices as one may have.
    pub fn make_code(&mut self, now: Instant, person: PersonId) -> Option<PairCode> {
        let known = self.known.get(&person)?;
        (known.devices.len() < DEVICES_PER_PERSON_MAX).then(|| self.codes.make(now, person))
    }

    /// Adds a code that was made on another server just now.
    pub fn add_code(&mut self, now: Instant, offer: PairOffer) {
        if self.is_known(offer.person) {
            self.codes.add(now, offer);
        }
    }

    /// Adds a device, whose key nobody has, to the person who owns `name` and has this code, which is
    /// used up by that. Returns the person, if there is one.
    pub fn pair(
        &mut self,
        now: Instant,
        name: &UserName,
        code: PairCode,
        device: Device,
    ) -> Option<PersonId> {
        let owners: BTreeSet<_> = self.lookalikes(name).map(|(_, owned)| owned.person).collect();
        let person = owners.into_iter().find(|person| self.codes.take(now, *person, code))?;
        if DEVICES_PER_PERSON_MAX <= self.devices(person).len() {
            return None;
        }
        self.touch(person);
        self.by_key.insert(device.key, person);
        self.known.get_mut(&person)?.devices.push(device);
        Some(person)
    }

    /// Removes a device of a person, and the code that it may have asked for; returns true if it was
    /// one.
    pub fn remove_device(&mut self, person: PersonId, key: PublicKey) -> bool {
        if self.of_key(key) != Some(person) {
            return false;
        }
        self.touch(person);
        self.by_key.remove(&key);
        self.codes.forget(person);
        if let Some(known) = self.known.get_mut(&person) {
            known.devices.retain(|device| device.key != key);
        }
        true
    }
}
