//! The rooms: who is in each, how far each was published, and how far each person has seen it.
//!
//! A change is *begun* when the store is asked to keep it, and *applied* or given up when the store
//! has answered. Until then it counts against people and never for them: somebody who leaves is in the
//! room no more, somebody who joins not yet, and a name that is asked for is taken.

mod changes;
mod log;
mod over;
mod pending;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
};

use pychat_wire::{
    message::{self, RoomKind},
    name::Skeleton,
};
use rustc_hash::FxHashMap;

pub use self::over::Due;
use self::{log::Log, pending::Pending};
use crate::core::{
    id::{HALL, RoomId},
    record::{PersonId, ReadMark, Room},
};

/// The number above which messages that somebody has not seen are counted no further.
pub const UNREAD_MAX: u64 = 99;

/// The most rooms, beside the hall.
pub const ROOMS_MAX: usize = 10_000;

/// The most rooms that one person is in, but for direct rooms that others made.
pub const ROOMS_PER_PERSON_MAX: usize = 500;

/// The most rooms that one person is in at all: with the hall, no more than a welcome lists.
pub const SEATS_PER_PERSON_MAX: usize = message::ROOMS_MAX - 1;

/// The most open and closed rooms that one person has made, whoever is in them now.
pub const ROOMS_MADE_MAX: usize = 100;

/// The rooms, the hall among them.
#[derive(Debug)]
pub struct Rooms {
    known: FxHashMap<RoomId, KnownRoom>,
    people: FxHashMap<PersonId, Seats>,
    /// The direct rooms by the people who are in them, in order; also those that are not there yet.
    by_set: HashMap<Box<[PersonId]>, RoomId>,
    /// The open rooms by what their names look like; also by names that they do not have yet. Each
    /// with the number of its names that look so.
    by_look: HashMap<Skeleton, (RoomId, u32)>,
    open: BTreeSet<RoomId>,
    pending: Pending,
    last_id: RoomId,
    /// The marks that the store is to keep: of newcomers, and of those whose own messages moved them.
    new_marks: Vec<ReadMark>,
    /// The rooms that the store is to keep no longer.
    over: Vec<RoomId>,
    /// Servers share the store: a room ends once that is kept, as somebody may come to be in it on another
    /// one before.
    is_shared: bool,
}

/// One room.
#[derive(Debug)]
pub struct KnownRoom {
    kind: RoomKind,
    name: String,
    topic: String,
    maker: Option<PersonId>,
    /// The people in it, in the order in which they came; none for the hall.
    members: BTreeMap<u64, PersonId>,
    last_place: u64,
    log: Log,
}

/// The rooms of one person.
#[derive(Debug, Default)]
struct Seats {
    /// The rooms that they are in.
    by_room: BTreeMap<RoomId, Seat>,
    /// The number of direct rooms among them that others made.
    n_foreign: usize,
    /// The number of open and closed rooms that they have made.
    n_made: usize,
    /// The number of the last record of the hall that they have seen.
    hall: Option<u64>,
}

/// The place of a person in a room.
#[derive(Clone, Copy, Debug)]
struct Seat {
    /// The key among the room's members.
    place: u64,
    /// The number of the last record that they have seen.
    read: u64,
}

impl Default for Rooms {
    fn default() -> Self {
        Self::new([], [])
    }
}

impl Rooms {
    /// Returns the hall and these rooms, as the store has them, in all of which nothing has been said;
    /// [`note_record`](Self::note_record) tells what was.
    pub fn new(
        rooms: impl IntoIterator<Item = Room>,
        marks: impl IntoIterator<Item = ReadMark>,
    ) -> Self {
        let mut all = Self {
            known: FxHashMap::from_iter([(HALL, KnownRoom::hall())]),
            people: FxHashMap::default(),
            by_set: HashMap::new(),
            by_look: HashMap::new(),
            open: BTreeSet::new(),
            pending: Pending::default(),
            last_id: HALL,
            new_marks: Vec::new(),
            over: Vec::new(),
            is_shared: false,
        };
        for room in rooms.into_iter().filter(|room| room.id != HALL) {
            all.take_names(&room);
            all.insert(room);
        }
        for ReadMark { room, person, seq } in marks {
            all.raise_mark(person, room, seq);
        }
        all
    }

