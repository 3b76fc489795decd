//! Servers that share a database: the lease that each of them has there, and who is present on which.
//!
//! A server whose lease is not renewed in time, by the clock of the database, is taken for dead by any other:
//! an entry of the journal says so, once, and from then on nothing of it is committed.

use std::time::Duration;

use super::{
    encoding,
    journal::LOCK_END,
    link::damage,
    row::Row,
    schema,
    statement::{Owned, Statement},
};
use crate::core::{
    elsewhere::{Presence, Present, ServerId},
    record::{PersonId, StorageError},
};
use pychat_wire::{UserName, key::PublicKey};

/// The time after which a server is dead that does not renew its lease.
pub const LEASE: Duration = Duration::from_secs(10);

/// Gives a server process its number, or gives it again.
const INSERT_LEASE: &str = "WITH next AS (UPDATE journal_end SET servers = servers + 1 RETURNING servers) \
    INSERT INTO leases (id, server, name, address, version, applied) \
    SELECT servers, $1, $2, $3, $4, (SELECT number FROM journal_end) FROM next \
    ON CONFLICT (server) DO UPDATE SET renewed = clock_timestamp() RETURNING id";
const DELETE_LEASES: &str = "DELETE FROM leases WHERE gone AND renewed < now() - interval '1 day'";
const SELECT_PREDECESSOR: &str = "SELECT id FROM leases WHERE server = $1 AND NOT gone";
const RENEW: &str = "UPDATE leases SET renewed = clock_timestamp(), applied = $2 \
    WHERE id = $1 AND NOT gone RETURNING gone, (SELECT epoch FROM meta), \
    (SELECT version FROM version), (SELECT number FROM journal_end)";
const SELECT_DEAD: &str = "SELECT id FROM leases WHERE NOT gone AND id <> $1 \
    AND renewed < clock_timestamp() - $2 * interval '1 millisecond'";
/// Says that a server is gone, unless its lease is younger or somebody has said it.
const BURY: &str = "WITH buried AS (UPDATE leases SET gone = TRUE WHERE id = $1 AND NOT gone \
        AND renewed <= clock_timestamp() - $2 * interval '1 millisecond' RETURNING id), \
    ended AS (UPDATE journal_end SET number = number + 1 WHERE EXISTS (SELECT FROM buried) \
        RETURNING number), \
    left_behind AS (DELETE FROM present WHERE server = $1 AND EXISTS (SELECT FROM buried)), \
    entry AS (INSERT INTO journal (number, server, bytes, rooms, seqs, changes) \
        SELECT number, $1, 0, '{}', '{}', $3 FROM ended RETURNING number) \
    SELECT pg_notify('pychat_journal', number::text) FROM entry";
const TRIM: &str = "DELETE FROM journal \
    WHERE number <= (SELECT min(applied) FROM leases WHERE NOT gone) \
    AND number <= (SELECT max(number) FROM journal WHERE at < now() - $1 * interval '1 millisecond')";

pub(super) const SELECT_PRESENT: &str =
    "SELECT server, name, person, key FROM present WHERE server <> $1 ORDER BY position";
/// Takes those off whose place somebody takes: another one, whose name looks alike.
const DELETE_LOOKALIKES: &str = "DELETE FROM present WHERE (look IN ($1, $2) OR other_look IN ($1, $2)) \
    AND NOT coalesce(person = $3, FALSE)";
const INSERT_PRESENT: &str = "INSERT INTO present (server, name, person, key, look, other_look) \
    VALUES ($1, $2, $3, $4, $5, $6) \
    ON CONFLICT (server, name) DO UPDATE SET person = excluded.person, key = excluded.key";
const DELETE_PRESENT: &str = "DELETE FROM present WHERE server = $1 AND name = $2";

/// The time for which entries are kept that every server has applied.
const ENTRIES_KEPT: Duration = Duration::from_hours(1);

/// The terms on which a server shares its database with others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sharing {
    /// The time after which a server is dead that does not renew its lease; the same for all.
    pub lease: Duration,
    /// The name of the server, for operators.
    pub name: String,
    /// The address that clients are told, or nothing.
    pub address: String,
}

impl Default for Sharing {
    fn default() -> Self {
        Self { lease: LEASE, name: String::new(), address: String::new() }
    }
}

impl Sharing {
    /// Returns the time from one renewal to the next.
    pub(super) fn renewal(&self) -> Duration {
        self.lease / 5
    }

