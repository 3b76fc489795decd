//! Protocol 2: greeting, hello, welcome, and everything that is said in the room.

use std::mem;

use super::{
    Begin, Cause, Client, Event, Message, MessageId, Page, Phase, Protocol,
    original::shown,
    place::{Change, Order, Place},
};
use crate::{
    key::SecretKey,
    link::Code,
    message::{
        ClientMessage, ErrorCode, HALL, Hello, Listing, PAGE_MESSAGES_MAX, PROTOCOL, Positions,
        Resume, ServerMessage,
    },
    name::SERVER,
    notice::Notice,
};

/// The shortest silence after which a server is asked whether it is there, in milliseconds.
const PING_MS_MIN: u64 = 1_000;

/// The longest, in milliseconds.
const PING_MS_MAX: u64 = 3_600_000;

impl Client {
    /// `Connected` becomes `Asked`, in the protocol that the greeting offers.
    ///
    /// The handlers of the phases, this one, [`Self::on_answer`], [`Self::on_room`] and
    /// [`Self::on_original`], never call each other: a payload is handled once, however it is made.
    pub(super) fn on_greeting(&mut self, now: u64, until: u64, message: ServerMessage<'_>) {
        match message {
            ServerMessage::Greeting {
                protocol,
                epoch,
                nonce,
                admission,
                limits,
                ping_seconds,
                server,
                ..
            } if PROTOCOL <= protocol => {
                self.payload_bytes_max = usize::try_from(limits.payload).unwrap_or(usize::MAX);
                let ping_ms = ping_seconds.saturating_mul(1_000);
                self.line.challenge.nonce = nonce;
                self.line.admission = admission;
                self.line.server_name = server.into_owned();
                self.line.ping_ms = ping_ms.clamp(PING_MS_MIN, PING_MS_MAX);
                self.ask(until, &epoch);
            }
            ServerMessage::Message { username, content }
            | ServerMessage::Greeting { username, content, .. }
                if username == SERVER =>
            {
                match Notice::parse(&content) {
                    Notice::Greeting => self.ask_original(until),
                    _ => self.on_last_words(&content),
                }
            }
            message => self.on_aside(now, message),
        }
    }

    /// Takes what a server of protocol 2 says before it lets us in.
    pub(super) fn on_answer(&mut self, now: u64, message: ServerMessage<'_>) {
        match message {
            ServerMessage::Welcome { username, epoch, operator, members, rooms, .. } => {
                let seq = rooms.0.iter().find(|room| room.room == HALL).map_or(0, |room| room.last);
                self.line.is_operator = operator;
                self.on_welcome(now, &username, (&epoch, seq), &members);
            }
            message => self.on_aside(now, message),
        }
    }

    /// Takes what a server of protocol 2 may say at any time, and passes over the rest.
    fn on_aside(&mut self, now: u64, message: ServerMessage<'_>) {
        match message {
            ServerMessage::Error { code, text, retry_ms, suggest, .. } => {
                let suggest = suggest.map(Into::into);
                self.on_hello_error(now, code, text.into_owned(), retry_ms, suggest);
            }
            ServerMessage::Message { username, content } if username == SERVER => {
                self.on_last_words(&content);
            }
            ServerMessage::Ping => ClientMessage::Pong.encode(&mut self.outgoing),
            ServerMessage::Bye { reason, retry_ms } => {
                self.give_up(now, Cause::Bye { reason }, retry_ms);
            }
            _ => (),
        }
    }

