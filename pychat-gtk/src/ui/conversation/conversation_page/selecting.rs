//! Messages selected in the list, and what becomes of them.

use gtk::{glib, glib::clone, prelude::*, subclass::prelude::*};

use super::imp;
use crate::{
    model::{History, TailModel},
    ui::conversation::message_selection::MessageSelection,
};

impl imp::ConversationPage {
    /// Makes the selection model of what is shown. A list in which something is selected stays
    /// where it is.
    pub(super) fn selection(&self, history: &History, tail: &TailModel) -> MessageSelection {
        let selection = MessageSelection::new(history, tail);
        selection.connect_is_empty_notify(clone!(
            #[weak(rename_to = imp)]
            self,
            move |selection| {
                let Some(stick_to_end) = imp.stick_to_end.get() else { return };
                if selection.is_empty() {
                    stick_to_end.stick_if_at_end();
                } else {
                    stick_to_end.unstick_if_scrollable();
                }
            }
        ));
        selection
    }
}

impl super::ConversationPage {
    /// Copies the messages that are selected, and ends the selection.
    pub fn copy_selected(&self) {
        // It fails only outside a window.
        let _ = self.imp().selection_area.activate_action("selection.copy", None);
        self.end_selection();
    }

    /// Ends the selection of messages.
    pub fn end_selection(&self) {
        if let Some(selection) = self.imp().list_view.model() {
            selection.unselect_all();
        }
        self.focus_composer();
    }
}
