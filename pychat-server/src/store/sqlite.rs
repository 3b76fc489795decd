//! A log that outlives the process: a SQLite database, one transaction a tick.
//!
//! Everything taken is in the file's write-ahead log before anybody is told of it, so it survives
//! the server whatever ends that; [`Durability`] decides whether it also survives the machine. Work
//! that waits for the disk for long is left to another process, see [`child`]: moving what was
//! written into its place, and reading all of it after an end that was not in order.

mod amendments;
mod check;
pub mod checkpoint;
pub mod child;
mod error;
mod folder;
mod gaps;
mod health;
mod import;
mod index;
pub(super) mod logs;
mod migrations;
pub(super) mod moderation;
pub(super) mod records;
mod requests;
pub(super) mod retention;
pub(super) mod rooms;
mod rows;
mod schema;
mod search;
mod separators;
mod snapshot;
pub(super) mod terms;

use std::{mem, ops::ControlFlow, path::PathBuf, time::Instant};

use rusqlite::{Connection, Row};

use self::{
    checkpoint::Checkpointer,
    child::CHILD_POLL,
    gaps::Gaps,
    health::{Health, damage},
    index::Index,
    logs::{Logs, key, key_up_to, keys, seq_of},
    records::{SELECT_AFTER, SELECT_SHOWN_AFTER, SELECT_SHOWN_SIZES, SELECT_SIZES, Writer, entry},
    rows::{integer, transaction},
    schema::Opened,
};
pub use self::{
    error::OpenError,
    folder::{FILE_NAME, Folder, LOCK_FILE, Reserve},
    import::{Imported, Importer},
    retention::TRIM_STEP,
    schema::{begin_epoch, settle, utc_ms, utc_name},
    snapshot::{NewLog, Snapshot},
};
use super::{
    Answer, Looked, Place as SearchPlace, Read, Records, Retention, Store, Wanted, over::Over,
    page::run_start,
};
use crate::core::{
    id::{RoomId, Ticket},
    moderation::{AuditEntry, Rulebook},
    record::{Entry, Invite, Person, PersonId, ReadMark, Request, Room, StorageError, Stored},
    time::Time,
};

/// The failures that the log outlives.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Durability {
    /// Any end of the server, by kill -9 as well; not a failure of the machine, which may lose the
    /// last seconds. The log then has another epoch, as the lost numbers are given again.
    #[default]
    Process,
    /// A power cut as well. Each tick in which something is said waits for the disk.
    Power,
}

/// The folder of a log, and the way in which it is kept there.
#[derive(Clone, Debug)]
pub struct Place {
    /// The folder that it has for its own; made if missing.
    pub directory: PathBuf,
    /// The failures that it outlives.
    pub durability: Durability,
    /// The program that moves what was written into place, which is this one; without it, the log
    /// does so itself, and an append waits for the disk now and then.
    pub program: Option<PathBuf>,
}

/// The newest records of the rooms, in a file.
#[derive(Debug)]
pub struct SqliteStore {
    checkpointer: Checkpointer,
    connection: Connection,
    epoch: String,
    retention: Retention,
    logs: Logs,
    index: Index,
    agenda: Agenda,
    forgetting: Forgetting,
    health: Health,
    /// Locked for as long as the log is open.
    folder: Folder,
}

/// The answers that nobody has asked for yet, and the time at which there is more to do.
#[derive(Debug, Default)]
struct Agenda {
    answers: Vec<Answer>,
    next_deadline: Option<Instant>,
}

/// The progress of forgetting.
#[derive(Debug, Default)]
struct Forgetting {
    /// The earliest time at which anything more is forgotten.
    trim_at: Option<Instant>,
    /// The earliest time at which anything more is forgotten for its age.
    age_at: Option<Instant>,
    /// The number of messages forgotten and not reported yet.
    n_forgotten: u64,
    /// The rooms that are over, whose logs are to be forgotten.
    over: Over,
    /// The earliest time at which words can have been removed that can be brought back, in UTC
    /// milliseconds since 1970.
    removed_ms: Option<u64>,
}

