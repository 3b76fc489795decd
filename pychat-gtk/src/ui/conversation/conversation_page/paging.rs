//! The part of a conversation that is shown, as its reader moves through it.
//!
//! A list whose adjustment changes may be laying itself out, and must not be told of other rows
//! then. So whatever follows from where the reader is follows a moment later.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use gtk::{glib, glib::clone, prelude::*, subclass::prelude::*};
use pychat_wire::client::Past;

use super::imp::ConversationPage;
use crate::{
    model::TailModel, session::room::PAGE_MESSAGES, ui::conversation::stick_to_end::StickToEnd,
};

/// The longest time a view takes to lay out new rows.
pub(super) const LAYOUT_TIME: Duration = Duration::from_millis(200);

/// The number of messages waiting below that are shown at once.
const LATER_MESSAGES: usize = 200;

/// About how high the lowest rows are, in pixels. If a page is full of lower ones, more follow.
const ROW_HEIGHT_MIN: i32 = 30;

/// The part of a conversation that is on show, and what is about to become of it.
#[derive(Debug, Default)]
pub(super) struct Paging {
    /// The part of the conversation that the list shows.
    pub(super) tail: RefCell<Option<TailModel>>,
    /// True while somebody waits to see whether there is enough to read.
    pub(super) is_load_due: Cell<bool>,
    /// True while those that were shown below have yet to be laid out.
    pub(super) is_loading_newer: Cell<bool>,
    /// True while the way to the latest message is about to be offered, or no longer.
    pub(super) is_button_update_due: Cell<bool>,
}

impl ConversationPage {
    /// Finds out how many messages may be seen at once.
    pub(super) fn measure_page(&self) {
        let height = self.scrolled_window.height();
        if height == 0 {
            return; // It has not been laid out yet.
        }
        let tail = self.paging.tail.borrow();
        if let (Some(tail), Ok(n_rows)) = (&*tail, u32::try_from(height / ROW_HEIGHT_MIN)) {
            tail.set_page(n_rows + 1);
        }
    }

    /// Leaves the very top of the list in a moment, while older messages may come above it. From GTK
    /// 4.12 on a list that is there stays there, and what is read moves away.
    pub(super) fn leave_top_later(&self) {
        if 1.0 <= self.scrolled_window.vadjustment().value() {
            return;
        }
        let weak = self.downgrade();
        glib::spawn_future_local(async move {
            if let Some(imp) = weak.upgrade() {
                imp.leave_top();
            }
        });
    }

    fn leave_top(&self) {
        let Some(room) = self.obj().room() else { return };
        let is_whole = self.paging.tail.borrow().as_ref().is_some_and(TailModel::is_whole);
        let has_older = !is_whole || room.back_pages() != Past::None;
        let adjustment = self.scrolled_window.vadjustment();
        if has_older && !self.is_at_end() && adjustment.value() < 1.0 {
            // A wheel that has gone on turning at the top has the window go back there for a while,
            // with each frame.
            self.scrolled_window.set_kinetic_scrolling(false);
            adjustment.set_value(1.0);
            self.scrolled_window.set_kinetic_scrolling(true);
        }
    }

    /// Has the list show all there is while the reader is elsewhere than at the end, and then the
    /// end alone: that of everything.
    pub(super) fn set_away(&self, is_away: bool) {
        if let Some(tail) = &*self.paging.tail.borrow() {
            tail.set_whole(is_away);
        }
        let Some(room) = self.obj().room() else { return };
        if is_away {
            room.history().set_away(true);
            return;
        }
        let weak = self.downgrade();
        glib::spawn_future_local(async move {
            if weak.upgrade().is_some_and(|imp| imp.is_at_end()) {
                room.history().set_away(false);
            }
        });
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.stick_to_end.get().is_some_and(StickToEnd::is_sticking)
    }

    /// Has the list leave alone what is above it, while somebody moves it by touch.
    pub(super) fn set_held(&self, is_held: bool) {
        if let Some(tail) = &*self.paging.tail.borrow() {
            tail.set_held(is_held);
        }
    }

    /// Something else has taken the finger that moved the list.
    pub(super) fn end_kinetic_scroll(&self) {
        if let Some(stick_to_end) = self.stick_to_end.get() {
            stick_to_end.kinetic_scroll().end();
        }
    }

