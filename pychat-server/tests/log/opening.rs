//! Opening: the logs that are opened, those that are refused, the words of a refusal, and that it
//! changes nothing.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    thread,
    time::{Duration, Instant},
};

use pychat_server::{
    core::record::StorageError,
    store::{Retention, Store, sqlite::OpenError},
};

use super::shelf::{Shelf, append, chatter, draft, read};

/// The longest that a child may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Puts something on a shelf that is no log.
type Make = fn(&Shelf);

/// Does harm to the bytes of a log.
type Harm = fn(&mut Vec<u8>);

/// Opens what cannot be; returns the words, with the folder named `DIR`.
#[track_caller]
fn refusal(shelf: &Shelf) -> String {
    let error = shelf.try_open(Retention::default(), 1).expect_err("it opened");
    let words = error.to_string().replace(shelf.place.directory.to_str().unwrap(), "DIR");
    assert!(!words.contains('\n'), "{words}");
    words
}

#[test]
fn nobody_else_may_read_what_is_said() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    chatter(&mut log, 5, 1);
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(shelf.place.directory.clone()), 0o700);
    let mut names: Vec<_> = fs::read_dir(&shelf.place.directory).unwrap().flatten().collect();
    names.sort_by_key(fs::DirEntry::file_name);
    for entry in &names {
        assert_eq!(mode(entry.path()), 0o600, "{entry:?}");
    }
    assert_eq!(names.len(), 4, "the lock, the log and SQLite's two: {names:?}");
}

#[test]
fn a_second_server_is_refused_until_the_first_has_ended() {
    let shelf = Shelf::new();
    let log = shelf.open();
    let error = shelf.try_open(Retention::default(), 1).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    assert_eq!(refusal(&shelf), "another server keeps its messages in DIR");
    drop(log);
    shelf.open();
}

#[test]
fn a_folder_that_cannot_be_made_or_written_is_named() {
    let shelf = Shelf::new();
    fs::create_dir_all(shelf.place.directory.parent().unwrap()).unwrap();
    fs::write(&shelf.place.directory, "").unwrap();
    assert_eq!(refusal(&shelf), "cannot create the state directory DIR: File exists (os error 17)");
    fs::remove_file(&shelf.place.directory).unwrap();
    fs::create_dir_all(shelf.file()).unwrap();
    assert_eq!(refusal(&shelf), "cannot write DIR/log.sqlite: Is a directory (os error 21)");
}

