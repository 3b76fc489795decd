//! The delays before a client comes back.

use std::mem;

use super::{RECONNECT_MS_MAX, RECONNECT_MS_MIN, secret::Secret};

/// The random numbers for the delays: `SplitMix64`, seeded with bits derived from the secret.
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(secret: Secret) -> Self {
        let bits = secret.bits("chance", 0);
        Self(u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default())
    }

    /// Returns a number below `bound`, which is small and not 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// Returns `delay_ms` give or take at most a quarter.
    pub(super) fn around(&mut self, delay_ms: u64) -> u64 {
        delay_ms - delay_ms / 4 + self.below(delay_ms / 2 + 1)
    }

    /// Returns `delay_ms` or at most a quarter more.
    pub(super) fn after(&mut self, delay_ms: u64) -> u64 {
        delay_ms + self.below(delay_ms / 4 + 1)
    }
}

/// The delays: none, then 1, 2, 4 … 30 seconds, each give or take at most a quarter, so that the
/// clients of a room do not come back in step.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    n_failures: u32,
    /// True if a line ended in bytes that are no frame, and none was steady since.
    was_garbled: bool,
}

impl Backoff {
    /// Forgets all failures: a line was steady, or the user wants to come back.
    pub(super) fn begin_anew(&mut self) {
        *self = Self::default();
    }

    /// Forgets the failures of lines, but not how the last one ended.
    pub(super) fn reset(&mut self) {
        self.n_failures = 0;
    }

    /// Leaves out the attempt at once: it would fail like the one that has just failed.
    pub(super) fn skip_first(&mut self) {
        self.n_failures = self.n_failures.max(1);
    }

    /// Records that a line ended in bytes that are no frame. Returns true if one did before, so
    /// that coming back would only bring the same again.
    pub(super) fn is_hopeless(&mut self) -> bool {
        mem::replace(&mut self.was_garbled, true)
    }

    /// Returns the delay before the next attempt, in milliseconds.
    pub(super) fn next_delay_ms(&mut self, chance: &mut Chance) -> u64 {
        let n_failures = self.n_failures;
        self.n_failures = n_failures.saturating_add(1);
        match n_failures {
            0 => 0,
            1..=16 => chance.around((RECONNECT_MS_MIN << (n_failures - 1)).min(RECONNECT_MS_MAX)),
            _ => chance.around(RECONNECT_MS_MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn chance_is_what_its_authors_say() {
        let mut chance = Chance(1_234_567);
        // As in the reference implementation, https://prng.di.unimi.it/splitmix64.c.
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973];
        assert_eq!([(); 2].map(|()| chance.below(u64::MAX)), expected);
    }

    #[test]
    fn the_first_delay_is_none_again_after_a_reset() {
        let (mut backoff, mut chance) = (Backoff::default(), Chance(7));
        let delays = |backoff: &mut Backoff, chance: &mut Chance| {
            [(); 3].map(|()| backoff.next_delay_ms(chance) / (RECONNECT_MS_MIN / 2))
        };
        let [first, second, third] = delays(&mut backoff, &mut chance);
        assert!(first == 0 && 0 < second && second < third, "{second}, {third}");
        assert!(!backoff.is_hopeless());
        backoff.reset();
        assert_eq!(delays(&mut backoff, &mut chance)[0], 0);
        assert!(backoff.is_hopeless(), "the bytes of the last line are remembered");
        backoff.begin_anew();
        assert!(!backoff.is_hopeless(), "until a line was steady");
    }

    #[test]
    fn every_delay_within_a_quarter_is_drawn() {
        let mut chance = Chance(7);
        let around: BTreeSet<_> = (0..100).map(|_| chance.around(4)).collect();
        assert!(around.into_iter().eq(3..=5));
        let after: BTreeSet<_> = (0..100).map(|_| chance.after(4)).collect();
        assert!(after.into_iter().eq(4..=5));
    }
}
