//! Descriptors in the service manager's keeping: sockets that listen, always; connections, over an
//! orderly restart.

use std::{
    io,
    net::SocketAddr,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    time::{Duration, Instant},
};

use mio::{Poll, net::TcpStream};
use rustls::ServerConfig;

use super::{
    accepting::{Listener, admit},
    register,
};
use crate::{
    handover::{Snapshot, parcel},
    logging,
    net::transport::Transport,
    server::Server,
    systemd::{HANDOVER_NAME, Manager, OWN_LISTENER_NAME},
};

/// The time that the manager has to confirm that it has the connections. It answers within
/// milliseconds; nobody is served meanwhile.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(2);

/// Gives the manager the sockets on which this server listens by itself, so that callers wait while
/// there is no server; returns false if it has no room for them now.
pub(super) fn store_listeners(now: Instant, manager: &mut Manager, listeners: &[Listener]) -> bool {
    let own = listeners.iter().filter(|listener| listener.is_own);
    let sockets: Vec<_> = own.map(|listener| listener.socket.as_fd()).collect();
    sockets.is_empty() || manager.keep(now, OWN_LISTENER_NAME, &sockets)
}

/// Gives the manager every connection for the next process; returns false if it has no room for them
/// now.
///
/// # Errors
///
/// Those of the system calls, or `TimedOut` if the manager does not confirm: then the next process
/// may get nothing.
pub(super) fn store_connections(
    now: Instant,
    manager: &Manager,
    server: &mut Server<TcpStream>,
) -> io::Result<bool> {
    let (snapshot, sockets) = server.save(now);
    let sockets: Vec<_> = sockets.iter().map(|socket| socket.as_fd()).collect();
    let carriers = parcel::pack(&snapshot.to_bytes(), &sockets)?;
    let carriers: Vec<_> = carriers.iter().map(AsFd::as_fd).collect();
    if !manager.keep_unpolled(HANDOVER_NAME, &carriers)? {
        return Ok(false);
    }
    manager.confirm(CONFIRM_TIMEOUT)?;
    Ok(true)
}

/// Takes over the connections that an earlier process left in `carriers`.
pub(super) fn restore_connections(
    now: Instant,
    carriers: &[OwnedFd],
    manager: &Manager,
    poll: &Poll,
    server: &mut Server<TcpStream>,
    offer: Option<&Arc<ServerConfig>>,
) {
    if carriers.is_empty() {
        return;
    }
    manager.forget(HANDOVER_NAME);
    let unpacked = parcel::unpack(carriers).unwrap_or_else(|error| {
        logging::not_restored(&error);
        None
    });
    let Some((snapshot, sockets)) = unpacked else { return };
    let snapshot = match Snapshot::from_bytes(&snapshot) {
        Ok(snapshot) if snapshot.connections.len() == sockets.len() => snapshot,
        Ok(_) => return logging::not_restored(&"connections are missing"),
        Err(error) => return logging::not_restored(&error),
    };
    let n_sockets = sockets.len();
    let transports = sockets
        .into_iter()
        .map(|socket| Transport::new(TcpStream::from_std(socket.into()), offer.cloned()));
    server.restore(now, snapshot, transports, |transport, id| {
        register(poll, transport.socket_mut(), id)
    });
    let n_restored = server.len();
    logging::restored(n_restored, n_sockets - n_restored);
}

/// Takes in the connections that came while there was no server.
pub(super) fn admit_waiting(
    now: Instant,
    waiting: Vec<TcpStream>,
    poll: &Poll,
    server: &mut Server<TcpStream>,
    offer: Option<&Arc<ServerConfig>>,
) {
    for socket in waiting {
        let Ok(peer) = socket.peer_addr() else { continue }; // It has gone meanwhile.
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        admit(now, (socket, peer), poll, server, offer);
    }
}