#[test]
fn what_others_could_read_is_closed_to_them() {
    let shelf = Shelf::new();
    chatter(&mut shelf.open(), 5, 1);
    let copy = Shelf::new();
    let mut log = shelf.open();
    chatter(&mut log, 5, 1);
    fs::create_dir_all(&copy.place.directory).unwrap();
    for (from, to) in [(shelf.file(), copy.file()), (shelf.wal(), copy.wal())] {
        fs::write(&to, fs::read(from).unwrap()).unwrap();
        fs::set_permissions(to, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let mut log = copy.open();
    chatter(&mut log, 5, 1);
    for file in fs::read_dir(&copy.place.directory).unwrap().flatten() {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
    assert_eq!(read(&mut log).len(), 3);
}

#[test]
fn a_link_is_not_followed() {
    for name in ["lock", "log.sqlite", "log.sqlite-wal"] {
        let shelf = Shelf::new();
        fs::create_dir_all(&shelf.place.directory).unwrap();
        let (target, link) =
            (shelf.place.directory.join("target"), shelf.place.directory.join(name));
        std::os::unix::fs::symlink(&target, link).unwrap();
        let words = refusal(&shelf);
        assert!(words.starts_with(&format!("cannot write DIR/{name}: ")), "{words}");
        assert!(!target.exists(), "{name}");
    }
}

#[test]
fn what_is_no_log_of_ours_is_refused_and_left_as_it_is() {
    let foreign = "DIR/log.sqlite is no log of this program; move it away to begin a new one";
    let newer = "DIR/log.sqlite has version 16, and this server knows none above 15";
    let cases: [(&str, Make); 6] = [
        (foreign, |shelf| {
            shelf.put(&b"I am a letter, and long enough to look like more. ".repeat(99));
        }),
        (foreign, |shelf| shelf.put(b"short")),
        (foreign, |shelf| {
            shelf.put(b"");
            shelf.tamper("CREATE TABLE recipes (name TEXT)");
        }),
        (foreign, |shelf| {
            drop(shelf.open());
            shelf.tamper("PRAGMA application_id = 5");
        }),
        (newer, |shelf| {
            drop(shelf.open());
            shelf.tamper("PRAGMA user_version = 16");
        }),
        ("DIR/log.sqlite is damaged (version -1); move it away to begin a new one", |shelf| {
            drop(shelf.open());
            shelf.tamper("PRAGMA user_version = -1");
        }),
    ];
    for (words, make) in cases {
        let shelf = Shelf::new();
        make(&shelf);
        let before = fs::read(shelf.file()).unwrap();
        assert_eq!(refusal(&shelf), words);
        assert_eq!(fs::read(shelf.file()).unwrap(), before, "{words}");
    }
}

#[test]
fn what_waits_to_be_moved_into_a_refused_file_goes_on_waiting() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    chatter(&mut log, 5, 100);
    shelf.tamper("PRAGMA user_version = 16");
    let copy = shelf.as_of_now();
    let bytes = || [copy.file(), copy.wal()].map(|path| fs::read(path).unwrap());
    let before = bytes();
    assert!(refusal(&copy).contains("version 16"));
    assert_eq!(bytes(), before);
}

#[test]
fn a_log_that_was_not_closed_is_read_as_a_whole_and_takes_nothing_if_it_is_damaged() {
    let harms: [Harm; 3] = [
        |bytes| bytes[39] = 5, // How many pages are free: only who counts them finds out.
        |bytes| bytes[140_000..160_000].fill(0xff),
        |_| (),
    ];
    let text = || [draft("Анна", "x", None)];
    let now = Instant::now();
    for program in [None, Some(env!("CARGO_BIN_EXE_pychat-server").into())] {
        for (number, harm) in harms.iter().enumerate() {
            let mut shelf = Shelf::new();
            chatter(&mut shelf.open(), 5, 5_000);
            shelf.tamper("UPDATE meta SET is_open = TRUE");
            let mut bytes = fs::read(shelf.file()).unwrap();
            harm(&mut bytes);
            shelf.put(&bytes);
            shelf.place.program.clone_from(&program);
            for _ in 0..2 {
                let mut log = shelf.open();
                let deadline = Instant::now() + PATIENCE;
                let verdict = loop {
                    if let Some(verdict) = log.check(now) {
                        break verdict;
                    }
                    assert!(Instant::now() < deadline, "no verdict");
                    thread::yield_now();
                };
                let refused = append(&mut log, 6, text(), []).map(drop);
                if number == 2 {
                    assert_eq!((verdict, refused, log.check(now)), (Ok(()), Ok(()), None));
                    break;
                }
                assert!(matches!(verdict, Err(StorageError::Damaged(_))), "{number}: {verdict:?}");
                assert!(matches!(refused, Err(StorageError::Damaged(_))), "{number}: {refused:?}");
            }
        }
    }
    let shelf = Shelf::new();
    chatter(&mut shelf.open(), 5, 1);
    assert_eq!(shelf.open().check(now), None, "it was closed");
    let mut log = shelf.open();
    chatter(&mut log, 5, 1);
    assert_eq!(shelf.as_of_now().open().check(now), Some(Ok(())), "it was not");
}

#[test]
fn a_log_that_cannot_be_read_at_all_is_refused_and_left_as_it_is() {
    let harms: [Harm; 2] = [
        |bytes| bytes[4_096..].fill(0xff),
        |bytes| bytes[4_096..].chunks_mut(4_096).for_each(|page| page[..100].fill(0)),
    ];
    for (number, harm) in harms.iter().enumerate() {
        let shelf = Shelf::new();
        chatter(&mut shelf.open(), 5, 5_000);
        let mut bytes = fs::read(shelf.file()).unwrap();
        harm(&mut bytes);
        shelf.put(&bytes);
        let words = refusal(&shelf);
        assert!(words.starts_with("DIR/log.sqlite is damaged ("), "{number}: {words}");
        assert!(words.ends_with("); move it away to begin a new one"), "{number}: {words}");
    }
}

#[test]
fn what_only_a_hand_can_have_written_is_no_reason_to_panic() {
    for sql in [
        "UPDATE meta SET epoch = 'no epoch'",
        "UPDATE logs SET trimmed_seq = -1",
        "DELETE FROM meta; ALTER TABLE meta RENAME TO beta",
        "INSERT INTO records (key, time_ms, author, content) VALUES (5, -5, '', '')",
        "INSERT INTO logs (room, trimmed_seq, trimmed_ms) VALUES (-1, 0, 0)",
        "INSERT INTO logs (room, trimmed_seq, trimmed_ms) VALUES (8388608, 0, 0)",
    ] {
        let shelf = Shelf::new();
        drop(shelf.open());
        shelf.tamper(sql);
        let words = refusal(&shelf);
        assert!(words.contains("DIR/log.sqlite"), "{sql}: {words}");
    }
    let shelf = Shelf::new();
    chatter(&mut shelf.open(), 5, 3);
    shelf.tamper("DELETE FROM records WHERE key = 2; UPDATE records SET author = 'a\nb'");
    let authors: Vec<_> =
        read(&mut shelf.open()).into_iter().map(|entry| (entry.0, entry.2)).collect();
    assert_eq!(authors, [(1, "a\nb".to_owned()), (3, "a\nb".to_owned())]);
}
