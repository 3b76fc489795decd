//! Older messages, which are requested page by page.

use gtk::{
    glib,
    glib::{prelude::*, subclass::prelude::*},
};
use pychat_wire::client::Past;

use super::Room;

/// The number of older messages requested at once.
pub const PAGE_MESSAGES: u64 = 50;

/// The same for a search, whose user will not read them all.
pub const SEARCH_PAGE_MESSAGES: u64 = 250;

impl Room {
    /// Asks for at most `limit` messages older than those shown. Does nothing unless they are
    /// [`Kept`](Past::Kept).
    pub fn request_history(&self, limit: u64) {
        self.update_back_pages();
        if self.back_pages() == Past::Kept {
            let id = self.client_id();
            self.tell_client(|client| client.request_history(id, limit));
        }
    }

    /// Returns what there is to be had of messages older than those shown.
    pub fn back_pages(&self) -> Past {
        self.imp().back_pages.get()
    }

    /// Calls `f` when [`Self::back_pages`] has changed.
    pub fn connect_back_pages_changed(&self, f: impl Fn(&Self) + 'static) -> glib::SignalHandlerId {
        self.connect_closure(
            "back-pages-changed",
            false,
            glib::closure_local!(move |room: &Self| f(room)),
        )
    }

    /// Tells of messages older than those shown.
    pub(in crate::session) fn update_back_pages(&self) {
        self.forget();
        let id = self.client_id();
        let past = self.ask_client(|client| client.past(id)).unwrap_or_default();
        let can_go_back = self.is_open() && self.history().can_go_back();
        let past = if can_go_back { past } else { Past::None };
        if self.imp().back_pages.replace(past) != past {
            self.emit_by_name::<()>("back-pages-changed", &[]);
        }
    }

    /// Tells the client which messages the history has forgotten; returns false if it has not.
    pub(super) fn forget(&self) -> bool {
        let Some(seq) = self.history().take_forgotten() else { return false };
        if let Some(session) = self.session() {
            session.with_client(|client| client.forget_before(self.client_id(), seq));
        }
        true
    }
}
