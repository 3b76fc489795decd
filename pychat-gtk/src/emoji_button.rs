//! The button that opens the emoji chooser, which inserts into a text.
//!
//! The chooser has thousands of buttons of its own, so it is made when it is first asked for. The
//! shortcut of the text view and its menu open the same one, above the button.

use gtk::{glib, glib::clone, prelude::*};

/// Has `button` insert emoji into `text_view`.
pub fn set_up(button: &gtk::MenuButton, text_view: &gtk::TextView) {
    let weak = text_view.downgrade();
    button.set_create_popup_func(move |button| {
        if let Some(text_view) = weak.upgrade().filter(|_| button.popover().is_none()) {
            button.set_popover(Some(&chooser(&text_view)));
        }
    });
    text_view.connect_insert_emoji(clone!(
        #[weak]
        button,
        move |text_view| {
            text_view.stop_signal_emission_by_name("insert-emoji");
            button.popup();
        }
    ));
}

fn chooser(text_view: &gtk::TextView) -> gtk::EmojiChooser {
    let chooser = gtk::EmojiChooser::new();
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
