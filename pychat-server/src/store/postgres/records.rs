//! Records as rows.

use std::sync::Arc;

use pychat_wire::UserName;

use super::{
    rooms::room_id,
    row::Row,
    statement::{Statement, text},
};
use crate::{
    core::{
        id::RoomId,
        record::{Entry, Kind, PersonId, Record, State, StorageError},
    },
    store::{
        deciding::Amended,
        sqlite::{
            records::{code, kind},
            terms::{joined, terms},
        },
    },
};

/// The columns of a row that [`entry`] reads. An edit and what brings words back have no words of their
/// own: they are those that the message has now.
macro_rules! columns {
    () => {
        "room, seq, time_ms, author, CASE WHEN kind IN (64, 68) THEN \
            (SELECT content FROM records AS message WHERE message.room = records.room \
                AND message.seq = records.target AND message.words = 0) \
            ELSE content END, id, person, kind, target, edited_ms, words, reactions, begin_bytes, doc"
    };
}
pub(super) use columns;

/// The column with the number before which the bytes of a log begin, and that of the place in the search.
pub(super) const BEGIN_BYTES: usize = 12;
pub(super) const DOC: usize = 13;

/// The columns of a row that [`held`] reads: a record as it is kept, and its history.
macro_rules! held {
    () => {
        "records.room, records.seq, time_ms, author, content, id, person, kind, target, edited_ms, words, \
        reactions, edit_seq, removed, removed_ms FROM records"
    };
}
pub(super) use held as held_columns;

/// The records that people's drafts became, and the messages which those amend.
pub(super) const SELECT_KNOWN: &str = concat!(
    "SELECT ",
    held!(),
    " JOIN unnest($1::bigint[], $2::bytea[]) AS known (known_person, known_id) \
        ON person = known_person AND id = known_id"
);
pub(super) const SELECT_KNOWN_TARGETS: &str = concat!(
    "SELECT ",
    held!(),
    " JOIN (SELECT records.room, records.target AS seq FROM records \
        JOIN unnest($1::bigint[], $2::bytea[]) AS known (known_person, known_id) \
        ON person = known_person AND id = known_id WHERE 64 <= records.kind) AS wanted \
        ON records.room = wanted.room AND records.seq = wanted.seq"
);
/// Records by their numbers, and the messages which those amend.
pub(super) const SELECT_NUMBERED: &str = concat!(
    "SELECT ",
    held!(),
    " JOIN unnest($1::bigint[], $2::bigint[]) AS wanted (room, seq) \
        ON records.room = wanted.room AND records.seq = wanted.seq"
);
pub(super) const SELECT_NUMBERED_TARGETS: &str = concat!(
    "SELECT ",
    held!(),
    " JOIN (SELECT records.room, records.target AS seq FROM records \
        JOIN unnest($1::bigint[], $2::bigint[]) AS wanted (room, seq) \
        ON records.room = wanted.room AND records.seq = wanted.seq WHERE 64 <= records.kind) AS wanted \
        ON records.room = wanted.room AND records.seq = wanted.seq"
);

const INSERT: &str = "INSERT INTO records \
    (room, seq, time_ms, author, content, id, person, begin_bytes, kind, target, terms) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, array_to_tsvector(string_to_array($11, ' ')))";
const UPDATE: &str = "UPDATE records SET content = $3, edit_seq = $4, edited_ms = $5, words = $6, \
    removed = $7, removed_ms = $8, reactions = $9, \
    terms = array_to_tsvector(string_to_array($10, ' ')) WHERE room = $1 AND seq = $2";

/// The author of a record whose name is none by the rules of today.
const NAMELESS: &str = "nobody";

/// The values of `words`.
const KEPT: i64 = 0;
const ERASED: i64 = 1;
const REMOVED: i64 = 2;

