//! The people present, as far as a client is told.
//!
//! A server of the original lets in names that hold `, `, the separator of names in its welcome:
//! `Иванов, Пётр` looks like two people. The welcome also has the number of people. Where that is
//! less than the number of pieces, the pieces are [unsettled](Unsettled) until those who leave have
//! shown which of them belong together. No name stays listed that could never be taken off.

mod unsettled;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use self::unsettled::Unsettled;
use super::MEMBERS_MAX;
use crate::{message::bounds, notice::NAME_SEPARATOR};

/// Names in join order, of which several may be the same in protocol 1. Names beyond
/// [`MEMBERS_MAX`] are not listed.
#[derive(Debug, Default)]
pub(super) struct Roster {
    /// The names, by numbers that only grow.
    names: BTreeMap<u64, String>,
    /// The numbers of each name.
    numbers: HashMap<String, BTreeSet<u64>>,
    next_number: u64,
    /// The numbers of those that may be pieces of names.
    unsettled: Unsettled,
    /// The numbers of those that were made of pieces, or left over, as far as could be told.
    guessed: BTreeSet<u64>,
}

impl Roster {
    pub(super) fn names(&self) -> Vec<String> {
        self.names.values().cloned().collect()
    }

    pub(super) fn replace(&mut self, names: impl IntoIterator<Item = String>) {
        *self = Self::default();
        names.into_iter().for_each(|name| self.push(name));
    }

    /// Takes the listing of a welcome of protocol 1, which names `online` people.
    pub(super) fn replace_listed(&mut self, listing: &str, online: usize) {
        *self = Self::default();
        if online == 0 || listing.is_empty() {
            return;
        }
        for piece in listing.split(NAME_SEPARATOR).take(MEMBERS_MAX) {
            self.push(bounds::name(piece).into_owned());
        }
        if online < self.names.len() {
            self.unsettled = Unsettled::new(self.next_number, online);
            self.settle();
        }
    }

    pub(super) fn push(&mut self, name: String) {
        if self.names.len() < MEMBERS_MAX {
            self.insert(self.next_number, name);
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
        let shown = bounds::name(name);
        let mut numbers = self.numbers.get(&*shown).into_iter();
        let settled = numbers.find_map(|numbers| numbers.range(self.unsettled.end()..).next());
        if let Some(number) = settled.copied() {
            self.take(number);
        } else if !self.unsettled.is_empty() {
            self.remove_unsettled(name);
        } else if let Some(guessed) = self.guessed.pop_last() {
            self.take(guessed); // They were taken for somebody else.
        }
    }

    /// Returns everybody but the last one called `name`.
    pub(super) fn others(&self, name: &str) -> Vec<String> {
        let own = self.numbers.get(name).and_then(BTreeSet::last);
        let others = self.names.iter().filter(|(number, _)| Some(*number) != own);
        others.map(|(_, name)| name.clone()).collect()
    }

    /// Takes the pieces of `name` off the list. If they are not found, the listing was cut
    /// elsewhere, and there is one person fewer all the same.
    fn remove_unsettled(&mut self, name: &str) {
        let pieces: Vec<_> = name.split(NAME_SEPARATOR).map(bounds::name).collect();
        let is_name = |(number, piece): (u64, &str)| {
            self.unsettled.holds(number) && self.names.get(&number).is_some_and(|it| it == piece)
        };
        let length = pieces.len() as u64;
        let places = self.numbers.get(&*pieces[0]).into_iter().flatten();
        let runs = places.take(unsettled::RUNS_TRIED_MAX).map(|first| *first..*first + length);
        let runs: Vec<_> = runs
            .filter(|run| run.clone().zip(pieces.iter().map(|it| &**it)).all(is_name))
            .collect();
        let fits = runs.iter().find(|run| self.unsettled.allows(run));
        match fits.or(runs.first()).cloned() {
            Some(run) => {
                self.unsettled.remove(&run);
                run.for_each(|number| drop(self.take(number)));
            }
            None => self.unsettled.remove_somebody(),
        }
        self.settle();
    }

    /// Makes names of the pieces once it is clear which belong together.
    fn settle(&mut self) {
        for run in self.unsettled.settled() {
            let pieces: Vec<_> = run.clone().filter_map(|number| self.take(number)).collect();
            let name = pieces.join(NAME_SEPARATOR);
            self.insert(run.start, bounds::name(name).into_owned());
            self.guessed.insert(run.start);
        }
        for number in self.unsettled.given_up() {
            self.take(number);
        }
    }

    fn insert(&mut self, number: u64, name: String) {
        self.numbers.entry(name.clone()).or_default().insert(number);
        self.names.insert(number, name);
    }

    fn take(&mut self, number: u64) -> Option<String> {
        let name = self.names.remove(&number)?;
        self.guessed.remove(&number);
        if let Some(numbers) = self.numbers.get_mut(&name) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.numbers.remove(&name);
            }
        }
        Some(name)
    }
}
