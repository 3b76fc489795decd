//! What the switchboard knows of each connection, and who of them needs something done.

use std::{collections::VecDeque, io, mem, net::SocketAddr};

use pychat_wire::UserName;

use crate::{
    chat::CloseReason,
    connection::{Connection, Socket},
    id::ConnectionId,
};

/// A connection and what the server, not the socket, knows of it.
pub(super) struct Seat<S> {
    pub(super) connection: Connection<S>,
    pub(super) peer: SocketAddr,
    pub(super) stay: Stay,
    /// How much of the common run it has been given already, in bytes; only those in the
    /// room get any of it.
    pub(super) given: usize,
    /// What it is owed, as it was counted last, in bytes.
    pub(super) owed: usize,
    pub(super) refusals: u32,
    /// Not to be read for now, whatever has arrived.
    pub(super) is_held: bool,
    pub(super) is_ready: bool,
    pub(super) is_dirty: bool,
}

/// Where somebody stands between coming and going.
pub(super) enum Stay {
    Guest,
    /// In the room.
    Present(UserName),
    /// Closing or gone, which the chat does not know yet: until it does, and the others hear of it,
    /// this is somebody in the room.
    Ending {
        name: Option<UserName>,
        reason: CloseReason,
        /// What broke the line, if that was it.
        error: Option<io::Error>,
    },
    Left,
    /// Never let in.
    TurnedAway,
}

impl<S: Socket> Seat<S> {
    /// Returns the seat of a connection about which nothing is known yet.
    pub(super) fn new(connection: Connection<S>, peer: SocketAddr, stay: Stay) -> Self {
        Self {
            connection,
            peer,
            stay,
            given: 0,
            owed: 0,
            refusals: 0,
            is_held: false,
            is_ready: false,
            is_dirty: false,
        }
    }
}

/// Who needs something done, each at most once.
#[derive(Default)]
pub(super) struct Queues {
    /// May have something to read.
    pub(super) ready: VecDeque<ConnectionId>,
    /// Is owed something, or is to end its stream.
    pub(super) dirty: Vec<ConnectionId>,
    /// Ended one way or another, to be looked at by `reap`.
    pub(super) ended: Vec<ConnectionId>,
    /// What all peers together are owed, in bytes, as it was counted last.
    pub(super) owed: usize,
}

impl Queues {
    pub(super) fn mark_ready<S>(&mut self, id: ConnectionId, seat: &mut Seat<S>) {
        if !seat.is_held && !mem::replace(&mut seat.is_ready, true) {
            self.ready.push_back(id);
        }
    }

    pub(super) fn mark_dirty<S>(&mut self, id: ConnectionId, seat: &mut Seat<S>) {
        if !mem::replace(&mut seat.is_dirty, true) {
            self.dirty.push(id);
        }
    }

    /// Owes `frame` to one peer, behind what all in the room have been told so far.
    pub(super) fn owe<S: Socket>(
        &mut self,
        id: ConnectionId,
        seat: &mut Seat<S>,
        run: &[u8],
        frame: &[u8],
    ) {
        if seat.stay.name().is_some() {
            seat.connection.owe(&run[seat.given..]);
            seat.given = run.len();
        }
        seat.connection.owe(frame);
        self.mark_dirty(id, seat);
    }

    /// Gives a peer in the room the rest of the common run.
    pub(super) fn deliver<S: Socket>(&mut self, id: ConnectionId, seat: &mut Seat<S>, run: &[u8]) {
        let rest = &run[mem::take(&mut seat.given)..];
        match seat.connection.deliver(rest) {
            Ok(()) if 0 < seat.connection.backlog() => self.mark_dirty(id, seat),
            Ok(()) => (),
            Err(error) => self.lose(id, seat, error),
        }
    }

    /// Writes what a peer is owed; cuts it if more than `backlog_bytes_max` is left of that.
    pub(super) fn flush<S: Socket>(
        &mut self,
        id: ConnectionId,
        seat: &mut Seat<S>,
        backlog_bytes_max: usize,
    ) {
        seat.is_dirty = false;
        if let Err(error) = seat.connection.flush() {
            self.lose(id, seat, error);
        } else if backlog_bytes_max < seat.connection.backlog() {
            self.cut(id, seat);
        }
        self.count(seat);
    }

    /// Gives up a peer that does not read.
    pub(super) fn cut<S: Socket>(&mut self, id: ConnectionId, seat: &mut Seat<S>) {
        seat.connection.abort();
        self.count(seat);
        self.end(id, seat, CloseReason::Slow, None);
    }

    /// Counts anew what a peer is owed.
    pub(super) fn count<S: Socket>(&mut self, seat: &mut Seat<S>) {
        let owed = seat.connection.backlog();
        self.owed = self.owed - mem::replace(&mut seat.owed, owed) + owed;
    }

    pub(super) fn lose<S: Socket>(
        &mut self,
        id: ConnectionId,
        seat: &mut Seat<S>,
        error: io::Error,
    ) {
        seat.connection.abort();
        self.count(seat);
        self.end(id, seat, CloseReason::Lost, Some(error));
    }

    /// `Guest` or `Present` becomes `Ending`; a second reason changes nothing.
    pub(super) fn end<S>(
        &mut self,
        id: ConnectionId,
        seat: &mut Seat<S>,
        reason: CloseReason,
        error: Option<io::Error>,
    ) {
        let name = match mem::replace(&mut seat.stay, Stay::Left) {
            Stay::Guest => None,
            Stay::Present(name) => Some(name),
            over @ (Stay::Ending { .. } | Stay::Left | Stay::TurnedAway) => {
                seat.stay = over;
                self.ended.push(id);
                return;
            }
        };
        seat.stay = Stay::Ending { name, reason, error };
        self.ended.push(id);
    }
}

impl Stay {
    /// Returns the name of somebody in the room: who hears what is told to all.
    pub(super) fn name(&self) -> Option<&UserName> {
        match self {
            Self::Present(name) => Some(name),
            Self::Ending { name, .. } => name.as_ref(),
            Self::Guest | Self::Left | Self::TurnedAway => None,
        }
    }
}
