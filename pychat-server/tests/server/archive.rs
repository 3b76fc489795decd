//! The subcommands that work on what a server keeps, as an operator runs them.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use rusqlite::Connection;

use super::{control::ctl, history::Shelf};
use crate::process::{Peer, program, wait_until};

/// Runs a subcommand on the files of `shelf`.
pub(super) fn run(shelf: &Shelf, words: &[&str]) -> Output {
    let mut command = program();
    command.args(words).arg("--state-dir").arg(shelf.path());
    command.stdout(Stdio::piped()).output().unwrap()
}

/// Runs one that does it; returns its last words.
#[track_caller]
pub(super) fn done(shelf: &Shelf, words: &[&str]) -> String {
    let Output { status, stdout, stderr } = run(shelf, words);
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!((status.code(), &*stdout), (Some(0), ""), "{words:?}: {stderr}");
    assert_eq!(stderr.lines().count(), 1, "{words:?}: {stderr}");
    stderr.trim_end().to_owned()
}

/// Runs one that does not; returns the reason.
#[track_caller]
pub(super) fn refused(shelf: &Shelf, words: &[&str]) -> String {
    let Output { status, stderr, .. } = run(shelf, words);
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!((status.code(), stderr.lines().count()), (Some(1), 1), "{words:?}: {stderr}");
    stderr.trim_end().trim_start_matches("pychat-server: ").to_owned()
}

/// Returns the folder of a backup as text.
fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn epoch(file: &Path) -> String {
    let connection = Connection::open(file).unwrap();
    connection.query_row("SELECT epoch FROM meta", [], |row| row.get(0)).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Returns true if some file in a folder has these bytes.
fn has_bytes(folder: &Path, word: &str) -> bool {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).any(|path| {
        let bytes = fs::read(path).unwrap();
        bytes.windows(word.len()).any(|window| window == word.as_bytes())
    })
}

