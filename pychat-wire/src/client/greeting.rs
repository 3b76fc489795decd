//! Protocol 2: greeting, hello and welcome.

use std::mem;

use super::{
    Begin, Cause, Client, Event, Hearing, Page, Phase, Protocol, Room, RoomId, first_page_messages,
    rooms::{Change, Welcomed},
};
use crate::{
    key::SecretKey,
    link::Code,
    message::{
        ClientMessage, ErrorCode, Hello, Listing, PAGE_MESSAGES_MAX, PROTOCOL, Positions, Reason,
        Resume, RoomList, ServerMessage,
    },
    name::SERVER,
    notice::Notice,
};

/// The shortest silence after which a server is asked whether it is there, in milliseconds.
const PING_MS_MIN: u64 = 1_000;

/// The longest, in milliseconds.
const PING_MS_MAX: u64 = 3_600_000;

/// The most bytes of a hello without the positions of rooms.
const HELLO_BYTES_MAX: usize = 4_096;

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
                servers,
                ..
            } if PROTOCOL <= protocol => {
                self.on_servers_told(&servers);
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
                self.line.is_operator = operator;
                let rooms = self.heard(rooms);
                self.on_welcome(now, &username, &epoch, &members, rooms);
            }
            message => self.on_aside(now, message),
        }
    }

    /// Returns those of the listed rooms that are heard, the hall first, which is listed or not.
    fn heard(&self, rooms: RoomList<'_>) -> Vec<Room> {
        let hearing = self.heard_rooms();
        let mut rooms: Vec<Room> = rooms.0.into_iter().map(Into::into).collect();
        rooms.retain(|room| hearing == Hearing::All || room.id.is_hall());
        match rooms.iter().position(|room| room.id.is_hall()) {
            Some(index) => rooms[..=index].rotate_right(1),
            None => rooms.insert(0, Room::hall()),
        }
        rooms
    }

    /// Takes what a server of protocol 2 may say at any time, and passes over the rest.
    pub(super) fn on_aside(&mut self, now: u64, message: ServerMessage<'_>) {
        match message {
            ServerMessage::Error { code, text, retry_ms, suggest, .. } => {
                let suggest = suggest.map(Into::into);
                self.on_hello_error(now, code, text.into_owned(), retry_ms, suggest);
            }
            ServerMessage::Message { username, content } if username == SERVER => {
                self.on_last_words(&content);
            }
            ServerMessage::Ping => ClientMessage::Pong.encode(&mut self.outgoing),
            ServerMessage::Bye { reason, retry_ms, servers } => {
                if reason == Reason::Shutdown {
                    self.attempts.stop();
                }
                if !servers.is_empty() {
                    self.on_servers_told(&servers);
                }
                self.give_up(now, Cause::Bye { reason }, retry_ms);
            }
            _ => (),
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

    fn ask(&mut self, until: u64, epoch: &str) {
        if self.begin == Begin::Everything {
            self.rooms.begin_with_everything(epoch);
        }
        let key = self.key();
        let limit = self.begin.has_reader().then_some(PAGE_MESSAGES_MAX);
        let bytes_max = self.payload_bytes_max.saturating_sub(HELLO_BYTES_MAX);
        let (resumed, asked) = self.rooms.positions(bytes_max).unzip();
        let asked = asked.unwrap_or_default();
        let positions = asked.iter().map(|(room, after)| (room.as_str().into(), *after));
        let resume = resumed.map(|epoch| Resume {
            epoch: epoch.into(),
            rooms: Positions(positions.collect()),
            limit,
        });
        if limit.is_some() {
            self.line.may_skip = asked.keys().cloned().collect();
        }
        let username = self.name.as_str();
        let hello = Hello {
            proof: Some(key.prove(&self.line.challenge, username)),
            pair: self.code.and_then(Code::pair),
            invite: self.code.and_then(Code::invite),
            label: self.label.as_deref().map(Into::into),
            resume,
            ..Hello::new(username, PROTOCOL)
        };
        ClientMessage::Hello(hello).encode(&mut self.outgoing);
        self.line.asked_after = asked;
        self.phase = Phase::Asked { protocol: Protocol::Second, until };
    }

    /// Returns the key of this device. A new one is stored before it is used, so that the name is not
    /// lost with a welcome.
    fn key(&mut self) -> SecretKey {
        self.has_changed |= self.saved.key.is_none();
        *self.saved.key.get_or_insert_with(|| self.secret.key())
    }

    /// `Asked` becomes `Joined`.
    fn on_welcome(
        &mut self,
        now: u64,
        name: &str,
        epoch: &str,
        members: &Listing,
        rooms: Vec<Room>,
    ) {
        let asked = mem::take(&mut self.line.asked_after);
        let is_other = self.rooms.is_of_another(epoch);
        let Welcomed { change, rewound, skipped, gone } =
            self.rooms.on_welcome(epoch, rooms, &asked);
        let ends =
            self.rooms.iter().filter_map(|(id, cursor)| Some((id.clone(), cursor.told_last()?)));
        self.line.welcomed_at = ends.collect();
        name.clone_into(&mut self.room_name);
        self.code = None;
        self.has_changed |= !mem::replace(&mut self.saved.is_known, true);
        self.roster.replace(members.names());
        let again = self.enter(now, Protocol::Second);
        let others = self.roster.others(name);
        let protocol = Protocol::Second.number();
        self.tell(Event::Joined { name: name.to_owned(), others, protocol, again });
        if change == Change::NewEpoch {
            self.tell(Event::NewEpoch);
        }
        self.fail_targets(|room, target| {
            is_other || rewound.iter().any(|(id, from, _)| id == room && *from <= target)
        });
        self.mark_welcome(epoch, &rewound);
        for (room, from, to) in rewound {
            self.tell_shown(Event::Gap { room: room.clone(), from, to }, room, from - 1);
        }
        for (room, from, to) in skipped {
            self.tell_skipped(&room, (from, to), self.begin.has_reader());
        }
        self.forget_answers();
        for room in gone {
            self.fail_texts_for(now, &room);
            self.tell_gone(room.clone());
            self.on_left(&room);
        }
        self.ask_for_first_page(change);
        for (room, cursor) in self.rooms.iter() {
            if cursor.tally.is_news() {
                self.line.signals.read(room);
            }
        }
        for room in self.rooms.ids() {
            if self.rooms.get(&room).is_some_and(|cursor| cursor.place.requested().is_some()) {
                self.line.pages.push(room);
            }
        }
        self.send_page_requests();
        self.send_unacknowledged();
        self.send_changes();
    }

    /// Asks for the first page of the hall. It has all that was not seen, and some before it, unless
    /// that is more than one page can have.
    fn ask_for_first_page(&mut self, change: Change) {
        let (Begin::LastPage(limit), Change::Begun) = (self.begin, change) else { return };
        let hall = RoomId::hall();
        let n_unseen = self.welcomed_at(&hall).saturating_sub(self.seen(&hall));
        if let Some(cursor) = self.rooms.get_mut(&hall)
            && !cursor.place.request(first_page_messages(n_unseen, limit))
        {
            self.tell(Event::Page(Page { start: true, ..Page::default() }));
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
