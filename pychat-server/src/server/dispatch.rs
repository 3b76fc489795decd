//! The chat's effects, carried out: people are told, and things happen to connections.

use std::time::Instant;

use pychat_wire::{
    ServerMessage,
    key::Nonce,
    message::{Door, Limits as GreetedLimits, PROTOCOL},
    name::{NAME_CHARS_MAX, SERVER, YOU},
    notice::Notice,
};

use super::{
    broadcast::Broadcast,
    clock::Clock,
    encode::{self, Copy},
    front::Front,
    keepalive::{Keepalive, PING_INTERVAL},
    replay::{self, Source},
    session::SessionState,
    sessions::Sessions,
};
use crate::{
    core::{
        admission::Admission,
        chat::{Action, Effect, Event, Protocol, Recipients, Refusal, Subscribe},
        id::ConnectionId,
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
    pub(super) broadcast: &'a mut Broadcast,
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
        }
    }

    fn tell_many(&mut self, to: &Recipients, event: Event) {
        match (to, event) {
            (Recipients::Room(_), Event::Joined { people }) => {
                self.broadcast.joined(&people, self.clock.utc_ms(), self.sessions);
            }
            (Recipients::Room(_), Event::Left { name, reason }) => {
                self.broadcast.left(&name, reason, self.clock.utc_ms(), self.sessions);
            }
            (Recipients::Room(_), Event::Recorded { from, record }) => {
                self.clock.tell_at_least(record.time_ms);
                self.clock.tell();
                self.broadcast.message(from, record.entry(), self.sessions);
            }
            (to, event) => {
                for id in self.broadcast.connections(to) {
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
        let Front { name, limits, link, .. } = self.front;
        let (epoch, seq) = (self.store.epoch(), self.broadcast.published_seq());
        let (frames, door) = (self.broadcast.frames(), self.door);
        self.sessions.tell(to, frames, |out| match event {
            Event::Greeting(nonce) => {
                Shown { name, epoch, limits, door }.greeting(*nonce, offers_tls).encode(out);
            }
            Event::Notice(text) => match protocol {
                Protocol::V1 => encode::message(SERVER, text, out),
                Protocol::V2 => ServerMessage::Notice { text: text.into() }.encode(out),
            },
            Event::Refused(complaint) => encode::complaint(complaint, out),
            Event::Welcome { name, is_operator, members, rooms: _ } => {
                let is_operator = *is_operator;
                let welcome = encode::Welcome { name, epoch, seq, time_ms, is_operator, members };
                encode::welcome(&welcome, out);
            }
            Event::Joined { people } => people.iter().for_each(|(name, _)| match protocol {
                Protocol::V1 => encode::notice(Notice::Joined { name: name.as_str() }, out),
                Protocol::V2 => encode::joined(name, time_ms, out),
            }),
            Event::Left { name, reason } => match protocol {
                Protocol::V1 => encode::notice(Notice::Left { name: name.as_str() }, out),
                Protocol::V2 => encode::left(name, time_ms, *reason, out),
            },
            Event::Recorded { record, .. } | Event::Duplicate { record } => {
                let dup = matches!(event, Event::Duplicate { .. });
                match protocol {
                    Protocol::V1 => encode::message(YOU, record.kind.text(), out),
                    Protocol::V2 => {
                        let copy = Copy { own: true, dup, ..Copy::default() };
                        encode::record(record.entry(), copy, out);
                    }
                }
            }
            Event::Room(_)
            | Event::RoomGone(_)
            | Event::OpenRooms(_)
            | Event::Members { .. }
            | Event::Read { .. }
            | Event::Typing { .. } => (),
            Event::InviteLink { code, terms } => {
                encode::invite_link(link, *code, *terms, time_ms, out);
            }
            Event::Invites(invites) => encode::invites(invites, time_ms, out),
            Event::PairCode(code) => encode::pair_code(*code, out),
            Event::Devices(devices) => encode::devices(devices, out),
            Event::DeviceAdded(device) => encode::device_added(device, out),
            Event::Operator(operator) => {
                ServerMessage::Operator { operator: *operator }.encode(out);
            }
            Event::Done(deed) => encode::done(deed, out),
            Event::Bans { bans, mutes, slow_seconds, admission } => {
                encode::bans([bans, mutes], *slow_seconds, *admission, out);
            }
            Event::Pong => ServerMessage::Pong.encode(out),
            Event::Bye { reason } => encode::bye(reason.reason(), out),
        });
    }

    fn act(&mut self, id: ConnectionId, action: Action) {
        match action {
            Action::Subscribe(subscribe) => self.subscribe(id, subscribe),
            Action::Resume { room: _, epoch, after, limit } => {
                let source = Source { store: self.store, broadcast: self.broadcast };
                replay::resume(id, (&epoch, after), limit, source, self.sessions);
            }
            Action::Enter { .. } | Action::Exit { .. } => (),
            Action::Page { room: _, before, limit } => {
                replay::page(id, before, limit, self.broadcast, self.sessions);
            }
            Action::StartTls => self.sessions.start_tls(id),
            Action::PauseRead { until } => self.sessions.limit(id, until),
            Action::AwaitStore => self.sessions.set_awaiting_store(id, true),
            Action::ResumeRead => self.sessions.set_awaiting_store(id, false),
            Action::Log(refusal) => self.log(id, &refusal),
            Action::Close { reason } => {
                self.sessions.close(self.now, id, reason, self.broadcast.frames());
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
        self.broadcast.subscribe(id, session, subscribe);
    }

    fn log(&mut self, id: ConnectionId, refusal: &Refusal) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if let Some(missing) = self.admission.may_log(self.now, session.origin) {
            logging::missing(session.peer, missing);
            logging::refused(session.name(), session.peer, refusal);
        }
    }
}

/// The parts of the server that a greeting shows.
struct Shown<'a> {
    name: &'a str,
    epoch: &'a str,
    limits: &'a Limits,
    door: Door,
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
