//! One record of a room, as it was heard.

use pychat_wire::message::{Amendment, RoomEvent};

use crate::kit::amended::State;

/// One record as it was heard.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Message {
    pub(crate) time: u64,
    pub(crate) author: String,
    /// The words of a message; the subject of an event, empty if it has none; empty for an amendment.
    pub(crate) content: String,
    /// The event that it is, if it is one.
    pub(crate) event: Option<RoomEvent>,
    /// The amendment that it is, if it is one.
    pub(crate) amendment: Option<Amendment<'static>>,
    /// The number of the message that it answers.
    pub(crate) reply: Option<u64>,
    /// The state of a message.
    pub(crate) state: State,
}

/// The way in which a record was heard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Copy {
    /// As it was said.
    Live,
    /// As it was at some time after everything up to number `known` was said.
    Later { known: u64 },
}

impl Message {
    /// Returns a message that was never amended.
    pub(crate) fn text(time: u64, author: &str, content: &str) -> Self {
        let (author, content) = (author.to_owned(), content.to_owned());
        Self { time, author, content, ..Self::default() }
    }

    /// Returns an event, whose time is its number.
    #[cfg(test)]
    pub(in crate::kit) fn event(
        time: u64,
        author: &str,
        event: Option<RoomEvent>,
        subject: &str,
    ) -> Self {
        Self { event, ..Self::text(time, author, subject) }
    }

    /// Returns true if it has words: it is neither an event nor an amendment.
    pub(crate) fn is_text(&self) -> bool {
        self.event.is_none() && self.amendment.is_none()
    }

    /// Returns the words of a message or of an edit; else the subject of an event.
    pub(crate) fn words(&self) -> &str {
        match &self.amendment {
            Some(Amendment::Edit { content, .. }) => content.as_deref().unwrap_or_default(),
            _ => &self.content,
        }
    }

    /// Returns true if it is a message of the person with this name: what begins with `#` was said in
    /// protocol 1, where nobody proves who they are.
    pub(crate) fn is_of(&self, name: &str) -> bool {
        self.author == name && !self.content.starts_with('#')
    }

    /// Returns true if the other is the same record, but for what may change.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let is_same_amendment = match (&self.amendment, &other.amendment) {
            (Some(Amendment::Edit { target, .. }), Some(Amendment::Edit { target: other, .. }))
            | (
                Some(Amendment::Restore { target, .. }),
                Some(Amendment::Restore { target: other, .. }),
            ) => target == other,
            (amendment, other) => amendment == other,
        };
        is_same_amendment
            && (self.is_text() || self.content == other.content)
            && (self.time, &self.author, self.event, self.reply)
                == (other.time, &other.author, other.event, other.reply)
    }
}
