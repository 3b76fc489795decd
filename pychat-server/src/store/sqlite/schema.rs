//! Opening the file: the check that it is ours at all, and what makes it ready for work.

use std::{fs, path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, OptionalExtension, config::DbConfig};

use super::{
    Durability, OpenError,
    migrations::{APPLICATION_ID, MIGRATIONS, migrate},
};
use crate::core::record::StorageError;

/// The time for which opening the log waits for the last server's own processes to let go of it.
const OPEN_PATIENCE: Duration = Duration::from_secs(5);

/// The time for which the log waits for a program that should not be there at all, such as a
/// backup.
const PATIENCE: Duration = Duration::from_millis(50);

/// The most statements that are kept for the next time: more than there are.
const STATEMENTS_MAX: usize = 64;

/// The most memory for pages of the file, in KiB: as much as searches go back to again and again.
const CACHE_KIB: i32 = 16 << 10;

/// Makes sure that the next server gives the log another epoch, and looks at all of it: what wrote the
/// pages may have left copies of rows in them.
pub(super) const FORGET_BOOT: &str = "UPDATE meta SET unsynced_boot = 'restored', is_open = TRUE";

/// An open log and its name.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) epoch: String,
    /// The last server that had it closed it in order.
    pub(super) was_closed: bool,
}

/// Opens the log in `file`; an empty file becomes one with the name `new_epoch`.
pub(super) fn open(
    file: &Path,
    durability: Durability,
    new_epoch: &str,
) -> Result<Opened, OpenError> {
    let failed = |error: rusqlite::Error| OpenError::of(file, &error.into());
    let connection = connect(file).map_err(failed)?;
    check_origin(file, &connection, MIGRATIONS.len())?;
    // Not before: it reads the file.
    connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(failed)?;
    let (epoch, was_closed) = prepare(&connection, durability, new_epoch).map_err(failed)?;
    let is_epoch = epoch.len() == 32 && epoch.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_epoch {
        let detail = format!("{epoch:?} is no epoch");
        return Err(OpenError::Damaged { path: file.to_owned(), detail });
    }
    Ok(Opened { connection, epoch, was_closed })
}

/// Notes that everything is on the disk, and makes it so.
pub(super) fn close(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute("UPDATE meta SET unsynced_boot = NULL, is_open = FALSE", [])?;
    Ok(())
}

/// Has the log in `file`, which no server may have open, get another epoch from the next server.
///
/// # Errors
///
/// [`StorageError`]: the file is as it was.
pub fn begin_epoch(file: &Path) -> Result<(), StorageError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    connection.execute(FORGET_BOOT, [])?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Moves all that was written into its place in `file`, which no server may have open.
///
/// # Errors
///
/// [`StorageError`]: nothing is lost.
pub fn settle(file: &Path) -> Result<(), StorageError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Returns the time on the wall as a part of the name of a file, in UTC.
///
/// # Errors
///
/// [`StorageError`].
pub fn utc_name() -> Result<String, StorageError> {
    let now = "SELECT strftime('%Y-%m-%dT%H-%M-%SZ', 'now')";
    Ok(Connection::open_in_memory()?.query_row(now, [], |row| row.get(0))?)
}

/// Returns the time on the wall, in UTC milliseconds since 1970.
///
/// # Errors
///
/// [`StorageError`].
pub fn utc_ms() -> Result<u64, StorageError> {
    let now = "SELECT 1000 * unixepoch()";
    Ok(Connection::open_in_memory()?.query_row(now, [], |row| row.get(0))?)
}

/// Opens the file so that closing it again changes nothing.
fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(OPEN_PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // Or a statement whose limit is a parameter would be compiled again each time that this is bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // What is deleted is overwritten, or it could be found in the file.
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    Ok(connection)
}

/// Checks that the file is this program's, and not of a later version.
pub(super) fn check_origin(
    file: &Path,
    connection: &Connection,
    known: usize,
) -> Result<(), OpenError> {
    let path = || file.to_owned();
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i32>(0));
    let read = || -> rusqlite::Result<_> {
        Ok((
            number("PRAGMA application_id")?,
            number("PRAGMA user_version")?,
            number("SELECT count(*) FROM sqlite_schema")?,
        ))
    };
    match read() {
        Ok((0, 0, 0)) => Ok(()),
        Ok((APPLICATION_ID, version, _)) => match usize::try_from(version) {
            Ok(version) if version <= known => Ok(()),
            Ok(version) => Err(OpenError::Newer { path: path(), version, known }),
            Err(_) => {
                let detail = format!("version {version}");
                Err(OpenError::Damaged { path: path(), detail })
            }
        },
        Ok(_) => Err(OpenError::Foreign { path: path() }),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
            Err(OpenError::Foreign { path: path() })
        }
        Err(error) => Err(OpenError::of(file, &error.into())),
    }
}

/// Reads all of the log.
pub(super) fn check_health(connection: &Connection) -> Result<(), StorageError> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(StorageError::Damaged(verdict.replace('\n', ", "))) }
}

/// Brings the file up to date and makes it ready for work; returns its epoch, and whether it was
/// closed in order.
fn prepare(
    connection: &Connection,
    durability: Durability,
    new_epoch: &str,
) -> rusqlite::Result<(String, bool)> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    migrate(connection, MIGRATIONS)?;
    let boot = boot_id();
    connection.execute(
        "INSERT INTO meta (only, epoch) VALUES (1, ?1) \
            ON CONFLICT DO UPDATE SET epoch = ?1 WHERE unsynced_boot <> ?2",
        [new_epoch, &boot],
    )?;
    let unsynced_boot = match durability {
        Durability::Process => Some(boot),
        Durability::Power => None,
    };
    let is_open: bool = connection.query_row("SELECT is_open FROM meta", [], |row| row.get(0))?;
    connection.execute("UPDATE meta SET unsynced_boot = ?1, is_open = TRUE", [unsynced_boot])?;
    if durability == Durability::Process {
        connection.pragma_update(None, "synchronous", "NORMAL")?;
    }
    connection.busy_timeout(PATIENCE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    let epoch = connection.query_row("SELECT epoch FROM meta", [], |row| row.get(0))?;
    Ok((epoch, !is_open))
}

/// Returns the name of the log, unless it needs another one: with no server at work, its end may be missing.
pub(super) fn epoch_now(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let select = "SELECT epoch FROM meta WHERE unsynced_boot IS NULL OR unsynced_boot = ?1";
    connection.query_row(select, [boot_id()], |row| row.get(0)).optional()
}

/// Returns what the kernel calls the time since the machine was started. Where it does not say,
/// every such time is one: then a log that lost its end in a power cut is not found out.
fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::store::sqlite::records::SELECT_SIZES;

    #[test]
    fn a_statement_is_compiled_once_whatever_its_parameters_are() {
        let connection = connect(Path::new(":memory:")).unwrap();
        migrate(&connection, MIGRATIONS).unwrap();
        let mut select = connection.prepare(SELECT_SIZES).unwrap();
        for number in 1..=3 {
            assert!(select.query([0, number, number]).unwrap().next().unwrap().is_none());
        }
        assert_eq!(select.get_status(StatementStatus::RePrepare), 0);
    }
}
