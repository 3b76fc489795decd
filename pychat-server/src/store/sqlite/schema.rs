//! The schema of the file, its migrations, and the check that the file is ours at all.

use std::{fs, path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{Durability, OpenError};
use crate::core::record::StorageError;

/// The mark of this program's files, where SQLite's format has a place for one.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"pych");

/// The migrations: each makes a version of the file of the one before it. Only ever add to these: a
/// file says how many of them it has seen.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE meta (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        epoch TEXT NOT NULL,
        -- The last message that was forgotten: numbers and times go on from there.
        trimmed_seq INTEGER NOT NULL,
        trimmed_ms INTEGER NOT NULL,
        -- Since which start of the machine the log has not waited for the disk; none if it has.
        unsynced_boot TEXT
    ) STRICT;
    CREATE TABLE messages (
        seq INTEGER PRIMARY KEY,
        time_ms INTEGER NOT NULL,
        author TEXT NOT NULL,
        content TEXT NOT NULL,
        id TEXT
    ) STRICT;
    CREATE UNIQUE INDEX messages_by_id ON messages (author, id) WHERE id IS NOT NULL;
    CREATE TABLE tokens (
        use INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        hash BLOB NOT NULL
    ) STRICT;
",
    "
    -- Where a text ends in what a connection carried that may outlive the server's process.
    ALTER TABLE messages ADD COLUMN peer INTEGER;
    ALTER TABLE messages ADD COLUMN position INTEGER;
",
    "
    ALTER TABLE messages DROP COLUMN peer;
    ALTER TABLE messages DROP COLUMN position;
",
    "
    -- Whose the name of the author was, where that was proved.
    ALTER TABLE messages ADD COLUMN owner INTEGER;
    CREATE TABLE owners (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        token BLOB NOT NULL,
        used_ms INTEGER NOT NULL,
        is_regular INTEGER NOT NULL
    ) STRICT;
    INSERT INTO owners SELECT use, name, hash, 1000 * unixepoch(), FALSE FROM tokens;
    UPDATE messages SET owner = (SELECT owners.id FROM owners WHERE name = author)
        WHERE id IS NOT NULL;
    DROP TABLE tokens;
    DROP INDEX messages_by_id;
    CREATE UNIQUE INDEX messages_by_id ON messages (owner, id) WHERE id IS NOT NULL;
",
    "
    -- How many bytes all messages before this one took, forgotten ones too.
    ALTER TABLE messages ADD COLUMN begin_bytes INTEGER NOT NULL DEFAULT 0;
    UPDATE messages SET begin_bytes = before.bytes FROM (
        SELECT seq, sum(octet_length(content) + 100) OVER (ORDER BY seq)
            - octet_length(content) - 100 AS bytes FROM messages
    ) AS before WHERE messages.seq = before.seq;
",
    "
    -- A server has it open, or did not close it.
    ALTER TABLE meta ADD COLUMN is_open INTEGER NOT NULL DEFAULT FALSE;
",
    "
    -- People prove who they are by the keys of their devices, and may own several names. Who had a
    -- token has no key yet: their name stays reserved until name-days are over, or an operator frees
    -- it. Numbers of people go on from the largest there ever was.
    CREATE TABLE people (id INTEGER PRIMARY KEY) STRICT;
    CREATE TABLE names (
        name TEXT PRIMARY KEY,
        person INTEGER NOT NULL,
        used_ms INTEGER NOT NULL,
        is_regular INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX names_by_person ON names (person);
    CREATE TABLE keys (
        key BLOB PRIMARY KEY,
        person INTEGER NOT NULL,
        label TEXT NOT NULL,
        added_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX keys_by_person ON keys (person);
    INSERT INTO people SELECT id FROM owners;
    INSERT INTO names SELECT name, id, used_ms, is_regular FROM owners;
    DROP TABLE owners;
    ALTER TABLE messages RENAME COLUMN owner TO person;
",
    "
    ALTER TABLE people ADD COLUMN is_operator INTEGER NOT NULL DEFAULT FALSE;
",
    "
    -- Who is banned or muted: a person by keys, 32 bytes each, a guest by name, or a network.
    CREATE TABLE sanctions (
        id INTEGER PRIMARY KEY,
        measure TEXT NOT NULL,
        name TEXT,
        keys BLOB NOT NULL,
        network TEXT,
        until_ms INTEGER,
        since_ms INTEGER NOT NULL,
        operator TEXT NOT NULL
    ) STRICT;
    CREATE TABLE rules (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        slow_seconds INTEGER NOT NULL DEFAULT 0,
        door TEXT
    ) STRICT;
    INSERT INTO rules (only) VALUES (1);
    -- What operators did.
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY,
        time_ms INTEGER NOT NULL,
        who TEXT NOT NULL,
        verb TEXT NOT NULL,
        subject TEXT NOT NULL,
        detail TEXT NOT NULL
    ) STRICT;
",
    "
    -- Invites, by the hashes of their codes; an id is the beginning of a hash.
    CREATE TABLE invites (
        id BLOB PRIMARY KEY,
        hash BLOB NOT NULL,
        uses INTEGER,
        expires_ms INTEGER,
        made_by TEXT
    ) STRICT;
",
];

/// The time for which opening the log waits for the last server's own processes to let go of it.
const OPEN_PATIENCE: Duration = Duration::from_secs(5);

