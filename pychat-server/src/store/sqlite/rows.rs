//! Messages and people as rows of the file, and the SQL that reads and writes them.

use std::collections::BTreeMap;

use pychat_wire::key::{InviteId, PublicKey};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use crate::{
    core::id::HALL,
    core::record::{
        Appended, Device, Draft, Entry, Invite, InviteTerms, Kind, OwnedName, Person, PersonChange,
        PersonId, Record,
    },
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

pub(super) const INSERT: &str = "INSERT INTO messages (seq, time_ms, author, content, id, person, \
    begin_bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (person, id) WHERE id IS NOT NULL DO NOTHING";
const SELECT_KNOWN: &str =
    "SELECT seq, time_ms, author, content, id, person FROM messages WHERE person = ?1 AND id = ?2";
pub(super) const SELECT_AFTER: &str =
    "SELECT seq, time_ms, author, content, id, person FROM messages WHERE ?1 < seq ORDER BY seq";
/// The sizes of texts alone: SQLite reads no text to know its size.
pub(super) const SELECT_SIZES: &str =
    "SELECT seq, octet_length(content) FROM messages WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2";
const SELECT_PEOPLE: &str = "SELECT id, is_operator FROM people ORDER BY id";
const SELECT_NAMES: &str = "SELECT person, name, used_ms, is_regular FROM names ORDER BY rowid";
const SELECT_KEYS: &str = "SELECT person, key, label, added_ms FROM keys ORDER BY rowid";
const SELECT_LAST_PERSON: &str = "SELECT max( \
    coalesce((SELECT max(id) FROM people), 0), \
    coalesce((SELECT max(person) FROM messages WHERE id IS NOT NULL), 0))";
const INSERT_PERSON: &str = "INSERT OR IGNORE INTO people (id, is_operator) VALUES (?1, ?2)";
const INSERT_NAME: &str = "INSERT OR REPLACE INTO names (person, name, used_ms, is_regular) \
    VALUES (?1, ?2, ?3, ?4)";
const INSERT_KEY: &str = "INSERT OR REPLACE INTO keys (person, key, label, added_ms) \
    VALUES (?1, ?2, ?3, ?4)";
/// Everything of a person but the messages.
const DELETE_PERSON: [&str; 3] = [
    "DELETE FROM names WHERE person = ?1",
    "DELETE FROM keys WHERE person = ?1",
    "DELETE FROM people WHERE id = ?1",
];
const SELECT_INVITES: &str = "SELECT hash, uses, expires_ms, made_by FROM invites ORDER BY rowid";
const INSERT_INVITE: &str = "INSERT OR REPLACE INTO invites (id, hash, uses, expires_ms, made_by) \
    VALUES (?1, ?2, ?3, ?4, ?5)";
const DELETE_INVITE: &str = "DELETE FROM invites WHERE id = ?1";
/// Takes a use; the last one takes the invite as well.
const USE_INVITE: [&str; 2] = [
    "UPDATE invites SET uses = uses - 1 WHERE id = ?1",
    "DELETE FROM invites WHERE id = ?1 AND uses <= 0",
];
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
    let text = kind.text();
    let (seq, time_ms) = (ends.last_seq + 1, ends.last_ms);
    let (number, name) = (integer(seq), author.as_str());
    let person_number = person.map(|PersonId(number)| integer(number));
    let values = params![
        number,
        integer(time_ms),
        name,
        text,
        id.as_deref(),
        person_number,
        integer(ends.last_bytes)
    ];
    if insert.execute(values)? == 1 {
        ends.last_seq = seq;
        ends.last_bytes += kind.text().len() as u64 + MESSAGE_BYTES;
        ends.first_ms.get_or_insert(time_ms);
        return Ok(Appended::New(Record { room: HALL, seq, time_ms, author, person, kind, id }));
    }
    let mut select = connection.prepare_cached(SELECT_KNOWN)?;
    let known = select.query_row(params![person_number, id.as_deref()], |row| {
        let known = entry(row)?;
        Ok((known.kind == kind.as_deref()).then_some((known.seq, known.time_ms)))
    })?;
    Ok(match (known, id) {
        (None, Some(id)) => Appended::Conflict { id },
        (known, id) => {
            let (seq, time_ms) = known.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            Appended::Known(Record { room: HALL, seq, time_ms, author, person, kind, id })
        }
    })
}

