//! Keys of devices, the signatures by which a hello proves that a key is its sender's own, the codes
//! that let somebody in, and the pins of certificates.
//!
//! Keys are Ed25519 (RFC 8032), verified strictly: a weak key signs nothing. On the wire each value
//! has one spelling, base64url without padding (RFC 4648, section 5) or hexadecimal digits, of one
//! length; any other text is no value. Nothing here is random by itself: secrets and nonces are
//! given.

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The bytes that every signed text begins with, so that it can be taken for nothing else.
const PURPOSE: &[u8] = b"pychat hello 2\0";

/// The bytes of a channel binding: the `tls-exporter` of RFC 9266.
pub const BINDING_BYTES: usize = 32;

/// The label of that export (RFC 9266, section 2).
pub const BINDING_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// The protocol that is spoken over TLS, as both sides name it in the handshake (RFC 7301).
pub const ALPN: &[u8] = b"pychat";

/// The text is not of the form that was expected.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("wrong length or alphabet")]
pub struct EncodingError;

/// Declares a value that is a text of base64url in JSON.
macro_rules! encoded {
    ($(#[$attribute:meta])* $name:ident, $bytes:literal) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            fn to_text(self) -> String {
                BASE64_URL_SAFE_NO_PAD.encode(self.0)
            }
        }

        impl FromStr for $name {
            type Err = EncodingError;

            fn from_str(text: &str) -> Result<Self, EncodingError> {
                decode(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.to_text())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

/// Declares that a value has a text for people.
macro_rules! displayed {
    ($($name:ident),*) => {
        $(
            impl fmt::Display for $name {
                fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                    formatter.write_str(&self.to_text())
                }
            }
        )*
    };
}

/// Declares that a value may stand in any log.
macro_rules! public {
    ($($name:ident),*) => {
        $(
            impl fmt::Debug for $name {
                fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(formatter, "{}({self})", stringify!($name))
                }
            }
        )*
    };
}

/// Declares that a value stands in no log.
macro_rules! secret {
    ($($name:ident),*) => {
        $(
            impl fmt::Debug for $name {
                fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                    formatter.write_str(stringify!($name))
                }
            }
        )*
    };
}

encoded! {
    /// The public key of a device.
    PublicKey, 32
}

encoded! {
    /// The secret key of a device: 32 random bytes, told to nobody.
    SecretKey, 32
}

encoded! {
    /// A signature of a hello.
    Signature, 64
}

encoded! {
    /// The code by which another device joins a person: 16 random bytes, good for one use.
    PairCode, 16
}

encoded! {
    /// The code by which a new person is let in: 16 random bytes.
    InviteCode, 16
}

encoded! {
    /// The name of an invite, from which nobody can guess its code.
    InviteId, 6
}

encoded! {
    /// The SHA-256 of a certificate's DER.
    Pin, 32
}

displayed!(PublicKey, Signature, PairCode, InviteCode, InviteId, Pin);
public!(PublicKey, Signature, InviteId, Pin);
secret!(SecretKey, PairCode, InviteCode);

/// The number that a server greets one connection with, and no other.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Nonce(pub [u8; 16]);

/// The bytes that a hello must sign beside its username.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Challenge {
    /// The nonce of the greeting.
    pub nonce: Nonce,
    /// The channel binding of the connection; zeros without TLS.
    pub binding: [u8; BINDING_BYTES],
}

/// The proof that a hello comes from the device of a key.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Proof {
    /// The key.
    pub key: PublicKey,
    /// The signature that was made with it.
    pub signature: Signature,
}

impl Challenge {
    /// Returns the bytes that a hello with this `username` signs.
    fn signed_bytes(&self, username: &str) -> Vec<u8> {
        [PURPOSE, &self.nonce.0, &self.binding, username.as_bytes()].concat()
    }
}

impl Proof {
    /// Returns true if it was made for a hello with this `username`, and by its own key.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::key::{Challenge, SecretKey};
    ///
    /// let challenge = Challenge::default();
    /// let proof = SecretKey([7; 32]).prove(&challenge, "Анна");
    /// assert!(proof.is_valid(&challenge, "Анна"));
    /// assert!(!proof.is_valid(&challenge, "Борис"));
    /// ```
    pub fn is_valid(&self, challenge: &Challenge, username: &str) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&self.signature.0);
        VerifyingKey::from_bytes(&self.key.0).is_ok_and(|key| {
            key.verify_strict(&challenge.signed_bytes(username), &signature).is_ok()
        })
    }
}

impl SecretKey {
    /// Returns the public key that belongs to this one.
    pub fn public(&self) -> PublicKey {
        PublicKey(SigningKey::from_bytes(&self.0).verifying_key().to_bytes())
    }

    /// Signs a hello with this `username`.
    pub fn prove(&self, challenge: &Challenge, username: &str) -> Proof {
        let key = SigningKey::from_bytes(&self.0);
        let signature = key.sign(&challenge.signed_bytes(username));
        Proof {
            key: PublicKey(key.verifying_key().to_bytes()),
            signature: Signature(signature.to_bytes()),
        }
    }
}

