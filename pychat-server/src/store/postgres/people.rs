//! People, invites, and the rules that operators have made, as rows.

use std::{collections::BTreeMap, time::Duration};

use pychat_wire::key::{InviteId, PublicKey};

use super::{row::Row, statement::Statement};
use crate::{
    core::{
        moderation::{AuditEntry, Change, Measure, Rulebook, Sanction, Subject},
        record::{Device, Invite, InviteTerms, OwnedName, Person, PersonId, StorageError},
    },
    store::{AUDIT_ENTRIES_MAX, sqlite::moderation::DOORS},
};

pub(super) const SELECT_PEOPLE: &str = "SELECT id, is_operator, is_bot FROM people ORDER BY id";
pub(super) const SELECT_NAMES: &str =
    "SELECT person, name, used_ms, is_regular FROM names ORDER BY position";
pub(super) const SELECT_KEYS: &str =
    "SELECT person, key, label, added_ms FROM keys ORDER BY position";
pub(super) const SELECT_LAST_PERSON: &str = "SELECT greatest( \
    (SELECT max(id) FROM people), (SELECT max(person) FROM records WHERE id IS NOT NULL), \
    (SELECT max(person) FROM members), (SELECT max(maker) FROM rooms), 0)";
const INSERT_PERSON: &str = "INSERT INTO people (id, is_operator, is_bot) VALUES ($1, $2, $3)";
/// Takes a name from whoever had it.
const DELETE_NAME: &str = "DELETE FROM names WHERE name = $1";
const INSERT_NAME: &str =
    "INSERT INTO names (person, name, used_ms, is_regular) VALUES ($1, $2, $3, $4)";
const DELETE_KEY: &str = "DELETE FROM keys WHERE key = $1";
const INSERT_KEY: &str = "INSERT INTO keys (person, key, label, added_ms) VALUES ($1, $2, $3, $4)";
/// Everything of a person but the records and the rooms.
const DELETE_PERSON: [&str; 3] = [
    "DELETE FROM names WHERE person = $1",
    "DELETE FROM keys WHERE person = $1",
    "DELETE FROM people WHERE id = $1",
];
pub(super) const SELECT_INVITES: &str =
    "SELECT hash, uses, expires_ms, made_by FROM invites ORDER BY position";
const INSERT_INVITE: &str = "INSERT INTO invites (id, hash, uses, expires_ms, made_by) \
    VALUES ($1, $2, $3::bigint, $4::bigint, $5)";
const DELETE_INVITE: &str = "DELETE FROM invites WHERE id = $1";
/// Takes a use; the last one takes the invite as well.
const USE_INVITE: [&str; 2] = [
    "UPDATE invites SET uses = uses - 1 WHERE id = $1",
    "DELETE FROM invites WHERE id = $1 AND uses <= 0",
];
const DELETE_SANCTION: &str = "DELETE FROM sanctions WHERE id = $1";
const INSERT_SANCTION: &str = "INSERT INTO sanctions \
    (id, measure, name, keys, network, until_ms, since_ms, operator) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
pub(super) const SELECT_SANCTIONS: &str = "SELECT id, measure, name, keys, network, until_ms, since_ms, operator \
    FROM sanctions ORDER BY id";
const UPDATE_SLOW: &str = "UPDATE rules SET slow_seconds = $1";
const UPDATE_DOOR: &str = "UPDATE rules SET door = $1";
pub(super) const SELECT_RULES: &str = "SELECT slow_seconds, door FROM rules";
const INSERT_ENTRY: &str =
    "INSERT INTO audit (time_ms, who, verb, subject, detail) VALUES ($1, $2, $3, $4, $5)";
const DELETE_ENTRIES: &str = "DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - $1";
pub(super) const SELECT_ENTRIES: &str = "SELECT time_ms, who, verb, subject, detail FROM \
    (SELECT * FROM audit ORDER BY id DESC LIMIT $1) AS newest ORDER BY id";

/// Keeps a new person, and that a use of an invite was taken for them.
pub(super) fn admit(person: &Person, invite: InviteId, out: &mut Vec<Statement>) {
    out.extend(USE_INVITE.map(|sql| Statement::new(sql, [invite.0[..].into()])));
    save(person, out);
}

