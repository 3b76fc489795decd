//! The parts of messages of protocol 2.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{IgnoredAny, SeqAccess, Visitor},
    ser::Error,
};
use serde_json::value::RawValue;

use super::{Positions, bounds, lenient, lossy, lossy::Lossy};
use crate::{
    key::{InviteId, PublicKey},
    link::{ADDRESS_BYTES_MAX, ADDRESSES_MAX, Address},
};

/// The newest protocol that this crate speaks.
pub const PROTOCOL: u64 = 2;

/// The most bytes that a client's id for a text may have.
pub const MESSAGE_ID_BYTES_MAX: usize = 64;

/// The most messages that one page of history brings.
pub const PAGE_MESSAGES_MAX: u64 = 500;

/// The time within which a side that was pinged has to send something, in seconds.
pub const PONG_SECONDS_MAX: u64 = 20;

/// The positions at which a client that comes back left off.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Resume<'a> {
    /// The epoch: the name of the store that the numbers belong to.
    #[serde(borrow, deserialize_with = "lossy::deserialize")]
    pub epoch: Cow<'a, str>,
    /// The number of the last record that the client has of each room that it resumes; 0 if it has
    /// none.
    #[serde(borrow)]
    pub rooms: Positions<'a>,
    /// The most missed messages of one room that it wants: if it missed more, or more than one page
    /// holds, only the last of them are sent. `None` if it wants all.
    #[serde(default, deserialize_with = "number_or_none", skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// Reads an integer from 0 on; any other value counts as missing.
fn number_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let member: &RawValue = Deserialize::deserialize(deserializer)?;
    Ok(member.get().parse().ok())
}

/// The people whom a server lets in.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// Everybody.
    #[default]
    Open,
    /// Those who own a name, or have the code of an invite.
    Invite,
}

/// The limits of what a server takes, as its greeting announces them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Limits {
    /// The largest payload, in bytes.
    pub payload: u64,
    /// The most characters that a name may have.
    pub name: u64,
    /// The number of texts that may come at once; 0 if there is no limit.
    #[serde(default)]
    pub burst: u64,
    /// The number of texts a second that may follow those; 0 if there is no limit.
    #[serde(default)]
    pub per_second: u64,
}

/// The reason why somebody left, or why a server closes a connection.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// They said goodbye.
    Quit,
    /// Their connection broke.
    Lost,
    /// They read too slowly: the backlog of their connection passed its limit.
    Slow,
    /// They broke the protocol.
    Protocol,
    /// The server sent them away: the owner of the name came, or one connection more of the same
    /// person than there may be, or an operator wanted it.
    Kicked,
    /// Their device was removed by another one of the same person, or an operator took their name.
    Removed,
    /// An operator banned them.
    Banned,
    /// The server is stopping.
    Shutdown,
    /// A reason that only later versions know.
    #[serde(other)]
    Unknown,
}

impl Reason {
    /// Returns true if nobody comes back by themselves after it: they were sent away, or removed.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Kicked | Self::Removed | Self::Banned)
    }
}

/// The code of an error: the thing that was refused.
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
    /// A hello of protocol 2 without a good signature.
    BadSignature,
    /// A payload that only those who have joined may send.
    NotJoined,
    /// A second hello.
    AlreadyJoined,
    /// A hello of somebody who may not join, or not by such a connection.
    NotAdmitted,
    /// A name that breaks a rule.
    NameInvalid,
    /// A name that somebody present has, or that is reserved for its owner.
    NameTaken,
    /// A room that does not exist, or that this person cannot see.
    NoRoom,
    /// A message that does not exist in the room, is no longer kept, or was deleted.
    NoMessage,
    /// Something that is not this person's to do, or a code that is not good, or no longer.
    Forbidden,
    /// A text of somebody who may not say anything for now.
    Muted,
    /// Something that an operator asked for, and that cannot be done.
    NotDone,
    /// A text under an id that its author has used for another text.
    IdReused,
    /// More than the server takes for now. It reads on after a while, and drops nothing.
    SlowDown,
    /// A text that the server cannot store for now, or messages that it cannot read.
    Storage,
    /// A connection for which there is no room, on the server or for its address.
    Full,
    /// A hello that did not come in time.
    Timeout,
    /// A code that only later versions know.
    #[serde(other)]
    Unknown,
}

