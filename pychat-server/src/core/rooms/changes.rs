//! Changes of rooms: begun, and applied or given up.

use std::collections::{BTreeMap, hash_map::Entry};

use pychat_wire::{message::RoomKind, name::Skeleton};

use super::{KnownRoom, Rooms, Seat, log::Log};
use crate::core::{
    id::RoomId,
    record::{PersonId, Room, RoomChange},
};

impl Rooms {
    /// Notes that the store is asked for a change of a room, which a person asked for.
    pub fn begin(&mut self, room: RoomId, change: &RoomChange, by: PersonId) {
        match change {
            RoomChange::Create(new) => self.take_names(new),
            RoomChange::Rename(name) if self.open.contains(&room) => self.take_look(room, name),
            _ => (),
        }
        self.pending.add(room, change, by);
    }

    /// Gives a change up that was begun.
    pub fn give_up(&mut self, room: RoomId, change: &RoomChange) {
        self.pending.remove(room, change);
        match change {
            RoomChange::Create(new) if new.kind == RoomKind::Open => {
                self.free_look(room, &new.name);
            }
            RoomChange::Create(new) if new.kind == RoomKind::Direct => {
                self.free_set(room, &new.members);
                self.take_set_again(room);
            }
            RoomChange::Rename(name) => self.free_look(room, name),
            RoomChange::Add(_) => self.end_if_over(room),
            _ => (),
        }
    }

    /// Applies a change that was begun, and whose record has number `seq`.
    pub fn apply(&mut self, room: RoomId, change: RoomChange, seq: u64) {
        self.pending.remove(room, &change);
        self.carry_out(room, change, seq);
    }

    /// Applies a change that was begun on another server, and whose record has number `seq`.
    pub fn apply_elsewhere(&mut self, room: RoomId, change: RoomChange, seq: u64) {
        match &change {
            RoomChange::Create(new) => self.take_names(new),
            RoomChange::Rename(name) if self.open.contains(&room) => self.take_look(room, name),
            _ => (),
        }
        self.carry_out(room, change, seq);
    }

    fn carry_out(&mut self, room: RoomId, change: RoomChange, seq: u64) {
        match change {
            RoomChange::Create(new) => {
                let maker = new.maker;
                self.insert(new);
                if let Some(maker) = maker {
                    self.raise_mark(maker, room, seq);
                }
            }
            RoomChange::Add(person) => {
                self.sit(person, room);
                self.raise_mark(person, room, seq);
            }
            RoomChange::Remove(person) => {
                self.stand_up(person, room);
                self.end_if_over(room);
            }
            RoomChange::Rename(name) => {
                let Some(known) = self.known.get_mut(&room) else { return };
                let old = std::mem::replace(&mut known.name, name);
                if self.open.contains(&room) {
                    self.free_look(room, &old);
                }
            }
            RoomChange::SetTopic(topic) => {
                if let Some(known) = self.known.get_mut(&room) {
                    known.topic = topic;
                }
            }
        }
    }

    /// Forgets a person, who is in no room any more; returns the rooms that they were in.
    pub fn forget(&mut self, person: PersonId) -> Vec<RoomId> {
        let rooms: Vec<_> = self.of(person).collect();
        for room in &rooms {
            let members = |known: &KnownRoom| known.members().collect::<Vec<_>>();
            let direct = self.known.get(room).filter(|known| known.kind == RoomKind::Direct);
            if let Some(members) = direct.map(members) {
                self.free_set(*room, &members);
            }
            self.stand_up(person, *room);
            let direct = self.known.get(room).filter(|known| known.kind == RoomKind::Direct);
            if let Some(members) = direct.map(members).filter(|members| 1 < members.len()) {
                self.take_set(*room, members);
            }
            self.end_if_over(*room);
        }
        self.people.remove(&person);
        self.new_marks.retain(|mark| mark.person != person);
        rooms
    }

    /// Takes a room in whose names are taken already.
    pub(super) fn insert(&mut self, room: Room) {
        let Room { id, kind, name, topic, maker, members } = room;
        self.last_id = self.last_id.max(id);
        if kind == RoomKind::Open {
            self.open.insert(id);
        }
        if let Some(maker) = maker.filter(|_| kind != RoomKind::Direct) {
            self.people.entry(maker).or_default().n_made += 1;
        }
        let (log, places) = (Log::default(), BTreeMap::new());
        let known = KnownRoom { kind, name, topic, maker, members: places, last_place: 0, log };
        self.known.insert(id, known);
        for person in members {
            self.sit(person, id);
        }
    }

    fn sit(&mut self, person: PersonId, room: RoomId) {
        let Some(known) = self.known.get_mut(&room) else { return };
        let seats = self.people.entry(person).or_default();
        if seats.by_room.contains_key(&room) {
            return;
        }
        known.last_place += 1;
        known.members.insert(known.last_place, person);
        seats.by_room.insert(room, Seat { place: known.last_place, read: 0 });
        seats.n_foreign += usize::from(known.is_foreign_to(person));
    }

    fn stand_up(&mut self, person: PersonId, room: RoomId) {
        let Some(known) = self.known.get_mut(&room) else { return };
        let Some(seats) = self.people.get_mut(&person) else { return };
        if let Some(seat) = seats.by_room.remove(&room) {
            known.members.remove(&seat.place);
            seats.n_foreign -= usize::from(known.is_foreign_to(person));
        }
    }

    /// Keeps the name of an open room, and the set of a direct one, from other rooms.
    pub(super) fn take_names(&mut self, room: &Room) {
        match room.kind {
            RoomKind::Open => self.take_look(room.id, &room.name),
            RoomKind::Direct => self.take_set(room.id, room.members.clone()),
            _ => (),
        }
    }

    fn take_look(&mut self, room: RoomId, name: &str) {
        for look in Skeleton::of_text(name) {
            let (holder, count) = self.by_look.entry(look).or_insert((room, 0));
            if *holder == room {
                *count += 1;
            }
        }
    }

    pub(super) fn free_look(&mut self, room: RoomId, name: &str) {
        for look in Skeleton::of_text(name) {
            if let Entry::Occupied(mut entry) = self.by_look.entry(look)
                && entry.get().0 == room
            {
                entry.get_mut().1 -= 1;
                if entry.get().1 == 0 {
                    entry.remove();
                }
            }
        }
    }

    fn take_set(&mut self, room: RoomId, mut people: Vec<PersonId>) {
        people.sort_unstable();
        self.by_set.entry(people.into()).or_insert(room);
    }

    /// Keeps the set of a room from others again that another server made under the same number as this
    /// one would have.
    fn take_set_again(&mut self, room: RoomId) {
        let known = self.known.get(&room).filter(|known| known.kind == RoomKind::Direct);
        if let Some(members) = known.map(|known| known.members().collect()) {
            self.take_set(room, members);
        }
    }

    fn free_set(&mut self, room: RoomId, people: &[PersonId]) {
        let mut set: Box<[_]> = people.into();
        set.sort_unstable();
        if let Entry::Occupied(entry) = self.by_set.entry(set)
            && *entry.get() == room
        {
            entry.remove();
        }
    }
}

impl KnownRoom {
    /// Returns true if it is a direct room that somebody else than `person` made.
    fn is_foreign_to(&self, person: PersonId) -> bool {
        self.kind == RoomKind::Direct && self.maker != Some(person)
    }
}