#[test]
fn a_backup_is_made_while_people_talk_and_comes_back_as_another_epoch() {
    let (shelf, other) = (Shelf::new(), Shelf::new());
    let folder = shelf.path().with_extension("backup");
    let mut server = shelf.server(&[]);
    let mut anna = Peer::join(server.address(), "Анна", &[]);
    for words in ["первое", "второе", "забудьте"] {
        anna.say(words);
        anna.hears("Вы", words);
    }
    ctl(&shelf, &["remove", "3"]);
    let words = done(&shelf, &["backup", text(&folder)]);
    let expected =
        format!("Backed up 4 records of 1 room and 0 people into {} (", folder.display());
    assert!(words.starts_with(&expected), "{words}");
    anna.say("после");
    anna.hears("Вы", "после");

    let mut names: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["log.sqlite", "tls.pem"]);
    assert_eq!((mode(&folder), mode(&folder.join("log.sqlite"))), (0o700, 0o600));
    assert_eq!(mode(&folder.join("tls.pem")), 0o600);
    let words = refused(&shelf, &["backup", text(&folder)]);
    assert!(words.ends_with("is not empty; name a folder that is, or that is not there yet"));
    let words = refused(&shelf, &["restore", text(&folder)]);
    assert!(words.starts_with("another server keeps its messages in "), "{words}");

    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
    let words = done(&other, &["restore", text(&folder)]);
    assert!(words.starts_with("Restored 4 records of 1 room and 0 people into "), "{words}");
    assert_eq!(mode(&other.file()), 0o600);
    let server = other.server(&[]);
    let listed = ctl(&other, &["messages"]);
    assert!(listed.contains("второе") && !listed.contains("после"), "{listed}");
    drop(server);
    assert_ne!(
        epoch(&other.file()),
        epoch(&shelf.file()),
        "clients would take new numbers for old"
    );
    let key = |folder: &Path| fs::read(folder.join("tls.pem")).unwrap();
    assert_eq!(key(other.path()), key(shelf.path()));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_was_erased_is_in_no_backup_though_a_page_has_it() {
    let shelf = Shelf::new();
    let folder = shelf.path().with_extension("erased");
    let mut server = shelf.server(&[]);
    server.signal("TERM");
    server.exit_code();
    // A program that does not overwrite what it deletes leaves it on free pages.
    let connection = Connection::open(shelf.file()).unwrap();
    connection
        .execute_batch(
            "PRAGMA secure_delete = OFF;
            CREATE TABLE secret (words TEXT);
            INSERT INTO secret SELECT 'забудьте' || hex(zeroblob(9000)) FROM meta;
            DROP TABLE secret;",
        )
        .unwrap();
    drop(connection);
    assert!(has_bytes(shelf.path(), "забудьте"), "the test needs a file that has it");
    done(&shelf, &["backup", text(&folder)]);
    assert!(!has_bytes(&folder, "забудьте"));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_is_there_is_put_aside_only_if_that_is_said() {
    let shelf = Shelf::new();
    let folder = shelf.path().with_extension("aside");
    let server = shelf.server(&[]);
    let mut anna = Peer::join(server.address(), "Анна", &[]);
    anna.say("первое");
    anna.hears("Вы", "первое");
    done(&shelf, &["backup", text(&folder)]);
    anna.say("второе");
    anna.hears("Вы", "второе");
    drop((anna, server)); // Killed: part of the log is still beside it.
    let words = refused(&shelf, &["restore", text(&folder)]);
    assert!(words.ends_with("holds messages already; --replace puts them aside"), "{words}");
    assert!(shelf.kept().contains("второе"));

    let words = done(&shelf, &["restore", "--replace", text(&folder)]);
    let aside = words.split("The old ones are in ").nth(1).unwrap().trim_end_matches('.');
    let aside = PathBuf::from(aside);
    assert!(aside.starts_with(shelf.path()) && text(&aside).contains("replaced-2"), "{words}");
    assert_eq!(mode(&aside), 0o700);
    assert!(!shelf.kept().contains("второе"));
    let old = Connection::open(aside.join("log.sqlite")).unwrap();
    let sql = "SELECT count(*) FROM records";
    assert_eq!(old.query_row(sql, [], |row| row.get(0)), Ok(2), "with what was beside it");
    drop(shelf.server(&[]));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_backup_that_is_not_whole_or_damaged_is_not_restored() {
    let (shelf, other) = (Shelf::new(), Shelf::new());
    let folder = shelf.path().with_extension("damaged");
    let mut server = shelf.server(&[]);
    let mut anna = Peer::join(server.address(), "Анна", &[]);
    for _ in 0..3 {
        anna.say("слово");
        anna.hears("Вы", "слово");
    }
    drop(anna);
    server.signal("TERM");
    server.exit_code();
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("log.sqlite.unfinished"), "half").unwrap();
    let words = refused(&other, &["restore", text(&folder)]);
    assert!(words.ends_with("holds no backup, or one that was not finished"), "{words}");
    fs::remove_dir_all(&folder).unwrap();

    done(&shelf, &["backup", text(&folder)]);
    let copy = Connection::open(folder.join("log.sqlite")).unwrap();
    let version: u32 = copy.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    copy.pragma_update(None, "user_version", version - 1).unwrap();
    let earlier = Shelf::new();
    assert!(
        done(&earlier, &["restore", text(&folder)]).starts_with("Restored 3 records of 1 room")
    );
    assert!(refused(&earlier, &["check"]).ends_with("start this server once, which takes it over"));
    copy.pragma_update(None, "user_version", version).unwrap();
    copy.execute("DELETE FROM records WHERE key = 2", []).unwrap();
    drop(copy);
    assert_eq!(refused(&other, &["restore", text(&folder)]), "1 thing is wrong");
    fs::write(folder.join("log.sqlite"), "not a log at all, but long enough").unwrap();
    let words = refused(&other, &["restore", text(&folder)]);
    assert!(words.contains("is no log of this program"), "{words}");
    fs::write(folder.join("log.sqlite"), "").unwrap();
    let words = refused(&other, &["restore", text(&folder)]);
    assert!(words.contains("is no log of this program"), "{words}");
    assert!(!other.file().exists(), "nothing was put there");
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_check_says_what_is_wrong_and_where() {
    let shelf = Shelf::new();
    let mut server = shelf.server(&[]);
    let mut anna = Peer::join(server.address(), "Анна", &[]);
    for words in ["раз", "два", "три", "четыре", "пять"] {
        anna.say(words);
        anna.hears("Вы", words);
    }
    assert_eq!(done(&shelf, &["check"]), "Nothing is wrong with 5 records of 1 room and 0 people.");
    drop(anna);
    server.signal("TERM");
    server.exit_code();
    let connection = Connection::open(shelf.file()).unwrap();
    connection
        .execute_batch(
            "DELETE FROM records WHERE key = 2;
            UPDATE records SET time_ms = 1 WHERE key = 3;
            UPDATE records SET target = 9 WHERE key = 4;
            UPDATE records SET words = 1, reactions = 'x', edit_seq = 4 WHERE key = 5;
            INSERT INTO members (room, person) VALUES (7, 1);
            INSERT INTO marks (person, room, seq) VALUES (1, 0, 77);",
        )
        .unwrap();
    drop(connection);
    let Output { status, stdout, stderr } = run(&shelf, &["check", "--quiet"]);
    let found = String::from_utf8(stdout).unwrap();
    assert_eq!(
        found.lines().collect::<Vec<_>>(),
        [
            "room r7 has members and is none",
            "room r0, record 3: those from 2 on are missing",
            "room r0, record 3: it is older than the one before it",
            "room r0, record 4: it is about message 9, which comes after it",
            "room r0, record 5: its last edit is record 4, which is none of it",
            "room r0, record 5: its words are neither there nor gone",
            "room r0, record 5: the reactions to it cannot be read",
            "person 1 has seen record 77 of room r0, of 5",
        ]
    );
    assert_eq!(status.code(), Some(1));
    assert_eq!(String::from_utf8(stderr).unwrap(), "pychat-server: 8 things are wrong\n");
}

#[test]
fn what_cannot_be_read_is_said_in_words() {
    let shelf = Shelf::new();
    let words = refused(&shelf, &["check"]);
    assert!(words.starts_with("cannot read ") && words.contains("log.sqlite: No such"), "{words}");
    let file = shelf.file();
    drop(shelf.server(&[]));
    wait_until("a log is there", || file.exists());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&file).is_err() {
        let words = refused(&shelf, &["check"]);
        assert!(words.ends_with("run it as root, or as the server's own user"), "{words}");
    }
}
