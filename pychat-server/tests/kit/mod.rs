//! The parts that the tests of the server share with the fuzzers: the one model of what a peer must
//! hear, lines and stores that fail on purpose, and runs by seeds in which faults are counted.
//!
//! A [`V1Checker`] or a [`V2Checker`] hears all that a server writes to one connection and knows
//! what its peer said, and says at once what is wrong with it. A checker of protocol 2 holds it
//! against the [`Oracle`] of the logs of all rooms, which knows what people said and what anybody was
//! told.
//!
//! `process`, a module of its own, has the server as a real process, for tests over real sockets.

#![allow(clippy::print_stderr, reason = "who runs the tests must know how to repeat a failure")]
#![allow(dead_code, unused_imports, unused_macros, reason = "each test crate uses its part")]

mod amended;
mod claims;
mod delayed_store;
mod heard;
mod introduction;
pub(crate) mod journal;
pub(crate) mod keys;
pub(crate) mod line;
pub(crate) mod oracle;
mod pages;
mod presence;
mod room_hearing;
pub(crate) mod room_log;
pub(crate) mod runs;
mod searches;
pub(crate) mod stored;
pub(crate) mod story;
mod v1_checker;
pub(crate) mod v2_checker;

pub(crate) use self::{
    amended::State,
    delayed_store::{DELAY_TICKS_MAX, DelayedStore, Waiting},
    line::Line,
    oracle::Oracle,
    runs::{Chance, Fired, Knob, knobs},
    v1_checker::V1Checker,
    v2_checker::V2Checker,
};
