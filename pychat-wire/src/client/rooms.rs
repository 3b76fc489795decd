//! The rooms that a client hears, each with its own position in its own log.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use serde_json::Value;

use super::{
    Hearing, Message, PAGE_BYTES_MAX, Page, ROOMS_MAX, Room, RoomId, RoomRecord, Saved,
    place::{Order, Place},
    record::Record,
    tally::Tally,
};
use crate::message::{Amendment, RoomEvent, bounds};

/// The most bytes of a position in a hello without the id of the room: colon, number and comma.
const POSITION_BYTES_MAX: usize = 22;

/// The rooms. The hall is always among them.
#[derive(Debug)]
pub(super) struct Rooms {
    /// The epoch that all numbers belong to; `None` before the first welcome.
    epoch: Option<String>,
    /// True once every room has a position in that epoch.
    is_begun: bool,
    cursors: BTreeMap<RoomId, Cursor>,
    /// The number of positions that were ever given to rooms in the list.
    n_listed: u64,
    /// The memory that the pages take that are on their way, in bytes.
    page_bytes: usize,
}

/// One room.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    pub(super) place: Place,
    pub(super) tally: Tally,
    /// The room as the server described it last; `None` before it did.
    room: Option<Room>,
    /// Its position in the list of rooms.
    number: u64,
}

/// The change that a welcome brought.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Change {
    /// None: the same logs.
    None,
    /// The beginning: records from now on come next.
    Begun,
    /// Other logs: all of them comes next.
    NewEpoch,
}

/// The outcome of a welcome.
#[derive(Debug)]
pub(super) struct Welcomed {
    pub(super) change: Change,
    /// The rooms whose logs have lost their ends, and the numbers that were lost, as (from, to).
    pub(super) rewound: Vec<(RoomId, u64, u64)>,
    /// The rooms for which the hello had no space, and the numbers that are not sent, as (from, to).
    pub(super) skipped: Vec<(RoomId, u64, u64)>,
    /// The rooms that our person is in no more.
    pub(super) gone: Vec<RoomId>,
}

/// A record in its place.
pub(super) struct Placed {
    /// The record, which is the next one.
    pub(super) record: Record,
    /// The numbers before it that never came.
    pub(super) missing: Option<(u64, u64)>,
    /// True if it changed what is known of the room.
    pub(super) is_change: bool,
}

impl Rooms {
    /// Returns the rooms of `saved`. Where `is_resuming`, what follows the last records shown is next.
    pub(super) fn new(saved: &Saved, hearing: Hearing, is_resuming: bool) -> Self {
        let mut rooms = Self {
            epoch: saved.epoch.clone(),
            is_begun: is_resuming && saved.epoch.is_some(),
            cursors: BTreeMap::new(),
            n_listed: 1,
            page_bytes: 0,
        };
        for (id, spot) in &saved.rooms {
            if hearing == Hearing::All || id.is_hall() {
                let place = if is_resuming { Place::resumed(spot.seq) } else { Place::default() };
                let tally = Tally::new(place.last(), spot.seen.unwrap_or(0));
                rooms.cursors.insert(id.clone(), Cursor { place, tally, ..Cursor::default() });
            }
        }
        rooms.cursors.entry(RoomId::hall()).or_default().room = Some(Room::hall());
        rooms
    }

    /// Begins with everything that `epoch` has, unless it has begun already.
    pub(super) fn begin_with_everything(&mut self, epoch: &str) {
        if !self.is_begun {
            self.epoch = Some(epoch.to_owned());
            self.is_begun = true;
            for cursor in self.cursors.values_mut() {
                (cursor.place, cursor.tally) = (Place::resumed(0), Tally::new(0, 0));
            }
        }
    }

    /// Returns the epoch and the last number seen of each room, the hall first, of as many as fit into
    /// `bytes_max` bytes of JSON; `None` before it has begun.
    pub(super) fn positions(&self, bytes_max: usize) -> Option<(&str, BTreeMap<RoomId, u64>)> {
        let epoch = self.epoch.as_deref().filter(|_| self.is_begun)?;
        let mut bytes: usize = 0;
        let fitting = self.cursors.iter().take_while(|(id, _)| {
            let id_bytes = Value::from(id.as_str()).to_string().len();
            bytes = bytes.saturating_add(id_bytes + POSITION_BYTES_MAX);
            id.is_hall() || bytes <= bytes_max
        });
        Some((epoch, fitting.map(|(id, cursor)| (id.clone(), cursor.place.last())).collect()))
    }

