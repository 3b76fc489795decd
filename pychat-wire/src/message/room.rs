//! Rooms: the parts of messages that describe them, and the requests that change them.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    MessageError, bounds, lenient,
    lossy::{self, Lossy},
    members::Members,
    unknown, word,
};

/// The id of the hall, the room that everybody is in.
pub const HALL: &str = "";

/// The most bytes of a room's id. A longer one names no room.
pub const ROOM_ID_BYTES_MAX: usize = 64;

/// The most rooms that are listed, and the most that a hello resumes; any beyond are left out.
pub const ROOMS_MAX: usize = 1_000;

/// The most characters of a room's name. A longer one from a server is cut, and ends in `…`.
pub const ROOM_NAME_CHARS_MAX: usize = bounds::LABEL_CHARS_MAX;

/// The most characters of a room's topic. A longer one from a server is cut, and ends in `…`.
pub const TOPIC_CHARS_MAX: usize = bounds::SENTENCE_CHARS_MAX;

/// The most people in a direct room.
pub const DIRECT_PEOPLE_MAX: usize = 8;

/// The kind of a room: who can see and join it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RoomKind {
    /// Everybody is in it.
    Hall,
    /// Everybody sees it, and may join.
    Open,
    /// Its members add others; nobody else sees it.
    Closed,
    /// Between a set of people that never changes.
    Direct,
    /// A kind that only later versions know.
    #[serde(other)]
    Unknown,
}

/// One room, as somebody in it, or who looks for one, is told of it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Room<'a> {
    /// Its id.
    #[serde(borrow, deserialize_with = "lossy::deserialize")]
    pub room: Cow<'a, str>,
    /// Its kind.
    pub kind: RoomKind,
    /// Its name; empty for the hall and for direct rooms.
    #[serde(borrow, default, deserialize_with = "name")]
    pub name: Cow<'a, str>,
    /// Its topic; empty if it has none.
    #[serde(borrow, default, deserialize_with = "topic")]
    pub topic: Cow<'a, str>,
    /// The names of the people of a direct room, the reader among them.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub with: Option<Names<'a>>,
    /// True if the reader may change it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mine: bool,
    /// The number of its last record that was published; 0 if there is none.
    #[serde(default)]
    pub last: u64,
    /// The number up to which the reader has seen it, on whatever device.
    #[serde(default)]
    pub read: u64,
    /// The number of messages of others after `read`, counted up to 99.
    #[serde(default)]
    pub unread: u64,
}

/// Rooms. At most [`ROOMS_MAX`] are read; one that cannot be read is left out.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct RoomList<'a>(pub Vec<Room<'a>>);

/// Names of people. At most [`DIRECT_PEOPLE_MAX`] and one more are read.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Names<'a>(pub Vec<Cow<'a, str>>);

/// The number of the last record that a client has of each room. At most [`ROOMS_MAX`] are read; one
/// that is no number from 0 on is left out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Positions<'a>(pub Vec<(Cow<'a, str>, u64)>);

/// The kind of an event of a room: a record that is no message.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RoomEvent {
    /// The room was made.
    Created,
    /// Somebody joined it.
    Joined,
    /// Somebody left it.
    Left,
    /// Somebody added the subject.
    Added,
    /// Somebody removed the subject.
    Removed,
    /// Somebody gave it the subject as its name.
    Renamed,
    /// Somebody gave it the subject as its topic.
    Topic,
    /// An event that only later versions know.
    #[serde(other)]
    Unknown,
}

impl RoomEvent {
    /// Returns its name in payloads.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Joined => "joined",
            Self::Left => "left",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Renamed => "renamed",
            Self::Topic => "topic",
            Self::Unknown => "unknown",
        }
    }
}

/// A request that makes or changes a room. Each is answered by the record of it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RoomRequest<'a> {
    /// There is to be a room.
    CreateRoom {
        /// Its kind, open or closed.
        kind: RoomKind,
        /// Its name.
        name: Cow<'a, str>,
        /// Its topic; none if empty.
        #[serde(skip_serializing_if = "str::is_empty")]
        topic: Cow<'a, str>,
    },
    /// There is to be a room for these people and the client's own, unless there is one.
    Direct {
        /// Their names.
        with: Names<'a>,
    },
    /// The client's person joins an open room.
    JoinRoom {
        /// The room.
        room: Cow<'a, str>,
    },
    /// The client's person leaves a room.
    LeaveRoom {
        /// The room.
        room: Cow<'a, str>,
    },
    /// Somebody is to be in a closed room.
    AddMember {
        /// The room.
        room: Cow<'a, str>,
        /// Their name.
        username: Cow<'a, str>,
    },
    /// Somebody is to be in a closed room no more.
    RemoveMember {
        /// The room.
        room: Cow<'a, str>,
        /// Their name.
        username: Cow<'a, str>,
    },
    /// A room gets another name, or another topic: one of them.
    UpdateRoom {
        /// The room.
        room: Cow<'a, str>,
        /// Its name.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Cow<'a, str>>,
        /// Its topic; none if empty.
        #[serde(skip_serializing_if = "Option::is_none")]
        topic: Option<Cow<'a, str>>,
    },
}

