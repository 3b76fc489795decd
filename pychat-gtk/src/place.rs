//! What a conversation shows, to be shown again later, whatever was added or forgotten meanwhile.

use std::cell::Cell;

use gtk::{glib, graphene, prelude::*};

use crate::{message_row::MessageRow, model::Message, selection::Selection};

/// How many frames a list may take to get somewhere.
const LAYOUT_TICKS_MAX: u32 = 10;

/// What stands at the top of a scrolled list, and where.
#[derive(Clone, Debug)]
pub struct Place {
    message: Message,
    /// How far below the top it begins, in pixels.
    y: f32,
}

impl Place {
    /// Returns what `list` shows in `window`; `None` if that is nothing.
    pub fn of(list: &gtk::ListView, window: &gtk::ScrolledWindow) -> Option<Self> {
        let mut item = list.first_child();
        while let Some(child) = item {
            let bounds = child.compute_bounds(window).filter(|_| child.is_mapped());
            if let Some(bounds) = bounds.filter(|bounds| 0.0 < bounds.y() + bounds.height()) {
                return Some(Self { message: message_of(&child)?, y: bounds.y() });
            }
            item = child.next_sibling();
        }
        None
    }

    /// Has `list` show the same again, if it is still there.
    pub fn show(self, list: &gtk::ListView, window: &gtk::ScrolledWindow) {
        if !scroll_to(list, &self.message) {
            return;
        }
        // Where the list puts it is known once it has been laid out, which comes after each tick;
        // and then it learns how high the rows above are, which may move it out of sight again.
        let (window, n_ticks) = (window.clone(), Cell::new(0));
        list.add_tick_callback(move |list, _| {
            let n = n_ticks.replace(n_ticks.get() + 1);
            match bounds_of(list, &self.message, &window) {
                _ if n == 0 => {}
                Some(bounds) => {
                    let distance = f64::from(bounds.y() - self.y);
                    if distance.abs() < 1.0 {
                        return glib::ControlFlow::Break;
                    }
                    let adjustment = window.vadjustment();
                    adjustment.set_value(adjustment.value() + distance);
                }
                None => {
                    scroll_to(list, &self.message);
                }
            }
            if n < LAYOUT_TICKS_MAX {
                glib::ControlFlow::Continue
            } else {
                glib::ControlFlow::Break
            }
        });
    }
}

/// Has `list` scrolled until `message` can be seen; returns false if it is not there.
pub fn scroll_to(list: &gtk::ListView, message: &Message) -> bool {
    let Some(position) = position_of(list, message) else { return false };
    list.activate_action("list.scroll-to-item", Some(&position.to_variant())).is_ok()
}

/// Returns where `message` stands in `list`.
pub fn position_of(list: &gtk::ListView, message: &Message) -> Option<u32> {
    list.model().and_downcast::<Selection>()?.position_of(message)
}

/// Returns where `message` can be seen in `window`.
fn bounds_of(
    list: &gtk::ListView,
    message: &Message,
    window: &gtk::ScrolledWindow,
) -> Option<graphene::Rect> {
    let mut item = list.first_child();
    while let Some(child) = item {
        if message_of(&child).as_ref() == Some(message) {
            return child.compute_bounds(window).filter(|_| child.is_mapped());
        }
        item = child.next_sibling();
    }
    None
}

/// Returns the message that an item of the list shows.
pub fn message_of(item: &gtk::Widget) -> Option<Message> {
    item.first_child().and_downcast::<MessageRow>()?.message()
}
