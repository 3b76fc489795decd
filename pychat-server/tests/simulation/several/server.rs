//! One server: a chat, its part of the store, and its lines, each of which checks all that it hears.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use pychat_server::{
    core::{
        admission::Origin,
        chat::{
            Action, Chat, CloseReason, Effect, Event, Input, Plain, Recipients, Rules, Subscribe,
        },
        elsewhere::{Elsewhere, ServerId},
        id::{CallId, ConnectionId, HALL, RoomId},
        moderation::{Order, Reply},
        networks::Networks,
        people::People,
        record::{PersonId, Record, Request},
        secret::Secret,
        time::Time,
    },
    server::load_rooms,
    store::{Answer, Store},
};
use pychat_wire::{
    ClientMessage,
    key::{BINDING_BYTES, Challenge, Nonce},
    message::Door,
};

use crate::kit::journal::{Journal, Replica};

pub(crate) const CHALLENGE: Challenge =
    Challenge { nonce: Nonce([9; 16]), binding: [0; BINDING_BYTES] };

const RULES: Rules = Rules {
    hello_timeout: Duration::from_mins(1),
    rate_limit: None,
    name_age_max: Duration::from_hours(365 * 24),
    announce_after: Duration::from_millis(100),
    connections_per_address_max: 0,
    plain: Plain::Always,
    admission: Door::Open,
    guests_from: Networks::NONE,
};

pub(crate) struct Server {
    pub(crate) id: ServerId,
    pub(crate) chat: Chat,
    pub(crate) lines: BTreeMap<ConnectionId, Line>,
    /// The things that lines were told, for their devices.
    pub(crate) heard: Vec<(ConnectionId, Event)>,
    pub(crate) replies: Vec<Reply>,
    pub(crate) typing: Vec<Elsewhere>,
    pub(crate) closed: Vec<(usize, CloseReason)>,
    journal: Journal,
    store: Replica,
    asked: Vec<(pychat_server::core::id::Ticket, Request)>,
    /// The last record of each room that was published.
    published: BTreeMap<RoomId, u64>,
    closing: Vec<(ConnectionId, CloseReason)>,
    n_lines: u32,
}

/// One connection.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) device: usize,
    pub(crate) is_waiting: bool,
    pub(crate) is_closing: bool,
    join_index: Option<u64>,
    pub(crate) name: String,
    pub(crate) person: Option<PersonId>,
    /// The rooms that it hears, with the number of the next record.
    pub(crate) rooms: BTreeMap<RoomId, u64>,
    /// The last number of the hall when it said hello.
    last_by_then: u64,
    /// The people of whom it knows that they are here; `None` in protocol 1.
    pub(crate) known: Option<BTreeSet<String>>,
}

impl Line {
    pub(crate) fn is_joined(&self) -> bool {
        self.join_index.is_some() && !self.is_closing
    }
}

impl Server {
    /// Returns a server that begins with what the store has.
    pub(crate) fn new(journal: &Journal, id: ServerId, delay_max: usize, seed: u64) -> Self {
        let mut store = Replica::new(journal, id, delay_max, seed);
        let (people, last) = store.people().expect("a model can be read");
        let secret = Secret::new([u8::try_from(id.0 % 256).expect("a byte"); 32]);
        let people = People::new(secret, people, last)
            .under(store.rulebook().expect("a model can be read"))
            .with_invites(store.invites().expect("a model can be read"));
        let rooms = load_rooms(&mut store).expect("a model can be read");
        let published = rooms.published().collect();
        let mut chat = Chat::new(RULES, people, rooms);
        chat.share(id, store.present().expect("a model can be read"));
        Self {
            id,
            chat,
            lines: BTreeMap::new(),
            heard: Vec::new(),
            replies: Vec::new(),
            typing: Vec::new(),
            closed: Vec::new(),
            journal: journal.clone(),
            store,
            asked: Vec::new(),
            published,
            closing: Vec::new(),
            n_lines: 0,
        }
    }

