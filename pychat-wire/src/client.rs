//! The client's half of the conversation, without a socket.
//!
//! Bytes as they were read go in by [`Client::receive`]; what to show comes out of
//! [`Client::next_event`], and what to write out of [`Client::take_outgoing`]. It owns no socket
//! and reads no clock, so a window, a bot and a test drive it alike. When the connection ends, the
//! client is done with, and [`Client::unacknowledged`] says what the server never took.
//!
//! ```text
//!               greeting            welcome
//!  (connected) ──────────▶ (asked) ─────────▶ (joined)
//!                             │
//!                             └── any other notice ──▶ (refused)
//! ```

use std::{collections::VecDeque, mem};

use thiserror::Error;

use crate::{
    frame::{Decoder, FrameError, PAYLOAD_BYTES_MAX},
    message::{ClientMessage, ServerMessage},
    name::{SERVER, UserName, YOU},
    notice::Notice,
};

/// The largest payload taken from a server, in bytes.
///
/// Far above [`PAYLOAD_BYTES_MAX`]: servers of the original have no limit of their own, and send
/// each letter that is not ASCII as six bytes.
pub const SERVER_PAYLOAD_BYTES_MAX: usize = 16 << 20;

/// Something to show, in the order in which it happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// The server let us in.
    Joined {
        /// The name that the server gave us, `Анна (2)` where `Анна` was taken.
        name: String,
        /// Who was there before, in join order.
        others: Vec<String>,
    },
    /// The server did not take our name; there is nothing to wait for.
    Refused {
        /// Why, in the server's words.
        reason: String,
    },
    /// Somebody said something.
    Message {
        /// Who; for our own message the name that we joined under.
        author: String,
        /// What, without the newline that clients of the original put at the end.
        content: String,
        /// True if we said it: this is its acknowledgement.
        own: bool,
    },
    /// The server told us something.
    Notice(ServerNotice),
    /// What arrives is no stream of frames: close the connection.
    Broken(FrameError),
}

/// What the server told those who are in the room.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ServerNotice {
    /// Somebody joined.
    Joined {
        /// Who.
        name: String,
    },
    /// Somebody left.
    Left {
        /// Who.
        name: String,
    },
    /// The server is about to stop.
    Stopping,
    /// Anything else.
    Other {
        /// The server's words.
        text: String,
    },
}

/// Why a text was not sent. The text is still the caller's.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum SayError {
    /// There is nothing in it to be seen.
    #[error("the text is blank")]
    Blank,
    /// We are not in the room.
    #[error("not joined")]
    NotJoined,
    /// It does not fit into one message.
    #[error("the text is too long: {bytes} of at most {limit} bytes")]
    TooLarge {
        /// The size of its payload, in bytes.
        bytes: usize,
        /// The largest payload that servers take, in bytes.
        limit: usize,
    },
}

/// One connection's state, from the greeting on.
#[derive(Debug)]
pub struct Client {
    decoder: Decoder,
    name: UserName,
    phase: Phase,
    events: VecDeque<Event>,
    outgoing: Vec<u8>,
    unacknowledged: VecDeque<String>,
}

#[derive(Debug)]
enum Phase {
    Connected,
    Asked,
    Joined { name: String },
    Refused,
}

