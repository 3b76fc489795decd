//! The events that a client tells its shell, in the order in which they happened.

use thiserror::Error;

use super::{
    Amended, Device, Invite, Message, MessageId, Page, Room, RoomId, RoomRecord, Said, SearchEnd,
};
use crate::{
    frame::FrameError,
    key::{PairCode, PublicKey},
    link::Link,
    message::{Ban, Door, ErrorCode, Reason},
};

/// Something to do or to show.
///
/// [`Connect`](Self::Connect) and [`Disconnect`](Self::Disconnect) are to be done, everything else
/// is to be shown, or may be ignored.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Make a line to the server, and answer with [`connected`](super::Client::connected), or with
    /// [`disconnected`](super::Client::disconnected) if it cannot be made. The shell decides how
    /// long that may take: the client waits for the answer. Where a chat has several servers, it is made to
    /// one of the [route](super::Client::route).
    Connect,
    /// Write what [`take_outgoing`](super::Client::take_outgoing) gives and close the line, or give
    /// up making one. There is no answer: for the client the line is gone already, and nothing more
    /// that arrives on it may be passed in.
    Disconnect,
    /// The server let us in, for the first time or again.
    Joined {
        /// The name that we have there: `Анна (2)` where `Анна` was taken, in protocol 1.
        name: String,
        /// The names of the others present, in join order.
        others: Vec<String>,
        /// The protocol that is spoken.
        protocol: u64,
        /// True if we had been in the room before, and come back.
        again: bool,
    },
    /// The server did not take our name. Nothing happens until the client is told to
    /// [`reconnect`](super::Client::reconnect).
    Refused {
        /// The code of the error; `None` in protocol 1, which has only sentences.
        code: Option<ErrorCode>,
        /// The reason, in the server's words.
        reason: String,
        /// A name that is free, where the server knows one.
        suggest: Option<String>,
    },
    /// There is no line, or no longer one.
    Offline {
        /// The reason.
        cause: Cause,
        /// The time of the next attempt, in milliseconds on the clock of `now`; `None` if there is
        /// none until the client is told to [`reconnect`](super::Client::reconnect).
        retry_at_ms: Option<u64>,
    },
    /// A message. In protocol 2 each comes once, in the order of their numbers in the room.
    Message(Message),
    /// Older messages, as they were asked for.
    Page(Page),
    /// Numbers that will not be shown: the server no longer keeps them, or lost them.
    Gap {
        /// The room.
        room: RoomId,
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// Numbers that are not shown, as a client that begins with the
    /// [last page](super::Begin::LastPage) missed more than is sent at once. What follows them is
    /// next. A shell that shows nothing before that, and [says so](super::Client::forget_before),
    /// can ask for them like for everything older.
    Skipped {
        /// The room.
        room: RoomId,
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// The server has other logs than before. Numbers begin anew, and all that the new logs keep
    /// follows. [`Client::rooms`](super::Client::rooms) are those that there are now.
    NewEpoch,
    /// A room that our person is in from now on, or that was described anew, renamed or given another
    /// topic. The rooms at the time of [`Joined`](Self::Joined) are
    /// [`Client::rooms`](super::Client::rooms).
    RoomChanged(Room),
    /// Our person is in this room no more. What waits to be said in it has [failed](Self::Failed).
    RoomGone {
        /// The room.
        room: RoomId,
    },
    /// A record of a room that is no message. Each comes once, in order with the messages.
    RoomEvent(RoomRecord),
    /// An amendment of a message. Each comes once, in order with the messages, of which the one that it
    /// amends may not be shown, or not exist. [`Message::amend`] applies it.
    Amended(Amended),
    /// A request for the change of a room is done. The records of it were told before, or come in
    /// their places.
    RoomRequestDone {
        /// The room that was made or changed.
        room: RoomId,
        /// The id that [`Client::change_room`](super::Client::change_room) returned.
        id: String,
    },
    /// The open rooms, as we asked for them. Their `read` and `unread` mean nothing where our person
    /// is not in them.
    Rooms(Vec<Room>),
    /// A message that a search found, the newest first: as it is now, however much of its room is shown.
    Found {
        /// The id that [`Client::search`](super::Client::search) returned.
        id: String,
        /// The message.
        message: Message,
    },
    /// A search is over: nothing more is told of it.
    SearchEnded {
        /// The id that [`Client::search`](super::Client::search) returned.
        id: String,
        /// The way in which it ended.
        end: SearchEnd,
    },
    /// The members of a room, as we asked for them.
    Members {
        /// The room.
        room: RoomId,
        /// Their names.
        names: Vec<String>,
    },
    /// Our person has seen everything up to a number, on another device.
    Read {
        /// The room.
        room: RoomId,
        /// The number.
        seq: u64,
    },
    /// Somebody is writing a text.
    Typing {
        /// The room.
        room: RoomId,
        /// Their name.
        name: String,
    },
    /// Somebody joined.
    MemberJoined {
        /// Their name.
        name: String,
        /// The server's time, in UTC milliseconds since 1970; `None` in protocol 1.
        time_ms: Option<u64>,
    },
    /// Somebody left.
    MemberLeft {
        /// Their name.
        name: String,
        /// The server's time, in UTC milliseconds since 1970; `None` in protocol 1.
        time_ms: Option<u64>,
        /// The reason; `None` in protocol 1.
        reason: Option<Reason>,
    },
    /// A text or an amendment that was sent twice had been accepted the first time. Its record was told
    /// in its place, or will be, or is older than what is shown.
    Accepted {
        /// The room.
        room: RoomId,
        /// The id of the text or the amendment.
        id: MessageId,
        /// The number of its record.
        seq: u64,
    },
    /// A text or an amendment will not be sent, or not again. With a text fails what
    /// [amends](super::Client::edit_pending) it.
    Failed {
        /// The room.
        room: RoomId,
        /// The id of the text or the amendment.
        id: MessageId,
        /// The thing itself; a text with the words that it was to have in the end.
        said: Said,
        /// The reason.
        reason: FailReason,
    },
    /// A text that was to be [deleted](super::Client::delete_pending) is given up: it was not accepted, or
    /// our person is in that room no more.
    Withdrawn {
        /// The room.
        room: RoomId,
        /// The text's id.
        id: MessageId,
    },
    /// We say more than the server takes for now. Nothing is lost.
    SlowDown {
        /// The time after which the server takes more, in milliseconds, if it says so.
        retry_ms: Option<u64>,
    },
    /// The code by which another device can join our person, once.
    PairCode {
        /// The code.
        code: PairCode,
        /// The time for which it is good, in milliseconds from now.
        expires_ms: u64,
    },
    /// Another device joined our person.
    DeviceAdded {
        /// Its key.
        key: PublicKey,
        /// Its name; empty if it gave none.
        label: String,
    },
    /// The devices of our person, in the order in which they were added.
    Devices(Vec<Device>),
    /// Our person is an operator from now on, or one no longer. The state at the time of
    /// [`Joined`](Self::Joined) is [`Client::is_operator`](super::Client::is_operator).
    OperatorChanged {
        /// True if we are one.
        is_operator: bool,
    },
    /// Other people than before are bots: [`Client::bots`](super::Client::bots). After
    /// [`Joined`](Self::Joined) nobody is one until this is told.
    BotsChanged,
    /// An operator did something, perhaps we.
    Moderated {
        /// The type of the request.
        verb: String,
        /// The operator.
        by: String,
        /// The name, network or setting that it is about.
        subject: String,
        /// The outcome, for people to read.
        text: String,
        /// The id that [`Client::operate`](super::Client::operate) returned, if it is the answer to
        /// that.
        id: Option<String>,
    },
    /// The bans and mutes, and the rules for all, as we asked for them.
    Bans {
        /// The bans, in the order in which they were made.
        bans: Vec<Ban<'static>>,
        /// The mutes.
        mutes: Vec<Ban<'static>>,
        /// The time from one text of a person to their next, in seconds; 0 if there is no limit.
        slow_seconds: u64,
        /// Those who may come in.
        admission: Door,
    },
    /// A link by which others can join.
    InviteLink {
        /// The link. It has no addresses where the server can be reached from its own machine alone, and
        /// no code where the server lets everybody in.
        link: Link,
        /// The number of people whom it lets in; any number if `None`.
        uses: Option<u64>,
        /// The time for which it is good, in milliseconds from now; until it is revoked if `None`.
        expires_ms: Option<u64>,
    },
    /// The invites that are good, in the order in which they were made.
    Invites(Vec<Invite>),
    /// The server refused what was asked of it, other than a text or an amendment, or would, as it is too
    /// large.
    Denied {
        /// The code of the error.
        code: ErrorCode,
        /// The reason, in the server's words.
        text: String,
        /// The id of the request, if it had one.
        id: Option<String>,
    },
    /// The server said something else, for people to read.
    Notice {
        /// The sentence.
        text: String,
    },
}

/// The reason why there is no line.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Cause {
    /// No line could be made.
    Unreachable,
    /// The line ended before the server had let us in.
    CutShort,
    /// The line ended.
    Lost,
    /// The server said nothing for too long.
    Silent,
    /// The bytes that arrived are no stream of frames, or a frame is larger than a client takes. If
    /// that happens again before a line was good for [`STEADY_MS`](super::STEADY_MS), the client
    /// does not come back by itself.
    Garbled(FrameError),
    /// The server did not let us in for now.
    TurnedAway {
        /// The code of the error, where the client knows it.
        code: Option<ErrorCode>,
        /// The reason, in the server's words.
        reason: String,
    },
    /// The server closed the line and said why. After [`Reason::Kicked`], [`Reason::Removed`] and
    /// [`Reason::Banned`] the client does not come back by itself.
    Bye {
        /// The reason.
        reason: Reason,
    },
}

