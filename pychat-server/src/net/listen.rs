//! The sockets that take calls: where they listen, and opening them.

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, ToSocketAddrs},
    os::fd::OwnedFd,
    time::Duration,
};

use mio::net::{TcpListener, TcpStream};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use thiserror::Error;

use super::listen_address::{ListenAddress, PORT_DEFAULT};

/// The most connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;

/// A line that has been silent for this long is asked whether it is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_mins(1);
/// The time that each of [`KEEPALIVE_PROBES`] questions waits for its answer.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// A line that leaves this many questions unanswered is dead.
const KEEPALIVE_PROBES: u32 = 5;
/// A line on which what was written has not been acknowledged for this long is dead too.
const UNACKNOWLEDGED_TIMEOUT: Duration =
    KEEPALIVE_IDLE.saturating_add(KEEPALIVE_INTERVAL.saturating_mul(KEEPALIVE_PROBES));

/// The most of what was written to a line that its kernel takes without having sent it, in bytes.
///
/// A peer that does not read would otherwise have megabytes of the kernel's memory besides what it is
/// owed here. What is in flight does not count, so a fast line is as fast as before.
const UNSENT_BYTES_MAX: u32 = 128 << 10;

/// The buffer for what arrives on a line and has not been read, in bytes; the kernel takes twice as
/// much for it. By itself it grows to megabytes for a peer that is read slowly because it says too much.
const RECEIVE_BYTES_MAX: usize = 64 << 10;

/// The reason why an address cannot be listened on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The system refuses the address.
    #[error("cannot listen on {address}: {}", explained(.source))]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// A host name has no address.
    #[error("cannot find the address of {host:?}: {source}")]
    Resolve {
        /// The name.
        host: String,
        /// The system's error.
        source: io::Error,
    },
}

fn explained(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => "another program is using this port".to_owned(),
        ErrorKind::AddrNotAvailable => "this machine does not have this address".to_owned(),
        ErrorKind::PermissionDenied => "no permission; ports below 1024 need privileges".to_owned(),
        _ => error.to_string(),
    }
}

/// The listening sockets of a server.
#[derive(Debug, Default)]
pub struct Opened {
    /// The sockets, each on an address of its own.
    pub listeners: Vec<TcpListener>,
    /// Addresses of host names that this machine does not have, though it has others of the name.
    pub skipped: Vec<ListenError>,
    /// The addresses of `listeners`, as they were asked for.
    addresses: Vec<SocketAddr>,
}

/// Opens a listening socket on each address that `addresses` resolve to; on every address of this
/// machine, IPv4 and IPv6, if there are none.
///
/// # Errors
///
/// [`ListenError`] if a name is unknown, if this machine has none of its addresses, or if an address
/// is refused for any other reason: half a name would be another room.
pub fn open_all(addresses: &[ListenAddress]) -> Result<Opened, ListenError> {
    let mut opened = Opened::default();
    for ListenAddress { host, port } in addresses {
        let unresolved = |source| ListenError::Resolve { host: host.clone(), source };
        let resolved = (host.as_str(), *port).to_socket_addrs().map_err(unresolved)?;
        opened.open_some(resolved)?;
    }
    if addresses.is_empty() {
        let everywhere: [SocketAddr; 2] = [
            (Ipv4Addr::UNSPECIFIED, PORT_DEFAULT).into(),
            (Ipv6Addr::UNSPECIFIED, PORT_DEFAULT).into(),
        ];
        opened.open_some(everywhere.into_iter())?;
        opened.skipped.clear(); // A machine without IPv6 is nothing to warn of.
    }
    Ok(opened)
}

impl Opened {
    /// Opens those of one name's `addresses` that this machine has.
    fn open_some(
        &mut self,
        addresses: impl Iterator<Item = SocketAddr>,
    ) -> Result<(), ListenError> {
        let mut unavailable = Vec::new();
        let mut is_open = false;
        let mut tried = Vec::new();
        for address in addresses {
            // A resolver may give one address twice; port 0 is another port each time.
            let is_known = tried.contains(&address)
                || (address.port() != 0 && self.addresses.contains(&address));
            tried.push(address);
            is_open |= is_known;
            if is_known {
                continue;
            }
            match open(address) {
                Ok(listener) => {
                    self.listeners.push(listener);
                    self.addresses.push(address);
                    is_open = true;
                }
                Err(source) if is_unavailable(&source) => {
                    unavailable.push(ListenError::Bind { address, source });
                }
                Err(source) => return Err(ListenError::Bind { address, source }),
            }
        }
        if is_open || unavailable.is_empty() {
            self.skipped.append(&mut unavailable);
            return Ok(());
        }
        Err(unavailable.swap_remove(0))
    }
}

