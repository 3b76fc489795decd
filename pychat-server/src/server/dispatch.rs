//! The chat's effects, carried out: people are told, and things happen to connections.

use std::{borrow::Cow, time::Instant};

use pychat_wire::{
    ServerMessage,
    key::Nonce,
    message::{AddressList, Door, Limits as GreetedLimits, PROTOCOL, Reason},
    name::{NAME_CHARS_MAX, SERVER, YOU},
    notice::Notice,
};

use super::{
    broadcast::Broadcasts,
    clock::Clock,
    encode::{self, Copy},
    front::Front,
    history::{self, Resume, Source},
    keepalive::{Keepalive, PING_INTERVAL},
    searching,
    session::SessionState,
    sessions::Sessions,
};
use crate::{
    core::{
        admission::Admission,
        chat::{Action, Effect, Event, Protocol, Recipients, Refusal, Subscribe},
        id::{ConnectionId, HALL, RoomId},
        rate_limit::RateLimit,
    },
    limits::Limits,
    logging,
    net::transport::Socket,
    store::Store,
};

/// The parts of the server that effects change.
pub(super) struct Dispatch<'a, T> {
    pub(super) now: Instant,
    pub(super) front: &'a Front,
    pub(super) store: &'a mut dyn Store,
    pub(super) door: Door,
    pub(super) admission: &'a mut Admission,
    pub(super) sessions: &'a mut Sessions<T>,
    pub(super) broadcasts: &'a mut Broadcasts,
    pub(super) keepalive: &'a mut Keepalive,
    pub(super) clock: &'a mut Clock,
}

