//! Everything below the reactor keeps its promises whatever happens, in whatever order.
//!
//! The input decides what happens, two bytes a choice, in the world of the simulation: who comes,
//! what is said in which protocol, who comes back and what they ask for, which line breaks, how time
//! passes. The world says which promises those are.
#![no_main]

#[path = "../../tests/kit/mod.rs"]
mod kit;
#[path = "../../tests/simulation/world/mod.rs"]
mod world;

use libfuzzer_sys::fuzz_target;

use crate::{
    kit::{Fired, runs::Bytes},
    world::World,
};

/// A run has no more steps than this, so that none is slow.
const STEPS_MAX: usize = 1_000;

fuzz_target!(|data: &[u8]| {
    let bytes = Bytes::new(data);
    let mut world = World::new(bytes.chance(), Fired::default());
    for _ in 0..STEPS_MAX {
        if bytes.is_over() {
            break;
        }
        world.step();
    }
    world.finish();
});
