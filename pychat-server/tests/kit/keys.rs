//! Keys of devices, and hellos that are signed with them.

use pychat_wire::key::{Challenge, Proof, SecretKey};

/// Returns the key of the device that is told from others by this word.
pub(crate) fn key(device: &str) -> SecretKey {
    let mut key = [7_u8; 32];
    for (index, byte) in device.bytes().enumerate() {
        key[index % 32] = key[index % 32].wrapping_mul(31).wrapping_add(byte);
    }
    SecretKey(key)
}

/// Returns the challenge of `greeting`, a payload, on a connection without TLS.
#[track_caller]
pub(crate) fn challenge(greeting: &str) -> Challenge {
    let (_, rest) = greeting.split_once(r#""nonce":""#).expect(greeting);
    let nonce = rest[..32].parse().expect("a nonce");
    Challenge { nonce, ..Challenge::default() }
}

/// Returns the proof of a device in a hello, as members of its payload, each behind a comma.
pub(crate) fn proof(challenge: &Challenge, username: &str, device: &str) -> String {
    let Proof { key, signature } = key(device).prove(challenge, username);
    format!(r#","key":"{key}","signature":"{signature}""#)
}
