//! One connection to a server, encrypted or not: bytes in, bytes out, and what to wait for.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    os::fd::{AsFd, BorrowedFd},
    time::{Duration, Instant},
};

use pychat_wire::tls::Tls;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{SocketFlags, SocketType, sockopt},
};

/// The most that is read at once, in bytes.
const READ_BYTES_MAX: usize = 64 << 10;

/// The number of bytes that wait to be written above which nothing more is read: they are answers to a
/// server that does not read them.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// The longest that the end of a connection may take.
const FINISH_TIMEOUT: Duration = Duration::from_secs(2);

/// The silence after which the kernel looks if the server is there, on a connection of protocol 1.
const KEEPALIVE_IDLE: Duration = Duration::from_mins(1);

/// A connection.
#[derive(Debug)]
pub(crate) struct Line {
    socket: TcpStream,
    tls: Option<Tls>,
    /// The bytes still to be written.
    waiting: Vec<u8>,
}

impl Line {
    /// Connects to `address`; [`ErrorKind::TimedOut`] if that takes longer than `until`, and
    /// [`ErrorKind::Interrupted`] if something can be read from `stop` before.
    pub(crate) fn connect(
        address: SocketAddr,
        until: Instant,
        stop: Option<BorrowedFd<'_>>,
    ) -> io::Result<Self> {
        let family = match address {
            SocketAddr::V4(_) => rustix::net::AddressFamily::INET,
            SocketAddr::V6(_) => rustix::net::AddressFamily::INET6,
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        sockopt::set_socket_keepalive(&socket, true)?;
        sockopt::set_tcp_keepidle(&socket, KEEPALIVE_IDLE)?;
        match rustix::net::connect(&socket, &address) {
            Ok(()) => (),
            Err(Errno::INPROGRESS) => {
                wait_for(socket.as_fd(), PollFlags::OUT, until, stop)?;
                sockopt::socket_error(&socket)??;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Self { socket: TcpStream::from(socket), tls: None, waiting: Vec::new() })
    }

    /// Speaks TLS from here on.
    pub(crate) fn begin_tls(&mut self) -> io::Result<()> {
        self.tls = Some(Tls::begin().map_err(io::Error::other)?);
        Ok(())
    }

    pub(crate) fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// Says `plain`, and whatever TLS wants written, as far as the kernel takes it; the rest waits.
    pub(crate) fn write(&mut self, plain: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            None => self.waiting.extend_from_slice(plain),
            Some(tls) => {
                tls.say(plain);
                self.waiting.extend(tls.take_outgoing());
            }
        }
        let mut n_written = 0;
        let outcome = loop {
            match self.socket.write(&self.waiting[n_written..]) {
                _ if n_written == self.waiting.len() => break Ok(()),
                Ok(size) => n_written += size,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => break Err(error),
            }
        };
        self.waiting.drain(..n_written);
        outcome
    }

    /// Returns what has arrived, which may be nothing; `None` once the server has ended the connection.
    pub(crate) fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = vec![0; READ_BYTES_MAX];
        let size = match self.socket.read(&mut bytes) {
            Ok(0) => return Ok(None),
            Ok(size) => size,
            Err(error) if is_wait(&error) => 0,
            Err(error) => return Err(error),
        };
        bytes.truncate(size);
        let Some(tls) = &mut self.tls else { return Ok(Some(bytes)) };
        let mut plain = Vec::new();
        let received = tls.receive(&bytes, &mut plain);
        self.write(&[])?; // TLS may have to answer, if only by an alert.
        received.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        Ok(Some(plain))
    }

    /// Returns what has to happen to the socket for something to be done.
    pub(crate) fn interest(&self) -> PollFlags {
        let mut flags = PollFlags::empty();
        if self.waiting.len() <= WAITING_BYTES_MAX {
            flags |= PollFlags::IN;
        }
        if !self.waiting.is_empty() {
            flags |= PollFlags::OUT;
        }
        flags
    }

    /// Waits until something can be read or written. The errors are those of [`Self::connect`].
    pub(crate) fn wait(&self, until: Instant, stop: Option<BorrowedFd<'_>>) -> io::Result<()> {
        wait_for(self.socket.as_fd(), self.interest(), until, stop)
    }

    /// Ends the connection in order: closing with unread bytes would reset it, and the server might lose
    /// the last words. Whatever fails, it is closed then.
    pub(crate) fn finish(mut self, stop: Option<BorrowedFd<'_>>) {
        let until = Instant::now() + FINISH_TIMEOUT;
        let tls = self.tls.as_mut();
        tls.into_iter().for_each(Tls::say_end);
        let mut outcome = self.write(&[]);
        while outcome.is_ok() && !self.waiting.is_empty() {
            outcome = self.wait(until, stop).and_then(|()| self.write(&[]));
        }
        outcome = outcome.and_then(|()| self.socket.shutdown(Shutdown::Write));
        while outcome.is_ok() {
            outcome = match self.read() {
                Ok(None) => return,
                Ok(Some(_)) => self.wait(until, stop),
                Err(error) => Err(error),
            };
        }
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Waits for at most one of several things, until a time, if one is given.
pub(crate) fn wait_any(fds: &mut [PollFd<'_>], until: Option<Instant>) -> io::Result<()> {
    let pause = until.map(|until| {
        let pause = until.saturating_duration_since(Instant::now());
        // Rounded up, or it would wake before there is something to do.
        Timespec::try_from(pause + Duration::from_millis(1)).unwrap_or_default()
    });
    match poll(fds, pause.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn wait_for(
    socket: BorrowedFd<'_>,
    flags: PollFlags,
    until: Instant,
    stop: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    loop {
        let mut fds = vec![PollFd::from_borrowed_fd(socket, flags)];
        fds.extend(stop.map(|stop| PollFd::from_borrowed_fd(stop, PollFlags::IN)));
        wait_any(&mut fds, Some(until))?;
        if fds.get(1).is_some_and(|stop| !stop.revents().is_empty()) {
            return Err(ErrorKind::Interrupted.into());
        }
        if !fds[0].revents().is_empty() {
            return Ok(());
        }
        if until <= Instant::now() {
            return Err(ErrorKind::TimedOut.into());
        }
    }
}

fn is_wait(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