impl<T: Socket> Dispatch<'_, T> {
    /// Carries out one effect. What the store is to do, and answers to operators on the machine, are
    /// not for here: they were taken out before.
    pub(super) fn apply(&mut self, effect: Effect) {
        if effect.tells_time() {
            self.clock.tell();
        }
        match effect {
            Effect::Store { .. } | Effect::Reply { .. } => (),
            Effect::Tell { to: Recipients::One(id), event } => self.tell(id, &event),
            Effect::Tell { to, event } => self.tell_many(&to, event),
            Effect::Connection { id, action } => self.act(id, action),
            Effect::EndRoom(room) => self.broadcasts.end(room),
            Effect::TellTyping { room, name, person } => {
                self.store.tell_typing(room, &name, Some(person));
            }
        }
    }

    fn tell_many(&mut self, to: &Recipients, event: Event) {
        match (to, event) {
            (Recipients::Room(HALL), Event::Joined { people }) => {
                self.broadcasts.hall.joined(&people, self.clock.utc_ms(), self.sessions);
            }
            (Recipients::Room(HALL), Event::Left { name, reason }) => {
                self.broadcasts.hall.left(&name, reason, self.clock.utc_ms(), self.sessions);
            }
            (Recipients::Room(_), Event::Recorded { from, record }) => {
                self.clock.tell_at_least(record.time_ms);
                self.clock.tell();
                self.broadcasts.record(from, &record, self.sessions);
            }
            (to, event) => {
                for id in self.broadcasts.connections(to) {
                    self.tell(id, &event);
                }
            }
        }
    }

    /// Tells one peer, in the protocol in which it is spoken to.
    fn tell(&mut self, to: ConnectionId, event: &Event) {
        let Some(session) = self.sessions.get_mut(to) else { return };
        let (protocol, time_ms) = (session.protocol(), self.clock.utc_ms());
        let offers_tls = session.connection.transport().offers_tls();
        let is_worthless_later = matches!(event, Event::Typing { .. });
        if (is_worthless_later && 0 < session.owed) || (protocol == Protocol::V1 && is_new(event)) {
            return;
        }
        if let Event::Bye { .. } = event {
            self.broadcasts.owe_all(to, self.sessions);
        }
        let Front { name, limits, link, servers, .. } = self.front;
        let (epoch, door) = (self.store.epoch(), self.door);
        let frames = self.broadcasts.frames(room_of(event));
        self.sessions.tell(to, frames, |out| match event {
            Event::Greeting(nonce) => {
                Shown { name, epoch, limits, door, servers }
                    .greeting(*nonce, offers_tls)
                    .encode(out);
            }
            Event::Welcome { name, is_operator, members, rooms } => {
                let is_operator = *is_operator;
                let welcome = encode::Welcome { name, epoch, time_ms, is_operator, members, rooms };
                encode::welcome(&welcome, out);
            }
            Event::InviteLink { code, terms } => {
                encode::invite_link(link, *code, *terms, time_ms, out);
            }
            Event::Bye { reason } if reason.reason() == Reason::Shutdown => {
                encode::stopping(servers, out);
            }
            event => say(event, protocol, time_ms, out),
        });
        self.let_read(to, event);
    }

    /// Gives a peer time to read a long list that it asked for, one at a time.
    fn let_read(&mut self, to: ConnectionId, event: &Event) {
        if let Event::OpenRooms(_) = event
            && let Some(session) = self.sessions.get_mut(to)
            && session.welcome == 0
        {
            session.welcome = session.connection.backlog();
        }
    }

    fn act(&mut self, id: ConnectionId, action: Action) {
        match action {
            Action::Subscribe(subscribe) => self.subscribe(id, subscribe),
            Action::Enter { rooms } => self.enter(id, rooms),
            Action::Exit { room } => self.broadcasts.exit(id, room, self.sessions),
            Action::Resume { room, epoch, after, limit } => {
                let resume = Resume { room, epoch: &epoch, after, limit };
                let source = Source { store: self.store, broadcasts: self.broadcasts };
                history::resume(id, &resume, source, self.sessions);
            }
            Action::Page { room, before, limit } => {
                history::page(id, room, (before, limit), self.broadcasts, self.sessions);
            }
            Action::Search(search) => searching::begin(id, *search, self.broadcasts, self.sessions),
            Action::StartTls => self.sessions.start_tls(id),
            Action::PauseRead { until } => self.sessions.limit(id, until),
            Action::AwaitStore => self.sessions.set_awaiting_store(id, true),
            Action::ResumeRead => self.sessions.set_awaiting_store(id, false),
            Action::Log(refusal) => self.log(id, &refusal),
            Action::Close { reason } => {
                self.broadcasts.owe_all(id, self.sessions);
                self.sessions.close(self.now, id, reason);
            }
        }
    }

    fn subscribe(&mut self, id: ConnectionId, subscribe: Subscribe) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if !matches!(session.state, SessionState::Guest) {
            return;
        }
        if let Some(missing) = self.admission.may_log(self.now, session.origin) {
            logging::missing(session.peer, missing);
            logging::joined(&subscribe.name, session.peer);
        }
        if subscribe.protocol == Protocol::V2 {
            self.keepalive.watch(self.now, id);
        }
        self.broadcasts.hall.subscribe(id, session, subscribe);
    }

    fn enter(&mut self, id: ConnectionId, rooms: Vec<RoomId>) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        for room in rooms {
            self.broadcasts.enter(id, room, session);
        }
    }

    fn log(&mut self, id: ConnectionId, refusal: &Refusal) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if let Some(missing) = self.admission.may_log(self.now, session.origin) {
            logging::missing(session.peer, missing);
            logging::refused(session.name(), session.peer, refusal);
        }
    }
}

/// Returns the room that an event is about, the hall if it is about none: it is told behind what all there
/// were told before.
fn room_of(event: &Event) -> RoomId {
    match event {
        Event::RoomGone(room)
        | Event::Members { room, .. }
        | Event::Read { room, .. }
        | Event::Typing { room, .. } => *room,
        Event::Room(view) => view.room,
        Event::Recorded { record, .. } | Event::Duplicate { record } => record.room,
        _ => HALL,
    }
}

