//! The store's answers to requests about rooms.

use std::{sync::Arc, time::Instant};

use pychat_wire::{
    UserName,
    message::{ErrorCode, RoomEvent},
};

use super::{
    super::{Event, talk::show, tell},
    Action, Chat, Complaint, Effect, Refusal, act, complain,
};
use crate::core::{
    id::{ConnectionId, RoomId, Ticket},
    record::{Appended, Kind, Outcome, PersonId, Record, RoomChange, State, StorageError, Stored},
    rooms::KnownRoom,
};

/// A change of a room that the store has not answered.
#[derive(Debug)]
pub(in super::super) struct Changing {
    pub(in super::super) from: ConnectionId,
    /// The author's id of the request.
    pub(super) id: Arc<str>,
    pub(in super::super) room: RoomId,
    pub(super) change: RoomChange,
}

/// The search for a record that a request may have become before.
#[derive(Debug)]
pub(in super::super) enum Recalling {
    /// It is refused if there is none.
    Refused { from: ConnectionId, sought: Sought, complaint: Complaint },
    /// It is answered with the direct room that there is.
    Direct {
        from: ConnectionId,
        room: RoomId,
        /// The name of the person who asks.
        author: UserName,
        /// Their id of the request.
        id: Arc<str>,
    },
}

/// A request for a direct room that is being made already.
#[derive(Debug)]
pub(in super::super) struct Waiting {
    /// The ticket under which it will be answered.
    pub(super) ticket: Ticket,
    pub(super) from: ConnectionId,
    /// The name of the person who asks.
    pub(super) author: UserName,
    /// Their id of the request.
    pub(super) id: Arc<str>,
}

/// The record that a request would have become.
#[derive(Debug)]
pub(in super::super) struct Sought {
    /// The room; any if `None`.
    pub(in super::super) room: Option<RoomId>,
    pub(in super::super) content: Content,
}

/// The content of that record, as far as it matters.
#[derive(Debug)]
pub(in super::super) enum Content {
    Text(Arc<str>),
    Event(RoomEvent),
    /// An amendment of the same message. Its words may be known no more.
    Amendment(Kind<Arc<str>>),
}

impl Sought {
    fn is(&self, record: &Record) -> bool {
        let is_same = match (&self.content, &record.kind) {
            (Content::Text(text), Kind::Text(other)) => text == other,
            (Content::Event(event), Kind::Event { event: other, .. }) => event == other,
            (Content::Amendment(kind), other) => kind.amends_like(other),
            _ => false,
        };
        is_same && self.room.is_none_or(|room| room == record.room)
    }
}

impl Recalling {
    pub(in super::super) fn from(&self) -> ConnectionId {
        match self {
            Self::Refused { from, .. } | Self::Direct { from, .. } => *from,
        }
    }
}

impl Chat {
    /// The store has answered whether a change of a room is kept.
    pub(in super::super) fn on_changed(
        &mut self,
        changing: Changing,
        outcome: Outcome,
        effects: &mut Vec<Effect>,
    ) {
        let Changing { from, id, room, change } = changing;
        if let Ok(Stored::Appended(Appended::New(record))) = outcome {
            return self.publish_change(Some(from), change, record, effects);
        }
        self.rooms.give_up(room, &change);
        match outcome {
            Ok(Stored::Appended(Appended::Known(record))) => {
                self.tell_known(from, record, effects);
            }
            Ok(Stored::Appended(Appended::Conflict { id })) => tell_conflict(from, id, effects),
            Ok(
                Stored::Appended(Appended::New(_) | Appended::Refused(_))
                | Stored::Changed
                | Stored::Recalled(_),
            ) => (),
            Err(error) => refuse_unkept(from, id, &error, effects),
        }
    }

    /// Applies a change of a room, which connection `from` or another server asked for, and tells those in
    /// it. Somebody who is new in it is told of the room first, and hears the record there; somebody who is
    /// in it no more hears the record last.
    pub(in super::super) fn publish_change(
        &mut self,
        from: Option<ConnectionId>,
        change: RoomChange,
        record: Record,
        effects: &mut Vec<Effect>,
    ) {
        let (room, seq) = (record.room, record.seq);
        let mut newcomers = match &change {
            RoomChange::Create(new) => new.members.clone(),
            RoomChange::Add(person) if !self.rooms.has_seat(*person, room) => vec![*person],
            _ => Vec::new(),
        };
        let leaver = match change {
            RoomChange::Remove(person) => Some(person),
            _ => None,
        };
        match from {
            Some(_) => self.rooms.apply(room, change, seq),
            None => self.rooms.apply_elsewhere(room, change, seq),
        }
        // Their names may have become others' in the meantime; where servers share the store, that is still
        // to come for all of them.
        newcomers.retain(|person| {
            let is_known = self.roster.is_shared() || self.people.is_known(*person);
            if !is_known {
                self.rooms.forget(*person);
            }
            is_known
        });
        for person in newcomers {
            self.show_in(person, room, effects);
        }
        self.rooms.note_record(room, seq, record.person, false);
        show(from, record, effects);
        if let Some(person) = leaver {
            self.show_out(person, room, effects);
        }
    }

    /// Has all connections of a person hear what is told in a room, and tells them of it.
    fn show_in(&self, person: PersonId, room: RoomId, effects: &mut Vec<Effect>) {
        let Some(view) = self.view(room, person) else { return };
        for id in self.joined_of(person) {
            act(id, Action::Enter { rooms: vec![room] }, effects);
            tell(id, Event::Room(view.clone()), effects);
        }
    }

    /// Has no connection of a person hear anything of a room any more.
    fn show_out(&self, person: PersonId, room: RoomId, effects: &mut Vec<Effect>) {
        for id in self.joined_of(person) {
            act(id, Action::Exit { room }, effects);
            tell(id, Event::RoomGone(room), effects);
        }
    }

