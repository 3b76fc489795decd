//! A socket and what is still to be written to it, for people and for the proxy alike.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::SocketAddr,
    time::Duration,
};

use mio::{Interest, Registry, Token, event::Event, net::TcpStream};
use socket2::{Domain, Socket, Type};

/// The receive buffer that a narrow line asks the kernel for, in bytes.
const NARROW_BYTES: usize = 4 << 10;

/// The largest segment on a narrow line, in bytes: the smaller, the less the other side buffers.
const NARROW_SEGMENT_BYTES: u32 = 536;

/// The result of a read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Heard {
    Bytes(usize),
    Nothing,
    /// The other side ended its stream.
    End,
    BadFrame,
}

/// A socket that does not block, with sticky readiness.
#[derive(Debug)]
pub(crate) struct Line {
    socket: TcpStream,
    pub(crate) unsent: Vec<u8>,
    is_connected: bool,
    is_readable: bool,
    is_writable: bool,
}

impl Line {
    /// Begins to connect.
    pub(crate) fn connect(
        registry: &Registry,
        token: Token,
        to: SocketAddr,
        is_narrow: bool,
    ) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if is_narrow {
            socket.set_recv_buffer_size(NARROW_BYTES)?;
            socket.set_tcp_mss(NARROW_SEGMENT_BYTES)?;
        }
        match socket.connect(&to.into()) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
            _ => Self::register(registry, token, TcpStream::from_std(socket.into()), false),
        }
    }

    /// Takes a socket that was accepted.
    pub(crate) fn accepted(
        registry: &Registry,
        token: Token,
        socket: TcpStream,
    ) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        Self::register(registry, token, socket, true)
    }

    fn register(
        registry: &Registry,
        token: Token,
        mut socket: TcpStream,
        is_connected: bool,
    ) -> io::Result<Self> {
        registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        let unsent = Vec::new();
        Ok(Self { socket, unsent, is_connected, is_readable: false, is_writable: false })
    }

    /// Returns the address that the other side knows this one by.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Notes an edge.
    pub(crate) fn set_ready(&mut self, event: &Event) {
        self.is_readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.is_writable |= event.is_writable() || event.is_error();
    }

    /// Returns true if there may be something to read.
    pub(crate) fn is_readable(&self) -> bool {
        self.is_readable
    }

    /// Returns whether the line is there: `None` as long as that is open.
    ///
    /// # Errors
    ///
    /// It cannot be had.
    pub(crate) fn is_connected(&mut self) -> io::Result<Option<Became>> {
        if self.is_connected {
            return Ok(Some(Became::Known));
        }
        if !self.is_writable && !self.is_readable {
            return Ok(None);
        }
        if let Some(error) = self.socket.take_error()? {
            return Err(error);
        }
        match (self.socket.peer_addr(), self.socket.local_addr()) {
            // The system had us call ourselves where nobody listens.
            (Ok(peer), Ok(local)) if peer == local => Err(ErrorKind::ConnectionRefused.into()),
            (Ok(_), _) => {
                self.is_connected = true;
                Ok(Some(Became::New))
            }
            (Err(error), _) if error.kind() == ErrorKind::NotConnected => Ok(None),
            (Err(error), _) => Err(error),
        }
    }

    /// Reads once.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Heard {
        if !self.is_readable {
            return Heard::Nothing;
        }
        match self.socket.read(buffer) {
            Ok(0) => Heard::End,
            Ok(size) => Heard::Bytes(size),
            Err(error) if is_patience(&error) => {
                self.is_readable = false;
                Heard::Nothing
            }
            Err(_) => Heard::BadFrame,
        }
    }

    /// Writes what there is, at most `limit` bytes; returns false if nothing can be written ever
    /// again.
    pub(crate) fn write(&mut self, limit: usize) -> bool {
        let mut left = limit.min(self.unsent.len());
        while 0 < left && self.is_writable {
            match self.socket.write(&self.unsent[..left]) {
                Ok(size) => {
                    self.unsent.drain(..size);
                    left -= size;
                }
                Err(error) if is_patience(&error) => self.is_writable = false,
                Err(_) => return false,
            }
        }
        true
    }

    /// Ends our stream; the other side's goes on.
    pub(crate) fn end(&self) {
        self.socket.shutdown(std::net::Shutdown::Write).ok(); // It may have ended already.
    }

    /// Breaks the line off.
    pub(crate) fn reset(self) {
        socket2::SockRef::from(&self.socket).set_linger(Some(Duration::ZERO)).ok();
    }
}

/// The state of a line that is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Became {
    /// It came to be just now.
    New,
    Known,
}

fn is_patience(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::NotConnected)
}
