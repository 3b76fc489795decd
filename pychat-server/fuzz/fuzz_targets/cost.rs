//! No input makes the server work more than its bytes and what it writes account for.
//!
//! The input decides what happens, two bytes a choice, in the siege of the `cost` test: who says
//! what, under which names. What a step may allocate is said there.
#![no_main]

#[path = "../../tests/kit/mod.rs"]
mod kit;
#[path = "../../tests/cost/siege.rs"]
mod siege;

use std::alloc::System;

use libfuzzer_sys::fuzz_target;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::{kit::runs::Bytes, siege::Siege};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A run has no more steps than this, so that none is slow.
const STEPS_MAX: usize = 200;

fuzz_target!(|data: &[u8]| {
    let bytes = Bytes::new(data);
    let mut siege = Siege::new(bytes.chance(), HEAP);
    for _ in 0..STEPS_MAX {
        if bytes.is_over() {
            break;
        }
        let work = siege.step();
        assert!(work.is_fair(), "{work:?}");
    }
});
