//! The numbers behind names, as in `Bob (2)`.
//!
//! Finding a free one takes a few look-ups, however many are taken, and however they were chosen: numbers
//! are kept as ranges, and names by what they look like.

use std::collections::{BTreeMap, HashMap};

use pychat_wire::{UserName, name::Skeleton};

/// The first number that anybody is given.
const NUMBER_MIN: u32 = 2;

/// The most tries to find a number that is free for both looks of a name, before one is given that
/// nobody has behind any name.
const TRIES_MAX: u32 = 4;

/// The numbers that are taken.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// By the skeleton of the name that they stand behind.
    by_stem: HashMap<Box<str>, Ranges>,
    /// The number of names behind which each number stands.
    counts: HashMap<u32, u32>,
    /// All numbers of `counts`.
    any: Ranges,
}

impl Numbers {
    /// Takes in that a skeleton is taken, which nobody had.
    pub(super) fn take(&mut self, skeleton: &Skeleton) {
        let Some((stem, number)) = skeleton.split_number() else { return };
        match self.by_stem.get_mut(stem) {
            Some(ranges) => ranges.insert(number),
            None => self.by_stem.entry(stem.into()).or_default().insert(number),
        }
        *self.counts.entry(number).or_default() += 1;
        self.any.insert(number);
    }

    /// Takes in that a skeleton is not taken any more.
    pub(super) fn free(&mut self, skeleton: &Skeleton) {
        let Some((stem, number)) = skeleton.split_number() else { return };
        if let Some(ranges) = self.by_stem.get_mut(stem) {
            ranges.remove(number);
            if ranges.is_empty() {
                self.by_stem.remove(stem);
            }
        }
        if let Some(count) = self.counts.get_mut(&number) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&number);
                self.any.remove(number);
            }
        }
    }

    /// Returns a number that stands behind nothing that looks like `name`: the first one, unless
    /// the two skeletons of the name take turns in having it.
    pub(super) fn find_free(&self, name: &UserName) -> u32 {
        let [first, second] =
            name.stem_skeletons().each_ref().map(|it| self.by_stem.get(it.as_str()));
        let free_from = |ranges: Option<&Ranges>, number| {
            ranges.map_or(number, |ranges| ranges.free_from(number))
        };
        let mut number = NUMBER_MIN;
        for _ in 0..TRIES_MAX {
            let free_for_both = free_from(second, free_from(first, number));
            if free_for_both == number {
                return number;
            }
            number = free_for_both;
        }
        self.any.free_from(NUMBER_MIN)
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_stem.is_empty() && self.counts.is_empty() && self.any.is_empty()
    }
}

/// A set of numbers, as ranges of which no two touch.
#[derive(Debug, Default)]
struct Ranges {
    /// From the first number of each to its last.
    last_by_first: BTreeMap<u32, u32>,
}

impl Ranges {
    fn is_empty(&self) -> bool {
        self.last_by_first.is_empty()
    }

    /// Returns the range that holds `number`.
    fn holding(&self, number: u32) -> Option<(u32, u32)> {
        #[cfg(test)]
        N_LOOK_UPS.with(|count| count.set(count.get() + 1));
        let (&first, &last) = self.last_by_first.range(..=number).next_back()?;
        (number <= last).then_some((first, last))
    }

    /// Returns the first number from `number` on that is not in the set.
    fn free_from(&self, number: u32) -> u32 {
        self.holding(number).map_or(number, |(_, last)| last + 1) // Of nine digits at most.
    }

    fn insert(&mut self, number: u32) {
        if self.holding(number).is_some() {
            return;
        }
        let before = number.checked_sub(1).and_then(|before| self.holding(before));
        let first = before.map_or(number, |(first, _)| first);
        let last = self.last_by_first.remove(&(number + 1)).unwrap_or(number);
        self.last_by_first.insert(first, last);
    }

    fn remove(&mut self, number: u32) {
        let Some((first, last)) = self.holding(number) else { return };
        self.last_by_first.remove(&first);
        if first < number {
            self.last_by_first.insert(first, number - 1);
        }
        if number < last {
            self.last_by_first.insert(number + 1, last);
        }
    }
}

#[cfg(test)]
thread_local! {
    /// The number of look-ups on this thread so far.
    pub(super) static N_LOOK_UPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ranges_are_a_set() {
        let (mut ranges, mut model) = (Ranges::default(), BTreeSet::new());
        let mut rng = 1_u32;
        for _ in 0..10_000 {
            rng = rng.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let number = (rng >> 8) % 12;
            if rng >> 31 == 0 {
                ranges.insert(number);
                model.insert(number);
            } else {
                ranges.remove(number);
                model.remove(&number);
            }
            for from in 0..14 {
                let free = (from..20).find(|number| !model.contains(number));
                assert_eq!(Some(ranges.free_from(from)), free);
            }
            let n_ends = model.iter().filter(|number| !model.contains(&(**number + 1))).count();
            assert_eq!(ranges.last_by_first.len(), n_ends, "no two ranges touch");
        }
    }
}
