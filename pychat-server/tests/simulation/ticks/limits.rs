//! Limits: what many have or do at once, or many connections of one address, stays within bounds.

use pychat_server::{core::rate_limit::RateLimit, server::TICK_READ_BYTES_MAX};

use super::{
    second::{hello, payloads},
    *,
};

/// Returns a server with limits by address, as many as `connections` from each at once.
fn strict(connections: usize) -> Harness {
    let rules = Rules { connections_per_address_max: connections, ..RULES };
    Harness::limited(&Limits { rules, ..Limits::default() })
}

/// Returns a name of 32 characters and 60 bytes.
fn long_name(number: usize) -> String {
    format!("{number:04}{}", "ж".repeat(28))
}

#[test]
fn a_crowd_that_joins_at_once_is_welcomed_in_portions_and_delays_nobody_for_long() {
    const PEOPLE: usize = 1_500;
    let rules = Rules { announce_after: Duration::from_secs(2), ..RULES };
    let mut server = Harness::limited(&Limits { rules, ..Limits::default() });
    let witness = server.join("witness");
    let people: Vec<_> = (0..PEOPLE).map(|_| server.connect()).collect();
    server.settle();
    for (number, peer) in people.iter().enumerate() {
        server.say(peer, &ClientMessage::hello(long_name(number)));
        peer.line.take_heard();
    }
    server.text(&witness, "heard?");
    let (mut ticks, mut heard_at, mut most) = (0, None, 0);
    while server.server.has_work() {
        ticks += 1;
        server.tick();
        let welcomed: usize = people.iter().map(|peer| peer.line.take_heard().len()).sum();
        most = most.max(welcomed);
        if heard(&witness).contains(&"Вы: heard?".to_owned()) {
            heard_at = Some(ticks);
        }
    }
    assert_eq!(server.server.people(), PEOPLE + 1);
    // The welcomes have half of the others each.
    let told = PEOPLE * PEOPLE * long_name(0).len() / 2;
    let bound = 65 * TICK_READ_BYTES_MAX;
    assert!(3 * bound < told && most <= bound, "{most} bytes in one tick");
    assert!(ticks <= 8 && heard_at.is_some(), "{heard_at:?} of {ticks} ticks");
}

#[test]
fn callers_who_are_turned_away_take_nobodys_place() {
    let rules = Rules { connections_per_address_max: 1, ..RULES };
    let mut server = Harness::limited(&Limits { connections_max: 3, rules, ..Limits::default() });
    let first = server.connect();
    let turned_away: Vec<_> = (0..3).map(|_| server.connect()).collect();
    server.settle();
    assert!(turned_away.iter().all(|peer| peer.line.is_ended() && !peer.line.is_dropped()));
    let others = [2, 3].map(|last| server.connect_from([127, 0, 0, last]));
    server.settle();
    for peer in others.iter().chain([&first]) {
        assert_eq!(heard(peer).len(), 1);
        assert!(!peer.line.is_ended());
    }
    let late = server.connect_from([127, 0, 0, 4]);
    server.settle();
    assert_eq!(heard(&late), ["Сервер Чата: The chat is full: 3 connections. Bye!\n"]);
}

#[test]
fn who_connects_again_and_again_is_turned_away_after_a_while() {
    let mut server = strict(2);
    let connects = |server: &mut Harness| {
        let peer = server.connect();
        peer.line.finish();
        server.settle();
        let told = heard(&peer).remove(0);
        peer.line.take_writes();
        told.contains("Connection established")
    };
    assert_eq!((0..100).filter(|_| connects(&mut server)).count(), 16);
    server.pass(Duration::from_secs(4));
    assert!(connects(&mut server) && !connects(&mut server));
    let other = server.connect_from([127, 0, 0, 2]);
    server.settle();
    assert!(heard(&other)[0].contains("Connection established"));
}

