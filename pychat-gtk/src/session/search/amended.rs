//! Messages that are changed while they are searched.

use gtk::glib::subclass::prelude::*;

use super::Search;

impl Search {
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
