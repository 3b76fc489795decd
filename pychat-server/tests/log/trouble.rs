//! The log's response to failures of its file while it is in use.

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    ops::ControlFlow,
};

use pychat_server::{
    core::{
        id::HALL,
        record::{OwnedName, Person, PersonChange, PersonId, StorageError},
    },
    store::{Read, Records, Retention, Store},
};
use rusqlite::Connection;

use super::shelf::{Shelf, append, chatter, draft, read, say};

#[test]
fn what_another_program_holds_is_not_waited_for_and_works_again_by_itself() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    chatter(&mut log, 5, 1);
    let other = Connection::open(shelf.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = append(&mut log, 6, [draft("Анна", "b", Some("1"))], []).unwrap_err();
    assert_eq!(error, StorageError::Other("another program holds the log".into()));
    assert_eq!((log.last_seq(HALL), read(&mut log).len()), (1, 1));
    other.execute_batch("ROLLBACK").unwrap();
    chatter(&mut log, 7, 1);
    assert_eq!(read(&mut log)[1], (2, 7, "Анна".into(), "x".into()));
}

#[test]
fn what_becomes_damaged_is_an_error_and_no_end() {
    let shelf = Shelf::new();
    // More than is ever held in memory.
    say(&mut shelf.open(), 5, vec![draft("Анна", &"x".repeat(1_000), None); 10_000]);
    let mut log = shelf.open();
    let mut file = fs::OpenOptions::new().write(true).open(shelf.file()).unwrap();
    file.seek(SeekFrom::Start(5 * 4_096)).unwrap();
    file.write_all(&vec![0xff; 2_000 * 4_096]).unwrap();
    let error = log.read(HALL, 0, Records::All, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(error, StorageError::Damaged(_)), "{error:?}");
    assert_eq!(error.key(), "damaged");
}

#[test]
fn a_value_of_another_kind_is_damage() {
    for (column, value) in [
        ("author", "x'ff'"),
        ("content", "5"),
        ("id", "x'00'"),
        ("person", "-1"),
        ("time_ms", "'soon'"),
        ("kind", "-1"),
        ("kind", "99"),
        ("kind", "65"),
        ("target", "-1"),
        ("words", "'all'"),
        ("reactions", "7"),
        ("key", "-1"),
    ] {
        let shelf = Shelf::new();
        let mut log = shelf.open();
        chatter(&mut log, 5, 2);
        shelf.tamper(&format!(
            "DROP TABLE records; \
             CREATE TABLE records (key, time_ms, author, content, id, person, kind, target, edited_ms, \
                 words, reactions); \
             INSERT INTO records VALUES (2, 5, 'a', 'b', NULL, NULL, 0, NULL, NULL, 0, NULL); \
             UPDATE records SET {column} = {value}"
        ));
        let error = log.read(HALL, 0, Records::All, &mut |_| ControlFlow::Continue(()));
        match column {
            "key" => assert_eq!(error, Ok(Read::Done), "before the first"),
            _ => assert!(matches!(error, Err(StorageError::Damaged(_))), "{column}: {error:?}"),
        }
    }
}

#[test]
fn a_tick_that_fails_halfway_leaves_no_trace() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    chatter(&mut log, 5, 1);
    shelf.tamper(
        "CREATE TRIGGER fault BEFORE INSERT ON records WHEN new.content = 'bad' \
         BEGIN SELECT raise(ABORT, 'as a test wants it'); END",
    );
    let person = PersonChange::Save(Person {
        id: PersonId(8),
        is_operator: false,
        is_bot: false,
        names: vec![OwnedName { name: "Анна".to_owned(), used_ms: 9, is_regular: false }],
        devices: Vec::new(),
    });
    for _ in 0..2 {
        let drafts = ["good", "bad"].map(|content| draft("Анна", content, Some(content)));
        let error = append(&mut log, 9, drafts, [person.clone()]).unwrap_err();
        assert_eq!(error, StorageError::Other("as a test wants it".into()));
    }
    assert_eq!((log.last_seq(HALL), read(&mut log).len()), (1, 1));
    assert_eq!(log.people().unwrap(), (vec![], PersonId(0)));
    assert_eq!(say(&mut log, 7, vec![draft("Анна", "good", Some("good"))]), [(2, true)]);
    assert_eq!(read(&mut log)[1], (2, 7, "Анна".into(), "good".into()), "the time as well");
}

#[test]
fn what_would_take_the_last_of_the_disk_is_refused_before_it_is_written() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    let all = Retention { disk_reserve_bytes: u64::MAX, ..Retention::default() };
    log.set_retention(all);
    let refused = append(&mut log, 6, [draft("Анна", "b", Some("1"))], []);
    assert_eq!(refused, Err(StorageError::Reserve));
    assert_eq!(log.last_seq(HALL), 0);
    log.set_retention(Retention { disk_reserve_bytes: 0, ..all });
    chatter(&mut log, 7, 1);
    log.set_retention(Retention { disk_reserve_bytes: 1, ..all });
    chatter(&mut log, 8, 1);
    assert_eq!(read(&mut log).len(), 2);
}
