//! The things that our person says: texts, and changes of messages.

use serde::{Deserialize, Serialize};

use super::{Client, MessageId, Protocol, RoomId, saved::Unacknowledged};
use crate::message::{Amendment, ClientMessage};

/// Something that our person says in a room.
///
/// As JSON it is an object of `text` and, if it is a reply, `reply`, or one of `type`, `target` and what
/// else stands in the payload of the amendment.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Said {
    /// A text.
    Text {
        /// The text itself.
        text: String,
        /// The number of the message in the room that it answers, if it answers one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply: Option<u64>,
    },
    /// A change of a message, or a reaction to it.
    Amendment(Amendment<'static>),
}

/// Something that was said and is not acknowledged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pending<'a> {
    /// The room.
    pub room: &'a RoomId,
    /// The id that it was given when it was said.
    pub id: &'a MessageId,
    /// The thing itself. The target of an amendment is 0 where `of` is some.
    pub said: &'a Said,
    /// The id of the text that it amends, where that has no number yet.
    pub of: Option<&'a MessageId>,
}

/// The record that bears the id of something that was said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer<'a> {
    pub(super) room: &'a RoomId,
    pub(super) seq: u64,
    pub(super) copied: Copied<'a>,
    /// True if it may answer something else, that was said before under the same id.
    pub(super) is_repeated: bool,
}

/// The server's copy of something that was said.
#[derive(Clone, Copy, Debug)]
pub(super) enum Copied<'a> {
    /// A message, with its words. They may be others than were said where it `is_amended`.
    Message {
        content: &'a str,
        is_amended: bool,
    },
    Amended(&'a Amendment<'static>),
}

impl Said {
    /// Returns the words; `None` for an amendment that has none.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{client::Said, message::Amendment};
    ///
    /// let edit = Amendment::Edit { target: 7, content: Some("hello".into()) };
    /// assert_eq!(Said::Amendment(edit).words(), Some("hello"));
    /// ```
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Text { text, .. } => Some(text),
            Self::Amendment(
                Amendment::Edit { content, .. } | Amendment::Restore { content, .. },
            ) => content.as_deref(),
            Self::Amendment(Amendment::Delete { .. } | Amendment::React { .. }) => None,
        }
    }

    /// Returns true if this is what was answered.
    pub(super) fn is_answered_by(&self, answer: &Answer<'_>) -> bool {
        match (self, answer.copied) {
            (Self::Text { text, .. }, Copied::Message { content, is_amended }) => {
                !answer.is_repeated || is_amended || text == content
            }
            (Self::Amendment(amendment), Copied::Amended(copied)) => {
                !answer.is_repeated || is_same(amendment, copied)
            }
            _ => false,
        }
    }
}

/// Returns true if `copied` is `amendment`, perhaps with other words: a copy of an edit has those that the
/// message has by now, which somebody may have edited again.
fn is_same(amendment: &Amendment<'_>, copied: &Amendment<'_>) -> bool {
    match (amendment, copied) {
        (Amendment::Edit { target, .. }, Amendment::Edit { target: copied, .. })
        | (Amendment::Restore { target, .. }, Amendment::Restore { target: copied, .. }) => {
            target == copied
        }
        _ => amendment == copied,
    }
}

impl Unacknowledged {
    pub(super) fn message(&self, protocol: Protocol) -> ClientMessage<'_> {
        let is_original = protocol == Protocol::Original;
        let id = (!is_original).then(|| self.wire_id().as_str().into());
        let room = self.room.as_str().into();
        match &self.said {
            Said::Text { text, reply } => {
                ClientMessage::Text { room, content: text.as_str().into(), id, reply: *reply }
            }
            Said::Amendment(amendment) => {
                ClientMessage::Amend { amendment: amendment.clone(), room, id }
            }
        }
    }
}

impl Client {
    /// Returns what is not acknowledged, in the order in which it was said.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.unacknowledged().count(), 0);
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn unacknowledged(&self) -> impl Iterator<Item = Pending<'_>> {
        self.saved.unacknowledged.iter().chain(&self.said).map(
            |Unacknowledged { room, id, said, of, .. }| Pending { room, id, said, of: of.as_ref() },
        )
    }
}