    pub(crate) fn connect(&mut self, now: Instant, device: usize) -> ConnectionId {
        let id = ConnectionId { slot: self.n_lines, generation: self.n_lines };
        self.n_lines += 1;
        self.lines.insert(id, Line { device, ..Line::default() });
        let origin = Origin::v4(0x7f00_0001);
        self.handle(now, Input::Connected { id, origin, challenge: CHALLENGE });
        id
    }

    pub(crate) fn receive(&mut self, now: Instant, id: ConnectionId, message: ClientMessage<'_>) {
        let is_read = self.lines.get(&id).is_some_and(|line| !line.is_waiting && !line.is_closing);
        if is_read {
            if let (ClientMessage::Hello(_), Some(line)) = (&message, self.lines.get_mut(&id)) {
                line.last_by_then = self.journal.last_seq(HALL);
            }
            self.handle(now, Input::Received { id, message });
        }
    }

    pub(crate) fn order(&mut self, now: Instant, order: Order) {
        self.handle(now, Input::Ordered { call: CallId(0), by: "root", order });
    }

    pub(crate) fn cut(&mut self, now: Instant, id: ConnectionId) {
        if self.lines.remove(&id).is_some() {
            self.closing.retain(|(closing, _)| *closing != id);
            self.handle(now, Input::Closed { id, reason: CloseReason::Lost });
        }
    }

    pub(crate) fn handle(&mut self, now: Instant, input: Input<'_>) {
        let mut effects = Vec::new();
        self.chat.handle(now, input, &mut effects);
        for effect in effects {
            self.apply(effect);
        }
    }

    /// Does what a tick does.
    pub(crate) fn turn(&mut self, now: Instant, utc_ms: u64) {
        self.chat.set_time(&Time { now, utc_ms, trusted_at: now });
        let mut effects = Vec::new();
        self.chat.handle_timeout(now, &mut effects);
        for effect in effects {
            self.apply(effect);
        }
        for (id, reason) in std::mem::take(&mut self.closing) {
            if let Some(line) = self.lines.remove(&id) {
                self.closed.push((line.device, reason));
                self.handle(now, Input::Closed { id, reason });
            }
        }
        self.store.turn();
        self.commit(now, utc_ms);
    }

    fn commit(&mut self, now: Instant, utc_ms: u64) {
        loop {
            let is_asked = !self.asked.is_empty();
            self.store.submit(now, utc_ms, &mut self.asked);
            let mut answers = Vec::new();
            self.store.poll(now, &mut answers);
            if answers.is_empty() && !is_asked {
                return;
            }
            for answer in answers {
                match answer {
                    Answer::Done { ticket, outcome } => {
                        self.handle(now, Input::Stored { ticket, outcome });
                    }
                    Answer::Elsewhere(elsewhere) => self.handle(now, Input::Elsewhere(elsewhere)),
                    Answer::Fetched => (),
                }
            }
        }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.asked.is_empty() && self.store.is_quiet() && self.closing.is_empty()
    }

