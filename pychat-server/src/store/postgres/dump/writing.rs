//! A log that is written, in one transaction: whoever breaks off has written nothing.

use std::sync::Arc;

use super::{Patience, session::Session};
use crate::{
    core::{id::RoomId, record::StorageError},
    store::{
        moving::{Cell, Kind, Table, Target},
        postgres::{
            Routes,
            link::damage,
            schema, session,
            statement::{Owned, Statement},
        },
        sqlite::terms::{joined, terms},
    },
};

const BEGIN: &str = "BEGIN";
const COMMIT: &str = "COMMIT";
const SELECT_IS_EMPTY: &str = "SELECT NOT (EXISTS (SELECT FROM records) OR EXISTS (SELECT FROM rooms) \
    OR EXISTS (SELECT FROM people) OR EXISTS (SELECT FROM sanctions) OR EXISTS (SELECT FROM invites) \
    OR EXISTS (SELECT FROM audit) OR EXISTS (SELECT FROM logs))";
const PUT_ASIDE: &str = "DO $$ BEGIN EXECUTE format('ALTER SCHEMA pychat RENAME TO %I', \
    to_char(now() AT TIME ZONE 'UTC', '\"pychat_replaced_\"YYYYMMDD\"t\"HH24MISS')); END $$";
const SELECT_ASIDE: &str = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'pychat\\_replaced\\_%' \
    ORDER BY nspname DESC LIMIT 1";
const SELECT_LAST_DOC: &str = "SELECT coalesce(max(doc), 0) FROM records WHERE kind = 0";
const DELETE_META: &str = "DELETE FROM meta";
/// The numbers that the database gives go on behind those that are there.
const SET_NUMBERS: [&str; 6] = [
    "SELECT setval(pg_get_serial_sequence('records', 'doc'), greatest(max(doc), 1)) FROM records",
    "SELECT setval(pg_get_serial_sequence('members', 'position'), greatest(max(position), 1)) \
        FROM members",
    "SELECT setval(pg_get_serial_sequence('names', 'position'), greatest(max(position), 1)) FROM names",
    "SELECT setval(pg_get_serial_sequence('keys', 'position'), greatest(max(position), 1)) FROM keys",
    "SELECT setval(pg_get_serial_sequence('invites', 'position'), greatest(max(position), 1)) \
        FROM invites",
    "SELECT setval(pg_get_serial_sequence('audit', 'id'), greatest(max(id), 1)) FROM audit",
];
const ANALYZE: &str = "ANALYZE records, logs, rooms, members, marks, people, names, keys";

/// The most rows that wait for one answer, and the most bytes of these, but for one.
const PIECE_ROWS: usize = 512;
const PIECE_BYTES: usize = 256 << 10;

/// The places of what the terms of a record are made of.
const ROOM: usize = 0;
const AUTHOR: usize = 3;
const CONTENT: usize = 4;
const KIND: usize = 8;
const WORDS: usize = 12;

/// A log in a database that nobody sees before it is [finished](Self::finish).
#[derive(Debug)]
pub struct Writing {
    session: Session,
    /// The schema that has what was there before.
    aside: Option<String>,
    /// The largest number in the search that there was.
    last_doc: i64,
    n_waiting: usize,
    bytes_waiting: usize,
}

impl Writing {
    /// Begins a log in a database that has none, and no server; one that is there `is_replaced`: its schema
    /// gets another name.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: the database is as it was.
    pub fn begin(
        routes: &Arc<Routes>,
        patience: Box<dyn Patience>,
        is_replaced: bool,
    ) -> Result<Self, StorageError> {
        let mut session = Session::begin(routes, patience)?;
        session.lock()?;
        session.run([Statement::new(BEGIN, [])])?;
        let (mut version, mut aside) = (session.version()?, None);
        if version.is_some() && is_replaced {
            session.run([Statement::new(PUT_ASIDE, [])])?;
            aside = Some(session.one(SELECT_ASIDE, [])?.get::<&str>(0)?.to_owned());
            version = None;
        }
        make_tables(&mut session, version)?;
        if !session.one(SELECT_IS_EMPTY, [])?.get::<bool>(0)? {
            let words = format!(
                "the database {} holds messages already; name one that is empty, or give --replace, \
                which puts them aside",
                session.words()
            );
            return Err(StorageError::Other(words));
        }
        session.run([Statement::new(DELETE_META, [])])?;
        Ok(Self { session, aside, last_doc: 0, n_waiting: 0, bytes_waiting: 0 })
    }

    /// Begins to add to a log.
    pub(super) fn more(mut session: Session) -> Result<Self, StorageError> {
        session.run([Statement::new(BEGIN, [])])?;
        let last_doc = session.one(SELECT_LAST_DOC, [])?.get(0)?;
        Ok(Self { session, aside: None, last_doc, n_waiting: 0, bytes_waiting: 0 })
    }

