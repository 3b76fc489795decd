//! Rooms as their people are told of them.

use std::collections::BTreeSet;

use pychat_wire::message::{Resume, RoomKind};

use super::{
    super::{Event, Phase, RoomView, tell},
    Action, Chat, Effect, act,
};
use crate::core::{
    id::{ConnectionId, HALL, RoomId},
    record::PersonId,
};

impl Chat {
    /// Returns the rooms that a connection hears of, because its person is in them, but for the hall.
    pub fn rooms_of(&self, id: ConnectionId) -> Vec<RoomId> {
        self.person_at(id).map(|person| self.rooms.of(person).collect()).unwrap_or_default()
    }

    /// Returns the rooms that a person is in, the hall first, as they are told of them.
    pub(in super::super) fn views(&self, person: PersonId) -> Vec<RoomView> {
        let rooms = [HALL].into_iter().chain(self.rooms.of(person));
        rooms.filter_map(|room| self.view(room, person)).collect()
    }

    /// Has a connection that has joined hear what is told in all rooms of its person, and first what it
    /// missed in those that it resumes.
    pub(in super::super) fn enter_rooms(
        &self,
        id: ConnectionId,
        resume: Option<Resume<'_>>,
        effects: &mut Vec<Effect>,
    ) {
        let rooms = self.rooms_of(id);
        let mut left: BTreeSet<_> = rooms.iter().copied().chain([HALL]).collect();
        if !rooms.is_empty() {
            act(id, Action::Enter { rooms }, effects);
        }
        let Some(Resume { epoch, rooms, limit }) = resume else { return };
        for (room, after) in rooms.0 {
            if let Some(room) = RoomId::of_wire(&room).filter(|room| left.remove(room)) {
                let resume = Action::Resume { room, epoch: epoch.to_string(), after, limit };
                act(id, resume, effects);
            }
        }
    }

    /// Tells a person again of the rooms that they may change as an operator alone, as they became one or
    /// are one no longer: at most the rooms that one may be in beside those that others made for them.
    pub(in super::super) fn show_rights(&self, person: PersonId, effects: &mut Vec<Effect>) {
        let connections = self.joined_of(person);
        let has_changed = |room: &RoomId| {
            self.rooms.get(*room).is_some_and(|known| {
                matches!(known.kind(), RoomKind::Open | RoomKind::Closed)
                    && known.maker() != Some(person)
            })
        };
        for room in self.rooms.of(person).filter(has_changed) {
            let Some(view) = self.view(room, person) else { continue };
            for id in connections.iter().filter(|id| self.is_open(**id)) {
                tell(*id, Event::Room(view.clone()), effects);
            }
        }
    }

    /// Returns a room as a person is told of it.
    pub(super) fn view(&self, room: RoomId, person: PersonId) -> Option<RoomView> {
        let known = self.rooms.get(room)?;
        let (kind, last) = (known.kind(), known.last());
        let names = || {
            let names = known.members().filter_map(|member| self.people.name(member));
            names.map(ToOwned::to_owned).collect()
        };
        let is_changed_by = known.maker() == Some(person) || self.people.is_operator(person);
        // To those whose marks are not kept, nothing that was said before is news.
        let is_new = room == HALL && !self.people.is_known(person);
        let is_seen = is_new || room != HALL && !self.rooms.has_seat(person, room);
        let read = if is_seen { last } else { self.rooms.mark(person, room).unwrap_or_default() };
        Some(RoomView {
            room,
            kind,
            name: known.name().to_owned(),
            topic: known.topic().to_owned(),
            with: (kind == RoomKind::Direct).then(names),
            is_mine: self.rooms.has_seat(person, room)
                && matches!(kind, RoomKind::Open | RoomKind::Closed)
                && is_changed_by,
            last,
            read: read.min(last),
            unread: if is_seen { 0 } else { self.rooms.unread(person, room) },
        })
    }

    /// Returns the connections by which a person is here, in order.
    pub(in super::super) fn joined_of(&self, person: PersonId) -> Vec<ConnectionId> {
        let is_joined = |id: &ConnectionId| {
            self.peers.get(id).is_some_and(|peer| matches!(peer.phase, Phase::Joined(_)))
        };
        self.roster.connections_of(person).filter(is_joined).collect()
    }
}