/// Keeps a person, as they are now.
pub(super) fn save(person: &Person, out: &mut Vec<Statement>) {
    forget(person.id, out);
    let Person { id: PersonId(id), is_operator, is_bot, names, devices } = person;
    let values = [(*id).into(), (*is_operator).into(), (*is_bot).into()];
    out.push(Statement::new(INSERT_PERSON, values));
    for OwnedName { name, used_ms, is_regular } in names {
        out.push(Statement::new(DELETE_NAME, [(&**name).into()]));
        let values = [(*id).into(), (&**name).into(), (*used_ms).into(), (*is_regular).into()];
        out.push(Statement::new(INSERT_NAME, values));
    }
    for Device { key, label, added_ms } in devices {
        out.push(Statement::new(DELETE_KEY, [key.0[..].into()]));
        let values = [(*id).into(), key.0[..].into(), (&**label).into(), (*added_ms).into()];
        out.push(Statement::new(INSERT_KEY, values));
    }
}

/// Keeps a person no longer.
pub(super) fn forget(PersonId(id): PersonId, out: &mut Vec<Statement>) {
    out.extend(DELETE_PERSON.map(|sql| Statement::new(sql, [id.into()])));
}

/// Keeps what an operator did, and what changed by it.
pub(super) fn moderate(changes: &[Change], entry: &AuditEntry, out: &mut Vec<Statement>) {
    for change in changes {
        match change {
            Change::Impose(sanction) => impose(sanction, out),
            Change::Lift(id) => out.push(Statement::new(DELETE_SANCTION, [(*id).into()])),
            Change::Slow(slow) => {
                let seconds = slow.map_or(0, |slow| slow.as_secs());
                out.push(Statement::new(UPDATE_SLOW, [seconds.into()]));
            }
            Change::Door(door) => {
                let word = DOORS.into_iter().find(|(_, other)| other == door);
                let word = word.map_or("open", |(word, _)| word);
                out.push(Statement::new(UPDATE_DOOR, [word.into()]));
            }
            Change::AddInvite(invite) => add_invite(invite, out),
            Change::RevokeInvite(invite) => {
                out.push(Statement::new(DELETE_INVITE, [invite.0[..].into()]));
            }
        }
    }
    let AuditEntry { time_ms, who, verb, subject, detail } = entry;
    let texts = [who, verb, subject, detail].map(|text| text.as_str().into());
    let values: Vec<_> = [(*time_ms).into()].into_iter().chain(texts).collect();
    out.push(Statement::new(INSERT_ENTRY, values));
    out.push(Statement::new(DELETE_ENTRIES, [(AUDIT_ENTRIES_MAX as u64).into()]));
}

fn impose(sanction: &Sanction, out: &mut Vec<Statement>) {
    let Sanction { id, measure, subject, until_ms, since_ms, by } = sanction;
    let (name, keys, network): (_, Vec<u8>, _) = match subject {
        Subject::Person { name, keys } => {
            (Some(name.as_str()), keys.iter().flat_map(|key| key.0).collect(), None)
        }
        Subject::Network(network) => (None, Vec::new(), Some(network.to_string())),
    };
    out.push(Statement::new(DELETE_SANCTION, [(*id).into()]));
    let values = [
        (*id).into(),
        measure.key().into(),
        name.into(),
        keys[..].into(),
        network.as_deref().into(),
        (*until_ms).into(),
        (*since_ms).into(),
        by.as_str().into(),
    ];
    out.push(Statement::new(INSERT_SANCTION, values));
}

fn add_invite(invite: &Invite, out: &mut Vec<Statement>) {
    let Invite { hash, terms: InviteTerms { uses, expires_ms }, by } = invite;
    let id = invite.id().0;
    out.push(Statement::new(DELETE_INVITE, [id[..].into()]));
    let values = [
        id[..].into(),
        hash[..].into(),
        (*uses).into(),
        (*expires_ms).into(),
        by.as_deref().into(),
    ];
    out.push(Statement::new(INSERT_INVITE, values));
}

