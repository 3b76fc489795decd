//! A log that is read.

use std::{ops::ControlFlow, sync::Arc};

use super::{Patience, Writing, session::Session};
use crate::{
    core::{
        id::RoomId,
        record::{Entry, Room, StorageError},
    },
    store::{
        moving::{Cell, Contents, Kind, Source, Table},
        postgres::{
            Routes,
            records::{columns, entry},
            rooms,
            row::Row,
            schema, session,
            statement::{Statement, text},
        },
    },
};

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
const COMMIT: &str = "COMMIT";
const SELECT_CONTENTS: &str = "SELECT (SELECT count(*) FROM rooms WHERE 0 < id), \
    (SELECT count(*) FROM records), (SELECT count(*) FROM people)";
const SELECT_ENDS: &str =
    "SELECT coalesce(min(seq), 1), coalesce(max(seq), 0) FROM records WHERE room = $1";
const SELECT_RECORDS: &str =
    concat!("SELECT ", columns!(), " FROM records WHERE room = $1 ORDER BY seq");
/// The next server gives the log another name.
const FORGET_ORIGIN: &str = "UPDATE meta SET origin = 'moved'";

/// A log in a database as it is at one moment.
#[derive(Debug)]
pub struct Reading(Session);

impl Reading {
    /// Begins to read the log in a database; one that `is_moved` is of no server meanwhile.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: there is none that can be read.
    pub fn begin(
        routes: &Arc<Routes>,
        patience: Box<dyn Patience>,
        is_moved: bool,
    ) -> Result<Self, StorageError> {
        let mut session = Session::begin(routes, patience)?;
        if is_moved {
            session.lock()?;
        }
        let version = session.version()?;
        let refused = |words: &str| {
            let words = format!("the database {} {words}", session.words());
            Err(StorageError::Other(words))
        };
        match version {
            None => return refused("holds no messages of this program"),
            Some(version) if version < schema::MIGRATIONS.len() => {
                return refused(
                    "is of an earlier version; start this server once, which takes it over",
                );
            }
            Some(_) => (),
        }
        session.run([Statement::new(BEGIN, [])])?;
        Ok(Self(session))
    }

    /// Goes on by writing more into the log that was read, which was of no server meanwhile.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub fn extend(mut self) -> Result<Writing, StorageError> {
        self.0.run([Statement::new(COMMIT, [])])?;
        Writing::more(self.0)
    }

    /// Ends reading a log that was moved: a server that begins with it all the same gives it another name.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub fn leave(mut self) -> Result<(), StorageError> {
        self.0.run([COMMIT, FORGET_ORIGIN].map(|sql| Statement::new(sql, [])))
    }
}

impl Source for Reading {
    fn contents(&mut self) -> Result<Contents, StorageError> {
        let row = self.0.one(SELECT_CONTENTS, [])?;
        Ok(Contents { rooms: 1 + row.get::<u64>(0)?, records: row.get(1)?, people: row.get(2)? })
    }

    fn epoch_or(&mut self, new: &str) -> Result<String, StorageError> {
        let known = self.0.all(session::SELECT_EPOCH, [])?;
        let known = known.first().map(|row| row.get::<&str>(0).map(ToOwned::to_owned));
        Ok(known.transpose()?.unwrap_or_else(|| new.to_owned()))
    }

    fn rows(
        &mut self,
        table: &'static Table,
        each: &mut dyn FnMut(Vec<Cell>) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let statement = Statement::new(table.postgres.select, []);
        let counted = self.0.ask(&statement, &mut |row| {
            let cells = table.kinds.iter().enumerate().map(|(index, kind)| cell(row, index, *kind));
            each(cells.collect::<Result<_, _>>()?)
        });
        counted.map(|_| ())
    }

    fn rooms(&mut self) -> Result<Vec<Room>, StorageError> {
        let (all, members) =
            (self.0.all(rooms::SELECT_ROOMS, [])?, self.0.all(rooms::SELECT_MEMBERS, [])?);
        rooms::read(&all, &members)
    }

    fn ends(&mut self, room: RoomId) -> Result<(u64, u64), StorageError> {
        let row = self.0.one(SELECT_ENDS, [room.0.into()])?;
        Ok((row.get(0)?, row.get(1)?))
    }

    fn read(
        &mut self,
        room: RoomId,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let statement = Statement::new(SELECT_RECORDS, [room.0.into()]);
        let mut is_over = false;
        let read = self.0.ask(&statement, &mut |row| {
            is_over = each(entry(row)?).is_break();
            if is_over { Err(StorageError::Other(String::new())) } else { Ok(()) }
        });
        if is_over { Ok(()) } else { read.map(|_| ()) }
    }
}

fn cell(row: &Row, index: usize, kind: Kind) -> Result<Cell, StorageError> {
    let cell = match kind {
        Kind::Int => row.get::<Option<i64>>(index)?.map(Cell::Int),
        Kind::Flag => row.get::<Option<bool>>(index)?.map(|flag| Cell::Int(flag.into())),
        Kind::Text => row.get::<Option<&str>>(index)?.map(|text| Cell::Text(text.to_owned())),
        Kind::Words => text(row, index)?.map(|text| Cell::Text(text.to_owned())),
        Kind::Bytes => row.get::<Option<&[u8]>>(index)?.map(|bytes| Cell::Bytes(bytes.to_owned())),
    };
    Ok(cell.unwrap_or(Cell::Null))
}
