//! The log that the operator reads.

use std::time::Instant;

use crate::process::{GOODBYE, Peer, STILL_WAITING, Server, frame, hello, text, welcome};

#[test]
fn every_line_is_as_the_operator_expects_it() {
    let mut server = Server::start();
    let address = server.address();
    let mut anna = Peer::join(address, "Анна", &[]);
    let anna_at = anna.address();

    let mut guest = Peer::guest(address);
    let guest_at = guest.address();
    guest.send(hello("Бо\nрис") + &text("рано"));
    guest.is_told("Choose another name: a name may not hold the character U+000A.");
    guest.is_told(STILL_WAITING);
    guest.send("0:");
    guest.hears_the_end();
    drop(guest);
    server.log().wait_for_line(&format!("INFO a guest left from {guest_at}: quit"));

    let mut boris = Peer::join(address, "Борис", &["Анна"]);
    let boris_at = boris.address();
    boris.send(hello("Вера") + &frame("{}") + "x");
    boris.is_told("Not understood: the payload has no \"type\".");
    boris.is_told("Connection closed: `x` where a frame's length should stand. Bye!\n");
    boris.hears_the_end();
    drop(boris);
    let left = format!("INFO \"Борис\" left from {boris_at}: protocol");
    server.log().wait_for_line(&left);

    let vera = Peer::join(address, "Вера", &["Анна"]);
    let vera_at = vera.address();
    vera.reset();
    server.log().wait_for_line(&format!("INFO \"Вера\" left from {vera_at}: lost"));

    server.signal("TERM");
    anna.is_told(GOODBYE);
    anna.hears_the_end();
    drop(anna);
    let version = env!("CARGO_PKG_VERSION");
    let expected = [
        format!("INFO pychat-server {version} started"),
        format!("INFO listening on {address}"),
        format!("INFO \"Анна\" joined from {anna_at}"),
        format!(
            "INFO refused from a guest at {guest_at}: a name may not hold the character U+000A"
        ),
        format!("INFO refused from a guest at {guest_at}: a text before a hello"),
        format!("INFO a guest left from {guest_at}: quit"),
        format!("INFO \"Борис\" joined from {boris_at}"),
        format!("INFO refused from \"Борис\" at {boris_at}: a second hello"),
        format!("INFO refused from \"Борис\" at {boris_at}: the payload has no \"type\""),
        format!(
            "INFO refused from \"Борис\" at {boris_at}: \
             `x` where a frame's length should stand"
        ),
        left,
        format!("INFO \"Вера\" joined from {vera_at}"),
        format!("INFO \"Вера\" left from {vera_at}: lost"),
        "INFO stopping: saying goodbye to 1 connections".to_owned(),
        format!("INFO \"Анна\" left from {anna_at}: shutdown"),
        "INFO stopped".to_owned(),
    ];
    assert_eq!(server.whole_log(), expected);
}

#[test]
fn what_people_say_is_never_in_the_log() {
    let mut server = Server::start();
    let mut anna = Peer::guest(server.address());
    let secret = "тайна";
    anna.send(text(secret) + &hello("Анна") + &text(secret));
    anna.is_told(STILL_WAITING);
    anna.is_told(&welcome("Анна", &[]));
    anna.hears("Вы", secret);
    for said_badly in [
        format!("\"{secret}\""),
        format!("[\"{secret}\"]"),
        format!("{{\"{secret}"),
        secret.to_owned(),
        format!(r#"{{"type":"text","content":["{secret}"]}}"#),
        format!(r#"{{"content":"{secret}"}}"#),
    ] {
        anna.send(frame(&said_badly));
        anna.message();
    }
    anna.send(secret); // No frame at all.
    anna.message();
    anna.hears_the_end();
    drop(anna);
    server.signal("TERM");
    for line in server.whole_log() {
        assert!(!line.contains(secret), "{line}");
    }
}

#[test]
fn a_name_cannot_forge_a_line() {
    let mut server = Server::start();
    let forged = "x left from 1.2.3.4:5: quit";
    let anna = Peer::join(server.address(), forged, &[]);
    let address = anna.address();
    server
        .log()
        .wait_for_line(&format!("INFO \"x left from 1.2.3.4:5: quit\" joined from {address}"));
    let mut guest = Peer::guest(server.address());
    for ending in ["\"", "\\", "\n", "\r", "\u{85}", "\u{2028}"] {
        let name = format!("x{ending}INFO stopped");
        guest.send(hello(&name));
        let answer = guest.message().content;
        assert!(answer.starts_with("Choose another name: a name may not hold"), "{answer}");
    }
    drop((anna, guest));
    server.signal("TERM");
    let lines = server.whole_log();
    assert_eq!(lines.iter().filter(|line| line.ends_with(" stopped")).count(), 1, "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("INFO stopped") && line != "INFO stopped"));
}

#[test]
fn a_rude_peer_does_not_fill_the_log() {
    let begin = Instant::now();
    let mut server = Server::with(&["--flood=off"]);
    let mut anna = Peer::join(server.address(), "Анна", &[]);
    for _ in 0..10 {
        anna.send(frame("{}").repeat(10) + &text("простите"));
        while anna.message().author != "Вы" {}
    }
    drop(anna);
    server.signal("TERM");
    let lines = server.whole_log();
    let about_anna =
        lines.iter().filter(|line| line.contains("127.0.0.1:") && !line.contains("on"));
    let (logged, seconds) =
        (about_anna.count(), usize::try_from(begin.elapsed().as_secs()).unwrap());
    assert!((32..=33 + seconds).contains(&logged), "{logged} lines in {seconds} s");
}
