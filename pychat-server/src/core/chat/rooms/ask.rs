//! Requests about rooms that leave no record: lists, marks, and the word that somebody is writing.

use std::time::Instant;

use pychat_wire::{UserName, message};

use super::{
    super::{Event, Protocol, requests::Pending, talk::cost_of, tell},
    Action, Chat, Effect, act,
};
use crate::core::{
    gate::Verb,
    id::{ConnectionId, HALL, RoomId},
    record::{PersonId, ReadMark, Request},
    rooms::KnownRoom,
    roster::Participant,
};

/// The most people present in a room, unless it is direct, who are told that somebody is writing.
pub const TYPING_PRESENT_MAX: usize = 20;

/// The most people in a room among whom those present are looked for.
const TYPING_MEMBERS_MAX: usize = 1_000;

/// The size of an answer in bytes that costs as much as one of a text.
const ANSWER_BYTES_PER_BYTE: usize = 4;

impl Chat {
    /// Somebody asks for older records of a room.
    pub(in super::super) fn on_history(
        &mut self,
        now: Instant,
        id: ConnectionId,
        room: &str,
        (before, limit): (u64, u64),
        effects: &mut Vec<Effect>,
    ) {
        match self.may(id, room, Verb::History) {
            Ok(room) => act(id, Action::Page { room, before, limit }, effects),
            Err(complaint) => self.deny(now, id, complaint, effects),
        }
    }

    /// Somebody asks for the open rooms. The more there are, the more it costs.
    pub(in super::super) fn on_rooms(
        &mut self,
        now: Instant,
        id: ConnectionId,
        effects: &mut Vec<Effect>,
    ) {
        let Some(person) = self.person_at(id) else { return };
        let open = self.rooms.open().take(message::ROOMS_MAX);
        let views: Vec<_> = open.filter_map(|(room, _)| self.view(room, person)).collect();
        let event = Event::OpenRooms(views);
        self.answer(now, id, event, effects);
    }

    /// Somebody asks who is in a room. The more there are, the more it costs.
    pub(in super::super) fn on_members(
        &mut self,
        now: Instant,
        id: ConnectionId,
        room: &str,
        effects: &mut Vec<Effect>,
    ) {
        let room = match self.may(id, room, Verb::List) {
            Ok(room) => room,
            Err(complaint) => return self.deny(now, id, complaint, effects),
        };
        let members = if room == HALL {
            self.roster.members().clone()
        } else {
            let known = self.rooms.get(room);
            let people = known.into_iter().flat_map(KnownRoom::members);
            let names: Vec<_> = people.filter_map(|person| self.people.name(person)).collect();
            names.into_iter().collect()
        };
        self.answer(now, id, Event::Members { room, members }, effects);
    }

    /// Answers with a list, at a cost by its size.
    fn answer(&mut self, now: Instant, id: ConnectionId, event: Event, effects: &mut Vec<Effect>) {
        tell(id, event, effects);
        let weight = effects.last().map_or(0, Effect::weight);
        self.pay(now, id, cost_of(weight / ANSWER_BYTES_PER_BYTE), effects);
    }

    /// Somebody has seen a room up to a number. It only grows, and is never above what was published.
    pub(in super::super) fn on_read(
        &mut self,
        now: Instant,
        id: ConnectionId,
        (room, seq): (&str, u64),
        effects: &mut Vec<Effect>,
    ) {
        let room = match self.may(id, room, Verb::Read) {
            Ok(room) => room,
            Err(complaint) => return self.deny(now, id, complaint, effects),
        };
        let Some(person) = self.person_at(id).filter(|person| self.people.is_known(*person)) else {
            return;
        };
        let last = self.rooms.get(room).map_or(0, KnownRoom::last);
        let seq = seq.min(last);
        if seq <= self.rooms.mark(person, room).unwrap_or_default() {
            return;
        }
        let mark = ReadMark { room, person, seq };
        self.requests.make(Pending::Mark { from: id, mark }, Request::Mark(mark), effects);
        self.pay(now, id, 1, effects);
    }

