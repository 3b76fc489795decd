//! The checker of protocol 2: what somebody hears over one connection, and what it must be.

mod record;
mod state;

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use pychat_wire::{
    ClientMessage, Decoder, ServerMessage,
    key::Challenge,
    message::{FoundMessage, HALL, Room, RoomEvent, RoomKind, RoomList},
    name::SERVER,
    notice::Notice,
};

use self::record::Record;
use super::{
    Oracle,
    amended::State,
    claims::Claim,
    introduction::Introduction,
    pages::Pages,
    presence::Presence,
    room_hearing::RoomHearing,
    room_log::{Copy, Message},
    searches::Searches,
    story::Difference,
};
pub(crate) use super::{heard::Heard, presence::Event, room_hearing::BEYOND};

/// One connection's hearing.
#[derive(Debug)]
pub(crate) struct V2Checker {
    decoder: Decoder,
    /// Of what the peer says, where that is seen as bytes.
    said: Decoder,
    hello: Introduction,
    name: Option<String>,
    /// The rooms that it is in, as far as it was told.
    rooms: BTreeMap<String, RoomHearing>,
    /// The rooms that it has heard its person go from, and not been told to be gone.
    going: BTreeSet<String>,
    /// The pages that it asked for, by room.
    pages: BTreeMap<String, Pages>,
    searches: Searches,
    /// Old messages are not kept, so pages may be short.
    forgets: bool,
    people: Presence,
    /// The open rooms that somebody had heard of when it asked for them, for each time.
    asked_rooms: Vec<Vec<String>>,
    /// The last number that it had of each room when it first asked who is in it.
    asked_members: BTreeMap<String, u64>,
    /// The number of pings that have not been answered.
    n_pings: usize,
    /// It has resumed: then messages do not stand between the same comings and goings as elsewhere.
    has_resumed: bool,
    /// The number of times that it was told that something is not kept any more, or not sent.
    n_gaps: usize,
    is_over: bool,
}

impl V2Checker {
    /// Returns the hearing of a line on which nothing has been heard, of a server that `forgets`.
    pub(crate) fn new(forgets: bool) -> Self {
        Self {
            decoder: Decoder::new(usize::MAX),
            said: Decoder::new(usize::MAX),
            hello: Introduction::default(),
            name: None,
            rooms: BTreeMap::new(),
            going: BTreeSet::new(),
            pages: BTreeMap::new(),
            searches: Searches::default(),
            forgets,
            people: Presence::default(),
            asked_rooms: Vec::new(),
            asked_members: BTreeMap::new(),
            n_pings: 0,
            has_resumed: false,
            n_gaps: 0,
            is_over: false,
        }
    }

    /// The peer says `message`. It asks for one page of a room before a number at a time.
    pub(crate) fn says(&mut self, message: &ClientMessage<'_>, oracle: &mut Oracle) {
        oracle.hear_said(self.name.as_deref().unwrap_or(&self.hello.username), message);
        match message {
            ClientMessage::Hello(hello) => self.hello.hear(hello, oracle),
            ClientMessage::History { room, before, limit } => {
                let after = self.rooms.get(&**room).map(RoomHearing::after);
                let pages = self.pages.entry(room.to_string());
                let pages = pages.or_insert_with(|| Pages::new(self.forgets));
                pages.ask(*before, *limit, after);
            }
            ClientMessage::Search(search) => self.searches.ask(search, &self.rooms),
            ClientMessage::Members { room } => {
                let after = self.rooms.get(&**room).map_or(0, RoomHearing::after);
                self.asked_members.entry(room.to_string()).or_insert(after);
            }
            ClientMessage::Rooms => self.asked_rooms.push(oracle.open_rooms()),
            ClientMessage::Ping => self.n_pings += 1,
            _ => (), // What is heard by others is not changed by it.
        }
    }

