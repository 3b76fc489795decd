//! Operators, and what they decide about people. They are named on the machine; being early, or owning
//! a name, makes nobody one.

use pychat_wire::UserName;

use super::{Expiry, Known, Owned, People};
use crate::core::record::PersonId;

impl People {
    /// Returns true if this person is an operator.
    pub fn is_operator(&self, person: PersonId) -> bool {
        self.known.get(&person).is_some_and(|known| known.is_operator)
    }

    /// Makes a person an operator, or one no longer; returns false if they own no name, or nothing
    /// changes by it.
    pub fn set_operator(&mut self, person: PersonId, is_operator: bool) -> bool {
        if !self.is_known(person) || self.is_operator(person) == is_operator {
            return false;
        }
        self.touch(person);
        let Some(known) = self.known.get_mut(&person) else { return false };
        known.is_operator = is_operator;
        for number in &known.names {
            let Some(owned) = self.names.get(number) else { continue };
            let order = owned.use_order(*number);
            if is_operator {
                self.by_use.remove(&order);
            } else {
                self.by_use.insert(order);
            }
        }
        true
    }

    /// Returns the operators, in the order in which they became people.
    pub fn operators(&self) -> Vec<PersonId> {
        let is_operator = |(_, known): &(&PersonId, &Known)| known.is_operator;
        let mut operators: Vec<_> =
            self.known.iter().filter(is_operator).map(|(person, _)| *person).collect();
        operators.sort_unstable();
        operators
    }

    /// Returns who owns `name`, or one that looks like it, and how they spell it.
    pub fn owner(&self, name: &UserName) -> Option<(PersonId, UserName)> {
        self.lookalikes(name).next().map(|(_, owned)| (owned.person, owned.name.clone()))
    }

    /// Returns true if this person owns a name.
    pub fn is_known(&self, person: PersonId) -> bool {
        self.known.contains_key(&person)
    }

    /// Returns the name of a person that they used last, if they own one.
    pub fn name(&self, person: PersonId) -> Option<&str> {
        let numbers = self.known.get(&person)?.names.iter();
        let names = numbers.filter_map(|number| Some((number, self.names.get(number)?)));
        let last = names.max_by_key(|(number, owned)| (owned.used_ms, **number));
        last.map(|(_, owned)| owned.name.as_str())
    }

    /// Returns the names of a person.
    pub fn names(&self, person: PersonId) -> Vec<String> {
        let numbers = self.known.get(&person).into_iter().flat_map(|known| &known.names);
        let names = numbers.filter_map(|number| self.names.get(number));
        names.map(|owned| owned.name.as_str().to_owned()).collect()
    }

    /// Forgets a person: their names, devices and code are nobody's.
    pub fn forget_all(&mut self, person: PersonId) {
        let numbers = self.known.get(&person).map(|known| known.names.clone()).unwrap_or_default();
        for number in numbers {
            self.forget(number);
        }
    }

    /// Makes the code useless by which another device could join a person.
    pub fn forget_code(&mut self, person: PersonId) {
        self.codes.forget(person);
    }

    /// Returns true if the reservation of a name has ended.
    pub(super) fn is_expired(&self, owned: &Owned, expiry: Expiry) -> bool {
        owned.is_expired(expiry) && !self.is_operator(owned.person)
    }
}
