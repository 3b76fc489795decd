//! The words between the chat and the rest of the server: what it is told, what it wants done.

use std::{fmt, ops::Range, sync::Arc, time::Instant};

use pychat_wire::{
    ClientMessage, FrameError, MessageError, NameError, UserName,
    message::{ErrorCode, Listing, Reason},
};

use crate::{
    admission::Origin,
    id::ConnectionId,
    log::{Appended, Draft, OwnerChange, OwnerId, Record, StorageError},
};

/// What the chat is told.
#[derive(Debug)]
pub enum Input<'a> {
    /// Somebody connected.
    Connected {
        /// Under this id from now on.
        id: ConnectionId,
        /// The networks that the connection comes from.
        origin: Origin,
    },
    /// A message arrived.
    Received {
        /// From whom.
        id: ConnectionId,
        /// What it says.
        message: ClientMessage<'a>,
    },
    /// A whole payload arrived that means nothing.
    Misunderstood {
        /// From whom.
        id: ConnectionId,
        /// What is wrong with it.
        error: MessageError,
    },
    /// What arrives is no stream of frames any more.
    Broken {
        /// From whom.
        id: ConnectionId,
        /// What is wrong with it.
        error: FrameError,
    },
    /// The peer will say no more, and said so: by a goodbye or by closing its writing side.
    Finished {
        /// Who.
        id: ConnectionId,
    },
    /// The connection is closing or gone, for whatever cause; nothing more comes from it.
    Closed {
        /// Whose.
        id: ConnectionId,
        /// Why.
        reason: CloseReason,
    },
    /// The log has a text.
    Appended {
        /// The connection that it came by.
        from: ConnectionId,
        /// The text as the log has it, and whether it is new there.
        appended: Appended,
    },
    /// The log could not take a text.
    NotKept {
        /// The text.
        draft: Draft,
        /// Why.
        error: StorageError,
    },
    /// The server is about to stop.
    Stopping,
}

/// What the chat wants done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Take a text into the log.
    Append(Draft),
    /// Keep who owns which name.
    ChangeOwner(OwnerChange),
    /// Send the first message of every connection.
    Greet {
        /// To whom.
        to: ConnectionId,
    },
    /// Tell one peer, in the server's name and in a sentence of protocol 1.
    Tell {
        /// Whom.
        to: ConnectionId,
        /// What.
        content: String,
    },
    /// Tell one peer of protocol 2 what was refused.
    Complain {
        /// Whom.
        to: ConnectionId,
        /// What was refused.
        complaint: Complaint,
    },
    /// Welcome a peer of protocol 2.
    Welcome {
        /// Whom.
        to: ConnectionId,
        /// Under which name.
        name: UserName,
        /// What proves from now on that the name is theirs.
        token: String,
        /// Who is present, this peer included.
        members: Listing,
    },
    /// Tell everybody in the room who joined before them that these did: those who joined later know
    /// by their welcome.
    Arrive {
        /// Names with their join indices, in join order.
        people: Vec<(UserName, u64)>,
    },
    /// Tell people in the room that somebody left.
    Depart {
        /// Who.
        name: UserName,
        /// Why.
        reason: CloseReason,
        /// The join indices of those who are told; everybody if `None`.
        known_to: Option<Range<u64>>,
    },
    /// From here on this connection is in the room and hears what is told to all.
    Enter {
        /// Which.
        id: ConnectionId,
        /// Under which name.
        name: UserName,
        /// Whose that is, if they proved it.
        owner: Option<OwnerId>,
        /// What it is spoken to in.
        protocol: Protocol,
        /// Its position in join order.
        join_index: u64,
    },
    /// Send everything after a number that the log has, and only then what is told to all.
    Resume {
        /// To whom, who is in the room.
        id: ConnectionId,
        /// The log that the number belongs to.
        epoch: String,
        /// The last number that the peer has.
        after: u64,
        /// How many messages it wants at most, the newest; `None` if all.
        limit: Option<u64>,
    },
    /// Send some messages of the past.
    Page {
        /// To whom.
        to: ConnectionId,
        /// Those before this number.
        before: u64,
        /// The newest so many of them.
        limit: u64,
    },
    /// Answer a ping.
    Pong {
        /// Whose.
        to: ConnectionId,
    },
    /// Show a message to everybody in the room, to its author as its own.
    Publish {
        /// The author's connection, which may be gone.
        from: ConnectionId,
        /// The message.
        record: Record,
    },
    /// Tell the author of a text that it had been accepted before.
    Acknowledge {
        /// Whom.
        to: ConnectionId,
        /// The message as it was accepted then.
        record: Record,
    },
    /// Tell one peer of protocol 2 that its connection is about to be closed.
    Bye {
        /// Whom.
        to: ConnectionId,
        /// Why.
        reason: CloseReason,
    },
    /// Read nothing more from this connection for a while, not even what has arrived.
    Hold {
        /// Which.
        id: ConnectionId,
        /// Until when.
        until: Instant,
    },
    /// Note for the operator that something was refused.
    Report {
        /// From whom.
        id: ConnectionId,
        /// What was wrong.
        refusal: Refusal,
    },
    /// Read nothing more from this connection, flush what it is owed, and close it.
    Close {
        /// Which.
        id: ConnectionId,
        /// Why.
        reason: CloseReason,
    },
}

impl Effect {
    /// Returns true if somebody is told the time with it.
    pub fn tells_time(&self) -> bool {
        matches!(self, Self::Welcome { .. } | Self::Arrive { .. } | Self::Depart { .. })
    }

    /// Returns true if nothing more is to be read from `connection`, for now or for good.
    pub fn ends_reading(&self, connection: ConnectionId) -> bool {
        matches!(self, Self::Hold { id, .. } | Self::Close { id, .. } if *id == connection)
    }

    /// Returns about how many bytes it takes to carry this out, for one peer.
    pub fn weight(&self) -> usize {
        /// What anything takes that is not longer than this.
        const LEAST: usize = 256;
        LEAST
            + match self {
                Self::Append(draft) => draft.content.len(),
                Self::Tell { content, .. } => content.len(),
                Self::Welcome { members, .. } => members.bytes(),
                _ => 0,
            }
    }
}

/// What a peer is spoken to in.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Protocol {
    /// The original's, in sentences.
    #[default]
    One,
    /// Ours, in typed payloads.
    Two,
}

/// What a peer of protocol 2 is told when something was refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Complaint {
    /// What.
    pub code: ErrorCode,
    /// Why, for people to read.
    pub text: String,
    /// The id of the text that it is about.
    pub reference: Option<Arc<str>>,
    /// When trying again makes sense, in milliseconds from now.
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

/// Why a connection ended. Not an error: people leave.
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
    /// It did not say who it is in time.
    Timeout,
    /// Somebody who proved that the name is theirs came by another connection.
    Replaced,
    /// What it missed could not be read from the log.
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

/// What was refused, for the operator.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// Bytes that are no frame.
    Frame(FrameError),
    /// A payload that means nothing.
    Payload(MessageError),
    /// A name that breaks a rule.
    Name(NameError),
    /// A name that somebody present has, or owns.
    NameTaken,
    /// A text without an id of its own, or with an endless one.
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
