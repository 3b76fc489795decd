//! Keepalive: peers of protocol 2 are pinged after a silence, and given up if they do not answer.
//! Those of protocol 1 are watched by TCP alone.

use std::{
    io::ErrorKind,
    time::{Duration, Instant},
};

use pychat_wire::{ServerMessage, message::PONG_SECONDS_MAX};

use super::{Server, SessionState};
use crate::{core::id::ConnectionId, net::connection::Socket};

/// The silence after which a peer is pinged.
pub const PING_INTERVAL: Duration = Duration::from_secs(30);

/// The time that it has to answer.
pub const PONG_TIMEOUT: Duration = Duration::from_secs(PONG_SECONDS_MAX);

impl<S: Socket> Server<S> {
    /// Begins to watch a peer of protocol 2 that has joined.
    pub(super) fn watch(&mut self, now: Instant, id: ConnectionId) {
        self.keepalives.set(id, now + PING_INTERVAL);
    }

    /// Pings peers that have been silent for long, and gives up those that were pinged and are
    /// silent still.
    pub(super) fn check_keepalives(&mut self, now: Instant) {
        while let Some(id) = self.keepalives.pop_due(now) {
            let Some(session) = self.connections.get_mut(id) else { continue };
            if !matches!(session.state, SessionState::Present(_)) {
                continue;
            }
            let silent_until = session.alive_at + PING_INTERVAL;
            if session.is_held {
                // It is not being read, so its silence means nothing.
                (session.alive_at, session.is_pinged) = (now, false);
                self.keepalives.set(id, now + PING_INTERVAL);
            } else if session.is_pinged {
                self.queues.lose(id, session, ErrorKind::TimedOut.into());
            } else if now < silent_until {
                self.keepalives.set(id, silent_until);
            } else {
                session.is_pinged = true;
                self.keepalives.set(id, now + PONG_TIMEOUT);
                self.tell(id, |out| ServerMessage::Ping.encode(out));
            }
        }
    }
}
