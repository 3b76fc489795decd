//! A log that outlives the process: a SQLite database, one transaction a tick.
//!
//! What was taken is in the file's write-ahead log before anybody is told of it, so it survives the
//! server whatever ends that. Whether it also survives the machine is a matter of [`Durability`].
//! Everything that waits for the disk for long is left to another process, see [`checkpoint`].

pub mod checkpoint;
mod error;
mod folder;
mod schema;

use std::{
    mem,
    ops::ControlFlow,
    path::PathBuf,
    time::{Duration, Instant},
};

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use self::{checkpoint::Checkpointer, folder::Folder, schema::Opened};
pub use self::{error::OpenError, folder::FILE_NAME};
use super::{
    Appended, Draft, Entry, Keep, MESSAGE_BYTES, Owner, OwnerChange, OwnerId, Record, StorageError,
    TokenHash,
};
use crate::{clock::Time, id::ConnectionId};

/// How many messages are forgotten in one transaction.
pub const TRIM_STEP: u64 = 256;

/// How long the log rests between two such steps while there is enough to forget for the next.
const TRIM_PAUSE: Duration = Duration::from_millis(20);

/// How long it rests while there is less, or while it cannot forget.
const TRIM_REST: Duration = Duration::from_secs(1);

/// How long it rests after a whole step of messages that were too old: should the clock be wrong for
/// longer than anybody thought, little is lost until somebody sees it. A log of more messages than
/// [`AGED_SHARE`] rests for so many times less.
const AGE_PAUSE: Duration = Duration::from_mins(1);
const AGED_SHARE: u64 = 1 << 18;

/// How long a look at what is free on the disk is good for.
const SPACE_PAUSE: Duration = Duration::from_secs(1);

/// What the log outlives.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Durability {
    /// Whatever ends the server, kill -9 among it; not what ends the machine, which may take the
    /// last seconds along. The log then has another epoch, as the lost numbers are given again.
    #[default]
    Process,
    /// A power cut as well. Each tick in which something is said waits for the disk.
    Power,
}

/// Where and how a log is kept.
#[derive(Clone, Debug)]
pub struct Place {
    /// The folder that it has for its own; made if missing.
    pub directory: PathBuf,
    /// What it outlives.
    pub durability: Durability,
    /// The program that moves what was written into place, which is this one; without it, the log
    /// does so itself, and whoever appends waits for the disk now and then.
    pub program: Option<PathBuf>,
}

/// The newest messages of the room, in a file.
#[derive(Debug)]
pub struct Kept {
    checkpointer: Checkpointer,
    connection: Connection,
    epoch: String,
    keep: Keep,
    ends: Ends,
    /// What is taken but not told yet; empty between appends.
    taken: Vec<(ConnectionId, Appended)>,
    /// Not before this is anything more forgotten.
    trim_at: Option<Instant>,
    /// Not before this is anything more forgotten for its age.
    age_at: Option<Instant>,
    /// How many were forgotten and not told of.
    forgotten: u64,
    space: Space,
    next_deadline: Option<Instant>,
    /// Locked for as long as the log is open.
    folder: Folder,
}

/// Whether there is room on the disk for more.
#[derive(Clone, Copy, Debug, Default)]
struct Space {
    checked_at: Option<Instant>,
    is_short: bool,
}

/// Where the log begins and ends, as the file has it.
#[derive(Clone, Copy, Debug)]
struct Ends {
    first_seq: u64,
    /// When the first message was said, if there is one.
    first_ms: Option<u64>,
    last_seq: u64,
    last_ms: u64,
    /// How many bytes all messages before the first took, and all until now.
    first_bytes: u64,
    last_bytes: u64,
}

impl Kept {
    /// Opens the log at `place`, or begins one there with the name `epoch`, which should be random.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: what is there is as it was.
    pub fn open(place: &Place, keep: Keep, epoch: u128) -> Result<Self, OpenError> {
        let folder = Folder::lock(&place.directory)?;
        let Opened { connection, epoch } =
            schema::open(folder.file(), place.durability, &format!("{epoch:032x}"))?;
        let ends = read_ends(&connection)
            .map_err(|error| OpenError::of(folder.file(), &StorageError::from(error)))?;
        Ok(Self {
            checkpointer: Checkpointer::new(folder.file(), place.program.clone()),
            connection,
            epoch,
            keep,
            ends,
            taken: Vec::new(),
            trim_at: None,
            age_at: None,
            forgotten: 0,
            space: Space::default(),
            next_deadline: None,
            folder,
        })
    }