impl Pin {
    /// Returns the pin of a certificate.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl FromStr for Nonce {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 32 || !text.bytes().all(is_digit) {
            return Err(EncodingError);
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| EncodingError)?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl Serialize for Nonce {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads base64url of exactly `N` bytes, in its one spelling.
fn decode<const N: usize>(text: &str) -> Result<[u8; N], EncodingError> {
    if text.len() != (8 * N).div_ceil(6) {
        return Err(EncodingError);
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| EncodingError)?;
    bytes.try_into().map_err(|_| EncodingError)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret key of the first test of RFC 8032, section 7.1, and its public key.
    const SECRET: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn challenge() -> Challenge {
        Challenge { nonce: Nonce([0x9c; 16]), binding: [0; BINDING_BYTES] }
    }

    #[test]
    fn what_is_signed_has_one_spelling() {
        let binding = [0xb; BINDING_BYTES];
        let signed = Challenge { binding, ..challenge() }.signed_bytes("Анна");
        let expected = [
            &b"pychat hello 2\0"[..],
            &[0x9c; 16],
            &[0xb; 32],
            &[0xd0, 0x90, 0xd0, 0xbd, 0xd0, 0xbd, 0xd0, 0xb0],
        ];
        assert_eq!(signed, expected.concat());
    }

    #[test]
    fn a_key_and_a_challenge_have_one_proof() {
        let secret: SecretKey = SECRET.parse().unwrap();
        let proof = secret.prove(&challenge(), "Анна");
        assert_eq!(
            (secret.public().to_string(), proof.key.to_string()),
            (PUBLIC.into(), PUBLIC.into())
        );
        assert_eq!(
            proof.signature.to_string(),
            "YOQWGAvazml5hAVtbREovSfMLlcTN3uAP1s86L2OGrqhVADuM43YfX9Z3eLWdISkjAXKXN_4CZ0G4bmGnaHQAQ"
        );
        assert!(proof.is_valid(&challenge(), "Анна"));
    }

    #[test]
    fn a_proof_is_good_for_nothing_else() {
        let (secret, other) = (SecretKey([1; 32]), SecretKey([2; 32]));
        let proof = secret.prove(&challenge(), "Анна");
        let (nonce, binding) = (Nonce([0x9d; 16]), [1; BINDING_BYTES]);
        assert!(!proof.is_valid(&Challenge { nonce, ..challenge() }, "Анна"), "another connection");
        assert!(!proof.is_valid(&Challenge { binding, ..challenge() }, "Анна"), "another channel");
        assert!(!proof.is_valid(&challenge(), "Анна "), "another name");
        assert!(!Proof { key: other.public(), ..proof }.is_valid(&challenge(), "Анна"));
        for byte in 0..64 {
            let mut signature = proof.signature;
            signature.0[byte] ^= 1;
            assert!(!Proof { signature, ..proof }.is_valid(&challenge(), "Анна"), "{byte}");
        }
    }

    #[test]
    fn a_weak_key_signs_nothing() {
        // The neutral element, for which R = S·B is true of any message with S = 0 and R neutral.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&neutral);
        let proof = Proof { key: PublicKey(neutral), signature: Signature(signature) };
        assert!(!proof.is_valid(&challenge(), "Анна"));
        for byte in [0x00, 0x02, 0x7f, 0xff] {
            let proof = Proof { key: PublicKey([byte; 32]), signature: Signature([byte; 64]) };
            assert!(!proof.is_valid(&challenge(), "Анна"), "{byte}");
        }
    }

    #[test]
    fn a_value_has_one_text() {
        let key: PublicKey = PUBLIC.parse().unwrap();
        assert_eq!(format!("{key} {key:?}"), format!("{PUBLIC} PublicKey({PUBLIC})"));
        assert_eq!(format!("{:?}", SecretKey(key.0)), "SecretKey");
        let padded = format!("{PUBLIC}=");
        let other_bits = format!("{}p", &PUBLIC[..42]); // The last two bits are not zero.
        let standard = PUBLIC.replace('_', "/");
        for text in ["", &PUBLIC[1..], &padded, &other_bits, &standard, &("я".repeat(21) + "A")] {
            assert_eq!(text.parse::<PublicKey>(), Err(EncodingError), "{text}");
        }
        let nonce = "9c1e00000000000000000000000000ff";
        assert_eq!(nonce.parse::<Nonce>().unwrap().to_string(), nonce);
        for text in ["", &nonce[1..], "+c1e00000000000000000000000000ff", &nonce.to_uppercase()] {
            assert_eq!(text.parse::<Nonce>(), Err(EncodingError), "{text}");
        }
        assert_eq!("AAAAAAAAAAAAAAAAAAAAAA".parse(), Ok(PairCode([0; 16])));
        let code = InviteCode([0xff; 16]);
        assert_eq!(format!("{code} {code:?}"), "_____________________w InviteCode");
        assert_eq!(Pin::of(b"").to_string(), "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
    }
}
