//! Rates: so much at once, and then so much a second.
//!
//! A leaky bucket: whatever is done fills it by what it costs, and it drains steadily. What a full
//! bucket means is up to its owner: to wait, or to refuse.

use std::time::{Duration, Instant};

/// A rate: so many units at once, and then one each interval.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RateLimit {
    burst: u32,
    interval: Duration,
}

impl RateLimit {
    /// Returns a rate of `burst` units at once and then `per_second`; `None` if either is zero.
    pub fn new(burst: u32, per_second: u32) -> Option<Self> {
        let interval = Duration::from_secs(1).checked_div(per_second)?;
        (0 < burst).then_some(Self { burst, interval })
    }

    /// Returns a rate of `burst` units at once, at least one, and then one each `interval`.
    pub fn every(burst: u32, interval: Duration) -> Self {
        Self { burst: burst.max(1), interval }
    }

    /// Returns this rate `times` over: so many times as much at once, and as fast.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { burst: self.burst.saturating_mul(times), interval: self.interval / times.max(1) }
    }

    /// Returns `time`, or as long as a full bucket takes to drain if that is less.
    pub fn clamp(self, time: Duration) -> Duration {
        time.min(self.interval.saturating_mul(self.burst))
    }

    /// Returns how many units at once, and how many a second.
    pub fn numbers(self) -> (u32, u32) {
        let per_second = Duration::from_secs(1).div_duration_f64(self.interval).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a u32")]
        (self.burst, per_second as u32)
    }
}

/// The level of one bucket.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    /// When it will have drained; empty already if that is past.
    empty_at: Option<Instant>,
}

impl Bucket {
    /// Returns a bucket that will have drained by then.
    pub fn recovering_until(empty_at: Instant) -> Self {
        Self { empty_at: Some(empty_at) }
    }

    /// Returns when it will have drained, if it was ever filled.
    pub fn empty_at(&self) -> Option<Instant> {
        self.empty_at
    }

    /// Returns true if it is empty at `now`.
    pub fn is_empty(&self, now: Instant) -> bool {
        self.empty_at.is_none_or(|empty_at| empty_at <= now)
    }

    /// Adds `cost` units at `now`, room or not; returns when there is room for another, if not now.
    pub fn fill(&mut self, now: Instant, limit: RateLimit, cost: u32) -> Option<Instant> {
        let begin = self.empty_at.map_or(now, |empty_at| empty_at.max(now));
        self.empty_at = begin.checked_add(limit.interval.saturating_mul(cost)).or(Some(begin));
        self.full_until(now, limit)
    }

    /// Returns when there is room for another unit, if not at `now`.
    pub fn full_until(&self, now: Instant, limit: RateLimit) -> Option<Instant> {
        let room_at = self.empty_at?.checked_sub(limit.interval.saturating_mul(limit.burst - 1))?;
        (now < room_at).then_some(room_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says as much as may be said for `time`; returns when each text was.
    fn talk(limit: RateLimit, cost: u32, time: Duration) -> Vec<u128> {
        let (mut bucket, begin) = (Bucket::default(), Instant::now());
        let (mut now, mut said) = (begin, Vec::new());
        while now < begin + time {
            said.push((now - begin).as_millis());
            now = bucket.fill(now, limit, cost).unwrap_or(now);
        }
        said
    }

    #[test]
    fn a_burst_is_let_through_and_then_the_pace_is_kept() {
        let talk =
            |burst, per_second, time| talk(RateLimit::new(burst, per_second).unwrap(), 1, time);
        let second = Duration::from_secs(1);
        assert_eq!(talk(3, 5, second), [0, 0, 0, 200, 400, 600, 800]);
        assert_eq!(talk(1, 2, 2 * second), [0, 500, 1_000, 1_500]);
        assert_eq!(talk(10, 1, second), [0; 10]);
    }

    #[test]
    fn what_costs_more_than_a_burst_waits_for_all_of_it() {
        let limit = RateLimit::new(3, 5).unwrap();
        assert_eq!(talk(limit, 10, Duration::from_secs(4)), [0, 1_600, 3_600]);
        assert_eq!(talk(limit.times(2), 10, Duration::from_secs(2)), [0, 500, 1_500]);
        let mut bucket = Bucket::default();
        bucket.fill(Instant::now(), limit, u32::MAX);
        assert!(bucket.full_until(Instant::now(), limit).is_some());
    }

    #[test]
    fn a_pause_earns_the_burst_back() {
        let (mut bucket, now) = (Bucket::default(), Instant::now());
        let limit = RateLimit::new(2, 10).unwrap();
        let after = |millis| now + Duration::from_millis(millis);
        assert_eq!(bucket.fill(now, limit, 1), None);
        assert_eq!(bucket.fill(now, limit, 1), Some(after(100)));
        assert_eq!(bucket.full_until(now, limit), Some(after(100)));
        assert_eq!(bucket.fill(after(100), limit, 1), Some(after(200)));
        assert!(!bucket.is_empty(after(299)) && bucket.is_empty(after(300)));
        assert_eq!(bucket.fill(after(1_000), limit, 1), None);
        assert_eq!(bucket.fill(after(1_000), limit, 1), Some(after(1_100)));
    }

    #[test]
    fn a_rate_is_told_as_it_was_given() {
        assert_eq!((RateLimit::new(0, 5), RateLimit::new(5, 0)), (None, None));
        for numbers in [(1, 1), (10, 5), (7, 3), (1, 1_000_000), (u32::MAX, 999)] {
            assert_eq!(RateLimit::new(numbers.0, numbers.1).unwrap().numbers(), numbers);
        }
    }
}
