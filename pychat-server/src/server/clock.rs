//! The time that peers are told: it never goes back, though somebody sets the clock.

use std::time::Instant;

use crate::core::time::{Time, WallClock};

/// The time of this tick, and the latest that anybody was told.
#[derive(Debug, Default)]
pub(super) struct Clock {
    wall: WallClock,
    /// The time of this tick, in UTC milliseconds since 1970.
    utc_ms: u64,
    /// The latest time that anybody was told, in UTC milliseconds since 1970.
    told_ms: u64,
}

impl Clock {
    /// Begins a tick at `now`, which is `utc_ms` by the clock on the wall.
    pub(super) fn look(&mut self, now: Instant, utc_ms: u64) -> Time {
        self.utc_ms = utc_ms.max(self.told_ms);
        self.wall.look(now, utc_ms)
    }

    pub(super) fn utc_ms(&self) -> u64 {
        self.utc_ms
    }

    pub(super) fn told_ms(&self) -> u64 {
        self.told_ms
    }

    /// People are told the time.
    pub(super) fn tell(&mut self) {
        self.told_ms = self.utc_ms;
    }

    /// People are told, or were by an earlier process, that it is `utc_ms` at least.
    pub(super) fn tell_at_least(&mut self, utc_ms: u64) {
        self.utc_ms = self.utc_ms.max(utc_ms);
        self.told_ms = self.told_ms.max(utc_ms);
    }
}
