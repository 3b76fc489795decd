//! The content of records: messages, events, and amendments.

use std::{mem::discriminant, ops::Deref, sync::Arc};

use pychat_wire::message::RoomEvent;

/// The content of a record, with texts as a `T`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind<T> {
    /// A message: words.
    Text(T),
    /// Something that happened to the room.
    Event {
        /// The thing that happened.
        event: RoomEvent,
        /// The name or topic that it is about, if it is about one.
        subject: Option<T>,
    },
    /// A change of a message of the same room.
    Amendment {
        /// The number of the message.
        target: u64,
        /// The change.
        amending: Amending<T>,
    },
}

/// A change of a message, with texts as a `T`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Amending<T> {
    /// It has these words; `None` if they are known no more.
    Edit(Option<T>),
    /// It has no words any more.
    Delete,
    /// The author of the change reacts to it with this emoji alone, or no more.
    React(Option<T>),
    /// It has the words again that an operator took away; `None` until they are found, and if they are
    /// known no more.
    Restore(Option<T>),
}

/// The state of a message after all amendments of it, but for its words, with texts as a `T`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct State<T> {
    /// The time of its last edit, in UTC milliseconds since 1970, if it was edited.
    pub edited_ms: Option<u64>,
    /// It has no words any more.
    pub is_deleted: bool,
    /// The reactions to it as JSON, if there are any: see [`on_wire`](crate::core::amending::on_wire).
    pub reactions: Option<T>,
}

/// The message that a record answers or amends, as it was told of in protocol 1, which has no numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// When it was taken, in UTC milliseconds since 1970.
    pub time_ms: u64,
    /// The first line of its words.
    pub line: Arc<str>,
}

impl<T: Deref> Kind<T> {
    /// Returns this content with its texts borrowed.
    pub fn as_deref(&self) -> Kind<&T::Target> {
        match self {
            Self::Text(text) => Kind::Text(text),
            Self::Event { event, subject } => {
                Kind::Event { event: *event, subject: subject.as_deref() }
            }
            Self::Amendment { target, amending } => {
                Kind::Amendment { target: *target, amending: amending.as_deref() }
            }
        }
    }
}

impl<T: Deref> Amending<T> {
    /// Returns this change with its text borrowed.
    pub fn as_deref(&self) -> Amending<&T::Target> {
        match self {
            Self::Edit(text) => Amending::Edit(text.as_deref()),
            Self::Delete => Amending::Delete,
            Self::React(emoji) => Amending::React(emoji.as_deref()),
            Self::Restore(text) => Amending::Restore(text.as_deref()),
        }
    }
}

impl<T> Kind<T> {
    /// Returns it with what `change` makes of its text.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Kind<U> {
        match self {
            Self::Text(text) => Kind::Text(change(text)),
            Self::Event { event, subject } => Kind::Event { event, subject: subject.map(change) },
            Self::Amendment { target, amending } => {
                let amending = match amending {
                    Amending::Edit(text) => Amending::Edit(text.map(change)),
                    Amending::Delete => Amending::Delete,
                    Amending::React(emoji) => Amending::React(emoji.map(change)),
                    Amending::Restore(text) => Amending::Restore(text.map(change)),
                };
                Kind::Amendment { target, amending }
            }
        }
    }

    /// Returns the number of the message that it amends, if it is an amendment.
    pub fn target(&self) -> Option<u64> {
        match self {
            Self::Amendment { target, .. } => Some(*target),
            Self::Text(_) | Self::Event { .. } => None,
        }
    }

    /// Returns true if both are amendments of one message, and of one kind: their words may be known no
    /// more.
    pub fn amends_like(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Amendment { target, amending },
                Self::Amendment { target: other, amending: others },
            ) => target == other && discriminant(amending) == discriminant(others),
            _ => false,
        }
    }

    /// Returns true for what a page of history shows: everything but amendments.
    pub fn is_shown(&self) -> bool {
        !matches!(self, Self::Amendment { .. })
    }

    /// Returns true if it tells of the making of a room. A draft of it that comes again is known in the
    /// room that was made then, whatever room was to be made now.
    pub fn is_making(&self) -> bool {
        matches!(self, Self::Event { event: RoomEvent::Created, .. })
    }
}

impl<T: AsRef<str>> Kind<T> {
    /// Returns the text in it: words, a name, a topic, an emoji; empty if there is none.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text.as_ref(),
            Self::Event { subject, .. } => subject.as_ref().map_or("", AsRef::as_ref),
            Self::Amendment { amending, .. } => match amending {
                Amending::Edit(text) | Amending::React(text) | Amending::Restore(text) => {
                    text.as_ref().map_or("", AsRef::as_ref)
                }
                Amending::Delete => "",
            },
        }
    }
}

impl Target {
    /// Returns the message that has these words.
    pub fn new(time_ms: u64, words: &str) -> Self {
        /// The most characters of the line.
        const CHARS_MAX: usize = 100;
        let line = words.trim_start().lines().next().unwrap_or_default();
        let end = line.char_indices().nth(CHARS_MAX).map_or(line.len(), |(end, _)| end);
        Self { time_ms, line: line[..end].into() }
    }
}
