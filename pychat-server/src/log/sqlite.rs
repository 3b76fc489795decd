//! A log that outlives the process: a SQLite database, one transaction a tick.
//!
//! What was taken is in the file's write-ahead log before anybody is told of it, so it survives the
//! server whatever ends that. Whether it also survives the machine is a matter of [`Durability`].
//! Everything that waits for the disk for long is left to another process, see [`checkpoint`].

pub mod checkpoint;
mod error;
mod folder;
mod page;
mod schema;

use std::{
    mem,
    ops::ControlFlow,
    path::PathBuf,
    time::{Duration, Instant},
};

use pychat_wire::UserName;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use self::{checkpoint::Checkpointer, folder::Folder, schema::Opened};
pub use self::{error::OpenError, folder::FILE_NAME};
use super::{
    Appended, Draft, Entry, Keep, Place as Origin, Record, StorageError, TOKENS_MAX, TokenHash,
};
use crate::id::ConnectionId;

/// How many messages are forgotten in one transaction.
pub const TRIM_STEP: u64 = 256;

/// How long the log rests between two such steps while there is enough to forget for the next.
const TRIM_PAUSE: Duration = Duration::from_millis(20);

/// How long it rests while there is less, or while it cannot forget.
const TRIM_REST: Duration = Duration::from_secs(1);

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
    next_deadline: Option<Instant>,
    /// Locked for as long as the log is open.
    _folder: Folder,
}

