//! The statements that a session was given, and their answers in order; without I/O.
//!
//! A statement is prepared with its first use in a session. Those up to a sync are one transaction; if
//! one of them fails, the database passes over the rest of them.

use std::{collections::VecDeque, sync::Arc};

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::{
    Oid,
    message::{
        backend::{Message, RowDescriptionBody},
        frontend::{self, BindError},
    },
};
use rustc_hash::FxHashMap;

use super::{
    error::{ConnectionError, DatabaseError},
    event::Event,
    row::Row,
    value::Value,
};

/// The format of all parameters and columns: binary.
const BINARY: i16 = 1;

/// The statements of a session.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    /// The answers that are to come, oldest first.
    expected: VecDeque<Expected>,
    /// The number of each statement that is prepared.
    numbers: FxHashMap<&'static str, usize>,
    /// The statements that were prepared, by number; their names are made of it.
    statements: Vec<Statement>,
    /// The number of syncs that were asked for.
    syncs: u64,
}

/// A statement that the database was asked to prepare.
#[derive(Debug)]
struct Statement {
    sql: &'static str,
    /// The sync before which it was; it is certain to exist after that only if it is `known`.
    sync: u64,
    is_known: bool,
    columns: Arc<[Oid]>,
}

/// A message that is expected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Expected {
    Parsed(usize),
    Described(usize),
    Bound,
    Executed(usize),
    Synced,
    /// The end of commands that were sent as one text.
    Script,
}

impl Pipeline {
    /// Appends a statement to `out`.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::TooLarge`]; what is in `out` cannot be used any more.
    pub(super) fn execute(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        out: &mut BytesMut,
    ) -> Result<(), ConnectionError> {
        let number = match self.numbers.get(sql).copied().filter(|number| self.is_usable(*number)) {
            Some(number) => number,
            None => self.prepare(sql, values, out)?,
        };
        let name = name(number);
        let encode = |value: &Value<'_>, out: &mut BytesMut| value.encode(out);
        frontend::bind("", &name, [BINARY], values, encode, [BINARY], out).map_err(|error| {
            match error {
                BindError::Conversion(_) | BindError::Serialization(_) => ConnectionError::TooLarge,
            }
        })?;
        frontend::execute("", 0, out)?;
        self.expected.extend([Expected::Bound, Expected::Executed(number)]);
        Ok(())
    }

    /// Appends commands that are sent as one text, which is a transaction of its own, and a sync.
    pub(super) fn script(&mut self, sql: &str, out: &mut BytesMut) -> Result<(), ConnectionError> {
        frontend::query(sql, out)?;
        self.expected.push_back(Expected::Script);
        self.syncs += 1;
        Ok(())
    }

    /// Appends the end of a transaction.
    pub(super) fn sync(&mut self, out: &mut BytesMut) {
        frontend::sync(out);
        self.expected.push_back(Expected::Synced);
        self.syncs += 1;
    }

    /// Returns true if answers are to come.
    pub(super) fn is_waiting(&self) -> bool {
        !self.expected.is_empty()
    }

    /// A statement that was prepared before another sync may have been passed over with all up to that.
    fn is_usable(&self, number: usize) -> bool {
        let statement = &self.statements[number];
        statement.is_known || statement.sync == self.syncs
    }

    /// Appends the preparation of a statement with parameters of these types.
    fn prepare(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        out: &mut BytesMut,
    ) -> Result<usize, ConnectionError> {
        let number = self.statements.len();
        let name = name(number);
        frontend::parse(&name, sql, values.iter().map(|value| value.oid()), out)?;
        frontend::describe(b'S', &name, out)?;
        self.expected.extend([Expected::Parsed(number), Expected::Described(number)]);
        let columns = Arc::new([]);
        self.statements.push(Statement { sql, sync: self.syncs, is_known: false, columns });
        self.numbers.insert(sql, number);
        Ok(number)
    }

