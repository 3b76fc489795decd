//! The places in which a server keeps messages: the file in a folder, or a database.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    ArchiveError, LOG_FILE,
    files::{create, remove_all, rename, sync},
    progress::Progress,
    waiting::Waiting,
};
use crate::{
    core::record::StorageError,
    store::{
        Contents, Source, copy,
        postgres::{Config, Reading, Routes, Writing},
        sqlite::{Folder, NewLog, Snapshot, begin_epoch},
    },
};

/// The ending of the names of files that are not finished.
pub(super) const UNFINISHED: &str = ".unfinished";

/// A place in which a server keeps messages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// A folder.
    Folder(PathBuf),
    /// A database.
    Database(Config),
}

impl Place {
    /// Opens the log that is there to be read as it is now, whatever a server does.
    pub(super) fn read(&self) -> Result<Box<dyn Source>, ArchiveError> {
        match self {
            Self::Folder(folder) => {
                let log = Snapshot::open(&folder.join(LOG_FILE))?;
                log.require_current()?;
                log.hold()?;
                Ok(Box::new(log))
            }
            Self::Database(config) => {
                Ok(Box::new(Reading::begin(&routes(config)?, waiting()?, false)?))
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(formatter, "{}", folder.display()),
            Self::Database(config) => write!(formatter, "the database {config}"),
        }
    }
}

/// Finds the servers of a database.
fn routes(config: &Config) -> Result<Arc<Routes>, ArchiveError> {
    let found = Routes::find(config.clone());
    found.map(Arc::new).map_err(|error| ArchiveError::Refused(error.to_string()))
}

fn waiting() -> Result<Box<Waiting>, ArchiveError> {
    let waiting = Waiting::new().map_err(|error| StorageError::Other(error.to_string()));
    Ok(Box::new(waiting?))
}

/// Opens the log in a database, which no server has meanwhile.
pub(super) fn reading_alone(config: &Config) -> Result<Reading, ArchiveError> {
    Ok(Reading::begin(&routes(config)?, waiting()?, true)?)
}

/// A log that moves away: no server has it meanwhile.
#[derive(Debug)]
pub(super) enum Leaving {
    Folder(Box<Snapshot>, PathBuf, Folder),
    Database(Box<Reading>),
}

impl Leaving {
    pub(super) fn begin(place: &Place) -> Result<Self, ArchiveError> {
        match place {
            Place::Folder(folder) => {
                let file = folder.join(LOG_FILE);
                Snapshot::open(&file)?; // A folder that has none is not made.
                let lock = Folder::lock_only(folder)?;
                let log = Snapshot::open(&file)?;
                log.require_current()?;
                log.hold()?;
                Ok(Self::Folder(Box::new(log), file, lock))
            }
            Place::Database(config) => {
                reading_alone(config).map(|reading| Self::Database(Box::new(reading)))
            }
        }
    }

    pub(super) fn source(&mut self) -> &mut dyn Source {
        match self {
            Self::Folder(log, ..) => &mut **log,
            Self::Database(reading) => &mut **reading,
        }
    }

    /// Ends it. A server that begins with it all the same gives it another name: the numbers that it gives
    /// from here on are not those of the log that has moved.
    pub(super) fn end(self) -> Result<(), ArchiveError> {
        match self {
            Self::Folder(log, file, _lock) => {
                drop(log);
                Ok(begin_epoch(&file)?)
            }
            Self::Database(reading) => Ok(reading.leave()?),
        }
    }
}

/// Writes all of a log into a database. Returns how much there is in it, and the schema that has what was
/// there before.
pub(super) fn write_database(
    source: &mut dyn Source,
    config: &Config,
    (epoch, is_replacing): (&str, bool),
    (words, progress): (&str, &Progress),
) -> Result<(Contents, Option<String>), ArchiveError> {
    let mut target = Writing::begin(&routes(config)?, waiting()?, is_replacing)?;
    let mut bar = progress.part();
    let contents = copy(source, &mut target, &mut |done, all| bar.show(words, done, all))?;
    Ok((contents, target.finish(epoch)?))
}

/// Writes all of a log into a file that is made, and waits until it is on the disk. Of a copy, the next
/// server has to give the log another name. Nothing is left of a file that is not whole.
pub(super) fn write_file(
    source: &mut dyn Source,
    file: &Path,
    (epoch, is_copy): (&str, bool),
    (words, progress): (&str, &Progress),
) -> Result<(), ArchiveError> {
    create(file)?;
    let mut write = || -> Result<(), ArchiveError> {
        let mut target = NewLog::begin(file)?;
        let mut bar = progress.part();
        copy(source, &mut target, &mut |done, all| bar.show(words, done, all))?;
        let mut bar = progress.part();
        target.finish(epoch, is_copy, &mut |done, all| bar.show("Indexing", done, all))?;
        sync(file)
    };
    let written = write();
    if written.is_err() {
        remove_all([file]);
    }
    written
}

/// Gives a file that is whole its name in a folder.
pub(super) fn put_in_place(file: &Path, folder: &Path) -> Result<(), ArchiveError> {
    rename(file, &folder.join(LOG_FILE))?;
    sync(folder)
}
