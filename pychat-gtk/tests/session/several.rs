//! Several servers of one chat: the conversation goes on at another one, and is still the same.

use std::sync::Arc;

use pychat_gtk::{
    session::{Account, Session, SessionState},
    text::{server_address::ServerAddress, server_uri::Access},
};
use rustls::ServerConfig;
use serde_json::json;

use crate::{
    anna,
    encrypted::identity,
    finish, joined, messages, new_session, run,
    server::{Peer, Server, TIME_MS, payloads::hall},
    states, texts, until, until_state,
};

/// The time for which a server that stops wants nobody back, in milliseconds: longer than any test waits.
const AWAY_MS: u64 = 600_000;

/// Shakes hands, and lets in, telling of `servers`; `seq` is the last number of the hall. Returns the hello.
fn let_in(
    peer: &mut Peer,
    identity: &Arc<ServerConfig>,
    name: &str,
    seq: u64,
    servers: &[String],
) -> serde_json::Value {
    peer.offer_tls();
    peer.shake_hands(identity).expect("a handshake");
    let hello = peer.greet_with("e1", &json!({"server": name, "servers": servers}));
    peer.send(&json!({
        "type": "welcome", "username": hello["username"], "epoch": "e1", "time": TIME_MS,
        "members": [hello["username"]], "rooms": [hall(seq, seq)],
    }));
    hello
}

fn say_goodbye(mut peer: Peer, servers: &[String]) {
    peer.send(&json!({
        "type": "bye", "reason": "shutdown", "retry_ms": AWAY_MS, "servers": servers,
    }));
    peer.expect_end();
}

/// Returns the texts that people said.
fn said(session: &Session) -> Vec<String> {
    let messages = messages(session).into_iter().filter(|message| message.seq().is_some());
    messages.map(|message| message.text().to_string()).collect()
}

#[test]
fn a_link_names_several_and_the_conversation_goes_on_at_the_next() {
    run(async {
        let first = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            peer.record(1, "Борис", "before", &json!({}));
            let (content, id) = peer.hear_2();
            peer.record(2, "Анна", &content, &json!({ "id": id }));
        });
        let second = Server::start(|door| {
            let mut peer = door.accept();
            let hello = peer.let_in_2("e1", 3);
            assert_eq!(hello["resume"]["rooms"], json!({"": 2}));
            peer.record(3, "Борис", "meanwhile", &json!({"replay": true}));
            peer.expect_end();
        });
        let session = new_session();
        let states = states(&session);
        let access = Access { others: vec![second.address.clone()], ..Access::default() };
        session.join_by(Account::new(anna(), first.address.clone()), access);
        until(|| said(&session) == ["before"]).await;
        session.room().set_draft("unfinished");
        session.room().say("mine").expect("joined");
        until(|| said(&session) == ["before", "mine", "meanwhile"]).await;
        assert_eq!(session.room().draft(), "unfinished");
        assert_eq!(session.server(), first.address.to_string(), "it is the same chat");
        assert!(!states.borrow().contains(&SessionState::Disconnected));
        session.leave().await;
        finish(first).await;
        finish(second).await;
    });
}

fn addresses(servers: &[&ServerAddress]) -> Vec<String> {
    servers.iter().map(ToString::to_string).collect()
}

#[test]
fn a_server_that_stops_names_others_and_is_not_waited_for() {
    run(async {
        let identity = identity();
        let theirs = Arc::clone(&identity);
        let second = Server::start(move |door| {
            let mut peer = door.accept();
            let hello = let_in(&mut peer, &theirs, "Attic", 3, &[]);
            assert_eq!(hello["resume"]["rooms"], json!({"": 2}));
            peer.record(3, "Борис", "meanwhile", &json!({"replay": true}));
            peer.expect_end();
        });
        let told = addresses(&[&second.address]);
        let first = Server::start(move |door| {
            let mut peer = door.accept();
            let_in(&mut peer, &identity, "Office", 0, &[]);
            let (content, id) = peer.hear_2();
            peer.record(1, "Анна", &content, &json!({ "id": id }));
            peer.record(2, "Борис", "before", &json!({}));
            say_goodbye(peer, &told);
        });
        let session = joined(&first.address).await;
        assert_eq!(session.title(), "Office");
        session.room().say("mine").expect("joined");
        until(|| said(&session) == ["mine", "before", "meanwhile"]).await;
        until_state(&session, SessionState::Joined).await;
        assert_eq!(session.server(), first.address.to_string());
        assert_eq!(session.title(), "Office", "the chat is called as ever");
        let certificates = texts(&session).iter().filter(|it| it.contains("certificate")).count();
        assert_eq!(certificates, 1, "it is known already");
        session.leave().await;
        finish(first).await;
        finish(second).await;
    });
}

