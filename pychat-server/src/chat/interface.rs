//! The words between the chat and the rest of the server: what it is told, what it wants done.

use std::{fmt, time::Instant};

use pychat_wire::{ClientMessage, FrameError, MessageError, NameError, UserName};

use crate::{
    id::ConnectionId,
    log::{Draft, Record},
};

/// What the chat is told.
#[derive(Debug)]
pub enum Input<'a> {
    /// Somebody connected.
    Connected {
        /// Under this id from now on.
        id: ConnectionId,
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
    },
    /// The log has a text.
    Appended {
        /// The connection that it came by.
        from: ConnectionId,
        /// The text as the log has it.
        record: Record,
    },
    /// The server is about to stop.
    Stopping,
}

/// What the chat wants done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Take a text into the log.
    Append(Draft),
    /// Tell one peer, in the server's name.
    Tell {
        /// Whom.
        to: ConnectionId,
        /// What.
        content: String,
    },
    /// Tell everybody in the room, in the server's name.
    TellAll {
        /// What.
        content: String,
    },
    /// From here on this connection is in the room and hears what is told to all.
    Enter {
        /// Which.
        id: ConnectionId,
        /// Under which name.
        name: UserName,
    },
    /// Show a message to everybody in the room: to its author first, and as its own.
    Publish {
        /// The author's connection, which may be gone.
        from: ConnectionId,
        /// The message.
        record: Record,
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
            Self::Shutdown => "shutdown",
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
            Self::NotJoined => formatter.write_str("a text before a hello"),
            Self::AlreadyJoined => formatter.write_str("a second hello"),
        }
    }
}
