//! The whole server below the reactor, over lines of the tests' own.
//!
//! `ticks` tells, tick by tick, what the loop promises; `simulation` lets chance do its worst in
//! `world`, of which each `line` may break. What came through is heard by an `ear` of protocol 1 or in a
//! `life` of protocol 2, which holds it against the `truth`; a `story` is what all should hear.

mod ear;
mod fault;
mod life;
mod line;
mod simulation;
mod story;
mod ticks;
mod truth;
mod world;
