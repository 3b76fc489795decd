//! The state of one connection.

use std::{collections::VecDeque, io, mem, net::SocketAddr, time::Instant};

use pychat_wire::UserName;

use super::{frames::RoomFrames, history::Replay, searching::Searching};
use crate::{
    core::{
        admission::Origin,
        chat::{CloseReason, Protocol},
        id::{HALL, RoomId},
        record::PersonId,
    },
    net::{address::origin, connection::Connection, transport::Socket},
};

/// A connection and what the server, not the socket, knows of it.
pub(super) struct Session<T> {
    pub(super) connection: Connection<T>,
    pub(super) peer: SocketAddr,
    pub(super) origin: Origin,
    pub(super) state: SessionState,
    pub(super) asked: Asked,
    pub(super) activity: Activity,
    /// The bytes that it is owed, as they were counted last.
    pub(super) owed: usize,
    /// The bytes of its welcome that it has not read yet, which it may take its time for.
    pub(super) welcome: usize,
    pub(super) pauses: Pauses,
    pub(super) queued: Queued,
}

/// The requests of a peer that have not been answered in full.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Those for history.
    pub(super) replays: VecDeque<Replay>,
    pub(super) searches: VecDeque<Searching>,
}

/// The last sign of life of a peer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Activity {
    /// When it was last known to be there.
    pub(super) at: Instant,
    /// It was asked whether it is there, and has not been heard of since.
    pub(super) is_pinged: bool,
}

/// The reasons for which a connection is not read for now, whatever has arrived.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pauses {
    /// It said too much, and is read again at a time.
    pub(super) is_limited: bool,
    /// The store has not answered what it said.
    pub(super) awaits_store: bool,
}

impl Pauses {
    pub(super) fn any(self) -> bool {
        self.is_limited || self.awaits_store
    }
}

/// In which queues a connection stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Queued {
    pub(super) ready: bool,
    pub(super) dirty: bool,
    pub(super) replaying: bool,
}

/// The stage of a connection between coming and going.
pub(super) enum SessionState {
    Guest,
    /// In the room.
    Joined(Member),
    /// Closing or gone, which the chat does not know yet: until it does, and the others hear of it,
    /// this is somebody in the room.
    Ending {
        member: Option<Member>,
        reason: CloseReason,
        /// The error that broke the line, if one did.
        error: Option<io::Error>,
    },
    /// Closing or gone, as the chat knows.
    Left(Option<Member>),
    /// Never let in.
    TurnedAway,
}

/// Somebody in the room.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: UserName,
    /// The protocol in which it is spoken to.
    pub(super) protocol: Protocol,
    /// The person, if the peer proved who it is.
    pub(super) person: Option<PersonId>,
    /// Its position in join order.
    pub(super) join_index: u64,
    /// The progress of its subscription to the hall.
    pub(super) progress: Progress,
    /// Its subscriptions to the other rooms that its person is in, by room.
    pub(super) rooms: Vec<Subscription>,
}

/// The part that a member is given of what is told to all in a room other than the hall.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Subscription {
    pub(super) room: RoomId,
    pub(super) progress: Progress,
}

/// The progress of a subscription, by what its member is still sent. Where that to the hall has
/// ended, all have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Progress {
    /// Everything; so many bytes of the broadcast it has been given already.
    Live { offset: usize },
    /// Comings and goings, one by one, until it has been sent every message that it missed.
    CatchingUp,
    /// Nothing more: it is being closed.
    Ended,
    /// Nothing more: it has been told that it reads too slowly, and may take what it is owed until
    /// its time is up.
    Farewell,
}

impl Asked {
    /// Returns true if there are any.
    pub(super) fn is_any(&self) -> bool {
        !self.replays.is_empty() || !self.searches.is_empty()
    }
}

impl<T: Socket> Session<T> {
    /// Returns the session of a connection about which nothing is known yet.
    pub(super) fn new(
        now: Instant,
        connection: Connection<T>,
        peer: SocketAddr,
        state: SessionState,
    ) -> Self {
        Self {
            connection,
            peer,
            origin: origin(peer),
            state,
            asked: Asked::default(),
            activity: Activity { at: now, is_pinged: false },
            owed: 0,
            welcome: 0,
            pauses: Pauses::default(),
            queued: Queued::default(),
        }
    }

    /// Owes it the part of what waits in a room that it has not been given.
    pub(super) fn owe_broadcast(&mut self, frames: RoomFrames<'_>) {
        let rest = self.take_broadcast(frames);
        self.connection.owe(rest);
    }

    /// Owes it the rest of the frames of a room, which are delivered to all there; returns true if
    /// there is any.
    pub(super) fn gather(&mut self, waiting: RoomFrames<'_>) -> bool {
        let rest = take_rest(&mut self.state, waiting);
        self.connection.owe(rest);
        !rest.is_empty()
    }