#[test]
fn a_welcome_that_is_longer_than_anybody_may_be_behind_cuts_nobody() {
    let limits = Limits {
        payload_bytes_max: 1 << 10,
        backlog_bytes_max: 8 << 10,
        rules: RULES,
        ..Limits::default()
    };
    let mut server = Harness::limited(&limits);
    let people: Vec<_> = (0..400).map(|number| server.join(&long_name(number))).collect();
    let newcomer = server.connect();
    newcomer.line.set_room(Some(100));
    server.send(&newcomer, hello(&newcomer, "newcomer", "").as_bytes());
    server.settle();
    let owed = server.server.backlog_bytes();
    assert!(2 * limits.backlog_bytes_max < owed, "{owed}");
    let mut heard = Vec::new();
    while server.server.backlog_bytes() != 0 {
        newcomer.line.set_room(Some(1_000));
        server.server.set_ready(newcomer.id, false, true);
        server.text(&people[0], "x");
        server.settle();
        assert!(!newcomer.line.is_dropped() && !newcomer.line.is_ended());
        heard.extend(newcomer.line.take_heard());
        assert!(heard.len() < 100_000, "it catches up");
    }
    newcomer.line.set_room(Some(0));
    let text = "x".repeat(900);
    let mut said = 0;
    while !newcomer.line.is_dropped() {
        server.text(&people[0], &text);
        server.pass(Duration::from_secs(1));
        said += 1;
        assert!(said < 20, "who stops reading after that is cut");
    }
}

#[test]
fn a_guest_of_an_address_that_has_joined_too_often_is_not_read() {
    let mut server = strict(2);
    for _ in 0..8 {
        let visitor = server.join("visitor");
        visitor.line.finish();
        server.server.set_ready(visitor.id, true, false);
        server.settle();
    }
    let guest = server.connect();
    server.say(&guest, &ClientMessage::hello("a"));
    let other = server.connect_from([127, 0, 0, 2]);
    server.say(&other, &ClientMessage::hello("b"));
    server.settle();
    assert_eq!((heard(&guest).len(), heard(&other).len()), (1, 2));
    server.pass(Duration::from_nanos(31_999_999_999));
    assert_eq!(heard(&guest), Vec::<String>::new());
    server.pass(Duration::from_nanos(1));
    assert!(heard(&guest)[0].contains("Добро пожаловать, a."), "it has not timed out");
}

#[test]
fn history_for_one_address_is_bounded_and_another_is_served_at_once() {
    let mut server = strict(64);
    let talker = server.join("talker");
    for _ in 0..500 {
        server.text(&talker, &"x".repeat(10_000));
        server.settle();
        talker.line.take_heard();
    }
    let greedy = [1, 2, 3].map(|number| {
        let peer = server.connect();
        server.send(&peer, hello(&peer, &format!("greedy {number}"), "").as_bytes());
        peer
    });
    server.settle();
    let ask = br#"{"type":"history","before":9000000000000000000,"limit":500}"#;
    let begin = server.now;
    let mut sent = 0;
    while server.now < begin + Duration::from_secs(20) {
        for peer in &greedy {
            server.send(peer, ask);
        }
        server.pass(Duration::from_millis(100));
        sent += greedy.iter().map(|peer| peer.line.take_heard().len()).sum::<usize>();
    }
    let bound = (4 << 20) + 20 * (256 << 10);
    assert!((bound..bound + bound / 20).contains(&sent), "{sent} of {bound} bytes");
    let other = server.connect_from([127, 0, 0, 2]);
    server.send(&other, hello(&other, "other", "").as_bytes());
    let ask = br#"{"type":"history","before":9000000000000000000,"limit":10}"#;
    server.send(&other, ask);
    server.settle();
    let heard = payloads(&other);
    assert!(heard.last().is_some_and(|last| last.contains(r#""type":"page""#)), "{}", heard.len());
}

#[test]
fn who_is_held_is_not_taken_for_dead() {
    let rate_limit = Some(RateLimit::every(1, Duration::from_mins(5)));
    let mut server =
        Harness::limited(&Limits { rules: Rules { rate_limit, ..RULES }, ..Limits::default() });
    let peer = server.connect();
    server.send(&peer, hello(&peer, "a", "").as_bytes());
    server.send(&peer, br#"{"type":"text","content":"x","id":"1"}"#);
    for _ in 0..50 {
        server.pass(Duration::from_secs(6));
        server.send(&peer, br#"{"type":"pong"}"#);
        assert!(!peer.line.is_dropped());
    }
    let pings = payloads(&peer).iter().filter(|it| *it == r#"{"type":"ping"}"#).count();
    assert!((9..=10).contains(&pings), "nor does it take the server for gone: {pings}");
}
