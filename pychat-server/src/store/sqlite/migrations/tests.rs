use std::{fs, ops::ControlFlow, path::Path};

use super::{
    super::{Durability, FILE_NAME, Place, SqliteStore, rows, schema::check_origin},
    *,
};
use crate::{
    core::{
        id::HALL,
        record::{OwnedName, Person, PersonId},
    },
    store::{Retention, Store},
};

#[test]
fn a_file_of_any_version_is_opened_and_keeps_what_it_has() {
    for version in 1..11 {
        let name = format!("pychat-version-{}-{version}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        let connection = Connection::open(directory.join(FILE_NAME)).unwrap();
        migrate(&connection, &MIGRATIONS[..version]).unwrap();
        let insert = "INSERT INTO messages (seq, time_ms, author, content, id) VALUES \
            (1, 5, 'Анна', 'hi', 'a-1'), (2, 6, 'Борис', 'old', NULL)";
        connection.execute(insert, []).unwrap();
        drop(connection);
        let place =
            Place { directory: directory.clone(), durability: Durability::Process, program: None };
        let mut kept = SqliteStore::open(&place, Retention::default(), 0xab).unwrap();
        let mut read = Vec::new();
        kept.read(HALL, 0, &mut |entry| {
            read.push((entry.seq, entry.time_ms, entry.kind.text().to_owned()));
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(read, [(1, 5, "hi".to_owned()), (2, 6, "old".to_owned())], "{version}");
        drop(kept);
        fs::remove_dir_all(directory).unwrap();
    }
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
