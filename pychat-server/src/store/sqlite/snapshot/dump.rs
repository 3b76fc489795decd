//! A log as rows: all of one that is read, and a new one that is made of such.

use std::{ops::ControlFlow, path::Path};

use rusqlite::{
    Connection, OpenFlags, Row, ToSql, params,
    types::{ToSqlOutput, ValueRef},
};

use super::Snapshot;
use crate::{
    core::{
        id::RoomId,
        record::{Entry, Room, StorageError},
    },
    store::{
        moving::{Cell, Contents, Kind, Source, Table, Target},
        sqlite::{
            index,
            logs::Logs,
            migrations::{MIGRATIONS, migrate},
            schema::{self, FORGET_BOOT},
        },
    },
};

/// The messages that the index does not have yet have numbers in it behind the others.
const NUMBER_UNINDEXED: &str = "
    CREATE TEMP TABLE IF NOT EXISTS unindexed (record INTEGER PRIMARY KEY, doc INTEGER NOT NULL);
    DELETE FROM temp.unindexed;
    INSERT INTO temp.unindexed SELECT key, (SELECT coalesce(max(doc), 0) FROM search_docs)
        + row_number() OVER (ORDER BY time_ms, key) FROM records
        WHERE kind = 0 AND NOT EXISTS (SELECT 1 FROM search_docs WHERE record = key);
";
/// Until it is whole, the file has another name: nothing has to outlive a crash, or to be taken back.
const PREPARE: &str = "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; PRAGMA cache_size = -16384; \
    PRAGMA secure_delete = ON;";
/// The next server looks at all of it: its pages may have copies of rows in their unused bytes.
const INSERT_META: &str =
    "INSERT INTO meta (only, epoch, unsynced_boot, is_open) VALUES (1, ?1, NULL, TRUE)";

impl Source for Snapshot {
    fn contents(&mut self) -> Result<Contents, StorageError> {
        Self::contents(self)
    }

    fn epoch_or(&mut self, new: &str) -> Result<String, StorageError> {
        Ok(schema::epoch_now(&self.connection)?.unwrap_or_else(|| new.to_owned()))
    }

    fn rows(
        &mut self,
        table: &'static Table,
        each: &mut dyn FnMut(Vec<Cell>) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        if table.has_records {
            self.connection.execute_batch(NUMBER_UNINDEXED)?;
        }
        let mut select = self.connection.prepare(table.sqlite.select)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let cells = table.kinds.iter().enumerate().map(|(index, kind)| cell(row, index, *kind));
            each(cells.collect::<rusqlite::Result<_>>()?)?;
        }
        Ok(())
    }

    fn rooms(&mut self) -> Result<Vec<Room>, StorageError> {
        Self::rooms(self)
    }

    fn ends(&mut self, room: RoomId) -> Result<(u64, u64), StorageError> {
        Self::ends(self, room)
    }

    fn read(
        &mut self,
        room: RoomId,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        Self::read(self, room, each)
    }
}

fn cell(row: &Row<'_>, index: usize, kind: Kind) -> rusqlite::Result<Cell> {
    if row.get_ref(index)? == ValueRef::Null {
        return Ok(Cell::Null);
    }
    Ok(match kind {
        Kind::Int | Kind::Flag => Cell::Int(row.get(index)?),
        Kind::Text | Kind::Words => Cell::Text(row.get(index)?),
        Kind::Bytes => Cell::Bytes(row.get(index)?),
    })
}

/// A log that is made of rows, in a file that no server knows of yet.
#[derive(Debug)]
pub struct NewLog(Connection);

impl NewLog {
    /// Begins a log in `file`, which is empty.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub fn begin(file: &Path) -> Result<Self, StorageError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.execute_batch(PREPARE)?;
        migrate(&connection, MIGRATIONS)?;
        connection.execute_batch("BEGIN")?;
        Ok(Self(connection))
    }

    /// Takes all messages into the index, as a server does little by little, and gives the log its name.
    /// Tells `progress` of the records that are looked at and of all. Of a copy, the next server has to
    /// give the log another name. The file is not yet on the disk.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: the file is of no use.
    pub fn finish(
        self,
        epoch: &str,
        is_copy: bool,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), StorageError> {
        let connection = self.0;
        connection.execute_batch("COMMIT")?;
        let logs = Logs::read(&connection, u64::MAX)?;
        index::build(&connection, &logs, progress)?;
        connection.execute(INSERT_META, params![epoch])?;
        if is_copy {
            connection.execute(FORGET_BOOT, [])?;
        }
        connection.close().map_err(|(_, error)| error)?;
        Ok(())
    }
}

impl Target for NewLog {
    fn add(&mut self, table: &'static Table, row: Vec<Cell>) -> Result<(), StorageError> {
        let mut insert = self.0.prepare_cached(table.sqlite.insert)?;
        for (index, cell) in (1..=insert.parameter_count()).zip(row) {
            insert.raw_bind_parameter(index, cell)?;
        }
        insert.raw_execute()?;
        Ok(())
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}
