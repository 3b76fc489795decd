//! The messages that are new to the reader: leading to them, and marking them as seen.

use std::cell::Cell;

use gtk::{glib, prelude::*, subclass::prelude::*};

use super::{imp::ConversationPage, paging::LAYOUT_TIME};
use crate::{
    model::History,
    ui::conversation::scroll_anchor::{self, ScrollAnchor},
};

/// Where what is new begins, in pixels below the top: something of what was read before is to be seen.
const UNREAD_DISTANCE: f32 = 64.0;

/// The steps towards what is new that are still to be taken.
#[derive(Debug, Default)]
pub(super) struct UnreadState {
    /// True while what is in view is about to count as seen.
    pub(super) is_see_due: Cell<bool>,
    /// True while the reader waits to be led to what is new.
    pub(super) is_requested: Cell<bool>,
}

impl ConversationPage {
    /// Opens at the first message that is new, as soon as all that was missed is there. A reader who
    /// is elsewhere by then stays there.
    pub(super) fn on_caught_up(&self, history: &History) {
        if self.unread.is_requested.take() || self.is_at_end() {
            self.go_to_unread(history);
        }
    }

    /// Has what is new fetched, and goes there.
    pub(super) fn request_unread(&self) {
        if let Some(room) = self.obj().room() {
            self.unread.is_requested.set(true);
            room.request_unread();
        }
    }

    /// The reader does not want to see what is new.
    pub(super) fn mark_as_read(&self) {
        if let Some(room) = self.obj().room() {
            room.history().see_all();
            self.composer.focus_text(); // The button is gone then.
        }
    }

    /// Takes in where the reader is. That they see everything follows a moment later: the list of
    /// rooms changes by it, and must not while anything is laid out.
    pub(super) fn update_attention_later(&self) {
        if !self.is_at_end() {
            self.update_attention();
            return;
        }
        let weak = self.downgrade();
        glib::spawn_future_local(async move {
            if let Some(imp) = weak.upgrade() {
                imp.update_attention();
            }
        });
    }

    /// Takes in, in a moment, that what can be seen by then is seen.
    pub(super) fn see_later(&self) {
        let is_wanted = self.is_attended.get() && !self.is_at_end();
        if !is_wanted || self.unread.is_see_due.replace(true) {
            return;
        }
        let weak = self.downgrade();
        glib::spawn_future_local(async move {
            glib::timeout_future(LAYOUT_TIME).await;
            if let Some(imp) = weak.upgrade() {
                imp.unread.is_see_due.set(false);
                imp.see();
            }
        });
    }

    fn see(&self) {
        let Some(room) = self.obj().room() else { return };
        if room.history().n_unread() == 0 || !self.is_attended.get() || self.is_at_end() {
            return;
        }
        let height = f64::from(self.scrolled_window.height());
        let rows = scroll_anchor::rows_in_view(&self.list_view, &self.scrolled_window);
        let is_whole = |bounds: &gtk::graphene::Rect| {
            f64::from(bounds.y()) + f64::from(bounds.height()) <= height
        };
        if let Some((message, _)) = rows.take_while(|(_, bounds)| is_whole(bounds)).last() {
            room.history().see(&message);
        }
    }

    /// Goes to the first message that is new, if there is one.
    pub(super) fn go_to_unread(&self, history: &History) {
        let first = history.first_unread().filter(|_| history.has_first_unread());
        let (Some(first), Some(stick_to_end)) = (first, self.stick_to_end.get()) else { return };
        stick_to_end.begin_scroll();
        let stick_to_end = stick_to_end.clone();
        ScrollAnchor::at(first, UNREAD_DISTANCE).show(
            &self.list_view,
            &self.scrolled_window,
            move || {
                stick_to_end.end_scroll();
            },
        );
    }
}
