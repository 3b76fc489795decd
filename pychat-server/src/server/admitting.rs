//! New connections: admitted, or turned away.

use std::{net::SocketAddr, time::Instant};

use super::{
    Server, encode,
    session::{Session, SessionState},
};
use crate::{
    core::{
        admission::Act,
        chat::{CloseReason, Input},
    },
    logging,
    net::{
        address::origin,
        connection::{Connection, Socket},
    },
};
use pychat_wire::name::SERVER;

/// The most connections that are turned away and kept for the moment that it takes to say so.
pub const TURNED_AWAY_MAX: usize = 64;

impl<S: Socket> Server<S> {
    /// Returns true for a caller whose address calls far too often: it is closed at once, and only
    /// counted in the log. This costs less than anything else that can be done about it.
    pub fn is_to_be_dropped(&mut self, now: Instant, peer: SocketAddr) -> bool {
        let (origin, admission) = (origin(peer), self.chat.admission());
        let is_full = |act| admission.full_until(now, origin, act).is_some();
        is_full(Act::Connect) && is_full(Act::Log) && admission.may_log(now, origin).is_none()
    }

    /// Takes in a connection, or, at a limit, tells it that there is no room and closes it.
    pub fn admit(&mut self, now: Instant, socket: S, peer: SocketAddr) {
        let (origin, max) = (origin(peer), self.limits.connections_max);
        let n_admitted = self.connections.len() - self.n_turned_away;
        let admission = self.chat.admission();
        let told = if !admission.try_fill(now, origin, Act::Connect) {
            "Too many connections from your address in a short time. Bye!\n".to_owned()
        } else if max <= n_admitted {
            format!("The chat is full: {max} connections. Bye!\n")
        } else if !admission.enter(origin) {
            let max = self.limits.rules.connections_per_address_max;
            format!("Too many connections from your address: {max}. Bye!\n")
        } else {
            let connection = Connection::new(socket, self.limits.payload_bytes_max);
            let id =
                self.connections.insert(Session::new(now, connection, peer, SessionState::Guest));
            let n_effects = self.effects.len();
            self.chat.handle(now, Input::Connected { id, origin }, &mut self.effects);
            if let Some(session) = self.connections.get_mut(id) {
                session.is_held =
                    self.effects[n_effects..].iter().any(|effect| effect.ends_reading(id));
                self.queues.mark_ready(id, session);
            }
            return;
        };
        self.turn_away(now, socket, peer, &told);
    }

    /// Tells a caller why it is not let in, unless there are too many of them.
    fn turn_away(&mut self, now: Instant, socket: S, peer: SocketAddr, told: &str) {
        if let Some(missing) = self.chat.admission().may_log(now, origin(peer)) {
            logging::missing(peer, missing);
            logging::turned_away(peer, told.trim_end());
        }
        if TURNED_AWAY_MAX <= self.n_turned_away {
            return;
        }
        self.n_turned_away += 1;
        let connection = Connection::new(socket, self.limits.payload_bytes_max);
        let id =
            self.connections.insert(Session::new(now, connection, peer, SessionState::TurnedAway));
        self.tell(id, |out| encode::message(SERVER, told, out));
        self.close(now, id, CloseReason::Shutdown);
        self.set_ready(id, true, false);
    }
}
