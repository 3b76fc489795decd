//! New connections: admitted, or turned away.

use std::{net::SocketAddr, time::Instant};

use pychat_wire::{
    key::{Challenge, Nonce},
    name::SERVER,
};

use super::{
    encode,
    frames::RoomFrames,
    session::{Session, SessionState},
    sessions::Sessions,
};
use crate::{
    core::{
        admission::Act,
        chat::{Chat, CloseReason, Effect, Input},
        id::{ConnectionId, HALL},
        secret::Secret,
    },
    limits::Limits,
    logging,
    net::{
        address::origin,
        connection::Connection,
        transport::{Socket, Transport},
    },
};

/// The most connections that are turned away and kept for the moment that it takes to say so.
pub const TURNED_AWAY_MAX: usize = 64;

/// Returns true for a caller whose address is banned, or calls far too often: it is closed at once, and
/// only counted in the log where there are too many lines about it. This costs less than anything else
/// that can be done about it.
pub(super) fn is_to_be_dropped(now: Instant, peer: SocketAddr, chat: &mut Chat) -> bool {
    let origin = origin(peer);
    let is_banned = chat.is_banned(origin);
    let admission = chat.admission();
    if is_banned {
        if let Some(missing) = admission.may_log(now, origin) {
            logging::missing(peer, missing);
            logging::banned(peer);
        }
        return true;
    }
    let is_full = |act| admission.full_until(now, origin, act).is_some();
    is_full(Act::Connect) && is_full(Act::Log) && admission.may_log(now, origin).is_none()
}

/// The parts of the server that a new connection changes.
pub(super) struct Admit<'a, T> {
    pub(super) limits: &'a Limits,
    pub(super) nonces: &'a mut Secret,
    pub(super) chat: &'a mut Chat,
    pub(super) sessions: &'a mut Sessions<T>,
    pub(super) effects: &'a mut Vec<Effect>,
}

impl<T: Socket> Admit<'_, T> {
    /// Takes in a connection, or, at a limit, tells it that there is no room and closes it.
    pub(super) fn admit(&mut self, now: Instant, transport: Transport<T>, peer: SocketAddr) {
        match self.refusal(now, peer) {
            None => self.take_in(now, transport, peer),
            Some(refusal) => self.turn_away(now, transport, peer, &refusal),
        }
    }

    /// Counts the connection and returns `None`, or returns why there is no room for it.
    fn refusal(&mut self, now: Instant, peer: SocketAddr) -> Option<String> {
        let (origin, max) = (origin(peer), self.limits.connections_max);
        let n_admitted = self.sessions.table.len() - self.sessions.n_turned_away;
        let admission = self.chat.admission();
        if !admission.try_fill(now, origin, Act::Connect) {
            Some("Too many connections from your address in a short time. Bye!\n".to_owned())
        } else if max <= n_admitted {
            Some(format!("The chat is full: {max} connections. Bye!\n"))
        } else if !admission.enter(origin) {
            let max = self.limits.rules.connections_per_address_max;
            Some(format!("Too many connections from your address: {max}. Bye!\n"))
        } else {
            None
        }
    }

    fn take_in(&mut self, now: Instant, transport: Transport<T>, peer: SocketAddr) {
        let id = self.insert(now, transport, peer, SessionState::Guest);
        let n_effects = self.effects.len();
        let challenge = Challenge { nonce: Nonce(self.nonces.bytes()), ..Challenge::default() };
        let connected = Input::Connected { id, origin: origin(peer), challenge };
        self.chat.handle(now, connected, self.effects);
        if let Some(session) = self.sessions.get_mut(id) {
            session.pauses.is_limited =
                self.effects[n_effects..].iter().any(|effect| effect.ends_reading(id));
        }
        self.sessions.mark_ready(id);
    }

    /// Tells a caller why it is not let in, unless there are too many of them.
    fn turn_away(
        &mut self,
        now: Instant,
        transport: Transport<T>,
        peer: SocketAddr,
        refusal: &str,
    ) {
        if let Some(missing) = self.chat.admission().may_log(now, origin(peer)) {
            logging::missing(peer, missing);
            logging::turned_away(peer, refusal.trim_end());
        }
        if TURNED_AWAY_MAX <= self.sessions.n_turned_away {
            return;
        }
        self.sessions.n_turned_away += 1;
        let id = self.insert(now, transport, peer, SessionState::TurnedAway);
        let encode = |out: &mut Vec<u8>| encode::message(SERVER, refusal, out);
        self.sessions.tell(id, RoomFrames::none(HALL), encode);
        self.sessions.close(now, id, CloseReason::Shutdown);
    }

    fn insert(
        &mut self,
        now: Instant,
        transport: Transport<T>,
        peer: SocketAddr,
        state: SessionState,
    ) -> ConnectionId {
        let connection = Connection::new(transport, self.limits.payload_bytes_max);
        self.sessions.table.insert(Session::new(now, connection, peer, state))
    }
}
