//! Records as rows of the file, and the SQL that reads and writes them.

use std::sync::Arc;

use pychat_wire::{UserName, message::RoomEvent};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params, types::Type};

use super::{
    amendments::{self, Found},
    logs::{Logs, key, room_of, seq_of},
    rows::integer,
};
use crate::{
    core::{
        amending::is_same,
        id::RoomId,
        record::{AmendError, Amending, Appended, Draft, Entry, Kind, PersonId, Record, State},
    },
    store::MESSAGE_BYTES,
};

/// The columns of an [`entry`]. An edit and what brings words back have no words of their own: they are
/// those that the message has now.
macro_rules! columns {
    () => {
        "key, time_ms, author, CASE WHEN kind IN (64, 68) THEN \
            (SELECT content FROM records AS message WHERE message.key = \
                (records.key & ~1099511627775) + records.target AND message.words = 0) \
            ELSE content END, id, person, kind, target, edited_ms, words, reactions"
    };
}

const INSERT: &str = "INSERT INTO records (key, time_ms, author, content, id, person, begin_bytes, kind, target) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
    ON CONFLICT (person, id) WHERE id IS NOT NULL DO NOTHING";
const SELECT_KNOWN: &str =
    concat!("SELECT ", columns!(), " FROM records WHERE person = ?1 AND id = ?2");
const SELECT_ONE: &str = concat!("SELECT ", columns!(), " FROM records WHERE key = ?1");
pub(super) const SELECT_AFTER: &str =
    concat!("SELECT ", columns!(), " FROM records WHERE ?1 < key AND key <= ?2 ORDER BY key");
pub(super) const SELECT_SHOWN_AFTER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM records INDEXED BY records_shown WHERE kind < 64 AND ?1 < key AND key <= ?2 ORDER BY key"
);
/// The message that is a document of the index.
pub(super) const SELECT_DOCUMENT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM search_docs CROSS JOIN records ON key = record WHERE doc = ?1"
);
/// The sizes of texts and reactions alone: SQLite reads no text to know its size.
macro_rules! sizes {
    () => {
        "SELECT key, octet_length(content) + coalesce(octet_length(reactions), 0) FROM records "
    };
}

pub(super) const SELECT_SIZES: &str =
    concat!(sizes!(), "WHERE ?1 <= key AND key < ?2 ORDER BY key DESC LIMIT ?3");
pub(super) const SELECT_SHOWN_SIZES: &str = concat!(
    sizes!(),
    "INDEXED BY records_shown WHERE kind < 64 AND ?1 <= key AND key < ?2 ORDER BY key DESC LIMIT ?3"
);

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
    pub(super) connection: &'a Connection,
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

    /// Takes a draft into the log of a room, unless it is known or its id is, or it answers no message.
    pub(super) fn append(&mut self, room: RoomId, draft: &Draft) -> rusqlite::Result<Appended> {
        let target = match draft.reply {
            None => None,
            Some(reply) => {
                if let Some(known) = self.known(room, draft)? {
                    return Ok(known);
                }
                let last = self.logs.ends(room).last_seq;
                let is_number = (1..=last).contains(&reply);
                match amendments::find(self.connection, room, reply)? {
                    Found::Message(message) => Some(message.target()),
                    Found::Nothing if is_number => None,
                    Found::Other | Found::Nothing => {
                        return Ok(Appended::Refused(AmendError::NoMessage));
                    }
                }
            }
        };
        match self.insert(room, draft, draft.kind.text())? {
            Some(record) => Ok(Appended::New(Record { target, ..record })),
            None => self.known(room, draft)?.ok_or(rusqlite::Error::QueryReturnedNoRows),
        }
    }

    /// Inserts a record with these words, unless its author has used its id.
    pub(super) fn insert(
        &mut self,
        room: RoomId,
        draft: &Draft,
        words: &str,
    ) -> rusqlite::Result<Option<Record>> {
        let Draft { author, person, kind, id, reply } = draft;
        let mut ends = self.logs.ends(room);
        let (seq, time_ms) = (ends.last_seq + 1, ends.last_ms.max(self.utc_ms));
        let values = params![
            key(room, seq)?,
            integer(time_ms),
            author.as_str(),
            words,
            id.as_deref(),
            person.map(|PersonId(number)| integer(number)),
            integer(ends.last_bytes),
            code(kind.as_deref()),
            reply.or(kind.target()).map(integer),
        ];
        if self.insert.execute(values)? == 0 {
            return Ok(None);
        }
        self.logs.begin(self.connection, room)?;
        (ends.last_seq, ends.last_ms) = (seq, time_ms);
        ends.last_bytes += kind.text().len() as u64 + MESSAGE_BYTES;
        ends.first_ms.get_or_insert(time_ms);
        self.logs.set(room, ends);
        Ok(Some(draft.clone().into_record(room, seq, time_ms)))
    }

    /// Returns the outcome of a draft whose id its author has used.
    pub(super) fn known(&self, room: RoomId, draft: &Draft) -> rusqlite::Result<Option<Appended>> {
        let (Some(person), Some(id)) = (draft.person, &draft.id) else { return Ok(None) };
        let read = |row: &Row<'_>| {
            let (room_then, entry) = (room_of(row.get(0)?), entry(row)?);
            let is_there = room_then == room || draft.kind.is_making();
            let newest_edit = |target| amendments::newest_edit(self.connection, room_then, target);
            if !is_there || !is_same(&entry, draft, newest_edit)? {
                return Ok(Appended::Conflict { id: Arc::clone(id) });
            }
            let known = owned(room_then, entry, draft.author.clone());
            Ok(Appended::Known(known))
        };
        find(self.connection, person, id, read)
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
    Ok(UserName::new(entry.author).ok().map(|author| owned(room, entry, author)))
}

