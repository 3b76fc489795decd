//! The process that a store belongs to, and its folder beside the database: that says which process had it
//! last, so that the next one can say of that at once that it is gone.

use std::{fs, io, path::Path};

use super::store::{Phase, PostgresStore};
use crate::store::sqlite::{Folder, OpenError};

/// The file with the name of the process.
const FILE_NAME: &str = "process";

/// A process.
#[derive(Debug)]
pub(super) struct Process {
    /// Its name, which no other one has.
    pub(super) name: String,
    /// Its folder, which no other process has for as long as this is there.
    folder: Option<Folder>,
}

impl Process {
    pub(super) fn new(name: String) -> Self {
        Self { name, folder: None }
    }

    /// Takes a folder for itself; returns the name of the process that had it before.
    fn take(&mut self, directory: &Path) -> Result<Option<String>, OpenError> {
        self.folder = Some(Folder::lock_only(directory)?);
        let path = directory.join(FILE_NAME);
        let before = match fs::read_to_string(&path) {
            Ok(name) => Some(name.trim_end().to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(OpenError::Unreadable { path, source }),
        };
        // Half of a name is that of no process, and so is none.
        let written = fs::write(&path, &self.name);
        written.map_err(|source| OpenError::Unwritable { path, source })?;
        Ok(before)
    }
}

impl PostgresStore {
    /// Keeps a folder for this process alone, and has the process that had it before taken for dead at once.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: another process has it, or the system refuses.
    pub fn at_home(mut self, directory: &Path) -> Result<Self, OpenError> {
        let before = self.process.take(directory)?;
        if let Phase::Beginning(beginning) = &mut self.phase {
            beginning.predecessor = before;
        }
        Ok(self)
    }
}
