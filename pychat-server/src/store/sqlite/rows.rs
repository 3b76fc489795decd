//! People and invites as rows of the file, and the SQL that reads and writes them.

use std::collections::BTreeMap;

use pychat_wire::key::{InviteId, PublicKey};
use rusqlite::{Connection, Row, params};

use crate::core::record::{Device, Invite, InviteTerms, OwnedName, Person, PersonId};

const SELECT_PEOPLE: &str = "SELECT id, is_operator, is_bot FROM people ORDER BY id";
const SELECT_NAMES: &str = "SELECT person, name, used_ms, is_regular FROM names ORDER BY rowid";
const SELECT_KEYS: &str = "SELECT person, key, label, added_ms FROM keys ORDER BY rowid";
const SELECT_LAST_PERSON: &str = "SELECT max( \
    coalesce((SELECT max(id) FROM people), 0), \
    coalesce((SELECT max(person) FROM records WHERE id IS NOT NULL), 0), \
    coalesce((SELECT max(person) FROM members), 0), \
    coalesce((SELECT max(maker) FROM rooms), 0))";
const INSERT_PERSON: &str =
    "INSERT OR IGNORE INTO people (id, is_operator, is_bot) VALUES (?1, ?2, ?3)";
const INSERT_NAME: &str = "INSERT OR REPLACE INTO names (person, name, used_ms, is_regular) \
    VALUES (?1, ?2, ?3, ?4)";
const INSERT_KEY: &str = "INSERT OR REPLACE INTO keys (person, key, label, added_ms) \
    VALUES (?1, ?2, ?3, ?4)";
/// Everything of a person but the records and the rooms.
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

/// Keeps a person, as they are now.
pub(super) fn save_person(connection: &Connection, person: &Person) -> rusqlite::Result<()> {
    forget_person(connection, person.id)?;
    let Person { id, is_operator, is_bot, names, devices } = person;
    let id = integer(id.0);
    connection.prepare_cached(INSERT_PERSON)?.execute(params![id, is_operator, is_bot])?;
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

/// Keeps a person no longer.
pub(super) fn forget_person(connection: &Connection, id: PersonId) -> rusqlite::Result<()> {
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
        let (id, is_operator, is_bot) = (PersonId(row.get(0)?), row.get(1)?, row.get(2)?);
        let (names, devices) = (Vec::new(), Vec::new());
        people.insert(id, Person { id, is_operator, is_bot, names, devices });
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

/// A number as the file has it, which knows none above 2⁶³: neither does anybody reach it.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
