//! Strings as other JSON writers make them.
//!
//! A JSON string may escape half of a surrogate pair (`"\ud83d"`): a text that was cut in the middle
//! of an emoji, say. No Rust string can hold that, and `serde_json` refuses it where a string is
//! asked for; where bytes are asked for, it decodes it as three bytes that UTF-8 does not know
//! (<https://docs.rs/serde_json/1/serde_json/struct.Deserializer.html#method.deserialize_bytes>).
//! Here it becomes U+FFFD, the replacement character. Whole pairs stay what they are.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// A string in which U+FFFD stands for each lone surrogate.
pub(super) struct Lossy<'a>(pub(super) Cow<'a, str>);

impl<'de> Deserialize<'de> for Lossy<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(LossyVisitor)
    }
}

/// Reads a member of a derived type, for `#[serde(deserialize_with)]`.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Cow<'de, str>, D::Error> {
    Lossy::deserialize(deserializer).map(|Lossy(text)| text)
}

struct LossyVisitor;

impl<'de> Visitor<'de> for LossyVisitor {
    type Value = Lossy<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
        str::from_utf8(bytes).map(|text| Lossy(text.into())).map_err(E::custom)
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        /// Every surrogate begins with it, and what follows it there begins no character.
        const SURROGATE_LEAD: u8 = 0xed;
        let mut text = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            if chunk.invalid().first() == Some(&SURROGATE_LEAD) {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        Ok(Lossy(text.into()))
    }
}
