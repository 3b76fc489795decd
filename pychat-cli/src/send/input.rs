//! The texts that are to be said, one after another.

use std::{
    io::{self, Read},
    os::fd::BorrowedFd,
};

use pychat_wire::message::CONTENT_BYTES_MAX;
use rustix::io::Errno;

use crate::failure::Failure;

/// The most that is read at once, in bytes.
const READ_BYTES_MAX: usize = 64 << 10;

/// The source of the texts.
#[derive(Debug)]
pub(super) enum Input {
    /// One text, until it is taken.
    Text(Option<String>),
    /// The lines of standard input.
    Lines(Lines),
}

/// The next text.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Next {
    /// This one, and the number of its line, if it is one.
    Text(String, Option<u64>),
    /// It has not come yet.
    Later,
    /// There is none.
    Over,
}

/// Lines as they come, of any length up to that of a text.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    /// The number of the last one that was taken.
    number: u64,
    is_over: bool,
}

impl Input {
    pub(super) fn text(text: String) -> Self {
        Self::Text(Some(text))
    }

    pub(super) fn lines() -> Self {
        Self::Lines(Lines::default())
    }

    /// Reads all of standard input as one text.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is larger than any server takes.
    pub(super) fn whole() -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        let limit = CONTENT_BYTES_MAX as u64 + 1;
        let read = io::stdin().lock().take(limit).read_to_end(&mut bytes);
        read.map_err(unreadable)?;
        if CONTENT_BYTES_MAX < bytes.len() {
            return Err(too_long());
        }
        Ok(Self::text(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Takes the next text.
    pub(super) fn next(&mut self) -> Next {
        match self {
            Self::Text(text) => text.take().map_or(Next::Over, |text| Next::Text(text, None)),
            Self::Lines(lines) => lines.next(),
        }
    }

    /// Reads what there is to read.
    ///
    /// # Errors
    ///
    /// It cannot be read, or a line is larger than any server takes.
    pub(super) fn fill(&mut self, stdin: BorrowedFd<'_>) -> Result<(), Failure> {
        let Self::Lines(lines) = self else { return Ok(()) };
        let mut bytes = vec![0; READ_BYTES_MAX];
        match rustix::io::read(stdin, &mut bytes) {
            Ok(0) => lines.is_over = true,
            Ok(size) => lines.bytes.extend_from_slice(&bytes[..size]),
            Err(Errno::INTR | Errno::AGAIN) => (),
            Err(error) => return Err(unreadable(error.into())),
        }
        if CONTENT_BYTES_MAX < lines.bytes.len() { Err(too_long()) } else { Ok(()) }
    }
}

impl Lines {
    /// Takes the next line that is not blank.
    fn next(&mut self) -> Next {
        loop {
            let line = match self.bytes.iter().position(|byte| *byte == b'\n') {
                Some(end) => self.bytes.drain(..=end).collect::<Vec<_>>(),
                None if !self.is_over => return Next::Later,
                None if self.bytes.is_empty() => return Next::Over,
                None => std::mem::take(&mut self.bytes),
            };
            self.number += 1;
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if !line.is_empty() {
                return Next::Text(line, Some(self.number));
            }
        }
    }
}

// By value, as `map_err` gives it.
#[expect(clippy::needless_pass_by_value)]
fn unreadable(error: io::Error) -> Failure {
    Failure::Refused(format!("standard input: {error}"))
}

fn too_long() -> Failure {
    Failure::Refused("the text is too long".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_as_they_are_cut_and_blank_ones_count() {
        let mut lines = Lines { bytes: b"one\n\n \ntw".to_vec(), ..Lines::default() };
        assert_eq!(lines.next(), Next::Text("one".to_owned(), Some(1)));
        assert_eq!(lines.next(), Next::Later);
        lines.bytes.extend(b"o\r\nthree\xff");
        assert_eq!(lines.next(), Next::Text("two".to_owned(), Some(4)));
        assert_eq!(lines.next(), Next::Later);
        lines.is_over = true;
        assert_eq!(lines.next(), Next::Text("three\u{fffd}".to_owned(), Some(5)));
        assert_eq!(lines.next(), Next::Over);
    }
}
