//! The scroll position of a conversation, kept by message so that it can be restored later,
//! whatever was added or forgotten meanwhile.

use std::{cell::Cell, iter};

use gtk::{glib, graphene, prelude::*};

use crate::{
    model::Message,
    ui::{conversation::message_selection::MessageSelection, message_row::MessageRow},
};

/// The most frames in which a list is scrolled to a place, and the number of frames in a row that
/// it must have been there.
const LAYOUT_TICKS_MAX: u32 = 10;
const REST_TICKS: u32 = 2;

/// The message at the top of a scrolled list, and its position.
#[derive(Clone, Debug)]
pub struct ScrollAnchor {
    message: Message,
    /// The distance from the top of the window to that of its row, in pixels.
    y: f32,
}

impl ScrollAnchor {
    /// Returns an anchor: `message` at `y` pixels below the top.
    pub fn at(message: Message, y: f32) -> Self {
        Self { message, y }
    }

    /// Returns what `list` shows in `window`; `None` if that is nothing.
    pub fn of(list: &gtk::ListView, window: &gtk::ScrolledWindow) -> Option<Self> {
        let (message, bounds) = rows_in_view(list, window).next()?;
        Some(Self { message, y: bounds.y() })
    }

    /// Returns true if what it is at is in `list` still.
    pub fn is_in(&self, list: &gtk::ListView) -> bool {
        position_of(list, &self.message).is_some()
    }

    /// Has `list` show the same again, if it is still there, and calls `f` once it does.
    pub fn show(self, list: &gtk::ListView, window: &gtk::ScrolledWindow, f: impl Fn() + 'static) {
        if !scroll_to(list, &self.message) {
            return f();
        }
        // Where the list puts it is known once it has been laid out, which comes after each tick;
        // and then it learns how high the rows above are, which may move it out of sight again.
        let (window, n_ticks, n_at_rest) = (window.clone(), Cell::new(0), Cell::new(0));
        list.add_tick_callback(move |list, _| {
            let n = n_ticks.replace(n_ticks.get() + 1);
            let bounds = rows(list, &window).find(|(message, _)| *message == self.message);
            match bounds {
                _ if n == 0 => {}
                Some((_, bounds)) => {
                    let adjustment = window.vadjustment();
                    let before = adjustment.value();
                    adjustment.set_value(before + f64::from(bounds.y() - self.y));
                    // At an end of the list it goes no further.
                    let is_at_rest = (adjustment.value() - before).abs() < 1.0;
                    n_at_rest.set(if is_at_rest { n_at_rest.get() + 1 } else { 0 });
                }
                None => {
                    scroll_to(list, &self.message);
                }
            }
            if REST_TICKS <= n_at_rest.get() || LAYOUT_TICKS_MAX <= n {
                f();
                return glib::ControlFlow::Break;
            }
            glib::ControlFlow::Continue
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
    list.model().and_downcast::<MessageSelection>()?.position_of(message)
}

/// Returns the rows of `list` of which something can be seen or is above that, and where they are in
/// `window`.
fn rows(
    list: &gtk::ListView,
    window: &gtk::ScrolledWindow,
) -> impl Iterator<Item = (Message, graphene::Rect)> {
    iter::successors(list.first_child(), WidgetExt::next_sibling).filter_map(|item| {
        let bounds = item.compute_bounds(window).filter(|_| item.is_mapped())?;
        Some((message_of(&item)?, bounds))
    })
}

/// Returns the messages that can be seen in `window`, from the top, and where they are there.
pub fn rows_in_view(
    list: &gtk::ListView,
    window: &gtk::ScrolledWindow,
) -> impl Iterator<Item = (Message, graphene::Rect)> {
    let height = f64::from(window.height());
    rows(list, window)
        .skip_while(|(_, bounds)| bounds.y() + bounds.height() <= 0.0)
        .take_while(move |(_, bounds)| f64::from(bounds.y()) < height)
}

/// Returns the message that an item of the list shows.
pub fn message_of(item: &gtk::Widget) -> Option<Message> {
    item.first_child().and_downcast::<MessageRow>()?.message()
}
