//! Records as rows of the file, and the SQL that reads and writes them.

use std::sync::Arc;

use pychat_wire::{UserName, message::RoomEvent};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params, types::Type};

use super::{
    logs::{Logs, key, room_of, seq_of},
    rows::integer,
};
use crate::{
    core::{
        id::RoomId,
        record::{Appended, Draft, Entry, Kind, PersonId, Record},
    },
    store::MESSAGE_BYTES,
};

const INSERT: &str = "INSERT INTO records (key, time_ms, author, content, id, person, begin_bytes, kind) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (person, id) WHERE id IS NOT NULL DO NOTHING";
const SELECT_KNOWN: &str = "SELECT key, time_ms, author, content, id, person, kind FROM records \
    WHERE person = ?1 AND id = ?2";
const SELECT_ONE: &str =
    "SELECT key, time_ms, author, content, id, person, kind FROM records WHERE key = ?1";
pub(super) const SELECT_AFTER: &str = "SELECT key, time_ms, author, content, id, person, kind FROM records \
        WHERE ?1 < key AND key <= ?2 ORDER BY key";
/// The sizes of texts alone: SQLite reads no text to know its size.
pub(super) const SELECT_SIZES: &str = "SELECT key, octet_length(content) FROM records \
    WHERE ?1 <= key AND key < ?2 ORDER BY key DESC LIMIT ?3";

/// The events, each at the place that is its number in the file. Only ever add to these.
const EVENTS: [RoomEvent; 8] = [
    RoomEvent::Unknown,
    RoomEvent::Created,
    RoomEvent::Joined,
    RoomEvent::Left,
    RoomEvent::Added,
    RoomEvent::Removed,
    RoomEvent::Renamed,
    RoomEvent::Topic,
];

/// The way in which drafts become records, within one transaction.
pub(super) struct Writer<'a> {
    connection: &'a Connection,
    insert: CachedStatement<'a>,
    logs: &'a mut Logs,
    utc_ms: u64,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        logs: &'a mut Logs,
        utc_ms: u64,
    ) -> rusqlite::Result<Self> {
        Ok(Self { connection, insert: connection.prepare_cached(INSERT)?, logs, utc_ms })
    }

    /// Takes a draft into the log of a room, unless it is known or its id is.
    pub(super) fn append(&mut self, room: RoomId, draft: &Draft) -> rusqlite::Result<Appended> {
        let Draft { author, person, kind, id } = draft.clone();
        let mut ends = self.logs.ends(room);
        let (seq, time_ms) = (ends.last_seq + 1, ends.last_ms.max(self.utc_ms));
        let values = params![
            key(room, seq)?,
            integer(time_ms),
            author.as_str(),
            kind.text(),
            id.as_deref(),
            person.map(|PersonId(number)| integer(number)),
            integer(ends.last_bytes),
            code(kind.as_deref()),
        ];
        if self.insert.execute(values)? == 1 {
            self.logs.begin(self.connection, room)?;
            (ends.last_seq, ends.last_ms) = (seq, time_ms);
            ends.last_bytes += kind.text().len() as u64 + MESSAGE_BYTES;
            ends.first_ms.get_or_insert(time_ms);
            self.logs.set(room, ends);
            return Ok(Appended::New(Record { room, seq, time_ms, author, person, kind, id }));
        }
        let (Some(known), Some(id)) = (person, id) else {
            return Err(rusqlite::Error::QueryReturnedNoRows);
        };
        let is_same = |row: &Row<'_>| {
            let (room_then, entry) = (room_of(row.get(0)?), entry(row)?);
            let is_same = entry.kind == kind.as_deref() && (room_then == room || kind.is_making());
            Ok(is_same.then_some((room_then, entry.seq, entry.time_ms)))
        };
        Ok(match find(self.connection, known, &id, is_same)? {
            None => return Err(rusqlite::Error::QueryReturnedNoRows),
            Some(None) => Appended::Conflict { id },
            Some(Some((room, seq, time_ms))) => {
                let id = Some(id);
                Appended::Known(Record { room, seq, time_ms, author, person, kind, id })
            }
        })
    }
}

