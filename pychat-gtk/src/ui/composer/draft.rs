//! The text that is being written, which each room keeps for itself.

use gtk::{prelude::*, subclass::prelude::*};
use pychat_wire::client::SayError;

use super::imp::Composer;
use crate::session::{error_text, room::Composing};

impl Composer {
    /// Shows what was being written when the room was left.
    pub(super) fn go_on_with(&self, draft: &str) {
        if self.text() != draft {
            self.buffer.begin_irreversible_action();
            self.buffer.set_text(draft);
            self.buffer.end_irreversible_action();
        }
    }

    /// Shows what kind of text is being written, and how far that is.
    pub(super) fn show_composing(&self) {
        self.composing_bar.show(self.obj().room().as_ref());
        self.show_composed();
    }

    /// Shows the text that is being written, as the room has it.
    pub(super) fn show_composed(&self) {
        if let Some(room) = self.obj().room() {
            self.go_on_with(&room.composed());
        }
    }

    /// Goes back to what was being written before an answer or an edit; returns false if there is none.
    pub(super) fn end_composing(&self) -> bool {
        let room = self.obj().room().filter(|room| room.composing() != Composing::New);
        if let Some(room) = &room {
            room.end_composing();
            self.obj().focus_text();
        }
        room.is_some()
    }

    /// Keeps what is being written, and tells the others that something is.
    pub(super) fn keep_draft(&self, text: &str) {
        if let Some(room) = self.obj().room().filter(|room| room.composed() != text) {
            room.set_composed(text);
            if !text.is_empty() {
                room.set_typing();
            }
        }
    }

    /// Sends what is being written.
    pub(super) fn send(&self) {
        let Some(room) = self.obj().room().filter(|_| !self.is_too_long.get()) else {
            return;
        };
        let is_edit = matches!(room.composing(), Composing::Edit(_));
        match room.say_composed() {
            Ok(()) if is_edit => (), // What was being written before is back.
            Ok(()) => {
                self.buffer.set_text("");
                self.obj().emit_by_name::<()>("sent", &[]);
            }
            Err(error) if is_edit && error != SayError::Blank => {
                self.show_hint(Some(error_text::amend_error(error)), true);
            }
            Err(error) => self.show_hint(error_text::say_error(error), true),
        }
    }

    /// Brings back what was said last, to be said again as a message of its own.
    pub(super) fn recall(&self) -> bool {
        let said = self.obj().room().and_then(|room| room.history().last_own());
        let Some(said) = said.filter(|_| self.buffer.char_count() == 0) else { return false };
        self.buffer.set_text(&said.text());
        true
    }
}
