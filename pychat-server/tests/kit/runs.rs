//! Runs in which chance decides what happens, each to be had again by its seed, and the faults in
//! them: named, as likely as a table says, and counted.

use std::{cell::RefCell, collections::BTreeMap, env, fmt, rc::Rc};

/// Chooses a number below the one given, which is not 0.
pub(crate) type Chance<'a> = Box<dyn FnMut(usize) -> usize + 'a>;

/// Things that may happen, or that may be counted.
pub(crate) trait Knob: Copy + Eq + Ord + fmt::Debug + 'static {
    /// Each with its share of the chance; one that only follows from others has none.
    const TABLE: &'static [(Self, usize)];

    /// Returns all shares together.
    fn shares() -> usize {
        Self::TABLE.iter().map(|(_, share)| share).sum()
    }

    /// Chooses one, each as often as its share of all shares.
    fn choose(chance: &mut dyn FnMut(usize) -> usize) -> Self {
        let mut left = chance(Self::shares());
        for (knob, share) in Self::TABLE {
            match left.checked_sub(*share) {
                Some(rest) => left = rest,
                None => return *knob,
            }
        }
        unreachable!("less than all shares together")
    }
}

/// Declares an enum of [`Knob`]s, each with its share where it has one.
macro_rules! knobs {
    (
        $(#[$meta:meta])*
        $vis:vis enum $Name:ident {
            $($(#[$doc:meta])* $Member:ident $(= $share:literal)?,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        $vis enum $Name { $($(#[$doc])* $Member,)* }

        impl $crate::kit::Knob for $Name {
            const TABLE: &'static [(Self, usize)] = &[$((Self::$Member, 0 $(+ $share)?),)*];
        }
    };
}
pub(crate) use knobs;

/// The number of times that each fault took effect; clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Fired<F>(Rc<RefCell<BTreeMap<F, usize>>>);

impl<F: Knob> Fired<F> {
    /// Counts one fault.
    pub(crate) fn note(&self, fault: F) {
        *self.0.borrow_mut().entry(fault).or_default() += 1;
    }

    /// Returns true if it took effect.
    pub(crate) fn contains(&self, fault: F) -> bool {
        self.0.borrow().contains_key(&fault)
    }

    /// Returns those that never took effect.
    pub(crate) fn missing(&self) -> Vec<F> {
        F::TABLE.iter().map(|(fault, _)| *fault).filter(|fault| !self.contains(*fault)).collect()
    }

    /// Every fault took effect, or the runs prove nothing.
    #[track_caller]
    pub(crate) fn check_complete(&self) {
        assert_eq!(self.missing(), [], "these never happened: {self}");
    }
}

impl<F> Default for Fired<F> {
    fn default() -> Self {
        Self(Rc::default())
    }
}

impl<F: fmt::Debug> fmt::Display for Fired<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.0.borrow())
    }
}

/// Does a run for each seed: for `SEED` alone if that is set, or for as many as `SEEDS` says, or for
/// `n_seeds`, in the course of which every fault must take effect.
pub(crate) fn for_each_seed<F: Knob>(n_seeds: u64, mut run: impl FnMut(u64, Fired<F>)) {
    let fired = Fired::default();
    if let Some(seed) = number("SEED") {
        return reproducibly(seed, &fired, |fired| run(seed, fired));
    }
    let n_wanted = number("SEEDS").unwrap_or(n_seeds);
    for seed in 0..n_wanted {
        reproducibly(seed, &fired, |fired| run(seed, fired));
    }
    if n_seeds <= n_wanted {
        fired.check_complete();
    }
}

/// Does one run; if it fails, says how to have it again, and what had happened by then.
pub(crate) fn reproducibly<F: Knob>(seed: u64, fired: &Fired<F>, run: impl FnOnce(Fired<F>)) {
    let reproduce = Reproduce(seed, fired);
    run(fired.clone());
    drop(reproduce);
}

/// Returns the number that the environment's `variable` is, if it is set.
pub(crate) fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|value| value.parse().expect("a number"))
}

struct Reproduce<'a, F: Knob>(u64, &'a Fired<F>);

impl<F: Knob> Drop for Reproduce<'_, F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("SEED={} replays this run; so far there were {}", self.0, self.1);
        }
    }
}

/// Lets the bytes of a fuzzer decide, two a choice; at their end, it is always the first choice.
pub(crate) struct Bytes<'a>(std::cell::Cell<&'a [u8]>);

impl<'a> Bytes<'a> {
    /// Returns the choices that are in `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(std::cell::Cell::new(bytes))
    }

    /// Returns true if nothing more is decided.
    pub(crate) fn is_over(&self) -> bool {
        self.0.get().len() < 2
    }

    /// Returns the choices as chance.
    pub(crate) fn chance(&self) -> Chance<'_> {
        Box::new(|end| match self.0.get() {
            [first, second, others @ ..] => {
                self.0.set(others);
                usize::from(u16::from_le_bytes([*first, *second])) % end
            }
            _ => 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    knobs! {
        enum Weather {
            Rain = 2,
            /// It follows from rain and sun.
            Rainbow,
            Sun = 3,
        }
    }

    #[test]
    fn chance_is_shared_out_as_the_table_says() {
        let chosen = [0, 1, 2, 3, 4].map(|choice| {
            Weather::choose(&mut |end| {
                assert_eq!(end, 5);
                choice
            })
        });
        let [rain, sun] = [Weather::Rain, Weather::Sun];
        assert_eq!(chosen, [rain, rain, sun, sun, sun]);
    }

    #[test]
    fn what_never_happened_is_told() {
        let fired = Fired::default();
        fired.clone().note(Weather::Sun);
        assert_eq!(fired.missing(), [Weather::Rain, Weather::Rainbow]);
        assert_eq!(fired.to_string(), "{Sun: 1}");
    }
}
