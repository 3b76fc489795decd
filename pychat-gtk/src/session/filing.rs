//! What outlives the program, and when it is filed.

use std::time::Duration;

use gtk::{
    glib,
    glib::{prelude::*, subclass::prelude::*},
};

use super::Session;

/// How long it may take until it is filed how far was read. If it is lost, nothing is.
const FILING_INTERVAL: Duration = Duration::from_secs(1);

impl Session {
    /// Files what has changed: at once where somebody's words are in it, or were.
    pub(super) fn file(&self) {
        let imp = self.imp();
        let n_texts = self.with_client(|client| Some(client.take_saved()?.n_unacknowledged()));
        let Some(n_texts) = n_texts.flatten() else { return };
        if 0 < imp.n_filed.replace(n_texts).max(n_texts) {
            self.file_now();
        } else if !imp.is_filing.replace(true) {
            let weak = self.downgrade();
            glib::spawn_future_local(async move {
                glib::timeout_future(FILING_INTERVAL).await;
                if let Some(session) = weak.upgrade()
                    && session.imp().is_filing.get()
                {
                    session.file_now();
                }
            });
        }
    }

    /// Files everything.
    pub(super) fn file_now(&self) {
        let imp = self.imp();
        imp.is_filing.set(false);
        if let (Some(client), Some(file)) = (&*imp.client.borrow(), &*imp.file.borrow()) {
            file.write(client.saved());
        }
    }
}
