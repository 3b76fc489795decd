//! The whole server below the reactor, over lines of the tests' own.
//!
//! `ticks` tells, tick by tick, what the loop promises; `simulation` lets chance do its worst.

mod line;
mod simulation;
mod ticks;
