//! The beginning of a conversation: who joins, by which link, from which state on.

use gtk::{glib, glib::subclass::prelude::*};
use pychat_wire::{
    Client,
    client::{Begin, Saved},
    link::{Address, Code},
};

use super::{Account, Session, SessionState, room, state_file::StateFile};
use crate::text::{server_address::ServerAddress, server_uri::Access};

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
        self.forget_server_name();
        imp.account.replace(Some(account));
        self.with_key(kept.saved);
    }

    /// Begins to join, from what is `saved`.
    pub(super) fn begin(&self, saved: Saved) {
        let Some(account) = self.account() else { return };
        let given = given(&account, &self.imp().access.borrow(), &saved);
        let client = Client::new(account.user_name().clone(), saved, random_seed())
            .at(given)
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

/// Returns the addresses of the chat: those of the link, or of the one by which it was joined before, if
/// there is none now, or none that says more. Those that were found in the network are for this time only.
fn given(account: &Account, access: &Access, saved: &Saved) -> Vec<Address> {
    let server = account.server().to_link_address();
    let Access { others, pin, code, is_found } = access;
    let says_nothing = *is_found || (others.is_empty() && pin.is_none() && code.is_none());
    if says_nothing && server.is_some() && saved.given().first() == server.as_ref() {
        return saved.given().to_vec();
    }
    let others = if *is_found { &[] } else { &**others };
    server.into_iter().chain(others.iter().filter_map(ServerAddress::to_link_address)).collect()
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
