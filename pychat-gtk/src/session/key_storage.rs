//! The place of the secret key of this device: the secret service of the desktop where there is one,
//! the file with everything else where there is none.
//!
//! A key leaves the file only after the service has given it back, and the file then says which key
//! it is.

use std::sync::Once;

use gtk::{glib, glib::prelude::*, glib::subclass::prelude::*};
use pychat_wire::{
    client::Saved,
    key::{PublicKey, SecretKey},
    link::Code,
};

use super::{
    Session, SessionState,
    connecting::Connection,
    disconnect_reason::DisconnectReason,
    secret_service::{self, SecretError},
    state_file::StateFile,
};
use crate::text::names;

/// Says once, in the journal, that keys stay in files.
static SAID: Once = Once::new();

impl Session {
    /// Goes on with `begin` once the key that belongs to `saved` is there, if it is in the secret
    /// service; at once otherwise.
    pub(super) fn with_key(&self, saved: Saved) {
        let public =
            self.imp().persistence.file.borrow().as_ref().and_then(StateFile::key_elsewhere);
        let Some(public) = public.filter(|_| saved.key().is_none()) else {
            return self.begin(saved);
        };
        self.set_state(SessionState::Connecting);
        let weak = self.downgrade();
        let finding = glib::spawn_future_local(async move {
            let found = secret_service::find(public).await;
            if let Some(session) = weak.upgrade() {
                session.on_key_found(saved, found);
            }
        });
        self.imp().connecting.connection.replace(Connection::Connecting(finding));
    }

    /// A device whose key is gone for good can be added anew, with a key of its own.
    fn on_key_found(&self, saved: Saved, found: Result<SecretKey, SecretError>) {
        self.imp().connecting.connection.take(); // The task that calls this; it is about to end.
        let is_added = matches!(self.imp().access.borrow().code, Some(Code::Pair(_)));
        match found {
            Ok(key) => self.begin(saved.with_key(key)),
            Err(SecretError::Missing) if is_added => self.begin(saved),
            Err(error) => {
                glib::g_info!("pychat", "cannot read the key of this device: {error}");
                self.give_up(Some(match error {
                    SecretError::Missing => DisconnectReason::KeyMissing,
                    _ => DisconnectReason::KeyLocked,
                }));
            }
        }
    }

    /// Moves the key from the file to the secret service, if it is not there already.
    pub(super) fn move_key(&self) {
        let imp = self.imp();
        let key = self.ask_client(|client| client.saved().key()).flatten();
        let kept = imp.persistence.file.borrow().as_ref().map(StateFile::key_elsewhere);
        let (Some(key), Some(kept)) = (key, kept) else { return };
        if kept == Some(key.public()) || !imp.persistence.uses_secret_service.get() {
            return;
        }
        let label = format!("Pychat: {}", names::chat(&self.name(), &self.server()));
        let weak = self.downgrade();
        glib::spawn_future_local(async move {
            match secret_service::store(&key, &label).await {
                Ok(()) => {
                    if let Some(session) = weak.upgrade() {
                        session.on_key_stored(key.public());
                    }
                }
                Err(error) => SAID.call_once(|| {
                    glib::g_info!("pychat", "keys of this device stay in files: {error}");
                }),
            }
        });
    }

    /// The file says from now on where the key is, if it is still the file of that key.
    fn on_key_stored(&self, public: PublicKey) {
        let key = self.ask_client(|client| client.saved().key()).flatten();
        if key.is_some_and(|key| key.public() == public)
            && let Some(file) = &*self.imp().persistence.file.borrow()
        {
            file.keep_key_elsewhere(public);
        }
        self.save_now();
    }
}
