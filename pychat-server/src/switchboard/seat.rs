//! What the switchboard knows of each connection, and who of them needs something done.

use std::{collections::VecDeque, io, mem, net::SocketAddr};

use pychat_wire::UserName;

use crate::{
    chat::CloseReason,
    connection::{Connection, Socket},
    id::ConnectionId,
    outbox::BACKLOG_BYTES_MAX,
};

/// A connection and what the server, not the socket, knows of it.
pub(super) struct Seat<S> {
    pub(super) connection: Connection<S>,
    pub(super) peer: SocketAddr,
    pub(super) stay: Stay,
    /// How much of the tick's common run it has been given already, in bytes; only those in the
    /// room get any of it.
    pub(super) given: usize,
    pub(super) refusals: u32,
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
}

impl Queues {
    pub(super) fn mark_ready<S>(&mut self, id: ConnectionId, seat: &mut Seat<S>) {
        if !mem::replace(&mut seat.is_ready, true) {
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

    /// Gives a peer in the room the rest of the tick's common run.
    pub(super) fn deliver<S: Socket>(&mut self, id: ConnectionId, seat: &mut Seat<S>, run: &[u8]) {
        let rest = &run[mem::take(&mut seat.given)..];
        match seat.connection.deliver(rest) {
            Ok(()) if 0 < seat.connection.backlog() => self.mark_dirty(id, seat),
            Ok(()) => (),
            Err(error) => self.lose(id, seat, error),
        }
    }

    /// Writes what a peer is owed; cuts it if it has not been reading.
    pub(super) fn flush<S: Socket>(&mut self, id: ConnectionId, seat: &mut Seat<S>) {
        seat.is_dirty = false;
        if let Err(error) = seat.connection.flush() {
            self.lose(id, seat, error);
        } else if BACKLOG_BYTES_MAX < seat.connection.backlog() {
            seat.connection.abort();
            self.end(id, seat, CloseReason::Slow, None);
        }
    }

    pub(super) fn lose<S: Socket>(
        &mut self,
        id: ConnectionId,
        seat: &mut Seat<S>,
        error: io::Error,
    ) {
        seat.connection.abort();
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
            over @ (Stay::Ending { .. } | Stay::Left) => {
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
            Self::Guest | Self::Left => None,
        }
    }
}
