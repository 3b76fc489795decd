//! Descriptors that were open before the server began: systemd listens for it, or keeps something.

use std::os::fd::OwnedFd;

use mio::net::TcpListener;
use rustix::io::{FdFlags, fcntl_setfd};

use crate::{listener, logging};

/// What systemd calls a socket that the server should accept on (`FileDescriptorName=`).
pub const LISTENER_NAME: &str = "listener";

/// The name of what holds the connections of an earlier process.
pub const HANDOVER_NAME: &str = "handover";

/// What a socket is called that an earlier process opened, to listen by itself.
pub const OWN_LISTENER_NAME: &str = "own-listener";

/// What was passed on to this process.
#[derive(Debug, Default)]
pub struct Inherited {
    /// Sockets that systemd listens on for the server.
    pub listeners: Vec<TcpListener>,
    /// Sockets that an earlier process listened on by itself.
    pub own_listeners: Vec<TcpListener>,
    /// Holders of the connections of an earlier process.
    pub carriers: Vec<OwnedFd>,
    /// All else, by name.
    pub others: Vec<(String, OwnedFd)>,
}

impl Inherited {
    /// Takes what was passed on. The descriptors have one owner, so this is done once in the life of
    /// a process, before it opens anything of its own.
    pub fn take() -> Self {
        let passed = sd_listen_fds::get().unwrap_or_else(|error| {
            logging::inherited_nothing(&error);
            Vec::new()
        });
        let mut inherited = Self::default();
        for (name, descriptor) in passed {
            inherited.add(name.unwrap_or_default(), descriptor.into_std());
        }
        inherited
    }

    fn add(&mut self, name: String, descriptor: OwnedFd) {
        // It came through an exec, so it is still open to whatever the server starts.
        if let Err(error) = fcntl_setfd(&descriptor, FdFlags::CLOEXEC) {
            logging::not_inherited(&name, &error);
            return;
        }
        if name == HANDOVER_NAME {
            self.carriers.push(descriptor);
            return;
        }
        let listeners = match name.as_str() {
            LISTENER_NAME => &mut self.listeners,
            OWN_LISTENER_NAME => &mut self.own_listeners,
            _ => {
                self.others.push((name, descriptor));
                return;
            }
        };
        match listener::adopt(descriptor) {
            Ok(listener) => listeners.push(listener),
            Err(error) => logging::not_inherited(&name, &error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net, os::unix::net::UnixStream};

    use super::*;

    #[test]
    fn what_listens_is_told_by_its_name_and_what_it_is() {
        let listening = || OwnedFd::from(net::TcpListener::bind("127.0.0.1:0").unwrap());
        let line = || OwnedFd::from(UnixStream::pair().unwrap().0);
        for (name, descriptor, listeners, own, others) in [
            (LISTENER_NAME, listening(), 1, 0, 0),
            (LISTENER_NAME, line(), 0, 0, 0),
            (OWN_LISTENER_NAME, listening(), 0, 1, 0),
            (OWN_LISTENER_NAME, line(), 0, 0, 0),
            ("else", listening(), 0, 0, 1),
            ("", line(), 0, 0, 1),
        ] {
            let mut inherited = Inherited::default();
            inherited.add(name.to_owned(), descriptor);
            let Inherited { listeners: systemds, own_listeners, carriers: _, others: rest } =
                &inherited;
            let found = (systemds.len(), own_listeners.len(), rest.len());
            assert_eq!(found, (listeners, own, others), "{name:?}");
        }
    }
}
