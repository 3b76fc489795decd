//! The things that the holder of a line of protocol 2 should know of.

use pychat_wire::{
    key::PairCode,
    message::{ErrorCode, Reason, RoomEvent, RoomKind},
};

/// Something that was heard.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A sentence of protocol 1.
    Told(String),
    Greeting,
    Welcome {
        /// The number of bytes that were heard after it.
        rest: usize,
        /// The number of unread messages that it tells of, in all rooms.
        unread: u64,
    },
    /// Its person's own copy of what was said, by this connection or another.
    Own {
        room: String,
        id: String,
        seq: u64,
        dup: bool,
    },
    /// Everything in a room up to here is not kept any more.
    Forgotten {
        room: String,
        to: u64,
    },
    /// More was missed in a room than it wants.
    Skipped {
        room: String,
    },
    /// The number that it said it had is of another epoch, or is not there yet.
    Elsewhere {
        to: u64,
    },
    Page {
        room: String,
        start: bool,
    },
    /// A room that it is in, or is in now.
    Room {
        room: String,
        kind: RoomKind,
        /// It was not in it before.
        is_new: bool,
        /// Its person may change it.
        is_mine: bool,
    },
    RoomGone {
        room: String,
    },
    /// A record that is no message; by this person or another.
    Event {
        room: String,
        event: RoomEvent,
        is_live: bool,
    },
    /// Somebody else's amendment, or an amendment that was missed.
    Amended {
        room: String,
        seq: u64,
        is_live: bool,
    },
    /// A message that was amended before it was told.
    Changed,
    /// The ids of the open rooms.
    Rooms {
        rooms: Vec<String>,
    },
    Members {
        room: String,
    },
    Read {
        room: String,
        seq: u64,
    },
    Typing {
        room: String,
    },
    /// A message that a search found.
    Found,
    FoundEnd {
        /// There may be more.
        is_more: bool,
    },
    SearchRefused {
        code: ErrorCode,
        text: String,
    },
    Left {
        reason: Reason,
    },
    Error {
        code: ErrorCode,
        text: String,
        /// The id of what it is about.
        id: Option<String>,
        suggest: Option<String>,
        retry_ms: Option<u64>,
    },
    PairCode {
        code: PairCode,
    },
    Ping,
    Pong,
    Bye {
        reason: Reason,
    },
}
