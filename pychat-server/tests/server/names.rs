//! Names as people ask for them and as they get them.

use crate::process::{Peer, STILL_WAITING, Server, hello, joined, left, text, welcome};

#[test]
fn a_name_is_trimmed() {
    let server = Server::start();
    let [mut boris] = Peer::room(server.address(), ["Борис"]);
    let mut anna = Peer::guest(server.address());
    anna.send(hello(" \u{a0}Анна Мария\t\n"));
    anna.is_told(&welcome("Анна Мария", &["Борис"]));
    boris.is_told(&joined("Анна Мария"));
}

#[test]
fn a_taken_name_is_given_a_number_and_a_free_one_is_not() {
    let server = Server::start();
    let mut first = Peer::join(server.address(), "Анна", &[]);
    let mut people = vec!["Анна"];
    let mut latest = Vec::new();
    for (asked, given) in [
        ("Анна", "Анна (2)"),
        ("Анна", "Анна (3)"),
        ("анна", "анна (4)"),
        ("Aннa", "Aннa (5)"), // Two of the letters are Latin.
        ("Анна (2)", "Анна (2) (2)"),
        ("Ann", "Ann"),
    ] {
        let mut peer = Peer::guest(server.address());
        peer.send(hello(asked));
        peer.is_told(&welcome(given, &people));
        first.is_told(&joined(given));
        people.push(given);
        latest.push(peer);
    }

    drop(latest.remove(0));
    first.is_told(&left("Анна (2)"));
    let mut again = Peer::guest(server.address());
    again.send(hello("Анна") + &text("снова"));
    first.is_told(&joined("Анна (2)"));
    first.hears("Анна (2)", "снова");
}

#[test]
fn a_name_that_breaks_a_rule_is_refused_and_the_guest_can_go_on() {
    let server = Server::start();
    let [mut boris] = Peer::room(server.address(), ["Борис"]);
    let mut guest = Peer::guest(server.address());
    let too_long = "ж".repeat(33);
    let reserved = "this name is kept for the chat itself";
    for (name, reason) in [
        (too_long.as_str(), "a name may have at most 32 characters, not 33"),
        ("Ан\nна", "a name may not hold the character U+000A"),
        ("Ан\u{202e}на", "a name may not hold the character U+202E"),
        ("Сервер Чата", reserved),
        ("сервер чата", reserved),
        ("Вы", reserved),
        ("Bы", reserved), // The first letter is Latin.
    ] {
        guest.send(hello(name));
        guest.is_told(&format!("Choose another name: {reason}."));
    }
    let longest = "ж".repeat(32);
    guest.send(hello(&longest));
    guest.is_told(&welcome(&longest, &["Борис"]));
    boris.is_told(&joined(&longest));
}

#[test]
fn an_empty_name_is_no_name_as_with_the_original() {
    let server = Server::start();
    let mut guest = Peer::guest(server.address());
    for name in ["", " \t\n ", "\u{3000}"] {
        guest.send(hello(name));
        guest.is_told(STILL_WAITING);
    }
    guest.send(hello("Анна"));
    guest.is_told(&welcome("Анна", &[]));
}
