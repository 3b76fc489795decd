//! The parts of a message that are changed after it was said: its words, and the reactions to it.
//!
//! The state that the room has is kept apart from the changes of the reader that the server has not confirmed,
//! so that a change that is refused leaves nothing behind.

use std::{
    cell::{Cell, RefCell},
    ops::Range,
    rc::Rc,
    time::Duration,
};

use gtk::glib::subclass::prelude::*;
use pychat_wire::{client::MessageState, message::Amendment};

use super::{Message, MessageKind};
use crate::text;

/// The time for which an operator may give a removed message its words back.
const RESTORE_TIME: Duration = Duration::from_hours(7 * 24);

/// The deletion of a message, as far as it is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deletion {
    /// By its author: its words are gone for good.
    ByAuthor,
    /// By an operator, at this time, in UTC milliseconds since 1970.
    ByOperator(i64),
}

/// A change by the reader that is on its way.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The id by which the server confirms it.
    pub id: String,
    /// The change itself.
    pub amendment: Amendment<'static>,
    /// The reader's name.
    pub author: String,
    /// The time at which it was made, in UTC milliseconds since 1970.
    pub since_ms: i64,
}

/// The state of one message, as the room has it and as it is shown.
#[derive(Debug, Default)]
pub(super) struct Amending {
    state: RefCell<MessageState>,
    /// The person who deleted it, if that was heard of.
    deletion: Cell<Option<Deletion>>,
    pending: RefCell<Vec<Pending>>,
    /// True while the reader can still take back that they deleted it: nobody has been told.
    is_hidden: Cell<bool>,
    /// The state with all that is pending, and its words as they are shown.
    shown: RefCell<(MessageState, Rc<str>)>,
}

impl Pending {
    fn is_edit(&self) -> bool {
        matches!(self.amendment, Amendment::Edit { .. })
    }

    fn apply(&self, state: &mut MessageState) {
        // The clock of this machine may be behind.
        let since_ms = u64::try_from(self.since_ms).unwrap_or_default();
        let time_ms = since_ms.max(state.edited_ms.unwrap_or_default());
        state.amend(&self.author, time_ms, &self.amendment);
    }
}

impl Amending {
    pub(super) fn set_state(&self, state: MessageState) {
        self.state.replace(state);
        self.update();
    }

    pub(super) fn text(&self) -> Rc<str> {
        self.shown.borrow().1.clone()
    }

    /// Returns the number of bytes that the words and the reactions take.
    pub(super) fn size(&self) -> usize {
        let state = self.state.borrow();
        let names = state.reactions.iter().flat_map(|(emoji, names)| names.iter().chain([emoji]));
        state.content.len() + names.map(String::len).sum::<usize>()
    }

    pub(super) fn edit_pending_since_ms(&self) -> Option<i64> {
        let pending = self.pending.borrow();
        pending.iter().rev().find(|it| it.is_edit()).map(|it| it.since_ms)
    }

    /// Finds out what is shown.
    fn update(&self) {
        let mut shown = self.state.borrow().clone();
        self.pending.borrow().iter().for_each(|pending| pending.apply(&mut shown));
        if self.is_hidden.get() {
            shown = MessageState { is_deleted: true, ..MessageState::default() };
        }
        let text = text::displayed(&std::mem::take(&mut shown.content));
        if *self.text() == text {
            self.shown.borrow_mut().0 = shown; // The words are known to be the same by their place.
        } else {
            self.shown.replace((shown, text.into()));
        }
    }
}

impl Message {
    /// Returns true if it was deleted, for good or until somebody takes that back.
    pub fn is_deleted(&self) -> bool {
        self.imp().amending.shown.borrow().0.is_deleted
    }

    /// Returns true while the deletion can be taken back: nobody has been told.
    pub fn is_hidden(&self) -> bool {
        self.imp().amending.is_hidden.get()
    }