    /// Takes in a message; returns the event that it is, if it is one.
    ///
    /// # Errors
    ///
    /// [`ConnectionError`]: the session is over.
    pub(super) fn on_message(
        &mut self,
        message: Message,
    ) -> Result<Option<Event>, ConnectionError> {
        match message {
            Message::ParseComplete => {
                let number = self.expect(|it| match it {
                    Expected::Parsed(number) => Some(number),
                    _ => None,
                })?;
                self.statements[number].is_known = true;
            }
            Message::ParameterDescription(_)
            | Message::ParameterStatus(_)
            | Message::NoticeResponse(_) => (),
            Message::RowDescription(body) => self.on_described(Some(&body))?,
            Message::NoData => self.on_described(None)?,
            Message::BindComplete => {
                self.expect(|it| (it == Expected::Bound).then_some(()))?;
            }
            Message::DataRow(body) => match self.expected.front() {
                Some(Expected::Executed(number)) => {
                    let columns = Arc::clone(&self.statements[*number].columns);
                    let row = Row::new(body, columns);
                    return row.map(|row| Some(Event::Row(row))).ok_or(unexpected("a row"));
                }
                Some(Expected::Script) => (),
                _ => return Err(unexpected("a row")),
            },
            Message::CommandComplete(body) => return self.on_done(affected(body.tag()?)),
            Message::EmptyQueryResponse => return self.on_done(0),
            Message::ErrorResponse(body) => return self.on_error(DatabaseError::new(&body)),
            Message::ReadyForQuery(_) => {
                let is_end = |it| matches!(it, Expected::Synced | Expected::Script).then_some(());
                self.expect(is_end)?;
                return Ok(Some(Event::Synced));
            }
            Message::NotificationResponse(body) => {
                let (channel, payload) = (body.channel()?.to_owned(), body.message()?.to_owned());
                return Ok(Some(Event::Notified { channel, payload }));
            }
            Message::CopyInResponse(_) | Message::CopyOutResponse(_) => {
                return Err(unexpected("COPY is not spoken here"));
            }
            _ => return Err(unexpected("none that belongs to a statement")),
        }
        Ok(None)
    }

    /// Takes the oldest expectation if it is the one that is met.
    fn expect<T>(&mut self, is_met: impl Fn(Expected) -> Option<T>) -> Result<T, ConnectionError> {
        let front = self.expected.front().copied().ok_or(unexpected("an answer to nothing"))?;
        let met = is_met(front).ok_or(unexpected("an answer out of order"))?;
        self.expected.pop_front();
        Ok(met)
    }

    fn on_described(&mut self, body: Option<&RowDescriptionBody>) -> Result<(), ConnectionError> {
        if let Some(Expected::Script) = self.expected.front() {
            return Ok(());
        }
        let number = self.expect(|it| match it {
            Expected::Described(number) => Some(number),
            _ => None,
        })?;
        if let Some(body) = body {
            self.statements[number].columns =
                body.fields().map(|it| Ok(it.type_oid())).collect::<Vec<_>>()?.into();
        }
        Ok(())
    }

    fn on_done(&mut self, affected: u64) -> Result<Option<Event>, ConnectionError> {
        if let Some(Expected::Script) = self.expected.front() {
            return Ok(None);
        }
        self.expect(|it| matches!(it, Expected::Executed(_)).then_some(()))?;
        Ok(Some(Event::Done { affected }))
    }

    /// Everything up to the next sync is passed over, the preparation of statements as well.
    fn on_error(&mut self, error: DatabaseError) -> Result<Option<Event>, ConnectionError> {
        if error.is_fatal || self.expected.is_empty() {
            return Err(ConnectionError::Database(error));
        }
        while let Some(passed) =
            self.expected.pop_front_if(|it| !matches!(it, Expected::Synced | Expected::Script))
        {
            if let Expected::Parsed(number) = passed {
                let sql = self.statements[number].sql;
                if self.numbers.get(sql) == Some(&number) {
                    self.numbers.remove(sql);
                }
            }
        }
        Ok(Some(Event::Failed(error)))
    }
}

/// Returns the name of a prepared statement.
fn name(number: usize) -> String {
    format!("s{number}")
}

fn unexpected(what: &'static str) -> ConnectionError {
    ConnectionError::Protocol(what)
}

/// Returns the number of rows that ends the tag of a command: `INSERT 0 3`, `UPDATE 2`, `BEGIN`.
fn affected(tag: &str) -> u64 {
    tag.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
