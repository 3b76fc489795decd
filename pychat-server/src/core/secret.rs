//! Values that nobody can guess, made from one secret: the core has no randomness of its own.

use std::fmt;

use sha2::{Digest, Sha256};

/// The values of one secret, which are all different.
pub struct Secret {
    secret: [u8; 32],
    made: u64,
}

impl Secret {
    /// Returns those of `secret`, which must be random, told to nobody, and used for nothing else.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret, made: 0 }
    }

    /// Returns the next 16 bytes; they tell nothing about any others.
    pub fn bytes(&mut self) -> [u8; 16] {
        self.made += 1;
        let digest = Sha256::new()
            .chain_update(self.secret)
            .chain_update(self.made.to_be_bytes())
            .finalize();
        std::array::from_fn(|index| digest[index])
    }

    /// Returns a number of the next of them.
    pub fn number(&mut self) -> u64 {
        let bytes = self.bytes();
        u64::from_be_bytes(std::array::from_fn(|index| bytes[index]))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_many_values_and_shows_none() {
        let (mut secret, mut other) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let values = [secret.bytes(), secret.bytes(), other.bytes()];
        assert!(values[0] != values[1] && values[0] != values[2] && values[1] != values[2]);
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
