//! What outlives the program, and when it is filed: at once where somebody was promised that it is
//! kept, in a moment where little is lost with it.

use std::time::Duration;

use gtk::{
    glib,
    glib::{prelude::*, subclass::prelude::*},
};

use super::Session;

/// How long it may take until it is filed how far was read, with which nothing is lost, and what
/// is being written.
const FILING_INTERVAL: Duration = Duration::from_secs(1);

impl Session {
    /// Files what has changed: at once where somebody's words are in it, or were, and where the name
    /// is proven by something else.
    pub(super) fn file(&self) {
        let imp = self.imp();
        let changed = self.with_client(|client| {
            let saved = client.take_saved()?;
            Some((saved.n_unacknowledged(), saved.proof().map(str::to_owned)))
        });
        let Some((n_texts, proof)) = changed.flatten() else { return };
        let has_texts = 0 < imp.n_filed.replace(n_texts).max(n_texts);
        let is_proof_new = imp.filed_proof.replace(proof.clone()) != proof;
        if has_texts || is_proof_new {
            self.file_now();
        } else {
            self.file_soon();
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