    /// Takes what a server says to those who are in its room.
    pub(super) fn on_room(&mut self, now: u64, message: ServerMessage<'_>) {
        match message {
            ServerMessage::Record { room, seq, time, username, content, id, dup, replay }
                if room == HALL =>
            {
                let message = Message {
                    seq: Some(seq),
                    time_ms: Some(time),
                    author: username.into_owned(),
                    content: shown(&content),
                    own: id.is_some(),
                    id: id.as_deref().map(MessageId::heard),
                    replayed: replay,
                };
                self.on_record(now, seq, message, dup);
            }
            ServerMessage::Gap { room, from, to } if room == HALL => {
                if let Some((from, to)) = self.place.on_gap(from, to) {
                    self.on_missing(now, Event::Gap { from, to }, to);
                }
            }
            ServerMessage::Skip { room, from, to } if room == HALL => {
                if let Some((from, to)) = self.place.on_gap(from, to) {
                    let is_wanted = mem::take(&mut self.line.may_skip);
                    let skipped = Event::Skipped { from, to };
                    let event = if is_wanted { skipped } else { Event::Gap { from, to } };
                    self.on_missing(now, event, to);
                }
            }
            ServerMessage::Page { room, before, start, .. } if room == HALL => {
                if let Some(page) = self.place.on_page(before, start) {
                    self.tell(Event::Page(page));
                }
            }
            ServerMessage::Joined { username, time } => {
                self.roster.push_once(&username);
                let name = username.into_owned();
                self.tell(Event::MemberJoined { name, time_ms: Some(time) });
            }
            ServerMessage::Left { username, time, reason } => {
                self.roster.remove(&username);
                let (name, reason) = (username.into_owned(), Some(reason));
                self.tell(Event::MemberLeft { name, time_ms: Some(time), reason });
            }
            ServerMessage::Error { code, text, reference, retry_ms, .. } => {
                self.on_error(now, code, text.into_owned(), reference.as_deref(), retry_ms);
            }
            ServerMessage::Notice { text } => self.tell(Event::Notice { text: text.into_owned() }),
            message => {
                let message = self.on_devices(message);
                let message = message.and_then(|message| self.on_operators(message));
                if let Some(message) = message.and_then(|message| self.on_invites(message)) {
                    self.on_aside(now, message);
                }
            }
        }
    }

    /// The line's phase becomes `Joined`; returns true if we had been in the room before.
    pub(super) fn enter(&mut self, now: u64, protocol: Protocol) -> bool {
        self.phase = Phase::Joined { protocol, since: now };
        self.line.farewell = None;
        mem::replace(&mut self.has_joined, true)
    }

    /// Returns true if a name that is taken may well be our own.
    pub(super) fn is_coming_back(&self) -> bool {
        self.has_joined || (self.is_persistent && self.saved.is_known)
    }

    /// Leaves, as the server refused us and trying again would change nothing.
    pub(super) fn refuse(
        &mut self,
        code: Option<ErrorCode>,
        reason: String,
        suggest: Option<String>,
    ) {
        self.leave();
        self.outgoing.clear();
        self.tell(Event::Refused { code, reason, suggest });
    }

    pub(super) fn send_request(&mut self) {
        if let Some((before, limit)) = self.place.requested() {
            ClientMessage::History { room: HALL.into(), before, limit }.encode(&mut self.outgoing);
        }
    }

    fn ask(&mut self, until: u64, epoch: &str) {
        if self.begin == Begin::Everything && self.place.resume().is_none() {
            self.place = Place::resumed(Some(epoch.to_owned()), 0);
        }
        let key = self.key();
        let resume = self.place.resume();
        let limit = matches!(self.begin, Begin::LastPage(_)).then_some(PAGE_MESSAGES_MAX);
        self.line.asked_after = resume.map(|(_, after)| after);
        self.line.may_skip = resume.is_some() && limit.is_some();
        let username = self.name.as_str();
        let hello = Hello {
            proof: Some(key.prove(&self.line.challenge, username)),
            pair: self.code.and_then(Code::pair),
            invite: self.code.and_then(Code::invite),
            label: self.label.as_deref().map(Into::into),
            resume: resume.map(|(epoch, after)| Resume {
                epoch: epoch.into(),
                rooms: Positions(vec![(HALL.into(), after)]),
                limit,
            }),
            ..Hello::new(username, PROTOCOL)
        };
        ClientMessage::Hello(hello).encode(&mut self.outgoing);
        self.phase = Phase::Asked { protocol: Protocol::Second, until };
    }

    /// Returns the key of this device. A new one is stored before it is used, so that the name is not
    /// lost with a welcome.
    fn key(&mut self) -> SecretKey {
        self.has_changed |= self.saved.key.is_none();
        *self.saved.key.get_or_insert_with(|| self.secret.key())
    }

