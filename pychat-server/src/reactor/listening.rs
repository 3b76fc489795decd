//! The sockets that take calls, what callers are offered, and what others may be told of them.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use pychat_wire::{Link, link::Address};
use rustls::ServerConfig;

use super::accepting::Listener;
use crate::{
    logging,
    net::{
        identity::Identity,
        reach::{self, Reach},
    },
    systemd::Announcement,
};

/// The sockets that take calls, and what callers are offered.
#[derive(Debug)]
pub(super) struct Listening {
    pub(super) listeners: Vec<Listener>,
    /// The manager has them, or never will.
    pub(super) are_stored: bool,
    /// The certificate for TLS, if there is one.
    pub(super) identity: Option<Identity>,
    /// The time until which the addresses of this machine count as known.
    pub(super) known_until: Option<Instant>,
}

impl Listening {
    /// Returns the link by which others can reach what listens here.
    pub(super) fn link(&self, reach: &Reach) -> Link {
        let pin = self.identity.as_ref().map(|identity| identity.pin);
        reach::link(&self.addresses(), reach, pin)
    }

    /// Returns the address at which this machine itself reaches it.
    pub(super) fn local(&self) -> Address {
        reach::local(&self.addresses())
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|listener| listener.address).collect()
    }

    /// Returns what the next connections are offered.
    pub(super) fn offer(&self) -> Option<Arc<ServerConfig>> {
        self.identity.as_ref().map(|identity| Arc::clone(&identity.config))
    }

    /// Says what the local network may be told of a server with this `name`.
    pub(super) fn announce(&self, name: &str) {
        let addresses = self.addresses();
        let pin = self.identity.as_ref().map(|identity| identity.pin);
        if let Err(error) = Announcement::of_process().write(name, addresses, pin) {
            logging::not_announced(&error);
        }
    }
}
