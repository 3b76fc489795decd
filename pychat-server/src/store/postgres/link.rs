//! A session with the database, one exchange at a time: statements, and all their answers.

use std::{fmt, mem, time::Instant};

use super::{
    connection::Connection, error::DatabaseError, event::Event, row::Row, statement::Statement,
};
use crate::core::record::StorageError;

/// The rows that each statement of an exchange is answered with.
pub(super) type Answers = Vec<Vec<Row>>;

/// A session, and the exchange that is under way.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) connection: Connection,
    /// The answers so far, and the rows of the statement that is being answered.
    answers: Answers,
    rows: Vec<Row>,
    failure: Option<DatabaseError>,
    is_busy: bool,
}

/// Something that happened to a session.
#[derive(Debug)]
pub(super) enum Turn {
    /// It has begun.
    Up,
    /// The exchange is over.
    Answered(Result<Answers, DatabaseError>),
    /// It is lost, and with it the exchange, if one was under way.
    Lost(String),
    /// None can be begun just now.
    Unavailable(String),
    /// A channel that it listens on was notified.
    Notified { channel: String, payload: String },
}

impl Link {
    pub(super) fn new(connection: Connection) -> Self {
        let (answers, rows) = (Vec::new(), Vec::new());
        Self { connection, answers, rows, failure: None, is_busy: false }
    }

    /// Returns true while an exchange is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Begins an exchange, as one transaction unless its statements say otherwise.
    pub(super) fn send(&mut self, statements: &[Statement]) {
        for statement in statements {
            statement.with(|sql, values| self.connection.execute(sql, values));
        }
        self.connection.sync();
        self.is_busy = true;
    }

    /// Goes on with the exchange as far as it can.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Turn> {
        loop {
            match self.connection.poll(now)? {
                Event::Up => return Some(Turn::Up),
                Event::Row(row) => self.rows.push(row),
                Event::Done { .. } => self.answers.push(mem::take(&mut self.rows)),
                Event::Failed(error) => self.failure = Some(error),
                Event::Synced => {
                    let answers = self.end();
                    let failure = self.failure.take();
                    return Some(Turn::Answered(failure.map_or(Ok(answers), Err)));
                }
                Event::Notified { channel, payload } => {
                    return Some(Turn::Notified { channel, payload });
                }
                Event::Lost(error) => {
                    self.end();
                    self.failure = None;
                    return Some(Turn::Lost(error.to_string()));
                }
                Event::Unavailable(error) => return Some(Turn::Unavailable(error.to_string())),
            }
        }
    }

    fn end(&mut self) -> Answers {
        self.is_busy = false;
        self.rows.clear();
        mem::take(&mut self.answers)
    }
}

impl From<DatabaseError> for StorageError {
    fn from(error: DatabaseError) -> Self {
        match error.sqlstate.as_str() {
            "53100" => Self::Full,
            "25006" => Self::ReadOnly,
            state if state.starts_with("XX") => Self::Damaged(error.to_string()),
            _ => Self::Other(error.to_string()),
        }
    }
}

impl From<super::row::ColumnError> for StorageError {
    fn from(error: super::row::ColumnError) -> Self {
        damage(error)
    }
}

/// Returns the error of a value that this program does not write.
pub(super) fn damage(error: impl fmt::Display) -> StorageError {
    StorageError::Damaged(error.to_string())
}

/// Returns true for an error that is over if the same is asked again.
pub(super) fn is_passing(error: &DatabaseError) -> bool {
    let state = error.sqlstate.as_str();
    ["40", "57", "08"].iter().any(|class| state.starts_with(class)) || state == "55P03"
}
