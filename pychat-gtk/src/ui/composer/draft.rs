//! What is being written, which each room keeps for itself.

use gtk::{prelude::*, subclass::prelude::*};

use super::imp::Composer;

impl Composer {
    /// Shows what was being written when the room was left.
    pub(super) fn go_on_with(&self, draft: &str) {
        if self.text() != draft {
            self.buffer.begin_irreversible_action();
            self.buffer.set_text(draft);
            self.buffer.end_irreversible_action();
        }
    }

    /// Keeps what is being written, and tells the others that something is.
    pub(super) fn keep_draft(&self, text: &str) {
        if let Some(room) = self.obj().room().filter(|room| room.draft() != text) {
            room.set_draft(text);
            if !text.is_empty() {
                room.set_typing();
            }
        }
    }
}
