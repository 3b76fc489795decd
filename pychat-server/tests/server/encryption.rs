//! TLS on the same port: who asks for it has it, and the others talk on as ever.

use std::fs;

use pychat_wire::key::Challenge;

use super::history::Shelf;
use crate::{
    keys,
    process::{GREETING, Handshake, Peer, Server, frame, hello, joined, left, welcome},
};

/// Connects and begins TLS; returns the greetings outside and inside too.
#[track_caller]
fn greeted_twice(server: &Server) -> (Peer, String, String) {
    let mut peer = Peer::connect(server.address());
    let outside = peer.payload().unwrap();
    peer.shake_hands(&Handshake::default()).unwrap();
    let inside = peer.payload().unwrap();
    (peer, outside, inside)
}

/// The greeting of protocol 2 offers TLS on a plain connection, and on no other.
#[test]
fn what_is_offered_in_plain_is_not_offered_again_inside() {
    let shelf = Shelf::new();
    let server = shelf.server(&[]);
    let (_peer, outside, inside) = greeted_twice(&server);
    assert!(outside.contains(r#""tls":true"#), "{outside}");
    assert!(inside.contains(GREETING) && !inside.contains("tls"), "{inside}");
}

#[test]
fn who_one_is_must_be_signed_for_this_very_channel() {
    let shelf = Shelf::new();
    let server = shelf.server(&["--connections-per-address=0"]);
    let (mut anna, outside, inside) = greeted_twice(&server);
    let (other, _, of_other) = greeted_twice(&server);
    let here = Challenge { binding: anna.binding(), ..keys::challenge(&inside) };
    let relayed = Challenge { binding: other.binding(), ..here };
    assert_ne!(here.nonce, keys::challenge(&outside).nonce);
    assert_ne!(here.binding, relayed.binding);
    for wrong in [
        keys::challenge(&outside),
        keys::challenge(&inside),
        Challenge { nonce: keys::challenge(&outside).nonce, ..here },
        relayed, // By somebody in between, who has one channel to each side.
        Challenge { nonce: keys::challenge(&of_other).nonce, ..relayed },
    ] {
        anna.send(signed_hello(&wrong));
        let answer = anna.payload().unwrap();
        assert!(answer.starts_with(r#"{"type":"error","code":"bad_signature","#), "{answer}");
    }
    anna.send(signed_hello(&here));
    assert!(anna.payload().unwrap().starts_with(r#"{"type":"welcome","#));
}

/// Returns the frame of a hello that answers this challenge.
fn signed_hello(challenge: &Challenge) -> String {
    let proof = keys::proof(challenge, "Анна", "Анна");
    frame(&format!(r#"{{"type":"hello","username":"Анна","protocol":2{proof}}}"#))
}

#[test]
fn people_with_tls_and_without_are_in_one_room() {
    let shelf = Shelf::new();
    let server = shelf.server(&[]);
    let mut anna = Peer::join(server.address(), "Анна", &[]);
    let (mut boris, pin) = Peer::secure_guest(server.address());
    let is_told = |lines: &[String]| lines.iter().any(|line| line.contains(&pin)).then_some(());
    server.log().wait_for(is_told);
    boris.send(hello("Борис"));
    boris.is_told(&welcome("Борис", &["Анна"]));
    anna.is_told(&joined("Борис"));
    let long = "ж".repeat(30_000); // More than one record of TLS.
    for content in ["раз", &long] {
        anna.say(content);
        anna.hears("Вы", content);
        boris.hears("Анна", content);
        boris.say(content);
        boris.hears("Вы", content);
        anna.hears("Борис", content);
    }
    boris.shut();
    boris.hears_the_end();
    anna.is_told(&left("Борис"));
}

#[test]
fn the_certificate_is_the_same_after_a_restart() {
    let shelf = Shelf::new();
    let pins = [(); 2].map(|()| Peer::secure_guest(shelf.server(&[]).address()).1);
    assert_eq!(pins[0], pins[1]);
}

#[test]
fn a_certificate_that_was_replaced_is_shown_to_those_who_come_then() {
    let (shelf, other) = (Shelf::new(), Shelf::new());
    drop(other.server(&[]));
    let folder = shelf.path();
    let server = shelf.server(&[]);
    let (mut anna, first) = Peer::secure_guest(server.address());
    anna.send(hello("Анна"));
    anna.is_told(&welcome("Анна", &[]));
    // A file is replaced whole, as a tool that renews certificates does it.
    fs::copy(other.path().join("tls.pem"), folder.join("next.pem")).unwrap();
    fs::rename(folder.join("next.pem"), folder.join("tls.pem")).unwrap();
    server.signal("HUP");
    let pins = |lines: &[String]| {
        let pins = lines.iter().filter(|line| line.contains("the certificate's pin is"));
        (pins.count() == 2).then_some(())
    };
    server.log().wait_for(pins);
    let (_, second) = Peer::secure_guest(server.address());
    assert_ne!(first, second);
    anna.say("ещё здесь");
    anna.hears("Вы", "ещё здесь");
    // One that cannot be used changes nothing.
    fs::write(folder.join("tls.pem"), "nothing").unwrap();
    server.signal("HUP");
    let refused = |lines: &[String]| {
        lines
            .iter()
            .any(|line| line.contains("configuration not changed: cannot read"))
            .then_some(())
    };
    server.log().wait_for(refused);
    assert_eq!(Peer::secure_guest(server.address()).1, second);
}

#[test]
fn a_server_that_takes_tls_only_says_so_to_the_others() {
    let shelf = Shelf::new();
    let server = shelf.server(&["--plain=never"]);
    let mut anna = Peer::guest(server.address());
    anna.send(hello("Анна"));
    let text = "This server takes encrypted connections only, which this client does not know";
    anna.is_told(&format!("{text}. Bye!\n"));
    anna.hears_the_end();
    let mut second = Peer::guest(server.address());
    second.send(frame(r#"{"type":"hello","username":"Борис","protocol":2}"#));
    let error = second.payload().unwrap();
    assert!(error.starts_with(r#"{"type":"error","code":"not_admitted","text":""#), "{error}");
    let (mut boris, _) = Peer::secure_guest(server.address());
    boris.send(hello("Борис"));
    boris.is_told(&welcome("Борис", &[]));
}

#[test]
fn a_server_that_stops_says_goodbye_inside_too() {
    let shelf = Shelf::new();
    let mut server = shelf.server(&[]);
    let (mut anna, _) = Peer::secure_guest(server.address());
    anna.send(hello("Анна"));
    anna.is_told(&welcome("Анна", &[]));
    server.signal("TERM");
    anna.is_told(crate::process::GOODBYE);
    anna.hears_the_end();
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn a_peer_may_name_the_protocol_but_no_other() {
    let shelf = Shelf::new();
    let server = shelf.server(&[]);
    for (alpn, is_known) in [(&b"pychat"[..], true), (b"http/1.1", false)] {
        let mut peer = Peer::guest(server.address());
        let outcome = peer.shake_hands(&Handshake { alpn: vec![alpn.to_vec()] });
        assert_eq!(outcome.is_ok(), is_known, "{outcome:?}");
    }
}
