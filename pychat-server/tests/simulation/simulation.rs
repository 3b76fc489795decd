//! People who come, talk and go by chance, over lines that cut, stall and break by chance.
//!
//! `SEED=7` replays one run, `SEEDS=100000` makes as many.

use std::{collections::BTreeMap, env};

use fastrand::Rng;

use crate::{fault::Fault, world::World};

const SEEDS: u64 = 1_000;
const STEPS: usize = 1_000;

#[test]
fn chance_breaks_no_promise() {
    let mut fired = BTreeMap::new();
    if let Some(seed) = number("SEED") {
        run(seed, &mut fired);
        return;
    }
    for seed in 0..number("SEEDS").unwrap_or(SEEDS) {
        run(seed, &mut fired);
    }
    for fault in Fault::ALL {
        assert!(fired.contains_key(&fault), "{fault:?} never happened: {fired:?}");
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|value| value.parse().expect("a number"))
}

fn run(seed: u64, fired: &mut BTreeMap<Fault, usize>) {
    let reproduce = Reproduce(seed);
    let mut rng = Rng::with_seed(seed);
    let mut world = World::new(Box::new(move |end| rng.usize(..end)));
    for _ in 0..STEPS {
        world.step();
    }
    for (fault, times) in world.finish() {
        *fired.entry(fault).or_default() += times;
    }
    drop(reproduce);
}

/// Says how to have the same run again, should it fail.
struct Reproduce(u64);

impl Drop for Reproduce {
    #[expect(clippy::print_stderr, reason = "whoever runs the tests must know")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("SEED={} replays this run", self.0);
        }
    }
}