    /// See [`Log::append`](super::Log::append).
    ///
    /// # Errors
    ///
    /// [`StorageError`]: the transaction was rolled back.
    pub fn append(
        &mut self,
        utc_ms: u64,
        drafts: impl IntoIterator<Item = Draft>,
        owners: impl IntoIterator<Item = OwnerChange>,
        mut appended: impl FnMut(ConnectionId, Appended),
    ) -> Result<(), StorageError> {
        let (mut drafts, mut owners) =
            (drafts.into_iter().peekable(), owners.into_iter().peekable());
        if drafts.peek().is_none() && owners.peek().is_none() {
            return Ok(());
        }
        if self.space.is_short {
            return Err(StorageError::Reserve);
        }
        let (mut ends, mut taken) = (self.ends, mem::take(&mut self.taken));
        let result = transaction(&self.connection, |connection| {
            ends.last_ms = ends.last_ms.max(utc_ms);
            let mut insert = connection.prepare_cached(INSERT)?;
            for draft in drafts {
                taken.push((draft.from, take(connection, &mut insert, &mut ends, draft)?));
            }
            owners.try_for_each(|change| change_owner(connection, &change))
        });
        if result.is_ok() {
            self.ends = ends;
            taken.drain(..).for_each(|(from, answer)| appended(from, answer));
        }
        taken.clear();
        self.taken = taken;
        Ok(result?)
    }