    pub(crate) fn die(mut self) {
        self.store.submit(Instant::now(), 0, &mut self.asked);
        self.store.die();
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Store { ticket, request } => self.asked.push((ticket, request)),
            Effect::Tell { to, event } => self.tell(&to, event),
            Effect::Connection { id, action } => self.act(id, action),
            Effect::Reply { reply, .. } => self.replies.push(reply),
            Effect::EndRoom(room) => drop(self.published.remove(&room)),
            Effect::TellTyping { room, name, person } => {
                let person = Some(person);
                self.typing.push(Elsewhere::Typing { room, name, person });
            }
        }
    }

    fn act(&mut self, id: ConnectionId, action: Action) {
        let published =
            |room: RoomId, all: &BTreeMap<RoomId, u64>| all.get(&room).copied().unwrap_or(0);
        let Some(line) = self.lines.get_mut(&id) else { return };
        match action {
            Action::Subscribe(Subscribe { name, person, join_index, .. }) => {
                line.join_index = Some(join_index);
                (line.name, line.person) = (name.to_string(), person);
                line.rooms.insert(HALL, published(HALL, &self.published) + 1);
            }
            Action::Enter { rooms } => {
                for room in rooms {
                    line.rooms.entry(room).or_insert(published(room, &self.published) + 1);
                }
            }
            Action::Exit { room } => drop(line.rooms.remove(&room)),
            Action::AwaitStore => line.is_waiting = true,
            Action::ResumeRead => line.is_waiting = false,
            Action::Close { reason } => {
                line.is_closing = true;
                self.closing.push((id, reason));
            }
            _ => (),
        }
    }

    fn tell(&mut self, to: &Recipients, event: Event) {
        match (to, event) {
            (Recipients::One(id), event) => {
                if let Event::Welcome { members, rooms, .. } = &event {
                    let line = self.lines.get_mut(id).expect("who is welcomed is there");
                    line.known = Some(members.names().into_iter().collect());
                    for view in rooms {
                        let last = self.published.get(&view.room).copied().unwrap_or(0);
                        assert_eq!(view.last, last, "{}: the end of {}", self.id.0, view.room);
                        let is_whole = view.room != HALL || line.last_by_then <= last;
                        assert!(is_whole, "{} of {} were there", line.last_by_then, view.room);
                    }
                }
                if self.lines.get(id).is_some_and(|line| !line.is_closing) {
                    self.heard.push((*id, event));
                }
            }
            (Recipients::Room(_), Event::Joined { people }) => {
                for (name, index) in people {
                    let earlier = |line: &&mut Line| line.join_index.is_some_and(|it| it < index);
                    for line in
                        self.lines.values_mut().filter(|line| line.is_joined()).filter(earlier)
                    {
                        let is_new =
                            line.known.as_mut().is_none_or(|it| it.insert(name.to_string()));
                        assert!(is_new, "{} hears twice that {name} is here", line.name);
                    }
                }
            }
            (Recipients::Room(_), Event::Left { name, .. }) => {
                self.on_left(name.as_str(), 0..u64::MAX);
            }
            (Recipients::JoinedWithin(_, range), Event::Left { name, .. }) => {
                self.on_left(name.as_str(), range.clone());
            }
            (Recipients::Room(room), Event::Recorded { record, .. }) => {
                self.on_record(*room, &record);
            }
            _ => (),
        }
    }

    fn on_left(&mut self, name: &str, range: std::ops::Range<u64>) {
        let is_told = |line: &&mut Line| line.join_index.is_some_and(|it| range.contains(&it));
        for line in self.lines.values_mut().filter(|line| line.is_joined()).filter(is_told) {
            let was_known = line.known.as_mut().is_none_or(|known| known.remove(name));
            assert!(was_known, "{} hears that {name} left, who was not here", line.name);
        }
    }

    fn on_record(&mut self, room: RoomId, record: &Record) {
        let last = self.published.entry(room).or_default();
        assert_eq!(record.seq, *last + 1, "{}: the records of {room} in order", self.id.0);
        *last = record.seq;
        for (id, line) in &mut self.lines {
            let Some(next) = line.rooms.get_mut(&room).filter(|_| line.join_index.is_some()) else {
                continue;
            };
            assert_eq!(record.seq, *next, "{} hears each record of {room} once", line.name);
            *next += 1;
            let may_hear = self.journal.may_hear(line.person, room, record.seq);
            assert!(may_hear, "{} hears {room}, which is not for them", line.name);
            if record.person.is_some() && record.person == line.person && !line.is_closing {
                let event = Event::Duplicate { record: record.clone() };
                self.heard.push((*id, event));
            }
        }
    }
}
