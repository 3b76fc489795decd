//! The state that outlives the program, and the time when it is filed: at once where somebody was
//! promised that it is kept, in a moment where little is lost with it.

use std::time::Duration;

use gtk::{
    glib,
    glib::{prelude::*, subclass::prelude::*},
};

use super::Session;

/// The longest delay in filing the last number read, with which nothing is lost, and the draft.
const FILING_INTERVAL: Duration = Duration::from_secs(1);

impl Session {
    /// Files what has changed: at once where the file says so.
    pub(super) fn file(&self) {
        let is_urgent = self.with_client(|client| {
            let saved = client.take_saved()?;
            Some(self.imp().file.borrow().as_ref()?.is_urgent(saved))
        });
        match is_urgent.flatten() {
            Some(true) => self.file_now(),
            Some(false) => self.file_soon(),
            None => (),
        }
    }

    /// Files everything in a moment.
    pub(super) fn file_soon(&self) {
        if self.imp().is_filing.replace(true) {
            return;
        }
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

    /// Files everything.
    pub(super) fn file_now(&self) {
        let imp = self.imp();
        imp.is_filing.set(false);
        if let (Some(client), Some(file)) = (&*imp.client.borrow(), &*imp.file.borrow()) {
            file.write(client.saved(), &imp.draft.borrow());
        }
    }

    /// Keeps what is being written, to be gone on with by the next start.
    pub fn set_draft(&self, draft: &str) {
        if *self.imp().draft.borrow() != draft {
            self.imp().draft.replace(draft.to_owned());
            self.file_soon();
        }
    }
}
