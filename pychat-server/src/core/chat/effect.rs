//! The effects of the chat: what the store is to do, what people are told, and what happens to
//! connections.

use std::{ops::Range, sync::Arc, time::Instant};

use pychat_wire::{
    UserName,
    key::{InviteCode, Nonce, PairCode},
    message::{Door, Listing, RoomKind},
    search::Query,
};

use super::input::{CloseReason, Complaint, Protocol, Refusal};
use crate::core::{
    id::{CallId, ConnectionId, RoomId, Ticket},
    moderation::{Listed, Reply},
    record::{Device, Invite, InviteTerms, PersonId, Record, Request},
};

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
    /// An operator on the machine is answered.
    Reply {
        /// The call.
        call: CallId,
        /// The answer.
        reply: Reply,
    },
    /// A room is over: nothing is told there any more.
    EndRoom(RoomId),
    /// Other servers are told that somebody is writing.
    TellTyping {
        /// The room.
        room: RoomId,
        /// Their name.
        name: UserName,
        /// The person.
        person: PersonId,
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
    /// The first message of every connection, with the nonce that its hello must sign.
    Greeting(Nonce),
    /// A sentence in the server's name.
    Notice(String),
    /// A refusal, in protocol 2.
    Refused(Complaint),
    /// The welcome of protocol 2.
    Welcome {
        /// The name under which the peer has joined.
        name: UserName,
        /// The peer is an operator.
        is_operator: bool,
        /// The people present, this peer included.
        members: Listing,
        /// The rooms that the peer's person is in, the hall first.
        rooms: Vec<RoomView>,
    },
    /// A room that the peer's person is in, from now on or as it is now.
    Room(RoomView),
    /// A room that the peer's person is in no more.
    RoomGone(RoomId),
    /// The open rooms.
    OpenRooms(Vec<RoomView>),
    /// The members of a room.
    Members {
        /// The room.
        room: RoomId,
        /// Their names.
        members: Listing,
    },
    /// Everything up to a number was seen on another device of the peer's person.
    Read {
        /// The room.
        room: RoomId,
        /// The number of the last record that was seen.
        seq: u64,
    },
    /// Somebody is writing a text.
    Typing {
        /// The room.
        room: RoomId,
        /// Their name.
        name: UserName,
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
    /// A record was accepted. Its author is shown it as their own, by whatever connection.
    Recorded {
        /// The connection that it was said by, which may be gone; `None` if it was done on the server's
        /// machine.
        from: Option<ConnectionId>,
        /// The record.
        record: Record,
    },
    /// A draft had been accepted before, as its author is told.
    Duplicate {
        /// The record as it was accepted then.
        record: Record,
    },
    /// The code by which another device can join the peer's person.
    PairCode(PairCode),
    /// A link by which others can join, with a code where one is needed.
    InviteLink {
        /// The code.
        code: Option<InviteCode>,
        /// The terms of the invite.
        terms: InviteTerms,
    },
    /// The invites that are good.
    Invites(Vec<Invite>),
    /// The devices of the peer's person.
    Devices(Vec<Device>),
    /// Another device joined the peer's person.
    DeviceAdded(Device),
    /// The peer is an operator from now on, or one no longer.
    Operator(bool),
    /// The names of all bots.
    Bots(Vec<String>),
    /// An operator did something, as other operators are told, and the one who asked for it.
    Done(Deed),
    /// The bans and mutes, and the rules for all.
    Bans {
        /// The bans.
        bans: Vec<Listed>,
        /// The mutes.
        mutes: Vec<Listed>,
        /// The time from one text of a person to their next, in seconds; 0 if there is no limit.
        slow_seconds: u64,
        /// Those who may come in.
        admission: Door,
    },
    /// The answer to a ping.
    Pong,
    /// The last message of protocol 2 before the connection is closed.
    Bye {
        /// The reason.
        reason: CloseReason,
    },
}

/// Something that an operator did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Deed {
    /// The word for it.
    pub verb: String,
    /// The operator.
    pub by: String,
    /// The name, network or setting that it is about.
    pub subject: String,
    /// The outcome, for people to read.
    pub text: String,
    /// The id of the request, in the answer to it.
    pub id: Option<String>,
}

