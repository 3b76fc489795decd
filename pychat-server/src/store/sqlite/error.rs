//! SQLite's errors, in the log's own words.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::{ErrorCode, ffi::code_to_str};
use thiserror::Error;

use crate::core::record::StorageError;

/// The reason why a log cannot be opened. Whatever is there is left as it is.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder cannot be made.
    #[error("cannot create the state directory {}: {source}", directory.display())]
    Create {
        /// The folder.
        directory: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The folder, or the log in it, cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Unwritable {
        /// The folder or the file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The log cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file was written by an earlier version of this program, which no server has taken over yet.
    #[error("{} is of an earlier version; start this server once, which takes it over", path.display())]
    Older {
        /// The file.
        path: PathBuf,
    },
    /// Another process has the log open.
    #[error("another server keeps its messages in {}", directory.display())]
    InUse {
        /// The folder.
        directory: PathBuf,
    },
    /// The file is something else.
    #[error("{} is no log of this program; move it away to begin a new one", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a later version of this program.
    #[error("{} has version {version}, and this server knows none above {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of the file.
        version: usize,
        /// The newest that this program can read.
        known: usize,
    },
    /// The content of the file is invalid.
    #[error("{} is damaged ({detail}); move it away to begin a new one", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The fault in it.
        detail: String,
    },
    /// The log cannot be opened for any other reason.
    #[error("cannot open {}: {error}", path.display())]
    Storage {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: StorageError,
    },
}

impl OpenError {
    /// Returns `error`, which the file at `path` gave, as an error of opening it.
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
                    Self::Damaged(code_to_str(failure.extended_code).to_owned())
                }
                ErrorCode::SystemIoFailure => Self::Io(failure.extended_code),
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
