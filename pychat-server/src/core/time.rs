//! The clock on the wall, and how far it can be trusted.
//!
//! A clock may be wrong for a while, after a start without a battery for instance, and is then put
//! right in one step. So nothing is forgotten for its age before the clock has gone on evenly for an
//! hour of this process; a step begins that hour anew.

use std::time::{Duration, Instant};

/// The time for which the clock must have gone on evenly.
pub const TRUSTED_AFTER: Duration = Duration::from_hours(1);

/// The most that the clock may be off between two looks, in milliseconds, besides a thousandth of
/// the time between them: as much as it is adjusted by little by little.
const STEP_MS_MAX: u64 = 2_000;

/// The time.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// By the clock that never goes back.
    pub now: Instant,
    /// By the clock on the wall, in UTC milliseconds since 1970.
    pub utc_ms: u64,
    /// When the clock on the wall can be trusted, if it goes on evenly.
    pub trusted_at: Instant,
}

impl Time {
    /// Returns what the clock on the wall shows if it can be trusted, in UTC milliseconds since 1970.
    pub fn trusted_ms(&self) -> Option<u64> {
        (self.trusted_at <= self.now).then_some(self.utc_ms)
    }
}

/// The clock on the wall, as it was looked at so far.
#[derive(Debug, Default)]
pub struct WallClock {
    last: Option<Time>,
}

impl WallClock {
    /// Takes in what the clocks show.
    pub fn look(&mut self, now: Instant, utc_ms: u64) -> Time {
        let goes_on = |last: &Time| {
            let passed = now.saturating_duration_since(last.now).as_millis();
            let passed_ms = u64::try_from(passed).unwrap_or(u64::MAX);
            let off_ms = utc_ms.abs_diff(last.utc_ms.saturating_add(passed_ms));
            off_ms <= STEP_MS_MAX + passed_ms / 1_000
        };
        let steady = self.last.filter(goes_on);
        let trusted_at = steady.map_or(now + TRUSTED_AFTER, |last| last.trusted_at);
        *self.last.insert(Time { now, utc_ms, trusted_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    /// Looks at the clock each minute for so many, from `utc_ms` on; returns whether it is trusted.
    fn run(clock: &mut WallClock, begin: Instant, utc_ms: u64, minutes: u32) -> bool {
        let looks = (0..=minutes)
            .map(|minute| clock.look(begin + MINUTE * minute, utc_ms + 60_050 * u64::from(minute)));
        looks.last().is_some_and(|time| time.trusted_ms().is_some())
    }

    #[test]
    fn a_clock_is_trusted_once_it_went_on_evenly_for_an_hour() {
        let (mut clock, begin) = (WallClock::default(), Instant::now());
        assert!(!run(&mut clock, begin, 5_000, 59), "it is a little fast, which is fine");
        assert!(run(&mut clock, begin + 60 * MINUTE, 5_000 + 60 * 60_050, 0));
        assert!(!run(&mut clock, begin + 61 * MINUTE, 100_000_000_000, 0), "it was set");
        assert!(!run(&mut clock, begin + 62 * MINUTE, 5_000 + 62 * 60_050, 59), "and set back");
        assert!(run(&mut clock, begin + 122 * MINUTE, 5_000 + 122 * 60_050, 0));
    }

    #[test]
    fn a_clock_that_stood_still_or_went_back_is_not_trusted() {
        for utc_ms in [0, 5_000, u64::MAX] {
            let (mut clock, begin) = (WallClock::default(), Instant::now());
            clock.look(begin, 5_000);
            let later = begin + 2 * TRUSTED_AFTER;
            assert_eq!(clock.look(later, utc_ms).trusted_at, later + TRUSTED_AFTER);
        }
    }
}
