//! Moves that cannot be made, or do not come to their end.

use std::process::{Child, Command};

use rusqlite::Connection;

use crate::{
    database::Postgres,
    process::{Server, exit_code, program, signal, wait_until},
    shelf::{EPOCH, Shelf, done, refused},
};

/// The messages that take longer to move than it takes to look.
const MANY: usize = 30_000;

fn server_on(shelf: &Shelf, words: &[&str]) -> Server {
    let mut command: Command = program();
    command.args(["--listen=127.0.0.1:0", "--history=disk"]).args(words);
    Server::run(command.arg("--state-dir").arg(shelf.path()), 1)
}

fn begin(from: &str, to: &str) -> Child {
    program().args(["migrate", "--from", from, "--to", to]).spawn().unwrap()
}

#[track_caller]
fn kill(mut process: Child) {
    signal("KILL", process.id());
    assert_eq!(exit_code(&mut process), None, "it was over before it was killed");
}

#[test]
fn a_move_that_is_killed_leaves_nothing_that_could_be_taken_for_the_whole() {
    let Some(server) = Postgres::start("") else { return };
    let (shelf, back) = (Shelf::long(MANY), Shelf::new());
    let (from, uri) = (shelf.place(), server.uri());
    let writing = "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL \
        AND application_name = 'pychat moving' AND query LIKE 'INSERT INTO records%'";
    let process = begin(&from, &uri);
    wait_until("nothing is written", || server.sql(writing) == "1");
    kill(process);
    let n_sessions =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pychat moving'";
    wait_until("the session goes on", || server.sql(n_sessions) == "0");
    assert_eq!(server.sql("SELECT to_regnamespace('pychat') IS NULL"), "t");
    assert_eq!(shelf.epoch(), EPOCH);

    let words = done(&["migrate", "--from", &from, "--to", &uri]);
    assert!(words.starts_with(&format!("Moved {MANY} records of 1 room and 1 person")), "{words}");
    let process = begin(&uri, &back.place());
    let unfinished = back.path().join("log.sqlite.unfinished");
    let has_pages = || unfinished.metadata().is_ok_and(|it| 100_000 < it.len());
    wait_until("nothing is written", has_pages);
    kill(process);
    assert!(!back.file().exists());
    wait_until("the session goes on", || server.sql(n_sessions) == "0");
    done(&["migrate", "--from", &uri, "--to", &back.place()]);
    assert_eq!((back.rows(), back.epoch()), (shelf.rows(), EPOCH.to_owned()));
    assert!(!unfinished.exists());
}

#[test]
fn a_server_that_runs_is_in_the_way() {
    let Some(database) = Postgres::start("") else { return };
    let (shelf, empty) = (Shelf::filled(), Shelf::new());
    let (from, uri) = (shelf.place(), database.uri());
    let server = server_on(&shelf, &[]);
    let words = refused(1, &["migrate", "--from", &from, "--to", &uri]);
    assert!(words.starts_with("another server keeps its messages in "), "{words}");
    drop(server);
    let server = server_on(&empty, &["--store", &uri]);
    for words in [["--from", &from, "--to", &uri], ["--from", &uri, "--to", &empty.place()]] {
        let words = refused(1, &[&["migrate"], &words[..]].concat());
        assert!(words.contains("another server uses the database \"postgres\" at "), "{words}");
    }
    drop(server);
    // A server that was only tried has left nothing that counts.
    done(&["migrate", "--from", &from, "--to", &uri]);
    drop(server_on(&empty, &["--store", &uri]));
    assert_eq!(database.sql("SELECT epoch FROM pychat.meta"), EPOCH);
}

#[test]
fn what_cannot_be_reached_is_told_and_nothing_is_changed() {
    let Some(mut server) = Postgres::start("") else { return };
    let shelf = Shelf::filled();
    let from = shelf.place();
    server.sql("CREATE ROLE chat LOGIN PASSWORD 'right'; CREATE DATABASE chat OWNER chat");
    let uri = format!("postgres://chat@127.0.0.1:{}/chat?sslmode=disable", server.port());
    let [wrong, right] =
        ["wrong", "right"].map(|it| server.write(it, it, 0o600).to_str().unwrap().to_owned());
    let migrate = |password: &str| {
        let words = ["migrate", "--from", &from, "--to", &uri];
        let password = format!("--store-password-file={password}");
        words.into_iter().map(ToOwned::to_owned).chain([password]).collect::<Vec<_>>()
    };
    let rows = shelf.rows();
    for (words, complaint) in [
        (migrate(&wrong), "password authentication failed for user \"chat\" (28P01)"),
        (migrate("/nowhere/password"), "cannot use /nowhere/password: "),
        (migrate(&right)[..5].to_vec(), "the server wants a password; give --store-password-file"),
    ] {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let told = refused(1, &words);
        assert!(told.contains(complaint), "{told}");
    }
    server.kill();
    let words = migrate(&right);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let told = refused(1, &words);
    assert!(told.contains("the database cannot be reached: 127.0.0.1:"), "{told}");
    server.run();
    done(&words);
    assert_eq!(shelf.rows(), rows);
}

#[test]
fn what_is_no_log_of_this_version_is_not_moved() {
    let Some(server) = Postgres::start("") else { return };
    let (shelf, empty) = (Shelf::filled(), Shelf::new());
    let uri = server.uri();
    let words = refused(1, &["migrate", "--from", &uri, "--to", &empty.place()]);
    assert!(words.ends_with("holds no messages of this program"), "{words}");
    let words = refused(1, &["migrate", "--from", &empty.place(), "--to", &uri]);
    assert!(words.starts_with("cannot read ") && !empty.path().exists(), "{words}");
    server.sql(
        "CREATE SCHEMA pychat; CREATE TABLE pychat.version (version bigint); \
        INSERT INTO pychat.version VALUES (1000)",
    );
    for words in
        [["--from", &uri, "--to", &empty.place()], ["--from", &shelf.place(), "--to", &uri]]
    {
        let words = refused(1, &[&["migrate"], &words[..]].concat());
        assert!(words.ends_with("is of a later version than this program"), "{words}");
    }
    Connection::open(shelf.file()).unwrap().pragma_update(None, "user_version", 3).unwrap();
    let words = refused(1, &["migrate", "--from", &shelf.place(), "--to", &uri]);
    assert!(words.ends_with("start this server once, which takes it over"), "{words}");
    for (words, complaint) in [
        (["--from", "sqlite:/a", "--to", "sqlite:/b"], "need one sqlite:DIR and one postgres://"),
        (["--from", "/a", "--to", &uri], "write --from sqlite:DIR or postgres://"),
        (
            ["--from", "postgres://u:secret@h/d", "--to", "sqlite:/b"],
            "--from postgres://…: leave the password out",
        ),
    ] {
        let words = refused(2, &[&["migrate"], &words[..]].concat());
        assert!(words.contains(complaint) && !words.contains("secret"), "{words}");
    }
}
