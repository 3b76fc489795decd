//! Rooms that come from elsewhere: all of one, or nothing of it, in one transaction.

use pychat_wire::UserName;
use rusqlite::{Connection, OptionalExtension, params, wal::CheckpointMode};

use super::{
    Reserve, SqliteStore, amendments,
    logs::{Logs, key},
    moderation,
    records::Writer,
    rooms,
    rows::integer,
};
use crate::core::{
    id::RoomId,
    moderation::AuditEntry,
    record::{Draft, Kind, PersonId, ReadMark, Room, StorageError},
};

const UPDATE_STATE: &str =
    "UPDATE records SET edited_ms = ?2, words = ?3, reactions = ?4 WHERE key = ?1";
const SELECT_PERSON: &str = "SELECT person FROM names WHERE name = ?1";

/// The verb of the record of an import.
const VERB: &str = "import";

/// A record that came from elsewhere. Its author is nobody here, whatever their name.
#[derive(Clone, Debug)]
pub struct Imported<'a> {
    /// The time at which it was taken there, in UTC milliseconds since 1970.
    pub time_ms: u64,
    /// The name of its author.
    pub author: UserName,
    /// A message or an event.
    pub kind: Kind<&'a str>,
    /// It has no words any more.
    pub is_deleted: bool,
    /// The number of the message of this room that it answers.
    pub reply: Option<u64>,
    /// The time of its last edit.
    pub edited_ms: Option<u64>,
    /// The reactions to it: emoji and names.
    pub reactions: Vec<(&'a str, &'a str)>,
}

/// The room into which records are put.
#[derive(Debug)]
pub struct Importer<'a> {
    connection: &'a Connection,
    logs: &'a mut Logs,
    room: RoomId,
}

impl SqliteStore {
    /// Makes an open or closed room, and has `fill` put records into it; keeps both, with the record
    /// that `by` has done so from a source of this name, or neither. Its members have seen all of it.
    /// Returns its number.
    ///
    /// # Errors
    ///
    /// Those of `fill`, and [`StorageError`].
    pub fn import<E: From<StorageError>>(
        &mut self,
        room: Room,
        (by, source, utc_ms): (&str, &str, u64),
        fill: impl FnOnce(&mut Importer<'_>) -> Result<(), E>,
    ) -> Result<RoomId, E> {
        let id = RoomId(self.logs.last_room().0.saturating_add(1));
        let room = Room { id, ..room };
        let begin = self.connection.execute_batch("BEGIN IMMEDIATE");
        begin.map_err(StorageError::from)?;
        let import = || -> Result<(), E> {
            rooms::create(&self.connection, 0, &room).map_err(StorageError::from)?;
            let logs = &mut self.logs;
            fill(&mut Importer { connection: &self.connection, logs, room: id })?;
            let seq = self.logs.ends(id).last_seq;
            let finish = || -> rusqlite::Result<()> {
                for person in room.members.iter().copied() {
                    rooms::mark(&self.connection, ReadMark { room: id, person, seq })?;
                }
                let detail = format!("{id} from {source}");
                let (who, verb, subject) = (by.to_owned(), VERB.to_owned(), room.name.clone());
                let entry = AuditEntry { time_ms: utc_ms, who, verb, subject, detail };
                moderation::save(&self.connection, &[], &entry)?;
                self.connection.execute_batch("COMMIT")
            };
            Ok(finish().map_err(StorageError::from)?)
        };
        let result = import();
        if result.is_ok() {
            // The next room begins with an empty one. If this fails, it is only longer.
            let _ = self.connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::TRUNCATE);
        } else {
            // Fails only where the error has rolled everything back already.
            let _ = self.connection.execute_batch("ROLLBACK");
            let logs = Logs::read(&self.connection, self.retention.messages_max);
            self.logs = logs.map_err(StorageError::from)?;
        }
        result.map(|()| id)
    }

    /// Returns what has to stay free on the disk while rooms come in.
    pub fn reserve(&self) -> Reserve {
        self.folder.reserve(self.retention.disk_reserve_bytes)
    }

    /// Returns the room that was imported from a source of this name, if it is there still.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub fn imported(&self, source: &str) -> Result<Option<RoomId>, StorageError> {
        let sql = "SELECT rooms.id FROM rooms JOIN audit \
            ON audit.verb = ?1 AND audit.detail = 'r' || rooms.id || ' from ' || ?2";
        let found = self.connection.query_row(sql, [VERB, source], |row| row.get(0));
        Ok(found.optional()?.map(RoomId))
    }

    /// Returns the person who owns this name, as they spell it.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub fn owner(&self, name: &str) -> Result<Option<PersonId>, StorageError> {
        let found = self.connection.query_row(SELECT_PERSON, [name], |row| row.get(0));
        Ok(found.optional()?.map(PersonId))
    }
}

impl Importer<'_> {
    /// Puts a record at the end of the room, at its time or at that of the one before it if that is
    /// later; returns its number. A record that is no message there is not answered.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub fn add(&mut self, record: &Imported<'_>) -> Result<u64, StorageError> {
        let words = record.kind.text();
        let draft = Draft {
            author: record.author.clone(),
            person: None,
            kind: record.kind.map(Into::into),
            id: None,
            reply: self.message(record.reply)?,
        };
        let added = {
            let mut writer = Writer::new(self.connection, self.logs, record.time_ms)?;
            writer.insert(self.room, &draft, words)?
        };
        self.logs.settle(true); // It is taken back by reading all of them again.
        let added = added.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let reactions = record.reactions.iter().map(|(emoji, name)| (NOBODY, emoji, name));
        let reactions: Vec<_> = reactions.collect();
        if record.is_deleted || record.edited_ms.is_some() || !reactions.is_empty() {
            let reactions = (!reactions.is_empty()).then(|| serde_json::to_string(&reactions));
            let reactions =
                reactions.transpose().map_err(|it| StorageError::Other(it.to_string()))?;
            let (key, edited_ms) = (key(self.room, added.seq)?, record.edited_ms.map(integer));
            let values = params![key, edited_ms, record.is_deleted, reactions];
            self.connection.prepare_cached(UPDATE_STATE).and_then(|mut it| it.execute(values))?;
        }
        Ok(added.seq)
    }

    /// Returns this number if a message has it.
    fn message(&self, seq: Option<u64>) -> Result<Option<u64>, StorageError> {
        let Some(seq) = seq else { return Ok(None) };
        let found = amendments::find(self.connection, self.room, seq)?;
        Ok(matches!(found, amendments::Found::Message(_)).then_some(seq))
    }
}

/// The number of no person.
const NOBODY: u64 = 0;
