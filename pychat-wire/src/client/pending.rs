//! Changes of our own texts that are not acknowledged.
//!
//! A text that was never written to a line is changed where it waits. One that was may have been accepted
//! with the words that it had, so it is sent again with those; its change waits until its number is known.

use std::collections::HashSet;

use super::{
    Client, Event, FailReason, MessageId, Protocol, Said, SayError, saved::Unacknowledged,
    texts::checked,
};
use crate::message::Amendment;

impl Unacknowledged {
    /// Writes it to a line. Returns true if that is the first time, which has to be saved.
    pub(super) fn send(&mut self, outgoing: &mut Vec<u8>) -> bool {
        self.message(Protocol::Second).encode(outgoing);
        std::mem::take(&mut self.is_unsent)
    }

    fn is_of(&self, text: &MessageId) -> bool {
        self.of.as_ref() == Some(text)
    }

    fn is_deletion(&self) -> bool {
        matches!(self.said, Said::Amendment(Amendment::Delete { .. }))
    }
}

impl Client {
    /// Gives a text that is not acknowledged other words, without the white space at their end. If nobody
    /// can have accepted it, it is said with these; otherwise it is edited once its number is known, and
    /// until then that edit waits among the [unacknowledged](Self::unacknowledged).
    ///
    /// # Errors
    ///
    /// [`SayError`] if the words are not taken; then nothing has changed. It is [`SayError::NotPending`]
    /// if the text was accepted, so that [`Self::amend`] can edit it, or has failed, or is to be deleted.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::client::{Client, MessageId, RoomId, SayError};
    /// fn correct(client: &mut Client, id: &MessageId, number: Option<u64>) -> Result<(), SayError> {
    ///     assert!(number.is_none(), "it would be amended");
    ///     client.edit_pending(id, "hello")
    /// }
    /// ```
    pub fn edit_pending(&mut self, id: &MessageId, text: &str) -> Result<(), SayError> {
        let words = checked(text)?;
        let index = self.find_text(id)?;
        let waiting = self.saved.unacknowledged.iter().position(|said| said.is_of(id));
        let text = &self.saved.unacknowledged[index];
        let Said::Text { text: first, reply } = &text.said else {
            return Err(SayError::NotPending);
        };
        if text.is_unsent {
            let said = Said::Text { text: words.to_owned(), reply: *reply };
            return self.replace(index, said);
        }
        let edit = Amendment::Edit { target: 0, content: Some(words.to_owned().into()) };
        match waiting {
            Some(waiting) if self.saved.unacknowledged[waiting].is_deletion() => {
                Err(SayError::NotPending)
            }
            Some(waiting) if first == words => {
                self.saved.unacknowledged.remove(waiting);
                self.has_changed = true;
                Ok(())
            }
            Some(waiting) => self.replace(waiting, Said::Amendment(edit)),
            None if first == words => Ok(()),
            None => {
                let room = text.room.clone();
                self.enqueue(&room, Said::Amendment(edit), Some(id)).map(drop)
            }
        }
    }

    /// Takes back a text that is not acknowledged. If nobody can have accepted it, it is dropped, which
    /// [`Event::Withdrawn`] says; otherwise it is deleted once its number is known, and until then that
    /// waits among the [unacknowledged](Self::unacknowledged).
    ///
    /// # Errors
    ///
    /// [`SayError`] if that cannot be; then nothing has changed. It is [`SayError::NotPending`] if the text
    /// was accepted, so that [`Self::amend`] can delete it, or has failed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::client::{Client, MessageId, SayError};
    /// fn take_back(client: &mut Client, id: &MessageId) -> Result<(), SayError> {
    ///     client.delete_pending(id)
    /// }
    /// ```
    pub fn delete_pending(&mut self, id: &MessageId) -> Result<(), SayError> {
        let index = self.find_text(id)?;
        let waiting = self.saved.unacknowledged.iter().position(|said| said.is_of(id));
        let text = &self.saved.unacknowledged[index];
        let room = text.room.clone();
        let delete = Said::Amendment(Amendment::Delete { target: 0 });
        match waiting {
            _ if text.is_unsent => {
                self.saved.unacknowledged.remove(index);
                self.line.held.ids.remove(id);
                self.has_changed = true;
                self.tell(Event::Withdrawn { room, id: id.clone() });
                Ok(())
            }
            Some(waiting) => self.replace(waiting, delete),
            None => self.enqueue(&room, delete, Some(id)).map(drop),
        }
    }

    /// Takes in that `text` has a number by now: what waits for that is sent.
    pub(super) fn settle(&mut self, text: &MessageId, seq: u64) {
        let is_waiting = |said: &Unacknowledged| said.is_of(text);
        while let Some(index) = self.saved.unacknowledged.iter().position(is_waiting) {
            let said = &mut self.saved.unacknowledged[index];
            said.of = None;
            match &mut said.said {
                Said::Amendment(
                    Amendment::Edit { target, .. }
                    | Amendment::Delete { target }
                    | Amendment::React { target, .. }
                    | Amendment::Restore { target, .. },
                ) => *target = seq,
                Said::Text { .. } => (),
            }
            self.send_or_hold(index);
        }
    }

    /// Drops what is at `index`, and tells that it failed. What waits for the number of a text is dropped
    /// with that, which is handed back with the words that it was to have.
    pub(super) fn fail_at(&mut self, index: usize, reason: FailReason) {
        let Some(failed) = self.saved.unacknowledged.remove(index) else { return };
        self.has_changed = true;
        let Unacknowledged { room, id, mut said, .. } = failed;
        let mut is_deleted = false;
        self.saved.unacknowledged.retain(|waiting| {
            if !waiting.is_of(&id) {
                return true;
            }
            is_deleted |= waiting.is_deletion();
            if let (Said::Text { text, .. }, Some(words)) = (&mut said, waiting.said.words()) {
                words.clone_into(text);
            }
            false
        });
        // Where nobody knows if it was accepted, it may be there.
        if is_deleted && reason != FailReason::Lost {
            self.tell(Event::Withdrawn { room, id });
        } else {
            self.tell(Event::Failed { room, id, said, reason });
        }
    }

    /// Drops what waits for the number of a text that is not there.
    pub(super) fn drop_orphans(&mut self) {
        let queue = &mut self.saved.unacknowledged;
        let ids: HashSet<_> = queue.iter().map(|said| said.id.clone()).collect();
        queue.retain(|said| said.of.as_ref().is_none_or(|of| ids.contains(of) && *of != said.id));
    }

    /// Returns the index of a text in protocol 2 that is not acknowledged.
    fn find_text(&self, id: &MessageId) -> Result<usize, SayError> {
        if self.said.iter().any(|said| said.id == *id) {
            return Err(SayError::NotSupported);
        }
        let is_it = |it: &Unacknowledged| it.id == *id && matches!(it.said, Said::Text { .. });
        self.saved.unacknowledged.iter().position(is_it).ok_or(SayError::NotPending)
    }

    /// Replaces what was said and not sent.
    fn replace(&mut self, index: usize, said: Said) -> Result<(), SayError> {
        let replaced = &self.saved.unacknowledged[index];
        let replacing = Unacknowledged { said, ..replaced.clone() };
        self.check_size(&replacing, Protocol::Second)?;
        self.saved.unacknowledged[index] = replacing;
        self.has_changed = true;
        Ok(())
    }
}
