//! Everything is as it was after two moves.

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use pychat_server::{
    core::{
        id::{HALL, RoomId},
        time::Time,
    },
    store::{Looked, Place, Store, Wanted},
};
use pychat_wire::search::Query;

use crate::{
    database::Postgres,
    shelf::{EPOCH, Shelf, done, refused},
};

/// Has a store do what can wait.
fn settle(store: &mut dyn Store) {
    let begin = Instant::now();
    for seconds in 0..60 {
        let now = begin + Duration::from_secs(seconds);
        // By this clock, nothing is old.
        store.maintain(&Time { now, utc_ms: 2_000, trusted_at: now });
    }
}

/// Returns what a query finds in all rooms.
fn find(store: &mut dyn Store, query: &str) -> Vec<(RoomId, u64)> {
    let (query, rooms) = (Query::new(query, None), [0, 1, 2, 3, 4, 6].map(RoomId));
    let (mut found, mut place, mut budget) = (Vec::new(), Place::Newest, usize::MAX);
    let wanted = Wanted { query: &query, rooms: &rooms };
    let looked = store.search(&wanted, &mut place, &mut budget, &mut |room, entry| {
        found.push((room, entry.seq));
        ControlFlow::Continue(())
    });
    assert_eq!(looked, Ok(Looked::All));
    found
}

const QUERIES: [&str; 5] = ["обед", "об", "внутри", "исправлено", "грубость"];

#[test]
fn everything_is_as_it_was_after_it_was_moved_into_a_database_and_back() {
    let Some(server) = Postgres::start("") else { return };
    let (shelf, back) = (Shelf::filled(), Shelf::new());
    // The index has all of it but what was said last.
    settle(&mut shelf.open());
    shelf.change(
        "INSERT INTO records (key, time_ms, author, content, id, person, begin_bytes, kind)
            VALUES (12, 1011, 'Анна', 'обед был', 'a9', 1, 1700, 0);",
    );
    let rows = shelf.rows();
    assert!(11 < rows.lines().filter(|line| line.starts_with("records")).count());

    let uri = server.uri();
    let words = done(&["migrate", "--from", &shelf.place(), "--to", &uri]);
    let expected = format!(
        "Moved 18 records of 5 rooms and 3 people from {} into the database \"postgres\" at {}.",
        shelf.path().display(),
        format_args!("{}:{}", server.folder().display(), server.port()),
    );
    assert_eq!(words, expected);
    assert_eq!(server.sql("SELECT epoch FROM pychat.meta"), EPOCH);
    // Messages are found, and stand in the order in which they were said.
    let found = "SELECT string_agg(room || '/' || seq, ' ' ORDER BY doc) FROM pychat.records \
        WHERE kind = 0 AND terms @@ '''0wобед'' | ''1wобед'''::tsquery";
    assert_eq!(server.sql(found), "0/3 1/2 0/12");
    let erased = "SELECT count(*) FROM pychat.records WHERE kind = 0 AND terms IS NULL";
    assert_eq!(server.sql(erased), "2");

    let words = done(&["migrate", "--from", &uri, "--to", &back.place()]);
    let end = format!("into {}.", back.path().display());
    assert!(words.starts_with("Moved 18 records of 5 rooms and 3 people") && words.ends_with(&end));
    assert_eq!(back.rows(), rows);
    assert_eq!(back.epoch(), EPOCH);

    let mut store = back.open();
    assert_eq!(store.epoch(), EPOCH);
    let found: Vec<_> = QUERIES.into_iter().map(|query| find(&mut store, query)).collect();
    assert_eq!(found[0], [(HALL, 12), (RoomId(1), 2), (HALL, 3)], "nothing waits for the index");
    assert_eq!((store.first_seq(HALL), store.last_seq(HALL)), (3, 12));
    assert_eq!(store.last_seq(RoomId(5)), 7, "numbers go on after nothing is left");
    assert_eq!(store.last_room(), RoomId(6));
    let mut old = shelf.open();
    settle(&mut old);
    assert_eq!(found, QUERIES.map(|query| find(&mut old, query)));
    drop(old);
    assert_ne!(shelf.epoch(), EPOCH, "what is said there now is not what was moved");
    assert_eq!(server.sql("SELECT origin FROM pychat.meta"), "moved");
}

#[test]
fn what_lost_its_end_gets_another_name_when_it_is_moved() {
    let Some(server) = Postgres::start("") else { return };
    let shelf = Shelf::filled();
    shelf.change("UPDATE meta SET unsynced_boot = 'another', is_open = TRUE");
    done(&["migrate", "--from", &shelf.place(), "--to", &server.uri()]);
    let epoch = server.sql("SELECT epoch FROM pychat.meta");
    assert!(epoch.len() == 32 && epoch != EPOCH, "{epoch}");

    server.sql("UPDATE pychat.meta SET origin = 'another'");
    let back = Shelf::new();
    done(&["migrate", "--from", &server.uri(), "--to", &back.place()]);
    assert!(![EPOCH, &epoch].contains(&&*back.epoch()));
}

#[test]
fn a_place_that_holds_messages_is_left_alone_unless_they_are_put_aside() {
    let Some(server) = Postgres::start("") else { return };
    let (shelf, other) = (Shelf::filled(), Shelf::filled());
    let (from, uri) = (shelf.place(), server.uri());
    done(&["migrate", "--from", &from, "--to", &uri]);
    let before = server.sql("SELECT * FROM pychat.meta");
    let words = refused(1, &["migrate", "--from", &other.place(), "--to", &uri]);
    assert!(words.contains("holds messages already; name one that is empty, or give --replace"));
    assert_eq!(server.sql("SELECT * FROM pychat.meta"), before);
    assert_eq!(other.epoch(), EPOCH);
    let words = done(&["migrate", "--replace", "--from", &other.place(), "--to", &uri]);
    let schema = words.split("The old ones are in the schema ").nth(1).unwrap();
    let schema = schema.trim_end_matches('.');
    assert_eq!(server.sql(&format!("SELECT count(*) FROM {schema}.records")), "17");

    let rows = other.rows();
    let words = refused(1, &["migrate", "--from", &uri, "--to", &from]);
    assert!(words.ends_with("holds messages already; --replace puts them aside"), "{words}");
    let words = done(&["migrate", "--replace", "--from", &uri, "--to", &from]);
    assert!(words.contains("The old ones are in "), "{words}");
    assert_eq!(shelf.rows(), rows);
}
