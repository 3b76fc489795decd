//! Mentions that came while the client was not there: found by the server, counted by the client.

use std::{cell::RefCell, rc::Rc};

use pychat_gtk::{
    session::{Account, Room, Session, SessionState},
    text::server_address::ServerAddress,
};
use pychat_wire::UserName;
use serde_json::{Value, json};

use crate::{
    finish, joined, joined_with, new_session, run,
    server::{
        Peer, Server, TIME_MS,
        payloads::{extend, room},
    },
    until,
};

/// Returns a room of which so many messages are unread, after number `read` and up to number `last`.
fn tea_room(read: u64, last: u64, unread: u64) -> Value {
    room("r1", "open", "Tea", last, &json!({ "read": read, "unread": unread }))
}

fn tea(session: &Session) -> Room {
    session.rooms().room("r1").expect("it is listed")
}

/// Waits for one payload, but for those that say what was seen or ask for the first page.
fn hear(peer: &mut Peer) -> Value {
    loop {
        let payload = peer.read_any_payload();
        if payload["type"] != "read" && payload["type"] != "history" {
            return payload;
        }
    }
}

/// Takes the search for missed mentions of `name`, and returns its reference.
fn hear_search(peer: &mut Peer, name: &str) -> Value {
    let search = hear(peer);
    let (reference, query) = (&search["ref"], format!("\"{name}\""));
    let expected = json!({"type": "search", "ref": reference, "query": query, "limit": 100});
    assert_eq!(search, expected);
    reference.clone()
}

/// Sends a message that a search found in the room, with `more` members.
fn send_found(peer: &mut Peer, reference: &Value, seq: u64, text: &str, more: &Value) {
    let mut message = json!({
        "room": "r1", "seq": seq, "time": TIME_MS + seq, "username": "Борис", "content": text,
    });
    extend(&mut message, more);
    peer.send(&json!({ "type": "found", "ref": reference, "message": message }));
}

fn send_end(peer: &mut Peer, reference: &Value) {
    peer.send(&json!({ "type": "found_end", "ref": reference, "before": "more" }));
}

/// Waits until the room has so many messages that are new, and so many of them that mention the reader.
async fn until_news(session: &Session, unread: u32, mentions: u32) {
    let room = tea(session);
    until(|| (room.unread(), room.mentions()) == (unread, mentions)).await;
}

