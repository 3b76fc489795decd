//! Answering, changing and reacting to the message that has the keyboard, or was chosen in its menu.

use gtk::{glib, prelude::*, subclass::prelude::*};

use super::{SelectionArea, imp, item::row_of};
use crate::{
    model::Message,
    session::room::MessageChange,
    ui::{menu, message_row::MessageRow},
};

/// Lets selection areas know the actions.
pub(super) fn install(klass: &mut <imp::SelectionArea as ObjectSubclass>::Class) {
    klass.install_action("selection.reply", None, |area, _, _| {
        area.imp().ask_for("conversation.reply");
    });
    klass.install_action("selection.edit", None, |area, _, _| {
        area.imp().ask_for("conversation.edit");
    });
    klass.install_action("selection.delete", None, |area, _, _| area.imp().delete_focused());
    klass.install_action("selection.react", None, |area, _, _| {
        if let Some(row) = area.imp().focused_row() {
            area.imp().choose_reaction(&row);
        }
    });
    let key = Some(glib::VariantTy::STRING);
    klass.install_action("selection.choose-reaction", key, |area, _, key| {
        let row = key.and_then(glib::Variant::str).and_then(|key| area.imp().row_of_key(key));
        if let Some(row) = row {
            area.imp().choose_reaction(&row);
        }
    });
}

impl imp::SelectionArea {
    fn can(&self, change: MessageChange, message: &Message) -> bool {
        self.obj().room().is_some_and(|room| room.can(change, message))
    }

    fn focused_row(&self) -> Option<MessageRow> {
        row_of(&self.focused_item()?)
    }

    fn row_of_key(&self, key: &str) -> Option<MessageRow> {
        let first = self.list_view.upgrade()?.first_child();
        let mut items = std::iter::successors(first, WidgetExt::next_sibling);
        items.find_map(|item| {
            let row = row_of(&item)?;
            (row.message()?.key() == key).then_some(row)
        })
    }

    /// Has the conversation do something about the message that has the keyboard.
    fn ask_for(&self, action: &str) {
        if let Some(message) = self.focused_row().and_then(|row| row.message()) {
            // It fails only outside a conversation.
            let _ = self.obj().activate_action(action, Some(&message.key().to_variant()));
        }
    }

    fn delete_focused(&self) {
        let message = self.focused_row().and_then(|row| row.message());
        if message.is_some_and(|message| self.can(MessageChange::Remove, &message)) {
            self.ask_for("conversation.remove");
        } else {
            self.ask_for("conversation.delete");
        }
    }

    /// Lets the reader choose an emoji for the message of `row`.
    fn choose_reaction(&self, row: &MessageRow) {
        let Some(message) = row.message().filter(|it| self.can(MessageChange::Answer, it)) else {
            return;
        };
        let area = self.obj().compute_bounds(&*self.obj());
        let bounds = area.zip(row.text_block().compute_bounds(&*self.obj()));
        let Some(bounds) = bounds.and_then(|(area, text)| area.intersection(&text)) else { return };
        let (weak, key) = (self.obj().downgrade(), message.key());
        let item = row.parent().map(|item| item.downgrade());
        self.reaction_picker.open(
            &*self.obj(),
            &menu::below(&bounds),
            message.own_reaction().as_deref(),
            {
                move |emoji| {
                    let Some(area): Option<SelectionArea> = weak.upgrade() else { return };
                    if let Some(item) = item.as_ref().and_then(glib::WeakRef::upgrade) {
                        item.grab_focus();
                    }
                    if let Some(emoji) = emoji {
                        let target = (key.as_str(), emoji).to_variant();
                        // It fails only outside a conversation.
                        let _ = area.activate_action("conversation.set-reaction", Some(&target));
                    }
                }
            },
        );
    }
}