/// The time for which the log waits for a program that should not be there at all, such as a
/// backup.
const PATIENCE: Duration = Duration::from_millis(50);

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

/// Opens the file so that closing it again changes nothing.
fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(OPEN_PATIENCE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

/// Checks that the file is this program's, and not of a later version.
fn check_origin(file: &Path, connection: &Connection, known: usize) -> Result<(), OpenError> {
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
        "INSERT INTO meta (only, epoch, trimmed_seq, trimmed_ms) VALUES (1, ?1, 0, 0) \
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

/// Does what is missing of `migrations`, each as a whole or not at all.
fn migrate(connection: &Connection, migrations: &[&str]) -> rusqlite::Result<()> {
    let seen: usize = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for (version, migration) in (1..).zip(migrations).skip(seen) {
        let transaction = connection.unchecked_transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Returns what the kernel calls the time since the machine was started. Where it does not say,
/// every such time is one: then a log that lost its end in a power cut is not found out.
fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::{
        super::{FILE_NAME, Place, SqliteStore, rows},
        *,
    };
    use crate::{
        core::{
            id::HALL,
            record::{OwnedName, Person, PersonId},
        },
        store::{Retention, Store},
    };

    #[test]
    fn a_file_of_any_version_is_opened_and_keeps_what_it_has() {
        for version in 1..=MIGRATIONS.len() {
            let name = format!("pychat-version-{}-{version}", std::process::id());
            let directory = std::env::temp_dir().join(name);
            fs::create_dir_all(&directory).unwrap();
            let connection = Connection::open(directory.join(FILE_NAME)).unwrap();
            migrate(&connection, &MIGRATIONS[..version]).unwrap();
            let insert = "INSERT INTO messages (seq, time_ms, author, content, id) VALUES \
                (1, 5, 'Анна', 'hi', 'a-1'), (2, 6, 'Борис', 'old', NULL)";
            connection.execute(insert, []).unwrap();
            drop(connection);
            let place = Place {
                directory: directory.clone(),
                durability: Durability::Process,
                program: None,
            };
            let mut kept = SqliteStore::open(&place, Retention::default(), 0xab).unwrap();
            let mut read = Vec::new();
            kept.read(HALL, 0, &mut |entry| {
                read.push((entry.seq, entry.time_ms, entry.kind.text().to_owned()));
                ControlFlow::Continue(())
            })
            .unwrap();
            assert_eq!(read, [(1, 5, "hi".to_owned()), (2, 6, "old".to_owned())], "{version}");
            drop(kept);
            fs::remove_dir_all(directory).unwrap();
        }
    }

    #[test]
    fn who_had_a_token_keeps_their_name_reserved_and_has_no_key_yet() {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection, &MIGRATIONS[..6]).unwrap();
        let rows = "INSERT INTO owners VALUES (7, 'Анна', x'01', 5, TRUE), (9, 'b', x'02', 6, FALSE); \
            INSERT INTO messages (seq, time_ms, author, content, id, owner) \
                VALUES (1, 5, 'Анна', 'hi', 'a-1', 7), (2, 6, 'z', 'old', 'a-1', 11)";
        connection.execute_batch(rows).unwrap();
        migrate(&connection, MIGRATIONS).unwrap();
        let person = |id, name: &str, used_ms, is_regular| Person {
            id: PersonId(id),
            is_operator: false,
            names: vec![OwnedName { name: name.to_owned(), used_ms, is_regular }],
            devices: Vec::new(),
        };
        let people = vec![person(7, "Анна", 5, true), person(9, "b", 6, false)];
        assert_eq!(rows::read_people(&connection).unwrap(), (people, PersonId(11)));
        let again = "INSERT INTO messages (seq, time_ms, author, content, id, person) \
            VALUES (3, 7, 'Анна', 'hi', 'a-1', 7)";
        connection.execute(again, []).unwrap_err(); // An id is a person's once, as before.
    }

    fn version(connection: &Connection) -> i32 {
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_file_is_brought_up_to_date_from_any_version_and_keeps_what_it_has() {
        let second = "ALTER TABLE messages ADD COLUMN room TEXT NOT NULL DEFAULT 'the only one'";
        let broken = "DELETE FROM messages; SELECT nothing FROM nowhere";
        let connection = Connection::open_in_memory().unwrap();
        let first = &MIGRATIONS[..1];
        migrate(&connection, first).unwrap();
        assert_eq!(version(&connection), 1);
        let insert = "INSERT INTO messages VALUES (1, 2, 'Анна', 'hi', NULL)";
        connection.execute(insert, []).unwrap();
        let known = [first, &[second]].concat();
        migrate(&connection, &known).unwrap();
        migrate(&connection, &known).unwrap();
        assert_eq!(version(&connection), 2);
        let room = "SELECT content || room FROM messages";
        let read = || connection.query_row(room, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(read(), "hithe only one");

        migrate(&connection, &[&known[..], &[broken]].concat()).unwrap_err();
        assert_eq!((version(&connection), &*read()), (2, "hithe only one"), "all or nothing");
        let error = check_origin(Path::new("LOG"), &connection, 1).unwrap_err();
        assert_eq!(error.to_string(), "LOG has version 2, and this server knows none above 1");
    }
}