    /// The peer writes `bytes`, which are frames that mean something, cut anywhere.
    pub(crate) fn writes(&mut self, mut bytes: &[u8], oracle: &mut Oracle) {
        let mut said = mem::take(&mut self.said);
        while let Some(payload) = said.next_payload(&mut bytes).expect("clients write frames") {
            self.says(&ClientMessage::parse(payload).expect("with a meaning"), oracle);
        }
        self.said = said;
    }

    /// Hears `bytes`, of which every frame must be whole and fit all that was heard before; returns
    /// what comes of it.
    pub(crate) fn listen(&mut self, mut bytes: &[u8], oracle: &mut Oracle) -> Vec<Heard> {
        let mut heard = Vec::new();
        let mut decoder = mem::replace(&mut self.decoder, Decoder::new(0));
        while let Some(payload) = decoder.next_payload(&mut bytes).expect("no torn frame") {
            assert!(!self.is_over, "after bye: {}", String::from_utf8_lossy(payload));
            let message = ServerMessage::parse(payload).expect("no torn payload");
            heard.extend(self.hear(message, bytes.len(), oracle));
        }
        self.decoder = decoder;
        heard
    }

    /// Hears one message, after which `rest` bytes follow.
    fn hear(
        &mut self,
        message: ServerMessage<'_>,
        rest: usize,
        oracle: &mut Oracle,
    ) -> Option<Heard> {
        match message {
            ServerMessage::Greeting { content, epoch, nonce, .. } => {
                self.hello.nonce = Some(nonce);
                assert!(self.name.is_none() && content == Notice::Greeting.to_string());
                oracle.check_epoch(&epoch);
                Some(Heard::Greeting)
            }
            ServerMessage::Message { username, content } => {
                assert!(self.name.is_none() && username == SERVER, "{username}: {content}");
                Some(Heard::Told(content.into_owned()))
            }
            ServerMessage::Welcome { username, epoch, members, rooms, .. } => {
                oracle.check_epoch(&epoch);
                self.welcome(&username, members.names(), &rooms, oracle);
                let unread = rooms.0.iter().map(|room| room.unread).sum();
                Some(Heard::Welcome { rest, unread })
            }
            ServerMessage::Joined { username, time } => {
                self.people.hear(Event::Joined(username.into_owned(), time));
                None
            }
            ServerMessage::Left { username, time, reason } => {
                self.people.hear(Event::Left(username.into_owned(), time, reason));
                Some(Heard::Left { reason })
            }
            ServerMessage::Error { code, text, reference: Some(reference), .. }
                if self.searches.refuse(&reference, code) =>
            {
                Some(Heard::SearchRefused { code, text: text.into_owned() })
            }
            ServerMessage::Error { code, text, reference, suggest, retry_ms } => {
                let [id, suggest] = [reference, suggest].map(|it| it.map(Into::into));
                Some(Heard::Error { code, text: text.into_owned(), id, suggest, retry_ms })
            }
            ServerMessage::PairCode { code, .. } => Some(Heard::PairCode { code }),
            ServerMessage::DeviceAdded { .. }
            | ServerMessage::Devices { .. }
            | ServerMessage::InviteLink { .. }
            | ServerMessage::Invites { .. }
            | ServerMessage::Operator { .. }
            | ServerMessage::Bots { .. }
            | ServerMessage::Done { .. }
            | ServerMessage::Bans { .. }
            | ServerMessage::Notice { .. } => None,
            ServerMessage::Ping => Some(Heard::Ping),
            ServerMessage::Pong => {
                self.n_pings = self.n_pings.checked_sub(1).expect("a ping before its pong");
                Some(Heard::Pong)
            }
            ServerMessage::Bye { reason, .. } => {
                self.is_over = true;
                Some(Heard::Bye { reason })
            }
            of_a_room => self.hear_of_room(of_a_room, oracle),
        }
    }

