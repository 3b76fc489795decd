//! A line that is reset, at every step of a connection's life.
//!
//! At each step, the others hear of it once and talk on, the log says how the line ended, and the
//! server keeps nothing of it.

use std::{net::SocketAddr, time::Instant};

use pychat_server::{reactor::DRAIN_TIMEOUT, server::CLOSING_TIMEOUT};

use super::kernel::{end_at, join_without_reading};
use crate::process::{GOODBYE, GREETING, Peer, Server, hello, joined, left, text, wait_until};

/// After this, `anna` has heard all that there was to hear before it.
#[track_caller]
fn hears_nothing_more(anna: &mut Peer) {
    anna.say("тишина");
    anna.hears("Вы", "тишина");
}

/// Waits until the server has read all that `peer` sent.
#[track_caller]
fn is_taken(server: SocketAddr, peer: SocketAddr) {
    wait_until("the server does not read", || {
        end_at(peer, server).unacknowledged == 0 && end_at(server, peer).unread == 0
    });
}

#[test]
fn a_guest_whose_line_is_reset_leaves_nothing_behind() {
    let half_a_hello = hello("Boris")[..20].to_owned();
    let garbled = "16:{\"type\":\"hello\"}";
    let server = Server::start();
    let mut anna = Peer::join(server.address(), "Анна", &[]);
    let base = server.descriptors();
    for (step, said, is_greeting_read) in [
        ("before the greeting is read", "", false),
        ("after the greeting", "", true),
        ("amid a length, the greeting unread", "3", false),
        ("amid a length", "3", true),
        ("amid a payload, the greeting unread", &half_a_hello, false),
        ("amid a payload", &half_a_hello, true),
        ("amid a bare object", "{\"type\":", true),
        ("after what is no hello", garbled, true),
    ] {
        let mut guest = Peer::connect(server.address());
        let address = guest.address();
        guest.send(said);
        wait_until("there is no greeting", || 0 < end_at(address, server.address()).unread);
        if is_greeting_read {
            guest.is_told(GREETING);
        }
        is_taken(server.address(), address);
        guest.reset();
        server.log().wait_for_line(&format!("INFO a guest left from {address}: lost"));
        hears_nothing_more(&mut anna);
        assert!(server.descriptors() <= base + 1, "{step}");
    }
    server.wait_for_descriptors(base);
}

#[test]
fn a_reset_after_a_hello_is_a_leave_though_the_welcome_was_never_read() {
    let server = Server::start();
    let mut anna = Peer::join(server.address(), "Анна", &[]);
    let base = server.descriptors();
    let mut boris = Peer::connect(server.address());
    let address = boris.address();
    boris.send(hello("Борис"));
    anna.is_told(&joined("Борис"));
    boris.reset();
    anna.is_told(&left("Борис"));
    hears_nothing_more(&mut anna);
    server.log().wait_for_line(&format!("INFO \"Борис\" left from {address}: lost"));
    server.wait_for_descriptors(base);
}

#[test]
fn a_reset_amid_a_flood_is_a_leave_after_what_was_read_of_it() {
    const TEXTS: usize = 2_000;
    let server = Server::start();
    let mut anna = Peer::join(server.address(), "Анна", &[]);
    let base = server.descriptors();
    let mut boris = Peer::join(server.address(), "Борис", &["Анна"]);
    let address = boris.address();
    anna.is_told(&joined("Борис"));
    let flood: String = (0..TEXTS).map(|number| text(&number.to_string())).collect();
    boris.send(&flood[..flood.len() - 5]); // Its last text is never whole.
    anna.hears("Борис", "0");
    boris.reset();
    let mut number = 1;
    loop {
        let message = anna.message();
        if message.author == "Борис" {
            assert_eq!(message.content, number.to_string());
            number += 1;
        } else {
            assert_eq!(message.content, left("Борис"));
            break;
        }
    }
    assert!(number < TEXTS);
    hears_nothing_more(&mut anna);
    server.log().wait_for_line(&format!("INFO \"Борис\" left from {address}: lost"));
    server.wait_for_descriptors(base);
}

#[test]
fn a_reset_under_a_backlog_is_a_leave() {
    let server = Server::start();
    let mut anna = Peer::join(server.address(), "Анна", &[]);
    let base = server.descriptors();
    let sonya = join_without_reading(&server, &mut anna).0;
    let address = sonya.address();
    sonya.reset();
    anna.is_told(&left("Соня"));
    hears_nothing_more(&mut anna);
    server.log().wait_for_line(&format!("INFO \"Соня\" left from {address}: lost"));
    server.wait_for_descriptors(base);
}

#[test]
fn a_reset_while_closing_ends_the_closing() {
    let server = Server::start();
    let mut anna = Peer::join(server.address(), "Анна", &[]);
    let base = server.descriptors();
    let mut sonya = join_without_reading(&server, &mut anna).0;
    let address = sonya.address();
    let begin = Instant::now();
    sonya.send("nonsense");
    anna.is_told(&left("Соня"));
    server.log().wait_for_line(&format!("INFO \"Соня\" left from {address}: protocol"));
    assert_eq!(server.descriptors(), base + 1, "the server goes on flushing");
    sonya.reset();
    server.wait_for_descriptors(base);
    assert!(begin.elapsed() < CLOSING_TIMEOUT, "the reset goes unnoticed");
    hears_nothing_more(&mut anna);
}

#[test]
fn a_reset_while_the_server_drains_lets_it_stop() {
    let mut server = Server::start();
    let mut anna = Peer::join(server.address(), "Анна", &[]);
    let sonya = join_without_reading(&server, &mut anna).0;
    let begin = Instant::now();
    server.signal("TERM");
    anna.is_told(GOODBYE);
    anna.hears_the_end();
    drop(anna);
    sonya.reset();
    assert_eq!(server.exit_code(), Some(0));
    assert!(begin.elapsed() < DRAIN_TIMEOUT, "the reset goes unnoticed");
    assert_eq!(server.whole_log().last().unwrap(), "INFO stopped");
}
