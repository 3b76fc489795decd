//! Frames: the bounds between the payloads in a stream of bytes.
//!
//! A frame is `length ":" payload`, the length in decimal ASCII digits and counting bytes. Where a
//! length should stand, a `{` begins one JSON object without a length instead, so that a person
//! can speak with netcat; it ends at its matching brace.
//!
//! This module moves no bytes in or out of the process and does not know what a payload means. Its
//! promise: memory is taken only for bytes that have arrived, and never for more than one payload.
//!
//! ```text
//!              digit              ':'                last byte
//!  (between) ────────▶ (prefix) ───────▶ (payload) ─────────────▶ (between)
//!      │  ▲                │
//!      │  └── space        └── anything else, or past the limit ──▶ (failed)
//!      │         '{'                 its '}'
//!      ├────────────────▶ (bare) ─────────────▶ (between)
//!      └── anything else ──▶ (failed)
//! ```

use std::mem;

use thiserror::Error;

/// The largest payload a server takes from a client unless told otherwise, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 65_536;

/// The most digits that a length may have, leading zeros among them.
pub const PREFIX_DIGITS_MAX: usize = 20;

/// The reason why a byte stream is no longer a stream of frames.
///
/// None of these can be recovered from: once the boundary between two frames is lost, the
/// connection has to be closed.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum FrameError {
    /// Something other than a digit, a colon in its place, or a `{` stood where a length should.
    #[error("{} where a frame's length should stand", shown(*.byte))]
    BadPrefix {
        /// The byte that was found.
        byte: u8,
    },

    /// The length ran past [`PREFIX_DIGITS_MAX`] digits.
    #[error("a frame's length of more than {PREFIX_DIGITS_MAX} digits")]
    EndlessPrefix,

    /// The peer announced, or began to send, a larger payload than is taken.
    #[error("a payload of more than {limit} bytes")]
    TooLarge {
        /// The largest payload that would have been taken, in bytes.
        limit: usize,
    },
}

/// Appends one frame to `out`, its payload being whatever `write_payload` appends.
///
/// `out` is appended to and never cleared, so a caller can gather several frames into one write.
/// `write_payload` must only append. An empty payload is the original's goodbye; never send it.
///
/// # Examples
///
/// ```
/// let mut out = Vec::new();
/// pychat_wire::frame::encode(&mut out, |out| out.extend_from_slice(b"{}"));
/// assert_eq!(out, b"2:{}");
/// ```
pub fn encode(out: &mut Vec<u8>, write_payload: impl FnOnce(&mut Vec<u8>)) {
    let begin = out.len();
    write_payload(out);
    let mut digits = itoa::Buffer::new();
    let length = digits.format(out.len() - begin);
    // The length is known only now: append it, then turn it to the front.
    out.extend_from_slice(length.as_bytes());
    out.push(b':');
    out[begin..].rotate_right(length.len() + 1);
}

/// Finds the payloads in a stream of bytes that arrives in any pieces.
///
/// The decoder borrows from its input whatever it can and keeps only the beginning of a payload
/// that was cut; between two payloads it holds no memory at all.
#[derive(Clone, Debug)]
pub struct Decoder {
    state: State,
    /// The beginning of a payload whose end has not arrived, or the whole one just handed out.
    partial: Vec<u8>,
    payload_bytes_max: usize,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Between,
    Prefix { digits: usize, size: usize },
    Payload { size: usize },
    Bare(Object),
    Failed(FrameError),
}

/// The result of reading the input up to the end of a payload, or up to its own.
enum Found<'a> {
    /// A payload that lies whole in the input.
    Whole(&'a [u8]),
    /// A payload whose last byte was just appended to `partial`.
    Gathered,
    NotYet,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(PAYLOAD_BYTES_MAX)
    }
}

impl Decoder {
    /// Returns a decoder that refuses payloads of more than `payload_bytes_max` bytes.
    pub fn new(payload_bytes_max: usize) -> Self {
        Self { state: State::Between, partial: Vec::new(), payload_bytes_max }
    }

