//! No byte of a peer's costs the server more than a bounded amount of work.

#[path = "../kit/mod.rs"]
mod kit;
mod siege;

use std::alloc::System;

use fastrand::Rng;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::siege::Siege;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SEEDS: u64 = 8;
const STEPS: usize = 1_000;

#[test]
fn nothing_costs_more_than_it_may() {
    for seed in 0..SEEDS {
        let mut rng = Rng::with_seed(seed);
        let mut siege = Siege::new(Box::new(move |end| rng.usize(..end)), HEAP);
        for _ in 0..STEPS {
            let work = siege.step();
            assert!(work.is_fair(), "seed {seed}: {work:?}");
        }
    }
}
