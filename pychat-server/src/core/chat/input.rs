//! The inputs of the chat, and the types that its inputs and [effects](super::effect) share.

use std::{fmt, sync::Arc};

use pychat_wire::{
    ClientMessage, FrameError, MessageError, NameError, UserName,
    key::Challenge,
    message::{ErrorCode, Reason},
};

use crate::core::{
    admission::Origin,
    elsewhere::Elsewhere,
    id::{CallId, ConnectionId, Ticket},
    moderation::Order,
    record::{Outcome, StorageError},
};

/// The time after which a text or request should be sent again that the store could not keep, in
/// milliseconds.
pub const STORAGE_RETRY_MS: u64 = 5_000;

/// The same if another server was faster.
pub const OVERTAKEN_RETRY_MS: u64 = 100;

/// An input: something that the chat is told.
#[derive(Debug)]
pub enum Input<'a> {
    /// Somebody connected.
    Connected {
        /// The id that it has from now on.
        id: ConnectionId,
        /// The networks that the connection comes from.
        origin: Origin,
        /// The challenge that its hello must sign: a nonce that no other connection has, and no
        /// channel binding.
        challenge: Challenge,
    },
    /// A message arrived.
    Received {
        /// The connection that it came from.
        id: ConnectionId,
        /// The message.
        message: ClientMessage<'a>,
    },
    /// The peer asks for TLS, before it has said anything else.
    TlsWanted {
        /// The connection.
        id: ConnectionId,
    },
    /// Everything from here on is encrypted.
    Secured {
        /// The connection.
        id: ConnectionId,
        /// The challenge that its hello must sign now: another nonce, and the channel binding.
        challenge: Challenge,
    },
    /// A whole payload arrived that is no message.
    BadMessage {
        /// The connection that it came from.
        id: ConnectionId,
        /// The fault in it.
        error: MessageError,
    },
    /// Bytes arrived that are no frames; the stream cannot be read any further.
    BadFrame {
        /// The connection that they came from.
        id: ConnectionId,
        /// The fault in them.
        error: FrameError,
    },
    /// The peer will send no more, and said so: by a goodbye or by closing its writing side.
    Eof {
        /// The connection.
        id: ConnectionId,
    },
    /// The connection is closing or gone, for whatever cause; nothing more comes from it.
    Closed {
        /// The connection.
        id: ConnectionId,
        /// The reason.
        reason: CloseReason,
    },
    /// The store has answered a request.
    Stored {
        /// The request.
        ticket: Ticket,
        /// The answer.
        outcome: Outcome,
    },
    /// Another server had something carried out.
    Elsewhere(Elsewhere),
    /// An operator on the machine asks for something.
    Ordered {
        /// The call.
        call: CallId,
        /// The operator, as records name them.
        by: &'a str,
        /// The order.
        order: Order,
    },
    /// The server is about to stop.
    Stopping,
}

/// The protocol in which a peer is spoken to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Protocol {
    /// The original's, in sentences.
    #[default]
    V1,
    /// Ours, in typed payloads.
    V2,
}

impl Protocol {
    /// Returns its number.
    pub fn number(self) -> u64 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }
}

/// Something that there is for each protocol.
#[derive(Clone, Copy, Debug, Default)]
pub struct PerProtocol<T> {
    /// That of protocol 1.
    pub v1: T,
    /// That of protocol 2.
    pub v2: T,
}

impl<T> PerProtocol<T> {
    /// Returns that of `protocol`.
    pub fn of(&self, protocol: Protocol) -> &T {
        match protocol {
            Protocol::V1 => &self.v1,
            Protocol::V2 => &self.v2,
        }
    }

    /// Returns that of `protocol`, to change it.
    pub fn of_mut(&mut self, protocol: Protocol) -> &mut T {
        match protocol {
            Protocol::V1 => &mut self.v1,
            Protocol::V2 => &mut self.v2,
        }
    }
}

/// A refusal, as a peer of protocol 2 is told of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Complaint {
    /// The kind of refusal.
    pub code: ErrorCode,
    /// The reason, for people to read.
    pub text: String,
    /// The id of the text that it is about.
    pub reference: Option<Arc<str>>,
    /// The time until trying again makes sense, in milliseconds.
    pub retry_ms: Option<u64>,
    /// A name that is free.
    pub suggest: Option<UserName>,
}

impl Complaint {
    /// Returns a complaint that says nothing more than `text`.
    pub fn new(code: ErrorCode, text: &str) -> Self {
        Self { code, text: text.to_owned(), reference: None, retry_ms: None, suggest: None }
    }

    /// Returns a complaint that the store cannot do something for now because of `error`, about the text
    /// or request with the id `reference`, if it has one.
    pub fn storage(reference: Option<Arc<str>>, error: &StorageError, text: &str) -> Self {
        let retry_ms = Some(match error {
            StorageError::Overtaken => OVERTAKEN_RETRY_MS,
            _ => STORAGE_RETRY_MS,
        });
        Self { reference, retry_ms, ..Self::new(ErrorCode::Storage, text) }
    }
}

