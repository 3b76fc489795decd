//! Who is present, as far as a client is told.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::MEMBERS_MAX;

/// Names in join order, of which several may be the same in protocol 1. Whoever does not fit is not
/// listed.
#[derive(Debug, Default)]
pub(super) struct Roster {
    /// By a number that only grows.
    names: BTreeMap<u64, String>,
    /// The numbers of each name.
    numbers: HashMap<String, BTreeSet<u64>>,
    next_number: u64,
}

impl Roster {
    pub(super) fn names(&self) -> Vec<String> {
        self.names.values().cloned().collect()
    }

    pub(super) fn replace(&mut self, names: impl IntoIterator<Item = String>) {
        *self = Self::default();
        names.into_iter().for_each(|name| self.push(name));
    }

    pub(super) fn push(&mut self, name: String) {
        if self.names.len() < MEMBERS_MAX {
            self.numbers.entry(name.clone()).or_default().insert(self.next_number);
            self.names.insert(self.next_number, name);
            self.next_number += 1;
        }
    }

    /// Lists `name`, unless it is there already: in protocol 2 a name is one person's.
    pub(super) fn push_once(&mut self, name: &str) {
        if !self.numbers.contains_key(name) {
            self.push(name.to_owned());
        }
    }

    /// Takes the first of those called `name` off the list.
    pub(super) fn remove(&mut self, name: &str) {
        let Some(numbers) = self.numbers.get_mut(name) else { return };
        if let Some(first) = numbers.pop_first() {
            self.names.remove(&first);
        }
        if numbers.is_empty() {
            self.numbers.remove(name);
        }
    }

    /// Returns everybody but the last one called `name`.
    pub(super) fn others(&self, name: &str) -> Vec<String> {
        let own = self.numbers.get(name).and_then(BTreeSet::last);
        let others = self.names.iter().filter(|(number, _)| Some(*number) != own);
        others.map(|(_, name)| name.clone()).collect()
    }
}
