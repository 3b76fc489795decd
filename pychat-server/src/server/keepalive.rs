//! Keepalive: peers of protocol 2 are pinged after a silence, and given up if they do not answer.
//! Those of protocol 1 are watched by TCP alone.

use std::{
    io::ErrorKind,
    time::{Duration, Instant},
};

use pychat_wire::{ServerMessage, message::PONG_SECONDS_MAX};

use super::{
    frames::RoomFrames,
    session::{Activity, SessionState},
    sessions::Sessions,
};
use crate::{
    core::{deadlines::Deadlines, id::ConnectionId},
    net::transport::Socket,
};

/// The silence after which a peer is pinged.
pub const PING_INTERVAL: Duration = Duration::from_secs(30);

/// The time that it has to answer.
pub const PONG_TIMEOUT: Duration = Duration::from_secs(PONG_SECONDS_MAX);

/// The times at which peers of protocol 2 are checked.
#[derive(Debug, Default)]
pub(super) struct Keepalive {
    deadlines: Deadlines,
}

impl Keepalive {
    /// Begins to watch a peer of protocol 2 that has joined.
    pub(super) fn watch(&mut self, now: Instant, id: ConnectionId) {
        self.deadlines.set(id, now + PING_INTERVAL);
    }

    pub(super) fn forget(&mut self, id: ConnectionId) {
        self.deadlines.clear(id);
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Pings peers that have been silent for long, and gives up those that were pinged and are
    /// silent still.
    pub(super) fn check<T: Socket>(
        &mut self,
        now: Instant,
        sessions: &mut Sessions<T>,
        frames: RoomFrames<'_>,
    ) {
        while let Some(id) = self.deadlines.pop_due(now) {
            let Some(session) = sessions.get_mut(id) else { continue };
            if !matches!(session.state, SessionState::Joined(_)) {
                continue;
            }
            let Activity { at, is_pinged } = session.activity;
            let silent_until = at + PING_INTERVAL;
            if session.pauses.any() {
                session.set_alive(now); // It is not being read, so its silence means nothing.
                self.deadlines.set(id, now + PING_INTERVAL);
                if session.pauses.is_limited {
                    // Its own pings are not read either, so it would take us for gone.
                    sessions.tell(id, frames, |out| ServerMessage::Ping.encode(out));
                }
            } else if is_pinged {
                sessions.lose(id, ErrorKind::TimedOut.into());
            } else if now < silent_until {
                self.deadlines.set(id, silent_until);
            } else {
                session.activity.is_pinged = true;
                self.deadlines.set(id, now + PONG_TIMEOUT);
                sessions.tell(id, frames, |out| ServerMessage::Ping.encode(out));
            }
        }
    }
}
