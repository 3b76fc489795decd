//! The file, read by a process of its own while a server may be at work on it.
//!
//! SQLite's write-ahead log shows each reader one moment and makes no writer wait, so a long reader
//! costs the server nothing but the length of that log. Nothing is written here.

mod dump;

use std::{
    fs::File,
    io::ErrorKind,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

pub use self::dump::NewLog;
use super::{
    OpenError, check,
    logs::{Logs, key, keys},
    migrations::MIGRATIONS,
    records::{SELECT_AFTER, entry},
    rooms,
    schema::check_origin,
};
use crate::{
    core::{
        id::RoomId,
        record::{Entry, Room, StorageError},
    },
    store::moving::Contents,
};

/// The time for which a reader waits for a server that begins or ends.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// The instructions of SQLite's machine between two looks at the progress of a copy.
const PROGRESS_INSTRUCTIONS: i32 = 100_000;

/// A log that is read and not written.
#[derive(Debug)]
pub struct Snapshot {
    connection: Connection,
    file: PathBuf,
    /// It is of the version that this program writes.
    is_current: bool,
}

impl Snapshot {
    /// Opens the log in `file`.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; a file of a later version is refused, too.
    pub fn open(file: &Path) -> Result<Self, OpenError> {
        // SQLite's own words for these say nothing of a reason.
        File::open(file)
            .and_then(|file| {
                let is_file = file.metadata()?.is_file();
                if is_file { Ok(()) } else { Err(ErrorKind::InvalidInput.into()) }
            })
            .map_err(|source| OpenError::Unreadable { path: file.to_owned(), source })?;
        let failed = |error: rusqlite::Error| OpenError::of(file, &error.into());
        let connect = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(file, flags)?;
            connection.busy_timeout(PATIENCE)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
            connection.pragma_update(None, "cell_size_check", true)?;
            Ok(connection)
        };
        let connection = connect().map_err(failed)?;
        check_origin(file, &connection, MIGRATIONS.len())?;
        let version: usize =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
        if version == 0 {
            return Err(OpenError::Foreign { path: file.to_owned() }); // Nothing is in it.
        }
        let is_current = version == MIGRATIONS.len();
        Ok(Self { connection, file: file.to_owned(), is_current })
    }

    /// Makes sure that it is of the version that this program writes, which has all that is read here.
    ///
    /// # Errors
    ///
    /// [`OpenError::Older`]: it can be copied and looked at as a file, and no more.
    pub fn require_current(&self) -> Result<(), OpenError> {
        if self.is_current { Ok(()) } else { Err(OpenError::Older { path: self.file.clone() }) }
    }

    /// Holds on to this moment: all that is read from here on is of it.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub fn hold(&self) -> Result<(), StorageError> {
        self.connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")?;
        Ok(())
    }

    /// Writes a copy of this moment into `target`, an empty file, and tells `progress` of the bytes that
    /// the log has and that are copied.
    ///
    /// The copy is made row by row (`VACUUM INTO`), so it has no pages that are free, and nothing of
    /// what was erased. It does not begin anew when somebody writes, as a copy by SQLite's backup
    /// interface would, and takes no more memory than a page cache.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: the copy is of no use.
    pub fn copy_into(
        &mut self,
        target: &Path,
        mut progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<(), StorageError> {
        let number = |sql| self.connection.query_row(sql, [], |row| row.get::<_, u64>(0));
        let pages = number("PRAGMA page_count")?.saturating_sub(number("PRAGMA freelist_count")?);
        let bytes = pages * number("PRAGMA page_size")?;
        let copy = File::open(target).map_err(|error| StorageError::Other(error.to_string()))?;
        let look = move || {
            progress(copy.metadata().map_or(0, |metadata| metadata.len()).min(bytes), bytes);
            false
        };
        self.connection.progress_handler(PROGRESS_INSTRUCTIONS, Some(look))?;
        let name = target.to_string_lossy();
        let copied = self.connection.execute("VACUUM INTO ?1", [&*name]);
        self.connection.progress_handler(0, None::<fn() -> bool>)?;
        copied?;
        let copy = Connection::open(target)?;
        // Whoever opens it as their log gets another epoch, as it may lack messages that clients have.
        copy.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
        copy.execute(super::schema::FORGET_BOOT, [])?;
        copy.close().map_err(|(_, error)| error)?;
        Ok(())
    }

    /// Reads all of the log; tells `wrong` of each thing that should not be, in words, and `progress` of
    /// the records that there are and that were looked at. Of an earlier version, only the file itself is
    /// looked at.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: it cannot be read to its end.
    pub fn check(
        &self,
        wrong: &mut dyn FnMut(String),
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), StorageError> {
        Ok(check::check(&self.connection, self.is_current, wrong, progress)?)
    }

    /// Returns how much there is in it, as far as an earlier version tells.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub fn contents(&self) -> Result<Contents, StorageError> {
        let number = |sql| match self.connection.query_row(sql, [], |row| row.get(0)) {
            Err(_) if !self.is_current => Ok(0), // It has no such table yet.
            number => number,
        };
        Ok(Contents {
            rooms: 1 + number("SELECT count(*) FROM rooms WHERE 0 < id")?,
            records: number("SELECT count(*) FROM records")?,
            people: number("SELECT count(*) FROM people")?,
        })
    }

    /// Returns every room but the hall.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub fn rooms(&self) -> Result<Vec<Room>, StorageError> {
        Ok(rooms::read(&self.connection)?)
    }

    /// Returns the numbers of the first and the last record of a room; of none, the first is the larger.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub fn ends(&self, room: RoomId) -> Result<(u64, u64), StorageError> {
        let ends = Logs::read(&self.connection, u64::MAX)?.ends(room);
        Ok((ends.first_seq, ends.last_seq))
    }

    /// Shows `each` record of a room, oldest first, until it breaks off.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: `each` may have seen some by then.
    pub fn read(
        &self,
        room: RoomId,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let [_, last] = keys(room)?;
        let mut select = self.connection.prepare(SELECT_AFTER)?;
        let mut rows = select.query([key(room, 0)?, last])?;
        while let Some(row) = rows.next()? {
            if each(entry(row)?).is_break() {
                break;
            }
        }
        Ok(())
    }
}
