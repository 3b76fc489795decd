//! A session whose answers are waited for.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mio::Token;

use super::Patience;
use crate::{
    core::record::StorageError,
    store::postgres::{
        Connection, Event, Routes,
        link::damage,
        row::Row,
        schema, session,
        statement::{Owned, Statement},
    },
};

/// The settings of the session. It may be busy elsewhere between two statements, for as long as somebody's
/// disk takes.
const SETTINGS: &str = "SELECT set_config('search_path', 'pychat', FALSE), \
    set_config('lock_timeout', '10s', FALSE), \
    set_config('statement_timeout', '0', FALSE), \
    set_config('idle_in_transaction_session_timeout', '10min', FALSE), \
    set_config('synchronous_commit', CASE current_setting('synchronous_commit') \
        WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, FALSE)";

/// The time for which an answer is waited for while nothing at all is heard: a large table may be sorted,
/// or an index brought up to date. A line that is dead is found out by itself.
const ANSWER_TIMEOUT: Duration = Duration::from_hours(1);

/// The time for which the lock of another process is waited for, and the pause between two looks at it.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
const LOCK_PAUSE: Duration = Duration::from_millis(200);

/// A session whose answers are waited for.
pub(super) struct Session {
    connection: Connection,
    patience: Box<dyn Patience>,
    /// The database, in words.
    words: String,
}

impl Session {
    /// Begins a session with the first server that will do.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: none will just now.
    pub(super) fn begin(
        routes: &Arc<Routes>,
        patience: Box<dyn Patience>,
    ) -> Result<Self, StorageError> {
        let other = |error: std::io::Error| StorageError::Other(error.to_string());
        let registry = patience.registry().map_err(other)?;
        let mut connection = Connection::new(Arc::clone(routes), "moving", registry, Token(0));
        connection.set_answer_timeout(ANSWER_TIMEOUT);
        let mut session = Self { connection, patience, words: routes.config.to_string() };
        match session.next_event()? {
            Event::Up => session.ask(&Statement::new(SETTINGS, []), &mut |_| Ok(()))?,
            _ => return Err(damage("an answer to nothing")),
        };
        Ok(session)
    }

    /// Returns the database, in words.
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// Has a statement carried out, and gives `each` row as it comes. Returns the number of rows.
    ///
    /// # Errors
    ///
    /// [`StorageError`], that of `each` too: the session is of no use then.
    pub(super) fn ask(
        &mut self,
        statement: &Statement,
        each: &mut dyn FnMut(&Row) -> Result<(), StorageError>,
    ) -> Result<u64, StorageError> {
        self.send(statement);
        self.settle(each)
    }

    /// Returns the rows of a statement that has few.
    pub(super) fn all(
        &mut self,
        sql: &'static str,
        values: impl Into<Vec<Owned>>,
    ) -> Result<Vec<Row>, StorageError> {
        let mut rows = Vec::new();
        self.ask(&Statement::new(sql, values), &mut |row| {
            rows.push(row.clone());
            Ok(())
        })?;
        Ok(rows)
    }

    /// Returns the one row of a statement.
    pub(super) fn one(
        &mut self,
        sql: &'static str,
        values: impl Into<Vec<Owned>>,
    ) -> Result<Row, StorageError> {
        self.all(sql, values)?.pop().ok_or_else(|| damage("a row is missing"))
    }

    /// Has statements carried out whose rows nobody wants.
    pub(super) fn run(
        &mut self,
        statements: impl IntoIterator<Item = Statement>,
    ) -> Result<(), StorageError> {
        statements.into_iter().for_each(|statement| self.send(&statement));
        self.settle(&mut |_| Ok(())).map(|_| ())
    }

    /// Sends a statement, whose answer is waited for by [`settle`](Self::settle).
    pub(super) fn send(&mut self, statement: &Statement) {
        statement.with(|sql, values| self.connection.execute(sql, values));
    }

    /// Waits for the answers to all statements that were sent. Returns the number of rows that these
    /// changed or returned.
    ///
    /// # Errors
    ///
    /// [`StorageError`], that of `each` too.
    pub(super) fn settle(
        &mut self,
        each: &mut dyn FnMut(&Row) -> Result<(), StorageError>,
    ) -> Result<u64, StorageError> {
        self.connection.sync();
        let (mut failure, mut count) = (None, 0);
        loop {
            match self.next_event()? {
                Event::Row(row) => each(&row)?,
                Event::Done { affected } => count += affected,
                Event::Failed(error) => failure = Some(error),
                Event::Synced => return failure.map_or(Ok(count), |error| Err(error.into())),
                // Those that end it are errors by now.
                Event::Up | Event::Notified { .. } | Event::Lost(_) | Event::Unavailable(_) => (),
            }
        }
    }

    /// Takes the lock that a server has while it uses the database, and keeps it as long as the session
    /// lasts. A server that was just killed is waited for.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: a server is at work.
    pub(super) fn lock(&mut self) -> Result<(), StorageError> {
        let deadline = self.patience.now() + LOCK_PATIENCE;
        while !self.one(session::TRY_LOCK, [session::LOCK.into()])?.get::<bool>(0)? {
            let now = self.patience.now();
            if deadline <= now {
                let words = format!("another server uses the database {}", self.words);
                return Err(StorageError::Other(words));
            }
            self.pause(now + LOCK_PAUSE)?;
        }
        Ok(())
    }

    /// Returns the version of the schema; none if there is no schema, or none of this program's.
    pub(super) fn version(&mut self) -> Result<Option<usize>, StorageError> {
        if !self.one(schema::HAS_VERSION, [])?.get::<bool>(0)? {
            return Ok(None);
        }
        let version: u64 = self.one(schema::SELECT_VERSION, [])?.get(0)?;
        let (version, known) = (usize::try_from(version), schema::MIGRATIONS.len());
        match version {
            Ok(version) if version <= known => Ok(Some(version)),
            _ => Err(StorageError::Other(format!(
                "the database {} is of a later version than this program",
                self.words
            ))),
        }
    }

    /// Lets time pass.
    fn pause(&mut self, until: Instant) -> Result<(), StorageError> {
        while self.patience.now() < until {
            self.wait(Some(until))?;
        }
        Ok(())
    }

    fn wait(&mut self, deadline: Option<Instant>) -> Result<(), StorageError> {
        let waited = self.patience.wait(deadline);
        self.connection.set_ready();
        waited.map_err(|error| StorageError::Other(error.to_string()))
    }

    /// Waits for something that happens to the session. One that is lost is never begun again.
    fn next_event(&mut self) -> Result<Event, StorageError> {
        loop {
            match self.connection.poll(self.patience.now()) {
                Some(Event::Lost(error)) => {
                    return Err(StorageError::Unreachable(error.to_string()));
                }
                Some(Event::Unavailable(error)) => {
                    return Err(StorageError::Unreachable(error.to_string()));
                }
                Some(event) => return Ok(event),
                None => {
                    let deadline = self.connection.next_deadline();
                    self.wait(deadline)?;
                }
            }
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Session").field(&self.words).finish()
    }
}
