//! One peer's socket with its buffers. It moves bytes and does not know what a person is.
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

mod interrupted;
mod socket;

use std::{
    io::{self, ErrorKind, Write},
    mem,
    ops::ControlFlow,
};

use pychat_wire::{Decoder, FrameError};

pub use self::{
    interrupted::{Interrupted, Moved},
    socket::Socket,
};
use crate::outbox::Outbox;

/// The most that is read from one connection before the others have their turn, in bytes.
pub const READ_BUDGET_BYTES: usize = 64 << 10;

/// A socket, what arrived in part, what is owed, and what the kernel last said.
#[derive(Debug)]
pub struct Connection<S> {
    socket: S,
    decoder: Decoder,
    /// What was read and may not be decoded yet.
    held: Vec<u8>,
    outbox: Outbox,
    state: State,
    /// Set by an edge, cleared only by `WouldBlock`. So is `writable`.
    readable: bool,
    writable: bool,
    /// The peer has closed its writing side.
    is_finished: bool,
    /// How much was read and written since the peer connected, in bytes.
    moved: Moved,
    keeping: Keeping,
}

/// What there is to a connection that is to outlive the process.
#[derive(Debug, Default)]
struct Keeping {
    is_on: bool,
    /// How much was read that is still there, as it has not been noted that it was read, in bytes.
    looked_at: usize,
    /// How much of all that the peer was ever owed has been noted, in bytes.
    noted: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Open,
    Closing,
    Lingering,
    Gone,
}

/// How far reading came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Filled {
    /// There is nothing more to read; an edge will say when there is.
    Drained,
    /// The budget is used up. No edge will come: the caller must return.
    Budget,
    /// The peer has closed its writing side.
    Eof,
    /// The bytes are no frames.
    Broken(FrameError),
    /// Whoever takes the payloads wants no more of them for now. The caller must return.
    Held,
}

impl<S: Socket> Connection<S> {
    /// Returns a connection that takes payloads of up to `payload_bytes_max` bytes.
    ///
    /// Its socket counts as readable and writable until it says otherwise.
    pub fn new(socket: S, payload_bytes_max: usize) -> Self {
        Self {
            socket,
            decoder: Decoder::new(payload_bytes_max),
            held: Vec::new(),
            outbox: Outbox::default(),
            state: State::Open,
            readable: true,
            writable: true,
            is_finished: false,
            moved: Moved::default(),
            keeping: Keeping::default(),
        }
    }

    /// Goes on with a connection that another process had before.
    pub fn resume(socket: S, payload_bytes_max: usize, interrupted: Interrupted) -> Self {
        let Interrupted { moved, unfinished, owed, is_ended, is_closing } = interrupted;
        let mut connection = Self::new(socket, payload_bytes_max);
        connection.moved = moved;
        connection.keep();
        connection.held = unfinished; // It is read first.
        connection.outbox.push(&owed);
        connection.state = match (is_ended, is_closing) {
            (true, _) => State::Lingering,
            (false, true) => State::Closing,
            (false, false) => State::Open,
        };
        connection
    }

    /// Makes this a connection that may outlive the process: what arrives stays where it is until
    /// it is [taken](Self::take_read), so that there is time to note it.
    pub fn keep(&mut self) {
        self.keeping.is_on = true;
        self.keeping.noted = self.moved.written;
    }

    /// Notes edges. Nothing is read or written.
    pub fn note(&mut self, readable: bool, writable: bool) {
        self.readable |= readable;
        self.writable |= writable;
    }

