//! A backup, put in the place of what a server keeps.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    ArchiveError, IDENTITY_FILE, LOG_FILE,
    check::{examine, words},
    epoch,
    files::{
        copy, failed, give_to_owner_of, is_there, make_empty_folder, remove_all, rename, sync,
    },
    place::{Place, put_in_place, write_database},
    progress::Progress,
};
use crate::store::{
    postgres::Config,
    sqlite::{Folder, LOCK_FILE, Snapshot, begin_epoch, settle, utc_name},
};

/// The word of the bar.
const RESTORING: &str = "Restoring";

/// The ending of the names of files that have not come into their place yet.
const UNFINISHED: &str = ".restored";

/// The files that SQLite has beside a log.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// A backup that is to be restored.
#[derive(Debug)]
pub(super) struct Restore {
    /// The folder that holds it.
    pub(super) folder: PathBuf,
    /// Messages that are there already are put aside.
    pub(super) is_replacing: bool,
}

impl Restore {
    /// Restores it into a folder, or into a database and its certificate into the folder.
    pub(super) fn run(
        self,
        state: &Path,
        database: Option<&Config>,
        progress: Progress,
    ) -> Result<(), ArchiveError> {
        let source = self.folder.join(LOG_FILE);
        if !is_there(&source) {
            return Err(ArchiveError::NoBackup(self.folder));
        }
        let backup = Snapshot::open(&source)?;
        let (contents, n_wrong) = examine(&backup, progress.part())?;
        if 0 < n_wrong {
            return Err(ArchiveError::Wrong(n_wrong));
        }
        if let Some(config) = database {
            return self.put_into_database(state, backup, config, progress);
        }
        drop(backup);
        // Held until all is done, so that no server begins meanwhile.
        let _lock = Folder::lock_only(state)?;
        give_to_owner_of(state, &state.join(LOCK_FILE))?;
        let log = state.join(LOG_FILE);
        let is_occupied = fs::metadata(&log).is_ok_and(|metadata| 0 < metadata.len());
        let has_old = [&log, &state.join(IDENTITY_FILE)].into_iter().any(|path| is_there(path));
        if is_occupied && !self.is_replacing {
            return Err(ArchiveError::Occupied(state.to_owned()));
        }
        let new = [LOG_FILE, IDENTITY_FILE].map(|name| state.join(format!("{name}{UNFINISHED}")));
        let result = self.put(state, &new, has_old, &progress);
        if result.is_err() {
            remove_all(new.iter().map(PathBuf::as_path));
        }
        let aside = result?;
        let aside = aside
            .map_or_else(String::new, |aside| format!(" The old ones are in {}.", aside.display()));
        let (words, state) = (words(contents), state.display());
        progress.end(&format!("Restored {words} into {state}.{aside}"));
        Ok(())
    }

    /// Puts the log into a database, and the certificate into the folder unless one is there.
    fn put_into_database(
        &self,
        state: &Path,
        mut backup: Snapshot,
        config: &Config,
        progress: Progress,
    ) -> Result<(), ArchiveError> {
        backup.require_current()?;
        let (source, target) = (self.folder.join(IDENTITY_FILE), state.join(IDENTITY_FILE));
        let work = (&*epoch()?, self.is_replacing);
        let bar = (RESTORING, &progress);
        let (contents, aside) = write_database(&mut backup, config, work, bar)?;
        if is_there(&source) && !is_there(&target) {
            // Makes the folder, if it is not there.
            let _lock = Folder::lock_only(state)?;
            give_to_owner_of(state, &state.join(LOCK_FILE))?;
            copy(&source, &target, |_, _| ())?;
            give_to_owner_of(state, &target)?;
        }
        let aside = aside.map_or_else(String::new, |schema| {
            format!(" The old ones are in the schema {schema}.")
        });
        let (words, place) = (words(contents), Place::Database(config.clone()));
        progress.end(&format!("Restored {words} into {place}.{aside}"));
        Ok(())
    }

    /// Copies the backup, and puts the copy in its place; returns where the old files are, if there were
    /// any. Until the copy has its name, the old log has it, or nobody does who could be taken for whole.
    fn put(
        &self,
        state: &Path,
        new: &[PathBuf; 2],
        has_old: bool,
        progress: &Progress,
    ) -> Result<Option<PathBuf>, ArchiveError> {
        let [new_log, new_identity] = new;
        remove_all(new.iter().map(PathBuf::as_path)); // Left by one that was killed.
        let mut bar = progress.part();
        copy(&self.folder.join(LOG_FILE), new_log, |done, all| bar.show(RESTORING, done, all))?;
        drop(bar);
        begin_epoch(new_log)?;
        sync(new_log)?;
        give_to_owner_of(state, new_log)?;
        let identity = self.folder.join(IDENTITY_FILE);
        let has_identity = is_there(&identity);
        if has_identity {
            copy(&identity, new_identity, |_, _| ())?;
            give_to_owner_of(state, new_identity)?;
        }
        let aside = if has_old { put_aside(state, has_identity)? } else { None };
        if has_identity {
            rename(new_identity, &state.join(IDENTITY_FILE))?;
        }
        put_in_place(new_log, state)?;
        Ok(aside)
    }
}

/// Puts what is there into a folder of its own, whose name has the time. The old log keeps its name as
/// well, until another takes it.
pub(super) fn put_aside(
    state: &Path,
    is_identity_replaced: bool,
) -> Result<Option<PathBuf>, ArchiveError> {
    let log = state.join(LOG_FILE);
    let aside = state.join(format!("replaced-{}", utc_name()?));
    make_empty_folder(&aside)?;
    give_to_owner_of(state, &aside)?;
    // Moves what SQLite has beside the log into it; a log that is damaged keeps that.
    let _ = settle(&log);
    for suffix in BESIDE {
        let name = format!("{LOG_FILE}{suffix}");
        if is_there(&state.join(&name)) {
            rename(&state.join(&name), &aside.join(&name))?;
        }
    }
    if is_there(&log) {
        let kept = aside.join(LOG_FILE);
        if fs::hard_link(&log, &kept).is_err() {
            rename(&log, &kept)?; // A file system without links.
        }
    }
    let identity = state.join(IDENTITY_FILE);
    if is_identity_replaced && is_there(&identity) {
        rename(&identity, &aside.join(IDENTITY_FILE))?;
    }
    sync(&aside)?;
    let is_empty = fs::read_dir(&aside).map_err(failed(&aside))?.next().is_none();
    if is_empty {
        fs::remove_dir(&aside).map_err(failed(&aside))?;
        return Ok(None);
    }
    Ok(Some(aside))
}