    /// See [`Log::read`](super::Log::read).
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub fn read(
        &mut self,
        after: u64,
        mut each: impl FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let mut select = self.connection.prepare_cached(SELECT_AFTER)?;
        let mut rows = select.query([integer(after)])?;
        while let Some(row) = rows.next()? {
            if each(entry(row)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// See [`Log::owners`](super::Log::owners).
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub fn owners(&mut self) -> Result<(Vec<Owner>, OwnerId), StorageError> {
        let last = self.connection.query_row(SELECT_LAST_OWNER, [], |row| row.get(0))?;
        let mut select = self.connection.prepare(SELECT_OWNERS)?;
        let owners = select.query_map([], |row| {
            Ok(Owner {
                id: OwnerId(row.get(0)?),
                name: row.get(1)?,
                token: TokenHash(row.get(2)?),
                used_ms: row.get(3)?,
                has_returned: row.get(4)?,
            })
        })?;
        Ok((owners.collect::<Result<_, _>>()?, OwnerId(last)))
    }

    /// See [`Log::tend`](super::Log::tend).
    pub fn tend(&mut self, time: &Time) {
        self.ends.last_ms = time.after(self.ends.last_ms);
        let trim_at = self.tend_trim(time);
        let checkpoint_at = self.checkpointer.tend(time.now, &self.connection);
        self.next_deadline = trim_at.into_iter().chain(checkpoint_at).min();
    }

    /// See [`Log::check_space`](super::Log::check_space).
    pub fn check_space(&mut self, now: Instant) {
        let is_fresh = |checked_at: Instant| now < checked_at + SPACE_PAUSE;
        if self.space.checked_at.is_some_and(is_fresh) {
            return;
        }
        // A file system that does not say is written to until it is full.
        let free = rustix::fs::statvfs(self.folder.directory())
            .map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        let is_short = free < self.keep.disk_reserve_bytes;
        self.space = Space { checked_at: Some(now), is_short };
    }

    /// See [`Log::take_forgotten`](super::Log::take_forgotten).
    pub fn take_forgotten(&mut self) -> u64 {
        mem::take(&mut self.forgotten)
    }

    /// See [`Log::set_keep`](super::Log::set_keep).
    pub fn set_keep(&mut self, keep: Keep) {
        self.keep = keep;
        (self.trim_at, self.age_at, self.space.checked_at) = (None, None, None);
    }

    /// See [`Log::epoch`](super::Log::epoch).
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// See [`Log::first_seq`](super::Log::first_seq).
    pub fn first_seq(&self) -> u64 {
        self.ends.first_seq
    }

    /// See [`Log::last_seq`](super::Log::last_seq).
    pub fn last_seq(&self) -> u64 {
        self.ends.last_seq
    }

    /// See [`Log::next_deadline`](super::Log::next_deadline).
    pub fn next_deadline(&self) -> Option<Instant> {
        self.next_deadline
    }

    /// Forgets a few of what is too much or too old; returns when there is more to do.
    fn tend_trim(&mut self, time: &Time) -> Option<Instant> {
        let now = time.now;
        let is_age_due = self.age_at.is_none_or(|age_at| age_at <= now);
        let utc_ms = time.trusted_ms().filter(|utc_ms| is_age_due && self.is_expired(*utc_ms));
        let is_due = self.trim_at.is_none_or(|trim_at| trim_at <= now);
        let is_urgent = 4 * TRIM_STEP <= self.excess();
        if (self.is_too_much() || utc_ms.is_some()) && (is_due || is_urgent) {
            let trimmed = self.trim(utc_ms);
            if utc_ms.is_some() && trimmed == Ok(TRIM_STEP) {
                let share = (self.len() / AGED_SHARE).clamp(1, 1_000);
                self.age_at = Some(now + AGE_PAUSE / u32::try_from(share).unwrap_or(1));
            }
            let is_more = trimmed == Ok(TRIM_STEP) && self.is_too_much();
            self.trim_at = Some(now + if is_more { TRIM_PAUSE } else { TRIM_REST });
        }
        let wanted = if self.is_too_much() { Some(now) } else { self.expiry(time) };
        wanted.map(|wanted| self.trim_at.map_or(wanted, |trim_at| wanted.max(trim_at)))
    }

    /// Forgets at most [`TRIM_STEP`] messages, and those that are too old only if it is `utc_ms`;
    /// returns how many.
    fn trim(&mut self, utc_ms: Option<u64>) -> Result<u64, StorageError> {
        let Ends { first_seq, last_seq, last_bytes, .. } = self.ends;
        let end = (first_seq + TRIM_STEP).min(last_seq + 1);
        let too_many = last_seq.saturating_sub(self.keep.messages_max);
        let said_by = utc_ms.and_then(|utc_ms| self.keep.expired_by(utc_ms)).map(integer);
        let begun_before = integer(last_bytes.saturating_sub(self.keep.bytes_max));
        let ends = transaction(&self.connection, |connection| {
            let other: Option<u64> = connection
                .prepare_cached(SELECT_TRIMMABLE)?
                .query_row(params![integer(end), said_by, begun_before], |row| row.get(0))?;
            let through = too_many.max(other.unwrap_or(0)).min(end - 1);
            for statement in [UPDATE_TRIMMED, "DELETE FROM messages WHERE seq <= ?1"] {
                connection.prepare_cached(statement)?.execute([integer(through)])?;
            }
            read_first(connection, self.ends)
        })?;
        self.ends = ends;
        let count = ends.first_seq - first_seq;
        self.forgotten += count;
        Ok(count)
    }

    /// How many messages are kept.
    fn len(&self) -> u64 {
        self.ends.last_seq + 1 - self.ends.first_seq
    }

    /// Returns how many messages are kept beyond as many as should be.
    fn excess(&self) -> u64 {
        self.len().saturating_sub(self.keep.messages_max)
    }

    fn is_too_much(&self) -> bool {
        let bytes = self.ends.last_bytes - self.ends.first_bytes;
        0 < self.excess() || self.keep.bytes_max < bytes
    }

    fn is_expired(&self, utc_ms: u64) -> bool {
        let said_by = self.keep.expired_by(utc_ms);
        self.ends.first_ms.zip(said_by).is_some_and(|(first_ms, said_by)| first_ms <= said_by)
    }

    /// Returns when the oldest message is too old and may be forgotten for it, if it ever is.
    fn expiry(&self, time: &Time) -> Option<Instant> {
        let left_ms = self.keep.expiry_ms(self.ends.first_ms?)?.saturating_sub(time.utc_ms);
        let expiry = time.now.checked_add(Duration::from_millis(left_ms))?.max(time.trusted_at);
        Some(self.age_at.map_or(expiry, |age_at| expiry.max(age_at)))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // If this fails, the file only looks as if the server had been killed.
        let _ = schema::close(&self.connection);
    }
}

const INSERT: &str = "INSERT INTO messages (seq, time_ms, author, content, id, owner, \
    begin_bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (owner, id) WHERE id IS NOT NULL DO NOTHING";
const SELECT_KNOWN: &str =
    "SELECT seq, time_ms, author, content, id, owner FROM messages WHERE owner = ?1 AND id = ?2";
const SELECT_AFTER: &str =
    "SELECT seq, time_ms, author, content, id, owner FROM messages WHERE ?1 < seq ORDER BY seq";
const SELECT_OWNERS: &str = "SELECT id, name, token, used_ms, has_returned FROM owners";
const SELECT_LAST_OWNER: &str = "SELECT max( \
    coalesce((SELECT max(id) FROM owners), 0), \
    coalesce((SELECT max(owner) FROM messages WHERE id IS NOT NULL), 0))";
const INSERT_OWNER: &str = "INSERT OR REPLACE INTO owners (id, name, token, used_ms, has_returned) \
    VALUES (?1, ?2, ?3, ?4, ?5)";
const SELECT_TRIMMABLE: &str =
    "SELECT max(seq) FROM messages WHERE seq < ?1 AND (time_ms <= ?2 OR begin_bytes < ?3)";
const SELECT_LAST: &str = "SELECT begin_bytes + octet_length(content) + ?2 \
    FROM messages WHERE seq = ?1";
const UPDATE_TRIMMED: &str = "UPDATE meta SET trimmed_seq = max(trimmed_seq, ?1), \
    trimmed_ms = coalesce((SELECT time_ms FROM messages WHERE seq = ?1), trimmed_ms)";

/// Does all of `work`, or nothing.
fn transaction<T>(
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

fn take(
    connection: &Connection,
    insert: &mut CachedStatement<'_>,
    ends: &mut Ends,
    draft: Draft,
) -> rusqlite::Result<Appended> {
    let Draft { from: _, author, owner, content, id } = draft;
    let (seq, time_ms) = (ends.last_seq + 1, ends.last_ms);
    let (number, name) = (integer(seq), author.as_str());
    let owner_number = owner.map(|OwnerId(number)| integer(number));
    let values = params![
        number,
        integer(time_ms),
        name,
        &*content,
        id.as_deref(),
        owner_number,
        integer(ends.last_bytes)
    ];
    if insert.execute(values)? == 1 {
        ends.last_seq = seq;
        ends.last_bytes += content.len() as u64 + MESSAGE_BYTES;
        ends.first_ms.get_or_insert(time_ms);
        return Ok(Appended::New(Record { seq, time_ms, author, owner, content, id }));
    }
    let mut select = connection.prepare_cached(SELECT_KNOWN)?;
    let known = select.query_row(params![owner_number, id.as_deref()], |row| {
        let known = entry(row)?;
        Ok((known.content == &*content).then_some((known.seq, known.time_ms)))
    })?;
    Ok(match (known, id) {
        (None, Some(id)) => Appended::Conflict { id },
        (known, id) => {
            let (seq, time_ms) = known.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            Appended::Known(Record { seq, time_ms, author, owner, content, id })
        }
    })
}

fn change_owner(connection: &Connection, change: &OwnerChange) -> rusqlite::Result<()> {
    match change {
        OwnerChange::Save(Owner { id, name, token, used_ms, has_returned }) => {
            let (id, used_ms) = (integer(id.0), integer(*used_ms));
            let values = params![id, name, token.0, used_ms, has_returned];
            connection.prepare_cached(INSERT_OWNER)?.execute(values)?;
        }
        OwnerChange::Forget(OwnerId(id)) => {
            let mut delete = connection.prepare_cached("DELETE FROM owners WHERE id = ?1")?;
            delete.execute([integer(*id)])?;
        }
    }
    Ok(())
}

fn read_ends(connection: &Connection) -> rusqlite::Result<Ends> {
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
fn read_first(connection: &Connection, ends: Ends) -> rusqlite::Result<Ends> {
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

fn entry<'row>(row: &'row Row<'_>) -> rusqlite::Result<Entry<'row>> {
    Ok(Entry {
        seq: row.get(0)?,
        time_ms: row.get(1)?,
        author: row.get_ref(2)?.as_str()?,
        content: row.get_ref(3)?.as_str()?,
        id: row.get_ref(4)?.as_str_or_null()?,
        owner: row.get::<_, Option<u64>>(5)?.map(OwnerId),
    })
}

/// A number as the file has it, which knows none above 2⁶³: neither does anybody reach it.
fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
