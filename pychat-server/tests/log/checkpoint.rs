//! Checkpoints: written data is moved to its place, while people speak and when nobody does.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use pychat_server::{
    core::{id::HALL, record::Amending},
    store::{Retention, Store, sqlite::checkpoint::WAITING_PAGES_HIGH},
};
use rusqlite::Connection;

use super::{
    amending::{self, amend, files_with},
    shelf::{Shelf, at, draft, read, say},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_pychat-server");

/// The longest that anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// The size that a log's file has only once something was moved there, in bytes.
const MOVED_BYTES: u64 = 1 << 20;

/// Says a good deal in each tick until the write-ahead log is begun anew; returns how long it got.
///
/// After that it is as long as before, and what is written goes to its beginning.
fn talk_until_anew(shelf: &Shelf, log: &mut dyn Store) -> u64 {
    let content = "x".repeat(10_000);
    let deadline = Instant::now() + PATIENCE;
    let bytes = || fs::metadata(shelf.wal()).unwrap().len();
    let mut unchanged = 0;
    while unchanged < 20 {
        assert!(Instant::now() < deadline, "{} bytes and growing", bytes());
        let before = bytes();
        say(log, 5, vec![draft("Анна", &content, None); 8]);
        log.maintain(&at(Instant::now(), 5));
        unchanged = if bytes() == before { unchanged + 1 } else { 0 };
    }
    bytes()
}

/// Returns the numbers of the processes that this thread has started: others run tests of their own.
fn children() -> Vec<String> {
    let children = fs::read_to_string("/proc/thread-self/children").unwrap();
    children.split_whitespace().map(ToOwned::to_owned).collect()
}

#[test]
fn a_talk_without_a_pause_leaves_the_write_ahead_log_short() {
    let page = 4_096 * u64::try_from(WAITING_PAGES_HIGH).unwrap();
    let programs: [(Option<&str>, u64); 5] = [
        (None, 2 * page),
        (Some("/nonexistent"), 2 * page),
        (Some("/bin/false"), 4 * page), // Ends at once, and nothing is moved.
        (Some("/bin/cat"), 12 * page),  // Ends at once as well: there is no such file.
        (Some(PROGRAM), 60 * page),     // As fast as it goes: the child has a whole race to win.
    ];
    for (program, bytes_max) in programs {
        let mut shelf = Shelf::new();
        shelf.place.program = program.map(PathBuf::from);
        let mut log = shelf.try_open(Retention::default(), 1).unwrap();
        let bytes = talk_until_anew(&shelf, &mut log);
        assert!(page <= bytes, "{program:?}: {bytes}: it began anew too early to need anything");
        assert!(bytes <= bytes_max, "{program:?}: {bytes}");
        assert!(page / 2 < fs::metadata(shelf.file()).unwrap().len(), "{program:?}: in its place");
        let last = log.last_seq(HALL);
        drop(log);
        assert_eq!(shelf.open().last_seq(HALL), last, "{program:?}");
    }
}

#[test]
fn a_child_moves_all_in_a_pause_and_is_gone_then() {
    let mut shelf = Shelf::new();
    shelf.place.program = Some(PROGRAM.into());
    let mut log = shelf.open();
    let content = "x".repeat(10_000);
    let bytes = |path: &Path| fs::metadata(path).unwrap().len();
    let deadline = Instant::now() + PATIENCE;
    // Nobody else moves anything as long as a child can.
    while bytes(&shelf.file()) < MOVED_BYTES {
        say(&mut log, 5, vec![draft("Анна", &content, None); 8]);
        log.maintain(&at(Instant::now(), 5));
        assert!(Instant::now() < deadline, "nobody is at work");
    }
    while log.next_deadline().is_some_and(|next| next < deadline) {
        log.maintain(&at(Instant::now(), 5));
        assert!(Instant::now() < deadline, "it does not end");
    }
    assert_eq!(u64::try_from(read(&mut log).len()).unwrap(), log.last_seq(HALL));
}

#[test]
fn a_child_ends_with_the_log_and_is_waited_for() {
    let mut shelf = Shelf::new();
    let script = shelf.place.directory.join("never.sh");
    fs::create_dir_all(&shelf.place.directory).unwrap();
    fs::write(&script, "#!/bin/sh\necho $$ > \"$(dirname \"$2\")/pid\"\nexec sleep 600\n").unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    shelf.place.program = Some(script);
    let mut log = shelf.open();
    let pid = shelf.place.directory.join("pid");
    let deadline = Instant::now() + PATIENCE;
    let number = loop {
        assert!(Instant::now() < deadline, "nobody came");
        say(&mut log, 5, vec![draft("Анна", &"x".repeat(10_000), None); 8]);
        log.maintain(&at(Instant::now(), 5));
        match fs::read_to_string(&pid) {
            Ok(number) if number.ends_with('\n') => break number.trim().to_owned(),
            _ => (),
        }
    };
    let process = PathBuf::from("/proc").join(number);
    assert!(process.exists());
    drop(log);
    assert!(!process.exists(), "it goes on, or nobody has waited for it");
}

#[test]
fn what_stands_in_the_way_is_waited_for_and_not_for_ever() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    let content = "x".repeat(10_000);
    let now = Instant::now();
    let mut talk = |now: Instant, ticks| {
        for _ in 0..ticks {
            say(&mut log, 5, vec![draft("Анна", &content, None); 8]);
            log.maintain(&at(now, 5));
        }
        fs::metadata(shelf.wal()).unwrap().len()
    };
    talk(now, 1);
    let reader = Connection::open(shelf.file()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM records").unwrap();
    let grown = talk(now, 100);
    assert!(
        2 * 4_096 * u64::try_from(WAITING_PAGES_HIGH).unwrap() < grown,
        "nobody reads: {grown}"
    );
    drop(reader);
    let later = now + Duration::from_secs(1);
    let grown = talk(later, 1);
    assert_eq!(talk(later, 20), grown, "it is begun anew");
}

#[test]
fn nobody_but_a_server_s_own_child_moves_anything() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    say(&mut log, 5, vec![draft("Анна", "x", None)]);
    let run = |parent: &str| {
        let mut command = Command::new(PROGRAM);
        command.arg("--checkpoint-log").arg(shelf.file()).arg(parent).stderr(Stdio::null());
        command.status().unwrap().code()
    };
    let before = fs::read(shelf.file()).unwrap();
    assert_eq!((run("1"), run("nobody")), (Some(1), Some(2)), "the latter is wrong usage");
    assert_eq!(fs::read(shelf.file()).unwrap(), before);
    assert_eq!(run(&std::process::id().to_string()), Some(0));
    assert_ne!(fs::read(shelf.file()).unwrap(), before, "or nobody ever does");
}