impl Client {
    /// Returns a client that will ask to join as `name`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{Client, ServerMessage, UserName, notice::Notice};
    ///
    /// let mut client = Client::new(UserName::new("Анна")?);
    /// let mut greeting = Vec::new();
    /// ServerMessage::notice(Notice::Greeting).encode(&mut greeting);
    /// client.receive(&greeting);
    /// assert!(client.take_outgoing().starts_with(br#"38:{"type":"hello""#));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn new(name: UserName) -> Self {
        Self {
            decoder: Decoder::new(SERVER_PAYLOAD_BYTES_MAX),
            name,
            phase: Phase::Connected,
            events: VecDeque::new(),
            outgoing: Vec::new(),
            unacknowledged: VecDeque::new(),
        }
    }

    /// Takes in bytes as they were read, cut anywhere.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{Client, FrameError, UserName, client::Event};
    ///
    /// let mut client = Client::new(UserName::new("Анна")?);
    /// client.receive(b"HTTP/1.1 400 Bad Request");
    /// let broken = Event::Broken(FrameError::BadPrefix { byte: b'H' });
    /// assert_eq!(client.next_event(), Some(broken));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn receive(&mut self, mut bytes: &[u8]) {
        let mut decoder = mem::take(&mut self.decoder);
        loop {
            match decoder.next_payload(&mut bytes) {
                Ok(Some(payload)) => self.on_payload(payload),
                Ok(None) => break,
                Err(error) => {
                    self.events.push_back(Event::Broken(error));
                    break;
                }
            }
        }
        self.decoder = decoder;
    }

    /// Returns the next thing to show, if there is one.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName};
    /// let mut client = Client::new(UserName::new("Анна")?);
    /// assert_eq!(client.next_event(), None);
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Takes the bytes that are to be written now, if any.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName};
    /// let mut client = Client::new(UserName::new("Анна")?);
    /// assert_eq!(client.take_outgoing(), b""); // The server speaks first.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn take_outgoing(&mut self) -> Vec<u8> {
        mem::take(&mut self.outgoing)
    }

    /// Says `text`, without the space at its end, to everybody in the room.
    ///
    /// It stays among the [unacknowledged](Self::unacknowledged) until it comes back as an
    /// [`Event::Message`] of our own.
    ///
    /// # Errors
    ///
    /// [`SayError`] if it cannot be sent; then nothing is.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{Client, UserName, client::SayError};
    ///
    /// let mut client = Client::new(UserName::new("Анна")?);
    /// assert_eq!(client.say("hi"), Err(SayError::NotJoined));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn say(&mut self, text: &str) -> Result<(), SayError> {
        let text = text.trim_end();
        if text.is_empty() {
            return Err(SayError::Blank);
        }
        let Phase::Joined { .. } = self.phase else {
            return Err(SayError::NotJoined);
        };
        let message = ClientMessage::text(text);
        let bytes = message.payload_bytes();
        if PAYLOAD_BYTES_MAX < bytes {
            return Err(SayError::TooLarge { bytes, limit: PAYLOAD_BYTES_MAX });
        }
        message.encode(&mut self.outgoing);
        self.unacknowledged.push_back(text.to_owned());
        Ok(())
    }

    /// Returns what was said and has not come back, oldest first.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName};
    /// let client = Client::new(UserName::new("Анна")?);
    /// assert_eq!(client.unacknowledged().count(), 0);
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn unacknowledged(&self) -> impl Iterator<Item = &str> {
        self.unacknowledged.iter().map(String::as_str)
    }

    /// A payload that this client does not understand is passed over, as by clients of the original.
    fn on_payload(&mut self, payload: &[u8]) {
        let Ok(
            ServerMessage::Message { username, content }
            | ServerMessage::Greeting { username, content, .. },
        ) = ServerMessage::parse(payload)
        else {
            return;
        };
        if username == SERVER {
            self.on_notice(&content);
        } else {
            let content = content.strip_suffix('\n').unwrap_or(&content).to_owned();
            self.on_message(username.into_owned(), content);
        }
    }

    fn on_message(&mut self, username: String, content: String) {
        let message = match &self.phase {
            Phase::Joined { name } if username == YOU => {
                self.unacknowledged.pop_front_if(|text| *text == content);
                Event::Message { author: name.clone(), content, own: true }
            }
            _ => Event::Message { author: username, content, own: false },
        };
        self.events.push_back(message);
    }

    fn on_notice(&mut self, content: &str) {
        match (&self.phase, Notice::parse(content)) {
            (Phase::Connected, Notice::Greeting) => {
                ClientMessage::hello(self.name.as_str()).encode(&mut self.outgoing);
                self.phase = Phase::Asked;
            }
            (Phase::Asked, Notice::Welcome { name, names, .. }) => {
                let others = if names.is_empty() { Vec::new() } else { split_names(names) };
                self.events.push_back(Event::Joined { name: name.to_owned(), others });
                self.phase = Phase::Joined { name: name.to_owned() };
            }
            (_, Notice::Stopping) => self.tell(ServerNotice::Stopping),
            (Phase::Asked, _) => {
                self.events.push_back(Event::Refused { reason: content.trim_end().to_owned() });
                self.phase = Phase::Refused;
            }
            (_, Notice::Joined { name }) => {
                self.tell(ServerNotice::Joined { name: name.to_owned() });
            }
            (_, Notice::Left { name }) => self.tell(ServerNotice::Left { name: name.to_owned() }),
            _ => self.tell(ServerNotice::Other { text: content.trim_end().to_owned() }),
        }
    }

    fn tell(&mut self, notice: ServerNotice) {
        self.events.push_back(Event::Notice(notice));
    }
}

fn split_names(names: &str) -> Vec<String> {
    names.split(", ").map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests;
