//! Changes of rooms that the store has not answered.

use std::collections::{BTreeMap, HashMap};

use pychat_wire::message::RoomKind;

use crate::core::{
    id::RoomId,
    record::{PersonId, RoomChange},
};

/// The changes that the store has not answered, as far as they count.
#[derive(Debug, Default)]
pub(super) struct Pending {
    joining: Counts<(PersonId, RoomId)>,
    leaving: Counts<(PersonId, RoomId)>,
    /// The number of open and closed rooms that each person is making.
    making: Counts<PersonId>,
    /// The rooms that are being made, with their makers.
    makers: HashMap<RoomId, PersonId>,
    ending: Counts<RoomId>,
}

/// A number of things of each kind.
#[derive(Debug)]
struct Counts<K>(BTreeMap<K, usize>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord> Counts<K> {
    fn add(&mut self, key: K) {
        *self.0.entry(key).or_default() += 1;
    }

    fn remove(&mut self, key: &K) {
        if let Some(count) = self.0.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(key);
            }
        }
    }
}

impl Pending {
    pub(super) fn add(&mut self, room: RoomId, change: &RoomChange, by: PersonId) {
        match change {
            RoomChange::Create(new) => {
                new.members.iter().for_each(|person| self.joining.add((*person, room)));
                if new.kind != RoomKind::Direct {
                    self.making.add(by);
                }
                self.makers.insert(room, by);
            }
            RoomChange::Add(person) => self.joining.add((*person, room)),
            RoomChange::Remove(person) => self.leaving.add((*person, room)),
            RoomChange::Rename(_) | RoomChange::SetTopic(_) => (),
        }
    }

    pub(super) fn remove(&mut self, room: RoomId, change: &RoomChange) {
        match change {
            RoomChange::Create(new) => {
                new.members.iter().for_each(|person| self.joining.remove(&(*person, room)));
                if let Some(maker) = self.makers.remove(&room)
                    && new.kind != RoomKind::Direct
                {
                    self.making.remove(&maker);
                }
            }
            RoomChange::Add(person) => self.joining.remove(&(*person, room)),
            RoomChange::Remove(person) => self.leaving.remove(&(*person, room)),
            RoomChange::Rename(_) | RoomChange::SetTopic(_) => (),
        }
    }

    pub(super) fn is_joining(&self, person: PersonId, room: RoomId) -> bool {
        self.joining.0.contains_key(&(person, room))
    }

    /// Returns true if anybody is about to be in a room.
    pub(super) fn is_awaited(&self, room: RoomId) -> bool {
        self.joining.0.keys().any(|(_, other)| *other == room)
    }

    /// Returns true if a room is being made.
    pub(super) fn is_making(&self, room: RoomId) -> bool {
        self.makers.contains_key(&room)
    }

    pub(super) fn begin_end(&mut self, room: RoomId) {
        self.ending.add(room);
    }

    pub(super) fn end_answered(&mut self, room: RoomId) {
        self.ending.remove(&room);
    }

    pub(super) fn is_ending(&self, room: RoomId) -> bool {
        self.ending.0.contains_key(&room)
    }

    pub(super) fn is_leaving(&self, person: PersonId, room: RoomId) -> bool {
        self.leaving.0.contains_key(&(person, room))
    }

    pub(super) fn n_joining(&self, person: PersonId) -> usize {
        self.joining.0.range((person, RoomId(0))..=(person, RoomId(u32::MAX))).count()
    }

    pub(super) fn n_made(&self, person: PersonId) -> usize {
        self.making.0.get(&person).copied().unwrap_or_default()
    }

    pub(super) fn n_making(&self) -> usize {
        self.makers.len()
    }
}
