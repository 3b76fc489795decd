//! The beginnings and the ends of the logs, as the file has them, in memory.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params};
use rustc_hash::{FxHashMap, FxHashSet};

use super::rows::integer;
use crate::{
    core::id::{HALL, RoomId},
    store::MESSAGE_BYTES,
};

/// The bits of a key that are the number of a record in its log; those above are the room's.
const SEQ_BITS: u32 = 40;

/// The largest number of a record.
const SEQ_MAX: u64 = (1 << SEQ_BITS) - 1;

const SELECT_LOGS: &str = "SELECT room, trimmed_seq, trimmed_ms FROM logs";
const INSERT_LOG: &str = "INSERT INTO logs (room, trimmed_seq, trimmed_ms) VALUES (?1, 0, 0)";
/// The logs of rooms that there are no more.
const SELECT_OVER: &str =
    "SELECT room FROM logs WHERE 0 < room AND room NOT IN (SELECT id FROM rooms)";
/// The largest number stays, for the next room to have a larger one.
const DELETE_LOG: &str = "DELETE FROM logs WHERE room = ?1 AND room < (SELECT max(room) FROM logs)";
const SELECT_FIRST: &str = "SELECT key, time_ms, begin_bytes FROM records \
    WHERE key BETWEEN ?1 AND ?2 ORDER BY key LIMIT 1";
const SELECT_LAST: &str = "SELECT key, time_ms, begin_bytes + octet_length(content) + ?3 FROM records \
    WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC LIMIT 1";

/// The beginning and the end of one log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) struct Ends {
    pub(in crate::store) first_seq: u64,
    /// When the first record was taken, if there is one.
    pub(in crate::store) first_ms: Option<u64>,
    pub(in crate::store) last_seq: u64,
    pub(in crate::store) last_ms: u64,
    /// The bytes that all records before the first took, and all until now.
    pub(in crate::store) first_bytes: u64,
    pub(in crate::store) last_bytes: u64,
}

/// The ends of every log, and an order of the rooms in which there is something to forget.
#[derive(Debug)]
pub(in crate::store) struct Logs {
    ends: FxHashMap<RoomId, Ends>,
    /// The rooms that keep something, by when their oldest record was taken.
    by_age: BTreeSet<(u64, RoomId)>,
    /// The rooms that keep more records than they should, by how many more.
    crowded: BTreeSet<(u64, RoomId)>,
    /// The most records that a room should keep.
    records_max: u64,
    /// The rooms that should keep none.
    over: FxHashSet<RoomId>,
    /// The number of all records that are kept, and the bytes that they take.
    len: u64,
    bytes: u64,
    /// The ends as they were before each change that may be taken back, oldest first.
    before: Vec<(RoomId, Option<Ends>)>,
}

impl Ends {
    /// The ends of a log that never had a record.
    pub(in crate::store) const NEW: Self = Self {
        first_seq: 1,
        first_ms: None,
        last_seq: 0,
        last_ms: 0,
        first_bytes: 0,
        last_bytes: 0,
    };

    /// Returns the number of records that are kept.
    fn len(&self) -> u64 {
        (self.last_seq + 1).saturating_sub(self.first_seq)
    }

    /// Returns the bytes that those take.
    fn bytes(&self) -> u64 {
        self.last_bytes.saturating_sub(self.first_bytes)
    }

    /// Returns these ends with the beginning that the file has now.
    pub(super) fn with_first(
        self,
        connection: &Connection,
        room: RoomId,
    ) -> rusqlite::Result<Self> {
        let first = connection
            .prepare_cached(SELECT_FIRST)?
            .query_row(keys(room)?, |row| Ok((seq_of(row.get(0)?), row.get(1)?, row.get(2)?)))
            .optional()?;
        let (first_seq, first_ms, first_bytes) = first.map_or(
            (self.last_seq + 1, None, self.last_bytes),
            |(seq, time_ms, bytes): (_, _, u64)| (seq, Some(time_ms), bytes.min(self.last_bytes)),
        );
        Ok(Self { first_seq, first_ms, first_bytes, ..self })
    }
}

impl Logs {
    /// Returns the ends of no logs.
    pub(in crate::store) fn new(records_max: u64) -> Self {
        Self {
            ends: FxHashMap::default(),
            by_age: BTreeSet::new(),
            crowded: BTreeSet::new(),
            records_max,
            over: FxHashSet::default(),
            len: 0,
            bytes: 0,
            before: Vec::new(),
        }
    }

