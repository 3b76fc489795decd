//! The health of the file as a whole, which another process reads after an end that was not in order.

use std::time::{Duration, Instant};

use super::{
    SqliteStore,
    child::{Child, DAMAGED, Progress, Task},
    schema,
};
use crate::core::record::StorageError;

/// The longest that reading all of the log may take, after an end that was not in order.
const CHECK_TIMEOUT: Duration = Duration::from_hours(1);

/// The health of the file as a whole.
#[derive(Debug)]
pub(super) enum Health {
    /// No damage is known.
    Fine,
    /// The last server did not close it, so it is to be read as a whole.
    Unchecked,
    Checking(Child),
    Damaged,
}

impl SqliteStore {
    /// Goes on with reading the whole file, if there is need for it; returns the outcome, once.
    pub(super) fn check_file(&mut self, now: Instant) -> Option<Result<(), StorageError>> {
        let verdict = match &mut self.health {
            Health::Fine | Health::Damaged => return None,
            Health::Unchecked => {
                let (program, deadline) = (self.checkpointer.program(), now + CHECK_TIMEOUT);
                let child = Child::start(program, Task::Check, self.folder.file(), deadline);
                match child {
                    Some(child) => {
                        self.health = Health::Checking(child);
                        return None;
                    }
                    None => schema::check_health(&self.connection),
                }
            }
            Health::Checking(child) => match child.progress(now) {
                Progress::AtWork => return None,
                Progress::Ended(Some(0)) => Ok(()),
                Progress::Ended(Some(code)) if code == i32::from(DAMAGED) => Err(damage()),
                Progress::Ended(_) => {
                    Err(StorageError::Other("it could not be read as a whole".to_owned()))
                }
            },
        };
        let is_damaged = matches!(verdict, Err(StorageError::Damaged(_)));
        self.health = if is_damaged { Health::Damaged } else { Health::Fine };
        Some(verdict)
    }
}

/// Returns the error of a file that is damaged.
pub(super) fn damage() -> StorageError {
    StorageError::Damaged("PRAGMA quick_check tells where".to_owned())
}