/// Returns the people of these rows of [`SELECT_PEOPLE`], [`SELECT_NAMES`] and [`SELECT_KEYS`].
pub(super) fn read(
    people: &[Row],
    names: &[Row],
    keys: &[Row],
) -> Result<Vec<Person>, StorageError> {
    let mut read = BTreeMap::new();
    for row in people {
        let (id, is_operator, is_bot) = (PersonId(row.get(0)?), row.get(1)?, row.get(2)?);
        let (names, devices) = (Vec::new(), Vec::new());
        read.insert(id, Person { id, is_operator, is_bot, names, devices });
    }
    for row in names {
        if let Some(person) = read.get_mut(&PersonId(row.get(0)?)) {
            let (name, used_ms) = (row.get::<&str>(1)?.to_owned(), row.get(2)?);
            person.names.push(OwnedName { name, used_ms, is_regular: row.get(3)? });
        }
    }
    for row in keys {
        if let Some(person) = read.get_mut(&PersonId(row.get(0)?)) {
            let (key, label) = (PublicKey(fixed(row, 1)?), row.get::<&str>(2)?.into());
            person.devices.push(Device { key, label, added_ms: row.get(3)? });
        }
    }
    Ok(read.into_values().collect())
}

/// Returns the invites of these rows of [`SELECT_INVITES`].
pub(super) fn read_invites(rows: &[Row]) -> Result<Vec<Invite>, StorageError> {
    let invite = |row: &Row| {
        let terms = InviteTerms { uses: row.get(1)?, expires_ms: row.get(2)? };
        Ok(Invite { hash: fixed(row, 0)?, terms, by: row.get::<Option<&str>>(3)?.map(Into::into) })
    };
    rows.iter().map(invite).collect()
}

/// Returns the rules of these rows of [`SELECT_SANCTIONS`] and [`SELECT_RULES`]. What this version cannot
/// read is left out.
pub(super) fn read_rules(sanctions: &[Row], rules: &[Row]) -> Result<Rulebook, StorageError> {
    let sanctions = sanctions.iter().filter_map(|row| sanction(row).transpose());
    let sanctions = sanctions.collect::<Result<_, _>>()?;
    let mut read = Rulebook { sanctions, ..Rulebook::default() };
    for row in rules {
        let (seconds, word): (u64, Option<&str>) = (row.get(0)?, row.get(1)?);
        read.slow = (0 < seconds).then_some(Duration::from_secs(seconds));
        let door = DOORS.into_iter().find(|(known, _)| Some(*known) == word);
        read.door = door.map(|(_, door)| door);
    }
    Ok(read)
}

fn sanction(row: &Row) -> Result<Option<Sanction>, StorageError> {
    let measure: &str = row.get(1)?;
    let measure = [Measure::Ban, Measure::Mute].into_iter().find(|it| it.key() == measure);
    let (name, network): (Option<&str>, Option<&str>) = (row.get(2)?, row.get(4)?);
    let (keys, _) = row.get::<&[u8]>(3)?.as_chunks();
    let subject = match (name, network) {
        (Some(name), _) => {
            let keys = keys.iter().map(|key| PublicKey(*key)).collect();
            Some(Subject::Person { name: name.to_owned(), keys })
        }
        (None, network) => network.and_then(|it| it.parse().ok()).map(Subject::Network),
    };
    let Some((measure, subject)) = measure.zip(subject) else { return Ok(None) };
    let (id, until_ms, since_ms) = (row.get(0)?, row.get(5)?, row.get(6)?);
    let by = row.get::<&str>(7)?.to_owned();
    Ok(Some(Sanction { id, measure, subject, until_ms, since_ms, by }))
}

/// Returns the records of what operators did of these rows of [`SELECT_ENTRIES`].
pub(super) fn read_audit(rows: &[Row]) -> Result<Vec<AuditEntry>, StorageError> {
    let entry = |row: &Row| {
        let text = |column| row.get::<&str>(column).map(ToOwned::to_owned);
        let (who, verb, subject, detail) = (text(1)?, text(2)?, text(3)?, text(4)?);
        Ok(AuditEntry { time_ms: row.get(0)?, who, verb, subject, detail })
    };
    rows.iter().map(entry).collect()
}

/// Returns the value of a column that has always so many bytes.
fn fixed<const N: usize>(row: &Row, column: usize) -> Result<[u8; N], StorageError> {
    let bytes: &[u8] = row.get(column)?;
    let damage = |_| StorageError::Damaged(format!("{} bytes in place of {N}", bytes.len()));
    bytes.try_into().map_err(damage)
}
