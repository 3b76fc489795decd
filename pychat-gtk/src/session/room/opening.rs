//! The opening of rooms: before it a room costs a few counters, and its messages are the server's.

use gtk::{gio::prelude::*, glib::subclass::prelude::*};
use pychat_wire::client::{Past, first_page_messages};

use super::{PAGE_MESSAGES, Room};

impl Room {
    /// Takes in that the room is about to be shown, and asks for its last messages unless they are
    /// here.
    pub fn open(&self) {
        let Some(session) = self.session() else { return };
        session.note_opened(self);
        if !self.imp().is_open.replace(true) {
            self.request_first_page();
        }
        if self.kind().has_changing_members() && self.people().n_items() == 0 {
            self.request_members();
        }
    }

    /// Takes in that nothing in it is new to the reader any more, whether they have seen it or not.
    pub fn mark_as_read(&self) {
        let id = self.client_id();
        if self.imp().is_open.get() {
            self.history().see_all();
        }
        self.expect_news();
        self.tell_client(|client| client.see(id, u64::MAX));
        self.tell_read();
    }

    /// Takes a room away that the reader is in no more, with what did not arrive there.
    pub fn dismiss(&self) {
        if let Some(session) = self.session().filter(|_| self.is_gone()) {
            self.drop_draft();
            self.history().clear();
            session.forget_lost_room(self);
        }
    }

    /// Returns true if its messages are kept here.
    pub(in crate::session) fn is_open(&self) -> bool {
        self.imp().is_open.get()
    }

    /// Forgets the messages, which the server has, unless some of them are here alone. Returns true if
    /// it did.
    pub(in crate::session) fn close(&self) -> bool {
        let can_close = !self.client_id().is_hall() && !self.history().has_unsent();
        if can_close && self.imp().is_open.get() {
            self.send_deletions(); // They are of messages that are here.
            self.imp().is_open.set(false);
            self.imp().is_fetching_unread.set(false);
            self.history().clear();
        }
        can_close
    }

    /// Has the history begin above all that is to come, and asks for what is before that: all that
    /// was not seen, and some more, unless that is more than one page can have.
    pub(super) fn request_first_page(&self) {
        let Some(session) = self.session().filter(|_| self.has_numbers()) else { return };
        let id = self.client_id();
        let marks = session.with_client(|client| {
            let last = client.saved().seq(id).max(client.welcomed_at(id));
            client.forget_before(id, last.saturating_add(1));
            (client.seen(id), last)
        });
        let Some((seen, last)) = marks else { return };
        self.read_from(seen, last);
        let n_unseen = last.saturating_sub(seen);
        self.request_history(first_page_messages(n_unseen, PAGE_MESSAGES));
        if self.back_pages() != Past::Asked && last == 0 {
            self.history().reach_start();
        }
    }
}
