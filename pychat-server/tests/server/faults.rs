//! Peers who are slow, endless or too large, and what the others notice of it: nothing.

use std::time::{Duration, Instant};

use super::kernel::end_at;
use crate::process::{
    GREETING, Message, Peer, Server, frame, hello, joined, text, wait_until, welcome,
};

#[test]
fn nobody_waits_for_who_sends_a_byte_at_a_time() {
    let server = Server::start();
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    let mut vera = Peer::guest(server.address());
    let ends = (vera.address(), server.address());
    for (number, byte) in hello("Вера").bytes().enumerate() {
        // The next byte is not there before the others have talked over the one before it.
        wait_until("the server does not read a byte", || {
            end_at(ends.0, ends.1).unacknowledged == 0 && end_at(ends.1, ends.0).unread == 0
        });
        let content = format!("слово {number}");
        anna.say(&content);
        anna.hears("Вы", &content);
        boris.hears("Анна", &content);
        vera.send([byte]);
    }
    vera.is_told(&welcome("Вера", &["Анна", "Борис"]));
    anna.is_told(&joined("Вера"));
    boris.is_told(&joined("Вера"));
    for (number, byte) in text("наконец").bytes().enumerate() {
        let content = format!("ещё слово {number}");
        boris.say(&content);
        boris.hears("Вы", &content);
        anna.hears("Борис", &content);
        vera.hears("Борис", &content);
        vera.send([byte]);
    }
    vera.hears("Вы", "наконец");
    anna.hears("Вера", "наконец");
    boris.hears("Вера", "наконец");
}

#[test]
fn the_default_pace_keeps_a_flood_from_those_who_talk() {
    const FLOOD: usize = 500;
    const PEOPLE: usize = 9;
    const TEXTS: usize = 8; // Within a burst.
    let server = Server::with(&[]);
    let [mut flood] = Peer::room(server.address(), ["Поток"]);
    let mut names = vec!["Поток".to_owned()];
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        let name = format!("Гость {number}");
        let before: Vec<_> = names.iter().map(String::as_str).collect();
        people.push(Peer::join(server.address(), &name, &before));
        names.push(name);
    }
    let begin = Instant::now();
    flood.send((0..FLOOD).map(|number| text(&number.to_string())).collect::<String>());
    for person in &mut people {
        person.send(text("слово").repeat(TEXTS));
    }
    for (number, person) in people.iter_mut().enumerate() {
        let (mut words, mut flooded) = (0, 0);
        while words < PEOPLE * TEXTS {
            let message = person.message();
            if message.author == "Поток" {
                assert_eq!(message.content, flooded.to_string(), "in order, none missing");
                flooded += 1;
            }
            words += usize::from(message.content == "слово");
        }
        // Ten at once and one each fifth of a second.
        let most = 10 + 1 + begin.elapsed().as_millis() / 200;
        assert!((flooded as u128) <= most, "{number} hears {flooded} of the flood");
        assert!(flooded < FLOOD, "the flood is over before it was held back");
    }
    // What was held back is not lost: it comes at its pace.
    let before = Instant::now();
    let mut own = 0;
    while before.elapsed() < Duration::from_secs(1) {
        own += usize::from(flood.message().author == "Вы");
    }
    assert!(5 <= own, "the flood stands still");
}

#[test]
fn a_hello_of_64_kib_is_heard_and_one_byte_more_is_not() {
    const PAYLOAD_MAX: usize = 65_536;
    let server = Server::start();
    let with_padding = |name: &str, size: usize| {
        let empty = format!(r#"{{"type":"hello","username":"{name}","padding":""}}"#);
        let padding = "x".repeat(size - empty.len());
        frame(&format!(r#"{{"type":"hello","username":"{name}","padding":"{padding}"}}"#))
    };
    let mut anna = Peer::guest(server.address());
    anna.send(with_padding("Анна", PAYLOAD_MAX));
    anna.is_told(&welcome("Анна", &[]));

    let empty = r#"{"type":"hello","username":""}"#;
    let chars = PAYLOAD_MAX - empty.len();
    let mut boris = Peer::guest(server.address());
    boris.send(hello(&"б".repeat(chars / 2)));
    let why = format!("a name may have at most 32 characters, not {}", chars / 2);
    boris.is_told(&format!("Choose another name: {why}."));
    boris.send(hello("Борис"));
    boris.is_told(&welcome("Борис", &["Анна"]));
    anna.is_told(&joined("Борис"));

    let mut vera = Peer::connect(server.address());
    vera.send(with_padding("Вера", PAYLOAD_MAX + 1));
    assert_eq!(vera.message(), Message::notice(GREETING));
    vera.is_told("Connection closed: a payload of more than 65536 bytes. Bye!\n");
    vera.hears_the_end();
}
