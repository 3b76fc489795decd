//! The server as it is shown to those who connect.

use pychat_wire::{
    Link,
    link::{Address, Code, DEFAULT_PORT, Host},
    message::AddressList,
};

use crate::{core::secret::Secret, limits::Limits};

/// The side of the server that those who connect are shown, and held to.
pub(super) struct Front {
    /// The name by which people know it.
    pub(super) name: String,
    pub(super) limits: Limits,
    /// The nonces that they are greeted with.
    pub(super) nonces: Secret,
    /// The addresses at which others can reach it, and its certificate.
    pub(super) link: Link,
    /// The address at which its own machine can.
    pub(super) local: Address,
    /// The addresses of all servers of the chat, if there are several.
    pub(super) servers: AddressList,
}

impl Front {
    /// Returns the front of a server of which nobody knows anything.
    pub(super) fn new(limits: &Limits, nonces: Secret) -> Self {
        let host = Host::Domain("localhost".to_owned());
        let local = Address { host, port: DEFAULT_PORT };
        let (name, link, servers) = (String::new(), Link::default(), AddressList::default());
        Self { name, limits: *limits, nonces, link, local, servers }
    }

    /// Sets what those who connect from now on are told.
    pub(super) fn set_shown(&mut self, name: &str, servers: &[Address]) {
        (self.name, self.servers) = (name.to_owned(), AddressList(servers.to_vec()));
    }

    /// Returns the link with this code that operators hand on. Where only this machine can reach the
    /// server, it leads there.
    pub(super) fn link_for_operators(&self, code: Option<Code>) -> Link {
        let mut link = Link { code, ..self.link.clone() };
        if link.addresses.is_empty() {
            link.addresses.push(self.local.clone());
        }
        link
    }
}
