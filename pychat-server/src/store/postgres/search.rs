//! Searching: the database says which messages may be wanted, and each is looked at then. What is said
//! often is found among the newest messages, a few of which are looked at in a row; what is not is looked up
//! in the index of terms, all of it.

use std::{collections::VecDeque, fmt::Write, ops::ControlFlow};

use pychat_wire::search::Query;

use super::{
    history::{History, Question},
    records::{self, DOC, columns},
    rooms::room_id,
    row::Row,
    statement::Statement,
};
use crate::{
    core::{
        id::RoomId,
        record::{Entry, StorageError},
    },
    store::{
        Looked, Place, Wanted,
        search::{BEGIN_BYTES, LOOK_BYTES},
        sqlite::terms::wanted_terms,
    },
};

const SELECT_AMONG_NEWEST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM records WHERE kind = 0 AND terms @@ $1::text::tsquery AND $2 <= doc AND doc < $3 \
        ORDER BY doc DESC LIMIT $4"
);
/// The sum keeps the database from going through all messages by their numbers.
const SELECT_INDEXED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM records WHERE kind = 0 AND terms @@ $1::text::tsquery AND $2 <= doc + 0 AND doc + 0 < $3 \
        ORDER BY doc + 0 DESC LIMIT $4"
);
const SELECT_NEWEST: &str = "SELECT coalesce(max(doc), 0) + 1 FROM records WHERE kind = 0";
const SELECT_DOC: &str = "SELECT doc FROM records WHERE kind = 0 AND room = $1 AND seq = $2";

/// The messages that are looked at in a row.
const WINDOW: u64 = 1 << 12;

/// The most messages that are fetched at once.
const FOUND_MAX: u64 = 50;

/// The cost of one term in the expression, in bytes.
const TERM_BYTES: usize = 64;

/// The most terms in an expression: the database takes twice as many.
const TERMS_MAX: usize = 10_000;

/// The most pieces of searches that are at hand, and places.
const AT_HAND_MAX: usize = 32;

/// A question of a search.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Searched {
    /// The number behind a place.
    Place(Place),
    /// Messages.
    Messages(Messages),
}

/// Messages that have numbers from `from` on, before `before`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Messages {
    query: Query,
    rooms: Vec<RoomId>,
    from: u64,
    before: u64,
    is_indexed: bool,
}

/// The answers that searches have at hand.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The number behind a place; 0 if there is no such message.
    places: VecDeque<(Place, u64)>,
    pieces: VecDeque<(Messages, Vec<Row>)>,
}

impl Searched {
    pub(super) fn statement(&self) -> Statement {
        match self {
            Self::Place(Place::Message(room, seq)) => {
                Statement::new(SELECT_DOC, [room.0.into(), (*seq).into()])
            }
            Self::Place(_) => Statement::new(SELECT_NEWEST, []),
            Self::Messages(Messages { query, rooms, from, before, is_indexed }) => {
                let sql = if *is_indexed { SELECT_INDEXED } else { SELECT_AMONG_NEWEST };
                let (expression, _) = expression(query, rooms);
                let limits = [(*from).into(), (*before).into(), FOUND_MAX.into()];
                let values = [expression.as_str().into()].into_iter().chain(limits);
                Statement::new(sql, values.collect::<Vec<_>>())
            }
        }
    }
}

impl Found {
    pub(super) fn keep(&mut self, searched: &Searched, rows: Vec<Row>) -> Result<(), StorageError> {
        match searched {
            Searched::Place(place) => {
                let number: Option<u64> = rows.first().map(|row| row.get(0)).transpose()?;
                self.places.push_back((place.clone(), number.unwrap_or_default()));
                self.places.drain(..self.places.len().saturating_sub(AT_HAND_MAX));
            }
            Searched::Messages(messages) => {
                let mut messages = messages.clone();
                let is_cut = FOUND_MAX <= rows.len() as u64;
                match rows.last().filter(|_| is_cut) {
                    // There may be more behind the last one.
                    Some(last) => messages.from = last.get(DOC)?,
                    None => messages.is_indexed = true, // It is not said often.
                }
                self.pieces.push_back((messages, rows));
                self.pieces.drain(..self.pieces.len().saturating_sub(AT_HAND_MAX));
            }
        }
        Ok(())
    }

    pub(super) fn throw_away(&mut self, room: RoomId) {
        self.pieces.retain(|(messages, _)| !messages.rooms.contains(&room));
    }

    fn take_place(&mut self, place: &Place) -> Option<u64> {
        let index = self.places.iter().position(|(other, _)| other == place)?;
        self.places.remove(index).map(|(_, number)| number)
    }

    /// Returns the messages at hand before a number, and the number from which on those are all.
    fn piece(&self, wanted: &Wanted<'_>, number: u64) -> Option<(u64, &[Row])> {
        let has_it = |it: &Messages| it.from < number && number <= it.before;
        let mut pieces = self.pieces.iter().rev();
        let piece = pieces.find(|(messages, _)| messages.is_for(wanted) && has_it(messages));
        piece.map(|(messages, rows)| (messages.from, rows.as_slice()))
    }

