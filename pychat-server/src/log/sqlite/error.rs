//! What SQLite says, in the log's own words.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;
use thiserror::Error;

use crate::log::StorageError;

/// Why a log cannot be opened. Whatever is there is left as it is.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder cannot be made.
    #[error("cannot create the state directory {}: {source}", directory.display())]
    Create {
        /// Which.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder, or the log in it, cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the log open.
    #[error("another server keeps its messages in {}", directory.display())]
    InUse {
        /// Where.
        directory: PathBuf,
    },
    /// The file is something else.
    #[error("{} is no log of this program; move it away to begin a new one", path.display())]
    Foreign {
        /// Which.
        path: PathBuf,
    },
    /// The file was written by a later version of this program.
    #[error("{} has version {version}, and this server knows none above {known}", path.display())]
    Newer {
        /// Which.
        path: PathBuf,
        /// What it says of itself.
        version: usize,
        /// The newest that this program can read.
        known: usize,
    },
    /// The file makes no sense.
    #[error("{} is damaged ({detail}); move it away to begin a new one", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// Something else stands in the way.
    #[error("cannot open {}: {error}", path.display())]
    Storage {
        /// Which.
        path: PathBuf,
        /// What.
        error: StorageError,
    },
}

impl OpenError {
    /// Returns what a failure in the file at `path` means to who would open it.
    pub(super) fn of(path: &Path, error: &StorageError) -> Self {
        let path = path.to_owned();
        match error.clone() {
            StorageError::Damaged(detail) => Self::Damaged { path, detail },
            error => Self::Storage { path, error },
        }
    }
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DiskFull => Self::Full,
                ErrorCode::ReadOnly => Self::ReadOnly,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                    Self::Damaged(failure.to_string())
                }
                ErrorCode::SystemIoFailure => Self::Io(failure.to_string()),
                ErrorCode::DatabaseBusy => Self::Other("another program holds the log".to_owned()),
                _ => Self::Other(error.to_string()),
            },
            // Values that are not what the log writes, or a row missing that must be there.
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::QueryReturnedNoRows
            | rusqlite::Error::Utf8Error(..) => Self::Damaged(error.to_string()),
            _ => Self::Other(error.to_string()),
        }
    }
}
