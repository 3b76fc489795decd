//! Everything below the reactor keeps its promises whatever happens, in whatever order.
//!
//! The input decides what happens, two bytes a choice, in the world of the simulation: who comes,
//! what is said in which protocol, who comes back and what they ask for, which line breaks, how time
//! passes. The world says which promises those are.
#![no_main]

#[path = "../../tests/simulation/v1_checker.rs"]
mod v1_checker;
#[allow(dead_code, reason = "the tests use the rest")]
#[expect(dead_code, reason = "only the simulation asks which faults there are")]
#[path = "../../tests/simulation/fault.rs"]
mod fault;
#[path = "../../tests/simulation/v2_checker.rs"]
mod v2_checker;
#[allow(dead_code, reason = "the tests use the rest")]
#[expect(dead_code, reason = "only the ticks look at single writes")]
#[path = "../../tests/simulation/line.rs"]
mod line;
#[path = "../../tests/simulation/story.rs"]
mod story;
#[path = "../../tests/simulation/oracle.rs"]
mod oracle;
#[path = "../../tests/simulation/world/mod.rs"]
mod world;

use std::cell::Cell;

use libfuzzer_sys::fuzz_target;

use crate::world::World;

/// A run has no more steps than this, so that none is slow.
const STEPS_MAX: usize = 1_000;

fuzz_target!(|data: &[u8]| {
    let rest = Cell::new(data);
    // At the end of the input, it is always the first choice.
    let choose = |end: usize| match rest.get() {
        [first, second, others @ ..] => {
            rest.set(others);
            usize::from(u16::from_le_bytes([*first, *second])) % end
        }
        _ => 0,
    };
    let mut world = World::new(Box::new(choose));
    for _ in 0..STEPS_MAX {
        if rest.get().len() < 2 {
            break;
        }
        world.step();
    }
    world.finish();
});
