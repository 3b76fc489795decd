//! The changes of messages that the reader can ask for.

use super::{Room, RoomKind};
use crate::{
    model::{Delivery, Message, MessageKind},
    session::wall_ms,
};

/// A change of a message that may be asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MessageChange {
    /// It is answered, or reacted to.
    Answer,
    /// Its words are changed, or taken away, by its author.
    Edit,
    /// It is removed by somebody else.
    Remove,
    /// Its words are given back to it.
    Restore,
}

impl Room {
    /// Returns true if the reader can ask for this change of `message`.
    pub fn can(&self, change: MessageChange, message: &Message) -> bool {
        let is_own = message.kind() == MessageKind::Own;
        let has_words = message.is_from_person() && !message.is_deleted();
        let moderates = || self.can_moderate() && self.kind() != RoomKind::Direct;
        match change {
            MessageChange::Answer => has_words && self.is_amendable(message),
            MessageChange::Edit => {
                has_words && is_own && (self.is_amendable(message) || self.is_waiting(message))
            }
            MessageChange::Remove => {
                has_words && !is_own && moderates() && self.is_amendable(message)
            }
            MessageChange::Restore => {
                message.can_be_restored(wall_ms()) && moderates() && self.is_amendable(message)
            }
        }
    }

    /// Returns the changes of `message` that the reader can ask for.
    pub fn changes(&self, message: &Message) -> Vec<MessageChange> {
        let all = [
            MessageChange::Answer,
            MessageChange::Edit,
            MessageChange::Remove,
            MessageChange::Restore,
        ];
        all.into_iter().filter(|change| self.can(*change, message)).collect()
    }

    /// Returns true if `message` is in the room as the server knows it, and can be changed there.
    pub(super) fn is_amendable(&self, message: &Message) -> bool {
        let has_number = || message.seq().and_then(|seq| self.history().by_seq(seq));
        self.can_say() && self.has_numbers() && has_number().as_ref() == Some(message)
    }

    /// Returns true if `message` is on its way.
    fn is_waiting(&self, message: &Message) -> bool {
        self.has_numbers() && message.is_unsent() && message.delivery() == Delivery::Sending
    }
}
