//! The last message that the reader has read: kept by number, so that the next connection, and the
//! next start, go on from there.

use gtk::glib::subclass::prelude::*;
use pychat_wire::{client::Past, message::PAGE_MESSAGES_MAX};

use super::Room;

impl Room {
    /// Fetches what lies between the first message that the reader has not seen and those that are
    /// here.
    pub fn request_unread(&self) {
        self.history().expect_unread();
        self.imp().is_fetching_unread.set(true);
        self.fetch_unread(true);
    }

    /// Has the history go on from what was seen before.
    pub(super) fn read_from_seen(&self) {
        let id = self.client_id();
        let marks = self.ask_client(|client| (client.seen(id), client.welcomed_at(id)));
        if let Some((seen, latest)) = marks.filter(|_| self.has_numbers()) {
            self.read_from(seen, latest);
        }
    }

    /// Has the history go on from number `seen`, where the last message is number `latest`.
    pub(super) fn read_from(&self, seen: u64, latest: u64) {
        // The first page goes back as far if it can, but may be cut where texts are long.
        let is_near = latest.saturating_sub(seen) <= PAGE_MESSAGES_MAX;
        self.imp().is_fetching_unread.set(is_near);
        self.history().read_from(seen, latest);
    }

    /// Asks for one more page, unless all is here or the one before has led nowhere.
    pub(super) fn fetch_unread(&self, has_come: bool) {
        let imp = self.imp();
        if !imp.is_fetching_unread.get() {
            return;
        }
        let is_wanted = has_come && self.history().is_behind();
        if is_wanted {
            self.request_history(PAGE_MESSAGES_MAX);
        }
        imp.is_fetching_unread.set(is_wanted && self.back_pages() == Past::Asked);
    }
}
