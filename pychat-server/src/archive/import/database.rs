//! Rooms that come into a database. They are made in a file of the command's own, which knows the rooms and
//! people that are there, and copied from it: all of them or none.

use std::{env, fs, path::PathBuf};

use super::super::{
    ArchiveError, LOG_FILE, epoch,
    files::{create, make_empty_folder},
    place::reading_alone,
};
use crate::{
    core::record::StorageError,
    store::{
        Cell, Source, TABLES, Table, Target,
        postgres::{Config, Reading},
        sqlite::{NewLog, Snapshot},
    },
};

/// The folder for temporary files that may be large.
const FOLDER: &str = "/var/tmp";
const FOLDER_VARIABLE: &str = "SQLITE_TMPDIR";

/// A log without records that knows what a database knows beside these. The database is of no server
/// meanwhile; the folder goes when this is dropped.
#[derive(Debug)]
pub(super) struct Outpost {
    pub(super) folder: Folder,
    database: Reading,
    last: Last,
}

/// A folder that goes when this is dropped.
#[derive(Debug)]
pub(super) struct Folder(pub(super) PathBuf);

/// The largest numbers that there were.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    room: i64,
    audit: i64,
}

impl Outpost {
    pub(super) fn begin(config: &Config) -> Result<Self, ArchiveError> {
        let mut database = reading_alone(config)?;
        let folder = env::var_os(FOLDER_VARIABLE).map_or_else(|| FOLDER.into(), PathBuf::from);
        let folder = Folder(folder.join(format!("pychat-import-{}", epoch()?)));
        make_empty_folder(&folder.0)?;
        let file = folder.0.join(LOG_FILE);
        create(&file)?;
        let (mut log, mut last) = (NewLog::begin(&file)?, Last::default());
        for table in TABLES.iter().filter(|table| !table.has_records) {
            database.rows(table, &mut |row| {
                last.note(table, &row);
                log.add(table, row)
            })?;
        }
        log.finish(&epoch()?, false, &mut |_, _| ())?;
        Ok(Self { folder, database, last })
    }

    /// Copies all that is new into the database.
    pub(super) fn give_back(self) -> Result<(), ArchiveError> {
        let mut log = Snapshot::open(&self.folder.0.join(LOG_FILE))?;
        let mut database = self.database.extend()?;
        for table in &TABLES {
            log.rows(table, &mut |row| {
                if self.last.is_new(table, &row) { database.add(table, row) } else { Ok(()) }
            })?;
        }
        database.finish_more().map_err(|error: StorageError| error.into())
    }
}

impl Last {
    fn note(&mut self, table: &Table, row: &[Cell]) {
        match table.name {
            "logs" => self.room = self.room.max(number(row, 0)),
            "audit" => self.audit = self.audit.max(number(row, 0)),
            _ => (),
        }
    }

    /// Returns true for a row of a room that was made since, or of the record that it was made.
    fn is_new(self, table: &Table, row: &[Cell]) -> bool {
        match table.name {
            "records" | "logs" | "rooms" => self.room < number(row, 0),
            "members" | "marks" => self.room < number(row, 1),
            "audit" => self.audit < number(row, 0),
            _ => false,
        }
    }
}

fn number(row: &[Cell], place: usize) -> i64 {
    match row.get(place) {
        Some(Cell::Int(number)) => *number,
        _ => 0,
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // It may not have been made.
    }
}
