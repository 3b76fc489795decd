//! The last message that the reader has read: kept by number, so that the next connection, and the
//! next start, go on from there.

use gtk::glib::subclass::prelude::*;
use pychat_wire::client::Past;

use super::Room;

/// The largest page that a server gives.
const UNREAD_PAGE_MESSAGES: u64 = 500;

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
        let imp = self.imp();
        let marks = self.ask_client(|client| (client.saved().seen(), client.welcomed_at()));
        if let Some((seen, latest)) = marks.filter(|_| self.has_numbers()) {
            // The first page goes back as far if it can, but may be cut where texts are long.
            let is_near = latest.saturating_sub(seen) <= UNREAD_PAGE_MESSAGES;
            imp.is_fetching_unread.set(is_near);
            self.history().read_from(seen, latest);
        }
    }

    /// Asks for one more page, unless all is here or the one before has led nowhere.
    pub(super) fn fetch_unread(&self, has_come: bool) {
        let imp = self.imp();
        if !imp.is_fetching_unread.get() {
            return;
        }
        let is_wanted = has_come && self.history().is_behind();
        if is_wanted {
            self.request_history(UNREAD_PAGE_MESSAGES);
        }
        imp.is_fetching_unread.set(is_wanted && self.back_pages() == Past::Asked);
    }
}
