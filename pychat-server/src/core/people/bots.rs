//! Bots: people who are programs, as operators have marked them.

use std::{collections::BTreeSet, mem};

use super::People;
use crate::core::record::PersonId;

/// The most people who are bots: everybody is told all of their names.
pub const BOTS_MAX: usize = 100;

/// The bots, and what was told of them.
#[derive(Debug, Default)]
pub(super) struct Bots {
    people: BTreeSet<PersonId>,
    /// The names that were told last.
    told: Vec<String>,
}

impl Bots {
    pub(super) fn insert(&mut self, person: PersonId) {
        self.people.insert(person);
    }

    pub(super) fn remove(&mut self, person: PersonId) {
        self.people.remove(&person);
    }
}

impl People {
    /// Returns true if this person is a bot.
    pub fn is_bot(&self, person: PersonId) -> bool {
        self.policy.bots.people.contains(&person)
    }

    /// Makes a person a bot, or one no longer; returns false if they own no name, or nothing changes by
    /// it.
    ///
    /// # Errors
    ///
    /// There are [`BOTS_MAX`] already.
    pub fn set_bot(&mut self, person: PersonId, is_bot: bool) -> Result<bool, TooManyBots> {
        if !self.known.contains_key(&person) || self.is_bot(person) == is_bot {
            return Ok(false);
        }
        if is_bot && BOTS_MAX <= self.policy.bots.people.len() {
            return Err(TooManyBots);
        }
        self.touch(person);
        let bots = &mut self.policy.bots.people;
        if is_bot {
            bots.insert(person);
        } else {
            bots.remove(&person);
        }
        Ok(true)
    }

    /// Returns the bots, in the order in which they became people.
    pub fn bots(&self) -> impl Iterator<Item = PersonId> {
        self.policy.bots.people.iter().copied()
    }

    /// Returns the names of all bots.
    pub fn bot_names(&self) -> Vec<String> {
        self.bots().flat_map(|person| self.names(person)).collect()
    }

    /// Returns the names of all bots, if they are others than when this was asked last.
    pub fn take_bot_news(&mut self) -> Option<Vec<String>> {
        let names = self.bot_names();
        let told = mem::replace(&mut self.policy.bots.told, names);
        let names = &self.policy.bots.told;
        (told != *names).then(|| names.clone())
    }
}

/// There is no room for another bot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooManyBots;
