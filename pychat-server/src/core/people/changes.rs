//! Changes of people that the store is to keep, and in a store that servers share the people as it has
//! them: a change that it does not take is undone.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use pychat_wire::UserName;

use super::{Known, Owned, People};
use crate::core::record::{OwnedName, Person, PersonChange, PersonId};

/// The people who changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Since the store was told.
    new: BTreeSet<PersonId>,
    /// Those of whom it has not taken every change, in a store that is shared.
    open: Option<BTreeMap<PersonId, Open>>,
}

/// Somebody of whom the store has not taken every change.
#[derive(Debug)]
struct Open {
    /// As the store has them.
    kept: Option<Person>,
    /// The number of changes that it has not answered.
    n_asked: usize,
}

impl Changes {
    pub(super) fn clear(&mut self) {
        self.new.clear();
    }
}

/// The change of a person that came from the store.
#[derive(Debug)]
pub struct Replaced {
    /// The person.
    pub id: PersonId,
    /// As they were.
    pub before: Option<Person>,
    /// As they are.
    pub after: Option<Person>,
}

impl People {
    /// Has it live with other servers: people may be changed elsewhere, and changes refused.
    pub fn share(&mut self) {
        self.changes.open = Some(BTreeMap::new());
        self.policy.share();
    }

    pub(super) fn is_shared(&self) -> bool {
        self.changes.open.is_some()
    }

    /// Notes that a person is about to change.
    pub(super) fn touch(&mut self, id: PersonId) {
        self.changes.new.insert(id);
        if self.changes.open.as_ref().is_some_and(|open| !open.contains_key(&id)) {
            let kept = self.get(id);
            if let Some(open) = &mut self.changes.open {
                open.insert(id, Open { kept, n_asked: 0 });
            }
        }
    }

    /// Takes what the log is to keep since this was asked last.
    pub fn take_changes(&mut self) -> Vec<PersonChange> {
        let new = mem::take(&mut self.changes.new);
        if let Some(open) = &mut self.changes.open {
            for id in &new {
                if let Some(open) = open.get_mut(id) {
                    open.n_asked += 1;
                }
            }
        }
        let change = |id| self.get(id).map_or(PersonChange::Forget(id), PersonChange::Save);
        new.into_iter().map(change).collect()
    }

    /// Takes in whether the store has kept a change; returns a person who is as it has them, and was not
    /// here.
    pub fn answered(&mut self, change: &PersonChange, is_kept: bool) -> Option<Replaced> {
        let (PersonChange::Save(Person { id, .. }) | PersonChange::Forget(id)) = *change;
        let it = self.changes.open.as_mut()?.get_mut(&id)?;
        it.n_asked = it.n_asked.saturating_sub(1);
        if is_kept {
            it.kept = match change {
                PersonChange::Save(person) => Some(person.clone()),
                PersonChange::Forget(_) => None,
            };
        }
        if 0 < it.n_asked || self.changes.new.contains(&id) {
            return None; // As they are now is still to be answered.
        }
        let kept = self.changes.open.as_mut()?.remove(&id)?.kept;
        // They may also have lost a name to somebody else, whose change was not kept.
        (self.get(id) != kept).then(|| self.replace(id, kept))
    }

    /// Takes in a change that another server made; none of the own ones will be kept that are not
    /// answered.
    pub fn changed_elsewhere(&mut self, change: &PersonChange) -> Replaced {
        let (id, person) = match change {
            PersonChange::Save(person) => (person.id, Some(person.clone())),
            PersonChange::Forget(id) => (*id, None),
        };
        if let Some(open) = self.changes.open.as_mut().and_then(|open| open.get_mut(&id)) {
            open.kept.clone_from(&person);
        }
        self.replace(id, person)
    }

    /// Returns a person, if they own a name.
    pub fn get(&self, id: PersonId) -> Option<Person> {
        let known = self.known.get(&id)?;
        let names = known.names.iter().filter_map(|number| self.names.get(number));
        let names = names.map(|owned| OwnedName {
            name: owned.name.as_str().to_owned(),
            used_ms: owned.used_ms,
            is_regular: owned.is_regular,
        });
        let (is_operator, devices) = (known.is_operator, known.devices.clone());
        Some(Person { id, is_operator, is_bot: self.is_bot(id), names: names.collect(), devices })
    }

    /// Returns everybody who owns a name, in the order of their numbers.
    pub fn all(&self) -> Vec<Person> {
        let mut ids: Vec<_> = self.known.keys().copied().collect();
        ids.sort_unstable();
        ids.into_iter().filter_map(|id| self.get(id)).collect()
    }

    /// Has a person be as the store has them. A code by which another device could join ends with any
    /// change of their devices.
    fn replace(&mut self, id: PersonId, person: Option<Person>) -> Replaced {
        let before = self.get(id);
        let changes = mem::take(&mut self.changes);
        let code = self.codes.take_out(id);
        self.forget_all(id);
        if let Some(person) = person {
            self.insert_person(person);
        }
        self.changes = changes;
        self.changes.new.remove(&id);
        let after = self.get(id);
        let devices = |person: &Option<Person>| person.as_ref().map(|it| it.devices.clone());
        if let Some(code) = code.filter(|_| devices(&before) == devices(&after)) {
            self.codes.put_back(id, code);
        }
        Replaced { id, before, after }
    }

    fn insert_person(&mut self, person: Person) {
        let Person { id, is_operator, is_bot, names, devices } = person;
        if is_bot {
            self.policy.bots.insert(id);
        }
        self.by_key.extend(devices.iter().map(|device| (device.key, id)));
        self.known.insert(id, Known { is_operator, names: Vec::new(), devices });
        for OwnedName { name, used_ms, is_regular } in names {
            if let Ok(name) = UserName::new(&name) {
                self.insert(Owned { name, person: id, used_ms, is_regular });
            }
        }
        if self.known.get(&id).is_some_and(|known| known.names.is_empty()) {
            self.forget_person(id);
        }
    }
}
