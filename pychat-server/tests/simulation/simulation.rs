//! People who come, talk and go by chance, over lines that cut, stall and break by chance.
//!
//! `SEED=7` replays one run, `SEEDS=100000` makes as many.

use fastrand::Rng;

use crate::{kit::runs, world::World};

const SEEDS: u64 = 1_000;
const STEPS: usize = 1_000;

#[test]
fn chance_breaks_no_promise() {
    runs::for_each_seed(SEEDS, |seed, fired| {
        let mut rng = Rng::with_seed(seed);
        let mut world = World::new(Box::new(move |end| rng.usize(..end)), fired);
        for _ in 0..STEPS {
            world.step();
        }
        world.finish();
    });
}
