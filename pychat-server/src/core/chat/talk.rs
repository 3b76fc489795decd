//! Texts, from their authors to everybody in the room.

use std::{mem, sync::Arc, time::Instant};

use pychat_wire::{
    ClientMessage, UserName,
    message::{ErrorCode, MESSAGE_ID_BYTES_MAX},
    notice::Notice,
};

use super::{
    Action, Chat, Complaint, Effect, Event, Grant, Phase, Protocol, Recipients, Refusal, act,
    amend::tell_refused,
    complain, notify,
    requests::Pending,
    rooms::{Content, Sought, tell_conflict},
    tell,
};
use crate::core::{
    gate::Verb,
    id::{ConnectionId, HALL, RoomId},
    record::{Amending, Appended, Device, Draft, Kind, Record, Request, StorageError},
};

/// A text, as it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said<'a> {
    /// The room, as its author calls it.
    pub(super) room: &'a str,
    pub(super) content: &'a str,
    /// The author's own id of it.
    pub(super) id: Option<&'a str>,
    /// The number of the message that it answers.
    pub(super) reply: Option<u64>,
}

impl Chat {
    /// Somebody says something in a room; it becomes a draft for the log.
    pub(super) fn on_text(
        &mut self,
        now: Instant,
        from: ConnectionId,
        said: Said<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let Some((room, message_id)) = self.place(now, from, said, effects) else { return };
        let cost = cost_of(said.content.len());
        if let Some(complaint) = self.text_refusal(now, from, message_id) {
            let complaint = Complaint { reference: message_id.map(Arc::from), ..complaint };
            return self.refuse_text(now, from, (room, complaint), cost, effects);
        }
        let Some(peer) = self.peers.get_mut(&from) else { return };
        let Phase::Joined(author) = &peer.phase else { return };
        peer.bad_payloads = 0;
        let (author, grant) = (author.clone(), peer.grant);
        self.charge_slow(now, from);
        self.announce(from, effects);
        let draft = Draft {
            author: author.clone(),
            person: grant.map(|grant| grant.person),
            kind: Kind::Text(said.content.into()),
            id: message_id.map(Into::into),
            reply: said.reply.filter(|_| grant.is_some()),
        };
        let pending = Pending::Append { from, id: draft.id.clone() };
        self.ask(from, pending, Request::Append { room, draft, change: None }, effects);
        self.note_owner(now, from, &author, effects);
        self.pay(now, from, cost, effects);
    }