    /// `Asked` becomes `Joined`.
    fn on_welcome(&mut self, now: u64, name: &str, (epoch, seq): (&str, u64), members: &Listing) {
        let change = self.place.on_welcome(epoch, seq, self.line.asked_after);
        self.line.welcomed_at = seq;
        name.clone_into(&mut self.room_name);
        self.code = None;
        self.has_changed |= !mem::replace(&mut self.saved.is_known, true);
        self.roster.replace(members.names());
        let again = self.enter(now, Protocol::Second);
        let others = self.roster.others(name);
        let protocol = Protocol::Second.number();
        let joined = Event::Joined { name: name.to_owned(), others, protocol, again };
        let mark = (Some(epoch.to_owned()), self.place.last());
        match change {
            Change::None | Change::Begun => self.tell_marked(joined, mark.0, mark.1),
            Change::NewEpoch => {
                self.tell(joined);
                self.tell_marked(Event::NewEpoch, mark.0, mark.1);
            }
            Change::Rewound { from, to } => {
                self.tell(joined);
                self.tell_marked(Event::Gap { from, to }, None, mark.1);
            }
        }
        self.ask_for_first_page(change, epoch);
        self.send_unacknowledged();
    }

    /// Asks for the first page. It has all that was not seen, and some before it, unless that is
    /// more than one page can have.
    fn ask_for_first_page(&mut self, change: Change, epoch: &str) {
        let is_known = self.saved.epoch.as_deref() == Some(epoch);
        let n_unseen = self.line.welcomed_at.saturating_sub(self.saved.seen());
        let is_fitting = is_known && n_unseen <= PAGE_MESSAGES_MAX;
        let fitting = |limit: u64| {
            if is_fitting { limit.max(n_unseen + limit.min(PAGE_MESSAGES_MAX) / 2) } else { limit }
        };
        if let (Begin::LastPage(limit), Change::Begun) = (self.begin, change)
            && !self.place.request(fitting(limit))
        {
            self.tell(Event::Page(Page { messages: Vec::new(), start: true }));
        }
        self.send_request();
    }

    /// An answer to a text that was sent twice only acknowledges it: its message comes in its
    /// place, or has come.
    fn on_record(&mut self, now: u64, seq: u64, mut message: Message, dup: bool) {
        let index = message.id.as_ref().and_then(|id| self.saved.index_of(id.as_str()));
        let accepted = index.and_then(|index| {
            self.acknowledge(now, index, &message.content, dup || message.replayed)
        });
        if index.is_some() {
            message.id.clone_from(&accepted);
        }
        let order = if dup { Order::Known } else { self.place.on_message(seq) };
        match order {
            Order::Next { missing } => {
                if let Some((from, to)) = missing {
                    self.on_missing(now, Event::Gap { from, to }, to);
                }
                self.tell_marked(Event::Message(message), None, seq);
            }
            Order::Older if message.replayed => {
                self.place.on_older(seq, message);
                self.tell_accepted(accepted, seq);
            }
            Order::Older | Order::Known => self.tell_accepted(accepted, seq),
        }
    }

    /// Numbers up to `to` will not come. What we said since the welcome may be among them, and only an
    /// answer to the same text again would tell.
    fn on_missing(&mut self, now: u64, event: Event, to: u64) {
        self.tell_marked(event, None, to);
        if self.line.welcomed_at < to {
            self.hold_unacknowledged(now);
        }
    }

    fn tell_accepted(&mut self, accepted: Option<MessageId>, seq: u64) {
        if let Some(id) = accepted {
            self.tell(Event::Accepted { id, seq });
        }
    }

    fn on_hello_error(
        &mut self,
        now: u64,
        code: ErrorCode,
        reason: String,
        retry_ms: Option<u64>,
        suggest: Option<String>,
    ) {
        match code {
            ErrorCode::NameInvalid | ErrorCode::NotAdmitted | ErrorCode::Forbidden => {
                self.refuse(Some(code), reason, None);
            }
            ErrorCode::NameTaken if !self.is_coming_back() => {
                self.refuse(Some(code), reason, suggest);
            }
            ErrorCode::SlowDown => self.tell(Event::SlowDown { retry_ms }),
            ErrorCode::AlreadyJoined => (), // The welcome is on its way.
            _ => self.give_up(
                now,
                Cause::TurnedAway { code: Some(code), reason },
                retry_ms.unwrap_or(0),
            ),
        }
    }
}
