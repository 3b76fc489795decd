//! The random bits that a client was given, and those that it derives from them.

use sha2::{Digest, Sha256};

/// 128 random bits, which cannot be inferred from what is derived from them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Secret(u128);

impl Secret {
    pub(super) fn new(seed: u128) -> Self {
        Self(seed)
    }

    /// Returns 128 bits for `purpose` and `number`; they tell nothing about those of another pair.
    pub(super) fn bits(self, purpose: &str, number: u64) -> u128 {
        let digest = Sha256::new()
            .chain_update(self.0.to_be_bytes())
            .chain_update(number.to_be_bytes())
            .chain_update(purpose)
            .finalize();
        digest.iter().take(16).fold(0, |bits, byte| bits << 8 | u128::from(*byte))
    }
}
