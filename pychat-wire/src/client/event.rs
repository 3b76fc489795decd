//! What a client tells its shell, in the order in which it happened.

use thiserror::Error;

use super::MessageId;
use crate::{
    frame::FrameError,
    message::{ErrorCode, Reason},
};

/// Something to do or to show.
///
/// [`Connect`](Self::Connect) and [`Disconnect`](Self::Disconnect) are to be done, everything else
/// is to be shown, or may be passed over.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Have a line to the server made; answer with [`connected`](super::Client::connected), or
    /// with [`disconnected`](super::Client::disconnected) where it cannot be had. How long that may
    /// take is up to the shell: the client waits for the answer.
    Connect,
    /// Write what [`take_outgoing`](super::Client::take_outgoing) gives and close the line, or give
    /// up making one. There is no answer: for the client it is gone already, and nothing more of it
    /// may be passed in.
    Disconnect,
    /// The server let us in, for the first time or again.
    Joined {
        /// The name that we have there: `Анна (2)` where `Анна` was taken, in protocol 1.
        name: String,
        /// Who else is present, in join order.
        others: Vec<String>,
        /// Which protocol is spoken.
        protocol: u64,
        /// True if we had been in the room before, and come back.
        again: bool,
    },
    /// The server did not take our name. Nothing happens until the client is told to
    /// [`reconnect`](super::Client::reconnect).
    Refused {
        /// What is wrong; `None` in protocol 1, where only words are.
        code: Option<ErrorCode>,
        /// Why, in the server's words.
        reason: String,
        /// A name that is free, where the server knows one.
        suggest: Option<String>,
    },
    /// There is no line, or no longer one.
    Offline {
        /// Why.
        cause: Cause,
        /// When the next attempt begins, on the clock that `now` is of; `None` if there is none
        /// until the client is told to [`reconnect`](super::Client::reconnect).
        retry_at_ms: Option<u64>,
    },
    /// Somebody said something. In protocol 2 each message comes once, in the order of its numbers.
    Message(Message),
    /// Older messages, as they were asked for.
    Page(Page),
    /// These numbers will not be shown: the server no longer keeps them, or lost them.
    Gap {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// More was missed than is sent at once to somebody who begins with the
    /// [last page](super::Begin::LastPage): these numbers are not shown, and what follows them is
    /// next. Show nothing before that, [say so](super::Client::forget_before), and they can be asked
    /// for like everything older.
    Skipped {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// The server's log is another one than before. Numbers begin anew, and all that the new log
    /// has follows.
    NewEpoch,
    /// Somebody joined.
    MemberJoined {
        /// Who.
        name: String,
        /// When, in UTC milliseconds since 1970; `None` in protocol 1.
        time_ms: Option<u64>,
    },
    /// Somebody left.
    MemberLeft {
        /// Who.
        name: String,
        /// When, in UTC milliseconds since 1970; `None` in protocol 1.
        time_ms: Option<u64>,
        /// Why; `None` in protocol 1.
        reason: Option<Reason>,
    },
    /// A text that was sent twice had been accepted the first time. It was shown in its place, or
    /// will be, or is older than what is shown.
    Accepted {
        /// The text's id.
        id: MessageId,
        /// The message's number.
        seq: u64,
    },
    /// A text will not be sent, or not again.
    Failed {
        /// The text's id.
        id: MessageId,
        /// What was said.
        text: String,
        /// Why.
        reason: FailReason,
    },
    /// We say more than the server takes for now. Nothing is lost.
    SlowDown {
        /// For how long, in milliseconds, if the server knows.
        retry_ms: Option<u64>,
    },
    /// The server said something else, for people to read.
    Notice {
        /// Its words.
        text: String,
    },
}

/// One message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// Its number in the room, from 1; `None` in protocol 1.
    pub seq: Option<u64>,
    /// When it was accepted, in UTC milliseconds since 1970; `None` in protocol 1.
    pub time_ms: Option<u64>,
    /// Who said it; for our own in protocol 1 the name that we joined under.
    pub author: String,
    /// What, without the newline that clients of the original put at the end.
    pub content: String,
    /// True if we said it, perhaps in an earlier life.
    pub own: bool,
    /// What [`Client::say`](super::Client::say) called it, if we said it. This is its
    /// acknowledgement.
    pub id: Option<MessageId>,
    /// True if it was said while we were away, or is older than what is shown.
    pub replayed: bool,
}

impl Message {
    /// Returns how much memory it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let id = self.id.as_ref().map_or(0, |id| id.as_str().len());
        size_of::<Self>() + self.author.len() + self.content.len() + id
    }
}

/// The answer to [`Client::request_history`](super::Client::request_history).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page {
    /// The messages, oldest first, all of them older than any that was shown.
    pub messages: Vec<Message>,
    /// True if nothing older exists.
    pub start: bool,
}

/// Why there is no line.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Cause {
    /// No line could be had.
    Unreachable,
    /// The line ended before the server had let us in.
    CutShort,
    /// The line ended.
    Lost,
    /// The server said nothing for too long.
    Silent,
    /// What arrived is no stream of frames, or one of them is larger than a client takes. Where
    /// the same meets the next line soon after, the client does not come back by itself.
    Garbled(FrameError),
    /// The server would not have us for now.
    TurnedAway {
        /// Why, where the server says so in a way that a program understands.
        code: Option<ErrorCode>,
        /// Why, in its words.
        reason: String,
    },
    /// The server closed the line and said why. After [`Reason::Replaced`], another client of
    /// ours has the name, and this one does not come back by itself.
    Bye {
        /// Why.
        reason: Reason,
    },
}

/// Why a text failed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FailReason {
    /// The line ended before it was acknowledged, where sending it again could show it twice: in
    /// protocol 1, or under another name. Perhaps it was accepted, perhaps not.
    Lost,
    /// The server refused it.
    Refused {
        /// What is wrong with it.
        code: ErrorCode,
        /// Why, in the server's words.
        text: String,
    },
}

/// Why a text was not taken. The text is still the caller's.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum SayError {
    /// There is nothing in it to be seen.
    #[error("the text is blank")]
    Blank,
    /// We are not in the room, and not known to be able to come back to it.
    #[error("not joined")]
    NotJoined,
    /// It does not fit into one message.
    #[error("the text is too long: {bytes} of at most {limit} bytes")]
    TooLarge {
        /// The size of its payload, in bytes.
        bytes: usize,
        /// The largest payload that the server takes, in bytes.
        limit: usize,
    },
    /// Too many texts wait for their acknowledgement.
    #[error("{limit} texts are waiting to be sent")]
    Full {
        /// The most that may, [`UNACKNOWLEDGED_MAX`](super::UNACKNOWLEDGED_MAX).
        limit: usize,
    },
}
