//! Every step of connecting may fail: which one did is told, in words of its own, and at which address.

use std::{
    collections::BTreeSet,
    slice,
    time::{Duration, Instant},
};

use pychat_gtk::{
    session::{
        Account, Session, SessionState,
        connection_report::report,
        disconnect_reason::DisconnectReason,
        step::{Service, Step},
    },
    text::{server_address::ServerAddress, server_uri::Access},
};
use pychat_wire::key::Pin;
use serde_json::json;

use crate::{
    anna,
    encrypted::identity,
    finish, new_session, run,
    server::{DeadEnd, GREETING, Peer, SERVER, Server, refusing_address},
    until, until_state,
};

/// A limit that a test can wait for.
const SHORT_TIMEOUT: Duration = Duration::from_millis(300);

/// An address that no name server knows (RFC 6761).
const UNKNOWN_HOST: &str = "no-such-host.invalid:7000";

/// The address of a network to which there is no route: link-local, on an interface that is not there.
const NO_ROUTE: &str = "[fe80::1%250]:7000";

fn address(text: &str) -> ServerAddress {
    text.parse().expect("an address")
}

/// Returns a session whose attempts at `addresses` have failed.
async fn failed_at(addresses: &[ServerAddress], pin: Option<Pin>) -> Session {
    let session = new_session().with_timeout(SHORT_TIMEOUT);
    join(&session, addresses, pin);
    until(|| session.disconnect_reason().is_some()).await;
    session
}

fn join(session: &Session, addresses: &[ServerAddress], pin: Option<Pin>) {
    let (first, others) = addresses.split_first().expect("there is one");
    let access = Access { others: others.to_vec(), pin, ..Access::default() };
    session.join_by(Account::new(anna(), first.clone()), access);
}

/// Returns the step that has failed, and the sentence that says so, after a server did what it does.
async fn failure_of(script: impl FnOnce(Peer) + Send + 'static) -> (Option<Step>, String) {
    let server = Server::start(move |door| script(door.accept()));
    let session = failed_at(slice::from_ref(&server.address), None).await;
    let told = told(&session, &server.address);
    session.cancel();
    finish(server).await;
    told
}

/// Returns the step that has failed at the only address, and the sentence without that address.
fn told(session: &Session, address: &ServerAddress) -> (Option<Step>, String) {
    let attempts = session.attempts();
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].address, *address);
    assert_eq!(attempts[0].sentence(), session.disconnect_sentence());
    let sentence = attempts[0].sentence().expect("it has failed");
    assert!(report(&attempts).contains(&address.to_string()));
    (attempts[0].failed_step(), sentence.replace(&address.to_string(), "SERVER"))
}

fn refuse(mut peer: Peer, code: &str) {
    peer.send(&json!({ "type": "error", "code": code, "text": "no" }));
    peer.expect_end();
}

#[test]
fn each_failure_has_its_step_and_a_sentence_of_its_own() {
    run(async {
        let mut failures = Vec::new();
        let dead_end = DeadEnd::new().expect("a queue can be filled");
        for (server, step) in [
            (address(UNKNOWN_HOST), Step::LookUp),
            (refusing_address(), Step::Connection),
            (address(NO_ROUTE), Step::Connection),
            (dead_end.address.clone(), Step::Connection),
        ] {
            let session = failed_at(slice::from_ref(&server), None).await;
            failures.push((Some(step), told(&session, &server)));
            session.cancel();
        }
        let expected = |step, told| (Some(step), told);
        failures.extend([
            expected(Step::Greeting, failure_of(Peer::expect_end).await),
            expected(Step::Greeting, failure_of(|mut it| it.write(b"HTTP/1.0 400 No\r\n")).await),
            expected(
                Step::Greeting,
                failure_of(|mut it| it.write(b"SSH-2.0-OpenSSH_9.2\r\n")).await,
            ),
            expected(Step::Greeting, failure_of(|mut it| it.write(b"220 ready\r\n")).await),
            expected(
                Step::Encryption,
                failure_of(|mut it| {
                    it.offer_tls();
                    it.read_exact(&mut [0; 100]).expect("the beginning of a handshake");
                    it.write(b"what?");
                })
                .await,
            ),
            expected(
                Step::Protocol,
                failure_of(|mut it| {
                    it.greet("e1");
                    refuse(it, "unknown_type");
                })
                .await,
            ),
            expected(
                Step::Protocol,
                failure_of(|mut it| {
                    it.greet_with("e1", &json!({ "protocol": 3 }));
                    refuse(it, "bad_payload");
                })
                .await,
            ),
            expected(
                Step::Admission,
                failure_of(|mut it| {
                    it.greet("e1");
                    refuse(it, "not_admitted");
                })
                .await,
            ),
            expected(
                Step::Admission,
                failure_of(|mut it| {
                    it.offer_tls();
                    it.shake_hands(&identity()).expect("a handshake");
                    it.greet("e1");
                    refuse(it, "not_admitted");
                })
                .await,
            ),
            expected(
                Step::Admission,
                failure_of(|mut it| {
                    it.greet("e1");
                    refuse(it, "name_taken");
                })
                .await,
            ),
        ]);
        let mut sentences = BTreeSet::new();
        for (expected, (step, sentence)) in failures {
            assert_eq!(step, expected, "{sentence}");
            assert!(sentences.insert(sentence.clone()), "said of two failures: {sentence}");
        }
    });
}

