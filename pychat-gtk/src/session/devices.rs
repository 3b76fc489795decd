//! The devices of the reader: the list of them, and the code by which another one joins.

use std::{cell::RefCell, time::Duration};

use gtk::glib::{prelude::*, subclass::prelude::*};
pub use pychat_wire::client::Device;
use pychat_wire::{
    Client,
    key::{PairCode, PublicKey},
    link::{Address, Code, Link},
};

use super::{Account, Session, SessionState, encryption::Encryption, notices, now_ms};

/// The devices of a session's person and the last code to add one, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Devices {
    /// The devices, in the order in which they were added; empty until they were asked for.
    list: RefCell<Vec<Device>>,
    /// The last code, and the time at which it is no longer good, on the clock of [`now_ms`].
    pair_code: RefCell<Option<(PairCode, u64)>>,
}

impl Session {
    /// Returns true if devices can be managed and people invited: now, and on this server.
    pub fn can_manage(&self) -> bool {
        self.state() == SessionState::Joined && !self.speaks_original()
    }

    /// Asks the server for the devices; `devices-changed` follows. Returns false without a
    /// connection.
    pub fn request_devices(&self) -> bool {
        self.ask_server(Client::request_devices)
    }

    /// Asks the server for a code by which another device joins; `pair-code-changed` follows.
    /// Returns false without a connection.
    pub fn request_pair_code(&self) -> bool {
        self.imp().devices.pair_code.take();
        self.ask_server(Client::request_pair_code)
    }

    /// Removes another device; `devices-changed` follows. Returns false without a connection.
    pub fn remove_device(&self, key: PublicKey) -> bool {
        self.ask_server(|client| client.remove_device(key))
    }

    /// Returns the devices as the server last listed them.
    pub fn devices(&self) -> Vec<Device> {
        self.imp().devices.list.borrow().clone()
    }

    /// Returns true if `key` is that of this device.
    pub fn is_this_device(&self, key: PublicKey) -> bool {
        let own = self.ask_client(|client| client.saved().key()).flatten();
        own.is_some_and(|own| own.public() == key)
    }

    /// Returns the link by which another device joins, and how long it is good for.
    pub fn pair_link(&self) -> Option<(Link, Duration)> {
        let (code, until_ms) = (*self.imp().devices.pair_code.borrow())?;
        let account = self.account()?;
        let pin = match self.encryption() {
            Some(Encryption::Tls { pin, .. }) => pin.parse().ok(),
            _ => None,
        };
        let link = Link {
            addresses: self.link_addresses(&account)?,
            name: Some(account.user_name().clone()),
            pin,
            code: Some(Code::Pair(code)),
        };
        Some((link, Duration::from_millis(until_ms.saturating_sub(now_ms()))))
    }

    /// Returns the addresses for a link to this chat; `None` if only this computer understands them.
    fn link_addresses(&self, account: &Account) -> Option<Vec<Address>> {
        let given = self.ask_client(|client| client.given().to_vec()).unwrap_or_default();
        if given.is_empty() { Some(vec![account.server().to_link_address()?]) } else { Some(given) }
    }

    pub(super) fn on_devices(&self, devices: Vec<Device>) {
        self.imp().devices.list.replace(devices);
        self.emit_by_name::<()>("devices-changed", &[]);
    }

    pub(super) fn on_pair_code(&self, code: PairCode, expires_ms: u64) {
        let until_ms = now_ms().saturating_add(expires_ms);
        self.imp().devices.pair_code.replace(Some((code, until_ms)));
        self.emit_by_name::<()>("pair-code-changed", &[]);
    }

    /// Another device has joined: that is said in the conversation, for who did not add it.
    pub(super) fn on_device_added(&self, label: &str) {
        self.room().note(None, &notices::device_added(label));
        self.imp().devices.pair_code.take();
        self.emit_by_name::<()>("device-added", &[&label]);
        self.request_devices();
    }

    /// Forgets the devices and the code of one server, which mean nothing on the next.
    pub(super) fn forget_devices(&self) {
        self.imp().devices.list.take();
        self.imp().devices.pair_code.take();
    }

    pub(super) fn ask_server(&self, request: impl FnOnce(&mut Client) -> bool) -> bool {
        let is_asked = self.with_client(request).unwrap_or_default();
        self.process_events();
        is_asked
    }
}
