//! The messages in payloads, [`ClientMessage`] and [`ServerMessage`], to and from JSON.
//!
//! Reading borrows from the payload where it can. It forgives what the original forgives: keys in
//! any order, unknown keys, the same key twice (the last one counts). A member that only protocol 2
//! defines counts as missing if its value is of the wrong type. A lone surrogate, as other JSON
//! writers escape it, is read as U+FFFD.

mod amendment;
pub(crate) mod bounds;
mod client;
mod lossy;
mod members;
mod operator;
mod parts;
mod room;
mod search;
mod server;

use std::str::Utf8Error;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use self::members::Member;
pub use self::{
    amendment::{Amendment, EMOJI_BYTES_MAX, EMOJI_MAX, REACTIONS_MAX, Reactions, is_emoji},
    bounds::{
        CONTENT_BYTES_MAX, DEVICES_MAX, EPOCH_BYTES_MAX, EXPIRES_MS_MAX, INVITES_MAX,
        LABEL_CHARS_MAX, MEMBERS_MAX, RETRY_MS_MAX, SENTENCE_CHARS_MAX, TIME_MS_MAX, label,
    },
    client::{ClientMessage, Hello},
    operator::{BANS_MAX, Ban, BanList, OperatorRequest, Whom},
    parts::{
        AddressList, Device, DeviceList, Door, ErrorCode, Invite, InviteList, Limits, Listing,
        MESSAGE_ID_BYTES_MAX, PAGE_MESSAGES_MAX, PONG_SECONDS_MAX, PROTOCOL, Reason, Resume,
    },
    room::{
        DIRECT_PEOPLE_MAX, HALL, Names, Positions, ROOM_ID_BYTES_MAX, ROOM_NAME_CHARS_MAX,
        ROOMS_MAX, Room, RoomEvent, RoomKind, RoomList, RoomRequest, TOPIC_CHARS_MAX,
    },
    search::{
        FoundMessage, SEARCH_CURSOR_BYTES_MAX, SEARCH_LIMIT_MAX, SEARCH_QUERY_BYTES_MAX, Search,
    },
    server::ServerMessage,
};

/// The most characters of an unknown type that are repeated to its sender.
const TYPE_CHARS_SHOWN: usize = 32;

/// The reason why a complete payload cannot be read as a message.
///
/// The stream itself is sound: the connection stays open.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum MessageError {
    /// The payload is not text.
    #[error("the payload is not UTF-8: byte {} is wrong", .0.valid_up_to())]
    NotUtf8(#[from] Utf8Error),

    /// The payload is text, but not JSON.
    #[error("the payload is not JSON: {reason}")]
    NotJson {
        /// The JSON parser's error, with line and column. It repeats nothing of the payload.
        reason: String,
    },

    /// The payload is JSON, but not an object.
    #[error("the payload is not a JSON object")]
    NotAnObject,

    /// The object has no member `type`.
    #[error("the payload has no \"type\"")]
    NoType,

    /// The object is of a type that this side does not know.
    #[error("nobody here knows the type {name:?}")]
    UnknownType {
        /// The type's name, shortened.
        name: String,
    },

    /// A member that this type needs is missing, or is not a string.
    #[error("\"{member}\" should be a string")]
    NotAString {
        /// The member's name.
        member: &'static str,
    },

    /// A member that this type needs is missing, or is not an integer from 0 on.
    #[error("\"{member}\" should be a number")]
    NotANumber {
        /// The member's name.
        member: &'static str,
    },

    /// A member that this type needs is missing, or is not a list of strings.
    #[error("\"{member}\" should be a list of strings")]
    NotAList {
        /// The member's name.
        member: &'static str,
    },

    /// A member of this type is a string of more bytes than it may have.
    #[error("\"{member}\" has more than {bytes_max} bytes")]
    TooLong {
        /// The member's name.
        member: &'static str,
        /// The most bytes that it may have.
        bytes_max: usize,
    },

    /// A member that this type needs is a string, but not one that means a key or a code.
    #[error("\"{member}\" has the wrong length or alphabet")]
    NotEncoded {
        /// The member's name.
        member: &'static str,
    },
}

fn write_json(message: &impl Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, message).expect("strings become JSON, and a Vec takes every write");
}

fn unknown(kind: &str) -> MessageError {
    MessageError::UnknownType { name: kind.chars().take(TYPE_CHARS_SHOWN).collect() }
}

/// Reads a member that is itself an object or a list; `None` if it is no valid `T`.
fn lenient<'a, T: Deserialize<'a>>(json: &'a RawValue) -> Option<T> {
    serde_json::from_str(json.get()).ok()
}

/// Reads a string as a variant of `T`; `None` if it is no string, or names no variant.
fn word<T: for<'a> Deserialize<'a>>(member: Member<'_>) -> Option<T> {
    let word = member.string()?.into_owned();
    T::deserialize(serde::de::value::StringDeserializer::<serde_json::Error>::new(word)).ok()
}

#[cfg(test)]
mod tests;