    /// Reads the ends of all logs by a few look-ups each.
    pub(super) fn read(connection: &Connection, records_max: u64) -> rusqlite::Result<Self> {
        let mut logs = Self::new(records_max);
        let mut select = connection.prepare(SELECT_LOGS)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let room = RoomId(row.get(0)?);
            let ends = read_ends(connection, room, (row.get(1)?, row.get(2)?))?;
            logs.put(room, Some(ends));
        }
        Ok(logs)
    }

    /// Returns the rooms that there are no more, and of which there is a log.
    pub(super) fn read_over(connection: &Connection) -> rusqlite::Result<Vec<RoomId>> {
        connection.prepare(SELECT_OVER)?.query_map([], |row| row.get(0).map(RoomId))?.collect()
    }

    /// Returns the ends of a room's log.
    pub(in crate::store) fn ends(&self, room: RoomId) -> Ends {
        self.ends.get(&room).copied().unwrap_or(Ends::NEW)
    }

    /// Begins the log of a room in the file, unless there is one.
    pub(super) fn begin(&self, connection: &Connection, room: RoomId) -> rusqlite::Result<()> {
        if !self.ends.contains_key(&room) {
            connection.prepare_cached(INSERT_LOG)?.execute([room.0])?;
        }
        Ok(())
    }

    /// Changes the ends of a room's log, until it is said whether that is to last.
    pub(in crate::store) fn set(&mut self, room: RoomId, ends: Ends) {
        let before = self.put(room, Some(ends));
        self.before.push((room, before));
    }

    /// Makes all changes last if they are in the file, or takes them back.
    pub(in crate::store) fn settle(&mut self, are_written: bool) {
        while let Some((room, before)) = self.before.pop() {
            if !are_written {
                self.put(room, before);
            }
        }
    }

    /// Changes the most records that a room should keep.
    pub(in crate::store) fn set_records_max(&mut self, records_max: u64) {
        self.records_max = records_max;
        let excess = |(room, ends): (&RoomId, &Ends)| {
            Some((excess(ends, self.records_max_of(*room))?, *room))
        };
        self.crowded = self.ends.iter().filter_map(excess).collect();
    }

    /// Returns the most records that this room should keep.
    pub(in crate::store) fn records_max_of(&self, room: RoomId) -> u64 {
        if self.over.contains(&room) { 0 } else { self.records_max }
    }

    /// Returns the largest number of a room whose log was begun.
    pub(in crate::store) fn last_room(&self) -> RoomId {
        self.ends.keys().copied().max().unwrap_or(HALL)
    }

    /// Has the log of a room that is over be forgotten, a little at a time; once nothing is left of it,
    /// forgets that there was one, unless no other room has a larger number. Returns true if that is done.
    pub(super) fn end(&mut self, connection: &Connection, room: RoomId) -> rusqlite::Result<bool> {
        if !self.ends.contains_key(&room) {
            return Ok(true);
        }
        if self.empty(room) {
            return Ok(false);
        }
        let is_done = connection.prepare_cached(DELETE_LOG)?.execute([room.0])? == 1;
        if is_done {
            self.remove(room);
        }
        Ok(is_done)
    }

    /// Has all of a room's log be forgotten, if it keeps anything; returns true if it does.
    pub(in crate::store) fn empty(&mut self, room: RoomId) -> bool {
        let ends = self.ends(room);
        let is_kept = 0 < ends.len();
        if is_kept {
            let before = excess(&ends, self.records_max_of(room));
            self.over.insert(room);
            move_to(&mut self.crowded, room, before, excess(&ends, 0));
        }
        is_kept
    }

    /// Forgets that there was a log.
    pub(in crate::store) fn remove(&mut self, room: RoomId) {
        self.put(room, None);
        self.over.remove(&room);
    }

    /// Returns the room that keeps most beyond the limit, and the number of records beyond it.
    pub(in crate::store) fn most_crowded(&self) -> Option<(u64, RoomId)> {
        self.crowded.last().copied()
    }

    /// Returns the room with the oldest record of all, and when that was taken.
    pub(in crate::store) fn oldest(&self) -> Option<(u64, RoomId)> {
        self.by_age.first().copied()
    }

    /// Returns when the oldest record of any room but the one with the oldest was taken.
    pub(in crate::store) fn second_oldest_ms(&self) -> Option<u64> {
        self.by_age.iter().nth(1).map(|(first_ms, _)| *first_ms)
    }

    /// Returns the number of all records that are kept.
    pub(in crate::store) fn len(&self) -> u64 {
        self.len
    }

    /// Returns the bytes that all records take.
    pub(in crate::store) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Puts new ends in the place of a room's; returns the old ones.
    pub(in crate::store) fn put(&mut self, room: RoomId, ends: Option<Ends>) -> Option<Ends> {
        let old = match ends {
            Some(ends) => self.ends.insert(room, ends),
            None => self.ends.remove(&room),
        };
        if let Some(old) = old {
            self.len -= old.len();
            self.bytes -= old.bytes();
        }
        if let Some(new) = ends {
            self.len = self.len.saturating_add(new.len());
            self.bytes = self.bytes.saturating_add(new.bytes());
        }
        let first_ms = |ends: Option<Ends>| ends.and_then(|ends| ends.first_ms);
        move_to(&mut self.by_age, room, first_ms(old), first_ms(ends));
        let records_max = self.records_max_of(room);
        let excess = |ends: Option<Ends>| excess(&ends?, records_max);
        move_to(&mut self.crowded, room, excess(old), excess(ends));
        old
    }
}

