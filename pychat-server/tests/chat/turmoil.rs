//! Rooms in disorder: whatever people do, and in whatever order the store answers and fails, they are in
//! the rooms that the store has them in, and hear no others.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use pychat_server::core::{
    chat::{Action, CloseReason, Effect, Event, Recipients},
    id::{ConnectionId, RoomId, Ticket},
    record::{Appended, Outcome, PersonId, Request, RoomChange, Stored},
};
use pychat_wire::{
    ClientMessage,
    message::{RoomKind, RoomRequest},
};

use super::house::{House, line};

const NAMES: [&str; 4] = ["Анна", "Борис", "Вера", "Глеб"];

/// The store's answers that wait, by the room that they are about, if they are about one.
type Waiting = Vec<(Option<RoomId>, Ticket, Outcome)>;

struct Turmoil {
    rng: Rng,
    house: House,
    waiting: Waiting,
    /// The people in each room, as the store has them.
    members: BTreeMap<RoomId, BTreeSet<PersonId>>,
    /// The rooms that each line hears.
    heard: BTreeMap<ConnectionId, BTreeSet<RoomId>>,
    /// The number of the last record of each room that was published.
    last: BTreeMap<RoomId, u64>,
    n_lines: u32,
    n_ids: u32,
}

impl Turmoil {
    fn new(seed: u64) -> Self {
        let mut turmoil = Self {
            rng: Rng::with_seed(seed),
            house: House::new(),
            waiting: Vec::new(),
            members: BTreeMap::new(),
            heard: BTreeMap::new(),
            last: BTreeMap::new(),
            n_lines: 0,
            n_ids: 0,
        };
        for index in 0..NAMES.len() {
            turmoil.enter(index);
        }
        turmoil
    }

    /// The person of this index comes by a new line.
    fn enter(&mut self, index: usize) {
        self.n_lines += 1;
        let id = line(self.n_lines);
        let device = u8::try_from(index + 1).expect("few people");
        self.house.room.connect(id);
        self.heard.insert(id, BTreeSet::new());
        let effects = self.house.room.receive(id, super::two::hello(NAMES[index], device));
        self.take_in(effects);
    }

    fn step(&mut self) {
        match self.rng.u8(..10) {
            0 if self.heard.len() < 12 => {
                let index = self.rng.usize(..NAMES.len());
                self.enter(index);
            }
            1 if NAMES.len() < self.heard.len() => {
                let id = self.any_line();
                self.heard.remove(&id);
                let effects = self.house.room.closed(id, CloseReason::Lost);
                self.take_in(effects);
            }
            2..6 if !self.waiting.is_empty() => self.answer(),
            _ => {
                let (id, message) = (self.any_line(), self.message());
                let effects = self.house.room.receive(id, message);
                self.take_in(effects);
            }
        }
    }

    fn any_line(&mut self) -> ConnectionId {
        *self.rng.choice(self.heard.keys()).expect("somebody is here")
    }

