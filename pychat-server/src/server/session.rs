//! Sessions: the state of each connection, and the queues of those that need something done.

use std::{collections::VecDeque, io, mem, net::SocketAddr, time::Instant};

use pychat_wire::UserName;

use super::{broadcast::Frames, replay::Replay};
use crate::{
    core::{
        admission::Origin,
        chat::{CloseReason, Protocol},
        id::ConnectionId,
        record::OwnerId,
    },
    net::{
        address::origin,
        connection::{Connection, Socket},
    },
};

/// A connection and what the server, not the socket, knows of it.
pub(super) struct Session<S> {
    pub(super) connection: Connection<S>,
    pub(super) peer: SocketAddr,
    pub(super) origin: Origin,
    pub(super) state: SessionState,
    /// The protocol in which it is spoken to, once it has joined.
    pub(super) protocol: Protocol,
    /// The owner of its name, if the peer proved to be that.
    pub(super) owner: Option<OwnerId>,
    pub(super) subscription: Subscription,
    /// Its position in join order, once it has entered the room.
    pub(super) join_index: Option<u64>,
    /// Its requests for history that have not been answered in full.
    pub(super) replays: VecDeque<Replay>,
    /// When it was last known to be there.
    pub(super) alive_at: Instant,
    /// It was asked whether it is there, and has not been heard of since.
    pub(super) is_pinged: bool,
    /// The bytes that it is owed, as they were counted last.
    pub(super) owed: usize,
    /// The bytes of its welcome that it has not read yet, which it may take its time for.
    pub(super) welcome: usize,
    /// Not to be read for now, whatever has arrived.
    pub(super) is_held: bool,
    pub(super) queued: Queued,
}

/// In which queues a peer stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Queued {
    pub(super) ready: bool,
    pub(super) dirty: bool,
    pub(super) replaying: bool,
}

/// The part of the frames for everybody in the room that a peer is given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Subscription {
    /// Nothing: it is not in the room, or has been told that there will be no more.
    Nothing,
    /// Nothing more: it has been told that it reads too slowly, and may take what it is owed until
    /// its time is up.
    Farewell,
    /// Everything; so many bytes of the broadcast it has been given already.
    All { given: usize },
    /// Comings and goings, one by one, until it has been sent every message that it missed.
    Presence,
}

/// The outcome of writing to a peer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Flushed {
    Fine,
    /// It is owed more than it may be.
    Slow,
}

/// The stage of a connection between coming and going.
pub(super) enum SessionState {
    Guest,
    /// In the room.
    Present(UserName),
    /// Closing or gone, which the chat does not know yet: until it does, and the others hear of it,
    /// this is somebody in the room.
    Ending {
        name: Option<UserName>,
        reason: CloseReason,
        /// The error that broke the line, if one did.
        error: Option<io::Error>,
    },
    Left,
    /// Never let in.
    TurnedAway,
}

impl<S: Socket> Session<S> {
    /// Returns the session of a connection about which nothing is known yet.
    pub(super) fn new(
        now: Instant,
        connection: Connection<S>,
        peer: SocketAddr,
        state: SessionState,
    ) -> Self {
        Self {
            connection,
            peer,
            origin: origin(peer),
            state,
            protocol: Protocol::V1,
            owner: None,
            subscription: Subscription::Nothing,
            join_index: None,
            replays: VecDeque::new(),
            alive_at: now,
            is_pinged: false,
            owed: 0,
            welcome: 0,
            is_held: false,
            queued: Queued::default(),
        }
    }
}

/// Connections that need something done, each at most once in a queue.
#[derive(Default)]
pub(super) struct Queues {
    /// May have something to read.
    pub(super) ready: VecDeque<ConnectionId>,
    /// Is owed something, or is to end its stream.
    pub(super) dirty: Vec<ConnectionId>,
    /// Asked for something of the past and may be sent more of it.
    pub(super) replaying: VecDeque<ConnectionId>,
    /// Ended one way or another, to be looked at by `reap`.
    pub(super) ended: Vec<ConnectionId>,
    /// The bytes that all peers together are owed, as they were counted last.
    pub(super) owed: usize,
}

impl Queues {
    pub(super) fn mark_ready<S>(&mut self, id: ConnectionId, session: &mut Session<S>) {
        if !session.is_held && !mem::replace(&mut session.queued.ready, true) {
            self.ready.push_back(id);
        }
    }

    pub(super) fn mark_dirty<S>(&mut self, id: ConnectionId, session: &mut Session<S>) {
        if !mem::replace(&mut session.queued.dirty, true) {
            self.dirty.push(id);
        }
    }

