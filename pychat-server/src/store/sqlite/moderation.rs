//! The rules that operators have made, and the records of it, as rows of the file.

use std::time::Duration;

use pychat_wire::{key::PublicKey, message::Door};
use rusqlite::{Connection, Row, params};

use super::rows::{self, integer};
use crate::{
    core::moderation::{AuditEntry, Change, Measure, Rulebook, Sanction, Subject},
    store::AUDIT_ENTRIES_MAX,
};

const INSERT_SANCTION: &str = "INSERT OR REPLACE INTO sanctions \
    (id, measure, name, keys, network, until_ms, since_ms, operator) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const SELECT_SANCTIONS: &str = "SELECT id, measure, name, keys, network, until_ms, since_ms, operator \
    FROM sanctions ORDER BY id";
const INSERT_ENTRY: &str =
    "INSERT INTO audit (time_ms, who, verb, subject, detail) VALUES (?1, ?2, ?3, ?4, ?5)";
const DELETE_ENTRIES: &str = "DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?1";
const SELECT_ENTRIES: &str = "SELECT time_ms, who, verb, subject, detail FROM \
    (SELECT * FROM audit ORDER BY id DESC LIMIT ?1) ORDER BY id";

/// The words for who is let in.
pub(in crate::store) const DOORS: [(&str, Door); 2] =
    [("open", Door::Open), ("invite", Door::Invite)];

/// Keeps what an operator did, and what changed by it.
pub(super) fn save(
    connection: &Connection,
    changes: &[Change],
    entry: &AuditEntry,
) -> rusqlite::Result<()> {
    for change in changes {
        match change {
            Change::Impose(sanction) => insert(connection, sanction)?,
            Change::Lift(id) => {
                let delete = "DELETE FROM sanctions WHERE id = ?1";
                connection.prepare_cached(delete)?.execute([integer(*id)])?;
            }
            Change::Slow(slow) => {
                let seconds = slow.map_or(0, |slow| slow.as_secs());
                let update = "UPDATE rules SET slow_seconds = ?1";
                connection.prepare_cached(update)?.execute([integer(seconds)])?;
            }
            Change::Door(door) => {
                let word = DOORS.into_iter().find(|(_, other)| other == door);
                let word = word.map_or("open", |(word, _)| word);
                connection.prepare_cached("UPDATE rules SET door = ?1")?.execute([word])?;
            }
            Change::AddInvite(invite) => rows::add_invite(connection, invite)?,
            Change::RevokeInvite(invite) => rows::remove_invite(connection, *invite)?,
        }
    }
    let AuditEntry { time_ms, who, verb, subject, detail } = entry;
    let values = params![integer(*time_ms), who, verb, subject, detail];
    connection.prepare_cached(INSERT_ENTRY)?.execute(values)?;
    connection.prepare_cached(DELETE_ENTRIES)?.execute([integer(AUDIT_ENTRIES_MAX as u64)])?;
    Ok(())
}

fn insert(connection: &Connection, sanction: &Sanction) -> rusqlite::Result<()> {
    let Sanction { id, measure, subject, until_ms, since_ms, by } = sanction;
    let (name, keys, network) = match subject {
        Subject::Person { name, keys } => {
            (Some(name), keys.iter().flat_map(|key| key.0).collect(), None)
        }
        Subject::Network(network) => (None, Vec::new(), Some(network.to_string())),
    };
    let until_ms = until_ms.map(integer);
    let values =
        params![integer(*id), measure.key(), name, keys, network, until_ms, integer(*since_ms), by];
    connection.prepare_cached(INSERT_SANCTION)?.execute(values)?;
    Ok(())
}

/// Returns the rules. What this version cannot read is left out.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Rulebook> {
    let mut select = connection.prepare(SELECT_SANCTIONS)?;
    let rows = select.query_map([], sanction)?;
    let sanctions = rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?;
    let (seconds, word): (u64, Option<String>) =
        connection.query_row("SELECT slow_seconds, door FROM rules", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let door = DOORS.into_iter().find(|(known, _)| Some(*known) == word.as_deref());
    Ok(Rulebook {
        sanctions,
        slow: (0 < seconds).then_some(Duration::from_secs(seconds)),
        door: door.map(|(_, door)| door),
    })
}

fn sanction(row: &Row<'_>) -> rusqlite::Result<Option<Sanction>> {
    let measure: String = row.get(1)?;
    let measure = [Measure::Ban, Measure::Mute].into_iter().find(|it| it.key() == measure);
    let (name, network): (Option<String>, Option<String>) = (row.get(2)?, row.get(4)?);
    let keys: Vec<u8> = row.get(3)?;
    let subject = match (name, network) {
        (Some(name), _) => {
            let (keys, _) = keys.as_chunks();
            let keys = keys.iter().map(|key| PublicKey(*key)).collect();
            Some(Subject::Person { name, keys })
        }
        (None, network) => network.and_then(|it| it.parse().ok()).map(Subject::Network),
    };
    let Some((measure, subject)) = measure.zip(subject) else { return Ok(None) };
    Ok(Some(Sanction {
        id: row.get(0)?,
        measure,
        subject,
        until_ms: row.get(5)?,
        since_ms: row.get(6)?,
        by: row.get(7)?,
    }))
}

/// Returns the newest records, oldest first.
pub(super) fn read_audit(
    connection: &Connection,
    limit: usize,
) -> rusqlite::Result<Vec<AuditEntry>> {
    let mut select = connection.prepare_cached(SELECT_ENTRIES)?;
    let entry = |row: &Row<'_>| {
        Ok(AuditEntry {
            time_ms: row.get(0)?,
            who: row.get(1)?,
            verb: row.get(2)?,
            subject: row.get(3)?,
            detail: row.get(4)?,
        })
    };
    let limit = integer(limit.min(AUDIT_ENTRIES_MAX) as u64);
    select.query_map([limit], entry)?.collect()
}