#[test]
fn what_was_told_is_kept_and_of_no_use_to_another_link() {
    run(async {
        let identity = identity();
        let theirs = Arc::clone(&identity);
        let second = Server::start(move |door| {
            let mut peer = door.accept();
            let_in(&mut peer, &theirs, "Office", 0, &["127.0.0.1:2".to_owned()]);
            peer.expect_end();
        });
        let told = addresses(&[&second.address]);
        let first = Server::start(move |door| {
            for servers in [&[][..], &told] {
                let mut peer = door.accept();
                let_in(&mut peer, &identity, "Office", 0, servers);
                peer.expect_end();
            }
        });
        for _ in 0..2 {
            joined(&first.address).await.leave().await;
        }
        let address = first.address.clone();
        finish(first).await;
        let session = joined(&address).await;
        assert_eq!(session.server(), address.to_string());
        session.leave().await;
        finish(second).await;

        let session = new_session();
        let other = "127.0.0.1:1".parse().expect("an address");
        let access = Access { others: vec![other], ..Access::default() };
        session.join_by(Account::new(anna(), address), access);
        until(|| session.disconnect_reason().is_some()).await;
        assert_eq!(session.attempts().len(), 2, "the link names these");
        session.cancel();
    });
}

#[test]
fn who_was_only_told_of_must_be_known_by_its_certificate() {
    run(async {
        let mine = identity();
        let stranger = Server::start(|door| {
            let mut peer = door.accept();
            peer.offer_tls();
            peer.shake_hands(&identity()).expect("a handshake");
            assert!(peer.read_exact(&mut [0]).is_err(), "not a word");
        });
        let plain = Server::start(|door| {
            let mut peer = door.accept();
            peer.send(&crate::server::payloads::greeting("e1", &json!({"nonce": "0".repeat(32)})));
            peer.expect_end();
        });
        let told = addresses(&[&stranger.address, &plain.address]);
        let first = Server::start(move |door| {
            let mut peer = door.accept();
            let_in(&mut peer, &mine, "Office", 0, &told);
            peer.record(1, "Борис", "before", &json!({}));
            drop(peer);
            let mut peer = door.accept();
            let_in(&mut peer, &mine, "Office", 2, &told);
            peer.record(2, "Борис", "after", &json!({"replay": true}));
            peer.expect_end();
        });
        let session = joined(&first.address).await;
        until(|| said(&session) == ["before", "after"]).await;
        assert_eq!(session.state(), SessionState::Joined, "nobody was asked");
        session.leave().await;
        finish(first).await;
        finish(stranger).await;
        finish(plain).await;
    });
}

#[test]
fn what_is_told_without_encryption_counts_for_nothing() {
    run(async {
        let first = Server::start(|door| {
            let mut peer = door.accept();
            let hello = peer.greet_with("e1", &json!({"servers": ["127.0.0.1:1", "127.0.0.1:2"]}));
            peer.send(&json!({
                "type": "welcome", "username": hello["username"], "epoch": "e1", "time": TIME_MS,
                "members": [hello["username"]], "rooms": [hall(0, 0)],
            }));
            peer.send(&json!({
                "type": "bye", "reason": "shutdown", "retry_ms": 0, "servers": ["127.0.0.1:3"],
            }));
            peer.expect_end();
        });
        let session = joined(&first.address).await;
        finish(first).await;
        until(|| !session.attempts().is_empty()).await;
        assert_eq!(session.attempts().len(), 1);
        session.cancel();
        session.leave().await;
    });
}
