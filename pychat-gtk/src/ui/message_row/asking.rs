//! The requests about its message that the parts of a row make of the conversation.

use gtk::{prelude::*, subclass::prelude::*};

use super::imp::MessageRow;

impl MessageRow {
    /// Has the conversation do something about the message, which has not arrived.
    pub(super) fn ask_for(&self, action: &str) {
        if let Some(message) = self.obj().message()
            && let Some(id) = message.id()
        {
            // It fails only outside a conversation, where there is nothing to be done.
            let _ = self.obj().activate_action(action, Some(&id.to_variant()));
        }
    }

    /// Has the conversation let the reader react to the message, or take that back.
    pub(super) fn react(&self, emoji: Option<&str>) {
        if let (Some(message), Some(emoji)) = (self.obj().message(), emoji) {
            let target = (message.key(), emoji).to_variant();
            // It fails only outside a conversation.
            let _ = self.obj().activate_action("conversation.set-reaction", Some(&target));
        }
    }
}
