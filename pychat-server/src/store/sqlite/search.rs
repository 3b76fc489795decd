//! Searching in the file: the index says which messages may be wanted, and each is looked at then.
//!
//! It is asked for a few documents of some rooms at a time, so that no step takes long, whatever the
//! number of rooms is and however common the words are.

use std::{mem, ops::ControlFlow};

use pychat_wire::search::{Fit, Query};
use rusqlite::{Connection, params};

use super::{
    index,
    logs::{key, room_of},
    records::{SELECT_DOCUMENT, entry},
    rows::integer,
    terms,
};
use crate::{
    core::{id::RoomId, record::Entry},
    store::{
        Candidates, Looked, Place, Wanted,
        search::{BEGIN_BYTES, LOOK_BYTES},
    },
};

const SELECT_LAST: &str = "SELECT max(doc) FROM search_docs";
const SELECT_DOCS: &str = "SELECT rowid FROM search \
    WHERE search MATCH ?1 AND rowid < ?2 AND ?3 <= rowid ORDER BY rowid DESC LIMIT ?4";

/// The most documents that are taken from the index at once, at first and later: to ask it costs as much as
/// hundreds of them.
const DOCS_MIN: usize = 512;
const DOCS_MAX: usize = 2_048;
const DOCS_GROWTH: usize = 2;

/// The most terms that the index is asked for at once, but for those of one room.
const TERMS_MAX: usize = 8;

/// The cost of a term that the index is asked for, and of a document that it has, in bytes.
const TERM_BYTES: usize = 1 << 10;
const DOC_BYTES: usize = 32;

/// The documents without the word of which only the first letters were asked for, after which the index is
/// asked for all of it: if they are so many times as many as the others.
const MISSES_MIN: u32 = 128;
const MISSES_PER_HIT: u32 = 8;

/// Looks for messages from `place` on, until `each` breaks off or the budget is spent.
pub(super) fn look_for(
    connection: &Connection,
    wanted: &Wanted<'_>,
    place: &mut Place,
    budget: &mut usize,
    each: &mut dyn FnMut(RoomId, Entry<'_>) -> ControlFlow<()>,
) -> rusqlite::Result<Looked> {
    let Some(candidates) = begin(connection, wanted, place)? else { return Ok(Looked::All) };
    while 0 < *budget {
        if !candidates.rooms.is_empty() {
            candidates.ask(connection, wanted.query, budget)?;
        } else if let Some(doc) = candidates.docs.pop() {
            if look_at(doc, connection, wanted, candidates, budget, each)?.is_break() {
                return Ok(Looked::Some);
            }
        } else if 1 < candidates.from {
            candidates.n_max = (candidates.n_max * DOCS_GROWTH).min(DOCS_MAX);
            candidates.go_on(candidates.from, wanted.rooms);
        } else {
            return Ok(Looked::All);
        }
    }
    Ok(Looked::Some)
}

/// Returns the candidates that are at a place, if there can be any.
fn begin<'a>(
    connection: &Connection,
    wanted: &Wanted<'_>,
    place: &'a mut Place,
) -> rusqlite::Result<Option<&'a mut Candidates>> {
    let before = match *place {
        Place::Newest => {
            let last: Option<u64> =
                connection.prepare_cached(SELECT_LAST)?.query_row([], |row| row.get(0))?;
            last.map(|last| last + 1)
        }
        Place::Message(room, seq) => match key(room, seq) {
            Ok(key) => index::find(connection, key)?,
            Err(_) => None,
        },
        Place::Number(doc) => Some(doc),
        Place::Candidates(ref mut candidates) => return Ok(Some(candidates)),
    };
    let Some(before) = before.filter(|_| !wanted.query.is_empty()) else { return Ok(None) };
    let mut candidates = Candidates {
        from: 0,
        before,
        rooms: Vec::new(),
        docs: Vec::new(),
        n_max: DOCS_MIN,
        is_rough: true,
        n_hits: 0,
        n_misses: 0,
    };
    candidates.go_on(before, wanted.rooms);
    *place = Place::Candidates(candidates);
    let Place::Candidates(candidates) = place else { return Ok(None) };
    Ok(Some(candidates))
}

impl Candidates {
    /// Begins to ask for what is before a document.
    fn go_on(&mut self, before: u64, rooms: &[RoomId]) {
        (self.from, self.before) = (0, before);
        self.docs.clear();
        self.rooms.clear();
        self.rooms.extend(rooms.iter().rev());
    }

    /// Asks the index for the newest documents of a few rooms.
    fn ask(
        &mut self,
        connection: &Connection,
        query: &Query,
        budget: &mut usize,
    ) -> rusqlite::Result<()> {
        let n_terms = query.words().count() + usize::from(query.author().is_some());
        let n_rooms = (TERMS_MAX / n_terms.max(1)).clamp(1, self.rooms.len());
        let rooms = self.rooms.split_off(self.rooms.len() - n_rooms);
        let expression = terms::expression(query, &rooms, self.is_rough);
        let (before, from) = (integer(self.before), integer(self.from));
        let mut select = connection.prepare_cached(SELECT_DOCS)?;
        let mut rows =
            select.query(params![expression, before, from, integer(self.n_max as u64)])?;
        let n_before = self.docs.len();
        while let Some(row) = rows.next()? {
            self.docs.push(row.get(0)?);
        }
        let n_new = self.docs.len() - n_before;
        self.docs.sort_unstable();
        // What is older than so many waits for the next time.
        if let Some(n_older) = self.docs.len().checked_sub(self.n_max) {
            self.docs.drain(..n_older);
            self.from = self.docs.first().copied().unwrap_or_default();
        }
        *budget =
            budget.saturating_sub(BEGIN_BYTES + TERM_BYTES * n_terms * n_rooms + DOC_BYTES * n_new);
        Ok(())
    }

    /// Takes in how a document fits that the index has for a query; returns true if the index is to be asked
    /// more exactly.
    fn note(&mut self, fit: Fit) -> bool {
        match fit {
            Fit::Not => self.n_misses += 1,
            Fit::Words | Fit::Whole => self.n_hits += 1,
        }
        let is_poor = MISSES_MIN.max(MISSES_PER_HIT * self.n_hits) <= self.n_misses;
        is_poor && mem::take(&mut self.is_rough)
    }
}

/// Looks at a document, and passes it on if it is wanted.
fn look_at(
    doc: u64,
    connection: &Connection,
    wanted: &Wanted<'_>,
    candidates: &mut Candidates,
    budget: &mut usize,
    each: &mut dyn FnMut(RoomId, Entry<'_>) -> ControlFlow<()>,
) -> rusqlite::Result<ControlFlow<()>> {
    *budget = budget.saturating_sub(LOOK_BYTES);
    let mut select = connection.prepare_cached(SELECT_DOCUMENT)?;
    let mut rows = select.query([integer(doc)])?;
    // It may be gone by now, or be another message.
    let Some(row) = rows.next()? else { return Ok(ControlFlow::Continue(())) };
    let (room, found) = (room_of(row.get(0)?), entry(row)?);
    if found.state.is_deleted || !wanted.rooms.contains(&room) {
        return Ok(ControlFlow::Continue(()));
    }
    let text = found.kind.text();
    *budget = budget.saturating_sub(text.len());
    let fit = wanted.query.fit(found.author, text);
    if candidates.note(fit) {
        candidates.go_on(doc, wanted.rooms);
    }
    Ok(if fit == Fit::Whole { each(room, found) } else { ControlFlow::Continue(()) })
}