/// The reason why a connection ended. Not an error: people leave.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CloseReason {
    /// It said goodbye, or closed its writing side.
    Quit,
    /// The line broke.
    Lost,
    /// It did not read what it was owed.
    Slow,
    /// It did not keep to the protocol.
    Protocol,
    /// It sent no hello in time.
    Timeout,
    /// It made way: for the owner of the name, or for one connection more of the same person than
    /// there may be.
    Displaced,
    /// Its device was removed by another one of the same person, or its name was taken from it.
    Removed,
    /// An operator sent it away.
    Kicked,
    /// An operator banned its person, or its address.
    Banned,
    /// The history that it asked for could not be read from the log.
    Storage,
    /// The server stops.
    Shutdown,
}

impl CloseReason {
    /// Returns the word that stands for it in logs.
    pub fn key(self) -> &'static str {
        match self {
            Self::Quit => "quit",
            Self::Lost => "lost",
            Self::Slow => "slow",
            Self::Protocol => "protocol",
            Self::Timeout => "timeout",
            Self::Displaced => "displaced",
            Self::Removed => "removed",
            Self::Kicked => "kicked",
            Self::Banned => "banned",
            Self::Storage => "storage",
            Self::Shutdown => "shutdown",
        }
    }

    /// Returns the word of the protocol for it.
    pub fn reason(self) -> Reason {
        match self {
            Self::Quit => Reason::Quit,
            Self::Lost | Self::Timeout | Self::Storage => Reason::Lost,
            Self::Slow => Reason::Slow,
            Self::Protocol => Reason::Protocol,
            Self::Displaced | Self::Kicked => Reason::Kicked,
            Self::Banned => Reason::Banned,
            Self::Removed => Reason::Removed,
            Self::Shutdown => Reason::Shutdown,
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.key())
    }
}

/// A refusal, as the operator's log names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// Bytes that are no frame.
    Frame(FrameError),
    /// A payload that is no message.
    Payload(MessageError),
    /// A name that breaks a rule.
    Name(NameError),
    /// A hello without TLS, from where that is not allowed.
    Plain,
    /// A hello without a good signature.
    Signature,
    /// A code that is no person's, or not any more.
    PairCode,
    /// A hello without an invite, where one is needed.
    Uninvited,
    /// The code of no invite, or of one that is good no longer.
    InviteCode,
    /// A newcomer for whose name there is no room.
    NoRoom,
    /// Something about devices that is not for this one to do.
    Device,
    /// A name that somebody present has, or owns.
    NameTaken,
    /// A text without an id of its own, or with one that is too long.
    MessageId,
    /// A text under an id that other words were said under.
    IdReused,
    /// A hello of somebody who is banned.
    Banned,
    /// A text of somebody who is muted.
    Muted,
    /// Something that is for operators to do.
    Operator,
    /// Something in a room that is not for this peer to do.
    Outsider,
    /// A room that cannot be made, or changed so.
    Room,
    /// Something that is about no message of the room.
    NoMessage,
    /// A change of somebody else's message.
    NotTheirs,
    /// A reaction that is no emoji, or one too many.
    Reaction,
    /// A text before joining.
    NotJoined,
    /// A second hello.
    AlreadyJoined,
}

impl Refusal {
    /// Returns the word that stands for it in logs.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Frame(_) => "frame",
            Self::Payload(_) => "payload",
            Self::Name(_) => "name",
            Self::Plain => "plain",
            Self::Signature => "signature",
            Self::PairCode => "pair_code",
            Self::Uninvited => "uninvited",
            Self::InviteCode => "invite_code",
            Self::NoRoom => "no_room",
            Self::Device => "device",
            Self::NameTaken => "name_taken",
            Self::MessageId => "message_id",
            Self::IdReused => "id_reused",
            Self::Banned => "banned",
            Self::Muted => "muted",
            Self::Operator => "operator",
            Self::Outsider => "outsider",
            Self::Room => "room",
            Self::NoMessage => "no_message",
            Self::NotTheirs => "not_theirs",
            Self::Reaction => "reaction",
            Self::NotJoined => "not_joined",
            Self::AlreadyJoined => "already_joined",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(error) => error.fmt(formatter),
            Self::Payload(error) => error.fmt(formatter),
            Self::Name(error) => error.fmt(formatter),
            Self::Plain => formatter.write_str("a hello without TLS"),
            Self::Signature => formatter.write_str("a hello without a good signature"),
            Self::PairCode => formatter.write_str("a pairing code that is not good"),
            Self::Uninvited => formatter.write_str("a hello without an invite"),
            Self::InviteCode => formatter.write_str("an invite that is not good"),
            Self::NoRoom => formatter.write_str("a name for which there is no room"),
            Self::Device => formatter.write_str("not for this device to do"),
            Self::NameTaken => formatter.write_str("a name that somebody else has"),
            Self::MessageId => formatter.write_str("a text without a good id"),
            Self::IdReused => formatter.write_str("other words under an id that was used"),
            Self::Banned => formatter.write_str("a hello of somebody who is banned"),
            Self::Muted => formatter.write_str("a text of somebody who is muted"),
            Self::Operator => formatter.write_str("something that is for operators to do"),
            Self::Outsider => formatter.write_str("something in a room that is not for this one"),
            Self::Room => formatter.write_str("a room that cannot be made, or changed so"),
            Self::NoMessage => formatter.write_str("about no message of the room"),
            Self::NotTheirs => formatter.write_str("a change of somebody else's message"),
            Self::Reaction => formatter.write_str("a reaction that is not taken"),
            Self::NotJoined => formatter.write_str("a text before a hello"),
            Self::AlreadyJoined => formatter.write_str("a second hello"),
        }
    }
}
