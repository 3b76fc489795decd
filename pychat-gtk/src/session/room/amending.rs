//! Changes of messages that were said, and reactions to them: those that the reader asks for, and those
//! that come.
//!
//! A change that the reader makes is shown at once, and taken back if the server refuses it. A deletion is
//! told to nobody before the time to undo it is over.

use std::{cell::RefCell, rc::Rc};

use gtk::glib::{prelude::*, subclass::prelude::*};
use pychat_wire::{
    Client,
    client::{Amended, FailReason, MessageId, MessageState, Said, SayError},
    message::Amendment,
};

use super::{MessageChange, Room, events::local_ms};
use crate::{
    model::{Deletion, Delivery, Message, MessageKind, Pending},
    session::{error_text, wall_ms},
    text,
};

/// The most removals and restorations whose answers are waited for; those of any beyond are not told.
const ASKED_MAX: usize = 64;

/// The changes that are not done yet.
#[derive(Debug, Default)]
pub(super) struct Amendments {
    /// The messages that are shown as deleted, and of which nobody has been told.
    hidden: RefCell<Vec<Message>>,
    /// The ids of what was asked for as an operator.
    asked: RefCell<Vec<String>>,
}

impl Room {
    /// Gives `message`, of the reader's own, other words.
    ///
    /// # Errors
    ///
    /// [`SayError`] if that cannot be said; then nothing has changed.
    pub fn edit(&self, message: &Message, text: &str) -> Result<(), SayError> {
        if text::is_blank(text) {
            return Err(SayError::Blank);
        }
        if message.is_deleted() {
            return Err(SayError::NotPending);
        }
        if *message.text() == *text.trim_end() {
            return Ok(());
        }
        if message.is_unsent() {
            let id = message.message_id().ok_or(SayError::NotPending)?;
            self.with_session_client(|client| client.edit_pending(&id, text))?;
            self.history().edit_unsent(id.as_str(), text.trim_end());
            self.process();
            return Ok(());
        }
        let target = message.seq().ok_or(SayError::NotSupported)?;
        let content = Some(text.trim_end().to_owned().into());
        self.amend(message, Amendment::Edit { target, content })
    }

    /// Shows `message`, of the reader's own, as deleted. Nobody is told before
    /// [`send_deletion`](Self::send_deletion).
    pub fn delete(&self, message: &Message) {
        if self.can(MessageChange::Edit, message) {
            self.imp().amendments.hidden.borrow_mut().push(message.clone());
            self.history().set_hidden(message, true);
            self.end_composing_deleted();
        }
    }

    /// Takes back that `message` was deleted, if nobody has been told.
    pub fn undo_deletion(&self, message: &Message) {
        if self.take_hidden(message) {
            self.history().set_hidden(message, false);
        }
    }

    /// Tells that `message` was deleted, unless that was taken back.
    pub fn send_deletion(&self, message: &Message) {
        if !self.take_hidden(message) {
            return;
        }
        let deleted = match (message.message_id(), message.seq()) {
            (Some(id), _) if message.is_unsent() => {
                if message.delivery() == Delivery::Failed {
                    self.discard(id.as_str());
                    return;
                }
                self.with_session_client(|client| client.delete_pending(&id))
            }
            (_, Some(target)) => self.amend(message, Amendment::Delete { target }),
            _ => Err(SayError::NotSupported),
        };
        match deleted {
            Ok(()) if message.is_unsent() => self.process(), // It stays hidden until it is given up.
            Ok(()) => self.history().set_hidden(message, false),
            Err(error) => {
                self.history().set_hidden(message, false);
                self.tell_refused(&error_text::amend_error(error), None, "");
            }
        }
    }

    /// Tells of all deletions that could still be taken back.
    pub fn send_deletions(&self) {
        let hidden = self.imp().amendments.hidden.borrow().clone();
        for message in hidden {
            self.send_deletion(&message);
        }
    }

    /// Reacts to `message` with `emoji`, or takes that back if it is the reader's reaction already.
    pub fn react(&self, message: &Message, emoji: &str) {
        let Some(target) = message.seq().filter(|_| self.can(MessageChange::Answer, message))
        else {
            return;
        };
        let is_taken_back = message.own_reaction().as_deref() == Some(emoji);
        let emoji = (!is_taken_back).then(|| emoji.to_owned().into());
        if let Err(error) = self.amend(message, Amendment::React { target, emoji }) {
            self.tell_refused(&error_text::amend_error(error), None, "");
        }
    }