/// Returns true for what protocol 1 has no word for.
fn is_new(event: &Event) -> bool {
    match event {
        Event::Room(_)
        | Event::RoomGone(_)
        | Event::OpenRooms(_)
        | Event::Members { .. }
        | Event::Bots(_)
        | Event::Read { .. }
        | Event::Typing { .. } => true,
        Event::Recorded { record, .. } | Event::Duplicate { record } => record.room != HALL,
        _ => false,
    }
}

/// Appends an event that needs nothing more than a time to be said.
fn say(event: &Event, protocol: Protocol, time_ms: u64, out: &mut Vec<u8>) {
    match event {
        Event::Notice(text) => match protocol {
            Protocol::V1 => encode::message(SERVER, text, out),
            Protocol::V2 => ServerMessage::Notice { text: text.into() }.encode(out),
        },
        Event::Refused(complaint) => encode::complaint(complaint, out),
        Event::Joined { people } => people.iter().for_each(|(name, _)| match protocol {
            Protocol::V1 => encode::notice(Notice::Joined { name: name.as_str() }, out),
            Protocol::V2 => encode::joined(name, time_ms, out),
        }),
        Event::Left { name, reason } => match protocol {
            Protocol::V1 => encode::notice(Notice::Left { name: name.as_str() }, out),
            Protocol::V2 => encode::left(name, time_ms, *reason, out),
        },
        Event::Recorded { record, .. } | Event::Duplicate { record } => match protocol {
            Protocol::V1 => encode::message(YOU, record.kind.text(), out),
            Protocol::V2 => {
                let dup = matches!(event, Event::Duplicate { .. });
                let copy = Copy { own: true, dup, ..Copy::default() };
                encode::record(record.room, record.entry(), copy, out);
            }
        },
        Event::Room(view) => encode::room(view, out),
        Event::RoomGone(room) => encode::room_gone(*room, out),
        Event::OpenRooms(views) => encode::rooms(views, out),
        Event::Members { room, members } => encode::members(*room, members, out),
        Event::Read { room, seq } => encode::read(*room, *seq, out),
        Event::Typing { room, name } => encode::typing(*room, name, out),
        Event::Invites(invites) => encode::invites(invites, time_ms, out),
        Event::PairCode(code) => encode::pair_code(*code, out),
        Event::Devices(devices) => encode::devices(devices, out),
        Event::DeviceAdded(device) => encode::device_added(device, out),
        Event::Operator(operator) => ServerMessage::Operator { operator: *operator }.encode(out),
        Event::Bots(names) => encode::bots(names, out),
        Event::Done(deed) => encode::done(deed, out),
        Event::Bans { bans, mutes, slow_seconds, admission } => {
            encode::bans([bans, mutes], *slow_seconds, *admission, out);
        }
        Event::Pong => ServerMessage::Pong.encode(out),
        Event::Bye { reason } => encode::bye(reason.reason(), out),
        Event::Greeting(_) | Event::Welcome { .. } | Event::InviteLink { .. } => (),
    }
}

/// The parts of the server that a greeting shows.
struct Shown<'a> {
    name: &'a str,
    epoch: &'a str,
    limits: &'a Limits,
    door: Door,
    servers: &'a AddressList,
}

impl<'a> Shown<'a> {
    /// Returns the first message of a connection.
    fn greeting(&self, nonce: Nonce, tls: bool) -> ServerMessage<'a> {
        let (burst, per_second) = self.limits.rules.rate_limit.map_or((0, 0), RateLimit::numbers);
        ServerMessage::Greeting {
            username: SERVER.into(),
            content: Notice::Greeting.to_string().into(),
            protocol: PROTOCOL,
            server: self.name.into(),
            epoch: self.epoch.into(),
            nonce,
            tls,
            admission: self.door,
            servers: Cow::Borrowed(self.servers),
            limits: GreetedLimits {
                payload: self.limits.payload_bytes_max as u64,
                name: NAME_CHARS_MAX as u64,
                burst: burst.into(),
                per_second: per_second.into(),
            },
            ping_seconds: PING_INTERVAL.as_secs(),
        }
    }
}