    /// Takes what a welcome says. `asked` are the positions that the hello had.
    pub(super) fn on_welcome(
        &mut self,
        epoch: &str,
        listed: Vec<Room>,
        asked: &BTreeMap<RoomId, u64>,
    ) -> Welcomed {
        let is_other = self.epoch.as_deref() != Some(epoch);
        let change = match (mem::replace(&mut self.is_begun, true), is_other) {
            (false, _) => Change::Begun,
            (true, true) => Change::NewEpoch,
            (true, false) => Change::None,
        };
        self.epoch = Some(epoch.to_owned());
        let mut known = mem::take(&mut self.cursors);
        let (mut rewound, mut skipped) = (Vec::new(), Vec::new());
        self.n_listed = 0;
        for room in listed {
            if ROOMS_MAX <= self.cursors.len() || self.cursors.contains_key(&room.id) {
                continue;
            }
            let asked_after = asked.get(&room.id).copied();
            let cursor = match (change, known.remove(&room.id), asked_after) {
                (Change::None, Some(mut cursor), _) => {
                    let was_asked = asked_after.is_some();
                    if let Some((from, to)) = cursor.place.on_welcome(room.last, was_asked) {
                        rewound.push((room.id.clone(), from, to));
                    } else if !was_asked && let Some((from, to)) = cursor.place.on_gap(0, room.last)
                    {
                        skipped.push((room.id.clone(), from, to));
                        cursor.tally.skip(to);
                    }
                    cursor.tally.rewind(room.last);
                    cursor
                }
                (Change::NewEpoch, _, Some(after)) => Cursor::new(Place::anew(after), 0),
                (_, cursor, _) => {
                    let known = cursor.filter(|_| !is_other);
                    let mark = known.map_or(0, |cursor| cursor.tally.mark().min(room.last));
                    Cursor::new(Place::resumed(room.last), mark)
                }
            };
            self.list(cursor, room);
        }
        self.count_page_bytes();
        let gone =
            if change == Change::NewEpoch { Vec::new() } else { known.into_keys().collect() };
        Welcomed { change, rewound, skipped, gone }
    }

    /// Takes what the server says of a room that our person is in. Returns true if that is news, and
    /// `None` if there are too many rooms.
    pub(super) fn describe(&mut self, room: Room) -> Option<bool> {
        let is_full = ROOMS_MAX <= self.cursors.len();
        match self.cursors.get_mut(&room.id) {
            Some(cursor) => {
                cursor.describe(room);
                Some(false)
            }
            None if !is_full => {
                self.list(Cursor::new(Place::resumed(room.last), 0), room);
                Some(true)
            }
            None => None,
        }
    }

    /// Takes a room off the list; returns true if it was there. The hall stays.
    pub(super) fn remove(&mut self, id: &RoomId) -> bool {
        let is_gone = !id.is_hall() && self.cursors.remove(id).is_some();
        self.count_page_bytes();
        is_gone
    }

    pub(super) fn get(&self, id: &RoomId) -> Option<&Cursor> {
        self.cursors.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &RoomId) -> Option<&mut Cursor> {
        self.cursors.get_mut(id)
    }

    /// Returns the id of a room that is heard.
    pub(super) fn id_of(&self, id: &str) -> Option<RoomId> {
        self.cursors.get_key_value(id).map(|(id, _)| id.clone())
    }

    pub(super) fn ids(&self) -> BTreeSet<RoomId> {
        self.cursors.keys().cloned().collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&RoomId, &Cursor)> {
        self.cursors.iter()
    }

    /// Returns true if all numbers that were known belong to another epoch than `epoch`.
    pub(super) fn is_of_another(&self, epoch: &str) -> bool {
        self.epoch.as_deref().is_some_and(|known| known != epoch)
    }

    /// Returns the rooms as they are now, in the order in which they became known, the hall first.
    pub(super) fn described(&self) -> Vec<Room> {
        let mut rooms: Vec<_> =
            self.cursors.values().filter(|cursor| cursor.room.is_some()).collect();
        rooms.sort_by_key(|cursor| cursor.number);
        rooms.into_iter().filter_map(Cursor::described).collect()
    }

    /// Puts a record in its place: the next one is returned as such, one that belongs to the page
    /// that was asked for is kept with it.
    pub(super) fn place(&mut self, id: &RoomId, seq: u64, record: Record) -> Option<Placed> {
        let cursor = self.cursors.get_mut(id)?;
        match cursor.place.on_record(seq) {
            Order::Next { missing } => {
                let is_change = match &record {
                    Record::Message(message) => {
                        cursor.hear(seq, message);
                        false
                    }
                    Record::Event(record) => cursor.apply(record),
                    Record::Amended(amended) => {
                        cursor.amend(amended.seq, &amended.amendment);
                        let before = cursor.place.page_bytes();
                        let bytes_max = PAGE_BYTES_MAX.saturating_sub(self.page_bytes);
                        cursor.place.amend_older(amended, bytes_max);
                        self.page_bytes += cursor.place.page_bytes().saturating_sub(before);
                        false
                    }
                    Record::Unknown => false,
                };
                cursor.tally.reach(seq);
                Some(Placed { record, missing, is_change })
            }
            Order::Older if record.is_replayed() => {
                let before = cursor.place.page_bytes();
                let bytes_max = PAGE_BYTES_MAX.saturating_sub(self.page_bytes);
                cursor.place.on_older(seq, record, bytes_max);
                self.page_bytes += cursor.place.page_bytes().saturating_sub(before);
                None
            }
            Order::Older | Order::Known => None,
        }
    }