    /// Removes `message`, of somebody else's. `removed` follows, or the list of rooms
    /// tells that it was refused.
    pub fn remove(&self, message: &Message) {
        if let Some(target) = message.seq().filter(|_| self.can(MessageChange::Remove, message)) {
            self.ask_to_amend(message, Amendment::Delete { target });
        }
    }

    /// Gives `message` the words back that an operator took away. `restored` follows, or the list of
    /// rooms tells that it was refused.
    pub fn bring_back(&self, message: &Message) {
        if let Some(target) = message.seq().filter(|_| self.can(MessageChange::Restore, message)) {
            self.ask_to_amend(message, Amendment::Restore { target, content: None });
        }
    }

    /// Takes in that a message was amended.
    pub(super) fn on_amended(&self, amended: &Amended) {
        let target = amended.amendment.target();
        let id = amended.id.as_ref().map(MessageId::as_str);
        self.imp().deleters.hear(amended);
        if let Some(message) = self.history().by_seq(target).filter(|_| self.is_open()) {
            let mut state = message.state();
            let is_changed = state.amend(&amended.author, amended.time_ms, &amended.amendment);
            if is_changed {
                message.set_deletion(self.imp().deleters.deletion(&message));
                self.show_state(&message, target, state, amended);
            }
            if let Some(id) = id {
                self.history().end_change(&message, id);
            }
            self.tell_asked(id, &message, &amended.amendment);
            self.end_composing_deleted();
        }
        if let Amendment::Delete { target } = amended.amendment {
            self.forget_mentions(target..=target);
            if let Some(session) = self.session() {
                session.rooms().tell_withdrawn(self, target);
            }
        }
        self.expect_news();
    }

    /// Shows the state that `message`, whose number is `target`, has from now on. That it calls the reader
    /// is news where it did not before.
    fn show_state(&self, message: &Message, target: u64, state: MessageState, amended: &Amended) {
        let is_other = message.kind() == MessageKind::Other;
        let mentions: Rc<[_]> = match &amended.amendment {
            Amendment::React { .. } => message.mentions(),
            _ if is_other => self.mentions_in(&state.content).into(),
            _ => Rc::default(),
        };
        let is_news = !message.calls_reader() && !mentions.is_empty() && !message.is_deleted();
        self.history().amend(target, state, mentions);
        if is_news && matches!(amended.amendment, Amendment::Edit { .. }) {
            self.tell_heard(message);
        }
    }

    /// Takes in that a change of `message` is on its way since an earlier life, or since it had no number.
    pub(super) fn note_pending(&self, message: &Message) {
        let Some(seq) = message.seq() else { return };
        let room = self.client_id();
        let changes = self.ask_client(|client| {
            let mine = client.unacknowledged().filter(|it| it.room == room);
            let changes = mine.filter_map(|it| match it.said {
                Said::Amendment(amendment) if amendment.target() == seq => {
                    Some((it.id.as_str().to_owned(), amendment.clone()))
                }
                _ => None,
            });
            changes.collect::<Vec<_>>()
        });
        for (id, amendment) in changes.unwrap_or_default() {
            self.show_change(message, &id, amendment);
        }
    }

    /// Takes in that something that the reader changed will not be.
    pub(super) fn on_amendment_failed(
        &self,
        id: &str,
        amendment: &Amendment<'_>,
        reason: &FailReason,
    ) {
        self.imp().amendments.asked.borrow_mut().retain(|it| it != id);
        let message = self.history().by_seq(amendment.target());
        if let Some(message) = &message {
            self.history().end_change(message, id);
        }
        if let (Amendment::Restore { .. }, Some(message)) = (amendment, &message)
            && self.can_moderate()
        {
            message.set_deletion(Some(Deletion::ByAuthor)); // It is not to be offered again.
        }
        let words = match amendment {
            Amendment::Edit { content: Some(content), .. } => content.as_ref(),
            _ => "",
        };
        let reason = error_text::amend_fail_reason(amendment, reason);
        self.tell_refused(&reason, message.as_ref(), words);
    }

