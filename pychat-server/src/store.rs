//! The log: the messages of the room, in one order. A text exists once it is here.
//!
//! A log is given everything of a tick at once and takes all of it or nothing. Numbers are dense,
//! from 1, and none is used twice within an epoch, not even when everything is forgotten; times
//! never go back. A text that a client sends under an id of its own is taken once, however often it
//! is sent.

pub mod memory;
mod page;
pub mod sqlite;

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

pub use self::{memory::Memory, sqlite::SqliteStore};
use crate::core::{
    id::ConnectionId,
    record::{Appended, Draft, Entry, Owner, OwnerChange, OwnerId, StorageError},
    time::Time,
};

/// The cost of a message beside its content, in bytes, as it counts for [`Retention::bytes_max`].
pub const MESSAGE_BYTES: u64 = 100;

/// The limits of what a log keeps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retention {
    /// The most messages.
    pub messages_max: u64,
    /// The longest that a message is kept; for ever if [`Duration::MAX`].
    pub age_max: Duration,
    /// The most bytes: of content, and [`MESSAGE_BYTES`] more for each message.
    pub bytes_max: u64,
    /// The space on the disk that must be free for anything to be taken, in bytes.
    pub disk_reserve_bytes: u64,
}

impl Default for Retention {
    /// Everything, as long as there is room.
    fn default() -> Self {
        Self {
            messages_max: u64::MAX,
            age_max: Duration::MAX,
            bytes_max: u64::MAX,
            disk_reserve_bytes: 512 << 20,
        }
    }
}

impl Retention {
    /// Returns when a message of `time_ms` has been kept for long enough, if it ever has, in UTC
    /// milliseconds since 1970.
    fn expiry_ms(self, time_ms: u64) -> Option<u64> {
        time_ms.checked_add(self.age_max_ms()?)
    }

    /// Returns until when messages must have been said to be too old at `utc_ms`, if any can be.
    fn expired_by(self, utc_ms: u64) -> Option<u64> {
        utc_ms.checked_sub(self.age_max_ms()?)
    }

    fn age_max_ms(self) -> Option<u64> {
        u64::try_from(self.age_max.as_millis()).ok()
    }
}

/// The messages of the room, and the owners of names.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a process has one log")]
pub enum Log {
    /// Forgotten with the process.
    Memory(Memory),
    /// In a file, to be opened again by the next process.
    SqliteStore(SqliteStore),
}

impl Log {
    /// Returns the name of this log: 128 random bits as 32 lower-case hex digits. Another name is
    /// another log, whose numbers mean other messages.
    pub fn epoch(&self) -> &str {
        match self {
            Self::Memory(memory) => memory.epoch(),
            Self::SqliteStore(kept) => kept.epoch(),
        }
    }

    /// Returns the number of the oldest message that is kept, or of the next if none is.
    pub fn first_seq(&self) -> u64 {
        match self {
            Self::Memory(memory) => memory.first_seq(),
            Self::SqliteStore(kept) => kept.first_seq(),
        }
    }

    /// Returns the number of the newest message, kept or not; 0 if there never was one.
    pub fn last_seq(&self) -> u64 {
        match self {
            Self::Memory(memory) => memory.last_seq(),
            Self::SqliteStore(kept) => kept.last_seq(),
        }
    }

    /// Takes all of `drafts` and changes of `owners` in, in order. Once all of it is kept, tells
    /// the outcome of each draft, in order.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: nothing was taken and nothing told then. It may be asked again.
    pub fn append(
        &mut self,
        utc_ms: u64,
        drafts: impl IntoIterator<Item = Draft>,
        owners: impl IntoIterator<Item = OwnerChange>,
        appended: impl FnMut(ConnectionId, Appended),
    ) -> Result<(), StorageError> {
        match self {
            Self::Memory(memory) => {
                memory.append(utc_ms, drafts, appended);
                Ok(())
            }
            Self::SqliteStore(kept) => kept.append(utc_ms, drafts, owners, appended),
        }
    }

    /// Shows `each` message after number `after` that is kept, oldest first, until it breaks off.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: `each` may have seen some by then.
    pub fn read(
        &mut self,
        after: u64,
        each: impl FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        match self {
            Self::Memory(memory) => {
                memory.read(after, each);
                Ok(())
            }
            Self::SqliteStore(kept) => kept.read(after, each),
        }
    }

    /// Returns where a page begins that ends before number `before`: the number of the oldest of the
    /// newest `limit` messages that are kept, or fewer so that their texts have at most `bytes_max`
    /// bytes together, but one at least; `before` if there is none.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub fn page_start(
        &mut self,
        before: u64,
        limit: u64,
        bytes_max: usize,
    ) -> Result<u64, StorageError> {
        match self {
            Self::Memory(memory) => Ok(memory.page_start(before, limit, bytes_max)),
            Self::SqliteStore(kept) => kept.page_start(before, limit, bytes_max),
        }
    }

    /// Returns every owner, and the largest number that one ever had of whom anything is kept.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub fn owners(&mut self) -> Result<(Vec<Owner>, OwnerId), StorageError> {
        match self {
            Self::Memory(_) => Ok((Vec::new(), OwnerId(0))), // It begins and ends with its process.
            Self::SqliteStore(kept) => kept.owners(),
        }
    }

    /// Does a little of what can wait, such as forgetting what is too old by a clock that can be
    /// trusted. Never takes long.
    pub fn maintain(&mut self, time: &Time) {
        match self {
            Self::Memory(memory) => memory.maintain(time),
            Self::SqliteStore(kept) => kept.maintain(time),
        }
    }

    /// Returns true if [`check`](Self::check) has something to begin.
    pub fn is_check_due(&self) -> bool {
        match self {
            Self::Memory(_) => false,
            Self::SqliteStore(kept) => kept.is_check_due(),
        }
    }

    /// Has the whole log read by another process if the last server did not close it; once that has
    /// ended, returns its outcome, once. A log that is damaged takes nothing any more.
    pub fn check(&mut self, now: Instant) -> Option<Result<(), StorageError>> {
        match self {
            Self::Memory(_) => None,
            Self::SqliteStore(kept) => kept.check(now),
        }
    }

    /// Looks whether there is room for what is to be appended, if it has not for a second.
    pub fn check_space(&mut self, now: Instant) {
        if let Self::SqliteStore(kept) = self {
            kept.check_space(now);
        }
    }

    /// Returns how many messages were forgotten since this was asked last.
    pub fn take_forgotten(&mut self) -> u64 {
        match self {
            Self::Memory(memory) => memory.take_forgotten(),
            Self::SqliteStore(kept) => kept.take_forgotten(),
        }
    }

    /// Changes how much is kept; what is too much by that is forgotten little by little.
    pub fn set_retention(&mut self, retention: Retention) {
        match self {
            Self::Memory(memory) => memory.set_retention(retention),
            Self::SqliteStore(kept) => kept.set_retention(retention),
        }
    }

    /// Returns when [`maintain`](Self::maintain) has something to do for the time alone.
    pub fn next_deadline(&self) -> Option<Instant> {
        match self {
            Self::Memory(memory) => memory.next_deadline(),
            Self::SqliteStore(kept) => kept.next_deadline(),
        }
    }
}
