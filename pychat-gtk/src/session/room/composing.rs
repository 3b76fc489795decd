//! The kind of text that the reader is writing: a new one, an answer, or other words for an earlier one.

use gtk::{
    glib,
    glib::{prelude::*, subclass::prelude::*},
};
use pychat_wire::client::SayError;

use super::{MessageChange, Room, Session};
use crate::model::Message;

/// The kind of text that is being written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Composing {
    /// A text of its own.
    #[default]
    New,
    /// An answer to this message.
    Reply(Message),
    /// Other words for this message. What was being written before waits.
    Edit(Message),
}

impl Composing {
    fn message(&self) -> Option<&Message> {
        match self {
            Self::New => None,
            Self::Reply(message) | Self::Edit(message) => Some(message),
        }
    }
}

impl Room {
    /// Returns what is being written.
    pub fn composing(&self) -> Composing {
        self.imp().composing.borrow().clone()
    }

    /// Returns the text that is being written.
    pub fn composed(&self) -> String {
        match &*self.imp().composing.borrow() {
            Composing::Edit(_) => self.imp().edited.borrow().clone(),
            _ => self.draft(),
        }
    }

    /// Keeps the text that is being written.
    pub fn set_composed(&self, text: &str) {
        let is_edit = matches!(*self.imp().composing.borrow(), Composing::Edit(_));
        if is_edit {
            text.clone_into(&mut self.imp().edited.borrow_mut());
        } else {
            self.set_draft(text);
        }
    }

    /// Lets what is being written be an answer to `message`.
    pub fn begin_reply(&self, message: &Message) {
        if self.can(MessageChange::Answer, message) {
            self.compose(Composing::Reply(message.clone()));
        }
    }

    /// Lets the reader write other words for `message`, beginning with `text`.
    pub fn begin_edit(&self, message: &Message, text: &str) {
        if self.can(MessageChange::Edit, message) {
            self.imp().edited.replace(text.to_owned());
            self.compose(Composing::Edit(message.clone()));
        }
    }

    /// Goes back to what was being written before.
    pub fn end_composing(&self) {
        self.imp().edited.take();
        self.compose(Composing::New);
    }

    /// Says what is being written. It is saved as what was said and no longer as what is being
    /// written, in one: whatever happens, it will be there once.
    ///
    /// # Errors
    ///
    /// [`SayError`] as for [`say`](Self::say); it is still being written then.
    pub fn say_composed(&self) -> Result<(), SayError> {
        match self.composing() {
            Composing::New => self.say_draft(None),
            Composing::Reply(message) => {
                self.say_draft(Some(&message))?;
                self.end_composing();
                Ok(())
            }
            Composing::Edit(message) => {
                let text = self.imp().edited.borrow().clone();
                self.edit(&message, &text)?;
                self.end_composing();
                Ok(())
            }
        }
    }

    /// Calls `f` when something else is being written than before.
    pub fn connect_composing_changed(&self, f: impl Fn(&Self) + 'static) -> glib::SignalHandlerId {
        self.connect_closure(
            "composing-changed",
            false,
            glib::closure_local!(move |room: &Self| f(room)),
        )
    }

    /// Goes back to what was being written before, if it is about a message that is deleted.
    pub(super) fn end_composing_deleted(&self) {
        let is_deleted = self.composing().message().is_some_and(Message::is_deleted);
        if is_deleted {
            self.end_composing();
        }
    }

    fn compose(&self, composing: Composing) {
        let is_other = *self.imp().composing.borrow() != composing;
        self.imp().composing.replace(composing);
        if is_other {
            self.emit_by_name::<()>("composing-changed", &[]);
        }
    }

    fn say_draft(&self, answered: Option<&Message>) -> Result<(), SayError> {
        let draft = self.imp().draft.take();
        let said = self.say_as(&draft, answered);
        match said {
            // In protocol 1 nothing else of it is saved.
            Ok(()) => drop(self.session().inspect(Session::save_soon)),
            Err(_) => drop(self.imp().draft.replace(draft)),
        }
        said
    }
}