    /// Writes it the rest of the frames of a room, which are delivered to all there, if it is owed nothing
    /// else; returns true if it is owed something then.
    pub(super) fn deliver(&mut self, waiting: RoomFrames<'_>) -> io::Result<bool> {
        let rest = take_rest(&mut self.state, waiting);
        if rest.is_empty() {
            return Ok(false);
        }
        self.connection.deliver(rest)?;
        Ok(0 < self.connection.backlog())
    }
}

impl<T> Session<T> {
    /// Returns the member that this is, or was until the connection ended.
    pub(super) fn member(&self) -> Option<&Member> {
        match &self.state {
            SessionState::Joined(member) => Some(member),
            SessionState::Ending { member, .. } | SessionState::Left(member) => member.as_ref(),
            SessionState::Guest | SessionState::TurnedAway => None,
        }
    }

    pub(super) fn member_mut(&mut self) -> Option<&mut Member> {
        self.state.member_mut()
    }

    /// Returns the name of somebody in the room, until the chat knows that they left.
    pub(super) fn name(&self) -> Option<&UserName> {
        match &self.state {
            SessionState::Left(_) => None,
            _ => self.member().map(|member| &member.name),
        }
    }

    /// Returns the protocol in which the peer is spoken to, as far as it has joined.
    pub(super) fn protocol(&self) -> Protocol {
        self.member().map_or(Protocol::V1, |member| member.protocol)
    }

    /// Returns how far its subscription to the hall is, if it has one.
    pub(super) fn progress(&self) -> Option<Progress> {
        self.member().map(|member| member.progress)
    }

    /// Returns how far its subscription to a room is, if it has one.
    pub(super) fn progress_in(&self, room: RoomId) -> Option<Progress> {
        self.member().and_then(|member| member.progress_in(room))
    }

    /// Returns true if it hears the hall, or will once it has caught up.
    pub(super) fn is_listening(&self) -> bool {
        matches!(self.progress(), Some(Progress::Live { .. } | Progress::CatchingUp))
    }

    pub(super) fn set_progress(&mut self, room: RoomId, to: Progress) {
        if let Some(progress) = self.member_mut().and_then(|member| member.progress_mut(room)) {
            *progress = to;
        }
    }

    /// Takes the part of what waits in a room that it has not been given; it is given by that.
    pub(super) fn take_broadcast<'a>(&mut self, waiting: RoomFrames<'a>) -> &'a [u8] {
        self.member_mut().map_or(&[], |member| {
            let frames = waiting.frames.of(member.protocol);
            member.take(waiting.room, frames, frames.len())
        })
    }

    /// The peer was heard of, or reads.
    pub(super) fn set_alive(&mut self, now: Instant) {
        self.activity = Activity { at: now, is_pinged: false };
    }
}

impl Member {
    /// Returns how far its subscription to a room is, if it has one.
    pub(super) fn progress_in(&self, room: RoomId) -> Option<Progress> {
        if room == HALL {
            return Some(self.progress);
        }
        self.find(room).ok().map(|index| self.rooms[index].progress)
    }

    pub(super) fn progress_mut(&mut self, room: RoomId) -> Option<&mut Progress> {
        if room == HALL {
            return Some(&mut self.progress);
        }
        self.find(room).ok().map(|index| &mut self.rooms[index].progress)
    }

    /// Subscribes to a room other than the hall; returns false if it has.
    pub(super) fn enter(&mut self, room: RoomId, progress: Progress) -> bool {
        let place = self.find(room);
        if let Err(index) = place {
            self.rooms.insert(index, Subscription { room, progress });
        }
        place.is_err()
    }

    /// Ends its subscription to a room other than the hall; returns false if it has none.
    pub(super) fn exit(&mut self, room: RoomId) -> bool {
        self.find(room).map(|index| self.rooms.remove(index)).is_ok()
    }

    /// Takes the part of the frames of a room that it has not been given, as its protocol says them;
    /// from then on it has been given as much as `offset`.
    pub(super) fn take<'a>(&mut self, room: RoomId, frames: &'a [u8], offset: usize) -> &'a [u8] {
        match self.progress_mut(room) {
            Some(Progress::Live { offset: given }) => &frames[mem::replace(given, offset)..],
            _ => &[],
        }
    }

    fn find(&self, room: RoomId) -> Result<usize, usize> {
        self.rooms.binary_search_by_key(&room, |subscription| subscription.room)
    }
}

impl SessionState {
    pub(super) fn member_mut(&mut self) -> Option<&mut Member> {
        match self {
            Self::Joined(member) => Some(member),
            Self::Ending { member, .. } | Self::Left(member) => member.as_mut(),
            Self::Guest | Self::TurnedAway => None,
        }
    }
}

/// Takes the rest of the frames of a room, of which none wait any more then.
fn take_rest<'a>(state: &mut SessionState, waiting: RoomFrames<'a>) -> &'a [u8] {
    let take =
        |member: &mut Member| member.take(waiting.room, waiting.frames.of(member.protocol), 0);
    state.member_mut().map_or(&[], take)
}