#[test]
fn what_was_erased_is_moved_by_a_child_before_the_write_ahead_log_is_emptied() {
    let mut shelf = Shelf::new();
    shelf.place.program = Some(PathBuf::from(PROGRAM));
    let mut log = shelf.try_open(Retention::default(), 1).unwrap();
    amending::say(&mut log, HALL, "Анна", "a secret", "1");
    let delete = amend(HALL, "Анна", (1, Amending::Delete), "2", false);
    super::shelf::carry_out(&mut log, 5, [delete]).unwrap();
    log.maintain(&at(Instant::now(), 5));
    // Who reads a file of SQLite's and closes it gives up the locks that the process has on it.
    let bytes = || fs::metadata(shelf.wal()).unwrap().len();
    assert!(children().is_empty() && 0 < bytes(), "not yet");
    let (begin, mut had_child) = (Instant::now(), false);
    while 0 < bytes() {
        assert!(begin.elapsed() < PATIENCE, "it is never emptied");
        log.maintain(&at(Instant::now() + Duration::from_mins(1), 5));
        had_child |= !children().is_empty();
    }
    assert!(had_child, "the server itself has waited for the disk");
    assert_eq!(files_with(&shelf, "a secret"), [] as [String; 0]);
    assert_eq!((children(), log.last_seq(HALL)), (Vec::new(), 2));
}
