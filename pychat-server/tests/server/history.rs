//! The history: messages that outlive any end of the server, and the place where they are kept.

use std::{
    collections::BTreeSet,
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use rusqlite::Connection;

use crate::process::{Peer, Server, exit_code, program, wait_until};

/// A folder for what a server keeps; gone when dropped.
#[derive(Debug)]
pub(super) struct Shelf(PathBuf);

impl Shelf {
    pub(super) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pychat-history-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn file(&self) -> PathBuf {
        self.0.join("log.sqlite")
    }

    /// Starts a server that keeps its messages here.
    pub(super) fn server(&self, flags: &[&str]) -> Server {
        Server::run(self.program().args(flags), 1)
    }

    pub(super) fn program(&self) -> Command {
        let mut command = program();
        command.args(["--listen=127.0.0.1:0", "--flood=off", "--history=disk"]);
        command.arg("--state-dir").arg(&self.0);
        command
    }

    /// Starts a server that should refuse to; returns its one line, the folder named `DIR`.
    #[track_caller]
    pub(super) fn complaint(&self) -> String {
        let mut process = self.program().stderr(Stdio::piped()).spawn().unwrap();
        assert_eq!(exit_code(&mut process), Some(1));
        let mut complaint = String::new();
        process.stderr.unwrap().read_to_string(&mut complaint).unwrap();
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        complaint.trim_end().replace(self.0.to_str().unwrap(), "DIR")
    }

    /// Returns what is kept: numbers, authors and contents, a word each.
    pub(super) fn kept(&self) -> String {
        let connection = Connection::open(self.file()).unwrap();
        let sql = "SELECT coalesce(group_concat(key || author || content, ' '), '') FROM records";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // Not there, if no server began.
    }
}

#[test]
fn what_was_shown_outlives_a_server_that_is_killed() {
    let shelf = Shelf::new();
    let mut server = shelf.server(&[]);
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    for content in ["раз", "два"] {
        anna.say(content);
        boris.hears("Анна", content);
    }
    server.signal("KILL");
    assert_eq!(server.exit_code(), None);
    assert_eq!(shelf.kept(), "1Аннараз 2Аннадва");

    let mut server = shelf.server(&[]);
    let place = format!("INFO messages are kept in {}", shelf.path().display());
    server.log().wait_for_line(&place);
    server
        .log()
        .wait_for_line("INFO the log was not closed in order; all of it was read, and it is whole");
    let [mut vera] = Peer::room(server.address(), ["Вера"]);
    vera.say("три");
    vera.hears("Вы", "три");
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
    assert_eq!(shelf.kept(), "1Аннараз 2Аннадва 3Вератри");
    let names = fs::read_dir(shelf.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let names: BTreeSet<_> = names.collect();
    assert_eq!(names, BTreeSet::from(["lock", "log.sqlite", "tls.pem"].map(Into::into)));
}

#[test]
fn only_as_many_messages_are_kept_as_the_file_says_now() {
    let shelf = Shelf::new();
    fs::create_dir_all(shelf.path()).unwrap();
    let file = shelf.path().join("pychat.toml");
    fs::write(&file, "history-messages = 5\n").unwrap();
    let server = shelf.server(&["--config", file.to_str().unwrap()]);
    let [mut anna] = Peer::room(server.address(), ["Анна"]);
    for content in ["a", "b", "c", "d", "e", "f", "g"] {
        anna.say(content);
        anna.hears("Вы", content);
    }
    wait_until("more are kept", || shelf.kept() == "3Аннаc 4Аннаd 5Аннаe 6Аннаf 7Аннаg");
    fs::write(&file, "history-messages = 1\ndurability = \"power\"\nstate-dir = \"/y\"\n").unwrap();
    server.signal("HUP");
    wait_until("more are kept", || shelf.kept() == "7Аннаg");
    server.log().wait_for_line("WARN durability has changed, which takes a restart");
}

#[test]
fn a_room_that_writes_much_has_it_moved_into_place_and_no_process_is_left() {
    let shelf = Shelf::new();
    let server = shelf.server(&[]);
    let [mut anna] = Peer::room(server.address(), ["Анна"]);
    let content = "x".repeat(50_000);
    for _ in 0..150 {
        anna.say(&content);
        anna.hears("Вы", &content);
    }
    let size = || fs::metadata(shelf.file()).unwrap().len();
    wait_until("nothing is moved", || 3 << 20 < size());
    let pid = server.pid();
    let children = || fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    wait_until("a process is left", || children().is_empty());
}

#[test]
fn the_folder_is_where_the_system_keeps_such_things() {
    for (variable, folder) in [("XDG_STATE_HOME", "pychat"), ("STATE_DIRECTORY", "")] {
        let shelf = Shelf::new();
        let mut command = program();
        command.args(["--listen=127.0.0.1:0", "--history=disk"]).env_remove("STATE_DIRECTORY");
        let server = Server::run(command.env(variable, shelf.path()), 1);
        assert!(shelf.path().join(folder).join("log.sqlite").exists(), "{variable}");
        drop(server);
    }
}