    /// Hears one message that is about rooms.
    fn hear_of_room(&mut self, message: ServerMessage<'_>, oracle: &mut Oracle) -> Option<Heard> {
        let name = self.name.clone().expect("a guest hears nothing of rooms");
        match message {
            record @ (ServerMessage::Record { .. }
            | ServerMessage::Event { .. }
            | ServerMessage::Amended { .. }) => self.hear_record(Record::of(record), oracle),
            ServerMessage::Gap { room, from, to } => {
                let heard = self.hearing(&room).leave_out(from, to, oracle);
                self.n_gaps += usize::from(matches!(heard, Heard::Forgotten { .. }));
                Some(heard)
            }
            ServerMessage::Skip { room, from, to } => {
                self.hearing(&room).skip(from, to);
                self.n_gaps += 1;
                Some(Heard::Skipped { room: room.into_owned() })
            }
            ServerMessage::Page { room, before, count, start } => {
                self.hearing(&room);
                let pages = self.pages.get_mut(&*room).expect("a page that was asked for");
                pages.end(before, count, start, oracle.room(&room));
                Some(Heard::Page { room: room.into_owned(), start })
            }
            ServerMessage::Room(room) => Some(self.hear_room(&room, &name, oracle)),
            ServerMessage::RoomGone { room } => {
                let was_there = self.rooms.remove(&*room).is_some();
                assert!(
                    self.going.remove(&*room) || was_there,
                    "{room:?} is gone, not being there"
                );
                if let Some(pages) = self.pages.get_mut(&*room) {
                    pages.break_off();
                }
                self.searches.leave(&room);
                Some(Heard::RoomGone { room: room.into_owned() })
            }
            ServerMessage::Rooms { rooms } => {
                let known = self.asked_rooms.remove(0);
                let rooms = oracle.check_open_rooms(&rooms, &known);
                Some(Heard::Rooms { rooms })
            }
            ServerMessage::Members { room, members } => {
                // The answer may wait for others, while it leaves the room.
                let after = *self.asked_members.get(&*room).expect("it has asked for them");
                let (room, members) = (room.into_owned(), members.names());
                oracle.note(Claim::Members { room: room.clone(), after, members });
                Some(Heard::Members { room })
            }
            ServerMessage::Found { reference, message } => {
                Some(self.hear_found(&reference, message, &name, oracle))
            }
            ServerMessage::FoundEnd { reference, before } => {
                let is_more = self.searches.end(&reference, before.as_deref(), oracle);
                Some(Heard::FoundEnd { is_more })
            }
            ServerMessage::Read { room, seq } => {
                self.hearing(&room).mark(seq);
                oracle.check_mark(&room, &name, seq);
                Some(Heard::Read { room: room.into_owned(), seq })
            }
            ServerMessage::Typing { room, username } => {
                self.hearing(&room);
                assert_ne!(username, name, "nobody is told that they type");
                Some(Heard::Typing { room: room.into_owned() })
            }
            other => panic!("{other:?} has no meaning"),
        }
    }

    fn welcome(
        &mut self,
        name: &str,
        people: Vec<String>,
        rooms: &RoomList<'_>,
        oracle: &mut Oracle,
    ) {
        assert!(self.name.is_none(), "a second welcome");
        assert!(people.iter().any(|it| it == name), "who is welcomed is present");
        self.people = Presence::of(people);
        self.name = Some(name.to_owned());
        let hello = mem::take(&mut self.hello);
        self.has_resumed = hello.resume.contains_key(HALL);
        assert!(rooms.0.first().is_some_and(|room| room.room == HALL), "the hall comes first");
        for told in &rooms.0 {
            let room = &*told.room;
            oracle.check_room(told, name, hello.known.get(room).copied().unwrap_or_default());
            let resume = hello.resume.get(room).cloned();
            let mut hearing = RoomHearing::new(room, name, told.last, resume, oracle);
            hearing.mark(hello.mark(room, name));
            hearing.mark(told.read);
            assert!(self.rooms.insert(room.to_owned(), hearing).is_none(), "each room once");
        }
        let rooms = self.rooms.keys().cloned().collect();
        oracle.note(Claim::Rooms { name: name.to_owned(), rooms, known: hello.known });
    }

