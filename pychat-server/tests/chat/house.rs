//! Rooms by script: the chat with a store that numbers records and knows ids.

use std::time::Instant;

use pychat_server::{
    core::{
        chat::{Effect, Event, Recipients, RoomView},
        id::{ConnectionId, RoomId, Ticket},
        people::People,
        record::{PersonId, Request, StorageError, Stored},
        secret::Secret,
    },
    store::{Answer, Memory, Retention, Store},
};
use pychat_wire::{
    ClientMessage,
    message::{RoomKind, RoomRequest},
};

use super::{Room, two::hello};

pub(super) struct House {
    pub(super) room: Room,
    /// Nothing can be stored.
    pub(super) is_full: bool,
    /// The requests wait here until they are answered by the test.
    pub(super) held: Option<Vec<(Ticket, Request)>>,
    /// The requests that were answered.
    pub(super) stored: Vec<Request>,
    store: Memory,
    n_made: u32,
}

/// Returns the connection with this number.
pub(super) fn line(number: u32) -> ConnectionId {
    ConnectionId { slot: number, generation: number }
}

pub(super) fn create(kind: RoomKind, name: &str) -> RoomRequest<'_> {
    RoomRequest::CreateRoom { kind, name: name.into(), topic: "".into() }
}

pub(super) fn direct<'a>(with: &[&'a str]) -> RoomRequest<'a> {
    RoomRequest::Direct { with: with.iter().copied().collect() }
}

pub(super) fn join(room: RoomId) -> RoomRequest<'static> {
    RoomRequest::JoinRoom { room: room.on_wire() }
}

pub(super) fn leave(room: RoomId) -> RoomRequest<'static> {
    RoomRequest::LeaveRoom { room: room.on_wire() }
}

pub(super) fn add(room: RoomId, name: &str) -> RoomRequest<'_> {
    RoomRequest::AddMember { room: room.on_wire(), username: name.into() }
}

pub(super) fn remove(room: RoomId, name: &str) -> RoomRequest<'_> {
    RoomRequest::RemoveMember { room: room.on_wire(), username: name.into() }
}

pub(super) fn rename(room: RoomId, name: &str) -> RoomRequest<'_> {
    RoomRequest::UpdateRoom { room: room.on_wire(), name: Some(name.into()), topic: None }
}

pub(super) fn text(
    room: RoomId,
    content: &'static str,
    id: &'static str,
) -> ClientMessage<'static> {
    ClientMessage::Text {
        room: room.on_wire(),
        content: content.into(),
        id: Some(id.into()),
        reply: None,
    }
}

impl House {
    pub(super) fn new() -> Self {
        Self::of(Room::of(People::new(Secret::new([7; 32]), [], PersonId(0))))
    }

    pub(super) fn of(room: Room) -> Self {
        Self {
            room: Room { is_answered: false, ..room },
            is_full: false,
            held: None,
            stored: Vec::new(),
            store: Memory::new(7, Retention::default()),
            n_made: 0,
        }
    }

    /// Returns a house in which people with these names are here, by the lines 1, 2, 3 … and with devices
    /// of the same numbers, so that these are the numbers of the people too.
    pub(super) fn with(names: &[&str]) -> Self {
        let mut house = Self::new();
        for (name, number) in names.iter().zip(1..) {
            house.enter(number, name, number.try_into().expect("few people"));
        }
        house
    }

    /// Lets somebody in by a line and a device, and has them announced.
    pub(super) fn enter(&mut self, number: u32, name: &str, device: u8) -> Vec<Effect> {
        self.room.connect(line(number));
        let effects = self.says(number, hello(name, device));
        self.room.pass(super::ANNOUNCE_AFTER);
        effects
    }

    /// Somebody says something, and the store answers; returns what follows, but for that.
    pub(super) fn says(&mut self, number: u32, message: ClientMessage<'_>) -> Vec<Effect> {
        let effects = self.room.receive(line(number), message);
        self.settle(effects)
    }

