//! The searches that somebody makes over one connection, and what they must find.

use std::collections::{BTreeMap, BTreeSet};

use pychat_wire::{
    message::{ErrorCode, SEARCH_LIMIT_MAX, Search},
    search::Query,
};

use super::{Oracle, claims::Claim, room_hearing::RoomHearing};

/// The most searches that one connection may wait for the ends of.
const SEARCHES_MAX: usize = 4;

/// The rooms that somebody is in, by their ids.
type Rooms = BTreeMap<String, RoomHearing>;

/// The searches of one connection whose ends are still to come, by their references.
#[derive(Debug, Default)]
pub(super) struct Searches(BTreeMap<String, Open>);

/// One search.
#[derive(Debug)]
struct Open {
    query: Query,
    /// The only room that it may find something in.
    room: Option<String>,
    /// The message before which it begins: its room and number.
    before: Option<(String, u64)>,
    /// The most messages that it may find.
    limit: u64,
    /// The last number that was known of each room that is searched and was not left since.
    known: BTreeMap<String, u64>,
    /// The messages that it found: their rooms, numbers and times.
    found: Vec<(String, u64, u64)>,
}

impl Searches {
    /// Somebody who is in these `rooms` searches.
    pub(super) fn ask(&mut self, search: &Search<'_>, rooms: &Rooms) {
        let room = search.room.as_deref().map(ToOwned::to_owned);
        let is_searched = |id: &str| room.as_ref().is_none_or(|room| room == id);
        let known = rooms.iter().filter(|(id, _)| is_searched(id));
        let open = Open {
            query: Query::new(&search.query, search.from.as_deref()),
            known: known.map(|(id, hearing)| (id.clone(), hearing.known())).collect(),
            room,
            before: search.before.as_deref().map(place),
            limit: search.limit.clamp(1, SEARCH_LIMIT_MAX),
            found: Vec::new(),
        };
        let reference = search.reference.to_string();
        assert!(self.0.insert(reference, open).is_none(), "each search has its own reference");
    }

    /// Somebody is in a room no more.
    pub(super) fn leave(&mut self, room: &str) {
        for open in self.0.values_mut() {
            open.known.remove(room);
        }
    }

    /// Returns how many are waited for.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// A search finds a message of a room: one that was asked for, and is older than the last one.
    pub(super) fn find(
        &mut self,
        reference: &str,
        (room, seq, time): (&str, u64, u64),
        (author, words): (&str, &str),
    ) {
        let open = self.0.get_mut(reference).expect("a search that was made");
        let Open { query, room: only, before, limit, found, .. } = open;
        assert!(only.as_deref().is_none_or(|only| only == room), "found in {room:?}: {only:?}");
        assert!(query.finds(author, words), "{words:?} of {author} is found by {query:?}");
        if let Some((begin, before)) = before {
            assert!(begin != room || seq < *before, "{seq} is not before {before} of {room:?}");
        }
        assert!(found.last().is_none_or(|(_, _, last)| time <= *last), "{time} after {found:?}");
        let mut others = found.iter().rev().filter(|(other, ..)| other == room);
        assert!(others.next().is_none_or(|(_, last, _)| seq < *last), "{seq} after {found:?}");
        found.push((room.to_owned(), seq, time));
        assert!(found.len() as u64 <= *limit, "more than {limit} are found");
    }

    /// A search has ended; all that was known and is older than its beginning, but not older than the
    /// message of the cursor, if it bears one, was found. Returns true if it bears one.
    pub(super) fn end(
        &mut self,
        reference: &str,
        cursor: Option<&str>,
        oracle: &mut Oracle,
    ) -> bool {
        let Open { query, before, known, found, .. } =
            self.0.remove(reference).expect("a search that was made");
        let end = cursor.map(place);
        let last = found.last().map(|(room, seq, _)| (room.clone(), *seq));
        assert!(end.is_none() || end == last, "{end:?} is not where {found:?} ends");
        let found: BTreeSet<_> = found.into_iter().map(|(room, seq, _)| (room, seq)).collect();
        let is_more = end.is_some();
        oracle.note(Claim::Found { query, known, before, end, found });
        is_more
    }

    /// A search is refused; returns false if it is none.
    pub(super) fn refuse(&mut self, reference: &str, code: ErrorCode) -> bool {
        let n_open = self.0.len();
        let Some(open) = self.0.remove(reference) else { return false };
        let Open { room, before, known, .. } = open;
        let is_meant = match code {
            ErrorCode::NoRoom | ErrorCode::Forbidden => {
                room.as_ref().is_some_and(|room| !known.contains_key(room))
            }
            ErrorCode::NoMessage => before.is_some(),
            ErrorCode::SlowDown => SEARCHES_MAX < n_open,
            ErrorCode::NotDone => true, // The server has started anew.
            _ => false,
        };
        assert!(is_meant, "a search in {room:?} before {before:?} is refused: {code:?}");
        true
    }
}

/// Reads a cursor: the room and the number of a message.
fn place(cursor: &str) -> (String, u64) {
    let (seq, room) = cursor.split_once('.').expect("a number and a room");
    (room.to_owned(), seq.parse().expect("a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::kit::room_log::{Copy, Message};

    /// Has somebody search the hall, of which they know these texts, and find these numbers of it.
    fn search(query: &str, limit: u64, texts: &[&str], found: &[u64], cursor: Option<&str>) {
        let mut oracle = Oracle::default();
        for (seq, text) in (1..).zip(texts) {
            oracle.say(text);
            oracle.check("", seq, &Message::text(seq, "a", text), Copy::Live);
        }
        let last = texts.len() as u64;
        let hearing = RoomHearing::new("", "a", last, None, &oracle);
        let mut searches = Searches::default();
        let asked = Search {
            reference: "s".into(),
            query: query.into(),
            room: None,
            from: None,
            before: None,
            limit,
        };
        searches.ask(&asked, &BTreeMap::from([(String::new(), hearing)]));
        for seq in found {
            let index = usize::try_from(seq - 1).expect("a small number");
            searches.find("s", ("", *seq, *seq), ("a", texts[index]));
        }
        searches.end("s", cursor, &mut oracle);
        oracle.check_whole(|_| 0);
    }

    const TEXTS: [&str; 4] = ["tea", "no tea", "coffee", "tea now"];

    #[test]
    fn all_that_was_said_is_found_newest_first() {
        search("tea", 9, &TEXTS, &[4, 2, 1], None);
        search("tea", 2, &TEXTS, &[4, 2], Some("2."));
        search("milk", 9, &TEXTS, &[], None);
    }

    #[test]
    #[should_panic(expected = "is not found")]
    fn what_was_said_is_not_passed_over() {
        search("tea", 9, &TEXTS, &[4, 1], None);
    }

    #[test]
    #[should_panic(expected = "2 after")]
    fn nothing_is_found_twice() {
        search("tea", 9, &TEXTS, &[4, 2, 2], None);
    }

    #[test]
    #[should_panic(expected = "4 after")]
    fn the_newest_comes_first() {
        search("tea", 9, &TEXTS, &[2, 4], None);
    }

    #[test]
    #[should_panic(expected = "is found by")]
    fn what_has_other_words_is_not_found() {
        search("tea", 9, &TEXTS, &[4, 3], None);
    }

    #[test]
    #[should_panic(expected = "is not where")]
    fn a_cursor_is_where_it_ended() {
        search("tea", 2, &TEXTS, &[4, 2], Some("1."));
    }
}
