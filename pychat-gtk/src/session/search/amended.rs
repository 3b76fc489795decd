//! Messages that come, go and are changed while they are searched.

use gtk::glib::subclass::prelude::*;

use super::Search;

impl Search {
    /// Takes in that so many messages at `at` were replaced by others.
    pub(super) fn on_changed(&self, at: usize, n_removed: usize, n_added: usize) {
        if self.imp().query.borrow().is_none() {
            return;
        }
        self.imp().results.splice(at, n_removed, n_added);
        if self.imp().results.hits().current().is_none() {
            self.look_at(None);
        }
        self.scan();
    }

    /// Finds out anew about the message at `at`, which has other words than before; what is being looked
    /// at stays so if it is found again.
    pub(super) fn on_amended(&self, at: usize) {
        if self.imp().query.borrow().is_none() {
            return;
        }
        let results = &self.imp().results;
        let was_current = results.hits().current() == Some(at);
        results.splice(at, 1, 1);
        let is_found = self.look_into(at);
        results.tell();
        if was_current {
            self.look_at(Some(at).filter(|_| is_found));
        }
        self.count();
    }
}
