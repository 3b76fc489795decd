//! The index of words, which follows the logs a little behind: whoever says something never waits for
//! it. What takes words out of a message takes them out of the index in the same transaction.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::FxHashMap;

use super::{
    SqliteStore,
    logs::{Logs, key, keys, room_of, seq_of},
    rows::{integer, transaction},
    terms::{joined, terms},
};
use crate::core::{id::RoomId, record::Record};

const SELECT_INDEXED: &str = "SELECT room, indexed_seq FROM logs";
const UPDATE_INDEXED: &str = "UPDATE logs SET indexed_seq = ?2 WHERE room = ?1";
const SELECT_NEXT_TIME: &str =
    "SELECT time_ms FROM records WHERE ?1 < key AND key <= ?2 ORDER BY key LIMIT 1";
const SELECT_NEXT: &str = "SELECT key, time_ms, author, content, kind, words FROM records \
    WHERE ?1 < key AND key <= ?2 ORDER BY key LIMIT ?3";
/// A number that is still to be taken out is given to no other.
const INSERT_DOC: &str = "INSERT INTO search_docs (doc, record) VALUES (1 + max( \
    coalesce((SELECT max(doc) FROM search_docs), 0), \
    coalesce((SELECT max(doc) FROM search_forgotten), 0)), ?1)";
const SELECT_DOC: &str = "SELECT doc FROM search_docs WHERE record = ?1";
const INSERT_TERMS: &str = "INSERT INTO search (rowid, terms) VALUES (?1, ?2)";
/// The index finds each term by itself: it keeps no texts.
const DELETE_TERMS: &str = "INSERT INTO search (search, rowid, terms) VALUES ('delete', ?1, ?2)";
/// Does a little of what keeps the index small, if there is anything to do.
const MERGE: &str = "INSERT INTO search (search, rank) VALUES ('merge', ?1)";
const SELECT_TRIMMED: &str = "SELECT key, doc, author, content, words FROM search_docs \
    JOIN records ON key = record WHERE record BETWEEN ?1 AND ?2";
const DELETE_DOCS: &str = "DELETE FROM search_docs WHERE record BETWEEN ?1 AND ?2";
const INSERT_FORGOTTEN: &str = "INSERT INTO search_forgotten (doc, terms) VALUES (?1, ?2)";
const SELECT_FORGOTTEN: &str = "SELECT doc, terms FROM search_forgotten ORDER BY doc LIMIT ?1";
const SELECT_HAS_FORGOTTEN: &str = "SELECT EXISTS (SELECT 1 FROM search_forgotten)";
const DELETE_FORGOTTEN: &str = "DELETE FROM search_forgotten WHERE doc = ?1";

/// The most records that are taken in by one step, and the most bytes of their texts, but for one.
const STEP_RECORDS: usize = 64;
const STEP_BYTES: usize = 32 << 10;

/// The steps of one transaction while nobody else waits for the file.
const BUILD_STEPS: usize = 64;

/// The most messages that are taken out by one step.
const STEP_FORGOTTEN: u64 = 8;

/// The pages of the index that are merged by one step.
const MERGE_PAGES: i64 = 32;

/// The pause between two steps while there is more to do.
const STEP_PAUSE: Duration = Duration::from_millis(20);

/// The pause after the last one: what is said meanwhile is taken in together.
const REST: Duration = Duration::from_secs(1);

/// The progress of the index.
#[derive(Debug, Default)]
pub(super) struct Index {
    rooms: FxHashMap<RoomId, Followed>,
    /// The rooms with records that the index does not have, by when the first of those was taken.
    waiting: BTreeSet<(u64, RoomId)>,
    /// There are messages to be taken out.
    has_forgotten: bool,
    /// The earliest time of the next step.
    next_at: Option<Instant>,
}

/// The part of a log that the index has.
#[derive(Clone, Copy, Debug, Default)]
struct Followed {
    seq: u64,
    /// There is more, and the room waits for its turn.
    is_waiting: bool,
}

/// A change of the words of a message.
pub(super) struct Change<'a> {
    pub(super) room: RoomId,
    pub(super) author: &'a str,
    /// The words that it had and has, where it has any.
    pub(super) before: Option<&'a str>,
    pub(super) after: Option<&'a str>,
}

