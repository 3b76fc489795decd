//! The way to what a search has found.

use std::cell::{Cell, RefCell};

use gtk::{glib, glib::clone, prelude::*, subclass::prelude::*};

use super::imp::ConversationPage;
use crate::{
    session::{Room, search::FoundMessage},
    ui::{
        conversation::{
            scroll_anchor::{self, ScrollAnchor},
            stick_to_end::StickToEnd,
        },
        search::everywhere_pane::EverywherePane,
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
        let search = self.search_bar.search();
        search.connect_current_notify(clone!(
            #[weak(rename_to = imp)]
            self,
            move |_| imp.show_current()
        ));
        self.results_pane.list(&search, &self.results_flap);
        self.watch_search_everywhere();
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

    /// Lists what is found in all rooms, while these are searched.
    fn watch_search_everywhere(&self) {
        self.obj().connect_session_notify(|page| {
            let Some(session) = page.session() else { return };
            let everywhere = session.search_everywhere();
            page.imp().results_pane.everywhere().list(&everywhere);
            everywhere.connect_is_searching_notify(clone!(
                #[weak]
                page,
                move |_| page.imp().show_results()
            ));
            page.imp().search_bar.set_everywhere(Some(&everywhere));
        });
        self.search_bar.connect_is_everywhere_notify(clone!(
            #[weak(rename_to = imp)]
            self,
            move |bar| {
                imp.results_pane.set_everywhere(bar.is_everywhere());
                imp.show_results();
            }
        ));
        self.results_pane.everywhere().connect_closure(
            "chosen",
            false,
            glib::closure_local!(
                #[weak(rename_to = imp)]
                self,
                move |_: &EverywherePane, found: &FoundMessage| imp.go_to_found(found)
            ),
        );
    }

    /// Shows what was found in all rooms: above the conversation, where there is no room beside it.
    pub(super) fn show_results(&self) {
        let everywhere = self.search_bar.everywhere();
        let is_searching = everywhere.is_some_and(|everywhere| everywhere.is_searching());
        self.results_flap.set_reveal_flap(self.search_bar.is_everywhere() && is_searching);
    }

    /// Goes to a message that was found, in whichever room.
    fn go_to_found(&self, found: &FoundMessage) {
        let (room, seq) = (found.room(), found.message().seq());
        let (Some(session), Some(seq)) = (self.obj().session(), seq) else { return };
        if self.results_flap.is_folded() {
            self.results_flap.set_reveal_flap(false);
        }
        if self.obj().room().as_ref() != Some(&room) {
            session.show_room(&room.id());
        }
        if self.obj().room().as_ref() == Some(&room) {
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
