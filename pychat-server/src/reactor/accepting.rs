//! Listening sockets, and the connections accepted from them.

use std::{
    io::ErrorKind,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use mio::{
    Poll,
    net::{TcpListener, TcpStream},
};
use rustls::ServerConfig;

use super::register;
use crate::{
    logging,
    net::{listen, transport::Transport},
    server::Server,
};

/// The pause in accepting after the system refused, out of descriptors most likely.
pub const ACCEPT_RETRY: Duration = Duration::from_millis(200);

/// The most connections that one listener may bring in a tick, so that a crowd of them does not
/// keep the people in the room waiting.
const ACCEPTS_PER_TICK_MAX: usize = 256;

#[derive(Debug)]
pub(super) struct Listener {
    pub(super) socket: TcpListener,
    pub(super) address: SocketAddr,
    /// This server opened it, or one before it; systemd did not.
    pub(super) is_own: bool,
    pub(super) accepting: Accepting,
}

/// The readiness of a listener: if a connection may be waiting.
#[derive(Clone, Copy, Debug)]
pub(super) enum Accepting {
    /// An edge said so; only `WouldBlock` says otherwise.
    Ready,
    Drained,
    /// The system refused; a connection is still waiting, and no edge will come.
    Resting {
        until: Instant,
    },
}

impl Listener {
    /// Takes no more calls. The manager, if it keeps this socket as well, drops it by that; one that
    /// systemd listens on goes on listening.
    pub(super) fn close(self) {
        if self.is_own {
            listen::shut_down(&self.socket);
        }
    }

    /// Accepts the connections that wait. No error here ends the server.
    pub(super) fn accept(
        &mut self,
        now: Instant,
        poll: &Poll,
        server: &mut Server<TcpStream>,
        offer: Option<&Arc<ServerConfig>>,
    ) {
        for _ in 0..ACCEPTS_PER_TICK_MAX {
            match self.socket.accept() {
                Ok((socket, peer)) => {
                    // A socket for both families shows IPv4 addresses in the guise of IPv6 ones.
                    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                    if let Accepting::Resting { .. } = self.accepting {
                        logging::accepting_again(self.address);
                        self.accepting = Accepting::Ready;
                    }
                    admit(now, (socket, peer), poll, server, offer);
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => {
                        self.accepting = Accepting::Drained;
                        return;
                    }
                    ErrorKind::Interrupted | ErrorKind::ConnectionAborted => (),
                    _ => {
                        if let Accepting::Ready = self.accepting {
                            logging::accept_failed(self.address, &error);
                        }
                        self.accepting = Accepting::Resting { until: now + ACCEPT_RETRY };
                        return;
                    }
                },
            }
        }
    }
}

impl Accepting {
    /// Notes an edge. A listener that rests goes on resting: the system would refuse again.
    pub(super) fn set_ready(&mut self) {
        if let Self::Drained = self {
            *self = Self::Ready;
        }
    }

    pub(super) fn is_due(self, now: Instant) -> bool {
        match self {
            Self::Ready => true,
            Self::Drained => false,
            Self::Resting { until } => until <= now,
        }
    }
}

/// Registers a socket and hands it to the server, unless it is not worth that.
pub(super) fn admit(
    now: Instant,
    (mut socket, peer): (TcpStream, SocketAddr),
    poll: &Poll,
    server: &mut Server<TcpStream>,
    offer: Option<&Arc<ServerConfig>>,
) {
    if server.is_to_be_dropped(now, peer) {
        return;
    }
    let id = server.next_id();
    let ready = listen::tune(&socket).and_then(|()| register(poll, &mut socket, id));
    match ready {
        Ok(()) => server.admit(now, Transport::new(socket, offer.cloned()), peer),
        Err(error) => logging::not_admitted(peer, &error),
    }
}
