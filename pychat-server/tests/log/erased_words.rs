//! Words that were taken away, of which nothing may be left in the index or in any file.

use std::{
    fs,
    time::{Duration, Instant},
};

use pychat_server::{
    core::record::{Amending, Request},
    store::{OVER_KEPT, Retention, SqliteStore, Store},
};
use rusqlite::Connection;

use super::{
    amending::{amend, say},
    searching::{CLUB, NOW_MS, OTHER, find, settle, settle_from},
    shelf::{Shelf, at, carry_out},
};

/// A word that is nowhere else, and what stands of it wherever its beginning is left out.
const WORD: &str = "квазиперлюстрация";
const WORD_END: &str = "люстрация";

/// Returns the terms that the index has, as it is in the file.
pub(super) fn terms(shelf: &Shelf) -> Vec<String> {
    let connection = Connection::open(shelf.file()).unwrap();
    connection
        .execute_batch(
            "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab (main, search, row); \
            INSERT INTO search (search) VALUES ('integrity-check')",
        )
        .unwrap();
    let mut select = connection.prepare("SELECT term FROM temp.vocabulary ORDER BY term").unwrap();
    select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Returns true if these words are in any file of the store.
fn is_anywhere(shelf: &Shelf, words: &str) -> bool {
    let files = fs::read_dir(&shelf.place.directory).unwrap();
    files
        .map(|file| fs::read(file.unwrap().path()).unwrap())
        .any(|bytes| bytes.windows(words.len()).any(|window| window == words.as_bytes()))
}

pub(super) fn erase(target: u64, id: &str) -> Request {
    amend(CLUB, "Анна", (target, Amending::Delete), id, false)
}

/// Says the word, has `between` happen, takes the word away by `request`, and looks for it.
fn is_left_after(request: Request, between: impl Fn(&mut SqliteStore)) -> bool {
    let shelf = Shelf::new();
    let mut store = shelf.open();
    let other = "слова, которые остаются, и слово квазимодо";
    for number in 0..300 {
        say(&mut store, CLUB, "Борис", other, &number.to_string());
        if number == 150 {
            settle(&mut store);
        }
    }
    let seq = say(&mut store, CLUB, "Анна", &format!("Это {WORD}!"), "a").seq;
    assert_eq!(seq, 301);
    between(&mut store);
    assert!(is_anywhere(&shelf, WORD_END), "or nothing is shown by its absence");
    carry_out(&mut store, NOW_MS, [request]).unwrap();
    settle(&mut store);
    assert_eq!(find(&mut store, WORD, &[CLUB]), []);
    assert_eq!(find(&mut store, "квазимодо", &[CLUB]).len(), 300);
    let is_left = is_anywhere(&shelf, WORD_END);
    drop(store);
    assert!(!terms(&shelf).iter().any(|term| term.contains(WORD_END)));
    is_left || is_anywhere(&shelf, WORD_END)
}

#[test]
fn words_that_were_erased_are_in_no_file() {
    let edit = |words| amend(CLUB, "Анна", (301, Amending::Edit(Some(words))), "b", false);
    for request in [erase(301, "b"), edit("что-то другое"), edit("Это что-то!")]
    {
        assert!(!is_left_after(request.clone(), |store| settle(store)), "{request:?}");
        assert!(!is_left_after(request, |_| ()), "the index does not have it yet");
    }
}

#[test]
fn words_that_were_erased_while_the_index_lags_are_in_no_file() {
    let shelf = Shelf::new();
    let mut store = shelf.open();
    for number in 0..200 {
        say(&mut store, CLUB, "Борис", "другое", &number.to_string());
    }
    say(&mut store, CLUB, "Анна", WORD, "a");
    // One step alone: the index has some of them.
    store.maintain(&at(Instant::now(), NOW_MS));
    let killed = shelf.as_of_now();
    drop(store);
    for shelf in [&shelf, &killed] {
        let mut store = shelf.open();
        carry_out(&mut store, NOW_MS, [erase(201, "b")]).unwrap();
        settle(&mut store);
        assert_eq!(find(&mut store, "другое", &[CLUB]).len(), 200, "it has caught up");
        assert!(!is_anywhere(shelf, WORD_END));
    }
}

#[test]
fn what_is_forgotten_leaves_the_index() {
    let shelf = Shelf::new();
    let mut store =
        shelf.try_open(Retention { messages_max: 5, ..Retention::default() }, 1).unwrap();
    for number in 0..20 {
        say(&mut store, CLUB, "Анна", &format!("слово{number} обед"), &number.to_string());
    }
    settle(&mut store);
    assert_eq!(find(&mut store, "обед", &[CLUB]).len(), 5);
    carry_out(&mut store, NOW_MS, [Request::EndRoom(CLUB)]).unwrap();
    let begin = Instant::now();
    store.maintain(&at(begin, NOW_MS));
    assert_eq!(find(&mut store, "обед", &[CLUB]).len(), 5, "for an hour");
    let later = begin + OVER_KEPT + Duration::from_mins(5);
    settle_from(&mut store, later);
    assert_eq!(find(&mut store, "обед", &[CLUB]), []);
    // The number of the last document is free again, and what it had is not found by it.
    say(&mut store, OTHER, "Анна", "новое", "x");
    settle_from(&mut store, later + Duration::from_mins(5));
    assert_eq!(find(&mut store, "новое", &[OTHER]), [(OTHER, 1)]);
    drop(store);
    assert_eq!(terms(&shelf), ["4aанна", "4pно", "4pнов", "4wновое"]);
    assert!(!is_anywhere(&shelf, "слово7"));
}
