//! Backups and exports of a database, and backups that come into one.

use std::{fs, process::Command};

use crate::{
    database::Postgres,
    process::{Server, program},
    shelf::{EPOCH, Shelf, done, refused, run},
};

fn server(shelf: &Shelf, uri: &str) -> Server {
    let mut command: Command = program();
    command.args(["--listen=127.0.0.1:0", "--history=disk", "--store", uri]);
    Server::run(command.arg("--state-dir").arg(shelf.path()), 1)
}

#[test]
fn a_backup_of_a_database_that_is_in_use_comes_back_into_a_file_or_a_database() {
    let Some(database) = Postgres::start("") else { return };
    let (shelf, other) = (Shelf::filled(), Shelf::new());
    let (uri, folder) = (database.uri(), shelf.path().with_extension("backup"));
    let (state, backup) = (shelf.path().to_str().unwrap(), folder.to_str().unwrap());
    let rows = shelf.rows();
    done(&["migrate", "--from", &shelf.place(), "--to", &uri]);
    let running = server(&shelf, &uri);
    let words = done(&["backup", backup, "--store", &uri, "--state-dir", state]);
    let expected = format!("Backed up 17 records of 5 rooms and 3 people into {backup} (");
    assert!(words.starts_with(&expected), "{words}");
    drop(running);
    let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["log.sqlite", "tls.pem"]);

    let other_state = other.path().to_str().unwrap();
    done(&["restore", backup, "--state-dir", other_state]);
    assert_eq!(other.rows(), rows);
    drop(other.open());
    assert_ne!(other.epoch(), EPOCH, "it may lack messages that clients have");

    let restore = ["restore", backup, "--store", &uri, "--state-dir", state];
    let words = refused(1, &restore);
    assert!(words.contains("holds messages already"), "{words}");
    let words = done(&[&restore[..], &["--replace"]].concat());
    assert!(words.contains("The old ones are in the schema pychat_replaced_"), "{words}");
    assert_eq!(database.sql("SELECT count(*) FROM pychat.records"), "17");
    assert_ne!(database.sql("SELECT epoch FROM pychat.meta"), EPOCH);
    drop(server(&shelf, &uri));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_room_is_exported_from_a_database_as_from_a_file() {
    let Some(database) = Postgres::start("") else { return };
    let shelf = Shelf::filled();
    let (uri, state) = (database.uri(), shelf.path().to_str().unwrap());
    let file = |name: &str| shelf.path().join(name).to_str().unwrap().to_owned();
    let (before, after) = (file("before"), file("after"));
    for (room, format) in [("hall", "--jsonl"), ("клуб", "--jsonl"), ("hall", "--html")] {
        let export = ["export", room, format, "--state-dir", state, "--output"];
        let words = done(&[&export[..], &[&before]].concat());
        assert!(words.starts_with("Exported "), "{words}");
        if !database.sql("SELECT to_regnamespace('pychat')").contains("pychat") {
            done(&["migrate", "--from", &shelf.place(), "--to", &uri]);
        }
        done(&[&export[..], &[&after, "--store", &uri]].concat());
        let [one, two] = [&before, &after].map(|path| fs::read_to_string(path).unwrap());
        assert!(100 < one.len());
        assert_eq!(one, two, "{room} {format}");
        for path in [&before, &after] {
            fs::remove_file(path).unwrap();
        }
    }
    let words = refused(1, &["export", "совет", "--jsonl", "--store", &uri, "--quiet", "-o", "/"]);
    assert!(words.contains('/'), "{words}");
    let words = refused(2, &["check", "--store", &uri]);
    assert!(words.contains("--store"), "{words}");
}

#[test]
fn a_room_of_elsewhere_comes_into_a_database_once_and_as_a_whole() {
    let Some(database) = Postgres::start("") else { return };
    let (shelf, back) = (Shelf::filled(), Shelf::new());
    let (uri, state) = (database.uri(), shelf.path().to_str().unwrap());
    let file = shelf.path().join("room.jsonl").to_str().unwrap().to_owned();
    done(&["export", "клуб", "--jsonl", "--state-dir", state, "-o", &file]);
    done(&["migrate", "--from", &shelf.place(), "--to", &uri]);
    let import = ["import", &file, "--store", &uri, "--member", "Борис", "--room", "архив"];
    let words = run(&import);
    let told = String::from_utf8(words.stderr).unwrap();
    assert_eq!(told, "архив is r7, with 3 messages and events.\nRooms imported: 1.\n");
    let words = refused(1, &import);
    assert!(words.ends_with("клуб was imported before, and is r7"), "{words}");

    let sql = |sql: &str| database.sql(&format!("SET search_path = pychat; {sql}"));
    assert_eq!(sql("SELECT kind, name, maker FROM rooms WHERE id = 7"), "closed|архив|2");
    assert_eq!(sql("SELECT person, seq FROM marks WHERE room = 7"), "2|3");
    assert_eq!(sql("SELECT last_seq, last_ms FROM logs WHERE room = 7"), "3|1009");
    let found = "SELECT seq FROM records WHERE kind = 0 AND terms @@ '''7wобед'''::tsquery \
        AND doc = (SELECT max(doc) FROM records WHERE kind = 0)";
    assert_eq!(sql(found), "2", "found as what came last");
    assert_eq!(sql("SELECT count(*) FROM records WHERE room < 7"), "17");
    assert_eq!(sql("SELECT verb, subject FROM audit ORDER BY id DESC LIMIT 1"), "import|архив");
    assert_eq!(sql("SELECT epoch FROM meta"), EPOCH);
    drop(server(&shelf, &uri));
    let words = done(&["migrate", "--from", &uri, "--to", &back.place()]);
    assert!(words.starts_with("Moved 20 records of 6 rooms and 3 people from "), "{words}");
}
