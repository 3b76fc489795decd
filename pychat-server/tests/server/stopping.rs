//! Signals: the server says goodbye, pays what it owes as far as anybody reads, and stops.

use std::net::TcpStream;

use super::kernel::{CONTENT_BYTES, join_without_reading};
use crate::process::{GOODBYE, Peer, Server};

#[test]
fn everybody_is_told_goodbye_guests_too() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start();
        let [anna, boris] = Peer::room(server.address(), ["Анна", "Борис"]);
        let guest = Peer::guest(server.address());
        server.signal(signal);
        for mut peer in [guest, boris, anna] {
            peer.is_told(GOODBYE);
            peer.hears_the_end();
        }
        assert_eq!(server.exit_code(), Some(0), "{signal}");
        assert_eq!(server.whole_log().last().unwrap(), "INFO stopped");
    }
}

#[test]
fn a_server_without_anybody_stops_too() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start();
        server.signal(signal);
        assert_eq!(server.exit_code(), Some(0), "{signal}");
    }
}

#[test]
fn a_server_that_says_goodbye_takes_no_more_calls() {
    // Where no other test listens, so that nobody else can answer.
    let server = Server::listening_on(&["127.0.0.2:0"]);
    let mut anna = Peer::join(server.address(), "Анна", &[]);
    server.signal("TERM");
    anna.is_told(GOODBYE);
    TcpStream::connect(server.address()).unwrap_err();
}

#[test]
fn who_reads_late_still_gets_all_that_it_is_owed_and_the_goodbye() {
    let mut server = Server::start();
    let [mut anna] = Peer::room(server.address(), ["Анна"]);
    let (mut sonya, texts) = join_without_reading(&server, &mut anna);
    server.signal("TERM");
    anna.is_told(GOODBYE);
    anna.hears_the_end();
    let content = "x".repeat(CONTENT_BYTES);
    for _ in 0..texts {
        sonya.hears("Анна", &content);
    }
    sonya.is_told(GOODBYE);
    sonya.hears_the_end();
    drop((anna, sonya));
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn who_never_reads_cannot_keep_the_server_from_stopping() {
    let mut server = Server::start();
    let [mut anna] = Peer::room(server.address(), ["Анна"]);
    let (sonya, _) = join_without_reading(&server, &mut anna);
    server.signal("TERM");
    anna.is_told(GOODBYE);
    anna.hears_the_end();
    assert_eq!(server.exit_code(), Some(0));
    drop(sonya);
}

#[test]
fn a_second_signal_stops_at_once() {
    let mut server = Server::start();
    let [mut anna] = Peer::room(server.address(), ["Анна"]);
    let (sonya, _) = join_without_reading(&server, &mut anna);
    server.freeze();
    server.signal("TERM");
    server.signal("INT");
    server.thaw();
    assert_eq!(server.exit_code(), Some(0));
    // Had the server waited for anything, it would at least have parted with Анна.
    let forgotten = "WARN stopped: 2 connections had not taken all they were owed";
    assert_eq!(server.whole_log().last().unwrap(), forgotten);
    drop(sonya);
}

#[test]
fn signals_that_ask_for_nothing_do_no_harm() {
    let server = Server::start();
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    for signal in ["HUP", "PIPE"] {
        server.signal(signal);
        anna.say(signal);
        anna.hears("Вы", signal);
        boris.hears("Анна", signal);
    }
    server.log().wait_for_line("INFO nothing to re-read: there is no configuration file");
    anna.say("дальше");
    boris.hears("Анна", "дальше");
}