#[test]
fn the_server_is_asked_once_and_only_unread_mentions_by_others_are_counted() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &[tea_room(4, 9, 5)]);
            let reference = hear_search(&mut peer, "Анна");
            for (seq, text, more) in [
                (12, "@Анна, of later", json!({})),
                (9, "@Анна, look", json!({})),
                (9, "@Анна, look", json!({})),
                (8, "Анна: it is me", json!({"id": "own", "username": "Анна"})),
                (7, "Аннабель, and `@Анна`", json!({})),
                (6, "tea, Анна?", json!({})),
                (4, "@Анна, read already", json!({})),
                (9, "@Анна, elsewhere", json!({"room": "r7"})),
            ] {
                send_found(&mut peer, &reference, seq, text, &more);
            }
            send_end(&mut peer, &reference);
            peer.record(10, "Борис", "@Анна, now", &json!({"room": "r1"}));
            peer.send(&json!({"type": "ping"}));
            assert_eq!(hear(&mut peer)["type"], "pong");
            peer.send(&json!({
                "type": "delete", "room": "r1", "seq": 11, "time": TIME_MS, "username": "Борис", "target": 9,
            }));
            peer.send(&json!({"type": "read", "room": "r1", "seq": 6}));
            peer.send(&json!({"type": "ping"}));
            assert_eq!(hear(&mut peer)["type"], "pong");
            peer.send(&json!({"type": "read", "room": "r1", "seq": 11}));
            peer.expect_end();
        });
        let session = new_session();
        let heard = Rc::new(RefCell::new(Vec::new()));
        session.rooms().connect_heard({
            let heard = heard.clone();
            move |_, _, message| heard.borrow_mut().push(message.text().to_string())
        });
        let counts = Rc::new(RefCell::new(Vec::new()));
        session.rooms().connect_mentions_notify({
            let counts = counts.clone();
            move |rooms| counts.borrow_mut().push(rooms.mentions())
        });
        joined_with(session.clone(), &server.address).await;
        until(|| counts.borrow().last() == Some(&0)).await;
        until_news(&session, 0, 0).await;
        assert_eq!(*heard.borrow(), ["@Анна, now"], "of what was missed nobody is notified");
        let counts = counts.take();
        assert!(counts.contains(&3) && counts.contains(&1), "{counts:?}");
        assert!(counts.iter().all(|count| *count <= 3), "{counts:?}");
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn no_more_mentions_are_counted_than_messages_are_unread() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &[tea_room(4, 9, 2)]);
            let reference = hear_search(&mut peer, "Анна");
            (5..10).for_each(|seq| send_found(&mut peer, &reference, seq, "@Анна", &json!({})));
            send_end(&mut peer, &reference);
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until_news(&session, 2, 2).await;
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn where_nothing_is_unread_or_everything_is_heard_nobody_is_asked() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &[tea_room(4, 4, 0)]);
            peer.record(5, "Борис", "@Анна", &json!({"room": "r1"}));
            peer.send(&json!({"type": "ping"}));
            assert_eq!(hear(&mut peer)["type"], "pong");
            drop(peer);
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &[tea_room(4, 6, 2)]);
            peer.record(6, "Борис", "Анна?", &json!({"room": "r1", "replay": true}));
            peer.send(&json!({"type": "ping"}));
            assert_eq!(hear(&mut peer)["type"], "pong");
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until_news(&session, 2, 2).await;
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_search_that_is_lost_is_made_again_and_one_that_is_refused_is_not() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &[tea_room(4, 9, 5)]);
            let reference = hear_search(&mut peer, "Анна");
            send_found(&mut peer, &reference, 9, "@Анна", &json!({}));
            drop(peer);
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &[tea_room(4, 9, 5)]);
            let reference = hear_search(&mut peer, "Анна");
            send_found(&mut peer, &reference, 9, "@Анна", &json!({}));
            send_found(&mut peer, &reference, 8, "@Анна", &json!({}));
            peer.send(
                &json!({"type": "error", "code": "slow_down", "text": "no", "ref": reference}),
            );
            peer.record(10, "Борис", "tea", &json!({"room": "r1"}));
            peer.send(&json!({"type": "ping"}));
            assert_eq!(hear(&mut peer)["type"], "pong");
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until_news(&session, 6, 2).await;
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn what_is_skipped_after_a_lost_line_is_searched_and_what_also_comes_counts_once() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &[tea_room(4, 4, 0)]);
            drop(peer);
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &[tea_room(4, 900, 99)]);
            peer.send(&json!({"type": "skip", "room": "r1", "from": 5, "to": 898}));
            let reference = hear_search(&mut peer, "Анна");
            for seq in [900, 899, 7] {
                send_found(&mut peer, &reference, seq, "@Анна", &json!({}));
            }
            send_end(&mut peer, &reference);
            for seq in [899, 900] {
                peer.record(seq, "Борис", "@Анна", &json!({"room": "r1", "replay": true}));
            }
            peer.send(&json!({"type": "ping"}));
            assert_eq!(hear(&mut peer)["type"], "pong");
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until_news(&session, 99, 3).await;
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_name_of_several_words_is_searched_for_as_one() {
    run(async {
        let name = "Анна (2) 🙂";
        let server = Server::start(move |door| {
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &[tea_room(4, 9, 5)]);
            let reference = hear_search(&mut peer, name);
            send_found(&mut peer, &reference, 9, "@Анна (2) 🙂, look", &json!({}));
            send_found(&mut peer, &reference, 8, "@Анна (2), look", &json!({}));
            send_end(&mut peer, &reference);
            peer.expect_end();
        });
        let session = new_session();
        let address: ServerAddress = server.address.clone();
        session.join(Account::new(UserName::new(name).expect("a good name"), address));
        until(|| session.state() == SessionState::Joined).await;
        until_news(&session, 5, 1).await;
        session.leave().await;
        finish(server).await;
    });
}
