//! The beginning of a conversation: who joins, by which link, from which state on.

use gtk::{glib, glib::subclass::prelude::*};
use pychat_wire::{
    Client,
    client::{Begin, Saved},
    link::Code,
};

use super::{Account, Session, SessionState, room, state_file::StateFile};
use crate::text::server_uri::Access;

impl Session {
    /// Joins as `account`, with a new conversation. Does nothing unless `Disconnected` or
    /// `Waiting`.
    pub fn join(&self, account: Account) {
        self.join_by(account, Access::default());
    }

    /// Joins as [`join`](Self::join) does, by what a link has: another server than that with its pin
    /// is not talked to.
    pub fn join_by(&self, account: Account, access: Access) {
        if self.state() == SessionState::Waiting {
            self.give_up(None);
        }
        if self.state() != SessionState::Disconnected {
            return;
        }
        let imp = self.imp();
        let (file, kept) = StateFile::open(&imp.persistence.folder.borrow(), &account);
        imp.persistence.file.replace(file);
        self.begin_rooms(kept.draft, kept.conversations);
        imp.disconnect_reason.take();
        imp.protocol.take();
        self.forget_attempts();
        self.set_name(account.name());
        self.set_server(&account.server().to_string());
        imp.access.replace(access);
        imp.account.replace(Some(account));
        self.with_key(kept.saved);
    }

    /// Begins to join, from what is `saved`.
    pub(super) fn begin(&self, saved: Saved) {
        let Some(account) = self.account() else { return };
        let client = Client::new(account.user_name().clone(), saved, random_seed())
            .beginning(Begin::LastPage(room::PAGE_MESSAGES))
            .labelled(&glib::host_name())
            .persistent();
        let client = match self.imp().access.borrow().code {
            Some(Code::Pair(code)) => client.pairing(code),
            Some(Code::Invite(code)) => client.invited(code),
            None => client,
        };
        self.imp().client.replace(Some(client));
        self.process_events();
    }
}

/// Returns 32 random bytes that nobody can guess: from them follow which texts are ours, and the key
/// of this device.
///
/// # Panics
///
/// If the system has no random numbers, as no kernel that GTK 4 runs on.
fn random_seed() -> [u8; 32] {
    let mut seed = [0; 32];
    // So few come at once or not at all, and this is asked long after the system has started.
    rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty())
        .expect("the system has random numbers");
    seed
}