/// Where the log begins and ends, as the file has it.
#[derive(Clone, Copy, Debug)]
struct Ends {
    first_seq: u64,
    /// When the first message was said, if there is one.
    first_ms: Option<u64>,
    last_seq: u64,
    last_ms: u64,
    n_tokens: usize,
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
            next_deadline: None,
            _folder: folder,
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
        tokens: impl IntoIterator<Item = (UserName, TokenHash)>,
        mut appended: impl FnMut(ConnectionId, Appended),
    ) -> Result<(), StorageError> {
        let (mut drafts, mut tokens) =
            (drafts.into_iter().peekable(), tokens.into_iter().peekable());
        if drafts.peek().is_none() && tokens.peek().is_none() {
            return Ok(());
        }
        let (mut ends, mut taken) = (self.ends, mem::take(&mut self.taken));
        let result = transaction(&self.connection, |connection| {
            ends.last_ms = ends.last_ms.max(utc_ms);
            let mut insert = connection.prepare_cached(INSERT)?;
            for draft in drafts {
                taken.push((draft.from, take(connection, &mut insert, &mut ends, draft)?));
            }
            tokens
                .try_for_each(|(name, hash)| note_token(connection, &mut ends, name.as_str(), hash))
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

    /// See [`Log::places`](super::Log::places).
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub fn places(&mut self, after: u64) -> Result<Vec<(u64, Origin)>, StorageError> {
        let mut select = self.connection.prepare_cached(SELECT_PLACES)?;
        let places = select.query_map([integer(after)], |row| {
            Ok((row.get(0)?, Origin { peer: row.get(1)?, position: row.get(2)? }))
        })?;
        Ok(places.collect::<Result<_, _>>()?)
    }

    /// See [`Log::tokens`](super::Log::tokens).
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub fn tokens(&mut self) -> Result<Vec<(String, TokenHash)>, StorageError> {
        let mut select = self.connection.prepare_cached(SELECT_TOKENS)?;
        let tokens = select.query_map([], |row| Ok((row.get(0)?, TokenHash(row.get(1)?))))?;
        Ok(tokens.collect::<Result<_, _>>()?)
    }

    /// See [`Log::tend`](super::Log::tend).
    pub fn tend(&mut self, now: Instant, utc_ms: u64) {
        let trim_at = self.tend_trim(now, utc_ms);
        let checkpoint_at = self.checkpointer.tend(now, &self.connection);
        self.next_deadline = trim_at.into_iter().chain(checkpoint_at).min();
    }

    /// See [`Log::set_keep`](super::Log::set_keep).
    pub fn set_keep(&mut self, keep: Keep) {
        self.keep = keep;
        self.trim_at = None;
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
    fn tend_trim(&mut self, now: Instant, utc_ms: u64) -> Option<Instant> {
        let (excess, is_expired) = (self.excess(), self.is_expired(utc_ms));
        let is_due = self.trim_at.is_none_or(|trim_at| trim_at <= now);
        if (0 < excess || is_expired) && (is_due || 4 * TRIM_STEP <= excess) {
            let is_done = self.trim(utc_ms).is_ok();
            let is_more = TRIM_STEP <= self.excess() || self.is_expired(utc_ms);
            let pause = if is_done && is_more { TRIM_PAUSE } else { TRIM_REST };
            self.trim_at = Some(now + pause);
        }
        let wanted = if 0 < self.excess() { Some(now) } else { self.expiry(now, utc_ms) };
        wanted.map(|wanted| self.trim_at.map_or(wanted, |trim_at| wanted.max(trim_at)))
    }

    /// Forgets at most [`TRIM_STEP`] messages.
    fn trim(&mut self, utc_ms: u64) -> Result<(), StorageError> {
        let Ends { first_seq, last_seq, .. } = self.ends;
        let end = (first_seq + TRIM_STEP).min(last_seq + 1);
        let too_many = last_seq.saturating_sub(self.keep.messages_max);
        let said_by = self.keep.expired_by(utc_ms);
        let ends = transaction(&self.connection, |connection| {
            let too_old: Option<u64> = connection
                .prepare_cached("SELECT max(seq) FROM messages WHERE seq < ?1 AND time_ms <= ?2")?
                .query_row(params![integer(end), said_by.map(integer)], |row| row.get(0))?;
            let through = too_many.max(too_old.unwrap_or(0)).min(end - 1);
            for statement in [UPDATE_TRIMMED, "DELETE FROM messages WHERE seq <= ?1"] {
                connection.prepare_cached(statement)?.execute([integer(through)])?;
            }
            read_first(connection, self.ends)
        })?;
        self.ends = ends;
        Ok(())
    }

    /// Returns how many messages are kept beyond as many as should be.
    fn excess(&self) -> u64 {
        let kept = self.ends.last_seq + 1 - self.ends.first_seq;
        kept.saturating_sub(self.keep.messages_max)
    }

    fn is_expired(&self, utc_ms: u64) -> bool {
        let said_by = self.keep.expired_by(utc_ms);
        self.ends.first_ms.zip(said_by).is_some_and(|(first_ms, said_by)| first_ms <= said_by)
    }

    /// Returns when the oldest message is too old, if it ever is.
    fn expiry(&self, now: Instant, utc_ms: u64) -> Option<Instant> {
        let left_ms = self.keep.expiry_ms(self.ends.first_ms?)?.saturating_sub(utc_ms);
        now.checked_add(Duration::from_millis(left_ms))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // If this fails, the file only looks as if the server had been killed.
        let _ = schema::close(&self.connection);
    }
}

const INSERT: &str = "INSERT INTO messages (seq, time_ms, author, content, id, peer, position) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (author, id) WHERE id IS NOT NULL DO NOTHING";
const SELECT_KNOWN: &str =
    "SELECT seq, time_ms, author, content, id FROM messages WHERE author = ?1 AND id = ?2";
const SELECT_AFTER: &str =
    "SELECT seq, time_ms, author, content, id FROM messages WHERE ?1 < seq ORDER BY seq";
const SELECT_PLACES: &str =
    "SELECT seq, peer, position FROM messages WHERE ?1 < seq AND peer IS NOT NULL";
const SELECT_TOKENS: &str = "SELECT name, hash FROM tokens ORDER BY use";
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
    let Draft { from: _, author, content, id, place } = draft;
    let (peer, position) = place.map(|at| (integer(at.peer), integer(at.position))).unzip();
    let (seq, time_ms) = (ends.last_seq + 1, ends.last_ms);
    let (number, name) = (integer(seq), author.as_str());
    let values = params![number, integer(time_ms), name, &*content, id.as_deref(), peer, position];
    if insert.execute(values)? == 1 {
        ends.last_seq = seq;
        ends.first_ms.get_or_insert(time_ms);
        return Ok(Appended::New(Record { seq, time_ms, author, content, id }));
    }
    let mut select = connection.prepare_cached(SELECT_KNOWN)?;
    let known = select.query_row(params![author.as_str(), id.as_deref()], |row| {
        let Entry { seq, time_ms, content, .. } = entry(row)?;
        Ok((seq, time_ms, content.into()))
    });
    let (seq, time_ms, content) = known?;
    Ok(Appended::Known(Record { seq, time_ms, author, content, id }))
}

fn note_token(
    connection: &Connection,
    ends: &mut Ends,
    name: &str,
    TokenHash(hash): TokenHash,
) -> rusqlite::Result<()> {
    let forgotten =
        connection.prepare_cached("DELETE FROM tokens WHERE name = ?1")?.execute([name])?;
    connection
        .prepare_cached("INSERT INTO tokens (name, hash) VALUES (?1, ?2)")?
        .execute(params![name, hash])?;
    ends.n_tokens = ends.n_tokens + 1 - forgotten.min(ends.n_tokens);
    if TOKENS_MAX < ends.n_tokens {
        ends.n_tokens -= connection
            .prepare_cached("DELETE FROM tokens WHERE use = (SELECT min(use) FROM tokens)")?
            .execute([])?;
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
    let n_tokens = connection.query_row("SELECT count(*) FROM tokens", [], |row| row.get(0))?;
    read_first(connection, Ends { first_seq: 0, first_ms: None, last_seq, last_ms, n_tokens })
}

/// Returns `ends` with the beginning that the file has now.
fn read_first(connection: &Connection, ends: Ends) -> rusqlite::Result<Ends> {
    let first = connection
        .prepare_cached("SELECT seq, time_ms FROM messages ORDER BY seq LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (first_seq, first_ms) =
        first.map_or((ends.last_seq + 1, None), |(seq, time_ms)| (seq, Some(time_ms)));
    Ok(Ends { first_seq, first_ms, ..ends })
}

fn entry<'row>(row: &'row Row<'_>) -> rusqlite::Result<Entry<'row>> {
    Ok(Entry {
        seq: row.get(0)?,
        time_ms: row.get(1)?,
        author: row.get_ref(2)?.as_str()?,
        content: row.get_ref(3)?.as_str()?,
        id: row.get_ref(4)?.as_str_or_null()?,
    })
}

/// A number as the file has it, which knows none above 2⁶³: neither does anybody reach it.
fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
