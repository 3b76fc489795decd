//! The records of rooms beside the hall that a person was shown, and what they asked for there.

use std::collections::{BTreeMap, BTreeSet};

use pychat_wire::{
    Client,
    client::{Event, MessageId, Room, RoomId},
    message::{ErrorCode, Names, RoomKind, RoomRequest},
};

use super::{
    plan::RoomAct,
    tally::{Fault, Tally},
};
use crate::kit::{Oracle, oracle::Message};

/// So many rooms may be named by chance.
const ROOMS: usize = 6;

/// The memory of one person of protocol 2, over all their lives.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    name: String,
    is_window: bool,
    /// The rooms that they know that they are in.
    known: BTreeSet<RoomId>,
    /// The number that comes next of each room, where that is known.
    next: BTreeMap<RoomId, u64>,
    shown: BTreeMap<(RoomId, u64), Message>,
    /// The texts that were said and stored, and that have neither failed nor been accepted.
    waiting: BTreeMap<MessageId, (RoomId, String)>,
    accepted: Vec<(RoomId, String)>,
    /// The requests of this life that are not answered.
    requests: BTreeSet<String>,
}

impl Rooms {
    /// Returns the memory of somebody who was never there.
    pub(crate) fn new(name: &str, is_window: bool) -> Self {
        Self { name: name.to_owned(), is_window, ..Self::default() }
    }

    /// Begins a life in which everything counts as shown that `client` has saved.
    pub(crate) fn live(&mut self, client: &Client) {
        self.requests.clear();
        self.known.clear();
        let is_window = self.is_window;
        self.next.retain(|room, next| {
            *next = client.saved().seq(room) + 1;
            !is_window && 1 < *next
        });
    }

    /// Takes in that they were let in.
    pub(crate) fn join(&mut self, client: &Client) {
        self.known = client.rooms().into_iter().map(|room| room.id).collect();
        let known = &self.known;
        self.next.retain(|room, _| known.contains(room));
    }

    /// Says `text` in a room, if they are in it.
    pub(crate) fn say(&mut self, client: &mut Client, room: &RoomId, text: &str) -> bool {
        let Ok(id) = client.say(room, text) else { return false };
        self.waiting.insert(id, (room.clone(), text.to_owned()));
        true
    }

    /// Asks for something; `other` is somebody's name, `any` chooses.
    pub(crate) fn act(&mut self, client: &mut Client, act: RoomAct, any: usize, other: &str) {
        let room = self.some_room(client, any);
        let wire_id = room.as_str().into();
        let (kind, username) = ([RoomKind::Open, RoomKind::Closed][any % 2], other.into());
        let word = ["garden", "Garden", "сад", "x"][any % 4];
        let request = match act {
            RoomAct::Create => {
                RoomRequest::CreateRoom { kind, name: word.into(), topic: "".into() }
            }
            RoomAct::Direct => RoomRequest::Direct { with: Names(vec![username]) },
            RoomAct::Join => RoomRequest::JoinRoom { room: wire_id },
            RoomAct::Leave => RoomRequest::LeaveRoom { room: wire_id },
            RoomAct::Add => RoomRequest::AddMember { room: wire_id, username },
            RoomAct::Remove => RoomRequest::RemoveMember { room: wire_id, username },
            RoomAct::Change => {
                RoomRequest::UpdateRoom { room: wire_id, name: None, topic: Some(word.into()) }
            }
            RoomAct::See => {
                let seq = client.saved().seq(&room);
                return client.see(&room, seq);
            }
            RoomAct::Type => return client.typing(&room),
            RoomAct::Say => unreachable!("it needs a text"),
        };
        self.requests.extend(client.change_room(request));
    }

    /// Returns a room that they are in, or any.
    pub(crate) fn some_room(&self, client: &Client, any: usize) -> RoomId {
        let mut own = client.rooms();
        own.retain(|room| !room.id.is_hall());
        if own.is_empty() || any % 5 == 0 {
            return RoomId::from(&*format!("r{}", 1 + any % ROOMS));
        }
        own.swap_remove(any % own.len()).id
    }

