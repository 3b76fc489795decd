//! Searches: the messages that have certain words, and what is found of them.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    MessageError, Reactions, TIME_MS_MAX, bounds, lenient, members::Members,
    parts::MESSAGE_ID_BYTES_MAX,
};

/// The most bytes of the query of a search, and of the name of an author in it.
pub const SEARCH_QUERY_BYTES_MAX: usize = 256;

/// The most bytes of the cursor by which a search goes on.
pub const SEARCH_CURSOR_BYTES_MAX: usize = 64;

/// The most messages that one search is answered with; it goes on by its cursor.
pub const SEARCH_LIMIT_MAX: u64 = 100;

/// A request for the messages that have certain words, newest first.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Search<'a> {
    /// The client's own reference, which the answers bear: at most [`MESSAGE_ID_BYTES_MAX`] bytes.
    #[serde(rename = "ref")]
    pub reference: Cow<'a, str>,
    /// The words, of which a message has to have all: at most [`SEARCH_QUERY_BYTES_MAX`] bytes. In
    /// double quotes stands what has to stand in a row; the last word, and one that ends in `*`, need
    /// only be how a word begins.
    pub query: Cow<'a, str>,
    /// The only room that is searched; all that the client's person is in if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<Cow<'a, str>>,
    /// The name of the only author whose messages are searched; all if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Cow<'a, str>>,
    /// The cursor at which an earlier answer to the same request ended; the newest message if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Cow<'a, str>>,
    /// The most messages that the client wants, of which [`SEARCH_LIMIT_MAX`] are sent.
    pub limit: u64,
}

impl<'a> Search<'a> {
    pub(super) fn parse(members: Members<'a>) -> Result<Self, MessageError> {
        let is_everywhere = members.room.is_missing();
        Ok(Self {
            reference: members.reference.required_within("ref", MESSAGE_ID_BYTES_MAX)?,
            query: members.query.required_within("query", SEARCH_QUERY_BYTES_MAX)?,
            room: Some(members.room.room()).filter(|_| !is_everywhere),
            from: members.from.optional_within("from", SEARCH_QUERY_BYTES_MAX)?,
            before: members.before.optional_within("before", SEARCH_CURSOR_BYTES_MAX)?,
            limit: members.limit.required_number("limit")?,
        })
    }
}

/// A message that a search found, as it is now.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct FoundMessage<'a> {
    /// The room.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub room: Cow<'a, str>,
    /// Its number in the room.
    pub seq: u64,
    /// The time at which it was accepted, in UTC milliseconds since 1970.
    pub time: u64,
    /// The author.
    pub username: Cow<'a, str>,
    /// The text.
    pub content: Cow<'a, str>,
    /// The id that its sender gave it, if that is who searches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Cow<'a, str>>,
    /// The number of the message in the room that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<u64>,
    /// The time of its last edit, in UTC milliseconds since 1970, if it was edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited: Option<u64>,
    /// The reactions to it.
    #[serde(skip_serializing_if = "Reactions::is_empty")]
    pub reactions: Reactions<'a>,
}

impl<'a> FoundMessage<'a> {
    /// Reads the member `message` of a payload.
    pub(super) fn parse(message: Option<&'a RawValue>) -> Result<Self, MessageError> {
        let members: Option<Members<'a>> = message.and_then(lenient);
        let members = members.ok_or(MessageError::NotAnObject)?;
        Ok(Self {
            room: members.room.room(),
            seq: members.seq.required_number("seq")?,
            time: members.time.required_time()?,
            username: bounds::name(members.username.required("username")?),
            content: bounds::content(members.content.required("content")?),
            id: members.id.within(MESSAGE_ID_BYTES_MAX).string(),
            reply: members.reply.number(),
            edited: members.edited.number().map(|time| time.min(TIME_MS_MAX)),
            reactions: members.reactions.and_then(lenient).unwrap_or_default(),
        })
    }
}
