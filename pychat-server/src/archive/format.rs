//! The lines of an export: a head, a line for each message and event, and an end.
//!
//! Each is an object of JSON. What later versions add is a field that earlier ones pass over; a format
//! that they could not read has another [`VERSION`].

use std::borrow::Cow;

use pychat_wire::message::{RoomEvent, RoomKind};
use serde::{Deserialize, Serialize};

use crate::core::{
    amending::on_wire,
    record::{Entry, Kind, Room},
};

/// The version of the format.
pub(super) const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Head {
    /// The version of the format, and the mark by which it is known.
    pub(super) pychat_room: u32,
    /// The id of the room.
    pub(super) id: String,
    pub(super) kind: RoomKind,
    pub(super) name: String,
    pub(super) topic: String,
}

/// A message, or an event of the room.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Line<'a> {
    /// Its number in the room: those of a file rise, and not all are there.
    pub(super) number: u64,
    /// Its time, in UTC milliseconds since 1970.
    pub(super) time_ms: u64,
    #[serde(borrow)]
    pub(super) author: Cow<'a, str>,
    /// The words of a message that has any, as they are now.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Cow<'a, str>>,
    /// Its words were deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) deleted: bool,
    /// The number of the message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reply: Option<u64>,
    /// The time of its last edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) edited_ms: Option<u64>,
    /// Each emoji with the names of those who reacted with it.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub(super) reactions: Vec<(Cow<'a, str>, Vec<Cow<'a, str>>)>,
    /// The event, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) event: Option<RoomEvent>,
    /// The name or the topic that the event is about.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<Cow<'a, str>>,
}

/// The last line: a file without it is not whole.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct End {
    /// The number of lines between the first and this one.
    pub(super) end: u64,
}

impl Head {
    pub(super) fn new(room: &Room) -> Self {
        let Room { id, kind, name, topic, .. } = room;
        let (id, name, topic) = (id.on_wire().into_owned(), name.clone(), topic.clone());
        Self { pychat_room: VERSION, id, kind: *kind, name, topic }
    }
}

impl<'a> Line<'a> {
    /// Returns the line of a record; none of an amendment, which shows in its message.
    pub(super) fn new(entry: Entry<'a>) -> Option<Self> {
        let Entry { seq, time_ms, author, kind, reply, state, .. } = entry;
        let line = Self {
            number: seq,
            time_ms,
            author: author.into(),
            text: None,
            deleted: false,
            reply,
            edited_ms: None,
            reactions: Vec::new(),
            event: None,
            subject: None,
        };
        match kind {
            Kind::Text(_) if state.is_deleted => Some(Self { deleted: true, ..line }),
            Kind::Text(text) => Some(Self {
                text: Some(text.into()),
                edited_ms: state.edited_ms,
                reactions: on_wire(state.reactions).0,
                ..line
            }),
            Kind::Event { event, subject } => {
                Some(Self { event: Some(event), subject: subject.map(Into::into), ..line })
            }
            Kind::Amendment { .. } => None,
        }
    }
}
