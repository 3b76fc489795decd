//! The subcommands that work on what a server keeps: backups, and rooms that leave and come.
//!
//! Each is an ordinary process, started by an operator, that opens the file itself: to read it, while
//! a server may be at work, or to write it, which takes the server's own lock. It knows the store, and
//! nothing of the loop. Memory does not grow with the file, and what was made is for its owner's eyes.

mod backup;
mod check;
mod export;
mod files;
mod format;
mod html;
mod import;
mod migrate;
mod place;
mod progress;
mod restore;
mod usage;
mod waiting;

use std::{error::Error as _, io, path::PathBuf};

use rustix::rand::{GetRandomFlags, getrandom};
use thiserror::Error;

pub use self::usage::{commands, parse};
use self::{
    backup::Backup, export::Export, import::Import, migrate::Migrate, place::Place,
    progress::Progress, restore::Restore,
};
use crate::{
    core::record::StorageError,
    net::identity::OWN_FILE,
    store::{postgres::Config, sqlite::OpenError},
};

/// The files of a backup: the log, and the certificate and its key if they are the server's own.
const LOG_FILE: &str = crate::store::sqlite::FILE_NAME;
const IDENTITY_FILE: &str = OWN_FILE;

/// Work that is to be done.
#[derive(Debug)]
pub struct Work {
    task: Task,
    /// The folder of the server's state.
    state: PathBuf,
    /// The database that has the messages, if the folder does not.
    database: Option<Config>,
    progress: Progress,
}

/// A subcommand with its arguments.
#[derive(Debug)]
enum Task {
    Backup(Backup),
    Restore(Restore),
    Check,
    Export(Export),
    Import(Import),
    Migrate(Migrate),
}

/// The reason why work was not done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The log cannot be opened.
    #[error("{0}{hint}", hint = hint(.0.source()))]
    Open(#[from] OpenError),
    /// The log cannot be read or written.
    #[error("cannot go on: {0}")]
    Storage(#[from] StorageError),
    /// A file cannot be read or written.
    #[error("{}: {source}{hint}", path.display(), hint = hint(Some(source)))]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Something is where the result should be.
    #[error("{} is not empty; name a folder that is, or that is not there yet", .0.display())]
    NotEmpty(PathBuf),
    /// There is no whole backup.
    #[error("{} holds no backup, or one that was not finished", .0.display())]
    NoBackup(PathBuf),
    /// A server has messages where others should come.
    #[error("{} holds messages already; --replace puts them aside", .0.display())]
    Occupied(PathBuf),
    /// Something has the name that a file is to have.
    #[error("{} is there already", .0.display())]
    InTheWay(PathBuf),
    /// It is not done, for a reason of its own.
    #[error("{0}")]
    Refused(String),
    /// Something is wrong with what was looked at.
    #[error("{} {} wrong", .0, if *.0 == 1 { "thing is" } else { "things are" })]
    Wrong(u64),
}

impl Work {
    /// Does it.
    ///
    /// # Errors
    ///
    /// [`ArchiveError`]: nothing is left of it that could be taken for the whole.
    pub fn run(self) -> Result<(), ArchiveError> {
        let Self { task, state, database, progress } = self;
        let place = || database.clone().map_or(Place::Folder(state.clone()), Place::Database);
        match task {
            Task::Backup(backup) => backup.run(&state, database.as_ref(), progress),
            Task::Restore(restore) => restore.run(&state, database.as_ref(), progress),
            Task::Check => check::run(&state, progress),
            Task::Export(export) => export.run(&place(), progress),
            Task::Import(import) => import.run(&state, database.as_ref(), progress),
            Task::Migrate(migrate) => migrate.run(progress),
        }
    }
}

/// Returns the advice for somebody who may not do what they want.
fn hint(error: Option<&(dyn std::error::Error + 'static)>) -> &'static str {
    let error = error.and_then(|error| error.downcast_ref::<io::Error>());
    match error.map(io::Error::kind) {
        Some(io::ErrorKind::PermissionDenied) => "; run it as root, or as the server's own user",
        _ => "",
    }
}

/// Returns a name for a log that needs another one.
fn epoch() -> Result<String, ArchiveError> {
    random().map(|number| format!("{number:032x}"))
}

fn random() -> Result<u128, ArchiveError> {
    let mut bytes = [0; 16];
    let random = getrandom(&mut bytes, GetRandomFlags::empty());
    random.map_err(|error| StorageError::Other(error.to_string()))?;
    Ok(u128::from_ne_bytes(bytes))
}
