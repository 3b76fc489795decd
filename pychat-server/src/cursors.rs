//! How far a connection came, as the system has it, whichever process had the socket before.

use std::io;

use mio::net::TcpStream;
use nix::sys::socket::getsockopt;
use rustix::io::ioctl_fionread;

use crate::connection::Moved;

/// Where a socket stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cursors {
    /// What went through it.
    pub moved: Moved,
    /// Our stream to the peer has ended.
    pub is_ended: bool,
}

impl Cursors {
    /// Asks the system.
    ///
    /// # Errors
    ///
    /// Those of the system calls; `NotConnected` if the line is no more.
    pub fn of(socket: &TcpStream) -> io::Result<Self> {
        loop {
            let info = getsockopt(socket, option::Info)?;
            let unread = ioctl_fionread(socket)?;
            // What arrives in between would be counted on one side only.
            if getsockopt(socket, option::Info)?.bytes_received == info.bytes_received {
                return Self::from(&info, unread);
            }
        }
    }

    /// A peer's end counts as a byte that was received, ours as one that was not sent yet.
    fn from(info: &option::TcpInfo, unread: u64) -> io::Result<Self> {
        if info.state == CLOSE {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let peer_has_ended = [CLOSE_WAIT, LAST_ACK, CLOSING, TIME_WAIT].contains(&info.state);
        let is_ended = [FIN_WAIT1, FIN_WAIT2, LAST_ACK, CLOSING, TIME_WAIT].contains(&info.state);
        let received = info.bytes_received - u64::from(peer_has_ended);
        let sent_once = info.bytes_sent.saturating_sub(info.bytes_retrans);
        let written = match (info.unacked, info.notsent_bytes) {
            (0, 0) if !is_ended => info.bytes_acked, // Nothing is simpler than that all has arrived.
            (_, notsent) => sent_once + u64::from(notsent),
        };
        let moved = Moved { read: received.saturating_sub(unread), written };
        Ok(Self { moved, is_ended })
    }
}

// The states of TCP, as Linux numbers them (`include/net/tcp_states.h`).
const FIN_WAIT1: u8 = 4;
const FIN_WAIT2: u8 = 5;
const TIME_WAIT: u8 = 6;
const CLOSE: u8 = 7;
const CLOSE_WAIT: u8 = 8;
const LAST_ACK: u8 = 9;
const CLOSING: u8 = 11;

/// The socket option that tells.
mod option {
    use nix::{getsockopt_impl, sockopt_impl};

    sockopt_impl!(
        /// `TCP_INFO`.
        Info, GetOnly, libc::IPPROTO_TCP, libc::TCP_INFO, TcpInfo
    );

    /// The beginning of Linux's `struct tcp_info`, as far as it came in Linux 4.19: later ones only
    /// append to it.
    #[derive(Clone, Copy, Debug)]
    #[repr(C)]
    #[expect(unreachable_pub, reason = "the macro makes a public type of it")]
    pub struct TcpInfo {
        pub(super) state: u8,
        _flags: [u8; 7],
        _timeouts_and_sizes: [u32; 4],
        pub(super) unacked: u32,
        _losses_times_and_sizes: [u32; 19],
        _pacing_rates: [u64; 2],
        pub(super) bytes_acked: u64,
        pub(super) bytes_received: u64,
        _segments: [u32; 2],
        pub(super) notsent_bytes: u32,
        _round_trip_and_segments: [u32; 3],
        _rates_and_times: [u64; 4],
        _delivered: [u32; 2],
        pub(super) bytes_sent: u64,
        pub(super) bytes_retrans: u64,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{Shutdown, TcpListener, TcpStream as Line},
        time::{Duration, Instant},
    };

    use super::*;
    use crate::connection::Socket;

    /// How long the system may take for what it does by itself.
    const PATIENCE: Duration = Duration::from_secs(10);

    fn pair() -> (Line, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = Line::connect(listener.local_addr().unwrap()).unwrap();
        let theirs = listener.accept().unwrap().0;
        theirs.set_nonblocking(true).unwrap();
        (ours, TcpStream::from_std(theirs))
    }

    #[track_caller]
    fn wait_for(socket: &TcpStream, read: u64, written: u64, is_ended: bool) {
        let expected = Cursors { moved: Moved { read, written }, is_ended };
        let deadline = Instant::now() + PATIENCE;
        while Cursors::of(socket).unwrap() != expected {
            assert!(Instant::now() < deadline, "{:?}", Cursors::of(socket));
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_was_read_and_written_is_known_to_the_byte() {
        let (mut peer, mut socket) = pair();
        wait_for(&socket, 0, 0, false);
        peer.write_all(b"hello").unwrap();
        let mut letters = [0; 3];
        while socket.read_exact(&mut letters).is_err() {}
        wait_for(&socket, 3, 0, false);
        let mut written = 0;
        while let Ok(size) = socket.write(&[0; 9_999]) {
            written += size as u64;
        }
        wait_for(&socket, 3, written, false);
        peer.read_exact(&mut vec![0; 1 << 20]).unwrap();
        wait_for(&socket, 3, written, false);
        peer.shutdown(Shutdown::Write).unwrap();
        socket.read_exact(&mut letters[..2]).unwrap();
        while socket.read(&mut letters).is_err() {}
        wait_for(&socket, 5, written, false);
    }

    #[test]
    fn a_line_that_has_ended_says_so() {
        let (peer, mut socket) = pair();
        socket.finish().unwrap();
        assert!(Cursors::of(&socket).unwrap().is_ended);
        socket.hang_up();
        drop(peer);
        let deadline = Instant::now() + PATIENCE;
        while Cursors::of(&socket).is_ok() {
            assert!(Instant::now() < deadline);
            std::thread::yield_now();
        }
    }
}
