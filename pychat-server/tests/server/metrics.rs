//! The file of metrics for a collector.

use std::fs;

use super::history::Shelf;
use crate::process::{Peer, wait_until};

#[test]
fn a_collector_finds_the_state_of_the_server_and_no_name() {
    let shelf = Shelf::new();
    fs::create_dir(shelf.path()).unwrap();
    let path = shelf.path().join("pychat.prom");
    let mut server = shelf.server(&["--metrics-file", path.to_str().unwrap()]);
    wait_until("no metrics are there", || path.exists());
    let first = fs::read_to_string(&path).unwrap();
    assert!(first.contains("\npychat_people 0\n"), "{first}");

    let mut anna = Peer::join(server.address(), "Анна", &[]);
    anna.say("секрет");
    anna.hears("Вы", "секрет");
    let called = super::control::ctl(&shelf, &["stats", "--prometheus"]);
    for line in [
        "pychat_people 1",
        "pychat_connections 1",
        "pychat_records_stored_total 1",
        "pychat_hall_last_message 1",
        "pychat_storage_failing 0",
    ] {
        assert!(called.lines().any(|it| it == line), "{line}: {called}");
    }
    assert!(!called.contains("Анна") && !called.contains("секрет"), "{called}");

    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
    assert!(!path.exists(), "there is nothing more to tell");
}

#[test]
fn a_file_that_cannot_be_written_is_told_of_and_stops_nothing() {
    let shelf = Shelf::new();
    let server = shelf.server(&["--metrics-file=/nowhere/pychat.prom"]);
    server.log().wait_for(|lines| {
        let words = "WARN cannot write metrics to /nowhere/pychat.prom, will try again: ";
        lines.iter().any(|line| line.starts_with(words)).then_some(())
    });
    Peer::join(server.address(), "Анна", &[]);
    let both = super::control::call(&shelf, &["stats", "--json", "--prometheus"]);
    assert!(super::control::refused(both, 2).contains("do not go together"));
}
