//! A line between a test and the server: a socket whose every call the test may spoil.

use std::{
    cell::RefCell,
    collections::VecDeque,
    io::{self, ErrorKind, Read, Write},
    rc::Rc,
};

use pychat_server::net::transport::Socket;

/// The test's end of a line; clones are the same line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    /// The bytes that the peer sent and the server has not read.
    to_server: VecDeque<u8>,
    /// The bytes that the server wrote and the test has not taken.
    from_server: Vec<u8>,
    /// The sizes of the server's writes that the test has not taken, in bytes.
    writes: Vec<usize>,
    /// The number of bytes that the server may still write before the line is full; `None` is any.
    room: Option<usize>,
    /// The most that one call moves.
    call_bytes_max: Option<usize>,
    peer_finished: bool,
    server_finished: bool,
    soundness: Soundness,
    /// The number of calls, from now on, that a signal breaks off.
    interrupts: usize,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Soundness {
    #[default]
    Sound,
    /// Writing fails, and so does ending the stream; reading knows nothing of it.
    NoWrites,
    /// Every call fails.
    Reset,
}

impl Line {
    /// The peer sends; the caller notes the edge.
    pub(crate) fn send(&self, bytes: &[u8]) {
        let mut state = self.0.borrow_mut();
        if state.soundness != Soundness::Reset {
            state.to_server.extend(bytes);
        }
    }

    /// The peer closes its writing side.
    pub(crate) fn finish(&self) {
        self.0.borrow_mut().peer_finished = true;
    }

    /// The line breaks: every further call fails, and what was not read is gone.
    pub(crate) fn reset(&self) {
        let mut state = self.0.borrow_mut();
        state.soundness = Soundness::Reset;
        state.to_server.clear();
    }

    /// The line breaks towards the peer: every further write fails, and nothing else tells.
    pub(crate) fn break_writes(&self) {
        let mut state = self.0.borrow_mut();
        if state.soundness == Soundness::Sound {
            state.soundness = Soundness::NoWrites;
        }
    }

    /// Signals break off so many calls from now on.
    pub(crate) fn interrupt(&self, calls: usize) {
        self.0.borrow_mut().interrupts = calls;
    }

    /// Lets the server write so much more and then no further.
    pub(crate) fn set_room(&self, bytes: Option<usize>) {
        self.0.borrow_mut().room = bytes;
    }

    /// Lets each call move so much at most.
    pub(crate) fn set_call_bytes_max(&self, bytes: usize) {
        self.0.borrow_mut().call_bytes_max = Some(bytes);
    }

    /// Takes what the server has written since the last call.
    pub(crate) fn take_heard(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.borrow_mut().from_server)
    }

    /// Takes the sizes of the writes since the last call.
    pub(crate) fn take_writes(&self) -> Vec<usize> {
        std::mem::take(&mut self.0.borrow_mut().writes)
    }

    /// Returns how much the server has not read.
    pub(crate) fn unread(&self) -> usize {
        self.0.borrow().to_server.len()
    }

    /// Returns true if the server ended its stream.
    pub(crate) fn is_ended(&self) -> bool {
        self.0.borrow().server_finished
    }

    /// Returns true if `other` is the same line.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// Returns true if the server has dropped its socket.
    pub(crate) fn is_dropped(&self) -> bool {
        Rc::strong_count(&self.0) == 1
    }
}

impl State {
    fn portion(&self, size: usize) -> usize {
        size.min(self.call_bytes_max.unwrap_or(size))
    }

    fn check(&mut self) -> io::Result<()> {
        if self.soundness == Soundness::Reset {
            return Err(ErrorKind::ConnectionReset.into());
        }
        if 0 < self.interrupts {
            self.interrupts -= 1;
            return Err(ErrorKind::Interrupted.into());
        }
        Ok(())
    }

    fn check_writing(&mut self) -> io::Result<()> {
        self.check()?;
        if self.soundness == Soundness::NoWrites {
            Err(ErrorKind::BrokenPipe.into())
        } else {
            Ok(())
        }
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.0.borrow_mut();
        state.check()?;
        if state.to_server.is_empty() {
            return if state.peer_finished { Ok(0) } else { Err(ErrorKind::WouldBlock.into()) };
        }
        let size = state.portion(buffer.len());
        state.to_server.read(&mut buffer[..size])
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.borrow_mut();
        state.check_writing()?;
        let size = state.portion(bytes.len()).min(state.room.unwrap_or(usize::MAX));
        if size == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        assert!(!state.server_finished, "nothing is written after the end of the stream");
        state.room = state.room.map(|room| room - size);
        state.from_server.extend_from_slice(&bytes[..size]);
        state.writes.push(size);
        Ok(size)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for Line {
    fn end_write(&mut self) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        if state.soundness != Soundness::Sound {
            return Err(ErrorKind::NotConnected.into());
        }
        state.server_finished = true;
        Ok(())
    }
}
