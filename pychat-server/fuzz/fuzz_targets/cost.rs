//! No input makes the server work more than its bytes and what it writes account for.
//!
//! The input decides what happens, two bytes a choice, in the siege of the `cost` test: who says
//! what, under which names. What a step may allocate is said there.
#![no_main]

#[expect(dead_code, reason = "the server's tests use the rest")]
#[path = "../../tests/simulation/line.rs"]
mod line;
#[path = "../../tests/cost/siege.rs"]
mod siege;

use std::{alloc::System, cell::Cell};

use libfuzzer_sys::fuzz_target;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::siege::Siege;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A run has no more steps than this, so that none is slow.
const STEPS_MAX: usize = 200;

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
    let mut siege = Siege::new(Box::new(choose), HEAP);
    for _ in 0..STEPS_MAX {
        if rest.get().len() < 2 {
            break;
        }
        let work = siege.step();
        assert!(work.is_fair(), "{work:?}");
    }
});