impl Index {
    /// Finds out what the index has of each log.
    pub(super) fn read(connection: &Connection, logs: &Logs) -> rusqlite::Result<Self> {
        let mut index = Self {
            has_forgotten: connection.query_row(SELECT_HAS_FORGOTTEN, [], |row| row.get(0))?,
            ..Self::default()
        };
        let mut select = connection.prepare(SELECT_INDEXED)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (room, seq) = (RoomId(row.get(0)?), row.get(1)?);
            let mut followed = Followed { seq, is_waiting: false };
            if seq < logs.ends(room).last_seq {
                let [_, last] = keys(room)?;
                let mut select = connection.prepare_cached(SELECT_NEXT_TIME)?;
                let next =
                    select.query_row([key(room, seq)?, last], |row| row.get(0)).optional()?;
                followed.is_waiting = next.is_some();
                index.waiting.extend(next.map(|time_ms| (time_ms, room)));
            }
            index.rooms.insert(room, followed);
        }
        Ok(index)
    }

    /// Takes in that there is a new record.
    pub(super) fn add(&mut self, record: &Record) {
        let followed = self.rooms.entry(record.room).or_default();
        if !followed.is_waiting {
            followed.is_waiting = true;
            self.waiting.insert((record.time_ms, record.room));
        }
    }

    /// Takes in that messages were forgotten.
    pub(super) fn note_forgotten(&mut self) {
        self.has_forgotten = true;
    }

    fn has_work(&self) -> bool {
        !self.waiting.is_empty() || self.has_forgotten
    }

    /// Takes a few records in, in the order in which they were taken, and a few out.
    fn step(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let (mut n_left, mut bytes_left) = (STEP_RECORDS, STEP_BYTES);
        while 0 < n_left
            && 0 < bytes_left
            && let Some((_, room)) = self.waiting.pop_first()
        {
            let until_ms = self.waiting.first().map_or(u64::MAX, |(time_ms, _)| *time_ms);
            let followed = self.rooms.entry(room).or_default();
            followed.is_waiting = false;
            let [_, last] = keys(room)?;
            let values = params![key(room, followed.seq)?, last, integer(n_left as u64 + 1)];
            let mut select = connection.prepare_cached(SELECT_NEXT)?;
            let mut rows = select.query(values)?;
            let mut is_first = true;
            while let Some(row) = rows.next()? {
                let time_ms = row.get(1)?;
                let is_anothers_turn = !is_first && until_ms < time_ms;
                if is_anothers_turn || n_left == 0 || bytes_left == 0 {
                    followed.is_waiting = true;
                    self.waiting.insert((time_ms, room));
                    break;
                }
                let key = row.get(0)?;
                let content = row.get_ref(3)?.as_str()?;
                if row.get::<_, i64>(4)? == 0 {
                    connection.prepare_cached(INSERT_DOC)?.execute([integer(key)])?;
                    if row.get::<_, i64>(5)? == 0 {
                        let terms = terms(room, row.get_ref(2)?.as_str()?, content);
                        let values = params![connection.last_insert_rowid(), joined(&terms)];
                        connection.prepare_cached(INSERT_TERMS)?.execute(values)?;
                    }
                    bytes_left = bytes_left.saturating_sub(content.len());
                }
                (followed.seq, is_first) = (seq_of(key), false);
                n_left -= 1;
            }
            let values = params![room.0, integer(followed.seq)];
            connection.prepare_cached(UPDATE_INDEXED)?.execute(values)?;
        }
        self.has_forgotten = take_out(connection)?;
        connection.prepare_cached(MERGE)?.execute([MERGE_PAGES])?;
        Ok(())
    }
}

impl SqliteStore {
    /// Takes a few records into the index, or out of it; returns when there is more to do.
    pub(super) fn index_due(&mut self, now: Instant) -> Option<Instant> {
        if !self.index.has_work() {
            return None;
        }
        if let Some(next_at) = self.index.next_at.filter(|next_at| now < *next_at) {
            return Some(next_at);
        }
        let is_done = !self.folder.is_short() && self.step();
        let pause = if is_done && self.index.has_work() { STEP_PAUSE } else { REST };
        let next_at = now + pause;
        self.index.next_at = Some(next_at);
        self.index.has_work().then_some(next_at)
    }