/// Returns true if this machine does not have the address, or not its family.
fn is_unavailable(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(libc::EAFNOSUPPORT)
}

/// No `SO_REUSEPORT`: a second server on the port must fail, not split the room in two.
fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?; // IPv4 has a socket of its own.
    }
    socket.set_reuse_address(true)?; // Past connections may linger on the port after a restart.
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// Makes a listener of a socket that somebody else has opened.
///
/// # Errors
///
/// It is not a listening TCP socket.
pub fn adopt(descriptor: OwnedFd) -> io::Result<TcpListener> {
    let socket = Socket::from(descriptor);
    let is_tcp = socket.domain().is_ok_and(|it| matches!(it, Domain::IPV4 | Domain::IPV6))
        && socket.r#type().is_ok_and(|it| it == Type::STREAM)
        && socket.is_listener().is_ok_and(|it| it);
    if !is_tcp {
        return Err(io::Error::other("not a listening TCP socket"));
    }
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// Accepts the connections that wait at a socket on which an earlier process listened, and has it
/// listen no more: one that this process opens stands under the rules that the service manager has
/// for it by now.
pub fn take_over(listener: &TcpListener) -> Vec<TcpStream> {
    let waiting = (0..=BACKLOG).map_while(|_| listener.accept().ok());
    let callers = waiting.map(|(socket, _)| socket).filter(|socket| tune(socket).is_ok()).collect();
    shut_down(listener);
    callers
}

/// Has a socket listen no more, even if other processes have it. Connections that wait are refused.
pub fn shut_down(listener: &TcpListener) {
    let _ = SockRef::from(listener).shutdown(Shutdown::Both); // It fails if nobody listens there.
}

/// Sets what every accepted socket has: no delay for small writes, and a watch on dead lines.
///
/// # Errors
///
/// Those of the system call; the peer is gone already, most likely.
pub fn tune(socket: &TcpStream) -> io::Result<()> {
    let options = SockRef::from(socket);
    options.set_tcp_nodelay(true)?;
    options.set_tcp_user_timeout(Some(UNACKNOWLEDGED_TIMEOUT))?;
    options.set_tcp_notsent_lowat(UNSENT_BYTES_MAX)?;
    options.set_recv_buffer_size(RECEIVE_BYTES_MAX)?;
    options.set_tcp_keepalive(
        &TcpKeepalive::new()
            .with_time(KEEPALIVE_IDLE)
            .with_interval(KEEPALIVE_INTERVAL)
            .with_retries(KEEPALIVE_PROBES),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_sockets_are_tuned() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let caller = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = TcpStream::from_std(listener.accept().unwrap().0);
        assert!(!socket.nodelay().unwrap());
        tune(&socket).unwrap();
        let options = SockRef::from(&socket);
        assert!(options.tcp_nodelay().unwrap() && options.keepalive().unwrap());
        assert_eq!(options.tcp_keepalive_time().unwrap(), KEEPALIVE_IDLE);
        assert_eq!(options.tcp_keepalive_interval().unwrap(), KEEPALIVE_INTERVAL);
        assert_eq!(options.tcp_keepalive_retries().unwrap(), KEEPALIVE_PROBES);
        assert_eq!(options.tcp_user_timeout().unwrap(), Some(Duration::from_secs(110)));
        assert_eq!(options.tcp_notsent_lowat().unwrap(), 128 << 10);
        assert_eq!(options.recv_buffer_size().unwrap(), 2 * RECEIVE_BYTES_MAX);
        drop(caller);
    }

    #[test]
    fn who_waits_is_let_in_and_the_address_can_be_had_again() {
        let kept = open("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = kept.local_addr().unwrap();
        let managers = SockRef::from(&kept).try_clone().unwrap();
        let waiting = [(); 3].map(|()| std::net::TcpStream::connect(address).unwrap());
        let callers = take_over(&kept);
        let callers = callers.iter().map(|caller| caller.peer_addr().unwrap());
        let waiting = waiting.iter().map(|caller| caller.local_addr().unwrap());
        assert!(callers.eq(waiting));
        let refused = std::net::TcpStream::connect(address).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        open(address).unwrap(); // Nothing is in the way, though somebody else has the socket.
        drop(managers);
    }
}
