//! The random bits that a client was given, and those that it derives from them.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::key::SecretKey;

/// 32 random bytes, which cannot be inferred from what is derived from them.
#[derive(Clone, Copy)]
pub(super) struct Secret([u8; 32]);

impl Secret {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self(seed)
    }

    /// Returns 128 bits for `purpose` and `number`; they tell nothing about those of another pair.
    pub(super) fn bits(self, purpose: &str, number: u64) -> u128 {
        let digest = self.digest(purpose, number);
        digest.iter().take(16).fold(0, |bits, byte| bits << 8 | u128::from(*byte))
    }

    /// Returns the key of a device.
    pub(super) fn key(self) -> SecretKey {
        SecretKey(self.digest("key", 0))
    }

    fn digest(self, purpose: &str, number: u64) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.0)
            .chain_update(number.to_be_bytes())
            .chain_update(purpose)
            .finalize()
            .into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}
