//! The logs of the rooms, in memory.

use std::collections::{BTreeSet, VecDeque};

use rustc_hash::FxHashMap;

use crate::core::{
    id::{HALL, RoomId},
    record::{Draft, Record},
};

/// The log of each room, and the order in which the rooms' oldest records were taken.
#[derive(Debug, Default)]
pub(super) struct Logs {
    rooms: FxHashMap<RoomId, Log>,
    /// The rooms that keep something, by when their oldest record was taken.
    by_age: BTreeSet<(u64, RoomId)>,
    /// The rooms that may keep too many since they were looked at last.
    touched: Vec<RoomId>,
    /// The largest number of a room that ever had a record.
    last_room: Option<RoomId>,
    /// The number of all records, and the bytes of their contents.
    len: usize,
    content_bytes: usize,
}

/// The log of one room.
#[derive(Debug, Default)]
struct Log {
    records: VecDeque<Record>,
    /// The newest record, kept or not: its number and its time.
    last_seq: u64,
    last_ms: u64,
}

impl Logs {
    /// Makes a record of a draft.
    pub(super) fn append(&mut self, room: RoomId, utc_ms: u64, draft: Draft) -> Record {
        self.last_room = self.last_room.max(Some(room));
        let log = self.rooms.entry(room).or_default();
        (log.last_seq, log.last_ms) = (log.last_seq + 1, log.last_ms.max(utc_ms));
        let (seq, time_ms) = (log.last_seq, log.last_ms);
        if log.records.is_empty() {
            self.by_age.insert((time_ms, room));
        }
        self.len += 1;
        self.content_bytes += draft.kind.text().len();
        if self.touched.last() != Some(&room) {
            self.touched.push(room);
        }
        let record = draft.into_record(room, seq, time_ms);
        log.records.push_back(record.clone());
        record
    }

    /// Takes the oldest record out of a room's log.
    pub(super) fn forget_first(&mut self, room: RoomId) -> Option<Record> {
        let log = self.rooms.get_mut(&room)?;
        let record = log.records.pop_front()?;
        self.len -= 1;
        self.content_bytes -= record.kind.text().len();
        let next_ms = log.records.front().map(|next| next.time_ms);
        if next_ms != Some(record.time_ms) {
            self.by_age.extend(next_ms.map(|next_ms| (next_ms, room)));
            self.by_age.remove(&(record.time_ms, room));
        }
        Some(record)
    }

    /// Forgets the log of a room, which keeps nothing.
    pub(super) fn remove(&mut self, room: RoomId) {
        self.rooms.remove(&room);
    }

    /// Returns the largest number of a room that ever had a record.
    pub(super) fn last_room(&self) -> RoomId {
        self.last_room.unwrap_or(HALL)
    }

    /// Returns a room that keeps more than `records_max`, if one does.
    pub(super) fn crowded(&mut self, records_max: usize) -> Option<RoomId> {
        while let Some(room) = self.touched.last() {
            if self.rooms.get(room).is_some_and(|log| records_max < log.records.len()) {
                return Some(*room);
            }
            self.touched.pop();
        }
        None
    }

    /// Has all rooms looked at again for such that keep too many.
    pub(super) fn touch_all(&mut self) {
        self.touched = self.rooms.keys().copied().collect();
    }

    /// Returns when the oldest record of all was taken, and its room.
    pub(super) fn oldest(&self) -> Option<(u64, RoomId)> {
        self.by_age.first().copied()
    }

    /// Returns the number of all records.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Returns the bytes of all contents.
    pub(super) fn content_bytes(&self) -> usize {
        self.content_bytes
    }

    /// Returns the records of a room, oldest first.
    pub(super) fn records(&self, room: RoomId) -> Option<&VecDeque<Record>> {
        Some(&self.rooms.get(&room)?.records)
    }

    /// Returns a record of a room. Numbers are dense, so its place is its distance from the oldest.
    pub(super) fn find(&self, room: RoomId, seq: u64) -> Option<&Record> {
        let records = self.records(room)?;
        let place = seq.checked_sub(records.front()?.seq)?;
        records.get(usize::try_from(place).ok()?)
    }

    /// Changes a record of a room; returns what `change` does.
    pub(super) fn change<T>(
        &mut self,
        room: RoomId,
        seq: u64,
        change: impl FnOnce(&mut Record) -> T,
    ) -> Option<T> {
        let log = self.rooms.get_mut(&room)?;
        let place = seq.checked_sub(log.records.front()?.seq)?;
        let record = log.records.get_mut(usize::try_from(place).ok()?)?;
        let bytes = record.kind.text().len();
        let changed = change(record);
        self.content_bytes = self.content_bytes - bytes + record.kind.text().len();
        Some(changed)
    }

    /// Returns the number of the oldest record of a room, or of the next if there is none.
    pub(super) fn first_seq(&self, room: RoomId) -> u64 {
        let oldest = self.records(room).and_then(VecDeque::front);
        oldest.map_or_else(|| self.last_seq(room) + 1, |oldest| oldest.seq)
    }

    /// Returns the number of the newest record of a room, kept or not.
    pub(super) fn last_seq(&self, room: RoomId) -> u64 {
        self.rooms.get(&room).map_or(0, |log| log.last_seq)
    }
}