    /// Somebody asks for a change of a room under an id.
    pub(super) fn asks<'a>(
        &mut self,
        number: u32,
        request: RoomRequest<'a>,
        id: &'a str,
    ) -> Vec<Effect> {
        self.says(number, ClientMessage::Change { request, id: Some(id.into()) })
    }

    /// Makes a room, and returns it.
    #[track_caller]
    pub(super) fn makes(&mut self, number: u32, request: RoomRequest<'_>) -> RoomId {
        self.n_made += 1;
        let id = format!("made {}", self.n_made);
        let effects = self.says(number, ClientMessage::Change { request, id: Some(id.into()) });
        let room = effects.iter().find_map(|effect| match effect {
            Effect::Tell { to: Recipients::Room(room), event: Event::Recorded { .. } } => {
                Some(*room)
            }
            _ => None,
        });
        room.unwrap_or_else(|| panic!("not made: {effects:?}"))
    }

    /// Answers what is held, in this order.
    pub(super) fn answers(&mut self, order: &[usize]) -> Vec<Effect> {
        let held = self.held.take().expect("something is held");
        let mut held: Vec<_> = held.into_iter().map(Some).collect();
        // The store does things in the order in which it is asked, whenever it answers.
        let outcomes: Vec<_> = held
            .iter()
            .flatten()
            .map(|(_, request)| request.clone())
            .collect::<Vec<_>>()
            .into_iter()
            .map(|request| self.outcome(request))
            .collect();
        let mut all = Vec::new();
        for index in order {
            let (ticket, _) = held[*index].take().expect("each is answered once");
            let effects = self.room.answer(ticket, outcomes[*index].clone());
            all.extend(self.settle(effects));
        }
        all
    }

    pub(super) fn settle(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut all = Vec::new();
        for effect in effects {
            match effect {
                Effect::Store { ticket, request } if self.held.is_some() => {
                    self.held.as_mut().expect("it is held").push((ticket, request));
                }
                Effect::Store { ticket, request } => {
                    let outcome = self.outcome(request);
                    let effects = self.room.answer(ticket, outcome);
                    all.extend(self.settle(effects));
                }
                effect => all.push(effect),
            }
        }
        all
    }

    pub(super) fn outcome(&mut self, request: Request) -> Result<Stored, StorageError> {
        self.stored.push(request.clone());
        if self.is_full {
            return Err(StorageError::Full);
        }
        let (now, mut answers) = (Instant::now(), Vec::new());
        self.store.submit(now, 5, &mut vec![(Ticket(0), request)]);
        self.store.poll(now, &mut answers);
        match answers.pop() {
            Some(Answer::Done { outcome, .. }) => outcome,
            other => panic!("{other:?}"),
        }
    }
}

/// Returns the view of a room in some effects, as one connection is told of it.
#[track_caller]
pub(super) fn view(effects: &[Effect], number: u32) -> RoomView {
    let view = effects.iter().find_map(|effect| match effect {
        Effect::Tell { to: Recipients::One(to), event: Event::Room(view) }
            if *to == line(number) =>
        {
            Some(view.clone())
        }
        _ => None,
    });
    view.unwrap_or_else(|| panic!("nobody is told of a room: {effects:?}"))
}

/// Returns the records that are published among some effects, by room, with the author's name.
pub(super) fn records(effects: &[Effect]) -> Vec<(RoomId, u64, String)> {
    let told = effects.iter().filter_map(|effect| match effect {
        Effect::Tell { to: Recipients::Room(room), event: Event::Recorded { record, .. } } => {
            assert_eq!(*room, record.room);
            Some((*room, record.seq, record.author.to_string()))
        }
        _ => None,
    });
    told.collect()
}

/// Returns the refusals among some effects: codes and ids.
pub(super) fn refusals(effects: &[Effect]) -> Vec<(pychat_wire::message::ErrorCode, String)> {
    let told = effects.iter().filter_map(|effect| match effect {
        Effect::Tell { event: Event::Refused(complaint), .. } => {
            let id = complaint.reference.as_deref().unwrap_or_default().to_owned();
            Some((complaint.code, id))
        }
        _ => None,
    });
    told.collect()
}

/// Returns the numbers of the records that are told again among some effects.
pub(super) fn duplicates(effects: &[Effect]) -> Vec<(RoomId, u64)> {
    let told = effects.iter().filter_map(|effect| match effect {
        Effect::Tell { event: Event::Duplicate { record }, .. } => Some((record.room, record.seq)),
        _ => None,
    });
    told.collect()
}
