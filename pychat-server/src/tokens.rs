//! What proves that a name is somebody's: 128 bits that only they were told.
//!
//! A token is made from a secret that the process is started with, so nothing here is random by
//! itself. Only hashes are kept, and they are compared in constant time.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::{self, Write},
};

use pychat_wire::UserName;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::log::{TOKENS_MAX, TokenHash};

/// How long a token is, in bytes; it is written as twice as many hexadecimal digits.
const TOKEN_BYTES: usize = 16;

/// Who may take which name over.
#[derive(Debug)]
pub struct Tokens {
    secret: Secret,
    /// How many tokens were made; each is another one.
    made: u64,
    hashes: HashMap<Box<str>, (TokenHash, u64)>,
    /// Names by when their token was used last; the number is only good for that.
    used: BTreeMap<u64, Box<str>>,
    next_use: u64,
}

struct Secret([u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

impl Tokens {
    /// Returns tokens made from `secret`, which must be random and told to nobody, and those that
    /// are `known` already, used longest ago first.
    pub fn new(secret: [u8; 32], known: impl IntoIterator<Item = (String, TokenHash)>) -> Self {
        let mut tokens = Self {
            secret: Secret(secret),
            made: 0,
            hashes: HashMap::new(),
            used: BTreeMap::new(),
            next_use: 0,
        };
        for (name, hash) in known {
            tokens.set(&name, hash);
        }
        tokens
    }

    /// Returns true if `token` is the one that `name` was given last.
    pub fn prove(&self, name: &UserName, token: &str) -> bool {
        self.hashes
            .get(name.as_str())
            .is_some_and(|(known, _)| known.0.ct_eq(&hash(token).0).into())
    }

    /// Gives `name` to whoever has `token`, which may be new.
    pub fn grant(&mut self, name: &UserName, token: &str) -> TokenHash {
        let hash = hash(token);
        self.set(name.as_str(), hash);
        hash
    }

    /// Makes a token that nobody has.
    pub fn make(&mut self) -> String {
        self.made += 1;
        let bits = Sha256::new()
            .chain_update(self.secret.0)
            .chain_update(self.made.to_be_bytes())
            .finalize();
        bits[..TOKEN_BYTES].iter().fold(String::new(), |mut token, byte| {
            write!(token, "{byte:02x}").ok(); // A String takes it all.
            token
        })
    }

    fn set(&mut self, name: &str, hash: TokenHash) {
        let stamp = self.next_use;
        self.next_use += 1;
        if let Some((_, old)) = self.hashes.insert(name.into(), (hash, stamp)) {
            self.used.remove(&old);
        }
        self.used.insert(stamp, name.into());
        if TOKENS_MAX < self.hashes.len()
            && let Some((_, forgotten)) = self.used.pop_first()
        {
            self.hashes.remove(&forgotten);
        }
    }
}

fn hash(token: &str) -> TokenHash {
    TokenHash(Sha256::digest(token.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> UserName {
        UserName::new(name).unwrap()
    }

    #[test]
    fn a_token_proves_the_name_that_it_was_given_for_until_another_is_given() {
        let mut tokens = Tokens::new([7; 32], []);
        let (first, second) = (tokens.make(), tokens.make());
        assert_ne!(first, second);
        assert!(first.len() == 2 * TOKEN_BYTES && first.bytes().all(|b| b.is_ascii_hexdigit()));
        let anna = name("Анна");
        assert!(!tokens.prove(&anna, &first));
        let hash = tokens.grant(&anna, &first);
        assert!(tokens.prove(&anna, &first) && !tokens.prove(&name("анна"), &first));
        let mut restarted = Tokens::new([8; 32], [("Анна".to_owned(), hash)]);
        assert!(restarted.prove(&anna, &first), "the hash outlives the process");
        assert_ne!(restarted.make(), first, "other secrets make other tokens");
        tokens.grant(&anna, &second);
        assert!(tokens.prove(&anna, &second) && !tokens.prove(&anna, &first));
    }

    #[test]
    fn the_token_that_was_used_longest_ago_is_forgotten_first() {
        let known = (0..TOKENS_MAX).map(|n| (format!("name {n}"), hash("secret")));
        let mut tokens = Tokens::new([7; 32], known);
        tokens.grant(&name("name 0"), "secret");
        tokens.grant(&name("new"), "secret");
        let proven =
            ["name 0", "name 1", "name 2", "new"].map(|n| tokens.prove(&name(n), "secret"));
        assert_eq!(proven, [true, false, true, true]);
        assert_eq!((tokens.hashes.len(), tokens.used.len()), (TOKENS_MAX, TOKENS_MAX));
    }
}
