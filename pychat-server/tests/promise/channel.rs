//! A client's end of a line: plain, or with TLS from the greeting on.

use std::{
    collections::VecDeque,
    io::{Read, Write},
};

use mio::event::Event as Edge;
use pychat_wire::Decoder;
use rustls::{ClientConnection, Error, InvalidMessage};

use super::line::{Heard, Line};
use crate::process::{Handshake, binding};

/// The most that is read at once of what is encrypted, in bytes.
const READ_BYTES: usize = 16 << 10;

/// The largest greeting, in bytes.
const GREETING_BYTES_MAX: usize = 4 << 10;

/// A line, and the encryption on it if there is one.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) line: Line,
    layer: Layer,
}

#[derive(Debug)]
enum Layer {
    Plain,
    /// TLS is begun after the greeting, which counts for nothing.
    Greeting(Decoder),
    Tls {
        session: Box<ClientConnection>,
        /// The bytes that were decrypted and not heard yet.
        plain: VecDeque<u8>,
        is_secured: bool,
    },
}

impl Channel {
    /// Returns a channel over a line on which nothing was heard.
    pub(crate) fn new(line: Line, is_encrypted: bool) -> Self {
        let layer = if is_encrypted {
            Layer::Greeting(Decoder::new(GREETING_BYTES_MAX))
        } else {
            Layer::Plain
        };
        Self { line, layer }
    }

    /// Notes an edge.
    pub(crate) fn set_ready(&mut self, edge: &Edge) {
        self.line.set_ready(edge);
    }

    /// Reads once. `Bytes` may be none, where only TLS heard something.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Heard {
        match &mut self.layer {
            Layer::Plain => self.line.read(buffer),
            Layer::Greeting(decoder) => {
                let heard = self.line.read(buffer);
                let Heard::Bytes(size) = heard else { return heard };
                let payload = decoder.next_payload(&mut &buffer[..size]).expect("a frame");
                if payload.is_some() {
                    let (mut session, _) = Handshake::default().begin();
                    session.set_buffer_limit(None);
                    let (session, plain) = (Box::new(session), VecDeque::new());
                    self.layer = Layer::Tls { session, plain, is_secured: false };
                    self.take_over();
                }
                Heard::Bytes(0)
            }
            Layer::Tls { plain, .. } => match plain.read(buffer).expect("it is in memory") {
                0 => self.read_encrypted(),
                size => Heard::Bytes(size),
            },
        }
    }

    fn read_encrypted(&mut self) -> Heard {
        let Layer::Tls { session, plain, .. } = &mut self.layer else { return Heard::Nothing };
        let mut buffer = [0; READ_BYTES];
        let heard = self.line.read(&mut buffer);
        let Heard::Bytes(size) = heard else { return heard };
        let mut bytes = &buffer[..size];
        while !bytes.is_empty() {
            session.read_tls(&mut bytes).expect("there is room");
            if let Err(error) = session.process_new_packets() {
                // A server that stops says so in plain to a peer whose handshake it has not seen.
                let is_plain = error == Error::InvalidMessage(InvalidMessage::InvalidContentType);
                let is_early = session.is_handshaking() && is_plain;
                assert!(is_early, "bytes are delayed or lost, never changed: {error}");
                return Heard::BadFrame;
            }
            let mut decrypted = Vec::new();
            let _ = session.reader().read_to_end(&mut decrypted); // Until nothing more is there.
            plain.extend(decrypted);
        }
        self.take_over();
        Heard::Bytes(0)
    }

    /// Returns the channel binding, once: when the handshake has ended.
    pub(crate) fn take_binding(&mut self) -> Option<[u8; 32]> {
        match &mut self.layer {
            Layer::Tls { session, is_secured: is_secured @ false, .. }
                if !session.is_handshaking() =>
            {
                *is_secured = true;
                Some(binding(session))
            }
            _ => None,
        }
    }

    /// Says `bytes`, which are to be [written](Line::write).
    pub(crate) fn say(&mut self, bytes: &[u8]) {
        match &mut self.layer {
            Layer::Plain => self.line.unsent.extend(bytes),
            Layer::Greeting(_) => assert!(bytes.is_empty(), "nothing is said in plain"),
            Layer::Tls { session, .. } => {
                session.writer().write_all(bytes).expect("there is no limit");
                self.take_over();
            }
        }
    }

    /// Takes over what TLS wants written.
    fn take_over(&mut self) {
        let Layer::Tls { session, .. } = &mut self.layer else { return };
        while session.wants_write() {
            session.write_tls(&mut self.line.unsent).expect("a vector takes it");
        }
    }
}
