//! The rooms as a shell sees them: their ids, what is known of each, and which of them are heard.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::UNREAD_MAX;
use crate::message::{self, HALL, RoomKind};

/// The id of a room. It means nothing but that room; only that of the hall is known beforehand.
///
/// # Examples
///
/// ```
/// use pychat_wire::client::RoomId;
///
/// assert!(RoomId::hall().is_hall());
/// assert_eq!(RoomId::from("r7").as_str(), "r7");
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RoomId(Arc<str>);

impl RoomId {
    /// Returns the id of the hall, the room that everybody is in.
    pub fn hall() -> Self {
        Self::default()
    }

    /// Returns true if it is that of the hall.
    pub fn is_hall(&self) -> bool {
        &*self.0 == HALL
    }

    /// Returns it as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for RoomId {
    fn default() -> Self {
        Self(HALL.into())
    }
}

impl From<&str> for RoomId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl Borrow<str> for RoomId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for RoomId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RoomId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|id| Self(id.into()))
    }
}

/// The rooms whose messages a client is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hearing {
    /// The hall alone. Other rooms are passed over, and unknown to this client.
    Hall,
    /// All rooms that our person is in.
    All,
}

/// One room, as far as it is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// Its kind.
    pub kind: RoomKind,
    /// Its name; empty for the hall and for direct rooms.
    pub name: String,
    /// Its topic; empty if it has none.
    pub topic: String,
    /// The names of the people of a direct room, our own among them.
    pub with: Vec<String>,
    /// True if our person may change it.
    pub is_mine: bool,
    /// The number of its last record; 0 if there is none.
    pub last: u64,
    /// The number up to which our person has seen it, on whatever device.
    pub read: u64,
    /// The number of messages of others after `read`, counted up to
    /// [`UNREAD_MAX`](super::UNREAD_MAX).
    pub unread: u64,
}

impl Room {
    /// Returns the hall, of which nothing is known yet.
    pub(super) fn hall() -> Self {
        Self {
            id: RoomId::hall(),
            kind: RoomKind::Hall,
            name: String::new(),
            topic: String::new(),
            with: Vec::new(),
            is_mine: false,
            last: 0,
            read: 0,
            unread: 0,
        }
    }
}

impl From<message::Room<'_>> for Room {
    fn from(room: message::Room<'_>) -> Self {
        Self {
            id: RoomId::from(&*room.room),
            kind: room.kind,
            name: room.name.into_owned(),
            topic: room.topic.into_owned(),
            with: room.with.into_iter().flat_map(|with| with.0).map(Into::into).collect(),
            is_mine: room.mine,
            last: room.last,
            read: room.read.min(room.last),
            unread: room.unread.min(UNREAD_MAX),
        }
    }
}
