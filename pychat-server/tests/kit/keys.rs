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

/// Returns the proof of a device in a hello that answers `greeting`, a payload, without TLS.
#[track_caller]
pub(crate) fn prove(greeting: &str, username: &str, device: &str) -> Proof {
    let (_, rest) = greeting.split_once(r#""nonce":""#).expect(greeting);
    let nonce = rest[..32].parse().expect("a nonce");
    key(device).prove(&Challenge { nonce, ..Challenge::default() }, username)
}

/// Returns the same as members of the hello's payload, each behind a comma.
#[track_caller]
pub(crate) fn proof(greeting: &str, username: &str, device: &str) -> String {
    let Proof { key, signature } = prove(greeting, username, device);
    format!(r#","key":"{key}","signature":"{signature}""#)
}