#[test]
fn a_web_server_that_waits_to_be_asked_is_known_by_its_answer() {
    run(async {
        let server = Server::start(|door| {
            door.accept().expect_end();
            let mut peer = door.accept();
            let mut request = [0; 5];
            peer.read_exact(&mut request).expect("a request");
            assert_eq!(&request, b"GET /");
            peer.write(b"HTTP/1.1 200 OK\r\n\r\n");
        });
        let session = failed_at(slice::from_ref(&server.address), None).await;
        let reason = session.disconnect_reason();
        let is_web = matches!(reason, Some(DisconnectReason::OtherService(Service::Web)));
        assert!(is_web, "{reason:?}");
        finish(server).await;
    });
}

#[test]
fn another_certificate_than_the_announced_one_is_not_talked_to() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.offer_tls();
            peer.shake_hands(&identity()).expect("a handshake");
            assert!(peer.read_exact(&mut [0]).is_err(), "not a word");
        });
        let pin = Some(Pin([7; 32]));
        let session = failed_at(slice::from_ref(&server.address), pin).await;
        let (step, sentence) = told(&session, &server.address);
        assert_eq!(step, Some(Step::Certificate), "{sentence}");
        let reason = session.disconnect_reason();
        assert!(matches!(reason, Some(DisconnectReason::NotAsLinked)), "{reason:?}");
        finish(server).await;
    });
}

#[test]
fn an_announced_server_without_encryption_is_not_talked_to() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.say(SERVER, GREETING);
            peer.expect_end();
        });
        let pin = Some(Pin([7; 32]));
        let session = failed_at(slice::from_ref(&server.address), pin).await;
        let reason = session.disconnect_reason();
        assert!(matches!(reason, Some(DisconnectReason::NotAsLinked)), "{reason:?}");
        finish(server).await;
    });
}

#[test]
fn a_dead_address_costs_a_moment_and_each_is_told_of() {
    run(async {
        let dead_end = DeadEnd::new().expect("a queue can be filled");
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            peer.expect_end();
        });
        let dead = [dead_end.address.clone(), refusing_address()];
        let addresses = [&dead[..], slice::from_ref(&server.address)].concat();
        let session = new_session();
        let begin = Instant::now();
        join(&session, &addresses, None);
        until_state(&session, SessionState::Joined).await;
        assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
        assert!(session.attempts().is_empty(), "nothing has failed");
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn what_is_told_is_of_the_address_that_was_nearest_to_a_chat() {
    run(async {
        let server = Server::start(|door| door.accept().write(b"SSH-2.0-OpenSSH_9.2\r\n"));
        let other = Server::start(|door| door.accept().write(b"HTTP/1.0 400 No\r\n"));
        let addresses = vec![
            refusing_address(),
            server.address.clone(),
            other.address.clone(),
            refusing_address(),
        ];
        let session = failed_at(&addresses, None).await;
        let sentence = session.disconnect_sentence().expect("it has failed");
        assert!(sentence.contains(&server.address.to_string()), "{sentence}");
        let attempts = session.attempts();
        let tried: Vec<_> = attempts.iter().map(|it| it.address.clone()).collect();
        assert_eq!(tried, addresses, "in the order of the link");
        let report = report(&attempts);
        for (address, n) in addresses.iter().zip(1..) {
            assert!(report.contains(&format!("\n{n}. {address} (")), "{report}");
        }
        finish(server).await;
        finish(other).await;
    });
}

#[test]
fn a_report_has_no_word_of_the_server() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.greet("e1");
            peer.send(&json!({ "type": "error", "code": "forbidden", "text": "your secret" }));
            peer.expect_end();
        });
        let session = failed_at(slice::from_ref(&server.address), None).await;
        let report = report(&session.attempts());
        assert!(report.contains("forbidden"), "{report}");
        assert!(!report.contains("secret"), "{report}");
        finish(server).await;
    });
}
