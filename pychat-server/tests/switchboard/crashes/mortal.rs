//! Sockets of a server that may end at any of its calls.

use std::{
    cell::{Cell, RefCell},
    fs,
    io::{self, ErrorKind, Read, Write},
    path::PathBuf,
    rc::Rc,
};

use pychat_server::{
    connection::{Moved, Socket},
    cursors::Cursors,
};

use crate::line::Line;

/// What a server did last.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Last {
    /// Everything: it ended between two ticks.
    Between,
    Looking,
    Taking,
    Writing,
}

/// Ends a server; clones are the same fuse.
#[derive(Clone)]
pub(crate) struct Fuse(Rc<Burning>);

struct Burning {
    notes: PathBuf,
    /// After how many more calls the server ends.
    calls_left: Cell<Option<usize>>,
    end: RefCell<Option<End>>,
}

/// How a server ended: doing what, and with which notes.
struct End {
    last: Last,
    notes: Option<Vec<u8>>,
}

impl Fuse {
    /// Returns a fuse that is not lit, for a server whose notes are in the file `notes`.
    pub(crate) fn new(notes: PathBuf) -> Self {
        let (calls_left, end) = (Cell::new(None), RefCell::new(None));
        Self(Rc::new(Burning { notes, calls_left, end }))
    }

    /// Lets the server end after so many calls.
    pub(crate) fn light(&self, calls: usize) {
        self.0.calls_left.set(Some(calls));
    }

    pub(crate) fn is_lit(&self) -> bool {
        self.0.calls_left.get().is_some()
    }

    /// Makes the notes those of the moment when the server ended; returns what it did last.
    pub(crate) fn restore(&self) -> Last {
        self.0.calls_left.set(None);
        let Some(End { last, notes }) = self.0.end.take() else { return Last::Between };
        match notes {
            Some(notes) => fs::write(&self.0.notes, notes).expect("a file"),
            None => fs::remove_file(&self.0.notes).unwrap_or_default(),
        }
        last
    }

    /// Refuses a call of a server that has ended, or does now.
    fn check(&self, call: Last) -> io::Result<()> {
        let burning = &self.0;
        match burning.calls_left.get() {
            None => return Ok(()),
            Some(0) => (),
            Some(calls) => {
                burning.calls_left.set(Some(calls - 1));
                return Ok(());
            }
        }
        let mut end = burning.end.borrow_mut();
        end.get_or_insert_with(|| End { last: call, notes: fs::read(&burning.notes).ok() });
        Err(ErrorKind::WouldBlock.into())
    }

    fn has_burnt(&self) -> bool {
        self.0.end.borrow().is_some()
    }
}

/// A server's end of a line; clones are the same end, as it is kept for the next server.
#[derive(Clone)]
pub(crate) struct Mortal {
    index: usize,
    line: Line,
    fuse: Fuse,
    moved: Rc<Cell<Moved>>,
}

impl Mortal {
    pub(crate) fn new(index: usize, line: Line, fuse: Fuse) -> Self {
        Self { index, line, fuse, moved: Rc::default() }
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }

    pub(crate) fn line(&self) -> &Line {
        &self.line
    }

    pub(crate) fn cursors(&self) -> Cursors {
        Cursors { moved: self.moved.get(), is_ended: false }
    }
}

impl Read for Mortal {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.fuse.check(Last::Taking)?;
        let size = self.line.read(buffer)?;
        let moved = self.moved.get();
        self.moved.set(Moved { read: moved.read + size as u64, ..moved });
        Ok(size)
    }
}

impl Write for Mortal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.fuse.check(Last::Writing)?;
        let size = self.line.write(bytes)?;
        let moved = self.moved.get();
        self.moved.set(Moved { written: moved.written + size as u64, ..moved });
        Ok(size)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for Mortal {
    fn peek(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.fuse.check(Last::Looking)?;
        self.line.peek(buffer)
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.fuse.has_burnt() { Ok(()) } else { Socket::finish(&mut self.line) }
    }

    fn hang_up(&mut self) {
        if !self.fuse.has_burnt() {
            self.line.hang_up();
        }
    }

    fn cookie(&self) -> io::Result<u64> {
        Ok(self.index as u64)
    }
}
