//! Messages on their way in, put in order: a table in a file of SQLite's that nobody else can open and
//! that is gone with the process, so memory does not grow with what is imported.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::{ArchiveError, format::Line};
use crate::{core::record::StorageError, store::sqlite::Reserve};

/// The number of lines after which the space on the disk is looked at again.
const LINES_BETWEEN_LOOKS: u64 = 1_024;

const SCHEMA: &str = "
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE messages (
        position INTEGER PRIMARY KEY,
        channel INTEGER NOT NULL,
        time_ms INTEGER NOT NULL,
        -- The name by which its source refers to it, and that of the message which it answers.
        reference TEXT NOT NULL,
        parent TEXT,
        line TEXT NOT NULL,
        seq INTEGER
    ) STRICT;
    CREATE INDEX by_reference ON messages (channel, reference);
    CREATE INDEX by_time ON messages (channel, time_ms, position);
    BEGIN;";

const INSERT: &str =
    "INSERT INTO messages (channel, time_ms, reference, parent, line) VALUES (?1, ?2, ?3, ?4, ?5)";
const SELECT: &str = "SELECT position, parent, line FROM messages WHERE channel = ?1 \
    ORDER BY time_ms, position";
const UPDATE: &str = "UPDATE messages SET seq = ?2 WHERE position = ?1";
const SELECT_SEQ: &str =
    "SELECT seq FROM messages WHERE channel = ?1 AND reference = ?2 AND seq IS NOT NULL LIMIT 1";

/// The messages of one or more channels.
#[derive(Debug)]
pub(super) struct Stage {
    connection: Connection,
    reserve: Reserve,
}

impl Stage {
    /// Returns an empty one, which takes and gives lines as long as so much is free.
    pub(super) fn new(reserve: Reserve) -> Result<Self, ArchiveError> {
        reserve.check()?;
        let open = || {
            let connection = Connection::open("")?;
            connection.execute_batch(SCHEMA)?;
            Ok(connection)
        };
        Ok(Self { connection: open().map_err(failed)?, reserve })
    }

    /// Puts a line of a channel, by the name that its source has for it.
    pub(super) fn put(
        &self,
        channel: usize,
        reference: &str,
        parent: Option<&str>,
        line: &Line<'_>,
    ) -> Result<(), ArchiveError> {
        let json = serde_json::to_string(line).unwrap_or_default(); // Numbers and strings only.
        let time_ms = i64::try_from(line.time_ms).unwrap_or(i64::MAX);
        let put = || {
            let values = params![channel, time_ms, reference, parent, json];
            self.connection.prepare_cached(INSERT)?.execute(values)
        };
        put().map_err(failed)?;
        self.look(self.connection.last_insert_rowid().unsigned_abs())
    }

    /// Returns how many lines a channel has.
    pub(super) fn len(&self, channel: usize) -> Result<u64, ArchiveError> {
        let sql = "SELECT count(*) FROM messages WHERE channel = ?1";
        self.connection.query_row(sql, [channel], |row| row.get(0)).map_err(failed)
    }

    /// Shows `each` line of a channel, oldest first, with the number that the one which it answers has
    /// got; `each` returns its own.
    pub(super) fn read(
        &self,
        channel: usize,
        mut each: impl FnMut(Line<'_>, Option<u64>) -> Result<u64, ArchiveError>,
    ) -> Result<(), ArchiveError> {
        let mut select = self.connection.prepare(SELECT).map_err(failed)?;
        let mut rows = select.query([channel]).map_err(failed)?;
        let mut done = 0;
        while let Some(row) = rows.next().map_err(failed)? {
            let read =
                || Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?, row.get(2)?));
            let (position, parent, json): (_, _, String) = read().map_err(failed)?;
            let line = serde_json::from_str(&json)
                .map_err(|error| StorageError::Other(error.to_string()))?;
            let answered = match parent {
                None => None,
                Some(parent) => {
                    let mut select = self.connection.prepare_cached(SELECT_SEQ).map_err(failed)?;
                    let found = select.query_row(params![channel, parent], |row| row.get(0));
                    found.optional().map_err(failed)?
                }
            };
            let seq = each(line, answered)?;
            let seq = i64::try_from(seq).unwrap_or(i64::MAX);
            let mut update = self.connection.prepare_cached(UPDATE).map_err(failed)?;
            update.execute([position, seq]).map_err(failed)?;
            done += 1;
            self.look(done)?;
        }
        Ok(self.reserve.check()?)
    }

    /// Looks at the space on the disk now and then, after so many lines.
    fn look(&self, done: u64) -> Result<(), ArchiveError> {
        if done.is_multiple_of(LINES_BETWEEN_LOOKS) {
            self.reserve.check()?;
        }
        Ok(())
    }
}

fn failed(error: rusqlite::Error) -> ArchiveError {
    match error.into() {
        StorageError::Full => {
            let words =
                "there is no more space for temporary files; SQLITE_TMPDIR names another folder";
            ArchiveError::Refused(words.to_owned())
        }
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_by_time_and_answers_find_what_they_answer() {
        let stage = Stage::new(Reserve::new(&std::env::temp_dir(), 0)).unwrap();
        let line = |time_ms| Line {
            number: 0,
            time_ms,
            author: "a".into(),
            text: Some("x".into()),
            deleted: false,
            reply: None,
            edited_ms: None,
            reactions: Vec::new(),
            event: None,
            subject: None,
        };
        for (channel, reference, parent, time_ms) in [
            (0, "late", Some("early"), 9),
            (0, "early", None, 3),
            (1, "other", Some("early"), 4),
            (0, "lost", Some("nowhere"), 9),
        ] {
            stage.put(channel, reference, parent, &line(time_ms)).unwrap();
        }
        let mut seen = Vec::new();
        for channel in [0, 1] {
            let mut seq = 0;
            let each = |line: Line<'_>, answered| {
                seen.push((channel, line.time_ms, answered));
                seq += 1;
                Ok(seq)
            };
            stage.read(channel, each).unwrap();
        }
        assert_eq!(seen, [(0, 3, None), (0, 9, Some(1)), (0, 9, None), (1, 4, None)]);
        assert_eq!(stage.len(0).unwrap(), 3);
    }
}
