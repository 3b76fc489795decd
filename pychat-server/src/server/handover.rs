//! Every connection saved for the next process at an orderly restart, and restored there.

use std::{
    io,
    time::{Duration, Instant},
};

use pychat_wire::UserName;

use super::{
    Server,
    replay::Replay,
    session::{Session, SessionState, Subscription},
};
use crate::{
    core::{
        chat::{CloseReason, Effect, Protocol, Restored},
        id::ConnectionId,
        record::{OwnerId, TokenHash},
        tokens::Grant,
    },
    handover::{SavedConnection, SavedGrant, SavedProtocol, SavedReplay, Snapshot},
    net::{
        address::origin,
        connection::{Connection, Socket},
    },
};

impl<S: Socket> Server<S> {
    /// Returns every connection that can go on in another process, with its socket; nothing may
    /// happen here after that. Those that are closing have had their last word and end here.
    pub fn save(&mut self, now: Instant) -> (Snapshot, Vec<&S>) {
        self.reap(now);
        self.chat.announce_all(&mut self.effects);
        self.apply_effects(now);
        let mut order: Vec<_> = self.connections.iter_mut().map(|(id, _)| id).collect();
        order.sort_by_key(|id| self.chat.roster().join_index(*id).unwrap_or(u64::MAX));
        let mut snapshot = Snapshot {
            epoch: self.log.epoch().to_owned(),
            time_ms: self.told_ms,
            connections: Vec::new(),
        };
        let mut ids = Vec::new();
        for id in order {
            if let Some(saved) = self.save_one(now, id) {
                snapshot.connections.push(saved);
                ids.push(id);
            }
        }
        let sessions = ids.into_iter().filter_map(|id| self.connections.get(id));
        (snapshot, sessions.map(|session| session.connection.socket()).collect())
    }

    fn save_one(&mut self, now: Instant, id: ConnectionId) -> Option<SavedConnection> {
        let Restored { name, protocol, grant, limited_for, hello_for, .. } =
            self.chat.saved(now, id)?;
        let session = self.connections.get_mut(id)?;
        if !matches!(session.state, SessionState::Guest | SessionState::Present(_)) {
            return None;
        }
        self.queues.owe(id, session, self.broadcast.frames(), &[]);
        Some(SavedConnection {
            peer: session.peer,
            name: name.map(|name| name.as_str().to_owned()),
            protocol: protocol.into(),
            grant: grant.map(SavedGrant::from),
            unread: session.connection.unread(),
            unsent: session.connection.unsent().to_vec(),
            limited_ms: millis(limited_for),
            hello_ms: millis(hello_for),
            replays: session.replays.iter().map(Replay::saved).collect(),
        })
    }

    /// Goes on with the connections of an earlier process, each with its socket, and `register`s each
    /// under its id. The others hear of those that cannot go on.
    pub fn restore(
        &mut self,
        now: Instant,
        snapshot: Snapshot,
        sockets: impl IntoIterator<Item = S>,
        mut register: impl FnMut(&mut S, ConnectionId) -> io::Result<()>,
    ) {
        self.told_ms = self.told_ms.max(snapshot.time_ms);
        let is_same_log = snapshot.epoch == self.log.epoch();
        for (saved, mut socket) in snapshot.connections.into_iter().zip(sockets) {
            let name = saved.name.as_deref().map(UserName::new);
            let can_go_on = is_same_log || saved.protocol == SavedProtocol::V1 || name.is_none();
            let is_restored = can_go_on
                && register(&mut socket, self.next_id()).is_ok()
                && match &name {
                    None => self.restore_one(now, saved, socket, None),
                    Some(Ok(name)) => self.restore_one(now, saved, socket, Some(name.clone())),
                    Some(Err(_)) => false,
                };
            if !is_restored && let Some(Ok(name)) = name {
                let reason = CloseReason::Lost;
                self.effects.push(Effect::Left { name, reason, known_to: None });
            }
        }
    }

    /// Gives one connection its session again; returns false if its name is taken.
    fn restore_one(
        &mut self,
        now: Instant,
        saved: SavedConnection,
        socket: S,
        name: Option<UserName>,
    ) -> bool {
        let (id, protocol) = (self.next_id(), Protocol::from(saved.protocol));
        let restored = Restored {
            name: name.clone(),
            protocol,
            grant: saved.grant.map(Grant::from),
            origin: origin(saved.peer),
            limited_for: Duration::from_millis(saved.limited_ms),
            hello_for: Duration::from_millis(saved.hello_ms),
        };
        if !self.chat.restore(now, id, restored) {
            return false;
        }
        let payload_bytes_max = self.limits.payload_bytes_max;
        let connection =
            Connection::restored(socket, payload_bytes_max, saved.unread, &saved.unsent);
        let is_catching_up = saved.replays.iter().any(SavedReplay::is_resume);
        let (state, subscription) = match name {
            None => (SessionState::Guest, Subscription::Nothing),
            Some(name) if is_catching_up => (SessionState::Present(name), Subscription::Presence),
            Some(name) => (SessionState::Present(name), Subscription::All { given: 0 }),
        };
        let has_joined = subscription != Subscription::Nothing;
        let mut session = Session::new(now, connection, saved.peer, state);
        if has_joined {
            (session.protocol, session.subscription) = (protocol, subscription);
            session.owner = saved.grant.map(|grant| OwnerId(grant.owner));
            session.join_index = self.chat.roster().join_index(id);
            session.join_index.map(|join_index| self.room.insert(join_index, id));
        }
        session.replays = saved.replays.into_iter().map(Replay::restored).collect();
        self.connections.insert(session);
        if is_catching_up {
            self.catching_up.insert(id);
        }
        if has_joined && protocol == Protocol::V2 {
            self.watch(now, id);
        }
        if let Some(session) = self.connections.get_mut(id) {
            self.queues.mark_ready(id, session);
            self.queues.mark_dirty(id, session);
            self.queues.mark_replaying(id, session);
        }
        true
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl From<Protocol> for SavedProtocol {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::V1 => Self::V1,
            Protocol::V2 => Self::V2,
        }
    }
}

impl From<SavedProtocol> for Protocol {
    fn from(protocol: SavedProtocol) -> Self {
        match protocol {
            SavedProtocol::V1 => Self::V1,
            SavedProtocol::V2 => Self::V2,
        }
    }
}

impl From<Grant> for SavedGrant {
    fn from(Grant { owner, token, is_saved }: Grant) -> Self {
        Self { owner: owner.0, token: token.0, is_saved }
    }
}

impl From<SavedGrant> for Grant {
    fn from(SavedGrant { owner, token, is_saved }: SavedGrant) -> Self {
        Self { owner: OwnerId(owner), token: TokenHash(token), is_saved }
    }
}
