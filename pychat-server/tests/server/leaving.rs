//! However somebody leaves, the others hear it, once.

use std::ops::Range;

use crate::process::{GREETING, Peer, Server, hello, joined, left, text, welcome};

/// After this, `witness` has heard all that there was to hear before it.
#[track_caller]
fn hears_nothing_more(witness: &mut Peer) {
    witness.say("тишина");
    witness.hears("Вы", "тишина");
}

#[test]
fn an_empty_frame_is_a_goodbye() {
    let server = Server::start();
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    boris.send(text("пока") + "0:" + &text("больше ничего"));
    boris.hears("Вы", "пока");
    boris.hears_the_end();
    anna.hears("Борис", "пока");
    anna.is_told(&left("Борис"));
    hears_nothing_more(&mut anna);

    let mut guest = Peer::guest(server.address());
    guest.send("0:");
    guest.hears_the_end();
    hears_nothing_more(&mut anna);
}

#[test]
fn a_half_closed_client_is_flushed_and_the_others_hear_it_left() {
    let server = Server::start();
    let [mut anna] = Peer::room(server.address(), ["Анна"]);
    let mut boris = Peer::connect(server.address());
    boris.send(hello("Борис") + &text("и всё"));
    boris.shut();
    boris.is_told(GREETING);
    boris.is_told(&welcome("Борис", &["Анна"]));
    boris.hears("Вы", "и всё");
    boris.hears_the_end();
    anna.is_told(&joined("Борис"));
    anna.hears("Борис", "и всё");
    anna.is_told(&left("Борис"));
    hears_nothing_more(&mut anna);
}

#[test]
fn a_half_closed_client_gets_all_that_it_is_owed_however_much_that_is() {
    let server = Server::start();
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    let content = "x".repeat(60_000);
    boris.send(text(&content).repeat(15));
    boris.shut();
    for _ in 0..15 {
        anna.hears("Борис", &content);
    }
    anna.is_told(&left("Борис"));
    for _ in 0..15 {
        boris.hears("Вы", &content);
    }
    boris.hears_the_end();
}

#[test]
fn a_half_close_within_a_frame_leaves_that_frame_unsaid() {
    let server = Server::start();
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    let part = &text("part")[..20];
    boris.send(text("целое") + part);
    boris.shut();
    boris.hears("Вы", "целое");
    boris.hears_the_end();
    anna.hears("Борис", "целое");
    anna.is_told(&left("Борис"));
    hears_nothing_more(&mut anna);
}

#[test]
fn a_guest_that_leaves_goes_unnoticed() {
    let server = Server::start();
    let [mut anna] = Peer::room(server.address(), ["Анна"]);
    let half_hello = hello("Boris")[..20].to_owned();
    for (said, is_reset, reason) in [
        (String::new(), false, "quit"),
        (half_hello.clone(), false, "quit"),
        (String::new(), true, "lost"),
        (half_hello, true, "lost"),
    ] {
        let mut guest = Peer::guest(server.address());
        let address = guest.address();
        guest.send(said);
        if is_reset {
            guest.reset();
        } else {
            drop(guest);
        }
        server.log().wait_for_line(&format!("INFO a guest left from {address}: {reason}"));
        hears_nothing_more(&mut anna);
    }
}

#[test]
fn a_reset_line_is_a_leave_at_whatever_moment_it_breaks() {
    let words = hello("Борис") + &text("раз") + &text("два");
    let after_hello = hello("Борис").len();
    let whole = [after_hello, after_hello + text("раз").len(), words.len()];
    let amid_a_frame = |range: Range<usize>| range.step_by(7);
    let moments = amid_a_frame(after_hello + 1..words.len()).chain(whole);
    let server = Server::start();
    let [mut anna] = Peer::room(server.address(), ["Анна"]);
    for moment in moments {
        let mut boris = Peer::guest(server.address());
        let address = boris.address();
        boris.send(&words.as_bytes()[..moment]);
        // A reset takes back what was sent and not yet read: let all of it be read first.
        anna.is_told(&joined("Борис"));
        for (content, end) in [("раз", whole[1]), ("два", whole[2])] {
            if end <= moment {
                anna.hears("Борис", content);
            }
        }
        boris.reset();
        anna.is_told(&left("Борис"));
        hears_nothing_more(&mut anna);
        server.log().wait_for_line(&format!("INFO \"Борис\" left from {address}: lost"));
    }
}

#[test]
fn a_line_that_breaks_under_what_it_is_owed_harms_nobody_else() {
    let server = Server::start();
    let [mut anna, mut boris, mut vera] = Peer::room(server.address(), ["Анна", "Борис", "Вера"]);
    let content = "x".repeat(60_000);
    for _ in 0..10 {
        anna.say(&content);
        anna.hears("Вы", &content);
        vera.hears("Анна", &content);
    }
    boris.say("последнее");
    anna.hears("Борис", "последнее");
    vera.hears("Борис", "последнее");
    boris.reset(); // With 600 000 bytes that it never read.
    for other in [&mut anna, &mut vera] {
        other.is_told(&left("Борис"));
    }
    hears_nothing_more(&mut anna);
    vera.hears("Анна", "тишина");
}