    /// Notes a record that is published, or was before the server began. Its author has seen the room up
    /// to there.
    pub fn note_record(
        &mut self,
        room: RoomId,
        seq: u64,
        person: Option<PersonId>,
        is_message: bool,
    ) {
        let Some(known) = self.known.get_mut(&room) else { return };
        let passed = known.log.note(seq, person, is_message);
        let author = person.filter(|person| is_message && self.mark(*person, room).is_some());
        if let Some(author) = author {
            self.raise_mark(author, room, seq);
        }
        // As long as it is among the last messages, a start of the server finds the mark there.
        if let Some((seq, person)) = passed
            && self.mark(person, room) == Some(seq)
        {
            self.new_marks.push(ReadMark { room, person, seq });
        }
    }

    /// Notes that a message has no words any more, or has them again.
    pub fn note_deleted(&mut self, room: RoomId, seq: u64, is_deleted: bool) {
        if let Some(known) = self.known.get_mut(&room) {
            known.log.note_deleted(seq, is_deleted);
        }
    }

    /// Returns every room, the hall among them, with the number of its last record that was published.
    pub fn published(&self) -> impl Iterator<Item = (RoomId, u64)> {
        self.known.iter().map(|(id, known)| (*id, known.last()))
    }

    /// Notes that rooms were made up to this number, though they be no more.
    pub fn note_last_id(&mut self, room: RoomId) {
        self.last_id = self.last_id.max(room);
    }

    /// Returns the number of a room that is to be made; none is given twice.
    pub fn next_id(&mut self) -> RoomId {
        self.last_id.0 += 1;
        self.last_id
    }

    /// Returns a room.
    pub fn get(&self, room: RoomId) -> Option<&KnownRoom> {
        self.known.get(&room)
    }

    /// Returns the open rooms, the newest first.
    pub fn open(&self) -> impl Iterator<Item = (RoomId, &KnownRoom)> {
        self.open.iter().rev().filter_map(|id| Some((*id, self.known.get(id)?)))
    }

    /// Returns all rooms, the hall first, in the order in which they were made.
    pub fn all(&self) -> impl Iterator<Item = (RoomId, &KnownRoom)> {
        let mut ids: Vec<_> = self.known.keys().copied().collect();
        ids.sort_unstable();
        ids.into_iter().filter_map(|id| Some((id, self.known.get(&id)?)))
    }

    /// Returns the number of rooms beside the hall, with those that are being made.
    pub fn len(&self) -> usize {
        self.known.len() - 1 + self.pending.n_making()
    }

    /// Returns true if there is only the hall.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns true if a person is in a room, and is not about to be in it no more. Everybody is in the
    /// hall.
    pub fn is_in(&self, person: PersonId, room: RoomId) -> bool {
        room == HALL || self.has_seat(person, room) && !self.pending.is_leaving(person, room)
    }

    /// Returns true if a person is in a room as far as the store has answered.
    pub fn has_seat(&self, person: PersonId, room: RoomId) -> bool {
        self.seat(person, room).is_some()
    }

    /// Returns true if a person is about to be in a room.
    pub fn is_joining(&self, person: PersonId, room: RoomId) -> bool {
        self.pending.is_joining(person, room)
    }

    /// Returns true if a room is being made.
    pub fn is_being_made(&self, room: RoomId) -> bool {
        self.pending.is_making(room)
    }

    /// Returns the rooms that a person is in, in order, but for the hall.
    pub fn of(&self, person: PersonId) -> impl Iterator<Item = RoomId> {
        self.people.get(&person).into_iter().flat_map(|seats| seats.by_room.keys().copied())
    }

    /// Returns true if a person may be in one room more, which is `direct` and others' making, or any
    /// other.
    pub fn may_enter(&self, person: PersonId, is_foreign: bool) -> bool {
        let seats = self.people.get(&person);
        let (n_seats, n_foreign) = seats.map_or((0, 0), |it| (it.by_room.len(), it.n_foreign));
        let n_joining = self.pending.n_joining(person);
        n_seats + n_joining < SEATS_PER_PERSON_MAX
            && (is_foreign || n_seats - n_foreign + n_joining < ROOMS_PER_PERSON_MAX)
    }

    /// Returns true if a person may make one open or closed room more.
    pub fn may_make(&self, person: PersonId) -> bool {
        let n_made = self.people.get(&person).map_or(0, |seats| seats.n_made);
        n_made + self.pending.n_made(person) < ROOMS_MADE_MAX
    }