impl<'a> RoomRequest<'a> {
    /// Reads the request of this `kind`, if it is one.
    pub(super) fn parse(kind: &str, members: &mut Members<'a>) -> Result<Self, MessageError> {
        let take = std::mem::take::<super::members::Member<'a>>;
        let room = take(&mut members.room).room();
        match kind {
            "create_room" => Ok(Self::CreateRoom {
                kind: word(take(&mut members.room_kind)).unwrap_or(RoomKind::Unknown),
                name: take(&mut members.name).required("name")?,
                topic: take(&mut members.topic).string().unwrap_or_default(),
            }),
            "direct" => {
                let with = members.with.and_then(lenient);
                Ok(Self::Direct { with: with.ok_or(MessageError::NotAList { member: "with" })? })
            }
            "join_room" => Ok(Self::JoinRoom { room }),
            "leave_room" => Ok(Self::LeaveRoom { room }),
            "add_member" => Ok(Self::AddMember {
                room,
                username: take(&mut members.username).required("username")?,
            }),
            "remove_member" => Ok(Self::RemoveMember {
                room,
                username: take(&mut members.username).required("username")?,
            }),
            "update_room" => Ok(Self::UpdateRoom {
                room,
                name: take(&mut members.name).string(),
                topic: take(&mut members.topic).string(),
            }),
            kind => Err(unknown(kind)),
        }
    }

    /// Returns it with strings of its own.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::message::RoomRequest;
    ///
    /// let room = String::from("r7");
    /// let request = RoomRequest::JoinRoom { room: room.as_str().into() }.into_owned();
    /// drop(room);
    /// assert_eq!(request, RoomRequest::JoinRoom { room: "r7".into() });
    /// ```
    #[must_use]
    pub fn into_owned(self) -> RoomRequest<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::CreateRoom { kind, name, topic } => {
                RoomRequest::CreateRoom { kind, name: owned(name), topic: owned(topic) }
            }
            Self::Direct { with } => {
                RoomRequest::Direct { with: Names(with.0.into_iter().map(owned).collect()) }
            }
            Self::JoinRoom { room } => RoomRequest::JoinRoom { room: owned(room) },
            Self::LeaveRoom { room } => RoomRequest::LeaveRoom { room: owned(room) },
            Self::AddMember { room, username } => {
                RoomRequest::AddMember { room: owned(room), username: owned(username) }
            }
            Self::RemoveMember { room, username } => {
                RoomRequest::RemoveMember { room: owned(room), username: owned(username) }
            }
            Self::UpdateRoom { room, name, topic } => RoomRequest::UpdateRoom {
                room: owned(room),
                name: name.map(owned),
                topic: topic.map(owned),
            },
        }
    }

    /// Returns the type of its payload.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::message::RoomRequest;
    ///
    /// assert_eq!(RoomRequest::JoinRoom { room: "r7".into() }.kind(), "join_room");
    /// ```
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CreateRoom { .. } => "create_room",
            Self::Direct { .. } => "direct",
            Self::JoinRoom { .. } => "join_room",
            Self::LeaveRoom { .. } => "leave_room",
            Self::AddMember { .. } => "add_member",
            Self::RemoveMember { .. } => "remove_member",
            Self::UpdateRoom { .. } => "update_room",
        }
    }
}

impl<'a> FromIterator<&'a str> for Names<'a> {
    fn from_iter<T: IntoIterator<Item = &'a str>>(names: T) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }
}

impl Serialize for Positions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(room, after)| (room, after)))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Positions<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PositionsVisitor)
    }
}

struct PositionsVisitor;

impl<'de> Visitor<'de> for PositionsVisitor {
    type Value = Positions<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut positions = Positions::default();
        while let Some((Lossy(room), after)) = map.next_entry::<_, &RawValue>()? {
            if positions.0.len() < ROOMS_MAX
                && room.len() <= ROOM_ID_BYTES_MAX
                && let Ok(after) = after.get().parse()
            {
                positions.0.push((room, after));
            }
        }
        Ok(positions)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RoomList<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(RoomListVisitor)
    }
}

struct RoomListVisitor;

impl<'de> Visitor<'de> for RoomListVisitor {
    type Value = RoomList<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of rooms")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rooms: A) -> Result<Self::Value, A::Error> {
        let mut list = RoomList::default();
        while list.0.len() < ROOMS_MAX
            && let Some(room) = rooms.next_element::<&RawValue>()?
        {
            list.0.extend(lenient::<Room<'_>>(room).filter(Room::is_bounded));
        }
        while rooms.next_element::<IgnoredAny>()?.is_some() {}
        Ok(list)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Names<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Self::Value, A::Error> {
        let mut list = Names::default();
        while list.0.len() <= DIRECT_PEOPLE_MAX
            && let Some(Lossy(name)) = names.next_element()?
        {
            list.0.push(bounds::name(name));
        }
        while names.next_element::<IgnoredAny>()?.is_some() {}
        Ok(list)
    }
}

impl Room<'_> {
    /// Returns true if its id can be that of a room.
    pub(super) fn is_bounded(&self) -> bool {
        self.room.len() <= ROOM_ID_BYTES_MAX
    }
}

/// Reads the name of a room.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'de, str>, D::Error> {
    let Lossy(name) = Lossy::deserialize(deserializer)?;
    Ok(bounds::label(name))
}

/// Reads the topic of a room.
fn topic<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'de, str>, D::Error> {
    let Lossy(topic) = Lossy::deserialize(deserializer)?;
    Ok(bounds::sentence(topic))
}