    fn hear_room(&mut self, told: &Room<'_>, name: &str, oracle: &mut Oracle) -> Heard {
        let room = told.room.to_string();
        oracle.check_room(told, name, 0);
        self.going.remove(&room);
        let is_new = !self.rooms.contains_key(&room);
        let hearing = self.rooms.entry(room.clone());
        let hearing =
            hearing.or_insert_with(|| RoomHearing::new(&room, name, told.last, None, oracle));
        hearing.update(told.last);
        hearing.mark(told.read);
        assert!(told.kind != RoomKind::Hall, "nobody comes into the hall twice");
        Heard::Room { room, kind: told.kind, is_new, is_mine: told.mine }
    }

    /// Hears what a search found: a message of a room that it is in, as it was at some time after all that it
    /// knows of that room.
    fn hear_found(
        &mut self,
        reference: &str,
        found: FoundMessage<'_>,
        name: &str,
        oracle: &mut Oracle,
    ) -> Heard {
        let FoundMessage { room, seq, time, username, content, id, reply, edited, reactions } =
            found;
        let known = self.hearing(&room).known();
        let state = State { edited, is_deleted: false, reactions: reactions.into_owned() };
        let message = Message { reply, state, ..Message::text(time, &username, &content) };
        oracle.check(&room, seq, &message, Copy::Later { known });
        assert!(id.is_none() || username == name, "somebody else's id");
        self.searches.find(reference, (&room, seq, time), (&username, &content));
        Heard::Found
    }

    /// Hears a record of a room that it is in: it is the next in the room's order, or one of a page, or
    /// it answers what its person had said before.
    fn hear_record(&mut self, record: Record, oracle: &mut Oracle) -> Option<Heard> {
        let Record { room, seq, message, id, dup, replay } = record;
        // Where the record is not kept any more, a room that is found bears one that is like it.
        let is_found = dup && message.event == Some(RoomEvent::Created);
        if !(is_found && self.forgets) {
            // Its words were never changed, so they are those that were said.
            let is_untouched = message.is_text() && message.state == State::default();
            let copy = match (dup, replay) {
                (true, _) => Copy::Later { known: 0 },
                (false, false) if is_untouched || !oracle.is_shared => Copy::Live,
                (false, _) => Copy::Later { known: self.hearing(&room).known() },
            };
            oracle.check(&room, seq, &message, copy);
        }
        let Message { author, content, event, amendment, state, .. } = message;
        let is_own = self.name() == Some(&*author);
        assert!(id.is_none() || is_own || dup, "somebody else's id");
        assert!(!dup || (id.is_some() && !replay), "a dup answers what was said");
        let is_going = !replay
            && !dup
            && match event {
                Some(RoomEvent::Left) => is_own,
                Some(RoomEvent::Removed) => self.name() == Some(&*content),
                _ => false,
            };
        // Who is being sent what they missed is not sent the rest of it.
        let is_cut_short = is_going && self.hearing(&room).is_behind();
        if !dup && !is_cut_short {
            if self.hearing(&room).place(seq, replay, oracle) {
                if room == HALL {
                    self.people.hear(Event::Message(seq));
                }
            } else {
                assert!(amendment.is_none(), "amendment {seq} in a page");
                self.pages.get_mut(&room).expect("a page that was asked for").hear(seq);
            }
        }
        if is_going {
            self.searches.leave(&room);
            self.rooms.remove(&room);
            self.going.insert(room.clone());
        }
        let is_live = !replay;
        match (id, event, amendment) {
            (Some(id), ..) => Some(Heard::Own { room, id, seq, dup }),
            (None, Some(event), _) => Some(Heard::Event { room, event, is_live }),
            (None, None, Some(_)) => Some(Heard::Amended { room, seq, is_live }),
            (None, None, None) => (state != State::default()).then_some(Heard::Changed),
        }
    }

    /// Returns the hearing of a room, which it must be in.
    fn hearing(&mut self, room: &str) -> &mut RoomHearing {
        let name = &self.name;
        self.rooms.get_mut(room).unwrap_or_else(|| panic!("{name:?} is not in {room:?}"))
    }
}
