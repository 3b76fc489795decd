//! The way to what a search has found.

use std::cell::{Cell, RefCell};

use gtk::{glib, glib::clone, prelude::*, subclass::prelude::*};

use super::imp::ConversationPage;
use crate::ui::conversation::scroll_anchor::{self, ScrollAnchor};

/// The number of frames after which the messages have come to rest in another width.
const LAYOUT_TICKS: u32 = 10;

/// The place of a search in the list.
#[derive(Debug, Default)]
pub(super) struct SearchState {
    /// The number of frames in which the current result is still kept in view.
    pub(super) n_ticks_due: Cell<u32>,
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
    /// and where they are is known once they have been laid out, which comes after each tick.
    fn keep_current_in_view(&self) {
        if 0 < self.search.n_ticks_due.replace(LAYOUT_TICKS) {
            return;
        }
        self.obj().add_tick_callback(|page, _| {
            let imp = page.imp();
            imp.show_current();
            imp.search.n_ticks_due.set(imp.search.n_ticks_due.get() - 1);
            if imp.search.n_ticks_due.get() == 0 {
                glib::ControlFlow::Break
            } else {
                glib::ControlFlow::Continue
            }
        });
    }

    fn show_current(&self) {
        if let Some(message) = self.search_bar.search().current() {
            self.unstick();
            scroll_anchor::scroll_to(&self.list_view, &message);
        }
    }
}