    /// The store has answered whether it has the record of a request.
    pub(in super::super) fn on_recalled(
        &mut self,
        recalling: Recalling,
        outcome: Outcome,
        effects: &mut Vec<Effect>,
    ) {
        let record = match outcome {
            Ok(Stored::Recalled(record)) => record,
            Ok(Stored::Changed | Stored::Appended(_)) => None,
            Err(error) => {
                let (from, id) = match recalling {
                    Recalling::Refused { from, complaint, .. } => (from, complaint.reference),
                    Recalling::Direct { from, id, .. } => (from, Some(id)),
                };
                return id.into_iter().for_each(|id| refuse_unkept(from, id, &error, effects));
            }
        };
        match recalling {
            Recalling::Refused { from, sought, complaint } => match record {
                Some(record) if sought.is(&record) => self.tell_recalled(from, record, effects),
                _ => {
                    let refusal = match complaint.code {
                        ErrorCode::NoRoom | ErrorCode::Forbidden => Refusal::Outsider,
                        _ => Refusal::Room,
                    };
                    complain(from, complaint, effects);
                    act(from, Action::Log(refusal), effects);
                }
            },
            Recalling::Direct { from, room, author, id } => {
                self.answer_direct(from, room, record, (author, id), effects);
            }
        }
    }

    /// A room is made, of which there is this record, or could not be: those are answered who asked for it
    /// in the meantime.
    pub(in super::super) fn answer_waiting(
        &mut self,
        now: Instant,
        room: RoomId,
        record: Option<&Record>,
        effects: &mut Vec<Effect>,
    ) {
        for waiting in self.requests.waiting.remove(&room).unwrap_or_default() {
            let Waiting { ticket, from, author, id } = waiting;
            if record.is_none() && self.roster.is_shared() {
                // Another room may have this number by now, on another server.
                refuse_unkept(from, id, &StorageError::Overtaken, effects);
            } else {
                self.answer_direct(from, room, record.cloned(), (author, id), effects);
            }
            self.on_answered(now, (from, ticket), effects);
        }
    }

    /// Answers a request for a direct room with the one that there is, and the record of its making, as
    /// if that had been this request.
    fn answer_direct(
        &self,
        from: ConnectionId,
        room: RoomId,
        record: Option<Record>,
        (author, id): (UserName, Arc<str>),
        effects: &mut Vec<Effect>,
    ) {
        let Some(known) = self.rooms.get(room) else {
            // It was being made, and could not be stored.
            return refuse_unkept(from, id, &StorageError::Other(String::new()), effects);
        };
        let maker = known.maker().and_then(|maker| self.people.name(maker));
        let maker = maker.and_then(|name| UserName::new(name).ok());
        // The record of its making may not be kept any more.
        let made = Record {
            room,
            seq: 1,
            time_ms: self.wall_clock.utc_ms,
            author: maker.unwrap_or(author),
            person: known.maker(),
            kind: Kind::Event { event: RoomEvent::Created, subject: None },
            id: None,
            reply: None,
            state: State::default(),
            target: None,
        };
        let record = Record { id: Some(id), ..record.unwrap_or(made) };
        self.tell_known(from, record, effects);
    }

    /// Answers a request with the record that it became before; one that made a room, with the room.
    fn tell_known(&self, from: ConnectionId, record: Record, effects: &mut Vec<Effect>) {
        if record.kind.is_making()
            && let Some(person) = self.person_at(from)
            && self.rooms.has_seat(person, record.room)
            && let Some(view) = self.view(record.room, person)
        {
            tell(from, Event::Room(view), effects);
        }
        tell(from, Event::Duplicate { record }, effects);
    }

    /// Answers a request with the record that the store has of it. One that is still to be published by
    /// another connection is not told before that.
    fn tell_recalled(&self, from: ConnectionId, record: Record, effects: &mut Vec<Effect>) {
        let is_to_come = match self.rooms.get(record.room).map(KnownRoom::last) {
            Some(last) => last < record.seq,
            None => self.rooms.is_being_made(record.room),
        };
        match record.id.clone().filter(|_| is_to_come) {
            Some(id) => {
                let text = "this is being stored already";
                let complaint = Complaint::storage(Some(id), &StorageError::Overtaken, text);
                complain(from, complaint, effects);
            }
            None => self.tell_known(from, record, effects),
        }
    }

    /// Forgets the seats of a person who owns no name any more.
    pub(in super::super) fn forget_seats(&mut self, person: PersonId, effects: &mut Vec<Effect>) {
        for room in self.rooms.forget(person) {
            self.show_out(person, room, effects);
        }
        for id in self.joined_of(person) {
            if let Some(grant) = self.peers.get_mut(&id).and_then(|peer| peer.grant.as_mut()) {
                grant.is_saved = false;
            }
        }
    }
}

/// Refuses a text or request whose id was used for another one.
pub(in super::super) fn tell_conflict(from: ConnectionId, id: Arc<str>, effects: &mut Vec<Effect>) {
    let text = "you said something else under this id; this was not sent";
    let complaint = Complaint { reference: Some(id), ..Complaint::new(ErrorCode::IdReused, text) };
    complain(from, complaint, effects);
    act(from, Action::Log(Refusal::IdReused), effects);
}

/// Refuses a request that the store could not keep, or look for.
fn refuse_unkept(
    from: ConnectionId,
    id: Arc<str>,
    error: &StorageError,
    effects: &mut Vec<Effect>,
) {
    let why = error.in_short();
    let text = format!("Not done: the server cannot store anything now ({why}).");
    complain(from, Complaint::storage(Some(id), error, &text), effects);
}