/// The reason why a text or an amendment failed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FailReason {
    /// The line ended before it was acknowledged, where sending it again could show it twice: in
    /// protocol 1, or under another name. Perhaps it was accepted, perhaps not.
    Lost,
    /// The server refused it, or would: its payload is larger than the server takes.
    Refused {
        /// The code of the error.
        code: ErrorCode,
        /// The reason, for people to read.
        text: String,
    },
}

/// The reason why a text or an amendment was not taken. The client keeps nothing of it.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum SayError {
    /// It is empty, or only white space.
    #[error("the text is blank")]
    Blank,
    /// We are not in the room, and not known to be able to come back to it.
    #[error("not joined")]
    NotJoined,
    /// Our person is not in that room.
    #[error("not in this room")]
    NoRoom,
    /// The server speaks protocol 1, in which nothing can be amended, and nothing has an id.
    #[error("the server speaks protocol 1, which has neither amendments nor ids")]
    NotSupported,
    /// Something else waits under the id that was chosen for it.
    #[error("something else is waiting to be sent under the same id")]
    IdInUse,
    /// No text with this id waits for its acknowledgement, or it is to be deleted.
    #[error("no such text is waiting to be accepted")]
    NotPending,
    /// It is not one emoji.
    #[error("not an emoji")]
    NotAnEmoji,
    /// It does not fit into one message.
    #[error("the text is too long: {bytes} of at most {limit} bytes")]
    TooLarge {
        /// The size of its payload, in bytes.
        bytes: usize,
        /// The largest payload that the server takes, in bytes.
        limit: usize,
    },
    /// Too many texts and amendments wait for their acknowledgement.
    #[error("{limit} texts are waiting to be sent")]
    Full {
        /// The most that may wait, [`UNACKNOWLEDGED_MAX`](super::UNACKNOWLEDGED_MAX).
        limit: usize,
    },
}