    /// Takes in that the room has the change known as `id`, of which nothing else may come.
    pub(super) fn on_accepted(&self, id: &str) {
        if let Some((message, seq, change)) = self.history().pending(id) {
            let mut state = message.state();
            let time_ms = u64::try_from(change.since_ms).unwrap_or_default();
            let time_ms = time_ms.max(state.edited_ms.unwrap_or_default());
            state.amend(&change.author, time_ms, &change.amendment);
            if let Amendment::Delete { .. } = change.amendment
                && message.kind() == MessageKind::Other
            {
                message.set_deletion(Some(Deletion::ByOperator(local_ms(time_ms))));
            }
            let mentions = message.mentions();
            self.history().amend(seq, state, mentions);
            self.history().end_change(&message, id);
        }
    }

    /// Takes in that `message` has arrived: what was to become of it before that is on its way.
    pub(super) fn on_arrived(&self, message: &Message) {
        self.note_pending(message);
        self.show_unless_hidden(message);
    }

    /// Shows `message` again, whose deletion is told or not to be had, unless it can still be taken back.
    pub(super) fn show_unless_hidden(&self, message: &Message) {
        let can_be_undone = self.imp().amendments.hidden.borrow().contains(message);
        if message.is_hidden() && !can_be_undone {
            self.history().set_hidden(message, false);
        }
    }

    /// Takes in that a text was given up that was to be deleted.
    pub(super) fn on_withdrawn(&self, id: &str) {
        self.history().remove(id);
        if let Some(session) = self.session() {
            session.forget_lost_room(self);
        }
    }

    fn ask_to_amend(&self, message: &Message, amendment: Amendment<'static>) {
        match self.amend_as(message, amendment) {
            Ok(id) => {
                let mut asked = self.imp().amendments.asked.borrow_mut();
                if asked.len() < ASKED_MAX {
                    asked.push(id);
                }
            }
            Err(error) => self.tell_refused(&error_text::amend_error(error), None, ""),
        }
        self.process();
    }

    fn amend(&self, message: &Message, amendment: Amendment<'static>) -> Result<(), SayError> {
        self.amend_as(message, amendment)?;
        self.process();
        Ok(())
    }

    /// Has the client amend `message`, and shows that; returns the id of it.
    fn amend_as(
        &self,
        message: &Message,
        amendment: Amendment<'static>,
    ) -> Result<String, SayError> {
        if !self.is_amendable(message) {
            return Err(SayError::NotSupported);
        }
        let room = self.client_id();
        let asked = amendment.clone();
        let id = self.with_session_client(|client| client.amend(room, asked))?;
        self.show_change(message, id.as_str(), amendment);
        Ok(id.as_str().to_owned())
    }

    fn show_change(&self, message: &Message, id: &str, amendment: Amendment<'static>) {
        let (id, author, since_ms) = (id.to_owned(), self.own_name(), wall_ms());
        self.history().begin_change(message, Pending { id, amendment, author, since_ms });
    }

    /// Tells the reader of what they asked for as an operator.
    fn tell_asked(&self, id: Option<&str>, message: &Message, amendment: &Amendment<'_>) {
        let asked = &self.imp().amendments.asked;
        let Some(at) = asked.borrow().iter().position(|it| Some(it.as_str()) == id) else { return };
        asked.borrow_mut().remove(at);
        let signal = match amendment {
            Amendment::Restore { .. } => "restored",
            _ => "removed",
        };
        self.emit_by_name::<()>(signal, &[message]);
    }

    /// Tells that a change was refused: that of `message`, if it is known, to these `words`.
    fn tell_refused(&self, reason: &str, message: Option<&Message>, words: &str) {
        let message = message.filter(|_| !words.is_empty());
        if let Some(session) = self.session() {
            session.rooms().tell_refused(self, reason, message, words);
        }
    }

    /// Takes `message` out of those of which nobody has been told; returns false if it was none.
    fn take_hidden(&self, message: &Message) -> bool {
        let mut hidden = self.imp().amendments.hidden.borrow_mut();
        let n_hidden = hidden.len();
        hidden.retain(|it| it != message);
        hidden.len() < n_hidden
    }

    fn with_session_client<T>(
        &self,
        f: impl FnOnce(&mut Client) -> Result<T, SayError>,
    ) -> Result<T, SayError> {
        let session = self.session().filter(|_| !self.is_gone()).ok_or(SayError::NotJoined)?;
        session.with_client(f).unwrap_or(Err(SayError::NotJoined))
    }

    fn process(&self) {
        if let Some(session) = self.session() {
            session.process_events();
        }
    }
}