    /// Returns the time after which a server that could not renew its lease takes itself for dead, by its
    /// own clock.
    pub(super) fn fence(&self) -> Duration {
        self.lease / 5 * 4
    }

    /// Returns the statements by which a server process has a lease: the first answers with its number, the
    /// last with that of its predecessor, if nobody has said that this is gone.
    pub(super) fn enter(&self, server: &str, predecessor: Option<&str>) -> [Statement; 3] {
        let version = schema::MIGRATIONS.len() as u64;
        let texts = [server, &self.name, &self.address].map(Owned::from);
        let values: Vec<_> = texts.into_iter().chain([version.into()]).collect();
        [
            Statement::new(INSERT_LEASE, values),
            Statement::new(DELETE_LEASES, []),
            Statement::new(SELECT_PREDECESSOR, [predecessor.unwrap_or_default().into()]),
        ]
    }

    /// Returns the statements that renew a lease, and ask which others have ended.
    pub(super) fn renew(&self, server: ServerId, applied: u64) -> [Statement; 2] {
        [
            Statement::new(RENEW, [server.0.into(), applied.into()]),
            Statement::new(SELECT_DEAD, [server.0.into(), millis(self.lease)]),
        ]
    }

    /// Returns the statements that say that another server is gone, if its lease has ended.
    pub(super) fn bury(&self, server: ServerId) -> [Statement; 2] {
        bury(server, self.lease)
    }
}

/// Returns the statements that end the lease of a server which stops, or has.
pub(super) fn leave(server: ServerId) -> [Statement; 2] {
    bury(server, Duration::ZERO)
}

fn bury(server: ServerId, lease: Duration) -> [Statement; 2] {
    let entry = encoding::gone(server);
    let values = [server.0.into(), millis(lease), entry[..].into()];
    [Statement::new(LOCK_END, []), Statement::new(BURY, values)]
}

/// Returns the statement that forgets old entries of the journal.
pub(super) fn trim() -> Statement {
    Statement::new(TRIM, [millis(ENTRIES_KEPT)])
}

fn millis(duration: Duration) -> Owned {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).into()
}

/// Checks that a server is still one of a database that it knows, by its lease, the name of the log and the
/// version of the schema.
///
/// # Errors
///
/// [`StorageError`] if it is not, and never will be again.
pub(super) fn check(standing: Option<&Row>, epoch: &str) -> Result<(), StorageError> {
    let gone = "the other servers took this one for dead, as it was silent for too long; \
        start it anew";
    let lost = "the database has lost what a server had accepted; start this server anew";
    let Some(row) = standing else { return Err(StorageError::Other(gone.into())) };
    if row.get(0)? {
        return Err(StorageError::Other(gone.into()));
    }
    if row.get::<&str>(1)? != epoch {
        return Err(damage(lost));
    }
    schema::check_version(row.get(2)?)
}

/// Keeps that somebody is present on a server.
pub(super) fn come(server: ServerId, presence: &Presence, out: &mut Vec<Statement>) {
    let Presence { name, person, key } = presence;
    let person = Owned::from(person.map(|PersonId(id)| id));
    let looks = name.skeletons().each_ref().map(|look| Owned::from(look.as_str()));
    let [look, other_look] = looks;
    let values = [look.clone(), other_look.clone(), person.clone()];
    out.push(Statement::new(DELETE_LOOKALIKES, values));
    let key = Owned::from(key.as_ref().map(|key| &key.0[..]));
    let values = [server.0.into(), name.as_str().into(), person, key, look, other_look];
    out.push(Statement::new(INSERT_PRESENT, values));
}

/// Keeps that somebody is present there no more.
pub(super) fn go(server: ServerId, presence: &Presence, out: &mut Vec<Statement>) {
    let values = [server.0.into(), presence.name.as_str().into()];
    out.push(Statement::new(DELETE_PRESENT, values));
}

/// Returns those present by these rows of [`SELECT_PRESENT`].
pub(super) fn read_present(rows: &[Row]) -> Result<Vec<Present>, StorageError> {
    let present = |row: &Row| {
        let name = UserName::new(row.get(1)?).map_err(damage)?;
        let person = row.get::<Option<u64>>(2)?.map(PersonId);
        let key = row.get::<Option<&[u8]>>(3)?.map(<[u8; 32]>::try_from).transpose();
        let key = key.map_err(damage)?.map(PublicKey);
        let presence = Presence { name, person, key };
        Ok(Present { server: ServerId(row.get(0)?), presence })
    };
    rows.iter().map(present).collect()
}
