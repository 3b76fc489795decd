//! What messages of protocol 2 are made of.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{bounds, lossy, lossy::Lossy};

/// The newest protocol that this crate speaks.
pub const PROTOCOL: u64 = 2;

/// The most bytes that a client's id for a text may have.
pub const MESSAGE_ID_BYTES_MAX: usize = 64;

/// The most messages that one page of history brings.
pub const PAGE_MESSAGES_MAX: u64 = 500;

/// How long a side that was pinged may take to answer, in seconds.
pub const PONG_SECONDS_MAX: u64 = 20;

/// Where a client that comes back left off.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Resume<'a> {
    /// The log that its numbers belong to.
    #[serde(borrow, deserialize_with = "lossy::deserialize")]
    pub epoch: Cow<'a, str>,
    /// The last number that it has.
    pub after: u64,
    /// If it missed more messages than that, or than one page holds, it wants the last of them alone;
    /// without a number it wants all.
    #[serde(default, deserialize_with = "number_or_none", skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// What is not a number counts as missing.
fn number_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let member: &RawValue = Deserialize::deserialize(deserializer)?;
    Ok(member.get().parse().ok())
}

/// What a server takes, as its greeting announces it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Limits {
    /// The largest payload, in bytes.
    pub payload: u64,
    /// The most characters of a name.
    pub name: u64,
    /// How many texts may come at once; 0 if there is no limit.
    #[serde(default)]
    pub burst: u64,
    /// How many texts a second may come after those; 0 if there is no limit.
    #[serde(default)]
    pub per_second: u64,
}

/// Why somebody left, or a server closes a connection.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// They said goodbye.
    Quit,
    /// The line broke.
    Lost,
    /// They did not read what they were owed.
    Slow,
    /// They did not keep to the protocol.
    Protocol,
    /// They came back by another connection.
    Replaced,
    /// The server stops.
    Shutdown,
    /// A reason that only later versions know.
    #[serde(other)]
    Unknown,
}

/// What was refused.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The bytes are no frame; the connection is about to be closed.
    BadFrame,
    /// A payload that means nothing.
    BadPayload,
    /// A payload or a text that is too large.
    TooLarge,
    /// A payload of a type that the server does not know.
    UnknownType,
    /// Said by somebody who has not joined.
    NotJoined,
    /// A second hello.
    AlreadyJoined,
    /// A name that breaks a rule.
    NameInvalid,
    /// A name that somebody present has.
    NameTaken,
    /// A text under an id that its author has used for other words.
    IdReused,
    /// More than the server takes for now; it reads on after a while, and nothing is dropped.
    SlowDown,
    /// The server cannot keep messages for now, so it accepts none.
    Storage,
    /// There is no room.
    Full,
    /// Too late.
    Timeout,
    /// A code that only later versions know.
    #[serde(other)]
    Unknown,
}

/// The names of those present, as they stand in a welcome.
///
/// It grows a name at a time, so that telling a newcomer who is there costs a copy, however many
/// there are. A copy takes its memory in sizes that will be asked for again: a little more for each
/// newcomer would leave a hole for each.
#[derive(Debug, Eq, PartialEq)]
pub struct Listing {
    /// A JSON array but for its closing bracket.
    json: String,
}

impl Clone for Listing {
    fn clone(&self) -> Self {
        let mut json = String::with_capacity(self.json.len().next_power_of_two());
        json.push_str(&self.json);
        Self { json }
    }
}

impl Default for Listing {
    fn default() -> Self {
        Self { json: "[".to_owned() }
    }
}

impl Listing {
    /// Appends a name.
    pub fn push(&mut self, name: &str) {
        if 1 < self.json.len() {
            self.json.push(',');
        }
        self.json.push_str(&serde_json::Value::from(name).to_string());
    }

    /// Returns the names, in order.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::message::Listing;
    ///
    /// let listing: Listing = ["Анна", "Борис"].into_iter().collect();
    /// assert_eq!(listing.names(), ["Анна", "Борис"]);
    /// ```
    pub fn names(&self) -> Vec<String> {
        serde_json::from_str(&format!("{}]", self.json)).unwrap_or_default() // Only names were pushed.
    }

    /// Returns the size of the names as they are written, in bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::message::Listing;
    ///
    /// let listing: Listing = ["Анна", "Борис"].into_iter().collect();
    /// assert_eq!(listing.bytes(), r#"["Анна","Борис"]"#.len());
    /// ```
    pub fn bytes(&self) -> usize {
        self.json.len() + 1
    }

    /// Returns the JSON array, which still lacks its closing bracket.
    pub(super) fn open_json(&self) -> &str {
        &self.json
    }
}

/// Reads at most [`MEMBERS_MAX`](bounds::MEMBERS_MAX) names, each as long as a name may be.
impl<'de> Deserialize<'de> for Listing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListingVisitor)
    }
}

struct ListingVisitor;

impl<'de> Visitor<'de> for ListingVisitor {
    type Value = Listing;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Self::Value, A::Error> {
        let mut listing = Listing::default();
        for _ in 0..bounds::MEMBERS_MAX {
            let Some(Lossy(name)) = names.next_element()? else { return Ok(listing) };
            listing.push(&bounds::name(name));
        }
        while names.next_element::<IgnoredAny>()?.is_some() {}
        Ok(listing)
    }
}

impl<'a> FromIterator<&'a str> for Listing {
    fn from_iter<T: IntoIterator<Item = &'a str>>(names: T) -> Self {
        let mut listing = Self::default();
        names.into_iter().for_each(|name| listing.push(name));
        listing
    }
}
