//! Older messages, which are requested page by page.

use gtk::{
    glib,
    glib::{prelude::*, subclass::prelude::*},
};
use pychat_wire::client::Past;

use super::Room;

/// The number of messages requested at once.
pub const PAGE_MESSAGES: u64 = 50;

/// The number of messages around one that is gone to, on both sides.
const AROUND_MESSAGES: u64 = 50;

/// The largest distance from what is shown in which all between is requested, too.
const NEAR_MESSAGES: u64 = 250;

/// The place of a page that is requested.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum PagePlace {
    /// Right before all that is shown.
    #[default]
    Above,
    /// Before this number, far from all that is here.
    Distant(u64),
    /// Before this number, in the gap below what is shown.
    Gap(u64),
}

impl Room {
    /// Asks for at most `limit` messages older than those shown. Returns false, and does nothing, unless they
    /// are [`Kept`](Past::Kept).
    pub fn request_history(&self, limit: u64) -> bool {
        self.update_back_pages();
        let is_kept = self.back_pages() == Past::Kept;
        let Some(session) = self.session().filter(|_| is_kept) else { return false };
        let is_asked =
            session.with_client(|client| client.request_history(self.client_id(), limit));
        if is_asked == Some(true) {
            self.imp().page_place.set(PagePlace::Above);
            session.process_events();
        }
        is_asked == Some(true)
    }

    /// Asks for the message whose number is `seq`, which is not here, and those around it: with all between if
    /// it is near, else without. Returns false if it is not to be had.
    pub fn request_around(&self, seq: u64) -> bool {
        let history = self.history();
        if history.has_numbers() && history.first_seq().is_none() {
            return false;
        }
        if history.first_seq().is_some_and(|first| first <= seq) {
            if history.gap().is_none_or(|gap| seq < gap.from) {
                return false;
            }
            history.show_latest(); // It is before these.
        }
        self.update_back_pages();
        let distance = history.first_seq().map(|first| first.saturating_sub(seq));
        match distance {
            Some(0) => false,
            Some(distance) if distance <= NEAR_MESSAGES => {
                self.request_history(distance + AROUND_MESSAGES)
            }
            _ => {
                let end = seq.saturating_add(AROUND_MESSAGES);
                self.request_before(end, 2 * AROUND_MESSAGES, PagePlace::Distant)
            }
        }
    }

    /// Asks for what comes next where some is missing below what is shown. Returns false if nothing is, or it
    /// is not to be had.
    pub fn request_gap(&self) -> bool {
        let Some(gap) = self.history().gap() else { return false };
        let end = gap.before.min(gap.from.saturating_add(PAGE_MESSAGES));
        // One more: it says that none is missing before them.
        self.back_pages() == Past::Asked
            || self.request_before(end, end - gap.from + 1, PagePlace::Gap)
    }

    pub(super) fn request_before(&self, seq: u64, limit: u64, place: fn(u64) -> PagePlace) -> bool {
        let Some(session) = self.session() else { return false };
        let asked = session.with_client(|client| {
            let id = self.client_id();
            let end = seq.min(client.saved().seq(id).saturating_add(1));
            client.request_history_before(id, end, limit).then_some(end)
        });
        let Some(end) = asked.flatten() else { return false };
        self.imp().page_place.set(place(end));
        session.process_events();
        true
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
