//! Messages and owners as rows of the file, and the SQL that reads and writes them.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use crate::{
    core::record::{Appended, Draft, Entry, Kind, Person, PersonChange, PersonId, Record},
    store::MESSAGE_BYTES,
};

/// The beginning and the end of the log, as the file has them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) first_seq: u64,
    /// When the first message was said, if there is one.
    pub(super) first_ms: Option<u64>,
    pub(super) last_seq: u64,
    pub(super) last_ms: u64,
    /// The bytes that all messages before the first took, and all until now.
    pub(super) first_bytes: u64,
    pub(super) last_bytes: u64,
}

pub(super) const INSERT: &str = "INSERT INTO messages (seq, time_ms, author, content, id, owner, \
    begin_bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (owner, id) WHERE id IS NOT NULL DO NOTHING";
const SELECT_KNOWN: &str =
    "SELECT seq, time_ms, author, content, id, owner FROM messages WHERE owner = ?1 AND id = ?2";
pub(super) const SELECT_AFTER: &str =
    "SELECT seq, time_ms, author, content, id, owner FROM messages WHERE ?1 < seq ORDER BY seq";
/// The sizes of texts alone: SQLite reads no text to know its size.
pub(super) const SELECT_SIZES: &str =
    "SELECT seq, octet_length(content) FROM messages WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2";
pub(super) const SELECT_OWNERS: &str = "SELECT id, name, token, used_ms, is_regular FROM owners";
pub(super) const SELECT_LAST_OWNER: &str = "SELECT max( \
    coalesce((SELECT max(id) FROM owners), 0), \
    coalesce((SELECT max(owner) FROM messages WHERE id IS NOT NULL), 0))";
const INSERT_OWNER: &str = "INSERT OR REPLACE INTO owners (id, name, token, used_ms, is_regular) \
    VALUES (?1, ?2, ?3, ?4, ?5)";
pub(super) const SELECT_TRIMMABLE: &str =
    "SELECT max(seq) FROM messages WHERE seq < ?1 AND (time_ms <= ?2 OR begin_bytes < ?3)";
const SELECT_LAST: &str = "SELECT begin_bytes + octet_length(content) + ?2 \
    FROM messages WHERE seq = ?1";
pub(super) const UPDATE_TRIMMED: &str = "UPDATE meta SET trimmed_seq = max(trimmed_seq, ?1), \
    trimmed_ms = coalesce((SELECT time_ms FROM messages WHERE seq = ?1), trimmed_ms)";

/// Does all of `work`, or nothing.
pub(super) fn transaction<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let execute = |sql| connection.prepare_cached(sql)?.execute([]);
    let result = execute("BEGIN IMMEDIATE")
        .and_then(|_| work(connection))
        .and_then(|value| execute("COMMIT").map(|_| value));
    if !connection.is_autocommit() {
        // Fails only where the error has rolled everything back already.
        let _ = execute("ROLLBACK");
    }
    result
}

pub(super) fn take(
    connection: &Connection,
    insert: &mut CachedStatement<'_>,
    ends: &mut Ends,
    draft: &Draft,
) -> rusqlite::Result<Appended> {
    let Draft { author, person, kind, id } = draft.clone();
    let Kind::Text(text) = &kind;
    let (seq, time_ms) = (ends.last_seq + 1, ends.last_ms);
    let (number, name) = (integer(seq), author.as_str());
    let owner_number = person.map(|PersonId(number)| integer(number));
    let values = params![
        number,
        integer(time_ms),
        name,
        &**text,
        id.as_deref(),
        owner_number,
        integer(ends.last_bytes)
    ];
    if insert.execute(values)? == 1 {
        ends.last_seq = seq;
        ends.last_bytes += text.len() as u64 + MESSAGE_BYTES;
        ends.first_ms.get_or_insert(time_ms);
        return Ok(Appended::New(Record { seq, time_ms, author, person, kind, id }));
    }
    let mut select = connection.prepare_cached(SELECT_KNOWN)?;
    let known = select.query_row(params![owner_number, id.as_deref()], |row| {
        let known = entry(row)?;
        Ok((known.kind == kind.as_deref()).then_some((known.seq, known.time_ms)))
    })?;
    Ok(match (known, id) {
        (None, Some(id)) => Appended::Conflict { id },
        (known, id) => {
            let (seq, time_ms) = known.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            Appended::Known(Record { seq, time_ms, author, person, kind, id })
        }
    })
}

pub(super) fn change_person(
    connection: &Connection,
    change: &PersonChange,
) -> rusqlite::Result<()> {
    match change {
        PersonChange::Save(Person { id, name, token, used_ms, is_regular }) => {
            let (id, used_ms) = (integer(id.0), integer(*used_ms));
            let values = params![id, name, token.0, used_ms, is_regular];
            connection.prepare_cached(INSERT_OWNER)?.execute(values)?;
        }
        PersonChange::Forget(PersonId(id)) => {
            let mut delete = connection.prepare_cached("DELETE FROM owners WHERE id = ?1")?;
            delete.execute([integer(*id)])?;
        }
    }
    Ok(())
}

pub(super) fn read_ends(connection: &Connection) -> rusqlite::Result<Ends> {
    let (last_seq, last_ms) = connection.query_row(
        "SELECT seq, time_ms FROM (SELECT seq, time_ms FROM messages ORDER BY seq DESC LIMIT 1) \
            UNION ALL SELECT trimmed_seq, trimmed_ms FROM meta ORDER BY seq DESC LIMIT 1",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let last: Option<u64> = connection
        .query_row(SELECT_LAST, params![integer(last_seq), integer(MESSAGE_BYTES)], |row| {
            row.get(0)
        })
        .optional()?;
    let (first_bytes, last_bytes) = (0, last.unwrap_or(0));
    let (first_seq, first_ms) = (0, None);
    let ends = Ends { first_seq, first_ms, last_seq, last_ms, first_bytes, last_bytes };
    read_first(connection, ends)
}

/// Returns `ends` with the beginning that the file has now.
pub(super) fn read_first(connection: &Connection, ends: Ends) -> rusqlite::Result<Ends> {
    let first = connection
        .prepare_cached("SELECT seq, time_ms, begin_bytes FROM messages ORDER BY seq LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let (first_seq, first_ms, first_bytes) = first.map_or(
        (ends.last_seq + 1, None, ends.last_bytes),
        |(seq, time_ms, bytes): (_, _, u64)| (seq, Some(time_ms), bytes.min(ends.last_bytes)),
    );
    Ok(Ends { first_seq, first_ms, first_bytes, ..ends })
}

pub(super) fn entry<'row>(row: &'row Row<'_>) -> rusqlite::Result<Entry<'row>> {
    Ok(Entry {
        seq: row.get(0)?,
        time_ms: row.get(1)?,
        author: row.get_ref(2)?.as_str()?,
        kind: Kind::Text(row.get_ref(3)?.as_str()?),
        id: row.get_ref(4)?.as_str_or_null()?,
        person: row.get::<_, Option<u64>>(5)?.map(PersonId),
    })
}

/// A number as the file has it, which knows none above 2⁶³: neither does anybody reach it.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
