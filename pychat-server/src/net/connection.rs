//! One peer's transport with its buffers. It moves bytes and does not know what a person is.
//!
//! ```text
//!            close_gently            all flushed
//!  (open) ───────────────▶ Closing ─────────────▶ Lingering ──▶ Gone
//!     │                       │                    end of stream ▲
//!     └───────────────────────┴────── error, abort ──────────────┘
//! ```
//!
//! While closing, what arrives is read and dropped: a socket that is closed with unread bytes
//! resets the connection, and the reset would overtake the farewell that was just written.

use std::{
    io::{self, ErrorKind},
    mem,
    ops::ControlFlow,
};

use pychat_wire::{Decoder, FrameError, key::BINDING_BYTES};

use super::{
    outbox::Outbox,
    transport::{Received, Socket, Transport},
};

/// The first byte of a TLS handshake, and of no frame (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// The most that is read from one connection before the others have their turn, in bytes.
pub const READ_BUDGET_BYTES: usize = 64 << 10;

/// A transport, what arrived in part, what is owed, and what the kernel last said.
#[derive(Debug)]
pub struct Connection<S> {
    transport: Transport<S>,
    decoder: Decoder,
    /// Bytes that were read and may not be decoded yet.
    held: Vec<u8>,
    outbox: Outbox,
    state: State,
    /// Set by an edge, cleared only by `WouldBlock`. So is `writable`.
    readable: bool,
    writable: bool,
    incoming: Incoming,
}

/// The part that has arrived of what the peer sends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Incoming {
    Nothing,
    Some,
    /// It has closed its writing side.
    All,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Open,
    Closing,
    Lingering,
    Gone,
}

/// The outcome of one turn of reading.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fill {
    /// The reason why it ended.
    pub end: Filled,
    /// The number of bytes handled, dropped ones among them; those held back do not count.
    pub bytes: usize,
}

/// The reason why a turn of reading ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Filled {
    /// There is nothing more to read; an edge will say when there is.
    Drained,
    /// The budget is used up. No edge will come: the caller must return.
    Budget,
    /// The peer has closed its writing side.
    Eof,
    /// The bytes are no frames.
    BadFrame(FrameError),
    /// The receiver of the payloads wants no more of them for now. The caller must return.
    Held,
    /// The peer wants TLS, which is [offered](Transport::offers_tls): the caller must
    /// [start it](Connection::start_tls), at once or later, and return.
    TlsWanted,
    /// The rest of the stream is encrypted, under this channel [binding](Transport::binding). The
    /// caller must return.
    Secured([u8; BINDING_BYTES]),
}

impl<S: Socket> Connection<S> {
    /// Returns a connection that takes payloads of up to `payload_bytes_max` bytes.
    ///
    /// Its transport counts as readable and writable until it says otherwise.
    pub fn new(transport: Transport<S>, payload_bytes_max: usize) -> Self {
        Self {
            transport,
            decoder: Decoder::new(payload_bytes_max),
            held: Vec::new(),
            outbox: Outbox::default(),
            state: State::Open,
            readable: true,
            writable: true,
            incoming: Incoming::Nothing,
        }
    }

    /// Returns a connection that an earlier process had: `unread` bytes are handled first, `unsent`
    /// ones are owed already.
    pub fn restored(
        transport: Transport<S>,
        payload_bytes_max: usize,
        unread: Vec<u8>,
        unsent: &[u8],
    ) -> Self {
        let mut connection = Self::new(transport, payload_bytes_max);
        connection.incoming = Incoming::Some;
        connection.held = unread;
        connection.outbox.push(unsent);
        connection
    }

    /// Notes edges. Nothing is read or written.
    pub fn set_ready(&mut self, readable: bool, writable: bool) {
        self.readable |= readable;
        self.writable |= writable;
    }