pub(super) fn change_person(
    connection: &Connection,
    change: &PersonChange,
) -> rusqlite::Result<()> {
    match change {
        PersonChange::Save(person) => save_person(connection, person),
        PersonChange::Forget(id) => forget_person(connection, *id),
    }
}

/// Keeps a new person, and that a use of an invite was taken for them.
pub(super) fn admit(
    connection: &Connection,
    person: &Person,
    invite: InviteId,
) -> rusqlite::Result<()> {
    for statement in USE_INVITE {
        connection.prepare_cached(statement)?.execute([invite.0])?;
    }
    save_person(connection, person)
}

pub(super) fn add_invite(connection: &Connection, invite: &Invite) -> rusqlite::Result<()> {
    let Invite { hash, terms: InviteTerms { uses, expires_ms }, by } = invite;
    let (uses, expires_ms) = (uses.map(integer), expires_ms.map(integer));
    let values = params![invite.id().0, hash, uses, expires_ms, by.as_deref()];
    connection.prepare_cached(INSERT_INVITE)?.execute(values).map(|_| ())
}

pub(super) fn remove_invite(connection: &Connection, invite: InviteId) -> rusqlite::Result<()> {
    connection.prepare_cached(DELETE_INVITE)?.execute([invite.0]).map(|_| ())
}

/// Returns every invite, in the order in which they were made.
pub(super) fn read_invites(connection: &Connection) -> rusqlite::Result<Vec<Invite>> {
    let invite = |row: &Row<'_>| {
        let terms = InviteTerms { uses: row.get(1)?, expires_ms: row.get(2)? };
        let by = row.get::<_, Option<Box<str>>>(3)?.map(Into::into);
        Ok(Invite { hash: row.get(0)?, terms, by })
    };
    connection.prepare(SELECT_INVITES)?.query_map([], invite)?.collect()
}

fn save_person(connection: &Connection, person: &Person) -> rusqlite::Result<()> {
    forget_person(connection, person.id)?;
    let Person { id, is_operator, names, devices } = person;
    let id = integer(id.0);
    connection.prepare_cached(INSERT_PERSON)?.execute(params![id, is_operator])?;
    for OwnedName { name, used_ms, is_regular } in names {
        let values = params![id, name, integer(*used_ms), is_regular];
        connection.prepare_cached(INSERT_NAME)?.execute(values)?;
    }
    for Device { key, label, added_ms } in devices {
        let values = params![id, key.0, &**label, integer(*added_ms)];
        connection.prepare_cached(INSERT_KEY)?.execute(values)?;
    }
    Ok(())
}

fn forget_person(connection: &Connection, id: PersonId) -> rusqlite::Result<()> {
    for delete in DELETE_PERSON {
        connection.prepare_cached(delete)?.execute([integer(id.0)])?;
    }
    Ok(())
}

/// Returns every person, and the largest number that one ever had of whom anything is kept.
pub(super) fn read_people(connection: &Connection) -> rusqlite::Result<(Vec<Person>, PersonId)> {
    let last = connection.query_row(SELECT_LAST_PERSON, [], |row| row.get(0))?;
    let mut people = BTreeMap::new();
    let mut select = connection.prepare(SELECT_PEOPLE)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (id, is_operator) = (PersonId(row.get(0)?), row.get(1)?);
        people.insert(id, Person { id, is_operator, names: Vec::new(), devices: Vec::new() });
    }
    let mut select = connection.prepare(SELECT_NAMES)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(person) = people.get_mut(&PersonId(row.get(0)?)) {
            let (name, used_ms, is_regular) = (row.get(1)?, row.get(2)?, row.get(3)?);
            person.names.push(OwnedName { name, used_ms, is_regular });
        }
    }
    let mut select = connection.prepare(SELECT_KEYS)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(person) = people.get_mut(&PersonId(row.get(0)?)) {
            let (key, label) = (PublicKey(row.get(1)?), row.get::<_, Box<str>>(2)?.into());
            person.devices.push(Device { key, label, added_ms: row.get(3)? });
        }
    }
    Ok((people.into_values().collect(), PersonId(last)))
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
