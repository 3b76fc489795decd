//! The state that outlives the program, and the time when it is saved: at once where somebody was
//! promised that it is kept, in a moment where little is lost with it.

use std::{
    cell::{Cell, RefCell},
    path::PathBuf,
    time::Duration,
};

use gtk::{
    glib,
    glib::{prelude::*, subclass::prelude::*},
};

use super::{Session, state_file::StateFile};

/// The longest delay in saving the last number read, with which nothing is lost, and the draft.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// The file of a session.
#[derive(Debug)]
pub(super) struct Persistence {
    pub(super) folder: RefCell<PathBuf>,
    pub(super) file: RefCell<Option<StateFile>>,
    /// True if the key may be in the secret service of the desktop.
    pub(super) uses_secret_service: Cell<bool>,
    /// True while something of little weight waits to be saved.
    pub(super) is_save_due: Cell<bool>,
}

impl Default for Persistence {
    fn default() -> Self {
        Self {
            folder: RefCell::new(glib::user_state_dir().join("pychat")),
            file: RefCell::default(),
            uses_secret_service: Cell::new(true),
            is_save_due: Cell::default(),
        }
    }
}

impl Session {
    /// Saves what has changed: at once where the file says so.
    pub(super) fn save_changes(&self) {
        let is_urgent = self.with_client(|client| {
            let saved = client.take_saved()?;
            Some(self.imp().persistence.file.borrow().as_ref()?.is_urgent(saved))
        });
        match is_urgent.flatten() {
            Some(true) => self.save_now(),
            Some(false) => self.save_soon(),
            None => (),
        }
    }

    /// Saves everything in a moment.
    pub(super) fn save_soon(&self) {
        if self.imp().persistence.is_save_due.replace(true) {
            return;
        }
        let weak = self.downgrade();
        glib::spawn_future_local(async move {
            glib::timeout_future(SAVE_INTERVAL).await;
            if let Some(session) = weak.upgrade()
                && session.imp().persistence.is_save_due.get()
            {
                session.save_now();
            }
        });
    }

    /// Saves everything.
    pub(super) fn save_now(&self) {
        let imp = self.imp();
        imp.persistence.is_save_due.set(false);
        if let (Some(client), Some(file)) = (&*imp.client.borrow(), &*imp.persistence.file.borrow())
        {
            file.write(client.saved(), &self.room().draft(), &self.kept_rooms());
        }
    }
}
