//! History, searches and lists: asked for, fetched, and kept at hand for a while. A change of a message throws away
//! what is at hand of its room, so nothing is shown as it was before a change that was answered.

use std::{collections::VecDeque, mem, ops::ControlFlow};

use super::{
    link::Answers,
    people,
    picture::End,
    records::{self, BEGIN_BYTES, columns},
    row::Row,
    search::{Found, Searched},
    statement::Statement,
};
use crate::{
    core::{
        id::RoomId,
        moderation::AuditEntry,
        record::{Entry, StorageError},
    },
    store::{Read, Records, page::run_start},
};

/// Some records of a room, in order.
macro_rules! piece {
    ($condition:literal) => {
        concat!(
            "SELECT * FROM (SELECT ",
            columns!(),
            " FROM records WHERE ",
            $condition,
            "room = $1 AND $2 < seq ORDER BY seq LIMIT $3) AS piece \
            WHERE begin_bytes <= $4 + (SELECT begin_bytes FROM records WHERE ",
            $condition,
            "room = $1 AND $2 < seq ORDER BY seq LIMIT 1) ORDER BY seq"
        )
    };
}

const SELECT_ALL: &str = piece!("");
const SELECT_SHOWN: &str = piece!("kind < 64 AND ");

/// The sizes of texts and reactions alone.
macro_rules! sizes {
    ($condition:literal) => {
        concat!(
            "SELECT seq, octet_length(content) + coalesce(octet_length(reactions), 0) FROM records WHERE ",
            $condition,
            "room = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3"
        )
    };
}

const SELECT_SIZES: &str = sizes!("");
const SELECT_SHOWN_SIZES: &str = sizes!("kind < 64 AND ");

/// The most records of a piece, and the most bytes of them but for the last.
const PIECE_RECORDS: u64 = 200;
const PIECE_BYTES: u64 = 128 << 10;

/// The most pieces of each sort that are at hand, and the most bytes of the records in them.
const AT_HAND_MAX: usize = 64;
const AT_HAND_BYTES_MAX: usize = 16 << 20;

/// The most questions that wait. Who asks more asks again.
const WAITING_MAX: usize = 32;

/// A question about what is kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Question {
    /// The records of a room after a number.
    Read { room: RoomId, after: u64, records: Records },
    /// Where a page begins.
    Start(Start),
    /// The place of a search.
    Search(Searched),
    /// The records of what operators did.
    Audit { limit: usize },
}

/// A page whose beginning is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Start {
    pub(super) room: RoomId,
    pub(super) before: u64,
    pub(super) limit: u64,
    pub(super) bytes_max: usize,
    pub(super) records: Records,
}

/// The answers at hand, and the questions that are asked.
#[derive(Debug, Default)]
pub(super) struct History {
    pieces: VecDeque<Piece>,
    starts: VecDeque<(Start, u64)>,
    pub(super) found: Found,
    audit: Option<(usize, Vec<AuditEntry>)>,
    failed: VecDeque<(Question, StorageError)>,
    waiting: VecDeque<Question>,
    /// The question that is being answered, and the end of its room's log when it was asked.
    current: Option<(Question, End)>,
    /// Something was fetched that nobody was told of.
    pub(super) is_fetched: bool,
}

/// The records of a room that have numbers up to `through`, after `after`.
#[derive(Debug)]
struct Piece {
    room: RoomId,
    records: Records,
    after: u64,
    through: u64,
    rows: Vec<Row>,
    bytes: usize,
}

