//! Searching in the file: the index says which messages may be wanted, and each is looked at then.

use std::ops::ControlFlow;

use rusqlite::{Connection, params};

use super::{
    index,
    logs::{key, room_of},
    records::{SELECT_FOUND, entry},
    rows::integer,
    terms,
};
use crate::{
    core::{id::RoomId, record::Entry},
    store::{
        Looked, Place, Wanted,
        search::{BEGIN_BYTES, LOOK_BYTES},
    },
};

const SELECT_LAST: &str = "SELECT max(doc) FROM search_docs";

/// The documents among which several terms are looked for at once: few at first, for what is new; then more
/// and more, as it costs something to begin.
const WINDOW_MIN: u64 = 1 << 16;
const WINDOW_MAX: u64 = 1 << 20;
const WINDOW_GROWTH: u64 = 3;

/// The cost of one term in the expression, in bytes.
const TERM_BYTES: usize = 64;

/// Looks for messages from `place` on, until `each` breaks off or the budget is spent.
pub(super) fn look_for(
    connection: &Connection,
    wanted: &Wanted<'_>,
    place: &mut Place,
    budget: &mut usize,
    each: &mut dyn FnMut(RoomId, Entry<'_>) -> ControlFlow<()>,
) -> rusqlite::Result<Looked> {
    let (expression, n_terms) = terms::expression(wanted.query, wanted.rooms);
    let last: Option<u64> =
        connection.prepare_cached(SELECT_LAST)?.query_row([], |row| row.get(0))?;
    let end = last.unwrap_or_default() + 1;
    let before = match *place {
        Place::Newest => Some(end),
        Place::Message(room, seq) => {
            let Ok(key) = key(room, seq) else { return Ok(Looked::All) };
            index::find(connection, key)?
        }
        Place::Number(doc) => Some(doc),
    };
    let Some(mut before) = before.filter(|_| 0 < n_terms) else { return Ok(Looked::All) };
    while 1 < before {
        *place = Place::Number(before);
        if *budget == 0 {
            return Ok(Looked::Some);
        }
        *budget = budget.saturating_sub(BEGIN_BYTES + TERM_BYTES * n_terms);
        let n_seen = end.saturating_sub(before);
        let window = n_seen.saturating_mul(WINDOW_GROWTH).clamp(WINDOW_MIN, WINDOW_MAX);
        let from = if wanted.rooms.len() < n_terms { before.saturating_sub(window) } else { 0 };
        let mut select = connection.prepare_cached(SELECT_FOUND)?;
        let mut rows = select.query(params![expression, integer(before), integer(from)])?;
        while let Some(row) = rows.next()? {
            if *budget == 0 {
                return Ok(Looked::Some);
            }
            let (room, doc, found) = (room_of(row.get(0)?), row.get(11)?, entry(row)?);
            let text = found.kind.text();
            *budget = budget.saturating_sub(text.len() + LOOK_BYTES);
            let is_wanted = !found.state.is_deleted && wanted.query.finds(found.author, text);
            *place = Place::Number(doc);
            if is_wanted && each(room, found).is_break() {
                return Ok(Looked::Some);
            }
        }
        before = from;
    }
    Ok(Looked::All)
}