    /// Gives the log its name, and makes it be there, all of it. Returns the schema that has what was there
    /// before, if anything was.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: the database is as it was, unless its last answer did not come.
    pub fn finish(mut self, epoch: &str) -> Result<Option<String>, StorageError> {
        self.session.send(&Statement::new(session::INSERT_META, [epoch.into()]));
        self.n_waiting += 1;
        self.end()?;
        Ok(self.aside)
    }

    /// Makes what was added to a log be there, all of it.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub fn finish_more(mut self) -> Result<(), StorageError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), StorageError> {
        self.settle()?;
        let plain = |sql: &'static str| Statement::new(sql, []);
        self.session.run(SET_NUMBERS.into_iter().chain([ANALYZE]).map(plain))?;
        self.session.run([plain(COMMIT)]).map_err(|error| match error {
            StorageError::Unreachable(words) => StorageError::Unreachable(format!(
                "{words}; run it again: the database has all of it now, or nothing"
            )),
            error => error,
        })
    }

    fn settle(&mut self) -> Result<(), StorageError> {
        let count = self.session.settle(&mut |_| Ok(()))?;
        if count < self.n_waiting as u64 {
            return Err(damage("a row was not taken"));
        }
        (self.n_waiting, self.bytes_waiting) = (0, 0);
        Ok(())
    }
}

impl Target for Writing {
    fn add(&mut self, table: &'static Table, mut row: Vec<Cell>) -> Result<(), StorageError> {
        let terms = table.has_records.then(|| Owned::from(terms_of(&row).as_deref()));
        if table.has_records
            && let Some(Cell::Int(doc)) = row.last_mut()
        {
            *doc += self.last_doc;
        }
        let cells = row.into_iter().zip(table.kinds);
        let values: Vec<_> = cells.map(|(cell, kind)| owned(cell, *kind)).chain(terms).collect();
        self.n_waiting += 1;
        self.bytes_waiting += values.iter().map(size).sum::<usize>();
        self.session.send(&Statement::new(table.postgres.insert, values));
        if PIECE_ROWS <= self.n_waiting || PIECE_BYTES <= self.bytes_waiting {
            self.settle()?;
        }
        Ok(())
    }
}

/// Makes what is missing of the tables, of which so many versions are there.
fn make_tables(session: &mut Session, version: Option<usize>) -> Result<(), StorageError> {
    let plain = |sql: &'static str| Statement::new(sql, []);
    if version.is_none() {
        let has_schema: bool = session.one(schema::HAS_SCHEMA, [])?.get(0)?;
        let create = (!has_schema).then_some(schema::CREATE_SCHEMA);
        let version = [schema::CREATE_VERSION, schema::INSERT_VERSION];
        session.run(create.into_iter().chain(version).map(plain))?;
    }
    for (next, migration) in (1_u64..).zip(schema::MIGRATIONS).skip(version.unwrap_or(0)) {
        let update = Statement::new(schema::UPDATE_VERSION, [next.into()]);
        session.run(migration.iter().map(|sql| plain(sql)).chain([update]))?;
    }
    Ok(())
}

/// Returns the terms by which a record is found, if it is a message with words.
fn terms_of(row: &[Cell]) -> Option<String> {
    let number = |place: usize| match row.get(place) {
        Some(Cell::Int(number)) => Some(*number),
        _ => None,
    };
    let text = |place: usize| match row.get(place) {
        Some(Cell::Text(text)) => Some(text.as_str()),
        _ => None,
    };
    if (number(KIND), number(WORDS)) != (Some(0), Some(0)) {
        return None;
    }
    let room = RoomId(u32::try_from(number(ROOM)?).ok()?);
    Some(joined(&terms(room, text(AUTHOR)?, text(CONTENT)?)))
}

fn owned(cell: Cell, kind: Kind) -> Owned {
    match (cell, kind) {
        (Cell::Null, _) => Owned::Null,
        (Cell::Int(number), Kind::Flag) => Owned::Bool(number != 0),
        (Cell::Int(number), _) => Owned::Int(number),
        (Cell::Text(text), Kind::Words) => Owned::Bytes(text.into_bytes()),
        (Cell::Text(text), _) => text.as_str().into(),
        (Cell::Bytes(bytes), _) => Owned::Bytes(bytes),
    }
}

/// Returns about as many bytes as a value takes.
fn size(value: &Owned) -> usize {
    match value {
        Owned::Text(text) => text.len(),
        Owned::Bytes(bytes) => bytes.len(),
        _ => size_of::<i64>(),
    }
}
