//! Searching: what is found, and in what order.

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use fastrand::Rng;
use pychat_server::{
    core::{
        id::{HALL, RoomId},
        record::{Amending, Request},
    },
    store::{Looked, Memory, Place, Retention, Store, Wanted},
};
use pychat_wire::search::Query;

use super::{
    amending::{amend, say},
    erased_words::{erase, terms},
    patient::Database,
    shelf::{EPOCH, Shelf, at, carry_out, draft, stores, to},
};

pub(super) const CLUB: RoomId = RoomId(3);
pub(super) const OTHER: RoomId = RoomId(4);
pub(super) const NOW_MS: u64 = 1_700_000_000_000;

/// Has a store do what can wait, until there is nothing more.
pub(super) fn settle(store: &mut dyn Store) {
    settle_from(store, Instant::now());
}

/// The same from a time on, which never goes back.
pub(super) fn settle_from(store: &mut dyn Store, begin: Instant) {
    for seconds in 0..60 {
        store.maintain(&at(begin + Duration::from_secs(seconds), NOW_MS));
    }
}

/// Returns what a query finds in these rooms, by many small pieces of work.
pub(super) fn find(store: &mut dyn Store, query: &str, rooms: &[RoomId]) -> Vec<(RoomId, u64)> {
    find_of(store, &Query::new(query, None), rooms)
}

