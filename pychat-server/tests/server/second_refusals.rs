//! The refusals and the goodbyes of protocol 2.

use super::second::{greeted, hello_two, join_two, next, receives, string, text_two};
use crate::process::{Peer, Server, frame};

/// Says hello under a name that cannot be, so that the server knows what is spoken.
fn guest_of_two(server: &Server) -> Peer {
    let (mut guest, greeting) = greeted(server);
    guest.send(hello_two(&greeting, "", ""));
    assert!(next(&mut guest).starts_with(r#"{"type":"error","code":"name_invalid","text":""#));
    guest
}

/// The next two payloads are an error of this `code` and a bye for this `reason`; then nothing.
#[track_caller]
fn is_sent_away(mut peer: Peer, code: &str, reason: &str) {
    let error = next(&mut peer);
    assert!(error.starts_with(&format!(r#"{{"type":"error","code":"{code}","text":""#)), "{error}");
    receives(&mut peer, &[&format!(r#"{{"type":"bye","reason":"{reason}","retry_ms":1000}}"#)]);
    peer.hears_the_end();
}

#[test]
fn who_breaks_a_rule_is_told_which_and_then_goodbye() {
    let server = Server::with(&["--flood=off", "--payload-max=1KiB", "--hello-timeout=1s"]);
    let mut witness = join_two(&server, "witness");
    is_sent_away(guest_of_two(&server), "timeout", "lost");
    let rows = [("12a", "bad_frame"), ("-1:", "bad_frame"), ("1025:", "too_large")];
    for (number, (sent, code)) in rows.into_iter().enumerate() {
        let mut guest = guest_of_two(&server);
        guest.send(sent);
        is_sent_away(guest, code, "protocol");
        let name = format!("somebody {number}"); // A name is its person's once they said something.
        let mut person = join_two(&server, &name);
        person.send(text_two("1", "x"));
        next(&mut person);
        person.send(sent);
        is_sent_away(person, code, "protocol");
        let joined = format!(r#"{{"type":"joined","username":"{name}","time":T}}"#);
        receives(&mut witness, &[&joined]);
        let said = next(&mut witness);
        assert!(said.contains(&format!(r#""username":"{name}","content":"x""#)), "{said}");
        let left = format!(r#"{{"type":"left","username":"{name}","time":T,"reason":"protocol"}}"#);
        receives(&mut witness, &[&left]);
    }
}

#[test]
fn what_means_nothing_is_refused_and_sixteen_in_a_row_are_too_many() {
    let server = Server::start();
    let mut anna = join_two(&server, "Анна");
    let rows = [
        (r#"{"type":"dance"}"#, "unknown_type"),
        (r#"{"type":"history","before":1}"#, "bad_payload"),
        (r#"{"type":"text","content":"no id"}"#, "bad_payload"),
        (r#"{"type":"text","content":"no id","id":""}"#, "bad_payload"),
        (r#"{"type":"text","content":1,"id":"1"}"#, "bad_payload"),
        (r#"{"type":"hello","username":"Вера","protocol":2}"#, "already_joined"),
        ("[]", "bad_payload"),
        ("nonsense", "bad_payload"),
    ];
    let refuses = |peer: &mut Peer, sent: &str, code: &str| {
        peer.send(frame(sent));
        let error = next(peer);
        let expected = format!(r#"{{"type":"error","code":"{code}","text":""#);
        assert!(error.starts_with(&expected), "{sent}: {error}");
    };
    for (sent, code) in rows {
        refuses(&mut anna, sent, code);
    }
    anna.send(text_two("1", "begins the count anew") + &frame(r#"{"type":"ping"}"#));
    next(&mut anna);
    receives(&mut anna, &[r#"{"type":"pong"}"#]);
    for _ in 1..16 {
        refuses(&mut anna, "{}", "bad_payload");
    }
    anna.send(frame("{}"));
    is_sent_away(anna, "bad_payload", "protocol");

    let mut guest = guest_of_two(&server);
    guest.send(text_two("1", "too early"));
    let early = r#"{"type":"error","code":"not_joined","text":"say hello first","ref":"1"}"#;
    receives(&mut guest, &[early]);
}

#[test]
fn who_hears_that_the_server_stops_hears_when_to_come_back() {
    let mut server = Server::start();
    let mut anna = join_two(&server, "Анна");
    let mut guest = guest_of_two(&server);
    server.signal("TERM");
    for peer in [&mut anna, &mut guest] {
        receives(peer, &[r#"{"type":"bye","reason":"shutdown","retry_ms":1000}"#]);
        peer.hears_the_end();
    }
    drop((anna, guest));
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn who_floods_is_told_once_and_loses_nothing() {
    let server = Server::with(&["--flood=3,5"]);
    let (mut anna, greeting) = greeted(&server);
    assert!(greeting.contains(r#""burst":3,"per_second":5}"#), "{greeting}");
    anna.send(hello_two(&greeting, "Анна", ""));
    next(&mut anna);
    anna.send((1..=10).map(|n| text_two(&n.to_string(), "x")).collect::<String>());
    let (mut said, mut told) = (0, 0);
    while said < 10 {
        let payload = next(&mut anna);
        if payload.starts_with(r#"{"type":"error","code":"slow_down","#) {
            assert!(payload.contains(r#","retry_ms":"#), "{payload}");
            told += 1;
        } else {
            said += 1;
            assert_eq!(string(&payload, "id"), said.to_string());
        }
    }
    assert_eq!(told, 1, "told once");
}
