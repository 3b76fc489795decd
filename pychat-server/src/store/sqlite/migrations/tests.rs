use std::{
    fs,
    ops::ControlFlow,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use pychat_wire::{UserName, search::Query};

use super::{
    super::{Durability, FILE_NAME, Place, SqliteStore, rows, schema::check_origin},
    *,
};
use crate::{
    core::{
        id::{HALL, RoomId, Ticket},
        record::{Appended, Draft, Kind, OwnedName, Person, PersonId, Request, Stored},
        time::Time,
    },
    store::{Answer, Place as SearchPlace, Records, Retention, Store, Wanted},
};

/// Begins a file of a version, in a folder of its own.
fn begin(version: usize) -> (Connection, Place) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("pychat-version-{}-{number}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    fs::create_dir_all(&directory).unwrap();
    let connection = Connection::open(directory.join(FILE_NAME)).unwrap();
    migrate(&connection, &MIGRATIONS[..version]).unwrap();
    (connection, Place { directory, durability: Durability::Process, program: None })
}

#[test]
fn the_log_of_before_is_that_of_the_hall() {
    let (connection, place) = begin(10);
    let rows = "INSERT INTO meta (only, epoch, trimmed_seq, trimmed_ms) \
            VALUES (1, '000000000000000000000000000000ef', 4, 50); \
        INSERT INTO messages (seq, time_ms, author, content, id, person, begin_bytes) \
            VALUES (5, 60, 'Анна', 'hi', 'a-1', 7, 400), (6, 70, 'Борис', 'old', NULL, NULL, 502)";
    connection.execute_batch(rows).unwrap();
    drop(connection);
    let retention = Retention { messages_max: 2, ..Retention::default() };
    let mut kept = SqliteStore::open(&place, retention, 0xab).unwrap();
    assert_eq!(kept.epoch(), "000000000000000000000000000000ef");
    assert_eq!((kept.first_seq(HALL), kept.last_seq(HALL), kept.logs.bytes()), (5, 6, 205));
    let mut say = |room, words: &str| {
        let draft = Draft {
            author: UserName::new("Анна").unwrap(),
            person: Some(PersonId(7)),
            kind: Kind::Text(words.into()),
            id: Some("a-1".into()),
            reply: None,
        };
        let now = Instant::now();
        let mut batch = vec![(Ticket(1), Request::Append { room, draft, change: None })];
        let mut answers = Vec::new();
        kept.submit(now, 65, &mut batch);
        kept.poll(now, &mut answers);
        match answers.remove(0) {
            Answer::Done { outcome: Ok(Stored::Appended(appended)), .. } => appended,
            other => panic!("{other:?}"),
        }
    };
    let known = say(HALL, "hi");
    let Appended::Known(record) = &known else { panic!("{known:?}") };
    assert_eq!((record.room, record.seq, record.time_ms), (HALL, 5, 60));
    assert!(matches!(say(RoomId(1), "hi"), Appended::Conflict { .. }));
    assert!(matches!(say(HALL, "other"), Appended::Conflict { .. }));
    drop(kept);
    fs::remove_dir_all(place.directory).unwrap();
}

#[test]
fn a_file_of_any_version_is_opened_and_keeps_what_it_has() {
    for version in 1..11 {
        let (connection, place) = begin(version);
        let insert = "INSERT INTO messages (seq, time_ms, author, content, id) VALUES \
            (1, 5, 'Анна', 'hi', 'a-1'), (2, 6, 'Борис', 'old', NULL)";
        connection.execute(insert, []).unwrap();
        drop(connection);
        let mut kept = SqliteStore::open(&place, Retention::default(), 0xab).unwrap();
        let mut read = Vec::new();
        kept.read(HALL, 0, Records::All, &mut |entry| {
            read.push((entry.seq, entry.time_ms, entry.kind.text().to_owned()));
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(read, [(1, 5, "hi".to_owned()), (2, 6, "old".to_owned())], "{version}");
        drop(kept);
        fs::remove_dir_all(place.directory).unwrap();
    }
}

#[test]
fn what_was_said_before_there_was_an_index_is_found_after_a_while() {
    let (connection, place) = begin(12);
    let rows = "INSERT INTO logs VALUES (3, 0, 0); \
        INSERT INTO records (key, time_ms, author, content, words) VALUES \
            (1, 5, 'Анна', 'old words', 0), (2, 7, 'Анна', 'new words', 0), (3, 8, 'Анна', '', 1), \
            ((3 << 40) + 1, 6, 'Борис', 'other words', 0)";
    connection.execute_batch(rows).unwrap();
    drop(connection);
    let mut kept = SqliteStore::open(&place, Retention::default(), 0xab).unwrap();
    let mut now = Instant::now();
    let mut found = Vec::new();
    while kept.next_deadline().is_some() || found.is_empty() {
        kept.maintain(&Time { now, utc_ms: 9, trusted_at: now });
        now = kept.next_deadline().unwrap_or(now);
        let (query, mut place, mut budget) =
            (Query::new("words", None), SearchPlace::Newest, usize::MAX);
        let wanted = Wanted { query: &query, rooms: &[HALL, RoomId(3)] };
        found.clear();
        kept.search(&wanted, &mut place, &mut budget, &mut |room, entry| {
            found.push((room, entry.seq));
            ControlFlow::Continue(())
        })
        .unwrap();
    }
    assert_eq!(found, [(HALL, 2), (RoomId(3), 1), (HALL, 1)], "in the order of all rooms");
    drop(kept);
    fs::remove_dir_all(place.directory).unwrap();
}

#[test]
fn who_had_a_token_keeps_their_name_reserved_and_has_no_key_yet() {
    let connection = Connection::open_in_memory().unwrap();
    migrate(&connection, &MIGRATIONS[..6]).unwrap();
    let rows = "INSERT INTO owners VALUES (7, 'Анна', x'01', 5, TRUE), (9, 'b', x'02', 6, FALSE); \
        INSERT INTO messages (seq, time_ms, author, content, id, owner) \
            VALUES (1, 5, 'Анна', 'hi', 'a-1', 7), (2, 6, 'z', 'old', 'a-1', 11)";
    connection.execute_batch(rows).unwrap();
    migrate(&connection, MIGRATIONS).unwrap();
    let person = |id, name: &str, used_ms, is_regular| Person {
        id: PersonId(id),
        is_operator: false,
        is_bot: false,
        names: vec![OwnedName { name: name.to_owned(), used_ms, is_regular }],
        devices: Vec::new(),
    };
    let people = vec![person(7, "Анна", 5, true), person(9, "b", 6, false)];
    assert_eq!(rows::read_people(&connection).unwrap(), (people, PersonId(11)));
    let again = "INSERT INTO records (key, time_ms, author, content, id, person) \
        VALUES (3, 7, 'Анна', 'hi', 'a-1', 7)";
    connection.execute(again, []).unwrap_err(); // An id is a person's once, as before.
}

fn version(connection: &Connection) -> i32 {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_file_is_brought_up_to_date_from_any_version_and_keeps_what_it_has() {
    let second = "ALTER TABLE messages ADD COLUMN room TEXT NOT NULL DEFAULT 'the only one'";
    let broken = "DELETE FROM messages; SELECT nothing FROM nowhere";
    let connection = Connection::open_in_memory().unwrap();
    let first = &MIGRATIONS[..1];
    migrate(&connection, first).unwrap();
    assert_eq!(version(&connection), 1);
    let insert = "INSERT INTO messages VALUES (1, 2, 'Анна', 'hi', NULL)";
    connection.execute(insert, []).unwrap();
    let known = [first, &[second]].concat();
    migrate(&connection, &known).unwrap();
    migrate(&connection, &known).unwrap();
    assert_eq!(version(&connection), 2);
    let room = "SELECT content || room FROM messages";
    let read = || connection.query_row(room, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(read(), "hithe only one");

    migrate(&connection, &[&known[..], &[broken]].concat()).unwrap_err();
    assert_eq!((version(&connection), &*read()), (2, "hithe only one"), "all or nothing");
    let error = check_origin(Path::new("LOG"), &connection, 1).unwrap_err();
    assert_eq!(error.to_string(), "LOG has version 2, and this server knows none above 1");
}