    /// Reads on in the direction whose end is about to be seen.
    pub(super) fn load_more(&self) {
        self.load_older();
        self.load_newer();
        self.see_later();
        self.update_scroll_button();
    }

    /// Offers a way to the latest message while it is out of view. A view that is being laid out can
    /// get no button, so that follows a moment later.
    pub(super) fn update_scroll_button(&self) {
        if self.paging.is_button_update_due.replace(true) {
            return;
        }
        let weak = self.downgrade();
        glib::idle_add_local_once(move || {
            let Some(imp) = weak.upgrade() else { return };
            imp.paging.is_button_update_due.set(false);
            let is_in_view = |it: &StickToEnd| it.is_sticking() || it.is_end_in_view();
            let is_detached = imp.obj().room().is_some_and(|it| it.history().is_detached());
            let is_offered = is_detached || !imp.stick_to_end.get().is_some_and(is_in_view);
            if imp.scroll_to_end_button.is_visible() != is_offered {
                imp.scroll_to_end_button.set_visible(is_offered);
                imp.keep_position();
            }
        });
    }

    /// Keeps what is read in its place while the view gets lower or higher; a list near its end
    /// would keep that. It is put back after the layout, before anything is drawn, unless the list has
    /// moved otherwise: to a row with the keyboard, which would lose it out of view from GTK 4.12 on.
    fn keep_position(&self) {
        let Some(clock) = self.scrolled_window.frame_clock() else { return };
        let adjustment = self.scrolled_window.vadjustment();
        let (value, page) = (adjustment.value(), adjustment.page_size());
        let weak = self.downgrade();
        let handler = Rc::new(Cell::new(None));
        let id = clock.connect_layout(clone!(
            #[strong]
            handler,
            move |clock| {
                let id = handler.take();
                let (n_lost, n_moved) = (page - adjustment.page_size(), adjustment.value() - value);
                let is_kept_end = 1.0 <= n_lost.abs() && (0.0..=1.0).contains(&(n_moved / n_lost));
                if is_kept_end && weak.upgrade().is_some_and(|imp| !imp.is_at_end()) {
                    adjustment.set_value(value);
                }
                if let Some(id) = id {
                    clock.disconnect(id);
                }
            }
        ));
        handler.set(Some(id));
    }

    /// Asks for older messages while the oldest are about to be seen. At the end of the list nobody
    /// asks: before the view has got there it stands at the top for a moment. Nor while there are
    /// some that have yet to be shown.
    fn load_older(&self) {
        let Some(room) = self.obj().room() else { return };
        if !self.paging.tail.borrow().as_ref().is_some_and(TailModel::is_whole) {
            return;
        }
        let adjustment = self.scrolled_window.vadjustment();
        let is_near_top = adjustment.value() < adjustment.page_size() / 2.0;
        let is_short = adjustment.upper() <= adjustment.page_size();
        let is_wanted = is_near_top && (is_short || !self.is_at_end());
        if room.is_online() && is_wanted {
            room.request_history(PAGE_MESSAGES);
        }
    }

    /// Has messages that wait shown while the last of those before them are about to be seen.
    fn load_newer(&self) {
        let Some(room) = self.obj().room() else { return };
        let adjustment = self.scrolled_window.vadjustment();
        let n_below = adjustment.upper() - adjustment.page_size() - adjustment.value();
        let is_near_bottom = n_below < adjustment.page_size();
        if !room.history().is_detached()
            || !is_near_bottom
            || self.paging.is_loading_newer.replace(true)
        {
            return;
        }
        let weak = self.downgrade();
        glib::spawn_future_local(async move {
            if !room.request_gap() {
                room.history().show_later(LATER_MESSAGES);
            }
            // Until the view knows how tall these are, they seem to be near.
            glib::timeout_future(LAYOUT_TIME).await;
            if let Some(imp) = weak.upgrade() {
                imp.paging.is_loading_newer.set(false);
                imp.load_newer();
            }
        });
    }

    /// Reads on when the view knows how tall its new rows are: that may change nothing else.
    pub(super) fn load_more_later(&self) {
        if self.paging.is_load_due.replace(true) {
            return;
        }
        let weak = self.downgrade();
        glib::spawn_future_local(async move {
            glib::timeout_future(LAYOUT_TIME).await;
            if let Some(imp) = weak.upgrade() {
                imp.paging.is_load_due.set(false);
                imp.load_more();
            }
        });
    }
}
