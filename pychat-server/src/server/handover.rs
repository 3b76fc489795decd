//! Every connection saved for the next process at an orderly restart, and restored there.

use std::{
    collections::VecDeque,
    io,
    time::{Duration, Instant},
};

use pychat_wire::{
    UserName,
    key::{BINDING_BYTES, Challenge, Nonce, PublicKey},
};

use super::{
    broadcast::Broadcasts,
    history::{End, Replay},
    keepalive::Keepalive,
    searching,
    session::{Member, Progress, Session, SessionState},
    sessions::Sessions,
};
use crate::{
    core::{
        chat::{Chat, CloseReason, Effect, Event, Grant, Protocol, Recipients, Restored},
        id::{ConnectionId, HALL, RoomId},
        record::PersonId,
    },
    handover::{
        SavedConnection, SavedEnd, SavedGrant, SavedProtocol, SavedReplay, SavedTimes, Snapshot,
    },
    limits::Limits,
    net::{
        address::origin,
        connection::Connection,
        transport::{Socket, Transport},
    },
};

/// Returns what is saved of one connection; `None` for one that is closing.
pub(super) fn save<T: Socket>(
    now: Instant,
    id: ConnectionId,
    chat: &Chat,
    sessions: &mut Sessions<T>,
    broadcasts: &Broadcasts,
) -> Option<SavedConnection> {
    let Restored { name, protocol, challenge, grant, limited_for, slow_for, hello_for, .. } =
        chat.saved(now, id)?;
    broadcasts.owe_all(id, sessions);
    let session = sessions.get_mut(id)?;
    if !matches!(session.state, SessionState::Guest | SessionState::Joined(_)) {
        return None;
    }
    searching::give_up(session);
    Some(SavedConnection {
        peer: session.peer,
        name: name.map(|name| name.as_str().to_owned()),
        protocol: protocol.into(),
        nonce: challenge.nonce.0,
        grant: grant.map(SavedGrant::from),
        unread: session.connection.unread(),
        unsent: session.connection.unsent().to_vec(),
        times: SavedTimes {
            limited_ms: millis(limited_for),
            slow_ms: millis(slow_for),
            hello_ms: millis(hello_for),
        },
        replays: session.asked.replays.iter().copied().map(SavedReplay::from).collect(),
    })
}

/// The parts of the server that restored connections change.
pub(super) struct Restore<'a, T> {
    pub(super) now: Instant,
    pub(super) limits: &'a Limits,
    pub(super) chat: &'a mut Chat,
    pub(super) sessions: &'a mut Sessions<T>,
    pub(super) broadcasts: &'a mut Broadcasts,
    pub(super) keepalive: &'a mut Keepalive,
    pub(super) effects: &'a mut Vec<Effect>,
}

impl<T: Socket> Restore<'_, T> {
    /// Goes on with the connections of an earlier process, each with its transport, and `register`s
    /// each under its id. The others hear of those that cannot go on.
    pub(super) fn restore_all(
        &mut self,
        snapshot: Snapshot,
        is_same_log: bool,
        transports: impl IntoIterator<Item = Transport<T>>,
        mut register: impl FnMut(&mut Transport<T>, ConnectionId) -> io::Result<()>,
    ) {
        for (saved, mut transport) in snapshot.connections.into_iter().zip(transports) {
            let name = saved.name.as_deref().map(UserName::new);
            let can_go_on = is_same_log || saved.protocol == SavedProtocol::V1 || name.is_none();
            let is_restored = can_go_on
                && register(&mut transport, self.sessions.table.next_id()).is_ok()
                && match &name {
                    None => self.restore(saved, transport, None),
                    Some(Ok(name)) => self.restore(saved, transport, Some(name.clone())),
                    Some(Err(_)) => false,
                };
            if !is_restored && let Some(Ok(name)) = name {
                let event = Event::Left { name, reason: CloseReason::Lost };
                self.effects.push(Effect::Tell { to: Recipients::Room(HALL), event });
            }
        }
    }

    /// Makes one connection's session again; returns false if its name is taken.
    fn restore(
        &mut self,
        saved: SavedConnection,
        transport: Transport<T>,
        name: Option<UserName>,
    ) -> bool {
        let (id, protocol) = (self.sessions.table.next_id(), Protocol::from(saved.protocol));
        let restored = Restored {
            name: name.clone(),
            protocol,
            // There is no TLS over a restart.
            challenge: Challenge { nonce: Nonce(saved.nonce), binding: [0; BINDING_BYTES] },
            grant: saved.grant.map(Grant::from),
            origin: origin(saved.peer),
            limited_for: Duration::from_millis(saved.times.limited_ms),
            slow_for: Duration::from_millis(saved.times.slow_ms),
            hello_for: Duration::from_millis(saved.times.hello_ms),
        };
        if !self.chat.restore(self.now, id, restored) {
            return false;
        }
        let connection = Connection::restored(
            transport,
            self.limits.payload_bytes_max,
            saved.unread,
            &saved.unsent,
        );
        let replays: VecDeque<_> = saved.replays.into_iter().map(Replay::from).collect();
        let member = name.zip(self.chat.roster().join_index(id)).map(|(name, join_index)| Member {
            name,
            protocol,
            person: saved.grant.map(|grant| PersonId(grant.person)),
            join_index,
            progress: Progress::Live { offset: 0 },
            rooms: Vec::new(),
        });
        let has_joined = member.is_some();
        let state = member.map_or(SessionState::Guest, SessionState::Joined);
        let mut session = Session::new(self.now, connection, saved.peer, state);
        session.asked.replays = replays;
        let rooms = self.chat.rooms_of(id);
        self.broadcasts.restore(id, rooms, &mut session);
        self.sessions.table.insert(session);
        if has_joined && protocol == Protocol::V2 {
            self.keepalive.watch(self.now, id);
        }
        self.sessions.mark_ready(id);
        self.sessions.mark_dirty(id);
        self.sessions.mark_replaying(id);
        true
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl From<Replay> for SavedReplay {
    fn from(Replay { room, after, end }: Replay) -> Self {
        let end = match end {
            End::Live { limit } => SavedEnd::Live { limit },
            End::Page { before, limit } => SavedEnd::Page { before, limit },
            End::PageFound { before, last, count, is_start } => {
                SavedEnd::PageFound { before, last, count, is_start }
            }
        };
        Self { room: room.0, after, end }
    }
}

impl From<SavedReplay> for Replay {
    fn from(SavedReplay { room, after, end }: SavedReplay) -> Self {
        let end = match end {
            SavedEnd::Live { limit } => End::Live { limit },
            SavedEnd::Page { before, limit } => End::Page { before, limit },
            SavedEnd::PageFound { before, last, count, is_start } => {
                End::PageFound { before, last, count, is_start }
            }
        };
        Self { room: RoomId(room), after, end }
    }
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
    fn from(Grant { person, key, is_saved }: Grant) -> Self {
        Self { person: person.0, key: key.0, is_saved }
    }
}

impl From<SavedGrant> for Grant {
    fn from(SavedGrant { person, key, is_saved }: SavedGrant) -> Self {
        Self { person: PersonId(person), key: PublicKey(key), is_saved }
    }
}