    /// Returns true if no other open room than `room` has a name that looks like this one, or will have.
    pub fn is_free(&self, name: &str, room: Option<RoomId>) -> bool {
        let has_it = |look| self.by_look.get(look).is_some_and(|(holder, _)| Some(*holder) != room);
        !Skeleton::of_text(name).iter().any(has_it)
    }

    /// Returns the direct room of these people, also if it is still being made.
    pub fn direct(&self, people: &BTreeSet<PersonId>) -> Option<RoomId> {
        let set: Box<[_]> = people.iter().copied().collect();
        self.by_set.get(&set).copied()
    }

    /// Returns the number of the last record of a room that a person has seen; `None` if they are not in
    /// it, or nothing is known.
    pub fn mark(&self, person: PersonId, room: RoomId) -> Option<u64> {
        match room {
            HALL => self.people.get(&person)?.hall,
            room => self.seat(person, room).map(|seat| seat.read),
        }
    }

    /// Notes that a person has seen a room up to `seq`; returns false if that was known, or they are not
    /// in it.
    pub fn raise_mark(&mut self, person: PersonId, room: RoomId, seq: u64) -> bool {
        if room == HALL {
            let mark = &mut self.people.entry(person).or_default().hall;
            let is_new = mark.is_none_or(|mark| mark < seq);
            *mark = (*mark).max(Some(seq));
            return is_new;
        }
        let seat = self.people.get_mut(&person).and_then(|seats| seats.by_room.get_mut(&room));
        let Some(seat) = seat.filter(|seat| seat.read < seq) else { return false };
        seat.read = seq;
        true
    }

    /// Notes that everything of a room up to `seq` is not kept any more: that counts as seen, as nobody can
    /// see it.
    pub fn note_forgotten(&mut self, room: RoomId, seq: u64) {
        if room == HALL {
            let marks = self.people.values_mut().filter_map(|seats| seats.hall.as_mut());
            return marks.for_each(|mark| *mark = seq.max(*mark));
        }
        let members: Vec<_> =
            self.known.get(&room).into_iter().flat_map(KnownRoom::members).collect();
        for person in members {
            self.raise_mark(person, room, seq);
        }
    }

    /// Notes that somebody is here, who may be new: then nothing that was said in the hall before is news
    /// to them.
    pub fn note_arrival(&mut self, person: PersonId) {
        if self.mark(person, HALL).is_none() {
            let seq = self.get(HALL).map_or(0, KnownRoom::last);
            self.raise_mark(person, HALL, seq);
            self.new_marks.push(ReadMark { room: HALL, person, seq });
        }
    }

    /// Has the store asked again to keep a mark.
    pub fn keep_mark(&mut self, mark: ReadMark) {
        self.new_marks.push(mark);
    }

    /// Takes the marks that the store is to keep and was not asked to yet.
    pub fn take_marks(&mut self) -> Vec<ReadMark> {
        let mut marks = mem::take(&mut self.new_marks);
        marks.retain(|mark| self.is_in(mark.person, mark.room));
        marks
    }

    /// Returns the number of messages of others in a room that a person has not seen, counted up to
    /// [`UNREAD_MAX`] and among the last messages.
    pub fn unread(&self, person: PersonId, room: RoomId) -> u64 {
        let read = self.mark(person, room).unwrap_or_default();
        self.known.get(&room).map_or(0, |known| known.log.unread(read, person))
    }

    fn seat(&self, person: PersonId, room: RoomId) -> Option<&Seat> {
        self.people.get(&person)?.by_room.get(&room)
    }
}

impl KnownRoom {
    fn hall() -> Self {
        Self {
            kind: RoomKind::Hall,
            name: String::new(),
            topic: String::new(),
            maker: None,
            members: BTreeMap::new(),
            last_place: 0,
            log: Log::default(),
        }
    }

    /// Returns its kind.
    pub fn kind(&self) -> RoomKind {
        self.kind
    }

    /// Returns its name; empty for the hall and for direct rooms.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its topic; empty if it has none.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Returns the person who made it; `None` for the hall.
    pub fn maker(&self) -> Option<PersonId> {
        self.maker
    }

    /// Returns the people in it, in the order in which they came; none for the hall.
    pub fn members(&self) -> impl Iterator<Item = PersonId> {
        self.members.values().copied()
    }

    /// Returns how many people are in it; none for the hall.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Returns true if nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Returns the number of its last record that was published; 0 if there is none.
    pub fn last(&self) -> u64 {
        self.log.last()
    }
}

#[cfg(test)]
mod tests;