    /// Returns the room that a text is for, and its id. Refuses one that has none, or that is for a room
    /// where its author may say nothing. In protocol 1 all are for the hall.
    fn place<'a>(
        &mut self,
        now: Instant,
        from: ConnectionId,
        said: Said<'a>,
        effects: &mut Vec<Effect>,
    ) -> Option<(RoomId, Option<&'a str>)> {
        let Some(person) = self.person_at(from) else { return Some((HALL, None)) };
        let id = self.take_id(from, "a text", said.id, effects)?;
        match self.may(from, said.room, Verb::Say) {
            Ok(room) => Some((room, Some(id))),
            Err(complaint) => {
                let content = Content::Text(said.content.into());
                let sought = Sought { room: RoomId::of_wire(said.room), content };
                let complaint = Complaint { reference: Some(id.into()), ..complaint };
                self.recall(from, person, sought, complaint, effects);
                self.pay(now, from, cost_of(said.content.len()), effects);
                None
            }
        }
    }

    /// Somebody says something under a name that is theirs, which is then kept before others.
    pub(super) fn note_owner(
        &mut self,
        now: Instant,
        id: ConnectionId,
        name: &UserName,
        effects: &mut Vec<Effect>,
    ) {
        let Some(grant) = self.peers.get(&id).and_then(|peer| peer.grant) else { return };
        if !grant.is_saved
            && self.keep(now, id, grant, name)
            && let Some(peer) = self.peers.get_mut(&id)
        {
            peer.grant = Some(Grant { is_saved: true, ..grant });
            self.rooms.note_arrival(grant.person);
        }
        self.people.note_text(grant.person, name);
        self.change_people(id, effects);
    }

    /// Reserves a name that could not be reserved when its person joined.
    fn keep(&mut self, now: Instant, id: ConnectionId, grant: Grant, name: &UserName) -> bool {
        let added_ms = self.wall_clock.utc_ms;
        let device = Device { key: grant.key, label: "".into(), added_ms };
        self.reserve(now, id, grant.person, &device, name)
    }

    /// A guest says something else than a hello.
    pub(super) fn on_early(
        &mut self,
        id: ConnectionId,
        message: &ClientMessage<'_>,
        effects: &mut Vec<Effect>,
    ) {
        act(id, Action::Log(Refusal::NotJoined), effects);
        match (self.protocol(id), message) {
            (Protocol::V1, _) => notify(id, Notice::StillWaiting, effects),
            (Protocol::V2, message) => {
                let reference = match message {
                    ClientMessage::Text { id, .. } | ClientMessage::Amend { id, .. } => {
                        id.as_deref().and_then(repeatable)
                    }
                    _ => None,
                };
                let complaint = Complaint {
                    reference: reference.map(Into::into),
                    ..Complaint::new(ErrorCode::NotJoined, "say hello first")
                };
                complain(id, complaint, effects);
            }
        }
        self.count_bad(id, ErrorCode::NotJoined, &Refusal::NotJoined, effects);
    }

    /// A text or amendment that was accepted is published, even if its author has left.
    pub(super) fn on_appended(
        &mut self,
        from: ConnectionId,
        id: Option<Arc<str>>,
        appended: Appended,
        effects: &mut Vec<Effect>,
    ) {
        match appended {
            Appended::New(record) => self.publish(Some(from), record, effects),
            Appended::Known(record) => tell(from, Event::Duplicate { record }, effects),
            Appended::Conflict { id } => tell_conflict(from, id, effects),
            Appended::Refused(error) => tell_refused(from, id, error, effects),
        }
    }

    /// Tells everybody in a room of a record, which was said by connection `from` if by one.
    pub(super) fn publish(
        &mut self,
        from: Option<ConnectionId>,
        record: Record,
        effects: &mut Vec<Effect>,
    ) {
        self.note_record(&record);
        self.keep_marks(effects);
        show(from, record, effects);
    }

    /// Counts a record among those that people have seen or not: messages alone, and none that was deleted.
    pub(super) fn note_record(&mut self, record: &Record) {
        let Record { room, seq, person, .. } = *record;
        self.rooms.note_record(room, seq, person, matches!(record.kind, Kind::Text(_)));
        match record.kind {
            Kind::Amendment { target, amending: Amending::Delete } => {
                self.rooms.note_deleted(room, target, true);
            }
            Kind::Amendment { target, amending: Amending::Restore(_) } => {
                self.rooms.note_deleted(room, target, false);
            }
            _ => (),
        }
    }

    /// A text that could not be kept is shown to nobody; its author is told so. An author who gave
    /// it no id could not tell one such answer from another, so is told once.
    pub(super) fn on_append_failed(
        &mut self,
        from: ConnectionId,
        id: Option<Arc<str>>,
        error: &StorageError,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get_mut(&from) else { return };
        if mem::replace(&mut peer.in_flight.is_told_of_failure, true) && id.is_none() {
            return;
        }
        let why = error.in_short();
        let text = format!("Not kept, so not sent: the server cannot store messages now ({why}).");
        match peer.protocol {
            Protocol::V1 => notify(from, Notice::Other(&text), effects),
            Protocol::V2 => {
                complain(from, Complaint::storage(id, error, &text), effects);
            }
        }
    }
}

/// Shows everybody in a room a record that is noted.
pub(super) fn show(from: Option<ConnectionId>, record: Record, effects: &mut Vec<Effect>) {
    let room = record.room;
    let event = Event::Recorded { from, record };
    effects.push(Effect::Tell { to: Recipients::Room(room), event });
}

/// Returns the cost of a text of so many bytes: 1, and 1 more for each KiB.
pub(super) fn cost_of(bytes: usize) -> u32 {
    u32::try_from(bytes >> 10).map_or(u32::MAX, |kib| kib.saturating_add(1))
}

/// Returns `id` unless it is longer than an id may be.
fn repeatable(id: &str) -> Option<&str> {
    (id.len() <= MESSAGE_ID_BYTES_MAX).then_some(id)
}
