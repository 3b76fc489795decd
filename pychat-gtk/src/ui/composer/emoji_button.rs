//! The chooser that inserts emoji into a text, above the button that opens it.
//!
//! It has thousands of buttons of its own, so it is made when it is first asked for.

use std::cell::OnceCell;

use gtk::{glib, glib::clone, prelude::*};

/// The chooser of one button, once there is one.
#[derive(Debug, Default)]
pub(super) struct EmojiButton(OnceCell<gtk::EmojiChooser>);

impl EmojiButton {
    /// Opens the chooser above `button`, to insert into `text_view`.
    pub(super) fn open(&self, button: &gtk::Button, text_view: &gtk::TextView) {
        self.0.get_or_init(|| chooser(button, text_view)).popup();
    }

    /// Takes the chooser from the button, which cannot go with it.
    pub(super) fn unparent(&self) {
        if let Some(chooser) = self.0.get() {
            chooser.unparent();
        }
    }
}

fn chooser(button: &gtk::Button, text_view: &gtk::TextView) -> gtk::EmojiChooser {
    let chooser = gtk::EmojiChooser::new();
    chooser.set_parent(button);
    chooser.set_position(gtk::PositionType::Top);
    chooser.connect_emoji_picked(clone!(
        #[weak]
        text_view,
        move |_, emoji| {
            let buffer = text_view.buffer();
            buffer.begin_user_action();
            buffer.delete_selection(true, text_view.is_editable());
            buffer.insert_at_cursor(emoji);
            buffer.end_user_action();
        }
    ));
    chooser.connect_closed(clone!(
        #[weak]
        text_view,
        move |_| {
            text_view.grab_focus();
        }
    ));
    chooser
}