fn find_of(store: &mut dyn Store, query: &Query, rooms: &[RoomId]) -> Vec<(RoomId, u64)> {
    let (mut found, mut place) = (Vec::new(), Place::Newest);
    loop {
        let mut budget = 3_000;
        let wanted = Wanted { query, rooms };
        let looked = store.search(&wanted, &mut place, &mut budget, &mut |room, entry| {
            assert!(query.finds(entry.author, entry.kind.text()) && !entry.state.is_deleted);
            found.push((room, entry.seq));
            if entry.seq.is_multiple_of(3) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        match looked.unwrap() {
            Looked::All => return found,
            Looked::Some => (),
            Looked::Later => panic!("it is all here"),
        }
    }
}

fn memory() -> Memory {
    Memory::new(u128::from_str_radix(EPOCH, 16).unwrap(), Retention::default())
}

#[test]
fn messages_are_found_by_words_and_author_newest_first() {
    let shelf = Shelf::new();
    for mut store in stores(&shelf, Retention::default()) {
        let store = &mut *store;
        say(store, CLUB, "Анна", "Ёлка в час", "1");
        say(store, HALL, "Борис", "где ёлка?", "2");
        say(store, OTHER, "Анна", "елки нет", "3");
        say(store, CLUB, "Борис", "час пик", "4");
        settle(store);
        let rooms = [HALL, CLUB, OTHER];
        let two = [HALL, CLUB];
        let mut found = find(store, "елка", &two);
        found.sort_unstable();
        assert_eq!(found, [(HALL, 1), (CLUB, 1)]);
        assert_eq!(find(store, "елк*", &[OTHER]), [(OTHER, 1)]);
        assert_eq!(find(store, "час", &two), [(CLUB, 2), (CLUB, 1)]);
        assert_eq!(find(store, "\"в час\"", &rooms), [(CLUB, 1)]);
        assert_eq!(find(store, "час", &[HALL]), []);
        assert_eq!(find(store, "час", &[]), []);
        assert_eq!(find(store, "", &rooms), []);
        let by = |words, from| Query::new(words, Some(from));
        assert_eq!(find_of(store, &by("", "борис"), &two).len(), 2);
        assert_eq!(find_of(store, &by("час", "Борис"), &rooms), [(CLUB, 2)]);
        assert_eq!(find_of(store, &by("час", "Вера"), &rooms), []);
    }
}

/// A message, a change of one, or the end of one, by chance.
fn act(rng: &mut Rng, words: &[&str], number: usize, lens: &mut [u64; 2]) -> Request {
    let which = rng.usize(..2);
    let (room, author) = ([CLUB, OTHER][which], ["Анна", "Борис"][rng.usize(..2)]);
    let text: Vec<_> = (0..rng.usize(..8)).map(|_| words[rng.usize(..words.len())]).collect();
    let (text, id) = (text.join([" ", ", ", "-"][rng.usize(..3)]), number.to_string());
    lens[which] += 1;
    match rng.u32(..10) {
        target @ ..2 if 1 < lens[which] => {
            let seq = rng.u64(1..lens[which]);
            let amending =
                if target == 0 { Amending::Delete } else { Amending::Edit(Some(text.as_str())) };
            amend(room, author, (seq, amending), &id, true)
        }
        _ => to(room, draft(author, &text, Some(&id))),
    }
}

#[test]
fn all_stores_find_the_same() {
    let words = [
        "да",
        "нет",
        "Ёлка",
        "елка",
        "елки",
        "обед",
        "обеды",
        "обедать",
        "час",
        "Café",
        "cafe",
        "x",
        "приватизация",
        "приват",
        "don't",
        "3.14",
        "🙂",
        "OR",
    ];
    for seed in 0..3 {
        let (mut rng, shelf, database) = (Rng::with_seed(seed), Shelf::new(), Database::new());
        let (mut kept, mut memory) = (shelf.open(), memory());
        let mut database = database.map(|database| database.open());
        let mut lens = [0, 0];
        for number in 0..400 {
            let request = act(&mut rng, &words, number, &mut lens);
            let utc_ms = NOW_MS + number as u64;
            let outcomes = [&mut kept as &mut dyn Store, &mut memory]
                .map(|store| carry_out(store, utc_ms, [request.clone()]).unwrap().remove(0));
            assert_eq!(outcomes[0], outcomes[1]);
            if let Some(database) = &mut database {
                assert_eq!(carry_out(database, utc_ms, [request]).unwrap(), [outcomes[0].clone()]);
            }
            lens = [CLUB, OTHER].map(|room| kept.last_seq(room));
            if rng.u32(..40) == 0 {
                settle(&mut kept);
            }
            if rng.u32(..100) == 0 {
                drop(kept);
                kept = shelf.open();
            }
        }
        settle(&mut kept);
        for _ in 0..200 {
            let n_words = rng.usize(..4);
            let query: Vec<_> = (0..n_words).map(|_| words[rng.usize(..words.len())]).collect();
            let mut query = query.join(" ");
            match rng.u32(..4) {
                0 => query = format!("\"{query}\""),
                1 => drop(query.pop()),
                2 => query.push('*'),
                _ => (),
            }
            let from = [None, Some("анна"), Some("Борис")][rng.usize(..3)];
            let rooms = [&[CLUB][..], &[OTHER], &[CLUB, OTHER], &[HALL, CLUB]][rng.usize(..4)];
            let wanted = Query::new(&query, from);
            let found = find_of(&mut kept, &wanted, rooms);
            assert_eq!(found, find_of(&mut memory, &wanted, rooms), "{seed}: {query:?} {from:?}");
            if let Some(database) = &mut database {
                let in_database = find_of(database, &wanted, rooms);
                assert_eq!(found, in_database, "{seed}: {query:?} {from:?}");
            }
        }
    }
}

#[test]
fn more_than_is_taken_from_the_index_at_once_is_found_in_order() {
    let (shelf, mut rng) = (Shelf::new(), Rng::with_seed(1));
    let (mut kept, mut memory) = (shelf.open(), memory());
    let rooms: Vec<_> = (1..=40).map(RoomId).collect();
    // Most words begin like the rare one, so the index is asked for that once many others were seen.
    let words = ["привет", "привычка", "привет снова", "нет"];
    for number in 0..1_500 {
        let room = rooms[rng.usize(..rooms.len()).min(rng.usize(..rooms.len()))];
        let rare = if number % 500 == 7 { " приватно" } else { "" };
        let text = format!("{}{rare}", words[rng.usize(..words.len())]);
        let request = to(room, draft("Анна", &text, Some(&number.to_string())));
        for store in [&mut kept as &mut dyn Store, &mut memory] {
            carry_out(store, NOW_MS + number, [request.clone()]).unwrap();
        }
    }
    settle(&mut kept);
    for (query, rooms, n_found) in [
        ("прива", &rooms[..], Some(3)),
        ("приватно привет", &rooms, None),
        ("снова прив", &rooms, None),
        ("\"привет снова", &rooms, None),
        ("прив", &rooms, None),
        ("привет", &rooms[3..30], None),
        ("нетакого", &rooms, Some(0)),
    ] {
        let found = find(&mut kept, query, rooms);
        assert_eq!(found, find(&mut memory, query, rooms), "{query}");
        assert!(n_found.is_none_or(|n_found| n_found == found.len()), "{query}: {found:?}");
    }
}

#[test]
fn a_room_that_is_left_in_the_course_of_a_search_is_found_no_more() {
    let shelf = Shelf::new();
    let mut store = shelf.open();
    for number in 0..20 {
        let room = if number % 2 == 0 { CLUB } else { OTHER };
        let request = to(room, draft("Анна", "обед", Some(&number.to_string())));
        carry_out(&mut store, NOW_MS + number, [request]).unwrap();
    }
    settle(&mut store);
    let query = Query::new("обед", None);
    let (mut place, mut found) = (Place::Newest, Vec::new());
    for rooms in [&[CLUB, OTHER][..], &[OTHER]] {
        let wanted = Wanted { query: &query, rooms };
        let mut budget = usize::MAX;
        let looked = store.search(&wanted, &mut place, &mut budget, &mut |room, _| {
            found.push(room);
            if found.len() == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        looked.unwrap();
    }
    assert_eq!(found[..4], [OTHER, CLUB, OTHER, CLUB]);
    assert_eq!(found[4..], [OTHER; 8]);
}

#[test]
fn a_search_goes_on_before_a_message() {
    let shelf = Shelf::new();
    for mut store in stores(&shelf, Retention::default()) {
        let store = &mut *store;
        for number in 1..=9 {
            let request = to(CLUB, draft("Анна", "обед", Some(&number.to_string())));
            carry_out(store, NOW_MS + number, [request]).unwrap();
        }
        carry_out(store, NOW_MS + 20, [erase(5, "e")]).unwrap();
        settle(store);
        let query = Query::new("обед", None);
        let wanted = Wanted { query: &query, rooms: &[CLUB] };
        let mut before = |seq, room| {
            let (mut place, mut budget, mut found) =
                (Place::Message(room, seq), 1 << 20, Vec::new());
            let looked = store.search(&wanted, &mut place, &mut budget, &mut |_, entry| {
                found.push(entry.seq);
                ControlFlow::Continue(())
            });
            assert_eq!(looked, Ok(Looked::All));
            found
        };
        assert_eq!(before(7, CLUB), [6, 4, 3, 2, 1]);
        assert_eq!(before(5, CLUB), [4, 3, 2, 1], "though it is deleted by now");
        assert_eq!(before(1, CLUB), [0_u64; 0]);
        assert_eq!(before(99, CLUB), [0_u64; 0]);
        assert_eq!(before(5, OTHER), [0_u64; 0]);
    }
}

#[test]
fn what_is_shown_now_is_what_is_found() {
    let shelf = Shelf::new();
    for mut store in stores(&shelf, Retention::default()) {
        let store = &mut *store;
        say(store, CLUB, "Анна", "завтра обед", "1");
        settle(store);
        let edit = amend(CLUB, "Анна", (1, Amending::Edit(Some("завтра ужин"))), "2", false);
        carry_out(store, NOW_MS, [edit]).unwrap();
        let rooms = &[CLUB];
        assert_eq!(find(store, "обед", rooms), []);
        assert_eq!(find(store, "ужин", rooms), [(CLUB, 1)]);
        assert_eq!(find(store, "завтра", rooms), [(CLUB, 1)]);
        let remove = amend(CLUB, "Борис", (1, Amending::Delete), "3", true);
        carry_out(store, NOW_MS, [remove]).unwrap();
        assert_eq!(find(store, "завтра", rooms), []);
        let restore = amend(CLUB, "Борис", (1, Amending::Restore(None)), "4", true);
        carry_out(store, NOW_MS, [restore]).unwrap();
        assert_eq!(find(store, "ужин", rooms), [(CLUB, 1)]);
        carry_out(store, NOW_MS, [erase(1, "5")]).unwrap();
        settle(store);
        assert_eq!(find(store, "ужин", rooms), []);
    }
    assert_eq!(terms(&shelf), [""; 0], "not even the author's");
}
