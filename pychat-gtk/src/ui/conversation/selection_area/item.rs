//! An item of the list of messages, and the keys that lead from one to others.

use gtk::{gdk, prelude::*};

use crate::ui::message_row::MessageRow;

/// Selects the message of `item`: beside others if `modify` is true, up to it with `extend`.
pub(super) fn select(item: &gtk::Widget, modify: bool, extend: bool) {
    // It fails only outside a list.
    let _ = item.activate_action("listitem.select", Some(&(modify, extend).to_variant()));
}

/// Returns what `item` shows.
pub(super) fn row_of(item: &gtk::Widget) -> Option<MessageRow> {
    item.first_child().and_downcast()
}

/// Returns true for the keys that, with Shift, select what they come by.
pub(super) fn is_stretch_key(key: gdk::Key) -> bool {
    use gdk::Key;
    let arrows = [Key::Up, Key::Down, Key::KP_Up, Key::KP_Down];
    let pages = [Key::Page_Up, Key::Page_Down, Key::KP_Page_Up, Key::KP_Page_Down];
    let ends = [Key::Home, Key::End, Key::KP_Home, Key::KP_End];
    [arrows, pages, ends].as_flattened().contains(&key)
}

/// Returns true if a finger makes the gesture: touches come in sequences, and the mouse does not. What
/// device a finger is on, X11 does not say.
pub(super) fn is_touch(gesture: &impl IsA<gtk::GestureSingle>) -> bool {
    gesture.current_sequence().is_some()
}
