//! The way to what a search has found.

use std::cell::{Cell, RefCell};

use gtk::{glib, glib::clone, prelude::*, subclass::prelude::*};

use super::imp::ConversationPage;
use crate::{
    session::{Room, search::FoundMessage},
    ui::conversation::{
        scroll_anchor::{self, ScrollAnchor},
        stick_to_end::StickToEnd,
    },
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
    /// The room in which the search began.
    pub(super) origin: glib::WeakRef<Room>,
}

impl ConversationPage {
    /// Shows the result that is looked at, wherever the reader is, and the list of all.
    pub(super) fn watch_search(&self) {
        self.results_pane.set_flap(&self.results_flap);
        self.obj().connect_session_notify(|page| {
            let Some(session) = page.session() else { return };
            let (imp, search) = (page.imp(), session.search());
            search.connect_current_notify(clone!(
                #[weak]
                page,
                move |search| {
                    if let Some(found) = search.current() {
                        page.imp().show_found(&found);
                    }
                }
            ));
            imp.search_bar.set_search(Some(&search));
            imp.results_pane.list(&search);
        });
        self.results_flap.connect_reveal_progress_notify(clone!(
            #[weak(rename_to = imp)]
            self,
            move |flap| {
                if flap.reveals_flap() && !imp.search_bar.is_everywhere() {
                    imp.keep_current_in_view();
                }
            }
        ));
    }

    /// Goes to a message that was found, in whichever room.
    fn show_found(&self, found: &FoundMessage) {
        let Some(message) = found.message() else { return };
        let room = found.room();
        if self.obj().room().as_ref() != Some(&room)
            && let Some(session) = self.obj().session()
        {
            session.show_room(&room.id());
        }
        if self.obj().room().as_ref() != Some(&room) {
            return;
        }
        self.unstick();
        let is_near =
            !self.search_bar.is_everywhere() && scroll_anchor::scroll_to(&self.list_view, &message);
        if is_near {
            self.end_jump();
        } else if let Some(seq) = message.seq() {
            self.jump_to(seq);
        }
    }

    /// Goes back to the room in which the search began.
    pub(super) fn return_to_origin(&self) {
        let origin = self.search.origin.upgrade();
        let (Some(origin), Some(session)) = (origin, self.obj().session()) else { return };
        if self.obj().room().as_ref() != Some(&origin) {
            session.show_room(&origin.id());
        }
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
            imp.scroll_to_current();
            glib::ControlFlow::Continue
        });
    }

    fn scroll_to_current(&self) {
        let current = self.search_bar.search().and_then(|search| search.current());
        if let Some(message) = current.and_then(|found| found.message()) {
            scroll_anchor::scroll_to(&self.list_view, &message);
        }
    }
}
