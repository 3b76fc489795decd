//! How fast one connection may speak.
//!
//! A leaky bucket: each text fills it by one, and it drains steadily. Who has filled it is not
//! read until there is room again; nothing that was said is dropped, and nobody is kicked.

use std::time::{Duration, Instant};

/// What a connection may say: so many texts at once, and then so many a second.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pace {
    burst: u32,
    per_second: u32,
    interval: Duration,
}

impl Pace {
    /// Returns a pace of `burst` texts at once and then `per_second`; `None` if either is zero.
    pub fn new(burst: u32, per_second: u32) -> Option<Self> {
        let interval = Duration::from_secs(1).checked_div(per_second)?;
        (0 < burst).then_some(Self { burst, per_second, interval })
    }

    /// Returns `time`, or as long as a full bucket takes to drain if that is less.
    pub fn clamp(self, time: Duration) -> Duration {
        time.min(self.interval * self.burst)
    }

    /// Returns how many texts at once, and how many a second.
    pub fn numbers(self) -> (u32, u32) {
        (self.burst, self.per_second)
    }
}

/// How full one connection's bucket is.
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

    /// Counts one text at `now`; returns until when no more should be read, if the bucket is full.
    pub fn fill(&mut self, now: Instant, pace: Pace) -> Option<Instant> {
        let empty_at = self.empty_at.map_or(now, |empty_at| empty_at.max(now)) + pace.interval;
        self.empty_at = Some(empty_at);
        let has_room_at = empty_at.checked_sub(pace.interval * (pace.burst - 1))?;
        (now < has_room_at).then_some(has_room_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says as much as may be said for `time`; returns when each text was.
    fn talk(pace: Pace, time: Duration) -> Vec<u128> {
        let (mut bucket, begin) = (Bucket::default(), Instant::now());
        let (mut now, mut said) = (begin, Vec::new());
        while now < begin + time {
            said.push((now - begin).as_millis());
            now = bucket.fill(now, pace).unwrap_or(now);
        }
        said
    }

    #[test]
    fn a_burst_is_let_through_and_then_the_pace_is_kept() {
        let talk = |burst, per_second, time| talk(Pace::new(burst, per_second).unwrap(), time);
        let second = Duration::from_secs(1);
        assert_eq!(talk(3, 5, second), [0, 0, 0, 200, 400, 600, 800]);
        assert_eq!(talk(1, 2, 2 * second), [0, 500, 1_000, 1_500]);
        assert_eq!(talk(10, 1, second), [0; 10]);
    }

    #[test]
    fn a_pause_earns_the_burst_back() {
        let (mut bucket, now) = (Bucket::default(), Instant::now());
        let pace = Pace::new(2, 10).unwrap();
        let after = |millis| now + Duration::from_millis(millis);
        assert_eq!(bucket.fill(now, pace), None);
        assert_eq!(bucket.fill(now, pace), Some(after(100)));
        assert_eq!(bucket.fill(after(100), pace), Some(after(200)));
        assert_eq!(bucket.fill(after(1_000), pace), None);
        assert_eq!(bucket.fill(after(1_000), pace), Some(after(1_100)));
    }

    #[test]
    fn no_pace_at_all_is_none() {
        assert_eq!((Pace::new(0, 5), Pace::new(5, 0)), (None, None));
    }
}