    /// Takes a step as a whole, or not at all; returns true if it is taken.
    fn step(&mut self) -> bool {
        let index = &mut self.index;
        let is_taken = transaction(&self.connection, |connection| index.step(connection)).is_ok();
        // What was taken in is not, after all. If that cannot be read either, nothing can.
        if !is_taken && let Ok(index) = Index::read(&self.connection, &self.logs) {
            self.index = index;
        }
        is_taken
    }
}

/// Takes in all records of a file that no server has open; tells `progress` of those that are looked at and
/// of all.
pub(super) fn build(
    connection: &Connection,
    logs: &Logs,
    progress: &mut dyn FnMut(u64, u64),
) -> rusqlite::Result<()> {
    let mut index = Index::read(connection, logs)?;
    let mut done = 0;
    while index.has_work() {
        transaction(connection, |connection| {
            for _ in 0..BUILD_STEPS {
                index.step(connection)?;
            }
            Ok(())
        })?;
        done = (done + (BUILD_STEPS * STEP_RECORDS) as u64).min(logs.len());
        progress(done, logs.len());
    }
    Ok(())
}

/// Changes the words that the index has of a message, if it has the message.
pub(super) fn change(
    connection: &Connection,
    key: i64,
    change: &Change<'_>,
) -> rusqlite::Result<()> {
    let Change { room, author, before, after } = *change;
    if before == after {
        return Ok(());
    }
    let Some(doc) = find(connection, key)? else { return Ok(()) };
    let terms_of = |text: Option<&str>| text.map(|text| terms(room, author, text));
    let (before, after) =
        (terms_of(before).unwrap_or_default(), terms_of(after).unwrap_or_default());
    let (gone, new) = (joined(before.difference(&after)), joined(after.difference(&before)));
    if !gone.is_empty() {
        connection.prepare_cached(DELETE_TERMS)?.execute(params![doc, gone])?;
    }
    if !new.is_empty() {
        connection.prepare_cached(INSERT_TERMS)?.execute(params![doc, new])?;
    }
    Ok(())
}

/// Returns the document that a message is, if the index has it.
pub(super) fn find(connection: &Connection, key: i64) -> rusqlite::Result<Option<u64>> {
    connection.prepare_cached(SELECT_DOC)?.query_row([key], |row| row.get(0)).optional()
}

/// Has the index forget the messages with keys between these, which are about to be forgotten: they are
/// found no more at once, and taken out of it little by little.
pub(super) fn forget(connection: &Connection, [first, last]: [i64; 2]) -> rusqlite::Result<()> {
    let mut select = connection.prepare_cached(SELECT_TRIMMED)?;
    let mut rows = select.query([first, last])?;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(4)? == 0 {
            let (author, text) = (row.get_ref(2)?.as_str()?, row.get_ref(3)?.as_str()?);
            let terms = terms(room_of(row.get(0)?), author, text);
            let values = params![row.get::<_, i64>(1)?, joined(&terms)];
            connection.prepare_cached(INSERT_FORGOTTEN)?.execute(values)?;
        }
    }
    connection.prepare_cached(DELETE_DOCS)?.execute([first, last])?;
    Ok(())
}

/// Takes a few messages out of the index that are kept no more; returns true if there are others.
fn take_out(connection: &Connection) -> rusqlite::Result<bool> {
    let mut select = connection.prepare_cached(SELECT_FORGOTTEN)?;
    let forgotten = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let forgotten: Vec<(i64, String)> =
        select.query_map([integer(STEP_FORGOTTEN)], forgotten)?.collect::<rusqlite::Result<_>>()?;
    for (doc, terms) in &forgotten {
        connection.prepare_cached(DELETE_TERMS)?.execute(params![doc, terms])?;
        connection.prepare_cached(DELETE_FORGOTTEN)?.execute([doc])?;
    }
    Ok(forgotten.len() as u64 == STEP_FORGOTTEN)
}
