//! Keepalive: who is asked whether they are there, and who is given up.

use pychat_server::{
    core::rate_limit::RateLimit,
    server::{PING_INTERVAL, PONG_TIMEOUT},
};

use super::{
    second::{hello, payloads},
    *,
};

const PING: &str = r#"{"type":"ping"}"#;
const PONG: &[u8] = br#"{"type":"pong"}"#;
const MOMENT: Duration = Duration::from_nanos(1);

/// Returns a moment less than `time`.
fn almost(time: Duration) -> Duration {
    time.saturating_sub(MOMENT)
}

fn join(server: &mut Harness) -> Peer {
    let peer = server.connect();
    server.send(&peer, hello(&peer, "a", "").as_bytes());
    server.settle();
    assert_eq!(payloads(&peer).len(), 2);
    peer
}

#[test]
fn who_is_silent_is_asked_and_then_given_up() {
    let mut server = Harness::new(10);
    let (peer, witness) = (join(&mut server), server.join("witness"));
    payloads(&peer);
    server.pass(almost(PING_INTERVAL));
    assert_eq!(payloads(&peer), Vec::<String>::new());
    server.pass(MOMENT);
    assert_eq!(payloads(&peer), [PING]);
    server.pass(almost(PONG_TIMEOUT));
    assert!(!peer.line.is_dropped() && payloads(&peer).is_empty());
    server.pass(MOMENT);
    assert!(peer.line.is_dropped());
    assert_eq!(heard(&witness), ["Сервер Чата: a покинул чат."]);
    assert!(!witness.line.is_dropped(), "TCP watches those of protocol 1");
}

#[test]
fn who_answers_is_there_however_soon_or_late() {
    for late in [Duration::ZERO, MOMENT, almost(PONG_TIMEOUT), PONG_TIMEOUT] {
        let mut server = Harness::new(10);
        let peer = join(&mut server);
        server.pass(PING_INTERVAL);
        for _ in 0..3 {
            assert_eq!(payloads(&peer), [PING], "asked once");
            server.now += late;
            server.send(&peer, PONG);
            server.settle();
            server.pass(almost(PING_INTERVAL));
            assert!(payloads(&peer).is_empty() && !peer.line.is_dropped(), "after {late:?}");
            server.pass(MOMENT);
        }
    }
}

#[test]
fn who_is_held_for_long_hears_the_server_meanwhile_and_is_not_given_up() {
    let rate_limit = Some(RateLimit::every(1, Duration::from_secs(5)));
    let rules = Rules { rate_limit, ..RULES };
    let mut server = Harness::limited(&Limits { connections_max: 10, rules, ..Limits::default() });
    let peer = join(&mut server);
    // The first costs 60, so 300 seconds.
    for (id, content) in [("1", "x".repeat(59 << 10)), ("2", "x".to_owned())] {
        let text = format!(r#"{{"type":"text","content":"{content}","id":"{id}"}}"#);
        server.send(&peer, text.as_bytes());
    }
    server.settle();
    let said = payloads(&peer);
    assert_eq!(said.len(), 2, "one text, and to slow down: {said:?}");
    for _ in 0..9 {
        server.pass(PING_INTERVAL);
        assert_eq!(payloads(&peer), [PING], "or its client would take the server for gone");
    }
    server.pass(PING_INTERVAL);
    assert!(payloads(&peer).iter().any(|payload| payload.contains(r#""id":"2""#)), "its time came");
    assert!(!peer.line.is_dropped());
}

#[test]
fn who_still_takes_bytes_is_there_though_more_comes_than_it_takes() {
    let mut server = Harness::new(10);
    let (peer, talker) = (join(&mut server), server.join("talker"));
    peer.line.set_room(Some(0));
    server.text(&talker, &"x".repeat(10_000));
    for _ in 0..30 {
        server.text(&talker, &"x".repeat(1_000));
        peer.line.set_room(Some(100));
        server.server.set_ready(peer.id, false, true);
        server.pass(Duration::from_secs(10));
        assert!(!peer.line.is_dropped());
    }
    for _ in 0..5 {
        server.text(&talker, "x");
        server.pass(Duration::from_secs(11));
    }
    assert!(peer.line.is_dropped(), "who takes nothing any more is given up");
}

#[test]
fn who_sends_a_long_text_little_by_little_is_there() {
    let mut server = Harness::new(10);
    let peer = join(&mut server);
    let text = format!(r#"{{"type":"text","content":"{}","id":"1"}}"#, "x".repeat(1_000));
    for piece in text.as_bytes().chunks(100) {
        server.send(&peer, piece);
        server.pass(PING_INTERVAL);
        assert!(!peer.line.is_dropped());
    }
    assert!(payloads(&peer).iter().any(|payload| payload.contains(r#""seq":1,"#)));
}
