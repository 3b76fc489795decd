//! Descriptors that were open before the server began: systemd listens for it, or keeps something.

use std::{io, os::fd::OwnedFd};

use mio::net::TcpListener;
use rustix::io::{FdFlags, fcntl_setfd};
use thiserror::Error;

use crate::{logging, net::listen};

/// The name of the descriptor that holds the connections of an earlier process.
pub const HANDOVER_NAME: &str = "handover";

/// The name of a socket that an earlier process opened, to listen by itself.
pub const OWN_LISTENER_NAME: &str = "own-listener";

/// The descriptors that were passed to this process.
#[derive(Debug, Default)]
pub struct Inherited {
    /// Sockets on which systemd listens for the server, whatever they are called.
    pub listeners: Vec<TcpListener>,
    /// Sockets on which an earlier process listened by itself.
    pub own_listeners: Vec<TcpListener>,
    /// Holders of the connections of an earlier process.
    pub carriers: Vec<OwnedFd>,
    /// The names of those that are of no use, each with the reason.
    unusable: Vec<(String, io::Error)>,
}

/// The reason why the server should not start with what was passed to it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InheritedError {
    /// The variables that tell of descriptors contradict themselves.
    #[error("cannot tell which sockets were passed: LISTEN_PID and LISTEN_FDS should be numbers")]
    Variables,
    /// Something was passed, and the server cannot listen on any of it.
    #[error("no listening TCP socket was passed by the service manager: {name:?}: {source}")]
    NoListener {
        /// The name of the first descriptor.
        name: String,
        /// The fault in it.
        source: io::Error,
    },
}

impl Inherited {
    /// Takes what was passed. The descriptors have one owner, so this is done once in the life of a
    /// process, before it opens anything of its own.
    ///
    /// # Errors
    ///
    /// [`InheritedError`] if the service manager means the server to listen on something, and it
    /// cannot: anywhere else it would be open to people that nobody meant to let in.
    pub fn take() -> Result<Self, InheritedError> {
        let passed = sd_listen_fds::get().map_err(|_| InheritedError::Variables)?;
        let mut inherited = Self::default();
        for (name, descriptor) in passed {
            inherited.add(name.unwrap_or_default(), descriptor.into_std());
        }
        inherited.check()
    }

    fn add(&mut self, name: String, descriptor: OwnedFd) {
        let added = match name.as_str() {
            HANDOVER_NAME => close_on_exec(&descriptor).map(|()| self.carriers.push(descriptor)),
            OWN_LISTENER_NAME => listening(descriptor).map(|own| self.own_listeners.push(own)),
            _ => listening(descriptor).map(|listener| self.listeners.push(listener)),
        };
        if let Err(error) = added {
            self.unusable.push((name, error));
        }
    }

    /// Warns of what is of no use. What the server gave into keeping itself says nothing of where it
    /// should listen, and that it is there says that an earlier process listened by itself.
    fn check(mut self) -> Result<Self, InheritedError> {
        let is_listening = !self.listeners.is_empty() || !self.own_listeners.is_empty();
        let is_own = |name: &str| [HANDOVER_NAME, OWN_LISTENER_NAME].contains(&name);
        let mut strange = self.unusable.iter().position(|(name, _)| !is_own(name));
        if let Some(index) = strange.take_if(|_| !is_listening) {
            let (name, source) = self.unusable.swap_remove(index);
            return Err(InheritedError::NoListener { name, source });
        }
        for (name, error) in self.unusable.drain(..) {
            logging::not_inherited(&name, &error);
        }
        Ok(self)
    }
}

fn listening(descriptor: OwnedFd) -> io::Result<TcpListener> {
    close_on_exec(&descriptor)?;
    listen::adopt(descriptor)
}

/// It came through an exec, so it is still open to whatever the server starts.
fn close_on_exec(descriptor: &OwnedFd) -> io::Result<()> {
    Ok(fcntl_setfd(descriptor, FdFlags::CLOEXEC)?)
}

#[cfg(test)]
mod tests {
    use std::{net, os::unix::net::UnixStream};

    use super::*;

    #[test]
    fn what_listens_is_taken_whatever_it_is_called() {
        let tcp = || OwnedFd::from(net::TcpListener::bind("127.0.0.1:0").unwrap());
        let unix = || OwnedFd::from(UnixStream::pair().unwrap().0);
        let udp = || OwnedFd::from(net::UdpSocket::bind("127.0.0.1:0").unwrap());
        // How many systemd listens on, and how many this server did; none if it should not start.
        for (passed, expected) in [
            (vec![], Some((0, 0))),
            (vec![("listener", tcp())], Some((1, 0))),
            (vec![("chat.socket", tcp()), ("", tcp())], Some((2, 0))),
            (vec![(OWN_LISTENER_NAME, tcp())], Some((0, 1))),
            (vec![(OWN_LISTENER_NAME, unix())], Some((0, 0))),
            (vec![("listener", unix())], None),
            (vec![("", udp()), ("else", unix())], None),
            (vec![("else", unix()), ("listener", tcp())], Some((1, 0))),
            (vec![("else", unix()), (OWN_LISTENER_NAME, tcp())], Some((0, 1))),
            (vec![(HANDOVER_NAME, unix()), ("else", unix())], None),
        ] {
            let names: Vec<_> = passed.iter().map(|(name, _)| *name).collect();
            let mut inherited = Inherited::default();
            for (name, descriptor) in passed {
                inherited.add(name.to_owned(), descriptor);
            }
            let found = inherited.check().ok();
            let found = found.map(|it| (it.listeners.len(), it.own_listeners.len()));
            assert_eq!(found, expected, "{names:?}");
        }
    }
}