    /// Takes the next payload from the front of `input`.
    ///
    /// Call it until it answers `Ok(None)`; `input` is then empty, and what it held of an
    /// unfinished payload is kept for the next call. There are three answers:
    ///
    /// * `Ok(Some(payload))`: one whole payload. An empty one, `0:`, is the peer's goodbye.
    /// * `Ok(None)`: not yet.
    /// * `Err(_)`: never again; every later call answers the same.
    ///
    /// # Errors
    ///
    /// [`FrameError`], at the first byte that can belong to no frame.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::frame::Decoder;
    ///
    /// let mut decoder = Decoder::default();
    /// let mut input = &b"2:{}3:{\"a"[..];
    /// assert_eq!(decoder.next_payload(&mut input)?, Some(&b"{}"[..]));
    /// assert_eq!(decoder.next_payload(&mut input)?, Some(&b"{\"a"[..]));
    /// assert_eq!(decoder.next_payload(&mut input)?, None);
    /// # Ok::<(), pychat_wire::frame::FrameError>(())
    /// ```
    pub fn next_payload<'a, 'input: 'a>(
        &'a mut self,
        input: &mut &'input [u8],
    ) -> Result<Option<&'a [u8]>, FrameError> {
        if matches!(self.state, State::Between) {
            self.partial = Vec::new(); // Whatever was handed out from here has been read.
        }
        match self.advance(input) {
            Ok(Found::Whole(payload)) => Ok(Some(payload)),
            Ok(Found::Gathered) => Ok(Some(&self.partial)),
            Ok(Found::NotYet) => Ok(None),
            Err(error) => {
                self.state = State::Failed(error);
                self.partial = Vec::new();
                Err(error)
            }
        }
    }

    /// Returns the number of bytes that are kept of an unfinished payload.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut decoder = pychat_wire::frame::Decoder::default();
    /// assert_eq!(decoder.next_payload(&mut &b"9:{\"ty"[..])?, None);
    /// assert_eq!(decoder.pending_bytes(), 4);
    /// # Ok::<(), pychat_wire::frame::FrameError>(())
    /// ```
    pub fn pending_bytes(&self) -> usize {
        match self.state {
            State::Payload { .. } | State::Bare(_) => self.partial.len(),
            State::Between | State::Prefix { .. } | State::Failed(_) => 0,
        }
    }

    /// Returns the bytes that put a new decoder into the state of this one: the beginning of a
    /// frame whose end has not arrived, if there is one.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut decoder = pychat_wire::frame::Decoder::default();
    /// assert_eq!(decoder.next_payload(&mut &b"9:{\"ty"[..])?, None);
    /// assert_eq!(decoder.unfinished(), b"9:{\"ty");
    /// # Ok::<(), pychat_wire::frame::FrameError>(())
    /// ```
    pub fn unfinished(&self) -> Vec<u8> {
        let mut bytes = match self.state {
            State::Between | State::Failed(_) => return Vec::new(),
            State::Prefix { digits, size } => return format!("{size:0digits$}").into_bytes(),
            State::Payload { size } => format!("{size}:").into_bytes(),
            State::Bare(_) => Vec::new(),
        };
        bytes.extend_from_slice(&self.partial);
        bytes
    }

    /// Walks through the states until a payload ends or the input does.
    fn advance<'a>(&mut self, input: &mut &'a [u8]) -> Result<Found<'a>, FrameError> {
        loop {
            match self.state {
                State::Between => {
                    let Some(begin) = input.iter().position(|byte| !is_space(*byte)) else {
                        *input = &[];
                        return Ok(Found::NotYet);
                    };
                    *input = &input[begin..];
                    self.state = match input[0] {
                        b'0'..=b'9' => State::Prefix { digits: 0, size: 0 },
                        b'{' => State::Bare(Object::default()),
                        byte => return Err(FrameError::BadPrefix { byte }),
                    };
                }
                State::Prefix { digits, size } => {
                    let Some((&byte, rest)) = input.split_first() else {
                        return Ok(Found::NotYet);
                    };
                    *input = rest;
                    self.state = self.read_prefix(byte, digits, size)?;
                }
                State::Payload { size } => return Ok(self.gather(input, size)),
                State::Bare(object) => return self.gather_bare(input, object),
                State::Failed(error) => return Err(error),
            }
        }
    }

    fn read_prefix(&self, byte: u8, digits: usize, size: usize) -> Result<State, FrameError> {
        match byte {
            b':' => Ok(State::Payload { size }),
            b'0'..=b'9' if digits < PREFIX_DIGITS_MAX => {
                // Neither can overflow: `size` was within the limit before this digit.
                let size = size.saturating_mul(10).saturating_add(usize::from(byte - b'0'));
                if self.payload_bytes_max < size {
                    return Err(FrameError::TooLarge { limit: self.payload_bytes_max });
                }
                Ok(State::Prefix { digits: digits + 1, size })
            }
            b'0'..=b'9' => Err(FrameError::EndlessPrefix),
            _ => Err(FrameError::BadPrefix { byte }),
        }
    }

    fn gather<'a>(&mut self, input: &mut &'a [u8], size: usize) -> Found<'a> {
        let missing = size - self.partial.len();
        let Some((head, rest)) = input.split_at_checked(missing) else {
            self.partial.extend_from_slice(mem::take(input));
            return Found::NotYet;
        };
        *input = rest;
        self.finish(head)
    }

    fn gather_bare<'a>(
        &mut self,
        input: &mut &'a [u8],
        mut object: Object,
    ) -> Result<Found<'a>, FrameError> {
        let end = input.iter().position(|byte| object.ends_at(*byte));
        let size = end.map_or(input.len(), |end| end + 1);
        if self.payload_bytes_max < self.partial.len() + size {
            return Err(FrameError::TooLarge { limit: self.payload_bytes_max });
        }
        let (head, rest) = input.split_at(size);
        *input = rest;
        if end.is_none() {
            self.state = State::Bare(object);
            self.partial.extend_from_slice(head);
            return Ok(Found::NotYet);
        }
        Ok(self.finish(head))
    }

    /// Hands out a payload of which `tail` is the last piece, perhaps the only one.
    fn finish<'a>(&mut self, tail: &'a [u8]) -> Found<'a> {
        self.state = State::Between;
        if self.partial.is_empty() {
            return Found::Whole(tail);
        }
        self.partial.extend_from_slice(tail);
        Found::Gathered
    }
}

/// The position of the last byte in a bare object: its depth, and whether it is in a string.
#[derive(Clone, Copy, Debug, Default)]
struct Object {
    depth: usize,
    in_string: bool,
    after_backslash: bool,
}

impl Object {
    /// Takes one more byte; returns true if it closes the object.
    fn ends_at(&mut self, byte: u8) -> bool {
        if mem::take(&mut self.after_backslash) {
            return false;
        }
        match byte {
            b'\\' => self.after_backslash = self.in_string,
            b'"' => self.in_string = !self.in_string,
            b'{' if !self.in_string => self.depth += 1,
            b'}' if !self.in_string => self.depth -= 1,
            _ => (),
        }
        self.depth == 0
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Returns a byte as an error shows it: as a character if it is a visible one of ASCII.
fn shown(byte: u8) -> String {
    if byte.is_ascii_graphic() {
        format!("`{}`", char::from(byte))
    } else {
        format!("byte {byte:#04x}")
    }
}

#[cfg(test)]
mod tests;
