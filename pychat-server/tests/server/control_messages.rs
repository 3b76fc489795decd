//! Messages that an operator on the machine lists, removes and brings back.

use super::{
    control::{call, ctl, refused},
    history::Shelf,
    second::{join_two, next, receives, text_two},
};
use crate::process::{Peer, frame};

/// Returns the listed messages, without the times.
#[track_caller]
fn listed(shelf: &Shelf, words: &[&str]) -> Vec<String> {
    let listed = ctl(shelf, &[&["messages"], words].concat());
    let without_time = |line: &str| {
        let parts: Vec<_> = line.trim_start().split("  ").collect();
        assert!(parts[1].starts_with("20") && parts[1].ends_with('Z'), "{line}");
        [&parts[..1], &parts[2..]].concat().join("  ")
    };
    listed.lines().map(without_time).collect()
}

/// Returns an amendment of message 1 of the hall by somebody on the machine.
fn amendment(kind: &str, seq: u64, words: &str) -> String {
    let by = caller();
    format!(r#"{{"type":"{kind}","target":1{words},"seq":{seq},"time":T,"username":"{by}"}}"#)
}

/// Returns the name by which a server knows this process.
fn caller() -> String {
    let user = rustix::process::geteuid();
    if user.is_root() { "root".to_owned() } else { format!("uid {}", user.as_raw()) }
}

#[test]
fn a_message_is_found_removed_and_brought_back() {
    let shelf = Shelf::new();
    let mut server = shelf.server(&[]);
    let mut anna = join_two(&server, "Анна");
    assert_eq!(ctl(&shelf, &["messages"]), "There are no messages.");
    anna.send(text_two("1", "спам\\nи ещё") + &text_two("2", "hi"));
    for _ in 0..2 {
        next(&mut anna);
    }
    assert_eq!(listed(&shelf, &[]), ["1  Анна  спам и ещё", "2  Анна  hi"]);
    assert_eq!(listed(&shelf, &["--count", "1"]), ["2  Анна  hi"]);
    assert_eq!(listed(&shelf, &["--before", "2"]), ["1  Анна  спам и ещё"]);

    let removed = "Message 1 in the hall is removed; it can be restored for 7 days.";
    assert_eq!(ctl(&shelf, &["remove", "1"]), removed);
    receives(&mut anna, &[&amendment("delete", 3, "")]);
    assert_eq!(listed(&shelf, &["--count", "9"]), ["1  Анна  (deleted)", "2  Анна  hi"]);
    assert_eq!(
        refused(call(&shelf, &["remove", "1"]), 1),
        "There is no message 1 in the hall, or no longer."
    );
    drop(anna);
    server.signal("KILL");
    server.exit_code();

    let server = shelf.server(&[]);
    let mut anna = join_two(&server, "Анна");
    assert_eq!(ctl(&shelf, &["restore", "1"]), "Message 1 in the hall is there again.");
    receives(&mut anna, &[&amendment("restore", 4, r#","content":"спам\nи ещё""#)]);
    assert_eq!(listed(&shelf, &["--count", "1", "--before", "2"]), ["1  Анна  спам и ещё"]);
    assert_eq!(
        refused(call(&shelf, &["restore", "1"]), 1),
        "There is nothing to restore of message 1 in the hall: no operator removed it, or too long ago."
    );
    let records = ctl(&shelf, &["audit"]);
    let by = caller();
    for (record, verb) in records.lines().zip(["delete", "restore"]) {
        let expected = format!("  {by}  {verb}  Анна  message 1 in the hall");
        assert!(record.ends_with(&expected), "{records}");
    }
    assert_eq!(records.lines().count(), 2);
}

#[test]
fn what_is_said_in_protocol_1_is_removed_too_and_nobody_there_hears_of_it() {
    let shelf = Shelf::new();
    let server = shelf.server(&[]);
    let [mut boris] = Peer::room(server.address(), ["Борис"]);
    boris.say("spam");
    boris.hears("Вы", "spam");
    let removed = ctl(&shelf, &["remove", "1", "--json"]);
    let expected = r#"{"type":"done","text":"Message 1 in the hall is removed; it can be restored for 7 days."}"#;
    assert_eq!(removed, expected);
    let messages = ctl(&shelf, &["messages", "--json"]);
    assert!(messages.starts_with(r#"{"type":"messages","messages":[{"number":1,"time_ms":"#));
    let expected = r#","author":"Борис","words":"","deleted":true,"event":null}]}"#;
    assert!(messages.ends_with(expected), "{messages}");
    boris.say("hi");
    boris.hears("Вы", "hi");
}

#[test]
fn messages_are_removed_in_every_room_but_direct_ones() {
    let shelf = Shelf::new();
    let server = shelf.server(&[]);
    let (mut anna, _boris) = (join_two(&server, "Анна"), join_two(&server, "Борис"));
    for said in [
        r#"{"type":"create_room","id":"1","kind":"closed","name":"Сад"}"#,
        r#"{"type":"text","room":"r1","id":"2","content":"spam"}"#,
        r#"{"type":"direct","id":"3","with":["Борис"]}"#,
        r#"{"type":"text","room":"r2","id":"4","content":"private"}"#,
    ] {
        anna.send(frame(said));
        let (_, id) = said.split_once(r#""id":"#).unwrap();
        let id = format!(r#""id":{}"#, &id[..3]);
        while !next(&mut anna).contains(&id) {}
    }
    let rooms = "hall  (2 people here, last number 0)\nr1  Сад  (closed, 1 person, last number 2)";
    assert_eq!(ctl(&shelf, &["rooms"]), rooms);
    let rooms = ctl(&shelf, &["rooms", "--json"]);
    let closed = r#"{"room":"r1","kind":"closed","name":"Сад","members":1,"last":2}]}"#;
    assert!(rooms.ends_with(closed), "{rooms}");
    let shown = ["1  Анна  (created Сад)", "2  Анна  spam"];
    assert_eq!(listed(&shelf, &["--room", "r1"]), shown);
    ctl(&shelf, &["remove", "2", "--room", "r1"]);
    while !next(&mut anna).contains(r#"{"type":"delete","target":2,"room":"r1","seq":3"#) {}
    assert_eq!(listed(&shelf, &["--room", "r1", "--before", "9"])[1], "2  Анна  (deleted)");
    let direct = "r2 is a direct room: nobody removes messages of others there.";
    for words in [&["messages"][..], &["remove", "2"], &["restore", "2"]] {
        for (room, expected) in [("r2", direct), ("r9", "There is no room r9.")] {
            let words = [words, &["--room", room]].concat();
            assert_eq!(refused(call(&shelf, &words), 1), expected, "{words:?}");
        }
    }
    assert_eq!(
        refused(call(&shelf, &["remove", "1", "--room", "r1"]), 1),
        "There is no message 1 in r1, or no longer."
    );
}
