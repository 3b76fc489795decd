//! The beginning of a page of the history, found by the sizes of texts alone.

use rusqlite::Row;

use super::{SqliteStore, integer};
use crate::{core::record::StorageError, store::page::run_start};

/// SQLite reads no text to know its size.
const SELECT_SIZES: &str =
    "SELECT seq, octet_length(content) FROM messages WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2";

impl SqliteStore {
    /// See [`Log::page_start`](crate::store::Log::page_start).
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
        let mut select = self.connection.prepare_cached(SELECT_SIZES)?;
        let size = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let newest = select.query_map([before, limit].map(integer), size)?;
        Ok(run_start(before, bytes_max, newest)?)
    }
}