impl History {
    /// Shows `each` what is at hand of the records of a room after a number; what is not is asked for.
    pub(super) fn read(
        &mut self,
        (room, records, last_seq): (RoomId, Records, u64),
        mut after: u64,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<Read, StorageError> {
        while after < last_seq {
            let is_next = |piece: &&Piece| {
                piece.room == room
                    && piece.records == records
                    && piece.after <= after
                    && after < piece.through
            };
            let Some(piece) = self.pieces.iter().rev().find(is_next) else {
                self.ask(Question::Read { room, after, records })?;
                return Ok(Read::Later);
            };
            for row in &piece.rows {
                let entry = records::entry(row)?;
                if after < entry.seq && each(entry).is_break() {
                    return Ok(Read::Done);
                }
            }
            after = piece.through;
        }
        Ok(Read::Done)
    }

    /// Returns where a page begins, if that is at hand.
    pub(super) fn page_start(&mut self, start: Start) -> Result<Option<u64>, StorageError> {
        if let Some((_, found)) = self.starts.iter().find(|(other, _)| *other == start) {
            return Ok(Some(*found));
        }
        self.ask(Question::Start(start))?;
        Ok(None)
    }

    /// Returns the newest records of what operators did, if they are at hand.
    pub(super) fn audit(&mut self, limit: usize) -> Result<Option<Vec<AuditEntry>>, StorageError> {
        if let Some((_, entries)) = self.audit.take_if(|(other, _)| *other == limit) {
            return Ok(Some(entries));
        }
        self.ask(Question::Audit { limit })?;
        Ok(None)
    }

    /// Asks a question, unless it is asked already.
    ///
    /// # Errors
    ///
    /// [`StorageError`] if it was asked before and cannot be answered.
    pub(super) fn ask(&mut self, question: Question) -> Result<(), StorageError> {
        if let Some(index) = self.failed.iter().position(|(other, _)| *other == question) {
            return self.failed.remove(index).map_or(Ok(()), |(_, error)| Err(error));
        }
        let is_current = self.current.as_ref().is_some_and(|(other, _)| *other == question);
        if !is_current && self.waiting.len() < WAITING_MAX && !self.waiting.contains(&question) {
            self.waiting.push_back(question);
        }
        Ok(())
    }

    /// Returns true if a question waits.
    pub(super) fn is_asked(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Returns the exchange that answers the next question; `end` tells the ends of logs.
    pub(super) fn begin(&mut self, end: impl Fn(RoomId) -> End) -> Option<Vec<Statement>> {
        let question = self.waiting.pop_front()?;
        let (room, statement) = match &question {
            Question::Read { room, after, records } => {
                let sql = match records {
                    Records::All => SELECT_ALL,
                    Records::Shown => SELECT_SHOWN,
                };
                let limits = [PIECE_RECORDS.into(), PIECE_BYTES.into()];
                let values = [room.0.into(), (*after).into()].into_iter().chain(limits);
                (Some(*room), Statement::new(sql, values.collect::<Vec<_>>()))
            }
            Question::Start(Start { room, before, limit, records, .. }) => {
                let sql = match records {
                    Records::All => SELECT_SIZES,
                    Records::Shown => SELECT_SHOWN_SIZES,
                };
                (None, Statement::new(sql, [room.0.into(), (*before).into(), (*limit).into()]))
            }
            Question::Search(searched) => (None, searched.statement()),
            Question::Audit { limit } => {
                (None, Statement::new(people::SELECT_ENTRIES, [(*limit as u64).into()]))
            }
        };
        self.current = Some((question, room.map(end).unwrap_or_default()));
        Some(vec![statement])
    }

    /// Takes in the answer to the question.
    pub(super) fn answered(&mut self, answer: Result<Answers, StorageError>) {
        let Some((question, end)) = self.current.take() else { return };
        self.is_fetched = true;
        let rows = answer.map(|answers| answers.into_iter().next().unwrap_or_default());
        if let Err(error) = rows.and_then(|rows| self.keep(&question, end, rows)) {
            self.failed.push_back((question, error));
            self.failed.drain(..self.failed.len().saturating_sub(AT_HAND_MAX));
        }
    }

    fn keep(&mut self, question: &Question, end: End, rows: Vec<Row>) -> Result<(), StorageError> {
        match question {
            Question::Read { room, after, records } => {
                let piece = Piece::new(*room, *records, *after, end, rows)?;
                self.pieces.push_back(piece);
                while AT_HAND_MAX < self.pieces.len()
                    || 1 < self.pieces.len()
                        && AT_HAND_BYTES_MAX < self.pieces.iter().map(|it| it.bytes).sum()
                {
                    self.pieces.pop_front();
                }
            }
            Question::Start(start) => {
                let size = |row: &Row| -> Result<_, StorageError> {
                    let bytes: u64 = row.get(1)?;
                    Ok((row.get(0)?, usize::try_from(bytes).unwrap_or(usize::MAX)))
                };
                let found = run_start(start.before, start.bytes_max, rows.iter().map(size))?;
                self.starts.push_back((*start, found));
                self.starts.drain(..self.starts.len().saturating_sub(AT_HAND_MAX));
            }
            Question::Search(searched) => self.found.keep(searched, rows)?,
            Question::Audit { limit } => self.audit = Some((*limit, people::read_audit(&rows)?)),
        }
        Ok(())
    }

    /// The session is lost: what was asked is asked again.
    pub(super) fn lost(&mut self) {
        if let Some((question, _)) = self.current.take() {
            self.waiting.push_front(question);
        }
    }

    /// Throws away what is at hand of a room.
    pub(super) fn throw_away(&mut self, room: RoomId) {
        self.pieces.retain(|piece| piece.room != room);
        self.starts.retain(|(start, _)| start.room != room);
        self.found.throw_away(room);
    }

    /// Returns true, once, if something was fetched.
    pub(super) fn take_fetched(&mut self) -> bool {
        mem::take(&mut self.is_fetched)
    }
}

impl Piece {
    /// Returns the records of a room after a number: all up to `end`, or fewer if they are many or large.
    fn new(
        room: RoomId,
        records: Records,
        after: u64,
        end: End,
        rows: Vec<Row>,
    ) -> Result<Self, StorageError> {
        let mut bytes = 0;
        for row in &rows {
            bytes += records::entry(row)?.kind.text().len() + 4 * row.len();
        }
        let through = match (rows.first(), rows.last()) {
            (Some(first), Some(last)) => {
                let begin: u64 = first.get(BEGIN_BYTES)?;
                let is_whole = (rows.len() as u64) < PIECE_RECORDS
                    && end.last_bytes <= begin.saturating_add(PIECE_BYTES);
                let last_seq: u64 = last.get(1)?;
                if is_whole { end.last_seq.max(last_seq) } else { last_seq }
            }
            _ => end.last_seq,
        };
        Ok(Self { room, records, after, through, rows, bytes })
    }
}