/// One device of a person.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Device<'a> {
    /// Its key.
    pub key: PublicKey,
    /// Its name; empty if it gave none.
    #[serde(borrow, default, deserialize_with = "label")]
    pub label: Cow<'a, str>,
    /// When it was added, in UTC milliseconds since 1970.
    pub time: u64,
}

/// The devices of a person. At most [`DEVICES_MAX`](bounds::DEVICES_MAX) are read.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct DeviceList<'a>(pub Vec<Device<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for DeviceList<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FirstOf::new(bounds::DEVICES_MAX)).map(Self)
    }
}

/// One invite that is good.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Invite<'a> {
    /// Its name, by which it can be revoked.
    pub id: InviteId,
    /// The number of people whom it can let in still; any number if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u64>,
    /// The time for which it is good, in milliseconds from now; until it is revoked if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<u64>,
    /// The name of the person who made it; `None` if it was made on the server's machine.
    #[serde(
        borrow,
        default,
        deserialize_with = "name_or_none",
        skip_serializing_if = "Option::is_none"
    )]
    pub by: Option<Cow<'a, str>>,
}

/// The invites that are good. At most [`INVITES_MAX`](bounds::INVITES_MAX) are read.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct InviteList<'a>(pub Vec<Invite<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for InviteList<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FirstOf::new(bounds::INVITES_MAX)).map(Self)
    }
}

/// Addresses of servers, each as it stands in a link. The first [`ADDRESSES_MAX`] of a list are read; those
/// among them that are none, have more than [`ADDRESS_BYTES_MAX`] bytes or are there already are left out.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct AddressList(pub Vec<Address>);

impl AddressList {
    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for AddressList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list: Vec<&RawValue> = deserializer.deserialize_seq(FirstOf::new(ADDRESSES_MAX))?;
        let mut addresses = Vec::new();
        for address in list.into_iter().filter_map(address) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(Self(addresses))
    }
}

/// Reads an address of a server.
fn address(json: &RawValue) -> Option<Address> {
    let Lossy(text) = lenient(json)?;
    if text.len() <= ADDRESS_BYTES_MAX { text.parse().ok() } else { None }
}

/// Reads a list, and keeps no more than the first so many of it.
struct FirstOf<T> {
    limit: usize,
    kind: PhantomData<T>,
}

impl<T> FirstOf<T> {
    fn new(limit: usize) -> Self {
        Self { limit, kind: PhantomData }
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for FirstOf<T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while list.len() < self.limit
            && let Some(element) = elements.next_element()?
        {
            list.push(element);
        }
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(list)
    }
}

/// Reads the name of a person.
fn name_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Cow<'de, str>>, D::Error> {
    let Lossy(name) = Lossy::deserialize(deserializer)?;
    Ok(Some(bounds::name(name)))
}

/// Reads the name of a device.
fn label<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'de, str>, D::Error> {
    let Lossy(label) = Lossy::deserialize(deserializer)?;
    Ok(bounds::label(label))
}

/// The names of those present, as the JSON of a welcome.
///
/// Names are appended one at a time, so the listing in a welcome costs one copy, however many there
/// are. A clone rounds its capacity up to a power of two: sizes that are each a little larger than
/// the last would fragment the heap.
#[derive(Debug, Eq, PartialEq)]
pub struct Listing {
    /// A JSON array without its closing bracket.
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

impl Serialize for Listing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = RawValue::from_string(format!("{}]", self.json));
        json.map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// Reads at most [`MEMBERS_MAX`](bounds::MEMBERS_MAX) names, each cut to the length of a name.
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