impl SqliteStore {
    /// Opens the log at `place`, or begins one there with the name `epoch`, which should be random.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: what is there is as it was.
    pub fn open(place: &Place, retention: Retention, epoch: u128) -> Result<Self, OpenError> {
        let folder = Folder::lock(&place.directory)?;
        let Opened { mut connection, epoch, was_closed } =
            schema::open(folder.file(), place.durability, &format!("{epoch:032x}"))?;
        let health = if was_closed { Health::Fine } else { Health::Unchecked };
        let failed = |error| OpenError::of(folder.file(), &StorageError::from(error));
        let gaps = Gaps::follow(&mut connection, &folder.wal(), !was_closed).map_err(failed)?;
        let logs = Logs::read(&connection, retention.messages_max).map_err(failed)?;
        let index = Index::read(&connection, &logs).map_err(failed)?;
        let removed_ms = amendments::first_removed(&connection);
        let removed_ms = removed_ms.map_err(failed)?;
        let mut forgetting = Forgetting { removed_ms, ..Forgetting::default() };
        for room in Logs::read_over(&connection).map_err(failed)? {
            forgetting.over.add(room);
        }
        Ok(Self {
            checkpointer: Checkpointer::new(
                folder.file(),
                place.program.clone(),
                gaps,
                !was_closed,
            ),
            connection,
            epoch,
            retention,
            logs,
            index,
            agenda: Agenda::default(),
            forgetting,
            health,
            folder,
        })
    }

    /// Carries out a batch, all of it or nothing, and answers each request.
    fn carry_out(&mut self, at: (Instant, u64), batch: &mut Vec<(Ticket, Request)>) {
        match self.transact(at, batch) {
            Ok(stored) => {
                let done = batch
                    .drain(..)
                    .zip(stored)
                    .map(|((ticket, _), stored)| Answer::Done { ticket, outcome: Ok(stored) });
                self.agenda.answers.extend(done);
            }
            Err(error) => self.refuse(batch, &error),
        }
    }

    /// Answers each request that it was not carried out.
    fn refuse(&mut self, batch: &mut Vec<(Ticket, Request)>, error: &StorageError) {
        let refused =
            batch.drain(..).map(|(ticket, _)| Answer::Done { ticket, outcome: Err(error.clone()) });
        self.agenda.answers.extend(refused);
    }

    /// Carries out a batch in one transaction; returns the outcome of each request.
    fn transact(
        &mut self,
        (now, utc_ms): (Instant, u64),
        batch: &[(Ticket, Request)],
    ) -> Result<Vec<Stored>, StorageError> {
        if let Health::Damaged = self.health {
            return Err(damage());
        }
        let logs = &mut self.logs;
        let stored = transaction(&self.connection, |connection| {
            let mut writer = Writer::new(connection, logs, utc_ms)?;
            let carry_out = |(_, request): &(Ticket, Request)| {
                requests::carry_out(connection, &mut writer, request)
            };
            batch.iter().map(carry_out).collect()
        });
        self.logs.settle(stored.is_ok());
        let stored: Vec<_> = stored?;
        for (_, request) in batch {
            if let Request::EndRoom(room) = request {
                self.forgetting.over.add(*room);
            }
        }
        for record in stored.iter().filter_map(Stored::new_record) {
            self.index.add(record);
        }
        if let Some(erased_ms) = stored.iter().find_map(amendments::erased_ms) {
            self.checkpointer.erase(now);
            self.forgetting.removed_ms.get_or_insert(erased_ms);
        }
        Ok(stored)
    }
}

impl Store for SqliteStore {
    fn submit(&mut self, now: Instant, utc_ms: u64, batch: &mut Vec<(Ticket, Request)>) {
        self.folder.check_space(now, self.retention.disk_reserve_bytes);
        if self.folder.is_short() {
            // What operators do may well be about who has filled the disk, and a device that was
            // removed must not come back. Neither grows without a limit, nor do marks. A message is
            // deleted once.
            let is_kept = |(_, request): &mut (Ticket, Request)| match request {
                Request::Amend { draft, .. } => amendments::is_deletion(draft),
                Request::Append { .. } | Request::Admit { .. } => false,
                _ => true,
            };
            let mut kept: Vec<_> = batch.extract_if(.., is_kept).collect();
            if !kept.is_empty() {
                self.carry_out((now, utc_ms), &mut kept);
            }
            return self.refuse(batch, &StorageError::Reserve);
        }
        self.carry_out((now, utc_ms), batch);
    }

    fn poll(&mut self, _now: Instant, answers: &mut Vec<Answer>) {
        answers.append(&mut self.agenda.answers);
    }

    /// Begins a transaction, so that the file is locked once. If that fails, each read locks it.
    fn begin_reading(&mut self) {
        let _ = self.connection.prepare_cached("BEGIN").and_then(|mut begin| begin.execute([]));
    }

    fn end_reading(&mut self) {
        if !self.connection.is_autocommit() {
            // Nothing was written, so nothing can be lost.
            let _ = self.connection.prepare_cached("COMMIT").and_then(|mut end| end.execute([]));
        }
    }