    /// Takes the end of a page; returns the page if it is the one that was asked for.
    pub(super) fn on_page(&mut self, id: &RoomId, before: u64, start: bool) -> Option<Page> {
        let cursor = self.cursors.get_mut(id)?;
        let (page, first) = cursor.place.on_page(before, start)?;
        let others = page.messages.iter().filter(|it| !it.own && !it.state.is_deleted);
        let others: Vec<_> = others.filter_map(|message| message.seq).collect();
        let first = if start { 0 } else { first };
        cursor.tally.page((first, before), &others);
        self.count_page_bytes();
        Some(Page { room: id.clone(), ..page })
    }

    /// Makes everything of a room older than `seq` count as not seen. Where the request for a page of it
    /// `is_waiting`, none is on its way. Returns true if a page that was asked for is not wanted any more.
    pub(super) fn forget_before(&mut self, id: &RoomId, seq: u64, is_waiting: bool) -> bool {
        let cursor = self.cursors.get_mut(id);
        let is_dropped = cursor.is_some_and(|cursor| cursor.place.forget_before(seq, is_waiting));
        self.count_page_bytes();
        is_dropped
    }

    fn list(&mut self, mut cursor: Cursor, room: Room) {
        let id = room.id.clone();
        cursor.number = self.n_listed;
        self.n_listed += 1;
        cursor.describe(room);
        self.cursors.insert(id, cursor);
    }

    fn count_page_bytes(&mut self) {
        self.page_bytes = self.cursors.values().map(|cursor| cursor.place.page_bytes()).sum();
    }
}

impl Cursor {
    fn new(place: Place, mark: u64) -> Self {
        let tally = Tally::new(place.last(), mark);
        Self { place, tally, ..Self::default() }
    }

    fn describe(&mut self, room: Room) {
        self.tally.count(room.last, room.read, room.unread);
        self.room = Some(room);
    }

    /// Returns the number of the last record when the server described the room last.
    pub(super) fn told_last(&self) -> Option<u64> {
        self.room.as_ref().map(|room| room.last)
    }

    /// Takes in that these numbers will not come; returns those that were still expected.
    pub(super) fn gap(&mut self, from: u64, to: u64) -> Option<(u64, u64)> {
        let missing = self.place.on_gap(from, to)?;
        self.tally.reach(missing.1);
        Some(missing)
    }

    /// Returns the number of the last record of the room, as far as it is known.
    pub(super) fn last(&self) -> u64 {
        self.place.last().max(self.tally.counted_to())
    }

    /// Returns the number of messages of others that our person has not seen.
    pub(super) fn unread(&self) -> u64 {
        self.tally.unread(self.place.last())
    }

    /// Returns the room as it is now.
    pub(super) fn described(&self) -> Option<Room> {
        let room = self.room.clone()?;
        Some(Room { last: self.last(), read: self.tally.mark(), unread: self.unread(), ..room })
    }

    /// Takes the next message. One that is deleted is nothing to read.
    fn hear(&mut self, seq: u64, message: &Message) {
        if message.own || !message.state.is_deleted {
            self.tally.hear(seq, message.own);
        }
    }

    /// Takes the next amendment: what is deleted is nothing to read any more.
    fn amend(&mut self, seq: u64, amendment: &Amendment<'_>) {
        if let Amendment::Delete { target } = amendment {
            self.tally.forget(*target, seq);
        }
    }

    /// Takes the next event. Returns true if it changed what is known of the room: one that the server
    /// had heard when it described the room changes nothing.
    fn apply(&mut self, record: &RoomRecord) -> bool {
        let counted_to = self.tally.counted_to();
        let Some(room) = self.room.as_mut().filter(|_| counted_to < record.seq) else {
            return false;
        };
        let subject = record.subject.as_deref().unwrap_or_default();
        match record.event {
            RoomEvent::Renamed => room.name = bounds::label(subject).into_owned(),
            RoomEvent::Topic => room.topic = bounds::sentence(subject).into_owned(),
            _ => return false,
        }
        true
    }
}