    /// Returns true if an operator may give it its words back at `now_ms`, as far as that is known. Of a message
    /// of somebody else's whose deletion was not heard of, at most that it may have been said too long ago.
    pub fn can_be_restored(&self, now_ms: i64) -> bool {
        let amending = &self.imp().amending;
        if !amending.state.borrow().is_deleted || !amending.pending.borrow().is_empty() {
            return false;
        }
        let is_recent = |at_ms| u128::from(now_ms.abs_diff(at_ms)) < RESTORE_TIME.as_millis();
        match amending.deletion.get() {
            Some(Deletion::ByOperator(at_ms)) => is_recent(at_ms),
            Some(Deletion::ByAuthor) => false,
            None => self.kind() == MessageKind::Other && is_recent(self.time_ms()),
        }
    }

    /// Returns the time of the last edit, in UTC milliseconds since 1970, if it was edited.
    pub fn edited_ms(&self) -> Option<i64> {
        let edited_ms = self.imp().amending.shown.borrow().0.edited_ms?;
        Some(i64::try_from(edited_ms).unwrap_or(i64::MAX))
    }

    /// Returns the reactions to it: each emoji, and the names of those who reacted with it.
    pub fn reactions(&self) -> Vec<(String, Vec<String>)> {
        self.imp().amending.shown.borrow().0.reactions.clone()
    }

    /// Returns the emoji with which the person called `name` reacts to it.
    pub(super) fn reaction_of(&self, name: &str) -> Option<String> {
        let shown = &self.imp().amending.shown.borrow().0;
        let own = shown.reactions.iter().find(|(_, names)| names.iter().any(|it| it == name));
        own.map(|(emoji, _)| emoji.clone())
    }

    /// Returns the state that the room has of it.
    pub fn state(&self) -> MessageState {
        self.imp().amending.state.borrow().clone()
    }

    /// Makes it be in this state.
    #[must_use]
    pub fn in_state(self, state: MessageState) -> Self {
        self.imp().amending.set_state(state);
        self
    }

    /// Takes in the state of it that the room has from now on, and where that calls its reader, in bytes.
    pub(in crate::model) fn set_state(&self, state: MessageState, mentions: Rc<[Range<usize>]>) {
        self.imp().mentions.replace(mentions);
        self.amend(|amending| {
            amending.state.replace(state);
        });
    }

    /// Takes in who has deleted it, which its state does not tell.
    pub fn set_deletion(&self, deletion: Option<Deletion>) {
        self.imp().amending.deletion.set(deletion);
    }

    /// Returns the change known as `id`, if it is on its way.
    pub(in crate::model) fn pending(&self, id: &str) -> Option<Pending> {
        self.imp().amending.pending.borrow().iter().find(|it| it.id == id).cloned()
    }

    /// Shows a change by the reader that is on its way.
    pub(in crate::model) fn begin_change(&self, change: Pending) {
        self.amend(|amending| {
            let mut pending = amending.pending.borrow_mut();
            pending.retain(|it| it.id != change.id);
            pending.push(change);
        });
    }

    /// Takes in that the change known as `id` is on its way no more: the room has it, or will not. Returns
    /// false if it was not.
    pub(in crate::model) fn end_change(&self, id: &str) -> bool {
        let Some(at) = self.imp().amending.pending.borrow().iter().position(|it| it.id == id)
        else {
            return false;
        };
        self.amend(|amending| {
            amending.pending.borrow_mut().remove(at);
        });
        true
    }

    /// Shows it as deleted, or no longer, without telling anybody.
    pub(in crate::model) fn set_hidden(&self, is_hidden: bool) {
        self.amend(|amending| amending.is_hidden.set(is_hidden));
    }

    /// Changes it by `f`. What a search has found in it is where it was only in the same words.
    fn amend(&self, f: impl FnOnce(&Amending)) {
        let amending = &self.imp().amending;
        let before = amending.text();
        f(amending);
        amending.update();
        if amending.text() != before {
            self.imp().found.take();
        }
        self.tell_change();
    }
}