    /// Reads until the socket or the budget has no more, passing each payload on with where it ends,
    /// in bytes since the peer connected.
    ///
    /// `on_payload` may break off: what was read and not passed on is kept, at most
    /// [`READ_BUDGET_BYTES`], and comes first at the next call.
    ///
    /// # Errors
    ///
    /// The socket's, other than `WouldBlock` and `Interrupted`: the connection is lost.
    pub fn fill(
        &mut self,
        scratch: &mut [u8],
        mut on_payload: impl FnMut(&[u8], u64) -> ControlFlow<()>,
    ) -> io::Result<Filled> {
        let held = mem::take(&mut self.held);
        if let Some(filled) = self.decode(&held, &mut on_payload) {
            return Ok(filled);
        }
        let mut budget = READ_BUDGET_BYTES;
        while self.readable && !self.is_finished {
            if budget == 0 {
                return Ok(Filled::Budget);
            }
            match self.receive(scratch) {
                Ok(0) => {
                    self.is_finished = true;
                    return Ok(Filled::Eof);
                }
                Ok(size) => {
                    self.moved.read += size as u64;
                    budget = budget.saturating_sub(size);
                    if let Some(filled) = self.decode(&scratch[..size], &mut on_payload) {
                        return Ok(filled);
                    }
                    if 0 < self.keeping.looked_at {
                        return Ok(Filled::Drained);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
        Ok(Filled::Drained)
    }

    /// Reads, or looks at what there is to read.
    fn receive(&mut self, scratch: &mut [u8]) -> io::Result<usize> {
        if !self.keeping.is_on {
            return self.socket.read(scratch);
        }
        let size = self.socket.peek(scratch)?;
        self.keeping.looked_at = size;
        Ok(size)
    }

    /// Takes what was read away from where it is; returns true if there is more.
    ///
    /// # Errors
    ///
    /// The socket's: the connection is lost.
    pub fn take_read(&mut self, scratch: &mut [u8]) -> io::Result<bool> {
        if self.keeping.looked_at == 0 {
            return Ok(false);
        }
        while 0 < self.keeping.looked_at {
            match self.socket.read(&mut scratch[..self.keeping.looked_at]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(size) => self.keeping.looked_at -= size,
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
        match self.socket.peek(&mut scratch[..1]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            Ok(_) | Err(_) => (),
        }
        Ok(self.readable)
    }

    /// Passes on the payloads in `bytes`; returns why there are no more of them, other than that
    /// they are at their end.
    fn decode(
        &mut self,
        mut bytes: &[u8],
        on_payload: &mut impl FnMut(&[u8], u64) -> ControlFlow<()>,
    ) -> Option<Filled> {
        if self.state != State::Open {
            return None;
        }
        loop {
            match self.decoder.next_payload(&mut bytes) {
                Ok(Some(payload)) => {
                    let end = self.moved.read - bytes.len() as u64;
                    if on_payload(payload, end).is_break() {
                        self.held = bytes.to_vec();
                        return Some(Filled::Held);
                    }
                }
                Ok(None) => return None,
                Err(error) => return Some(Filled::Broken(error)),
            }
        }
    }

    /// Owes the peer `frames`, unless it is to be closed: it has heard its last word by then.
    pub fn owe(&mut self, frames: &[u8]) {
        if self.state == State::Open {
            self.outbox.push(frames);
        }
    }

    /// Writes `frames` as [`owe`](Self::owe) and [`flush`](Self::flush) would, but copies only what
    /// the socket does not take. They count as noted.
    ///
    /// # Errors
    ///
    /// The socket's, other than `WouldBlock` and `Interrupted`: the connection is lost.
    pub fn deliver(&mut self, mut frames: &[u8]) -> io::Result<()> {
        if self.state != State::Open {
            return Ok(());
        }
        if self.outbox.is_empty() {
            while self.writable && !frames.is_empty() {
                let size = write(&mut self.socket, &mut self.writable, frames)?;
                self.moved.written += size as u64;
                frames = &frames[size..];
            }
        }
        self.outbox.push(frames);
        self.keeping.noted = self.stream_end();
        Ok(())
    }

    /// Writes what is owed, as far as the socket takes it.
    ///
    /// A closing connection that owes nothing more ends its stream here.
    ///
    /// # Errors
    ///
    /// The socket's, other than `WouldBlock` and `Interrupted`: the connection is lost.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.writable && !self.outbox.is_empty() {
            let size = write(&mut self.socket, &mut self.writable, self.outbox.pending())?;
            self.moved.written += size as u64;
            self.outbox.advance(size);
        }
        if self.state == State::Closing && self.outbox.is_empty() {
            self.state = State::Lingering;
            self.socket.finish()?;
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
            State::Lingering => self.is_finished,
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

    /// Returns what was read and not passed on: of a payload whose end has not arrived, or held.
    pub fn unfinished(&self) -> Vec<u8> {
        let mut unfinished = self.decoder.unfinished();
        unfinished.extend_from_slice(&self.held);
        unfinished
    }

    /// Returns what the peer has come to be owed since the last call, and how much it had been owed
    /// before that since it connected, in bytes; from here on it counts as noted.
    pub fn note_owed(&mut self) -> (u64, &[u8]) {
        let from = self.keeping.noted.max(self.moved.written);
        let skip = usize::try_from(from - self.moved.written).unwrap_or(usize::MAX);
        self.keeping.noted = self.stream_end().max(from);
        (from, self.outbox.pending().get(skip..).unwrap_or_default())
    }

    /// Counts all that is owed as not noted.
    pub fn forget_noted(&mut self) {
        self.keeping.noted = self.moved.written;
    }

    /// Returns how much the peer was ever owed, in bytes.
    fn stream_end(&self) -> u64 {
        self.moved.written + self.outbox.backlog() as u64
    }

    /// Returns how much was read since the peer connected, in bytes.
    pub fn read_bytes(&self) -> u64 {
        self.moved.read
    }

    /// Returns the socket.
    pub fn socket(&self) -> &S {
        &self.socket
    }

    /// Ends both streams of a connection that another process has as well.
    pub fn hang_up(&mut self) {
        if self.keeping.is_on {
            self.socket.hang_up();
        }
    }

    /// Returns true unless it is to be closed.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Returns how much is owed, in bytes.
    pub fn backlog(&self) -> usize {
        self.outbox.backlog()
    }
}

/// Writes once; returns how much the socket took.
fn write(socket: &mut impl Write, writable: &mut bool, bytes: &[u8]) -> io::Result<usize> {
    match socket.write(bytes) {
        Ok(0) => Err(ErrorKind::WriteZero.into()),
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
