//! All that a log is, row by row, on its way from one engine to another.
//!
//! The rows of every [table](TABLES) are read from a [`Source`] at one moment, and written to a
//! [`Target`] one by one: memory does not grow with the log. The name of the log, and what an engine
//! makes for itself, such as an index, are no rows.

mod tables;

use std::ops::ControlFlow;

pub(super) use self::tables::Kind;
pub use self::tables::{TABLES, Table};
use crate::core::{
    id::RoomId,
    record::{Entry, Room, StorageError},
};

/// The rows between two reports of the progress.
const PROGRESS_ROWS: u64 = 256;

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// A number; of a flag, 0 or 1.
    Int(i64),
    /// A text, in which U+0000 may be.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// The numbers of what a log holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Contents {
    /// The rooms, the hall among them.
    pub rooms: u64,
    /// The records of all rooms.
    pub records: u64,
    /// The people who own names.
    pub people: u64,
}

/// A log that is read, as it is at one moment.
pub trait Source {
    /// Returns how much there is in it.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    fn contents(&mut self) -> Result<Contents, StorageError>;

    /// Returns the name of the log, or `new` where a server that began with it now would have to give
    /// it another one.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    fn epoch_or(&mut self, new: &str) -> Result<String, StorageError>;

    /// Gives `each` row of a table, in the order of the table.
    ///
    /// # Errors
    ///
    /// [`StorageError`], that of `each` too: nothing more can be read then.
    fn rows(
        &mut self,
        table: &'static Table,
        each: &mut dyn FnMut(Vec<Cell>) -> Result<(), StorageError>,
    ) -> Result<(), StorageError>;

    /// Returns every room but the hall.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    fn rooms(&mut self) -> Result<Vec<Room>, StorageError>;

    /// Returns the numbers of the first and the last record of a room; of none, the first is the larger.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    fn ends(&mut self, room: RoomId) -> Result<(u64, u64), StorageError>;

    /// Shows `each` record of a room, oldest first. Once it breaks off, nothing more can be read.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: `each` may have seen some by then.
    fn read(
        &mut self,
        room: RoomId,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError>;
}

/// A log that is written. Unless it is finished, nothing is there.
pub trait Target {
    /// Adds a row to a table.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    fn add(&mut self, table: &'static Table, row: Vec<Cell>) -> Result<(), StorageError>;
}

/// Copies the rows of all tables, and tells `progress` of the records that are copied and of all. Returns
/// how much there is.
///
/// # Errors
///
/// [`StorageError`]: the target is of no use.
pub fn copy(
    source: &mut dyn Source,
    target: &mut dyn Target,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Contents, StorageError> {
    let contents = source.contents()?;
    let mut done = 0;
    for table in &TABLES {
        source.rows(table, &mut |row| {
            target.add(table, row)?;
            if table.has_records {
                done += 1;
                if done % PROGRESS_ROWS == 0 {
                    progress(done, contents.records);
                }
            }
            Ok(())
        })?;
    }
    if done != contents.records {
        let words = format!("{done} records were read, and there are {}", contents.records);
        return Err(StorageError::Damaged(words));
    }
    progress(done, done);
    Ok(contents)
}
