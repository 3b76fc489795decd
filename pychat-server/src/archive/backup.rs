//! A copy of what a server keeps, made while it runs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    ArchiveError, IDENTITY_FILE, LOG_FILE,
    check::examine,
    epoch,
    files::{copy, create, failed, is_there, make_empty_folder, remove_all, sync},
    place::{Place, UNFINISHED, put_in_place, write_file},
    progress::{Progress, bytes_words},
};
use crate::store::{Source, postgres::Config, sqlite::Snapshot};

/// The words of the bar.
const COPYING: &str = "Copying";

/// A log that is copied.
enum Log {
    File(Snapshot),
    Rows(Box<dyn Source>),
}

/// A backup that is to be made.
#[derive(Debug)]
pub(super) struct Backup {
    /// The folder for it.
    pub(super) folder: PathBuf,
}

impl Backup {
    /// Makes it of the log in a folder, of the version that this has, or of that in a database.
    pub(super) fn run(
        self,
        state: &Path,
        database: Option<&Config>,
        progress: Progress,
    ) -> Result<(), ArchiveError> {
        let mut log = match database {
            None => Log::File(Snapshot::open(&state.join(LOG_FILE))?),
            Some(config) => Log::Rows(Place::Database(config.clone()).read()?),
        };
        make_empty_folder(&self.folder)?;
        let target = self.folder.join(format!("{LOG_FILE}{UNFINISHED}"));
        let made = self.make(state, &mut log, &target, &progress);
        if made.is_err() {
            let identity = self.folder.join(IDENTITY_FILE);
            let journal = self.folder.join(format!("{LOG_FILE}{UNFINISHED}-journal"));
            remove_all([&*target, &*journal, &*identity]);
        }
        let words = made?;
        progress.end(&words);
        Ok(())
    }

    /// Makes the backup; returns what there is to say of it. The log gets its name when all else is on
    /// the disk, so a folder without it is no backup.
    fn make(
        &self,
        state: &Path,
        log: &mut Log,
        target: &Path,
        progress: &Progress,
    ) -> Result<String, ArchiveError> {
        let identity = state.join(IDENTITY_FILE);
        if is_there(&identity) {
            copy(&identity, &self.folder.join(IDENTITY_FILE), |_, _| ())?;
        }
        match log {
            Log::File(log) => {
                create(target)?;
                let mut bar = progress.part();
                log.copy_into(target, move |done, all| bar.show(COPYING, done, all))?;
                sync(target)?;
            }
            Log::Rows(log) => {
                write_file(&mut **log, target, (&epoch()?, true), (COPYING, progress))?;
            }
        }
        let copy = Snapshot::open(target)?;
        let (contents, n_wrong) = examine(&copy, progress.part())?;
        drop(copy);
        let bytes = fs::metadata(target).map_err(failed(target))?.len();
        put_in_place(target, &self.folder)?;
        if 0 < n_wrong {
            return Err(ArchiveError::Wrong(n_wrong));
        }
        let (folder, size) = (self.folder.display(), bytes_words(bytes));
        Ok(format!("Backed up {} into {folder} ({size}).", super::check::words(contents)))
    }
}