/// Something that happens to a connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// From here on it is in a room and hears what is told to all there.
    Subscribe(Subscribe),
    /// From here on it hears what is told to all in these rooms, which its person is in.
    Enter {
        /// The rooms, but for the hall.
        rooms: Vec<RoomId>,
    },
    /// From here on it hears nothing of a room any more.
    Exit {
        /// The room.
        room: RoomId,
    },
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
    /// Send some messages that are found.
    Search(Box<Search>),
    /// Begin TLS, which its peer asked for.
    StartTls,
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

/// A search that somebody may make.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Search {
    /// The peer's own reference, which the answers bear.
    pub reference: Arc<str>,
    /// The messages that are wanted.
    pub query: Query,
    /// The rooms that are searched.
    pub rooms: Vec<RoomId>,
    /// The message before which it begins, in a room that the peer's person is in; the newest one if `None`.
    pub before: Option<(RoomId, u64)>,
    /// The most messages.
    pub limit: u64,
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

/// A room, as a peer is told of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoomView {
    /// The room.
    pub room: RoomId,
    /// Its kind.
    pub kind: RoomKind,
    /// Its name; empty for the hall and for direct rooms.
    pub name: String,
    /// Its topic; empty if it has none.
    pub topic: String,
    /// The names of the people of a direct room, the peer's among them.
    pub with: Option<Vec<String>>,
    /// The peer's person may change it.
    pub is_mine: bool,
    /// The number of its last record that was published; 0 if there is none.
    pub last: u64,
    /// The number up to which the peer's person has seen it.
    pub read: u64,
    /// The number of messages of others after that, counted up to [`UNREAD_MAX`].
    ///
    /// [`UNREAD_MAX`]: crate::core::rooms::UNREAD_MAX
    pub unread: u64,
}

impl RoomView {
    /// Returns about how many bytes it takes to tell of it.
    fn weight(&self) -> usize {
        /// The weight apart from texts, in bytes.
        const LEAST: usize = 128;
        let with = self.with.iter().flatten().map(String::len).sum::<usize>();
        LEAST + self.name.len() + self.topic.len() + with
    }
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

    /// Returns true if it answers what `connection` said, in an order that its peer can tell.
    pub fn answers(&self, connection: ConnectionId) -> bool {
        match self {
            Self::Tell {
                to: Recipients::One(id),
                event:
                    Event::Notice(_)
                    | Event::Refused(_)
                    | Event::PairCode(_)
                    | Event::InviteLink { .. }
                    | Event::Invites(_)
                    | Event::Devices(_)
                    | Event::OpenRooms(_)
                    | Event::Members { .. }
                    | Event::Bans { .. }
                    | Event::Pong
                    | Event::Bye { .. },
            }
            | Self::Connection { id, action: Action::Close { .. } } => *id == connection,
            _ => false,
        }
    }

    /// Returns about how many bytes it takes to carry this out, for one peer.
    pub fn weight(&self) -> usize {
        /// The weight of any effect apart from its content, in bytes.
        const LEAST: usize = 256;
        /// That of one invite, ban or mute in a list, with names of any length.
        const LISTED_BYTES: usize = 256;
        LEAST
            + match self {
                Self::Store {
                    request: Request::Append { draft, .. } | Request::Amend { draft, .. },
                    ..
                } => draft.kind.text().len(),
                Self::Tell { event: Event::Notice(text), .. } => text.len(),
                Self::Tell { event: Event::Welcome { members, rooms, .. }, .. } => {
                    members.bytes() + rooms.iter().map(RoomView::weight).sum::<usize>()
                }
                Self::Tell { event: Event::Room(room), .. } => room.weight(),
                Self::Tell { event: Event::OpenRooms(rooms), .. } => {
                    rooms.iter().map(RoomView::weight).sum()
                }
                Self::Tell { event: Event::Members { members, .. }, .. } => members.bytes(),
                Self::Tell { event: Event::Invites(invites), .. } => invites.len() * LISTED_BYTES,
                Self::Tell { event: Event::Bans { bans, mutes, .. }, .. } => {
                    (bans.len() + mutes.len()) * LISTED_BYTES
                }
                _ => 0,
            }
    }
}
