//! The server as it is shown to those who connect.

use pychat_wire::{
    Link,
    link::{Code, Host},
};

use crate::{core::secret::Secret, limits::Limits};

/// The side of the server that those who connect are shown, and held to.
pub(super) struct Front {
    /// The name by which people know it.
    pub(super) name: String,
    pub(super) limits: Limits,
    /// The nonces that they are greeted with.
    pub(super) nonces: Secret,
    /// The place at which others can reach it, and its certificate.
    pub(super) link: Link,
}

impl Front {
    /// Returns the link with this code that operators hand on. Where only this machine can reach the
    /// server, it leads there.
    pub(super) fn link_for_operators(&self, code: Option<Code>) -> Link {
        let mut link = Link { code, ..self.link.clone() };
        if link.hosts.is_empty() {
            link.hosts.push(Host::Domain("localhost".to_owned()));
        }
        link
    }
}
