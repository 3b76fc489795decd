//! Each limit set low, met, and what happens beyond it.

use std::time::{Duration, Instant};

use crate::process::{GREETING, Message, Peer, Server, frame, hello, left, text};

#[test]
fn a_payload_over_the_limit_is_a_framing_error() {
    let server = Server::with(&["--payload-max=1KiB"]);
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    let room_for = 1_024 - frame(r#"{"type":"text","content":""}"#).len() + 3;
    let widest = "x".repeat(room_for);
    anna.say(&widest);
    anna.hears("Вы", &widest);
    boris.hears("Анна", &widest);
    anna.send("1025:");
    anna.is_told("Connection closed: a payload of more than 1024 bytes. Bye!\n");
    anna.hears_the_end();
    boris.is_told(&left("Анна"));
}

#[test]
fn a_small_backlog_is_enough_for_who_reads_and_cuts_who_does_not() {
    let flags = ["--flood=off", "--payload-max=64KiB", "--backlog-max=64KiB"];
    let server = Server::with(&flags);
    let [mut anna, mut boris, sonya] = Peer::room(server.address(), ["Анна", "Борис", "Соня"]);
    let address = sonya.address();
    let content = "x".repeat(50_000);
    loop {
        anna.say(&content);
        let [by_anna, by_boris] = [anna.message(), boris.message()];
        if by_anna == Message::notice(&left("Соня")) {
            assert_eq!(by_boris, by_anna);
            break;
        }
        assert_eq!([by_anna.content, by_boris.content], [&*content, &*content]);
    }
    server.log().wait_for_line(&format!("INFO \"Соня\" left from {address}: slow"));
}

#[test]
fn all_backlogs_together_are_bounded_and_the_largest_goes_first() {
    // Nobody may pass 4 MiB alone; two who do not read come to 6 MiB together before that.
    let flags = ["--flood=off", "--backlog-max=4MiB", "--backlog-total=6MiB"];
    let server = Server::with(&flags);
    let names = ["Анна", "Соня", "Дрёма"];
    let [mut anna, sonya, mut dryoma] = Peer::room(server.address(), names);
    let address = sonya.address();
    let content = "x".repeat(50_000);
    let small = "y".repeat(100);
    // Дрёма reads for a while, so Соня is owed more.
    for _ in 0..20 {
        anna.say(&content);
        anna.hears("Вы", &content);
        dryoma.hears("Анна", &content);
    }
    loop {
        anna.say(&content);
        let message = anna.message();
        if message == Message::notice(&left("Соня")) {
            break;
        }
        assert_eq!(message, Message::new("Вы", &content), "Дрёма is cut first");
    }
    anna.hears("Вы", &content);
    anna.say(&small);
    anna.hears("Вы", &small);
    server.log().wait_for_line(&format!("INFO \"Соня\" left from {address}: slow"));
    let mut heard = dryoma.message();
    while heard.content != small {
        heard = dryoma.message();
    }
}

#[test]
fn beyond_the_connections_callers_are_told_and_closed() {
    let server = Server::with(&["--connections=2"]);
    let [anna, boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    let mut third = Peer::connect(server.address());
    third.send(hello("Вера"));
    third.is_told("The chat is full: 2 connections. Bye!\n");
    third.hears_the_end();
    let address = third.address();
    drop(third);
    let why = "The chat is full: 2 connections. Bye!";
    server.log().wait_for_line(&format!("WARN turned {address} away: {why}"));
    drop(boris);
    greeted_in_time(&server);
    drop(anna);
}

#[test]
fn beyond_the_connections_of_one_address_callers_are_told_and_closed() {
    let server = Server::with(&["--connections-per-address=1"]);
    let anna = Peer::join(server.address(), "Анна", &[]);
    let mut second = Peer::connect(server.address());
    second.is_told("Too many connections from your address: 1. Bye!\n");
    second.hears_the_end();
    drop(second);
    drop(anna);
    greeted_in_time(&server);
}

/// Somebody is let in, once the server knows that there is room again.
fn greeted_in_time(server: &Server) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Peer::connect(server.address()).message() != Message::notice(GREETING) {
        assert!(Instant::now() < deadline, "there is never room again");
    }
}

#[test]
fn a_guest_has_so_long_to_say_hello_and_no_longer() {
    let server = Server::with(&["--hello-timeout=1"]);
    let mut anna = Peer::join(server.address(), "Анна", &[]);
    let begin = Instant::now();
    let mut guest = Peer::guest(server.address());
    guest.is_told("No username within 1 seconds. Bye!\n");
    assert!(Duration::from_secs(1) <= begin.elapsed());
    guest.hears_the_end();
    anna.say("я ещё тут");
    anna.hears("Вы", "я ещё тут");
}

#[test]
fn who_floods_is_slowed_down_loses_nothing_and_delays_nobody() {
    const TEXTS: u32 = 14;
    let server = Server::with(&["--flood=4,5"]);
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    let flood: String = (0..TEXTS).map(|number| text(&number.to_string())).collect();
    let begin = Instant::now();
    anna.send(flood + "0:");
    boris.say("а я не спешу");
    boris.say("совсем");
    let mut heard = Vec::new();
    while heard.last() != Some(&Message::notice(&left("Анна"))) {
        heard.push(boris.message());
        let own = heard.iter().filter(|message| message.author == "Вы").count();
        let by_anna = heard.iter().filter(|message| message.author == "Анна").count();
        assert!(by_anna < TEXTS as usize || own == 2, "Борис waits for Анна");
    }
    // Four at once, and one each fifth of a second after that.
    assert!(Duration::from_millis(200) * (TEXTS - 4) <= begin.elapsed());
    let by_anna = heard.iter().filter(|message| message.author == "Анна");
    let by_anna: Vec<_> = by_anna.map(|message| message.content.clone()).collect();
    assert_eq!(by_anna, (0..TEXTS).map(|number| number.to_string()).collect::<Vec<_>>());
    for number in 0..TEXTS {
        let mut message = anna.message();
        while message.author != "Вы" {
            message = anna.message();
        }
        assert_eq!(message.content, number.to_string());
    }
}
