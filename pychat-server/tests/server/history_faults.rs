//! Storage failures: the words and acts of a server that cannot keep what is said.

use std::{
    fs,
    process::{Command, Stdio},
};

use super::history::Shelf;
use crate::process::{Peer, Server, World};

/// The capacity of the disks of these tests, in bytes.
const DISK_BYTES: usize = 1 << 20;

#[test]
fn a_second_server_on_a_folder_is_refused() {
    let shelf = Shelf::new();
    let _first = shelf.server(&[]);
    assert_eq!(shelf.complaint(), "pychat-server: another server keeps its messages in DIR");
}

#[test]
fn a_file_that_cannot_be_used_is_named_and_left_as_it_is() {
    let shelf = Shelf::new();
    drop(shelf.server(&[]));
    rusqlite::Connection::open(shelf.file())
        .unwrap()
        .execute_batch("PRAGMA user_version = 16; PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    let newer = fs::read(shelf.file()).unwrap();
    assert_eq!(
        shelf.complaint(),
        "pychat-server: DIR/log.sqlite has version 16, and this server knows none above 15"
    );
    assert_eq!(fs::read(shelf.file()).unwrap(), newer);

    let mut damaged = newer;
    damaged[60..64].copy_from_slice(&14_u32.to_be_bytes());
    damaged[4_096..].fill(0xff);
    fs::write(shelf.file(), &damaged).unwrap();
    let complaint = shelf.complaint();
    assert!(complaint.starts_with("pychat-server: DIR/log.sqlite is damaged ("), "{complaint}");
    assert_eq!(fs::read(shelf.file()).unwrap(), damaged);
}

#[test]
fn a_full_disk_is_said_to_who_speaks_and_passes() {
    const NAME: &str = "server::history_faults::a_full_disk_is_said_to_who_speaks_and_passes";
    if World::Mounts.runs(NAME) {
        return;
    }
    let disk = Disk::mount();
    let shelf = &disk.0;
    let mut server = shelf.server(&["--durability=power", "--disk-reserve=0"]);
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    let large = "x".repeat(30_000);
    anna.say("before");
    anna.hears("Вы", "before");
    boris.hears("Анна", "before");

    let filler = shelf.path().join("filler");
    let full = fs::write(&filler, vec![0; DISK_BYTES]);
    assert_eq!(full.unwrap_err().kind(), std::io::ErrorKind::StorageFull, "or nothing is tried");
    for _ in 0..3 {
        anna.say(&large);
        anna.is_told("Not kept, so not sent: the server cannot store messages now (disk full).");
    }
    let line = "ERROR storage failed, so nobody can say anything: disk full";
    server.log().wait_for_line(line);

    fs::remove_file(&filler).unwrap();
    anna.say("after");
    anna.hears("Вы", "after");
    boris.hears("Анна", "after");
    server.log().wait_for_line("INFO storage works again");
    server.signal("TERM");
    let lines = server.whole_log();
    assert_eq!(lines.iter().filter(|logged| *logged == line).count(), 1, "{lines:?}");
    assert_eq!(shelf.kept(), "1Аннаbefore 2Аннаafter");
}

#[test]
fn what_is_to_stay_free_is_left_and_the_operator_told_once() {
    let shelf = Shelf::new();
    fs::create_dir_all(shelf.path()).unwrap();
    let file = shelf.path().join("pychat.toml");
    fs::write(&file, "disk-reserve = \"9000000000GiB\"\n").unwrap();
    let server = shelf.server(&["--config", file.to_str().unwrap()]);
    let [mut anna] = Peer::room(server.address(), ["Анна"]);
    for _ in 0..3 {
        anna.say("lost");
        anna.is_told("Not kept, so not sent: the server cannot store messages now (disk full).");
    }
    let line = "ERROR storage failed, so nobody can say anything: \
        less of the disk is free than disk-reserve";
    server.log().wait_for_line(line);
    fs::write(&file, "disk-reserve = 0\n").unwrap();
    server.signal("HUP");
    server.log().wait_for_line("INFO configuration re-read");
    anna.say("kept");
    anna.hears("Вы", "kept");
    server.log().wait_for_line("INFO storage works again");
    let lines = server.log().lines();
    assert_eq!(lines.iter().filter(|logged| *logged == line).count(), 1, "{lines:?}");
    assert_eq!(shelf.kept(), "1Аннаkept");
}

#[test]
fn a_write_that_fails_loses_nothing_and_is_tried_again() {
    let shelf = Shelf::new();
    // A file that may not grow fails its writes, if the signal that says so is not deadly.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]);
    let program = shelf.program();
    command.arg(program.get_program()).args(program.get_args()).stdin(Stdio::null());
    let server = Server::run(command.stdout(Stdio::null()).stderr(Stdio::piped()), 1);
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    let limit = |bytes: &str| {
        let pid = server.pid().to_string();
        run(Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:unlimited")]));
    };
    limit("1");
    anna.say("lost");
    anna.is_told(
        "Not kept, so not sent: the server cannot store messages now (input/output error).",
    );
    server.log().wait_for_line(
        "ERROR storage failed, so nobody can say anything: input/output error, SQLite 778",
    );
    limit("unlimited");
    anna.say("kept");
    anna.hears("Вы", "kept");
    boris.hears("Анна", "kept");
    server.log().wait_for_line("INFO storage works again");
    assert_eq!(shelf.kept(), "1Аннаkept");
}

#[test]
fn a_read_only_disk_is_named_at_the_start() {
    const NAME: &str = "server::history_faults::a_read_only_disk_is_named_at_the_start";
    if World::Mounts.runs(NAME) {
        return;
    }
    let disk = Disk::mount();
    let shelf = &disk.0;
    drop(shelf.server(&[]));
    let remount = ["-o", "remount,ro", shelf.path().to_str().unwrap()];
    run(Command::new("mount").args(remount));
    let reason = "Read-only file system (os error 30)";
    assert_eq!(shelf.complaint(), format!("pychat-server: cannot write DIR/lock: {reason}"));
}

/// A small disk, with a shelf on it.
struct Disk(Shelf);

impl Disk {
    fn mount() -> Self {
        let shelf = Shelf::new();
        fs::create_dir_all(shelf.path()).unwrap();
        let size = format!("size={DISK_BYTES}");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(shelf.path()));
        Self(shelf)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A server that was killed a moment ago may still hold it, and the namespace ends anyway.
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[track_caller]
fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}