/// Returns an entry as a record.
fn owned(room: RoomId, entry: Entry<'_>, author: UserName) -> Record {
    let Entry { seq, time_ms, person, kind, id, reply, state, .. } = entry;
    let (kind, id) = (kind.map(Into::into), id.map(Into::into));
    let State { edited_ms, is_deleted, reactions } = state;
    let state = State { edited_ms, is_deleted, reactions: reactions.map(Into::into) };
    Record { room, seq, time_ms, author, person, kind, id, reply, state, target: None }
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

/// Returns the record of a row of [`columns`].
pub(super) fn entry<'row>(row: &'row Row<'_>) -> rusqlite::Result<Entry<'row>> {
    let target: Option<u64> = row.get(7)?;
    let kind = kind(row.get(6)?, row.get_ref(3)?.as_str_or_null()?, target)?;
    Ok(Entry {
        seq: seq_of(row.get(0)?),
        time_ms: row.get(1)?,
        author: row.get_ref(2)?.as_str()?,
        id: row.get_ref(4)?.as_str_or_null()?,
        person: row.get::<_, Option<u64>>(5)?.map(PersonId),
        reply: target.filter(|_| kind.is_shown()),
        kind,
        state: State {
            edited_ms: row.get(8)?,
            is_deleted: row.get::<_, i64>(9)? != 0,
            reactions: row.get_ref(10)?.as_str_or_null()?,
        },
    })
}

/// The first number that stands for an amendment. Only ever add to these: they are in the file, and in
/// the SQL above.
const EDIT: i64 = 64;
const DELETE: i64 = 65;
const REACT: i64 = 66;
const REACT_NO_MORE: i64 = 67;
const RESTORE: i64 = 68;

/// Returns the number that stands for a kind: 0 for a message, 2 × `n` + 1 for event `n`, and 1 more
/// if it has a subject, and from [`EDIT`] on for amendments.
pub(in crate::store) fn code(kind: Kind<&str>) -> i64 {
    match kind {
        Kind::Text(_) => 0,
        Kind::Event { event, subject } => {
            let number = (0..).zip(EVENTS).find(|(_, other)| *other == event);
            2 * number.map_or(0, |(number, _)| number) + 1 + i64::from(subject.is_some())
        }
        Kind::Amendment { amending, .. } => match amending {
            Amending::Edit(_) => EDIT,
            Amending::Delete => DELETE,
            Amending::React(Some(_)) => REACT,
            Amending::React(None) => REACT_NO_MORE,
            Amending::Restore(_) => RESTORE,
        },
    }
}

/// Returns the content of which there are a kind's number, a text, and the number of a message.
pub(in crate::store) fn kind(
    code: i64,
    text: Option<&str>,
    target: Option<u64>,
) -> rusqlite::Result<Kind<&str>> {
    let amending = match code {
        EDIT => Amending::Edit(text),
        DELETE => Amending::Delete,
        REACT => Amending::React(text),
        REACT_NO_MORE => Amending::React(None),
        RESTORE => Amending::Restore(text),
        _ => return said(code, text.unwrap_or_default()),
    };
    let target = target.ok_or_else(|| no_kind(code))?;
    Ok(Kind::Amendment { target, amending })
}

/// Returns the content that is no amendment.
fn said(code: i64, text: &str) -> rusqlite::Result<Kind<&str>> {
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
        let amendments = [
            Amending::Edit(Some("Анна")),
            Amending::Delete,
            Amending::React(Some("Анна")),
            Amending::React(None),
            Amending::Restore(Some("Анна")),
        ]
        .map(|amending| Kind::Amendment { target: 7, amending });
        let said = (0..).zip([Kind::Text("Анна")].into_iter().chain(events));
        for (number, content) in said.chain((EDIT..).zip(amendments)) {
            assert_eq!(code(content), number);
            assert_eq!(kind(number, Some("Анна"), Some(7)).unwrap(), content);
        }
        for number in [-1, i64::MIN, 17, 63, 69, i64::MAX] {
            kind(number, Some(""), Some(7)).unwrap_err();
        }
        kind(DELETE, None, None).unwrap_err();
    }
}