    /// Returns the question for the messages before a number.
    fn next_question(&self, wanted: &Wanted<'_>, before: u64) -> Question {
        let ends_there = |it: &Messages| it.from == before && it.is_for(wanted);
        let last = self.pieces.iter().rev().find(|(messages, _)| ends_there(messages));
        let is_indexed = last.is_some_and(|(messages, _)| messages.is_indexed);
        let from = if is_indexed { 1 } else { before.saturating_sub(WINDOW).max(1) };
        let (query, rooms) = (wanted.query.clone(), wanted.rooms.to_vec());
        let messages = Messages { query, rooms, from, before, is_indexed };
        Question::Search(Searched::Messages(messages))
    }
}

impl History {
    /// Looks for messages from `place` on among what is at hand, until `each` breaks off or the budget is
    /// spent; what is not at hand is asked for.
    pub(super) fn search(
        &mut self,
        wanted: &Wanted<'_>,
        place: &mut Place,
        budget: &mut usize,
        each: &mut dyn FnMut(RoomId, Entry<'_>) -> ControlFlow<()>,
    ) -> Result<Looked, StorageError> {
        if wanted.query.is_empty() || wanted.rooms.is_empty() {
            return Ok(Looked::All);
        }
        let mut number = match &*place {
            Place::Number(number) => *number,
            other => {
                let Some(number) = self.found.take_place(other) else {
                    self.ask(Question::Search(Searched::Place(other.clone())))?;
                    return Ok(Looked::Later);
                };
                number
            }
        };
        while 1 < number {
            *place = Place::Number(number);
            if *budget == 0 {
                return Ok(Looked::Some);
            }
            let Some((from, rows)) = self.found.piece(wanted, number) else {
                let n_terms = terms_of(wanted.query).min(TERMS_MAX) * wanted.rooms.len();
                *budget = budget.saturating_sub(BEGIN_BYTES + TERM_BYTES * n_terms);
                let question = self.found.next_question(wanted, number);
                self.ask(question)?;
                return Ok(Looked::Later);
            };
            for row in rows {
                let (doc, room) = (row.get(DOC)?, room_id(row, 0)?);
                if number <= doc {
                    continue;
                }
                if *budget == 0 {
                    return Ok(Looked::Some);
                }
                let found = records::entry(row)?;
                let text = found.kind.text();
                *budget = budget.saturating_sub(text.len() + LOOK_BYTES);
                let is_wanted = !found.state.is_deleted && wanted.query.finds(found.author, text);
                *place = Place::Number(doc);
                if is_wanted && each(room, found).is_break() {
                    return Ok(Looked::Some);
                }
            }
            number = from;
        }
        Ok(Looked::All)
    }
}

impl Messages {
    fn is_for(&self, wanted: &Wanted<'_>) -> bool {
        self.query == *wanted.query && self.rooms == wanted.rooms
    }
}

fn terms_of(query: &Query) -> usize {
    query.words().count() + usize::from(query.author().is_some())
}

/// Returns what the index is asked for a query in these rooms: at least all that the query finds. Also
/// returns the number of terms in it.
fn expression(query: &Query, rooms: &[RoomId]) -> (String, usize) {
    let n_terms_max = (TERMS_MAX / rooms.len().max(1)).max(1);
    let (mut expression, mut n_terms) = (String::new(), 0);
    for room in rooms {
        expression.push_str(if expression.is_empty() { "(" } else { " | (" });
        for (index, (term, is_open)) in
            wanted_terms(query, *room, false).into_iter().take(n_terms_max).enumerate()
        {
            let and = if index == 0 { "" } else { " & " };
            let star = if is_open { ":*" } else { "" };
            // A text takes every write.
            let _ = write!(expression, "{and}'{term}'{star}");
            n_terms += 1;
        }
        expression.push(')');
    }
    (expression, n_terms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::id::HALL;

    #[test]
    fn a_query_reaches_the_index_in_quotes_alone() {
        for (query, from, expected) in [
            ("обед", None, "('0wобед':*)"),
            ("об", None, "('0pоб')"),
            ("о", None, "('0wо')"),
            ("a & ! | 'b' <-> c:d*", None, "('0wa' & '0wb' & '0wc' & '0wd')"),
            ("\"a b\"", Some("Ян '\\*"), "('0aян' & '0wa' & '0wb')"),
        ] {
            assert_eq!(expression(&Query::new(query, from), &[HALL]).0, expected, "{query}");
        }
        let of_two = expression(&Query::new("да", None), &[HALL, RoomId(3)]);
        assert_eq!(of_two, ("('0pда') | ('3pда')".to_owned(), 2));
    }

    #[test]
    fn an_expression_has_no_more_terms_than_the_database_takes() {
        let rooms: Vec<_> = (0..1_000).map(RoomId).collect();
        let query = Query::new("a b c d e f g h i j k l m n o p ", None);
        assert_eq!(expression(&query, &rooms).1, TERMS_MAX);
    }
}
