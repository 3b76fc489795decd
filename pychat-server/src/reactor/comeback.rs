//! Connections that an earlier process had, and the service manager kept.

use std::{io, net::SocketAddr, os::fd::AsFd, time::Instant};

use mio::{Poll, net::TcpStream};

use super::{accepting::Listener, register, utc_ms};
use crate::{
    connection::Socket,
    cursors::Cursors,
    log::StorageError,
    logging,
    notes::Notes,
    switchboard::{AllWaiting, Switchboard, Waiting},
    systemd::{Manager, OWN_LISTENER_NAME, PEER_NAME},
};

/// Lets connections outlive this process, if somebody would keep them, and takes up those `peers`
/// that outlived another.
pub(super) fn take_up(
    now: Instant,
    peers: Vec<TcpStream>,
    poll: &Poll,
    switchboard: &mut Switchboard<TcpStream>,
) -> Result<(), StorageError> {
    let Some(notes) = Notes::of_process() else { return Ok(()) };
    let account = notes.read().unwrap_or_else(|unreadable| {
        logging::notes_unreadable(unreadable);
        None
    });
    switchboard.keep(notes);
    if peers.is_empty() && account.is_none() {
        return Ok(());
    }
    let n_peers = peers.len();
    let waiting: AllWaiting<_> = peers.into_iter().filter_map(|peer| examine(peer).ok()).collect();
    switchboard.take_up((now, utc_ms()), account.as_ref(), waiting, |socket, id| {
        register(poll, socket, id)
    })?;
    let n_taken_up = switchboard.len();
    logging::taken_up(n_taken_up, n_peers.saturating_sub(n_taken_up));
    Ok(())
}

/// Gives the manager the sockets that it does not have yet, as far as it takes them.
pub(super) fn hand_out(
    now: Instant,
    manager: &mut Manager,
    switchboard: &mut Switchboard<TcpStream>,
) {
    switchboard.hand_out(|sockets| {
        let sockets: Vec<_> = sockets.iter().map(|socket| socket.as_fd()).collect();
        manager.keep(now, PEER_NAME, &sockets)
    });
}

/// Gives the manager the sockets on which this server listens by itself, so that who calls while there
/// is none waits for the next; returns false if it does not take them now.
pub(super) fn hand_out_listeners(
    now: Instant,
    manager: &mut Manager,
    listeners: &[Listener],
) -> bool {
    let own = listeners.iter().filter(|listener| listener.is_own);
    let sockets: Vec<_> = own.map(|listener| listener.socket.as_fd()).collect();
    sockets.is_empty() || manager.keep(now, OWN_LISTENER_NAME, &sockets)
}

/// Finds out who is at the other end of a socket, and how far it came. One whose line is no more is
/// of no use.
fn examine(mut socket: TcpStream) -> io::Result<(u64, Waiting<TcpStream>)> {
    let found = || -> io::Result<_> {
        let peer = socket.peer_addr()?;
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        Ok((socket.cookie()?, peer, Cursors::of(&socket)?))
    };
    match found() {
        Ok((cookie, peer, cursors)) => Ok((cookie, Waiting { socket, peer, cursors })),
        Err(error) => {
            socket.hang_up();
            Err(error)
        }
    }
}