    fn read(
        &mut self,
        room: RoomId,
        after: u64,
        records: Records,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<Read, StorageError> {
        if self.last_seq(room) <= after {
            return Ok(Read::Done);
        }
        let mut select = self.connection.prepare_cached(match records {
            Records::All => SELECT_AFTER,
            Records::Shown => SELECT_SHOWN_AFTER,
        })?;
        let [_, last] = keys(room)?;
        let mut rows = select.query([key(room, after)?, last])?;
        while let Some(row) = rows.next()? {
            if each(entry(row)?).is_break() {
                break;
            }
        }
        Ok(Read::Done)
    }

    fn page_start(
        &mut self,
        room: RoomId,
        before: u64,
        limit: u64,
        bytes_max: usize,
        records: Records,
    ) -> Result<Option<u64>, StorageError> {
        if self.last_seq(room) == 0 {
            return Ok(Some(before));
        }
        let mut select = self.connection.prepare_cached(match records {
            Records::All => SELECT_SIZES,
            Records::Shown => SELECT_SHOWN_SIZES,
        })?;
        let size = |row: &Row<'_>| Ok((seq_of(row.get(0)?), row.get(1)?));
        let values = [key(room, 0)?, key_up_to(room, before)?, integer(limit)];
        let newest = select.query_map(values, size)?;
        Ok(Some(run_start(before, bytes_max, newest)?))
    }

    fn search(
        &mut self,
        wanted: &Wanted<'_>,
        place: &mut SearchPlace,
        budget: &mut usize,
        each: &mut dyn FnMut(RoomId, Entry<'_>) -> ControlFlow<()>,
    ) -> Result<Looked, StorageError> {
        Ok(search::look_for(&self.connection, wanted, place, budget, each)?)
    }

    fn people(&mut self) -> Result<(Vec<Person>, PersonId), StorageError> {
        Ok(rows::read_people(&self.connection)?)
    }

    fn rulebook(&mut self) -> Result<Rulebook, StorageError> {
        Ok(moderation::read(&self.connection)?)
    }

    fn audit(&mut self, limit: usize) -> Result<Option<Vec<AuditEntry>>, StorageError> {
        Ok(Some(moderation::read_audit(&self.connection, limit)?))
    }

    fn rooms(&mut self) -> Result<Vec<Room>, StorageError> {
        Ok(rooms::read(&self.connection)?)
    }

    fn last_room(&self) -> RoomId {
        self.logs.last_room()
    }

    fn marks(&mut self) -> Result<Vec<ReadMark>, StorageError> {
        Ok(rooms::read_marks(&self.connection)?)
    }

    fn invites(&mut self) -> Result<Vec<Invite>, StorageError> {
        Ok(rows::read_invites(&self.connection)?)
    }

    fn maintain(&mut self, time: &Time) {
        let trim_at = self.trim_due(time);
        let forget_at = self.forget_removed(time);
        let index_at = self.index_due(time.now);
        let gaps_at = self.clean_gaps(time.now);
        let checkpoint_at = self.checkpointer.maintain(time.now, &self.connection);
        let check_at = matches!(self.health, Health::Checking(_)).then(|| time.now + CHILD_POLL);
        let deadlines = [trim_at, forget_at, index_at, gaps_at, checkpoint_at, check_at];
        self.agenda.next_deadline = deadlines.into_iter().flatten().min();
    }

    fn is_check_due(&self) -> bool {
        matches!(self.health, Health::Unchecked)
    }

    fn check(&mut self, now: Instant) -> Option<Result<(), StorageError>> {
        self.check_file(now)
    }

    fn take_forgotten(&mut self) -> u64 {
        mem::take(&mut self.forgetting.n_forgotten)
    }

    fn set_retention(&mut self, retention: Retention) {
        self.retention = retention;
        self.logs.set_records_max(retention.messages_max);
        (self.forgetting.trim_at, self.forgetting.age_at) = (None, None);
        self.folder.forget_space();
    }

    fn epoch(&self) -> &str {
        &self.epoch
    }

    fn first_seq(&self, room: RoomId) -> u64 {
        self.logs.ends(room).first_seq
    }

    fn last_seq(&self, room: RoomId) -> u64 {
        self.logs.ends(room).last_seq
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.agenda.next_deadline
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        let is_clean = !matches!(self.health, Health::Damaged) && self.finish_gaps();
        // If this fails, the file only looks as if the server had been killed.
        let _ = match self.health {
            Health::Fine if is_clean => schema::close(&self.connection),
            Health::Fine | Health::Unchecked | Health::Checking(_) | Health::Damaged => Ok(()),
        };
    }
}
