//! JSON that is read a piece at a time: lines, and the elements of an array, each of bounded size.

use std::{
    cell::Cell,
    fmt,
    io::{self, BufRead, Read},
    rc::Rc,
};

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::Value;

/// The largest line or element, in bytes.
const PIECE_BYTES_MAX: usize = 8 << 20;

/// The lines of a source.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    /// The line that was read was not taken yet.
    is_peeked: bool,
    number: u64,
    done: u64,
    all: u64,
}

/// A line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    pub(super) bytes: &'a [u8],
    /// Its number, from 1.
    pub(super) number: u64,
    /// The bytes of the source that were read, and those that there are.
    pub(super) done: u64,
    pub(super) all: u64,
}

impl<R: BufRead> Lines<R> {
    /// Returns the lines of a source of so many bytes.
    pub(super) fn new(reader: R, all: u64) -> Self {
        Self { reader, line: Vec::new(), is_peeked: false, number: 0, done: 0, all }
    }

    /// Returns the next line, which is returned again; an empty one at the end.
    pub(super) fn peek(&mut self) -> io::Result<&[u8]> {
        if !self.is_peeked {
            self.read()?;
            self.is_peeked = true;
        }
        Ok(&self.line)
    }

    /// Returns the next line that is not empty; `None` at the end. Of one that is too long a beginning.
    pub(super) fn next(&mut self) -> io::Result<Option<Piece<'_>>> {
        loop {
            let is_there = if std::mem::take(&mut self.is_peeked) { true } else { self.read()? };
            if !is_there {
                return Ok(None);
            }
            if !self.line.trim_ascii().is_empty() {
                let Self { line, number, done, all, .. } = &*self;
                let (number, done, all) = (*number, *done, *all);
                return Ok(Some(Piece { bytes: line, number, done, all }));
            }
        }
    }

    /// Reads one line; returns false at the end.
    fn read(&mut self) -> io::Result<bool> {
        self.line.clear();
        let mut limited = (&mut self.reader).take(PIECE_BYTES_MAX as u64);
        let mut size = limited.read_until(b'\n', &mut self.line)? as u64;
        self.number += 1;
        // What is beyond is passed over, so that the next line is one.
        if size == PIECE_BYTES_MAX as u64 && !self.line.ends_with(b"\n") {
            size += self.reader.skip_until(b'\n')? as u64;
        }
        self.done += size;
        Ok(size != 0)
    }
}

/// Shows `each` element of an array that a reader has, with its number from 1, until one is refused;
/// whatever the size of the array, memory holds one element.
///
/// # Errors
///
/// That of the reader, or of JSON; none for a refusal, which `each` remembers.
pub(super) fn elements(
    reader: impl Read,
    each: &mut dyn FnMut(u64, Value) -> bool,
) -> Result<(), serde_json::Error> {
    let left = Rc::new(Cell::new(PIECE_BYTES_MAX));
    let reader = Bounded { reader: io::BufReader::new(reader), left: Rc::clone(&left) };
    let mut json = serde_json::Deserializer::from_reader(reader);
    Each { each, left }.deserialize(&mut json)
}

/// A reader of which only so many bytes are read until it is allowed more.
struct Bounded<R> {
    reader: R,
    left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = buffer.len().min(self.left.get());
        if size == 0 && !buffer.is_empty() {
            return Err(io::Error::other("a part of it is too large"));
        }
        let size = self.reader.read(&mut buffer[..size])?;
        self.left.set(self.left.get() - size);
        Ok(size)
    }
}

struct Each<'a> {
    each: &'a mut dyn FnMut(u64, Value) -> bool,
    left: Rc<Cell<usize>>,
}

impl<'de> DeserializeSeed<'de> for Each<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Each<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(element) = list.next_element()? {
            number += 1;
            self.left.set(PIECE_BYTES_MAX);
            if !(self.each)(number, element) {
                // The rest is of no use, and an error is the way out of a list.
                return Err(serde::de::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_and_of_bounded_length() {
        let long = "x".repeat(PIECE_BYTES_MAX + 5);
        let text = format!("first\n\n{long}\nlast");
        let mut lines = Lines::new(text.as_bytes(), text.len() as u64);
        assert_eq!(lines.peek().unwrap(), b"first\n");
        let mut seen = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            seen.push((line.bytes.len(), line.number));
        }
        assert_eq!(seen, [(6, 1), (PIECE_BYTES_MAX, 3), (4, 4)]);
        assert_eq!(lines.done, lines.all);
    }

    #[test]
    fn a_list_is_read_an_element_at_a_time() {
        let mut seen = Vec::new();
        let mut each = |number, value: Value| {
            seen.push((number, value));
            number < 2
        };
        elements(&br#"[1, {"a": [2]}, 3]"#[..], &mut each).unwrap_err();
        assert_eq!(seen, [(1, 1.into()), (2, serde_json::json!({"a": [2]}))]);
        let bomb = Read::chain(&b"[\""[..], io::repeat(b'x'));
        let error = elements(bomb, &mut |_, _| true).unwrap_err().to_string();
        assert!(error.contains("too large"), "{error}");
        let deep = "[".repeat(1_000_000);
        elements(deep.as_bytes(), &mut |_, _| true).unwrap_err();
    }
}
