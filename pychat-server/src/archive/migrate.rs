//! All that a server keeps, moved from a file into a database, or back.

use std::{fs, path::Path};

use super::{
    ArchiveError, LOG_FILE,
    check::{examine, words},
    epoch,
    files::{give_to_owner_of, remove_all},
    place::{Leaving, Place, UNFINISHED, put_in_place, write_database, write_file},
    progress::Progress,
    restore::put_aside,
};
use crate::store::{
    Contents,
    sqlite::{Folder, LOCK_FILE, Snapshot},
};

/// The words of the bar.
const MOVING: &str = "Moving";

/// A move that is to be made.
#[derive(Debug)]
pub(super) struct Migrate {
    pub(super) from: Place,
    pub(super) to: Place,
    /// Messages that are there already are put aside.
    pub(super) is_replacing: bool,
}

impl Migrate {
    pub(super) fn run(self, progress: Progress) -> Result<(), ArchiveError> {
        let mut leaving = Leaving::begin(&self.from)?;
        let source = leaving.source();
        let epoch = source.epoch_or(&epoch()?)?;
        let (contents, aside) = match &self.to {
            Place::Database(config) => {
                let work = (&*epoch, self.is_replacing);
                let (contents, aside) = write_database(source, config, work, (MOVING, &progress))?;
                (contents, aside.map(|schema| format!("the schema {schema}")))
            }
            Place::Folder(folder) => {
                // Held until all is done, so that no server begins meanwhile.
                let _lock = Folder::lock_only(folder)?;
                give_to_owner_of(folder, &folder.join(LOCK_FILE))?;
                let is_there = |metadata: fs::Metadata| 0 < metadata.len();
                let is_occupied = fs::metadata(folder.join(LOG_FILE)).is_ok_and(is_there);
                if is_occupied && !self.is_replacing {
                    return Err(ArchiveError::Occupied(folder.clone()));
                }
                let new = folder.join(format!("{LOG_FILE}{UNFINISHED}"));
                remove_all([&*new]); // Left by one that was killed.
                write_file(source, &new, (&epoch, false), (MOVING, &progress))?;
                let contents = look_at(&new, &progress)?;
                give_to_owner_of(folder, &new)?;
                let aside = if is_occupied { put_aside(folder, false)? } else { None };
                put_in_place(&new, folder)?;
                (contents, aside.map(|aside| aside.display().to_string()))
            }
        };
        leaving.end()?;
        let aside = aside.map_or_else(String::new, |it| format!(" The old ones are in {it}."));
        let (what, from, to) = (words(contents), &self.from, &self.to);
        progress.end(&format!("Moved {what} from {from} into {to}.{aside}"));
        Ok(())
    }
}

/// Reads all of a new log; nothing is left of one with which something is wrong.
pub(super) fn look_at(file: &Path, progress: &Progress) -> Result<Contents, ArchiveError> {
    let looked = Snapshot::open(file).map_err(ArchiveError::from);
    let looked = looked.and_then(|log| examine(&log, progress.part()));
    let wrong = match looked {
        Ok((contents, 0)) => return Ok(contents),
        Ok((_, n_wrong)) => ArchiveError::Wrong(n_wrong),
        Err(error) => error,
    };
    remove_all([file]);
    Err(wrong)
}
