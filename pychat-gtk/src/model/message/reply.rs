//! The message that another one answers.

use gtk::glib::subclass::prelude::*;

use super::{Message, MessageKind};

impl Message {
    /// Makes it an answer to the message whose number is `seq`.
    #[must_use]
    pub fn answering(self, seq: Option<u64>) -> Self {
        self.imp().reply.set(seq);
        self
    }

    /// Returns the number of the message that it answers, if it answers one.
    pub fn reply(&self) -> Option<u64> {
        self.imp().reply.get()
    }

    /// Returns the message that it answers, while that is in the history.
    pub fn quoted(&self) -> Option<Self> {
        self.imp().quoted.upgrade()
    }

    /// Returns true if it answers its reader.
    pub fn answers_reader(&self) -> bool {
        let is_own = |quoted: Self| quoted.kind() == MessageKind::Own;
        let is_answer = || self.imp().answers_reader.get() || self.quoted().is_some_and(is_own);
        self.kind() == MessageKind::Other && is_answer()
    }

    /// Takes in whether it is known to answer its reader, though what it answers may not be here.
    pub fn set_answers_reader(&self, answers_reader: bool) {
        self.imp().answers_reader.set(answers_reader);
    }

    /// Takes in which message it answers. It holds that no longer than the history does.
    pub(in crate::model) fn quote(&self, quoted: &Self) {
        self.imp().quoted.set(Some(quoted));
        self.tell_change();
    }

    /// Returns true for a moment once somebody was led to it.
    pub fn is_flashed(&self) -> bool {
        self.imp().is_flashed.get()
    }

    /// Takes in that somebody is led to it, or that this was a moment ago.
    pub fn set_flashed(&self, is_flashed: bool) {
        if self.imp().is_flashed.replace(is_flashed) != is_flashed {
            self.tell_change();
        }
    }
}
