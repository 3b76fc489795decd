//! The state of a message, and the records that change it.

use super::{Message, MessageId, RoomId};
use crate::message::{Amendment, EMOJI_MAX, REACTIONS_MAX, Reactions, is_emoji};

/// The part of a message that amendments change.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MessageState {
    /// The words, without the newline that clients of the original put at the end; empty if it is
    /// deleted.
    pub content: String,
    /// The time of the last edit, in UTC milliseconds since 1970, if it was edited.
    pub edited_ms: Option<u64>,
    /// True if it was deleted: its number, author and time are all that is left.
    pub is_deleted: bool,
    /// For each emoji the names of those who reacted with it, both in the order in which they came; at
    /// most [`EMOJI_MAX`] emoji and [`REACTIONS_MAX`] names.
    pub reactions: Vec<(String, Vec<String>)>,
}

/// One record that amends a message of the same room.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Amended {
    /// The room.
    pub room: RoomId,
    /// Its number in the room, from 1.
    pub seq: u64,
    /// The time at which it was accepted, in UTC milliseconds since 1970.
    pub time_ms: u64,
    /// The name of the person who did it.
    pub author: String,
    /// True if our person did it, perhaps from another device.
    pub own: bool,
    /// The id that [`Client::amend`](super::Client::amend) gave it, if our person did it: its
    /// acknowledgement where it was this client.
    pub id: Option<MessageId>,
    /// True if it was done while we were away. The message may show it already.
    pub replayed: bool,
    /// The amendment itself.
    pub amendment: Amendment<'static>,
}

impl MessageState {
    /// Returns the state of a message that was never amended.
    pub fn new(content: String) -> Self {
        Self { content, ..Self::default() }
    }

    /// Returns the state of a message as the server has it.
    pub(super) fn heard(
        content: String,
        edited_ms: Option<u64>,
        is_deleted: bool,
        reactions: Reactions<'_>,
    ) -> Self {
        if is_deleted {
            return Self { is_deleted, ..Self::default() };
        }
        let owned = |names: Vec<_>| names.into_iter().map(Into::into).collect();
        let reactions = reactions.0.into_iter();
        let reactions = reactions.map(|(emoji, names)| (emoji.into_owned(), owned(names)));
        Self { content, edited_ms, is_deleted, reactions: reactions.collect() }
    }

    /// Applies what `author` did at `time_ms`; returns true if that changed anything. Words that are known
    /// no more change nothing, and a state that has all the changes of a replay has them at its end.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{client::MessageState, message::Amendment};
    ///
    /// let mut state = MessageState::new("helo".to_owned());
    /// let edit = Amendment::Edit { target: 7, content: Some("hello".into()) };
    /// assert!(state.amend("Анна", 5_000, &edit));
    /// assert_eq!((state.content.as_str(), state.edited_ms), ("hello", Some(5_000)));
    /// assert!(!state.amend("Анна", 5_000, &edit));
    /// ```
    pub fn amend(&mut self, author: &str, time_ms: u64, amendment: &Amendment<'_>) -> bool {
        match amendment {
            Amendment::Edit { content: Some(content), .. } => self.edit(time_ms, content),
            Amendment::Restore { content: Some(content), .. } if self.is_deleted => {
                *self = Self::new(content.clone().into_owned());
                true
            }
            Amendment::Delete { .. } if !self.is_deleted => {
                *self = Self { is_deleted: true, ..Self::default() };
                true
            }
            Amendment::React { emoji, .. } => self.react(author, emoji.as_deref()),
            Amendment::Edit { .. } | Amendment::Restore { .. } | Amendment::Delete { .. } => false,
        }
    }

    fn edit(&mut self, time_ms: u64, content: &str) -> bool {
        let is_old = self.edited_ms.is_some_and(|edited_ms| time_ms < edited_ms);
        let is_known = self.edited_ms == Some(time_ms) && self.content == content;
        if self.is_deleted || is_old || is_known {
            return false;
        }
        content.clone_into(&mut self.content);
        self.edited_ms = Some(time_ms);
        true
    }

    /// The author's earlier reaction goes, and the new one comes last, even if it is the same: then those
    /// of a replay are in the right order at its end, whichever of them the message showed before.
    fn react(&mut self, author: &str, emoji: Option<&str>) -> bool {
        let is_nothing = emoji.is_some_and(|it| !is_emoji(it) || self.is_newest(author, it));
        if self.is_deleted || is_nothing {
            return false;
        }
        let n_people = self.n_people();
        for (_, names) in &mut self.reactions {
            names.retain(|name| name != author);
        }
        self.reactions.retain(|(_, names)| !names.is_empty());
        let is_taken_back = self.n_people() < n_people;
        emoji.is_some_and(|emoji| self.add_reaction(author, emoji)) || is_taken_back
    }

    /// Returns true if this reaction would stay where it is if it came again.
    fn is_newest(&self, author: &str, emoji: &str) -> bool {
        let (Some((last, _)), mut reactions) = (self.reactions.last(), self.reactions.iter())
        else {
            return false;
        };
        reactions.any(|(known, names)| {
            let is_alone = names.len() == 1;
            known == emoji
                && names.last().is_some_and(|name| name == author)
                && (!is_alone || known == last)
        })
    }

    /// Adds a reaction, unless there are too many.
    fn add_reaction(&mut self, author: &str, emoji: &str) -> bool {
        if REACTIONS_MAX <= self.n_people() {
            return false;
        }
        let n_emoji = self.reactions.len();
        match self.reactions.iter_mut().find(|(known, _)| known == emoji) {
            Some((_, names)) => names.push(author.to_owned()),
            None if n_emoji < EMOJI_MAX => {
                self.reactions.push((emoji.to_owned(), vec![author.to_owned()]));
            }
            None => return false,
        }
        true
    }

    fn n_people(&self) -> usize {
        self.reactions.iter().map(|(_, names)| names.len()).sum()
    }

    /// Returns the memory that it takes beside its own size, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let of_reaction = |(emoji, names): &(String, Vec<String>)| {
            let names: usize = names.iter().map(|name| size_of::<String>() + name.len()).sum();
            size_of::<(String, Vec<String>)>() + emoji.len() + names
        };
        self.content.len() + self.reactions.iter().map(of_reaction).sum::<usize>()
    }
}

impl Message {
    /// Applies an amendment, if it is one of this message; returns true if that changed anything.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::client::{Amended, Message};
    ///
    /// fn amend_all(messages: &mut [Message], amended: &Amended) -> bool {
    ///     messages.iter_mut().any(|message| message.amend(amended))
    /// }
    /// ```
    pub fn amend(&mut self, amended: &Amended) -> bool {
        let Amended { room, seq, time_ms, author, amendment, .. } = amended;
        let is_it = self.room == *room
            && self.seq == Some(amendment.target())
            && self.seq.is_some_and(|number| number < *seq);
        is_it && self.state.amend(author, *time_ms, amendment)
    }
}