    /// Reads until the transport or the budget has no more, passing each payload on.
    ///
    /// `on_payload` may break off: what was read and not passed on is kept, at most
    /// [`READ_BUDGET_BYTES`], and comes first at the next call.
    ///
    /// # Errors
    ///
    /// The transport's, other than `WouldBlock` and `Interrupted`: the connection is lost.
    pub fn fill(
        &mut self,
        scratch: &mut [u8],
        mut on_payload: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> io::Result<Fill> {
        let held = mem::take(&mut self.held);
        let end = self.decode(&held, &mut on_payload);
        let mut bytes = held.len() - self.held.len();
        if let Some(end) = end {
            return Ok(Fill { end, bytes });
        }
        while self.readable && self.incoming != Incoming::All {
            if READ_BUDGET_BYTES <= bytes {
                return Ok(Fill { end: Filled::Budget, bytes });
            }
            let was_handshaking = self.transport.is_handshaking();
            match self.transport.receive(scratch) {
                Ok(Received::End) => {
                    self.incoming = Incoming::All;
                    return Ok(Fill { end: Filled::Eof, bytes });
                }
                Ok(Received::Some { plain, raw }) => {
                    if was_handshaking && !self.transport.is_handshaking() {
                        self.held = scratch[..plain].to_vec();
                        let end = Filled::Secured(self.transport.binding()?);
                        return Ok(Fill { end, bytes: bytes + raw });
                    }
                    let end = self.decode(&scratch[..plain], &mut on_payload);
                    bytes += raw.max(plain) - self.held.len();
                    if let Some(end) = end {
                        return Ok(Fill { end, bytes });
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
        Ok(Fill { end: Filled::Drained, bytes })
    }

    /// Passes on the payloads in `bytes`; returns the reason if it stopped before their end.
    fn decode(
        &mut self,
        mut bytes: &[u8],
        on_payload: &mut impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Option<Filled> {
        if self.state != State::Open {
            return None;
        }
        if self.incoming == Incoming::Nothing && !bytes.is_empty() {
            if bytes[0] == TLS_HANDSHAKE && self.transport.offers_tls() {
                self.held = bytes.to_vec();
                return Some(Filled::TlsWanted);
            }
            self.incoming = Incoming::Some;
        }
        loop {
            match self.decoder.next_payload(&mut bytes) {
                Ok(Some(payload)) => {
                    if on_payload(payload).is_break() {
                        self.held = bytes.to_vec();
                        return Some(Filled::Held);
                    }
                }
                Ok(None) => return None,
                Err(error) => return Some(Filled::BadFrame(error)),
            }
        }
    }

    /// Begins TLS with what the peer sent first. What it was owed in plain is forgotten.
    ///
    /// # Errors
    ///
    /// The transport's: the connection is lost.
    pub fn start_tls(&mut self) -> io::Result<()> {
        self.incoming = Incoming::Some;
        self.outbox = Outbox::default();
        self.transport.start_tls(&mem::take(&mut self.held))
    }

    /// Owes the peer `frames`, unless it is to be closed: it has heard its last word by then.
    pub fn owe(&mut self, frames: &[u8]) {
        if self.state == State::Open {
            self.outbox.push(frames);
        }
    }

    /// Writes `frames` as [`owe`](Self::owe) and [`flush`](Self::flush) would, but copies only what
    /// the transport does not take.
    ///
    /// # Errors
    ///
    /// The transport's, other than `WouldBlock` and `Interrupted`: the connection is lost.
    pub fn deliver(&mut self, mut frames: &[u8]) -> io::Result<()> {
        if self.state != State::Open {
            return Ok(());
        }
        if self.outbox.is_empty() {
            while self.writable && !frames.is_empty() {
                let size = write(&mut self.transport, &mut self.writable, frames)?;
                frames = &frames[size..];
            }
        }
        self.outbox.push(frames);
        Ok(())
    }

    /// Writes what is owed, as far as the transport takes it.
    ///
    /// A closing connection that owes nothing more ends its stream here.
    ///
    /// # Errors
    ///
    /// The transport's, other than `WouldBlock` and `Interrupted`: the connection is lost.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.writable && !self.outbox.is_empty() {
            let size = write(&mut self.transport, &mut self.writable, self.outbox.pending())?;
            self.outbox.advance(size);
        }
        if self.writable && self.transport.wants_write() {
            match self.transport.flush() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                result => result?,
            }
        }
        if self.state == State::Closing && !self.wants_write() {
            self.state = State::Lingering;
            self.transport.close_notify()?;
        }
        Ok(())
    }

    /// Takes no more payloads, and ends the stream once what is owed is flushed.
    pub fn close_gently(&mut self) {
        if self.state == State::Open {
            self.state = State::Closing;
        }
    }

    /// Gives up on the peer; what it is owed is forgotten.
    pub fn abort(&mut self) {
        self.state = State::Gone;
        self.held = Vec::new();
        self.outbox = Outbox::default();
    }

    /// Returns true if nothing is left to be done: the socket can be dropped.
    pub fn is_over(&self) -> bool {
        match self.state {
            State::Open | State::Closing => false,
            State::Lingering => self.incoming == Incoming::All,
            State::Gone => true,
        }
    }

    /// Returns true if all is flushed and the stream ended; only the peer's own end is missing.
    pub fn is_lingering(&self) -> bool {
        self.state == State::Lingering
    }

    /// Returns how much has arrived of a payload whose rest is missing, in bytes.
    pub fn pending_bytes(&self) -> usize {
        self.decoder.pending_bytes()
    }

    /// Returns what was read and not passed on: of a payload whose end has not arrived, or held back.
    pub fn unread(&self) -> Vec<u8> {
        let mut unfinished = self.decoder.unfinished();
        unfinished.extend_from_slice(&self.held);
        unfinished
    }

    /// Returns what is owed.
    pub fn unsent(&self) -> &[u8] {
        self.outbox.pending()
    }

    /// Returns the transport.
    pub fn transport(&self) -> &Transport<S> {
        &self.transport
    }

    /// Returns true unless it is to be closed.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Returns true if there is something to write.
    pub fn wants_write(&self) -> bool {
        !self.outbox.is_empty() || self.transport.wants_write()
    }

    /// Returns how much is owed, in bytes, that which the transport holds back included.
    pub fn backlog(&self) -> usize {
        self.outbox.backlog() + self.transport.buffered()
    }
}

/// Writes once; returns how much the transport took.
fn write<S: Socket>(
    transport: &mut Transport<S>,
    writable: &mut bool,
    bytes: &[u8],
) -> io::Result<usize> {
    match transport.write(bytes) {
        Ok(size) => Ok(size),
        Err(error) => match error.kind() {
            ErrorKind::WouldBlock => {
                *writable = false;
                Ok(0)
            }
            ErrorKind::Interrupted => Ok(0),
            _ => Err(error),
        },
    }
}

#[cfg(test)]
mod tests;
