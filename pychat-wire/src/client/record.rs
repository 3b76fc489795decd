//! The records of rooms as they are shown: messages, events, and pages of both.

use super::{Amended, MessageId, MessageState, RoomId};
use crate::message::RoomEvent;

/// One message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// The room in which it was said.
    pub room: RoomId,
    /// Its number in the room, from 1; `None` in protocol 1.
    pub seq: Option<u64>,
    /// The time at which it was accepted, in UTC milliseconds since 1970; `None` in protocol 1.
    pub time_ms: Option<u64>,
    /// The author's name; for our own in protocol 1 the name that we joined under.
    pub author: String,
    /// The words, and what amendments made of them.
    pub state: MessageState,
    /// The number of the message in the room that it answers, if it answers one.
    pub reply: Option<u64>,
    /// True if it is our own, perhaps from another device, or from before this client was made.
    pub own: bool,
    /// The id that [`Client::say`](super::Client::say) gave it, if it is our own: its acknowledgement
    /// where it was this client.
    pub id: Option<MessageId>,
    /// True if it was said while we were away, or is older than what is shown.
    pub replayed: bool,
}

/// One record of a room that is no message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoomRecord {
    /// The room.
    pub room: RoomId,
    /// Its number in the room, from 1.
    pub seq: u64,
    /// The time at which it was accepted, in UTC milliseconds since 1970.
    pub time_ms: u64,
    /// The name of the person who did it.
    pub username: String,
    /// The thing that they did.
    pub event: RoomEvent,
    /// The name or topic that it is about, if it is about one.
    pub subject: Option<String>,
    /// True if our person did it, perhaps from another device.
    pub own: bool,
    /// The id that [`Client::change_room`](super::Client::change_room) returned, if our person did it.
    pub id: Option<String>,
    /// True if it was done while we were away, or is older than what is shown.
    pub replayed: bool,
}

/// The answer to [`Client::request_history`](super::Client::request_history).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Page {
    /// The room.
    pub room: RoomId,
    /// The messages, oldest first, all of them older than any that was shown.
    pub messages: Vec<Message>,
    /// The other records among them, oldest first.
    pub events: Vec<RoomRecord>,
    /// True if nothing older exists.
    pub start: bool,
}

/// One record, as it was heard.
#[derive(Debug)]
pub(super) enum Record {
    Message(Message),
    Event(RoomRecord),
    Amended(Amended),
    /// One that is not known, and not shown.
    Unknown,
}

impl Record {
    /// Returns the memory that it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Message(message) => {
                    let id = message.id.as_ref().map_or(0, |id| id.as_str().len());
                    message.author.len() + message.state.bytes() + id
                }
                Self::Event(record) => {
                    let texts = [&record.subject, &record.id].into_iter().flatten();
                    record.username.len() + texts.map(String::len).sum::<usize>()
                }
                Self::Amended(_) | Self::Unknown => 0, // No page has any.
            }
    }

    pub(super) fn is_replayed(&self) -> bool {
        match self {
            Self::Message(message) => message.replayed,
            Self::Event(record) => record.replayed,
            Self::Amended(amended) => amended.replayed,
            Self::Unknown => false, // No page has any.
        }
    }
}
