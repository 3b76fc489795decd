//! A socket to a database server, plain or with TLS on it, with what was read and what is to be written.

use std::{
    io::{self, ErrorKind, Read, Write},
    sync::Arc,
    time::Duration,
};

use bytes::{Buf, BytesMut};
use mio::{
    Interest, Registry, Token,
    net::{TcpStream, UnixStream},
};
use postgres_protocol::message::backend::{Header, Message};
use rustls::{ClientConfig, ClientConnection, pki_types::ServerName};
use socket2::{SockRef, TcpKeepalive};

use super::{error::ConnectionError, routes::Address};

/// The most bytes that one read takes.
const READ_BYTES: usize = 16 << 10;

/// The longest message that is taken, in bytes: far more than a row can have.
const MESSAGE_BYTES_MAX: i32 = 64 << 20;

/// A line that has been silent for this long is asked whether it is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(5);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
const KEEPALIVE_PROBES: u32 = 3;
/// A line on which what was written has not been acknowledged for this long is dead.
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(10);

/// A socket with its buffers.
#[derive(Debug)]
pub(super) struct Stream {
    socket: Socket,
    tls: Option<Box<ClientConnection>>,
    /// Bytes that are not whole messages yet.
    input: BytesMut,
    /// Bytes that the socket has not taken, before encryption.
    pub(super) output: BytesMut,
    is_readable: bool,
    is_writable: bool,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// Begins to connect, with `registry` telling of edges under `token`.
    pub(super) fn open(address: &Address, registry: &Registry, token: Token) -> io::Result<Self> {
        let mut socket = match address {
            Address::Tcp(address) => {
                let socket = TcpStream::connect(*address)?;
                prepare(&socket)?;
                Socket::Tcp(socket)
            }
            Address::Unix(path) => Socket::Unix(UnixStream::connect(path)?),
        };
        let both = Interest::READABLE | Interest::WRITABLE;
        match &mut socket {
            Socket::Tcp(socket) => registry.register(socket, token, both)?,
            Socket::Unix(socket) => registry.register(socket, token, both)?,
        }
        let (input, output) = (BytesMut::new(), BytesMut::new());
        Ok(Self { socket, tls: None, input, output, is_readable: true, is_writable: true })
    }

    /// Notes an edge.
    pub(super) fn set_ready(&mut self) {
        (self.is_readable, self.is_writable) = (true, true);
    }

    /// Returns true once the socket is connected.
    pub(super) fn is_connected(&mut self) -> io::Result<bool> {
        let Socket::Tcp(socket) = &self.socket else { return Ok(true) };
        if let Some(error) = socket.take_error()? {
            return Err(error);
        }
        match socket.peer_addr() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes the one byte with which the server answers the request for TLS.
    pub(super) fn answer_to_tls(&mut self) -> Result<Option<u8>, ConnectionError> {
        while self.input.is_empty() {
            if !self.read()? {
                return Ok(None);
            }
        }
        // Anything behind it would be taken for encrypted, and is not (CVE-2021-23222).
        match *self.input {
            [answer] => {
                self.input.clear();
                Ok(Some(answer))
            }
            _ => Err(ConnectionError::Protocol("more than an answer to the request for TLS")),
        }
    }

    /// Begins TLS.
    pub(super) fn begin_tls(
        &mut self,
        config: &Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<(), ConnectionError> {
        let session =
            ClientConnection::new(Arc::clone(config), name).map_err(ConnectionError::Tls)?;
        self.tls = Some(Box::new(session));
        Ok(())
    }

    /// Goes on with the handshake; returns true once it is over.
    pub(super) fn handshake(&mut self) -> Result<bool, ConnectionError> {
        loop {
            self.flush()?;
            let is_going_on = self.tls.as_ref().is_some_and(|tls| tls.is_handshaking());
            if !is_going_on {
                return Ok(true);
            }
            if !self.read()? {
                return Ok(false);
            }
        }
    }

    /// Returns the next message, if all of it is there.
    pub(super) fn next_message(&mut self) -> Result<Option<Message>, ConnectionError> {
        loop {
            if let Some(message) = next_message(&mut self.input)? {
                return Ok(Some(message));
            }
            if !self.read()? {
                return Ok(None);
            }
        }
    }

    /// Returns true if there is something to be written, and the socket may take it.
    pub(super) fn can_flush(&self) -> bool {
        self.is_writable && !self.output.is_empty()
    }

    /// Writes as much as the socket takes.
    pub(super) fn flush(&mut self) -> Result<(), ConnectionError> {
        loop {
            let size = match &mut self.tls {
                None if self.output.is_empty() => return Ok(()),
                None if self.is_writable => self.socket.write(&self.output),
                Some(tls) if tls.wants_write() && self.is_writable => {
                    tls.write_tls(&mut self.socket)
                }
                Some(tls) if !tls.wants_write() => {
                    if tls.is_handshaking() || self.output.is_empty() {
                        return Ok(());
                    }
                    let size = tls.writer().write(&self.output)?;
                    self.output.advance(size);
                    continue;
                }
                None | Some(_) => return Ok(()),
            };
            match size {
                Ok(0) => return Err(io::Error::from(ErrorKind::WriteZero).into()),
                Ok(size) if self.tls.is_none() => self.output.advance(size),
                Ok(_) => (),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_writable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Reads once; returns false if there is nothing to be read now.
    fn read(&mut self) -> Result<bool, ConnectionError> {
        while self.is_readable {
            let size = match &mut self.tls {
                None => {
                    let socket = &mut self.socket;
                    append(&mut self.input, |buffer| socket.read(buffer))
                }
                Some(tls) => tls.read_tls(&mut self.socket),
            };
            match size {
                Ok(0) => return Err(ConnectionError::Closed),
                Ok(_) if self.tls.is_some() => return self.decrypt().map(|()| true),
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_readable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }

    /// Decrypts all that was read.
    fn decrypt(&mut self) -> Result<(), ConnectionError> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        if let Err(error) = tls.process_new_packets() {
            // The server is told, if it can be; the connection ends in any case.
            let _ = tls.write_tls(&mut self.socket);
            return Err(ConnectionError::Tls(error));
        }
        loop {
            match append(&mut self.input, |buffer| tls.reader().read(buffer)) {
                Ok(0) => return Err(ConnectionError::Closed),
                Ok(_) => (),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.read(buffer),
            Self::Unix(socket) => socket.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.write(bytes),
            Self::Unix(socket) => socket.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Has a server that is gone noticed within seconds.
fn prepare(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let socket = SockRef::from(socket);
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_PROBES);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_TIMEOUT))
}

/// Appends to `buffer` what one read gives.
fn append(
    buffer: &mut BytesMut,
    read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
) -> io::Result<usize> {
    let end = buffer.len();
    buffer.resize(end + READ_BYTES, 0);
    let size = read(&mut buffer[end..]);
    buffer.truncate(end + size.as_ref().copied().unwrap_or_default());
    size
}

/// Takes the first message out of `input`, if all of it is there.
pub(super) fn next_message(input: &mut BytesMut) -> Result<Option<Message>, ConnectionError> {
    let malformed = |_| ConnectionError::Protocol("malformed");
    let header = Header::parse(input).map_err(malformed)?;
    if header.is_some_and(|header| MESSAGE_BYTES_MAX < header.len()) {
        return Err(ConnectionError::Protocol("longer than any should be"));
    }
    Message::parse(input).map_err(malformed)
}
