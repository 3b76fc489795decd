//! Operators: people who may do what nobody else may. They are named on the machine; being early, or
//! owning a name, makes nobody one.

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
        let Some(known) = self.known.get_mut(&person) else { return false };
        if known.is_operator == is_operator {
            return false;
        }
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
        self.changed.insert(person);
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

    /// Returns true if the reservation of a name has ended.
    pub(super) fn is_expired(&self, owned: &Owned, expiry: Expiry) -> bool {
        owned.is_expired(expiry) && !self.is_operator(owned.person)
    }
}