/// Returns the number of records kept beyond the limit, if there are any.
fn excess(ends: &Ends, records_max: u64) -> Option<u64> {
    ends.len().checked_sub(records_max).filter(|excess| 0 < *excess)
}

/// Moves a room from one place in an order to another.
fn move_to(order: &mut BTreeSet<(u64, RoomId)>, room: RoomId, old: Option<u64>, new: Option<u64>) {
    if old != new {
        order.extend(new.map(|new| (new, room)));
        if let Some(old) = old {
            order.remove(&(old, room));
        }
    }
}

/// Reads the ends of a room's log, of which the record `trimmed` was forgotten last.
fn read_ends(connection: &Connection, room: RoomId, trimmed: (u64, u64)) -> rusqlite::Result<Ends> {
    let [first, last] = keys(room)?;
    let end = |row: &Row<'_>| Ok(((seq_of(row.get(0)?), row.get(1)?), row.get(2)?));
    let newest = connection
        .prepare_cached(SELECT_LAST)?
        .query_row(params![first, last, integer(MESSAGE_BYTES)], end)
        .optional()?;
    let (newest, last_bytes) = newest.unwrap_or((trimmed, 0));
    let (last_seq, last_ms) = newest.max(trimmed);
    Ends { last_seq, last_ms, last_bytes, ..Ends::NEW }.with_first(connection, room)
}

/// Returns the key of a record.
///
/// # Errors
///
/// The file has no more keys for this room, or for as many rooms.
pub(super) fn key(room: RoomId, seq: u64) -> rusqlite::Result<i64> {
    let key = u64::from(room.0) << SEQ_BITS | seq;
    let is_room = u64::from(room.0) <= i64::MAX.cast_unsigned() >> SEQ_BITS && seq <= SEQ_MAX;
    let key = i64::try_from(key).ok().filter(|_| is_room);
    key.ok_or_else(|| rusqlite::Error::ToSqlConversionFailure("the file has no more keys".into()))
}

/// Returns the least and the largest key that a record of a room can have.
pub(super) fn keys(room: RoomId) -> rusqlite::Result<[i64; 2]> {
    Ok([key(room, 0)?, key(room, SEQ_MAX)?])
}

/// Returns the key of a record, or that of the last which its room can have if that is less.
pub(super) fn key_up_to(room: RoomId, seq: u64) -> rusqlite::Result<i64> {
    key(room, seq.min(SEQ_MAX))
}

/// Returns the number that the record with this key has in its log.
pub(super) fn seq_of(key: u64) -> u64 {
    key & SEQ_MAX
}

/// Returns the room of the record with this key.
pub(super) fn room_of(key: u64) -> RoomId {
    RoomId(u32::try_from(key >> SEQ_BITS).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_of_one_record_and_those_of_a_room_are_in_order() {
        let last = RoomId((1 << 23) - 1);
        for (room, seq) in [(RoomId(0), 1), (RoomId(1), 0), (RoomId(7), 5), (last, SEQ_MAX)] {
            let key = u64::try_from(key(room, seq).unwrap()).unwrap();
            assert_eq!((room_of(key), seq_of(key)), (room, seq));
        }
        assert_eq!(key(RoomId(0), 77).unwrap(), 77, "those of the hall are its numbers");
        assert_eq!(keys(RoomId(1)).unwrap(), [1 << 40, (2 << 40) - 1]);
        for (room, seq) in [(RoomId(1 << 23), 1), (RoomId(u32::MAX), 1), (RoomId(0), 1 << 40)] {
            key(room, seq).unwrap_err();
        }
        assert_eq!(key_up_to(RoomId(1), u64::MAX).unwrap(), (2 << 40) - 1);
    }

    #[test]
    fn changes_that_are_taken_back_leave_no_trace() {
        let connection = Connection::open_in_memory().unwrap();
        super::super::migrations::migrate(&connection, super::super::migrations::MIGRATIONS)
            .unwrap();
        let mut logs = Logs::read(&connection, 1).unwrap();
        let ends = |last_seq| Ends {
            first_ms: Some(last_seq),
            last_seq,
            last_bytes: 9 * last_seq,
            ..Ends::NEW
        };
        logs.set(RoomId(1), ends(5));
        logs.settle(true);
        let shown = |logs: &Logs| format!("{logs:?}");
        let before = shown(&logs);
        for room in [1, 2, 1, 2, 3] {
            logs.set(RoomId(room), ends(7));
        }
        assert_eq!((logs.len(), logs.bytes()), (21, 189));
        assert_eq!(logs.most_crowded(), Some((6, RoomId(3))));
        assert_eq!((logs.oldest(), logs.second_oldest_ms()), (Some((7, RoomId(1))), Some(7)));
        logs.settle(false);
        assert_eq!(shown(&logs), before);
    }
}