    pub(super) fn mark_replaying<S>(&mut self, id: ConnectionId, session: &mut Session<S>) {
        if !session.replays.is_empty() && !mem::replace(&mut session.queued.replaying, true) {
            self.replaying.push_back(id);
        }
    }

    /// Owes `frame` to one peer, behind what all in the room have been told so far.
    pub(super) fn owe<S: Socket>(
        &mut self,
        id: ConnectionId,
        session: &mut Session<S>,
        broadcast: &Frames,
        frame: &[u8],
    ) {
        if let Subscription::All { given } = &mut session.subscription {
            let broadcast = broadcast.of(session.protocol);
            session.connection.owe(&broadcast[*given..]);
            *given = broadcast.len();
        }
        session.connection.owe(frame);
        self.mark_dirty(id, session);
    }

    /// Gives a peer in the room the rest of the broadcast.
    pub(super) fn deliver<S: Socket>(
        &mut self,
        id: ConnectionId,
        session: &mut Session<S>,
        broadcast: &Frames,
    ) {
        let Subscription::All { given } = &mut session.subscription else { return };
        let rest = &broadcast.of(session.protocol)[mem::take(given)..];
        match session.connection.deliver(rest) {
            Ok(()) if 0 < session.connection.backlog() => self.mark_dirty(id, session),
            Ok(()) => (),
            Err(error) => self.lose(id, session, error),
        }
    }

    /// Writes what a peer is owed, as far as its socket takes it.
    pub(super) fn flush<S: Socket>(
        &mut self,
        now: Instant,
        id: ConnectionId,
        session: &mut Session<S>,
        backlog_bytes_max: usize,
    ) -> Flushed {
        session.queued.dirty = false;
        let before = session.connection.backlog();
        if let Err(error) = session.connection.flush() {
            self.lose(id, session, error);
        }
        let backlog = session.connection.backlog();
        session.welcome = session.welcome.saturating_sub(before - backlog);
        if 0 < session.owed && backlog < before {
            // What did not fit before fits now: somebody reads.
            (session.alive_at, session.is_pinged) = (now, false);
        }
        self.count(session);
        if backlog <= backlog_bytes_max.saturating_add(session.welcome)
            || session.subscription == Subscription::Farewell
        {
            Flushed::Fine
        } else {
            Flushed::Slow
        }
    }

    /// Says the last word to a peer that reads too slowly.
    pub(super) fn farewell<S: Socket>(
        &mut self,
        id: ConnectionId,
        session: &mut Session<S>,
        frame: &[u8],
    ) {
        session.subscription = Subscription::Farewell;
        session.connection.owe(frame);
        session.connection.close_gently();
        self.count(session);
        self.end(id, session, CloseReason::Slow, None);
    }

    /// Gives up a peer that does not read.
    pub(super) fn cut<S: Socket>(&mut self, id: ConnectionId, session: &mut Session<S>) {
        session.connection.abort();
        self.count(session);
        self.end(id, session, CloseReason::Slow, None);
    }

    /// Counts anew what a peer is owed.
    pub(super) fn count<S: Socket>(&mut self, session: &mut Session<S>) {
        let owed = session.connection.backlog();
        self.owed = self.owed - mem::replace(&mut session.owed, owed) + owed;
    }

    pub(super) fn lose<S: Socket>(
        &mut self,
        id: ConnectionId,
        session: &mut Session<S>,
        error: io::Error,
    ) {
        session.connection.abort();
        self.count(session);
        self.end(id, session, CloseReason::Lost, Some(error));
    }

    /// `Guest` or `Present` becomes `Ending`; a second reason changes nothing.
    pub(super) fn end<S>(
        &mut self,
        id: ConnectionId,
        session: &mut Session<S>,
        reason: CloseReason,
        error: Option<io::Error>,
    ) {
        let name = match mem::replace(&mut session.state, SessionState::Left) {
            SessionState::Guest => None,
            SessionState::Present(name) => Some(name),
            over
            @ (SessionState::Ending { .. } | SessionState::Left | SessionState::TurnedAway) => {
                session.state = over;
                self.ended.push(id);
                return;
            }
        };
        session.state = SessionState::Ending { name, reason, error };
        self.ended.push(id);
    }
}

impl SessionState {
    /// Returns the name of somebody in the room: who hears what is told to all.
    pub(super) fn name(&self) -> Option<&UserName> {
        match self {
            Self::Present(name) => Some(name),
            Self::Ending { name, .. } => name.as_ref(),
            Self::Guest | Self::Left | Self::TurnedAway => None,
        }
    }
}
