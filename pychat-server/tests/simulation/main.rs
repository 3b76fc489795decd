//! The whole server below the reactor, over lines of the tests' own.
//!
//! `ticks` tells, tick by tick, what the loop promises; `simulation` lets chance do its worst in
//! `world`, of which each `line` may break. What came through is heard by an `checker` of protocol 1 or in a
//! `checker` of protocol 2, which holds it against the `oracle`; a `story` is what all should hear.

mod delayed_store;
mod fault;
mod line;
mod oracle;
mod simulation;
mod story;
mod ticks;
mod v1_checker;
mod v2_checker;
mod world;
