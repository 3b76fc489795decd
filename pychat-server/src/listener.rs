//! The sockets that take calls: where they listen, and opening them.

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, ToSocketAddrs},
    os::fd::OwnedFd,
    str::FromStr,
    time::Duration,
};

use mio::net::{TcpListener, TcpStream};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use thiserror::Error;

use crate::reactor::StartError;

/// The port of the original program.
pub const PORT_DEFAULT: u16 = 12_345;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1_024;

/// A line that has been silent for this long is asked whether it is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_mins(1);
/// How long each of [`KEEPALIVE_PROBES`] questions waits for its answer.
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

/// Where to listen: a host, as a name or a literal address, and a port.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListenAddress {
    host: String,
    port: u16,
}

/// Why a text is no [`ListenAddress`].
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum ListenAddressError {
    /// There is no host in it.
    #[error("the address is missing; write ADDRESS:PORT, such as 127.0.0.1:12345 or [::1]:12345")]
    NoHost,
    /// An IPv6 address stands there without brackets.
    #[error("an IPv6 address needs brackets, such as [::1]:12345")]
    NoBrackets,
    /// What stands in brackets is no IPv6 address.
    #[error("what stands in brackets is no IPv6 address")]
    BadBrackets,
    /// The port is none.
    #[error("the port should be a number from 0 to 65535")]
    BadPort,
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or(ListenAddressError::BadBrackets)?;
            host.parse::<Ipv6Addr>().map_err(|_| ListenAddressError::BadBrackets)?;
            let port = rest.strip_prefix(':').or(rest.is_empty().then_some(""));
            (host, port.ok_or(ListenAddressError::BadPort)?)
        } else if text.parse::<Ipv6Addr>().is_ok() {
            return Err(ListenAddressError::NoBrackets);
        } else {
            text.split_once(':').unwrap_or((text, ""))
        };
        if host.is_empty() {
            return Err(ListenAddressError::NoHost);
        }
        let port = match port {
            "" if text.ends_with(':') => return Err(ListenAddressError::BadPort),
            "" => PORT_DEFAULT,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| ListenAddressError::BadPort)?
            }
            _ => return Err(ListenAddressError::BadPort),
        };
        Ok(Self { host: host.to_owned(), port })
    }
}

/// Opens a listening socket on each address that `addresses` come to; on every address of this
/// machine, IPv4 and IPv6, if there are none.
///
/// # Errors
///
/// [`StartError`] names the address that cannot be had.
pub fn open_all(addresses: &[ListenAddress]) -> Result<Vec<TcpListener>, StartError> {
    if addresses.is_empty() {
        return open_everywhere();
    }
    let mut listeners = Vec::new();
    for ListenAddress { host, port } in addresses {
        let resolved = (host.as_str(), *port)
            .to_socket_addrs()
            .map_err(|source| StartError::Resolve { host: host.clone(), source })?;
        for address in resolved {
            listeners.push(open_or_explain(address)?);
        }
    }
    Ok(listeners)
}

fn open_everywhere() -> Result<Vec<TcpListener>, StartError> {
    let mut listeners = vec![open_or_explain((Ipv4Addr::UNSPECIFIED, PORT_DEFAULT).into())?];
    let address = SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT_DEFAULT));
    match open(address) {
        Ok(listener) => listeners.push(listener),
        Err(error) if is_unsupported(&error) => (), // A machine without IPv6.
        Err(source) => return Err(StartError::Bind { address, source }),
    }
    Ok(listeners)
}

fn is_unsupported(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(libc::EAFNOSUPPORT)
}

fn open_or_explain(address: SocketAddr) -> Result<TcpListener, StartError> {
    open(address).map_err(|source| StartError::Bind { address, source })
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
/// It is none for TCP, or none that listens.
pub fn adopt(descriptor: OwnedFd) -> io::Result<TcpListener> {
    let socket = Socket::from(descriptor);
    let is_tcp = matches!(socket.domain()?, Domain::IPV4 | Domain::IPV6)
        && socket.r#type()? == Type::STREAM
        && socket.is_listener()?;
    if !is_tcp {
        return Err(io::Error::other("it is no TCP socket that listens"));
    }
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// Lets in who waits at a socket on which an earlier process listened, and has it listen no more: one
/// that this process opens stands under the rules that the service manager has for it by now.
pub fn take_over(listener: &TcpListener) -> Vec<TcpStream> {
    let waiting = (0..=BACKLOG).map_while(|_| listener.accept().ok());
    let callers = waiting.map(|(socket, _)| socket).filter(|socket| tune(socket).is_ok()).collect();
    shut_down(listener);
    callers
}

/// Has a socket listen no more, whoever else has it. Who still waits there is refused.
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

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let good = |host: &str, port| Ok(ListenAddress { host: host.to_owned(), port });
        for (text, address) in [
            ("127.0.0.1:7000", good("127.0.0.1", 7_000)),
            ("127.0.0.1", good("127.0.0.1", PORT_DEFAULT)),
            ("[::1]:7000", good("::1", 7_000)),
            ("[::1]", good("::1", PORT_DEFAULT)),
            ("localhost:0", good("localhost", 0)),
            ("chat.example:65535", good("chat.example", 65_535)),
            ("", Err(ListenAddressError::NoHost)),
            (":7000", Err(ListenAddressError::NoHost)),
            ("::1", Err(ListenAddressError::NoBrackets)),
            ("[::1", Err(ListenAddressError::BadBrackets)),
            ("[localhost]:1", Err(ListenAddressError::BadBrackets)),
            ("[::1]7000", Err(ListenAddressError::BadPort)),
            ("[::1]:", Err(ListenAddressError::BadPort)),
            ("localhost:", Err(ListenAddressError::BadPort)),
            ("localhost:65536", Err(ListenAddressError::BadPort)),
            ("localhost:+7000", Err(ListenAddressError::BadPort)),
            ("localhost:http", Err(ListenAddressError::BadPort)),
            ("a:b:1", Err(ListenAddressError::BadPort)),
        ] {
            assert_eq!(text.parse(), address, "{text}");
        }
    }
}