    /// The store has how far somebody has seen a room, as connection `from` or another server said: now it
    /// counts, and their other devices hear of it.
    pub(in super::super) fn on_marked(
        &mut self,
        from: Option<ConnectionId>,
        ReadMark { room, person, seq }: ReadMark,
        effects: &mut Vec<Effect>,
    ) {
        let is_there = self.rooms.is_in(person, room) && self.people.is_known(person);
        // All servers that share the store have the marks that it has, also where somebody is about to go.
        let is_kept = is_there || self.roster.is_shared();
        if !is_kept || !self.rooms.raise_mark(person, room, seq) || !is_there {
            return;
        }
        for other in self.joined_of(person).into_iter().filter(|other| Some(*other) != from) {
            tell(other, Event::Read { room, seq }, effects);
        }
    }

    /// The store could not keep how far somebody has seen a room: the device that said so is told what
    /// the mark is, and can say it again.
    pub(in super::super) fn on_mark_failed(
        &self,
        from: ConnectionId,
        ReadMark { room, person, .. }: ReadMark,
        effects: &mut Vec<Effect>,
    ) {
        let is_there = self.rooms.is_in(person, room) && self.joined_of(person).contains(&from);
        if let Some(seq) = self.rooms.mark(person, room).filter(|_| is_there) {
            tell(from, Event::Read { room, seq }, effects);
        }
    }

    /// Somebody is writing. Others hear of that where few are present, and seldom.
    pub(in super::super) fn on_typing(
        &mut self,
        now: Instant,
        id: ConnectionId,
        room: &str,
        effects: &mut Vec<Effect>,
    ) {
        let room = match self.may(id, room, Verb::Type) {
            Ok(room) => room,
            Err(complaint) => return self.deny(now, id, complaint, effects),
        };
        let Some(person) = self.person_at(id) else { return };
        if !self.buckets.may_type(now, person, room) {
            return;
        }
        let Some(name) = self.roster.name(id).cloned().filter(|_| !self.is_muted(id)) else {
            return;
        };
        self.show_typing(room, &name, Some(person), effects);
        if self.roster.is_shared() {
            effects.push(Effect::TellTyping { room, name, person });
        }
        self.pay(now, id, 1, effects);
    }

    /// Tells those present in a room that somebody is writing there.
    pub(in super::super) fn show_typing(
        &self,
        room: RoomId,
        name: &UserName,
        person: Option<PersonId>,
        effects: &mut Vec<Effect>,
    ) {
        for other in self.present_in(room, person) {
            tell(other, Event::Typing { room, name: name.clone() }, effects);
        }
    }

    /// Returns the connections of those present in a room, but for `person`; none if they are many.
    fn present_in(&self, room: RoomId, person: Option<PersonId>) -> Vec<ConnectionId> {
        let Some(known) = self.rooms.get(room) else { return Vec::new() };
        let (mut n_present, mut ids) = (0, Vec::new());
        if room == HALL {
            n_present = self.roster.len();
            if n_present <= TYPING_PRESENT_MAX {
                let others = self.roster.participants().filter(|it| it.person() != person);
                ids.extend(others.flat_map(Participant::connections));
            }
        } else if known.len() <= TYPING_MEMBERS_MAX {
            for member in known.members() {
                let theirs = self.joined_of(member);
                n_present += usize::from(!theirs.is_empty());
                if n_present > TYPING_PRESENT_MAX {
                    break;
                }
                ids.extend(theirs.into_iter().filter(|_| Some(member) != person));
            }
        } else {
            return ids;
        }
        if TYPING_PRESENT_MAX < n_present {
            ids.clear();
        }
        ids.retain(|id| self.protocol(*id) == Protocol::V2 && self.is_open(*id));
        ids
    }
}
