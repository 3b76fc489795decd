//! The way to what a search has found.

use std::cell::{Cell, RefCell};

use gtk::{glib, glib::clone, prelude::*, subclass::prelude::*};

use super::imp::ConversationPage;
use crate::ui::conversation::{
    scroll_anchor::{self, ScrollAnchor},
    stick_to_end::StickToEnd,
};

/// The number of frames in a row in which nothing moves once the messages have come to rest.
const REST_TICKS: u32 = 3;

/// The place of a search in the list.
#[derive(Debug, Default)]
pub(super) struct SearchState {
    /// The number of frames in a row in which nothing has moved; `None` unless the current result is
    /// being kept in view.
    n_at_rest: Cell<Option<u32>>,
    /// Where the reader was before the search; `None` if that was at the end.
    pub(super) anchor: RefCell<Option<ScrollAnchor>>,
}

impl ConversationPage {
    /// Shows the result that is looked at, wherever the reader is, and the list of all.
    pub(super) fn watch_search(&self) {
        let search = self.search_bar.search();
        search.connect_current_notify(clone!(
            #[weak(rename_to = imp)]
            self,
            move |_| imp.show_current()
        ));
        self.results_pane.list(&search, &self.results_flap);
        self.results_flap.connect_reveal_progress_notify(clone!(
            #[weak(rename_to = imp)]
            self,
            move |flap| {
                if flap.reveals_flap() {
                    imp.keep_current_in_view();
                }
            }
        ));
    }

    /// Has it stay in view while the list comes beside the messages: their lines break elsewhere then,
    /// and where they are is known once they have been laid out, which comes after each tick. Ends
    /// when they have come to rest, or the reader scrolls.
    fn keep_current_in_view(&self) {
        if self.search.n_at_rest.replace(Some(0)).is_some() {
            return;
        }
        let last_place = Cell::new(None);
        self.obj().add_tick_callback(move |page, _| {
            let imp = page.imp();
            let adjustment = imp.scrolled_window.vadjustment();
            let place = Some((adjustment.value(), adjustment.upper(), adjustment.page_size()));
            let is_at_rest = last_place.replace(place) == place;
            let n_at_rest = imp.search.n_at_rest.get().filter(|_| is_at_rest).map_or(0, |n| n + 1);
            if REST_TICKS <= n_at_rest
                || imp.stick_to_end.get().is_some_and(StickToEnd::is_reader_scrolling)
            {
                imp.search.n_at_rest.take();
                return glib::ControlFlow::Break;
            }
            imp.search.n_at_rest.set(Some(n_at_rest));
            imp.show_current();
            glib::ControlFlow::Continue
        });
    }

    fn show_current(&self) {
        if let Some(message) = self.search_bar.search().current() {
            self.unstick();
            scroll_anchor::scroll_to(&self.list_view, &message);
        }
    }
}