/// Returns the statement that adds a record, before which those of its log take so many bytes.
pub(super) fn insert(record: &Record, begin_bytes: u64) -> Statement {
    let Record { room, seq, time_ms, author, person, kind, id, reply, .. } = record;
    Statement::new(
        INSERT,
        [
            room.0.into(),
            (*seq).into(),
            (*time_ms).into(),
            author.as_str().into(),
            kind.text().as_bytes().into(),
            id.as_deref().map(str::as_bytes).into(),
            person.map(|person| person.0).into(),
            begin_bytes.into(),
            code(kind.as_deref()).into(),
            reply.or(kind.target()).into(),
            terms_of(record).as_deref().into(),
        ],
    )
}

/// Returns the statement that changes a message to what it is now.
pub(super) fn update(message: &Record, amended: &Amended) -> Statement {
    let State { edited_ms, is_deleted, reactions } = &message.state;
    let words = match (is_deleted, &amended.removed) {
        (false, _) => KEPT,
        (true, None) => ERASED,
        (true, Some(_)) => REMOVED,
    };
    Statement::new(
        UPDATE,
        [
            message.room.0.into(),
            message.seq.into(),
            message.kind.text().as_bytes().into(),
            amended.edit_seq.into(),
            (*edited_ms).into(),
            words.into(),
            amended.removed.as_ref().map(|(words, _)| words.as_bytes()).into(),
            amended.removed.as_ref().map(|(_, since_ms)| *since_ms).into(),
            reactions.as_deref().into(),
            terms_of(message).as_deref().into(),
        ],
    )
}

/// Returns the terms by which a record is found, if it is a message with words.
fn terms_of(record: &Record) -> Option<String> {
    let Kind::Text(words) = &record.kind else { return None };
    (!record.state.is_deleted).then(|| joined(&terms(record.room, record.author.as_str(), words)))
}

/// Returns the record of a row of [`columns`].
pub(super) fn entry(row: &Row) -> Result<Entry<'_>, StorageError> {
    let target: Option<u64> = row.get(8)?;
    let kind = kind(row.get(7)?, text(row, 4)?, target)?;
    Ok(Entry {
        seq: row.get(1)?,
        time_ms: row.get(2)?,
        author: row.get(3)?,
        id: text(row, 5)?,
        person: row.get::<Option<u64>>(6)?.map(PersonId),
        reply: target.filter(|_| kind.is_shown()),
        kind,
        state: State {
            edited_ms: row.get(9)?,
            is_deleted: row.get::<i64>(10)? != KEPT,
            reactions: row.get(11)?,
        },
    })
}

/// Returns the record of a row of [`held`], and its history.
pub(super) fn held(row: &Row) -> Result<(Record, Amended), StorageError> {
    let room: RoomId = room_id(row, 0)?;
    let Entry { seq, time_ms, author, person, kind, id, reply, state } = entry(row)?;
    let author = UserName::new(author).or_else(|_| UserName::new(NAMELESS));
    let author = author.map_err(|error| StorageError::Damaged(error.to_string()))?;
    let State { edited_ms, is_deleted, reactions } = state;
    let state = State { edited_ms, is_deleted, reactions: reactions.map(Into::into) };
    let (kind, id) = (own_words(kind).map(Into::into), id.map(Into::into));
    let record =
        Record { room, seq, time_ms, author, person, kind, id, reply, state, target: None };
    let removed: Option<Arc<str>> = text(row, 13)?.map(Into::into);
    let removed = removed.zip(row.get(14)?);
    Ok((record, Amended { edit_seq: row.get(12)?, removed }))
}

/// Returns a content as it is kept: an edit, and what brings words back, have no words of their own.
fn own_words(kind: Kind<&str>) -> Kind<&str> {
    use crate::core::record::Amending;
    match kind {
        Kind::Amendment { target, amending: Amending::Edit(_) } => {
            Kind::Amendment { target, amending: Amending::Edit(None) }
        }
        Kind::Amendment { target, amending: Amending::Restore(_) } => {
            Kind::Amendment { target, amending: Amending::Restore(None) }
        }
        kind => kind,
    }
}
