//! Maps that forget: what does not matter any more is dropped when the map has doubled, so that each
//! entry is looked at a bounded number of times and memory stays in proportion to what matters.

use std::{collections::HashMap, hash::Hash};

/// The fewest entries that are worth a sweep.
pub const SWEEP_MIN: usize = 1_024;

/// The number of entries at which a map is swept next.
#[derive(Debug)]
pub struct Sweep {
    at: usize,
}

impl Default for Sweep {
    fn default() -> Self {
        Self { at: SWEEP_MIN }
    }
}

impl Sweep {
    /// Drops from `map` what does not `matter`, if it has twice as many entries as after the last
    /// sweep.
    pub fn run<K: Eq + Hash, V>(&mut self, map: &mut HashMap<K, V>, matters: impl Fn(&V) -> bool) {
        if map.len() < self.at {
            return;
        }
        map.retain(|_, value| matters(value));
        self.at = (2 * map.len()).max(SWEEP_MIN);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_does_not_matter_is_dropped_when_the_map_has_doubled() {
        let (mut sweep, mut map) = (Sweep::default(), HashMap::new());
        for number in 0..10 * SWEEP_MIN {
            map.insert(number, number);
            sweep.run(&mut map, |number| number % 2 == 0 && *number < 4 * SWEEP_MIN);
            assert!(map.len() < 4 * SWEEP_MIN + 1, "{}", map.len());
        }
        assert!((0..4 * SWEEP_MIN).step_by(2).all(|number| map.contains_key(&number)));
    }

    #[test]
    fn what_matters_is_looked_at_once_for_each_doubling() {
        let (mut sweep, mut map) = (Sweep::default(), HashMap::new());
        let mut swept_at = Vec::new();
        for number in 0..10 * SWEEP_MIN {
            map.insert(number, number);
            let n_looks = Cell::new(0);
            sweep.run(&mut map, |_| {
                n_looks.update(|n| n + 1);
                true
            });
            swept_at.extend(Some(n_looks.get()).filter(|n| *n != 0));
        }
        assert_eq!(swept_at, [1, 2, 4, 8].map(|times| times * SWEEP_MIN));
    }
}
