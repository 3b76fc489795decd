//! TLS 1.3 on one connection: what the peer sends is decrypted, what it is sent is encrypted.
//!
//! Nothing stays in the library: what it wants written is taken over into an outbox, so that every
//! byte that waits for the socket is counted.

use std::{
    io::{self, ErrorKind, Read, Write},
    sync::Arc,
};

use pychat_wire::key::{BINDING_BYTES, BINDING_LABEL};
use rustls::{ServerConfig, ServerConnection};

use super::{
    outbox::Outbox,
    transport::{Received, Socket},
};

/// The most that one write encrypts, in bytes: the content of one record.
const WRITE_BYTES_MAX: usize = 16 << 10;

/// One side of a TLS connection: ours.
#[derive(Debug)]
pub(super) struct Tls {
    session: ServerConnection,
    /// Encrypted bytes that the socket has not taken.
    outbox: Outbox,
    end: End,
}

/// The end of the stream towards the peer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    Open,
    /// The peer is being told; then the socket's stream ends too.
    Closing,
    Ended,
}

impl Tls {
    /// Begins the handshake with what the peer sent first, and answers as far as the socket takes it.
    pub(super) fn accept(
        offer: &Arc<ServerConfig>,
        socket: &mut impl Socket,
        mut received: &[u8],
    ) -> io::Result<Self> {
        let session = ServerConnection::new(Arc::clone(offer)).map_err(io::Error::other)?;
        let mut tls = Self { session, outbox: Outbox::default(), end: End::Open };
        while !received.is_empty() {
            tls.session.read_tls(&mut received)?;
            tls.process(socket)?;
        }
        Ok(tls)
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.session.is_handshaking()
    }

    /// Returns the channel binding of RFC 9266, once the handshake is over.
    pub(super) fn binding(&self) -> io::Result<[u8; BINDING_BYTES]> {
        let binding = [0; BINDING_BYTES];
        self.session
            .export_keying_material(binding, BINDING_LABEL, Some(&[]))
            .map_err(io::Error::other)
    }

    pub(super) fn buffered(&self) -> usize {
        self.outbox.backlog()
    }

    /// Reads once. A stream that ends without a notice is one that ended: frames say how long they
    /// are.
    pub(super) fn receive(
        &mut self,
        socket: &mut impl Socket,
        buffer: &mut [u8],
    ) -> io::Result<Received> {
        if let Some(received) = self.decrypted(buffer, 0) {
            return received;
        }
        let raw = self.session.read_tls(socket)?;
        if raw == 0 {
            return Ok(Received::End);
        }
        self.process(socket)?;
        self.decrypted(buffer, raw).unwrap_or(Ok(Received::Some { plain: 0, raw }))
    }

    /// Returns what was decrypted, or the end of it; `None` if more must be read.
    fn decrypted(&mut self, buffer: &mut [u8], raw: usize) -> Option<io::Result<Received>> {
        match self.session.reader().read(buffer) {
            Ok(0) => Some(Ok(Received::End)),
            Ok(plain) => Some(Ok(Received::Some { plain, raw })),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// Heeds what was read, and answers it, if only by an alert.
    fn process(&mut self, socket: &mut impl Socket) -> io::Result<()> {
        let outcome = self.session.process_new_packets();
        self.take_over()?;
        let flushed = unless_blocked(self.flush(socket));
        outcome.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        flushed
    }

    /// Encrypts and writes once. What is said during the handshake is for nobody: it is dropped.
    pub(super) fn write(&mut self, socket: &mut impl Socket, bytes: &[u8]) -> io::Result<usize> {
        if self.is_handshaking() {
            return Ok(bytes.len());
        }
        self.flush(socket)?;
        let size = self.session.writer().write(&bytes[..bytes.len().min(WRITE_BYTES_MAX)])?;
        self.take_over()?;
        unless_blocked(self.flush(socket))?;
        Ok(size)
    }

    /// Writes what is encrypted; `WouldBlock` unless all of it was taken.
    pub(super) fn flush(&mut self, socket: &mut impl Socket) -> io::Result<()> {
        while !self.outbox.is_empty() {
            match socket.write(self.outbox.pending()) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(size) => self.outbox.advance(size),
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
        if self.end == End::Closing {
            self.end = End::Ended;
            socket.end_write()?;
        }
        Ok(())
    }

    /// Tells the peer that nothing more follows.
    pub(super) fn close_notify(&mut self, socket: &mut impl Socket) -> io::Result<()> {
        if self.end == End::Open {
            self.end = End::Closing;
            self.session.send_close_notify();
            self.take_over()?;
        }
        unless_blocked(self.flush(socket))
    }

    /// Takes over what the library wants written.
    fn take_over(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(&mut Pushed(&mut self.outbox))?;
        }
        Ok(())
    }
}

/// A full socket is no error where nothing more was to be written.
fn unless_blocked(flushed: io::Result<()>) -> io::Result<()> {
    match flushed {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        flushed => flushed,
    }
}

/// An outbox that is written to.
struct Pushed<'a>(&'a mut Outbox);

impl Write for Pushed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
