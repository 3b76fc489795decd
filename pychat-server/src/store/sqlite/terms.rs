//! Terms: what the index knows of a message. Each begins with the number of its room, so that what is
//! said in other rooms neither costs a search anything nor shows in how long it takes.
//!
//! | term | message |
//! |---|---|
//! | `7wlunch` | of room 7 that has the word `lunch` |
//! | `7plun` | of room 7 that has a word which begins with `lun` |
//! | `7aanna` | of room 7 by `Anna` |

use std::{collections::BTreeSet, fmt::Write};

use pychat_wire::search::{BEGINNING_CHARS_MIN, Query, folded_name, words};

use crate::core::id::RoomId;

/// The beginnings of words that are terms have so many characters; what is longer is looked up among
/// the words.
const BEGINNINGS: [usize; 2] = [BEGINNING_CHARS_MIN, BEGINNING_CHARS_MIN + 1];

/// Returns the terms of a message.
pub(in crate::store) fn terms(room: RoomId, author: &str, text: &str) -> BTreeSet<String> {
    let mut terms = BTreeSet::from([author_term(room, &folded_name(author))]);
    for word in words(text) {
        for n_chars in BEGINNINGS {
            if let Some(beginning) = beginning(&word, n_chars) {
                terms.insert(format!("{}p{beginning}", room.0));
            }
        }
        terms.insert(format!("{}w{word}", room.0));
    }
    terms
}

/// Returns terms as one text, which the index cuts at the spaces.
pub(in crate::store) fn joined<'a>(terms: impl IntoIterator<Item = &'a String>) -> String {
    let mut joined = String::new();
    for term in terms {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(term);
    }
    joined
}

/// Returns what the index is asked for a query in these rooms: at least all that the query finds, or much more
/// if `is_rough`, as [`wanted_terms`] says.
pub(super) fn expression(query: &Query, rooms: &[RoomId], is_rough: bool) -> String {
    let mut expression = String::new();
    for room in rooms {
        let separator = if expression.is_empty() { "(" } else { " OR (" };
        expression.push_str(separator);
        for (index, (term, is_open)) in wanted_terms(query, *room, is_rough).into_iter().enumerate()
        {
            let and = if index == 0 { "" } else { " AND " };
            let star = if is_open { " *" } else { "" };
            // A text takes every write.
            let _ = write!(expression, "{and}\"{term}\"{star}");
        }
        expression.push(')');
    }
    expression
}

/// Returns the terms that a message of a room has to have to be found by a query, each with true where it
/// need only be how one of the message begins. If `is_rough`, only the first letters are asked for of a word
/// that need only be how one begins: FTS5 takes together all words with a beginning before it gives the
/// first message, where it finds those with a term one by one.
pub(in crate::store) fn wanted_terms(
    query: &Query,
    room: RoomId,
    is_rough: bool,
) -> Vec<(String, bool)> {
    let author = query.author().map(|author| (author_term(room, author), false));
    let wanted: BTreeSet<_> = query.words().collect();
    let words = wanted.into_iter().map(|(word, is_open)| {
        let mut beginnings = BEGINNINGS.iter().rev().filter(|_| is_open);
        match beginnings.find_map(|n_chars| beginning(word, *n_chars)) {
            Some(longest) if is_rough || longest.len() == word.len() => {
                (format!("{}p{longest}", room.0), false)
            }
            _ => (format!("{}w{word}", room.0), is_open),
        }
    });
    author.into_iter().chain(words).collect()
}

/// Returns the term of an author, of whose name only what is part of a term counts.
fn author_term(room: RoomId, folded: &str) -> String {
    let is_part = |character: &char| character.is_ascii_alphanumeric() || !character.is_ascii();
    let name: String = folded.chars().filter(is_part).collect();
    format!("{}a{name}", room.0)
}

/// Returns the first characters of a word that has as many.
fn beginning(word: &str, n_chars: usize) -> Option<&str> {
    let (end, last) = word.char_indices().nth(n_chars - 1)?;
    Some(&word[..end + last.len_utf8()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::id::HALL;

    #[test]
    fn a_message_has_terms_of_its_room() {
        let terms = terms(RoomId(7), "Анна (2)", "Да, обед да");
        let expected = ["7aанна2", "7pда", "7pоб", "7pобе", "7wда", "7wобед"];
        assert_eq!(terms.iter().map(String::as_str).collect::<Vec<_>>(), expected);
        assert_eq!(joined(&terms), expected.join(" "));
    }

    #[test]
    fn a_query_reaches_the_index_in_quotes_alone() {
        for (query, from, expected) in [
            ("обед", None, r#"("0wобед" *)"#),
            ("обед ", None, r#"("0wобед" *)"#),
            ("об", None, r#"("0pоб")"#),
            ("обе", None, r#"("0pобе")"#),
            ("о", None, r#"("0wо")"#),
            ("a NEAR(b) ^c:d*", None, r#"("0wa" AND "0wb" AND "0wc" AND "0wd" AND "0wnear")"#),
            ("\"a b\"", Some("Ян \"*"), r#"("0aян" AND "0wa" AND "0wb")"#),
        ] {
            let query = Query::new(query, from);
            assert_eq!(expression(&query, &[HALL], false), expected, "{query:?}");
        }
        let of = |words: &str, rooms: &[RoomId]| expression(&Query::new(words, None), rooms, true);
        assert_eq!(of("да", &[HALL, RoomId(3)]), r#"("0pда") OR ("3pда")"#);
        assert_eq!(of("обед обед", &[HALL]), r#"("0wобед" AND "0pобе")"#);
        assert_eq!(of("о", &[HALL]), r#"("0wо")"#);
        assert_eq!(of("да", &[]), "");
    }
}
