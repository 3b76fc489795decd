//! Amendments of messages: their records, and what they change.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    index::{self, Change},
    logs::key,
    moderation,
    records::Writer,
    rows::integer,
};
use crate::core::{
    amending::{Amendable, Granted, RESTORABLE_MS, Words, grant},
    id::RoomId,
    moderation::AuditEntry,
    record::{AmendError, Amending, Appended, Draft, Kind, PersonId, Record, Stored, Target},
};

const SELECT: &str = "SELECT kind, person, author, time_ms, content, edit_seq, words, reactions, removed \
    FROM records WHERE key = ?1";
const EDIT: &str = "UPDATE records SET content = ?2, edit_seq = ?3, edited_ms = ?4 WHERE key = ?1";
const ERASE: &str = "UPDATE records SET content = '', edited_ms = NULL, words = 1, removed = NULL, \
    removed_ms = NULL, reactions = NULL WHERE key = ?1";
const REMOVE: &str = "UPDATE records SET removed = content, removed_ms = ?2, content = '', \
    edited_ms = NULL, words = 2, reactions = NULL WHERE key = ?1";
const REACT: &str = "UPDATE records SET reactions = ?2 WHERE key = ?1";
const RESTORE: &str = "UPDATE records SET content = removed, words = 0, removed = NULL, \
    removed_ms = NULL WHERE key = ?1";
const FORGET_REMOVED: &str = "UPDATE records SET removed = NULL, removed_ms = NULL, words = 1 \
    WHERE key IN (SELECT key FROM records WHERE removed_ms <= ?1 ORDER BY removed_ms LIMIT ?2)";
const SELECT_REMOVED: &str =
    "SELECT removed_ms FROM records WHERE removed_ms IS NOT NULL ORDER BY removed_ms LIMIT 1";

/// The most words that are forgotten in one transaction.
const FORGET_STEP: u64 = 64;

/// The record of a room that has a number.
pub(super) enum Found {
    Message(Message),
    /// It is no message.
    Other,
    /// It is not kept, or there never was one.
    Nothing,
}

/// A message as it is now.
pub(super) struct Message {
    person: Option<PersonId>,
    author: String,
    time_ms: u64,
    content: String,
    /// The number of its last edit.
    edit_seq: Option<u64>,
    words: Words,
    reactions: Option<String>,
    /// The words that were put aside.
    removed: Option<String>,
}

impl Message {
    /// Returns it as it is told of in protocol 1.
    pub(super) fn target(&self) -> Target {
        Target::new(self.time_ms, &self.content)
    }
}

/// Returns the record of a room that has a number.
pub(super) fn find(connection: &Connection, room: RoomId, seq: u64) -> rusqlite::Result<Found> {
    let Ok(key) = key(room, seq) else { return Ok(Found::Nothing) };
    let mut select = connection.prepare_cached(SELECT)?;
    let found = select.query_row([key], read).optional()?;
    Ok(found.unwrap_or(Found::Nothing))
}

/// Returns the number of the last edit of a message, if it was edited and is kept.
pub(super) fn newest_edit(
    connection: &Connection,
    room: RoomId,
    seq: u64,
) -> rusqlite::Result<Option<u64>> {
    Ok(match find(connection, room, seq)? {
        Found::Message(message) => message.edit_seq,
        Found::Other | Found::Nothing => None,
    })
}

fn read(row: &Row<'_>) -> rusqlite::Result<Found> {
    if row.get::<_, i64>(0)? != 0 {
        return Ok(Found::Other);
    }
    Ok(Found::Message(Message {
        person: row.get::<_, Option<u64>>(1)?.map(PersonId),
        author: row.get(2)?,
        time_ms: row.get(3)?,
        content: row.get(4)?,
        edit_seq: row.get(5)?,
        words: match row.get::<_, i64>(6)? {
            0 => Words::Kept,
            2 => Words::Removed,
            _ => Words::Erased,
        },
        reactions: row.get(7)?,
        removed: row.get(8)?,
    }))
}