/// Returns the record that a person's draft became, if there is one. None is found whose author has
/// a name that is none by the rules of today: nobody says anything under it any more.
pub(super) fn recall(
    connection: &Connection,
    person: PersonId,
    id: &Arc<str>,
) -> rusqlite::Result<Option<Record>> {
    find(connection, person, id, record).map(Option::flatten)
}

/// Returns a record of a room by its number, if it is kept; none whose author has a name that is none
/// by the rules of today.
pub(super) fn find_record(
    connection: &Connection,
    room: RoomId,
    seq: u64,
) -> rusqlite::Result<Option<Record>> {
    let mut select = connection.prepare_cached(SELECT_ONE)?;
    select.query_row([key(room, seq)?], record).optional().map(Option::flatten)
}

/// Returns the record of a row, unless its author has a name that is none by the rules of today.
fn record(row: &Row<'_>) -> rusqlite::Result<Option<Record>> {
    let (room, entry) = (room_of(row.get(0)?), entry(row)?);
    let Entry { seq, time_ms, author, person, kind, id } = entry;
    let kind = match kind {
        Kind::Text(text) => Kind::Text(text.into()),
        Kind::Event { event, subject } => Kind::Event { event, subject: subject.map(Into::into) },
    };
    let id = id.map(Into::into);
    let author = UserName::new(author).ok();
    Ok(author.map(|author| Record { room, seq, time_ms, author, person, kind, id }))
}

/// Returns what `read` makes of the record that has this id of a person's, if there is one.
fn find<T>(
    connection: &Connection,
    PersonId(person): PersonId,
    id: &str,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    let mut select = connection.prepare_cached(SELECT_KNOWN)?;
    select.query_row(params![integer(person), id], read).optional()
}

/// Returns the record of a row.
pub(super) fn entry<'row>(row: &'row Row<'_>) -> rusqlite::Result<Entry<'row>> {
    Ok(Entry {
        seq: seq_of(row.get(0)?),
        time_ms: row.get(1)?,
        author: row.get_ref(2)?.as_str()?,
        kind: kind(row.get(6)?, row.get_ref(3)?.as_str()?)?,
        id: row.get_ref(4)?.as_str_or_null()?,
        person: row.get::<_, Option<u64>>(5)?.map(PersonId),
    })
}

/// Returns the number that stands for a kind: 0 for a message, 2 × `n` + 1 for event `n`, and 1 more
/// if it has a subject.
fn code(kind: Kind<&str>) -> i64 {
    match kind {
        Kind::Text(_) => 0,
        Kind::Event { event, subject } => {
            let number = (0..).zip(EVENTS).find(|(_, other)| *other == event);
            2 * number.map_or(0, |(number, _)| number) + 1 + i64::from(subject.is_some())
        }
    }
}

/// Returns the content of which there are a kind's number and a text.
fn kind(code: i64, text: &str) -> rusqlite::Result<Kind<&str>> {
    let Some(code) = code.checked_sub(1).filter(|code| 0 <= *code) else {
        return if code == 0 { Ok(Kind::Text(text)) } else { Err(no_kind(code)) };
    };
    let event = usize::try_from(code / 2).ok().and_then(|number| EVENTS.get(number));
    let event = *event.ok_or_else(|| no_kind(code))?;
    Ok(Kind::Event { event, subject: (code % 2 == 1).then_some(text) })
}

fn no_kind(code: i64) -> rusqlite::Error {
    let error = format!("no kind of record is {code}").into();
    rusqlite::Error::FromSqlConversionFailure(6, Type::Integer, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_content_has_a_number_of_its_own_and_is_read_back() {
        let events = EVENTS
            .into_iter()
            .flat_map(|event| [None, Some("Анна")].map(|subject| Kind::Event { event, subject }));
        for (number, content) in (0..).zip([Kind::Text("Анна")].into_iter().chain(events)) {
            assert_eq!(code(content), number);
            assert_eq!(kind(number, "Анна").unwrap(), content);
        }
        for number in [-1, i64::MIN, 17, i64::MAX] {
            kind(number, "").unwrap_err();
        }
    }
}