    fn message(&mut self) -> ClientMessage<'static> {
        let room = RoomId(self.rng.u32(1..8)).on_wire();
        let name = *self.rng.choice(&NAMES).expect("names");
        let other = *self.rng.choice(&NAMES).expect("names");
        let named = ["a", "b", "c"][self.rng.usize(..3)];
        let kind = [RoomKind::Open, RoomKind::Closed][self.rng.usize(..2)];
        let request = match self.rng.u8(..9) {
            0 => RoomRequest::CreateRoom { kind, name: named.into(), topic: "".into() },
            1 => RoomRequest::Direct { with: [name, other].into_iter().collect() },
            2 => RoomRequest::JoinRoom { room },
            3 => RoomRequest::LeaveRoom { room },
            4 => RoomRequest::AddMember { room, username: name.into() },
            5 => RoomRequest::RemoveMember { room, username: name.into() },
            6 => RoomRequest::UpdateRoom { room, name: Some(named.into()), topic: None },
            7 => {
                return ClientMessage::Text {
                    room,
                    content: named.into(),
                    id: Some(self.id()),
                    reply: None,
                };
            }
            _ => return ClientMessage::Read { room, seq: self.rng.u64(..20) },
        };
        ClientMessage::Change { request, id: Some(self.id()) }
    }

    /// Returns an id, which may have been used before.
    fn id(&mut self) -> std::borrow::Cow<'static, str> {
        self.n_ids += u32::from(self.rng.u8(..4) != 0);
        self.n_ids.to_string().into()
    }

    /// The store answers something; those about one room in order.
    fn answer(&mut self) {
        let mut index = self.rng.usize(..self.waiting.len());
        let room = self.waiting[index].0;
        if room.is_some() {
            index = self.waiting.iter().position(|(other, ..)| *other == room).expect("itself");
        }
        let (_, ticket, outcome) = self.waiting.remove(index);
        let effects = self.house.room.answer(ticket, outcome);
        self.take_in(effects);
    }

    fn take_in(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Store { ticket, request } => self.ask(ticket, request),
                Effect::Connection { id, action } => self.act(id, action),
                Effect::Tell {
                    to: Recipients::Room(room),
                    event: Event::Recorded { record, .. },
                } => {
                    let last = self.last.entry(room).or_default();
                    *last += 1;
                    assert_eq!((record.room, record.seq), (room, *last), "none is left out");
                }
                Effect::Tell { .. }
                | Effect::Reply { .. }
                | Effect::EndRoom(_)
                | Effect::TellTyping { .. } => (),
            }
        }
    }

    fn act(&mut self, id: ConnectionId, action: Action) {
        let Some(heard) = self.heard.get_mut(&id) else { return };
        match action {
            Action::Enter { rooms } => {
                for room in rooms {
                    assert!(heard.insert(room), "{id} hears {room} once");
                }
            }
            Action::Exit { room } => assert!(heard.remove(&room), "{id} hears {room}"),
            _ => (),
        }
    }

    fn ask(&mut self, ticket: Ticket, request: Request) {
        self.house.is_full = self.rng.u8(..6) == 0 && !matches!(request, Request::ChangePerson(_));
        let outcome = self.house.outcome(request.clone());
        let room = match &request {
            Request::Append { room, .. } => Some(*room),
            _ => None,
        };
        if let Request::Append { room, change: Some(change), .. } = request
            && let Ok(Stored::Appended(Appended::New(_))) = &outcome
        {
            let members = self.members.entry(room).or_default();
            match change {
                RoomChange::Create(new) => members.extend(new.members),
                RoomChange::Add(person) => drop(members.insert(person)),
                RoomChange::Remove(person) => drop(members.remove(&person)),
                RoomChange::Rename(_) | RoomChange::SetTopic(_) => (),
            }
        }
        self.waiting.push((room, ticket, outcome));
    }

    /// Everybody hears the rooms that the store has them in.
    fn check(&self) {
        for (id, heard) in &self.heard {
            let name = self.house.room.chat.roster().name(*id).expect("all have joined");
            let index = NAMES.iter().position(|it| *it == name.as_str()).expect("a name");
            let person = PersonId(index as u64 + 1);
            let theirs = self.members.iter().filter(|(_, members)| members.contains(&person));
            let theirs: Vec<_> = theirs.map(|(room, _)| *room).collect();
            assert_eq!(heard.iter().copied().collect::<Vec<_>>(), theirs);
            assert_eq!(self.house.room.chat.rooms_of(*id), theirs);
        }
    }
}

#[test]
fn people_are_in_the_rooms_that_the_store_has_them_in() {
    let mut n_rooms = 0;
    for seed in 0..60 {
        let mut turmoil = Turmoil::new(seed);
        for _ in 0..400 {
            turmoil.step();
        }
        while !turmoil.waiting.is_empty() {
            turmoil.answer();
        }
        turmoil.check();
        n_rooms += turmoil.members.len();
    }
    assert!(100 < n_rooms, "{n_rooms}");
}