    /// Takes in what is told of rooms; returns anything else.
    #[track_caller]
    pub(crate) fn heed(&mut self, event: Event, tally: &mut Tally) -> Option<Event> {
        match event {
            Event::Message(it) if !it.room.is_hall() => {
                let (Some(seq), Some(time)) = (it.seq, it.time_ms) else { panic!("{it:?}") };
                tally.note(if it.replayed { Fault::RoomReplayed } else { Fault::RoomHeard });
                if let Some(id) = it.id {
                    self.accept(&id);
                }
                self.show(it.room, seq, Message::text(time, &it.author, &it.content));
            }
            Event::RoomEvent(it) => {
                tally.note(Fault::RoomChanged);
                let (author, content) = (it.username, it.subject.unwrap_or_default());
                let message = Message { time: it.time_ms, author, content, event: Some(it.event) };
                self.show(it.room, it.seq, message);
            }
            Event::Skipped { room, to, .. } if !room.is_hall() => {
                assert!(self.is_window, "{} is shown everything of {room:?}", self.name);
                self.next.insert(room, to + 1);
            }
            // Who leaves while being sent what they missed is not sent the rest of it.
            Event::Gap { room, to, .. } if !room.is_hall() => _ = self.next.insert(room, to + 1),
            Event::Accepted { room, id, .. } if !room.is_hall() => self.accept(&id),
            Event::Failed { room, id, .. } if !room.is_hall() => {
                tally.note(Fault::RoomRefused);
                self.waiting.remove(&id);
            }
            Event::RoomChanged(Room { id, last, .. }) => {
                if self.known.insert(id.clone()) {
                    tally.note(Fault::RoomEntered);
                    self.next.insert(id, last + 1);
                }
            }
            Event::RoomGone { room } => {
                tally.note(Fault::RoomGone);
                self.known.remove(&room);
                self.next.remove(&room);
            }
            Event::RoomRequestDone { id, .. } => {
                assert!(self.requests.remove(&id), "{} never asked for {id}", self.name);
            }
            Event::Denied { code, id, text } => {
                let is_meant = matches!(
                    code,
                    ErrorCode::NoRoom
                        | ErrorCode::Forbidden
                        | ErrorCode::NotDone
                        | ErrorCode::NameTaken
                        | ErrorCode::Storage
                );
                assert!(is_meant, "{} is denied: {code:?}, {text}", self.name);
                if let Some(id) = id {
                    assert!(self.requests.remove(&id), "{} never asked for {id}", self.name);
                }
            }
            Event::Read { .. } => tally.note(Fault::SeenElsewhere),
            Event::Rooms(_) | Event::Members { .. } | Event::Typing { .. } => (),
            other => return Some(other),
        }
        None
    }

    fn accept(&mut self, id: &MessageId) {
        self.accepted.extend(self.waiting.remove(id));
    }

    /// Takes in a record, which must be the next of its room.
    #[track_caller]
    fn show(&mut self, room: RoomId, seq: u64, message: Message) {
        let next = *self.next.entry(room.clone()).or_insert(seq);
        assert_eq!(seq, next, "what {} is shown next of {room:?}: {message:?}", self.name);
        self.next.insert(room.clone(), seq + 1);
        let before = self.shown.entry((room, seq)).or_insert_with(|| message.clone());
        assert_eq!(*before, message, "what {} is shown again", self.name);
    }

    /// Returns true if nothing of theirs is on its way.
    pub(crate) fn is_settled(&self) -> bool {
        self.requests.is_empty() && self.waiting.is_empty()
    }

    /// Returns true if they have all that was heard of the rooms that they are in.
    pub(crate) fn has_all(client: &Client, oracle: &Oracle) -> bool {
        client.rooms().iter().all(|room| {
            let log = oracle.rooms().get(room.id.as_str());
            log.is_none_or(|log| log.last() <= client.saved().seq(&room.id))
        })
    }

    /// Checks that they are in the rooms that they should be in, and have all of them; that what they were
    /// ever shown is as the logs have it, and that what they said and was accepted is there.
    #[track_caller]
    pub(crate) fn check(&self, client: &Client, oracle: &Oracle) {
        let name = &self.name;
        for ((room, seq), message) in &self.shown {
            let there = oracle.rooms()[room.as_str()].message(*seq);
            assert_eq!(message, there, "what {name} was shown of {room:?}, and what is in the log");
        }
        let rooms = client.rooms();
        for (room, log) in oracle.rooms().iter().filter(|(room, _)| !room.is_empty()) {
            let is_in = rooms.iter().any(|it| it.id.as_str() == room);
            let stays = log.stays();
            assert_eq!(is_in, stays.has_after(name, log.last()), "{name} in {room}: {stays:?}");
            let id = RoomId::from(&**room);
            let last = client.saved().seq(&id);
            assert!(!is_in || last == log.last(), "{name} has {last} of {room}");
        }
        for (room, text) in &self.accepted {
            let mut messages = oracle.rooms()[room.as_str()].messages();
            let n_there = messages.by_ref().filter(|(_, it)| it.content == *text).count();
            assert_eq!(n_there, 1, "{name} said {text:?} in {room:?}");
        }
    }
}