impl Writer<'_> {
    /// Takes an amendment into the log of a room, and changes its message, if its author may; who has an
    /// `entry` may remove the messages of others.
    pub(super) fn amend(
        &mut self,
        room: RoomId,
        draft: &Draft,
        entry: Option<&AuditEntry>,
    ) -> rusqlite::Result<Appended> {
        if let Some(known) = self.known(room, draft)? {
            return Ok(known);
        }
        let Kind::Amendment { target, amending } = &draft.kind else {
            return Ok(Appended::Refused(AmendError::NoMessage));
        };
        let Found::Message(message) = find(self.connection, room, *target)? else {
            return Ok(Appended::Refused(AmendError::NoMessage));
        };
        let reactions = message.reactions.as_deref();
        let amendable = Amendable { person: message.person, words: message.words, reactions };
        let author = (draft.person, draft.author.as_str());
        let granted = match grant(&amendable, author, amending, entry.is_some()) {
            Ok(granted) => granted,
            Err(error) => return Ok(Appended::Refused(error)),
        };
        let own_words = match amending {
            Amending::React(Some(emoji)) => emoji.as_ref(),
            _ => "",
        };
        let Some(record) = self.insert(room, draft, own_words)? else {
            return Err(rusqlite::Error::QueryReturnedNoRows);
        };
        change(self.connection, room, (*target, &granted), &record)?;
        let is_kept = message.words == Words::Kept;
        let words = is_kept.then_some(message.content.as_str());
        let (before, after) = match &granted {
            Granted::Edit(new) => (words, Some(new.as_ref())),
            Granted::Erase | Granted::Remove => (words, None),
            Granted::Restore => (None, message.removed.as_deref()),
            Granted::React(_) => (None, None),
        };
        let changed = Change { room, author: &message.author, before, after };
        index::change(self.connection, key(room, *target)?, &changed)?;
        if let (Granted::Remove | Granted::Restore, Some(entry)) = (&granted, entry) {
            let entry = AuditEntry { subject: message.author.clone(), ..entry.clone() };
            moderation::save(self.connection, &[], &entry)?;
        }
        let kind = match &message.removed {
            Some(words) if granted == Granted::Restore => {
                let amending = Amending::Restore(Some(Arc::from(words.as_str())));
                Kind::Amendment { target: *target, amending }
            }
            _ => record.kind,
        };
        Ok(Appended::New(Record { kind, target: Some(message.target()), ..record }))
    }
}

/// Changes a message by an amendment that was granted.
fn change(
    connection: &Connection,
    room: RoomId,
    (target, granted): (u64, &Granted),
    record: &Record,
) -> rusqlite::Result<()> {
    let key = key(room, target)?;
    let (seq, time_ms) = (integer(record.seq), integer(record.time_ms));
    let execute = |sql, values: &[&dyn rusqlite::ToSql]| {
        connection.prepare_cached(sql)?.execute(values).map(|_| ())
    };
    match granted {
        Granted::Edit(words) => execute(EDIT, params![key, words.as_ref(), seq, time_ms]),
        Granted::Erase => execute(ERASE, params![key]),
        Granted::Remove => execute(REMOVE, params![key, time_ms]),
        Granted::React(reactions) => execute(REACT, params![key, reactions]),
        Granted::Restore => execute(RESTORE, params![key]),
    }
}

/// Forgets some words that operators removed too long ago to bring them back; returns how many.
pub(super) fn forget_removed(connection: &Connection, utc_ms: u64) -> rusqlite::Result<usize> {
    let Some(until_ms) = utc_ms.checked_sub(RESTORABLE_MS) else { return Ok(0) };
    let values = [integer(until_ms), integer(FORGET_STEP)];
    connection.prepare_cached(FORGET_REMOVED)?.execute(values)
}

/// Returns when the first words were removed that operators can bring back, if there are any, in UTC
/// milliseconds since 1970.
pub(super) fn first_removed(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    connection.prepare_cached(SELECT_REMOVED)?.query_row([], |row| row.get(0)).optional()
}

/// Returns true for what takes the words out of a message.
pub(super) fn is_deletion(draft: &Draft) -> bool {
    matches!(draft.kind, Kind::Amendment { amending: Amending::Delete, .. })
}

/// Returns when this took words out of the file, or put others in their place, if it did, in UTC
/// milliseconds since 1970.
pub(super) fn erased_ms(stored: &Stored) -> Option<u64> {
    let Stored::Appended(Appended::New(record)) = stored else { return None };
    let is_erasing = matches!(
        record.kind,
        Kind::Amendment { amending: Amending::Delete | Amending::Edit(_), .. }
    );
    is_erasing.then_some(record.time_ms)
}
