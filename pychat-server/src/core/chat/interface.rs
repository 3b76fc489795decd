//! The interface between the chat and the rest of the server: its inputs and its effects.

use std::{fmt, ops::Range, sync::Arc, time::Instant};

use pychat_wire::{
    ClientMessage, FrameError, MessageError, NameError, UserName,
    message::{ErrorCode, Listing, Reason},
};

use crate::core::{
    admission::Origin,
    id::{ConnectionId, RoomId, Ticket},
    record::{Kind, Outcome, PersonId, Record, Request},
};

/// An input: something that the chat is told.
#[derive(Debug)]
pub enum Input<'a> {
    /// Somebody connected.
    Connected {
        /// The id that it has from now on.
        id: ConnectionId,
        /// The networks that the connection comes from.
        origin: Origin,
    },
    /// A message arrived.
    Received {
        /// The connection that it came from.
        id: ConnectionId,
        /// The message.
        message: ClientMessage<'a>,
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
    /// The server is about to stop.
    Stopping,
}

/// An effect: something that the chat wants done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Effect {
    /// The store is to do something, and to answer.
    Store {
        /// The ticket that the answer bears.
        ticket: Ticket,
        /// The request.
        request: Request,
    },
    /// People are told something.
    Tell {
        /// The people.
        to: Recipients,
        /// The thing that they are told.
        event: Event,
    },
    /// Something happens to a connection.
    Connection {
        /// The connection.
        id: ConnectionId,
        /// The thing that happens.
        action: Action,
    },
}

/// The people who are told something.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Recipients {
    /// The peer at one connection.
    One(ConnectionId),
    /// Everybody in a room.
    Room(RoomId),
    /// Those in a room whose join indices lie within a range.
    JoinedWithin(RoomId, Range<u64>),
}

/// Something that people are told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// The first message of every connection.
    Greeting,
    /// A sentence of protocol 1, in the server's name.
    Notice(String),
    /// A refusal, in protocol 2.
    Refused(Complaint),
    /// The welcome of protocol 2.
    Welcome {
        /// The name under which the peer has joined.
        name: UserName,
        /// The token that proves from now on that the name is theirs.
        token: String,
        /// The people present, this peer included.
        members: Listing,
    },
    /// People joined. Those who joined later than them know by their own welcome, and are not told.
    Joined {
        /// Names with their join indices, in join order.
        people: Vec<(UserName, u64)>,
    },
    /// Somebody left.
    Left {
        /// The name of the person who left.
        name: UserName,
        /// The reason.
        reason: CloseReason,
    },
    /// A message was accepted. Its author is shown it as their own.
    Message {
        /// The author's connection, which may be gone.
        from: ConnectionId,
        /// The message.
        record: Record,
    },
    /// A text had been accepted before, as its author is told.
    Duplicate {
        /// The message as it was accepted then.
        record: Record,
    },
    /// The answer to a ping.
    Pong,
    /// The last message of protocol 2 before the connection is closed.
    Bye {
        /// The reason.
        reason: CloseReason,
    },
}

/// Something that happens to a connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// From here on it is in a room and hears what is told to all there.
    Subscribe(Subscribe),
    /// Send everything after a number that the log has, and only then what is told to all.
    Resume {
        /// The room.
        room: RoomId,
        /// The log that the number belongs to.
        epoch: String,
        /// The last number that the peer has.
        after: u64,
        /// The most messages that it wants, the newest ones; all if `None`.
        limit: Option<u64>,
    },
    /// Send some messages of the past.
    Page {
        /// The room.
        room: RoomId,
        /// The number before which they end.
        before: u64,
        /// The most messages, the newest of those before it.
        limit: u64,
    },
    /// Read nothing more from it until a time, not even what has arrived.
    PauseRead {
        /// The time at which it is read again.
        until: Instant,
    },
    /// Read nothing more from it until the store has answered: then [`ResumeRead`](Self::ResumeRead)
    /// follows.
    AwaitStore,
    /// The store has answered.
    ResumeRead,
    /// Log, for the operator, that something was refused.
    Log(Refusal),
    /// Read nothing more from it, flush what it is owed, and close it.
    Close {
        /// The reason.
        reason: CloseReason,
    },
}

/// The entry of a connection into a room.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Subscribe {
    /// The room.
    pub room: RoomId,
    /// The name under which the peer has joined.
    pub name: UserName,
    /// The person, if the peer proved who it is.
    pub person: Option<PersonId>,
    /// The protocol in which it is spoken to.
    pub protocol: Protocol,
    /// Its position in join order.
    pub join_index: u64,
}

impl Effect {
    /// Returns true if somebody is told the time with it.
    pub fn tells_time(&self) -> bool {
        matches!(
            self,
            Self::Tell {
                event: Event::Welcome { .. } | Event::Joined { .. } | Event::Left { .. },
                ..
            }
        )
    }

    /// Returns true if nothing more is to be read from `connection`, for now or for good.
    pub fn ends_reading(&self, connection: ConnectionId) -> bool {
        matches!(
            self,
            Self::Connection {
                id,
                action: Action::PauseRead { .. } | Action::AwaitStore | Action::Close { .. },
            } if *id == connection
        )
    }

    /// Returns about how many bytes it takes to carry this out, for one peer.
    pub fn weight(&self) -> usize {
        /// The weight of any effect apart from its content, in bytes.
        const LEAST: usize = 256;
        LEAST
            + match self {
                Self::Store { request: Request::Append { draft, .. }, .. } => {
                    let Kind::Text(text) = &draft.kind;
                    text.len()
                }
                Self::Tell { event: Event::Notice(text), .. } => text.len(),
                Self::Tell { event: Event::Welcome { members, .. }, .. } => members.bytes(),
                _ => 0,
            }
    }
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
    /// Somebody who proved that the name is theirs came by another connection.
    Replaced,
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
            Self::Replaced => "replaced",
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
            Self::Replaced => Reason::Replaced,
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
    /// A name that somebody present has, or owns.
    NameTaken,
    /// A text without an id of its own, or with one that is too long.
    MessageId,
    /// A text under an id that other words were said under.
    IdReused,
    /// A text before joining.
    NotJoined,
    /// A second hello.
    AlreadyJoined,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(error) => error.fmt(formatter),
            Self::Payload(error) => error.fmt(formatter),
            Self::Name(error) => error.fmt(formatter),
            Self::NameTaken => formatter.write_str("a name that somebody else has"),
            Self::MessageId => formatter.write_str("a text without a good id"),
            Self::IdReused => formatter.write_str("other words under an id that was used"),
            Self::NotJoined => formatter.write_str("a text before a hello"),
            Self::AlreadyJoined => formatter.write_str("a second hello"),
        }
    }
}
