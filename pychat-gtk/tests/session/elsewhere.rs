//! Answers, changes and refusals in rooms that are not shown.

use std::{cell::RefCell, rc::Rc};

use gtk::glib;
use pychat_gtk::{
    model::Message,
    session::{Room, Session, room::MessageChange},
};
use serde_json::{Value, json};

use crate::{
    finish, joined, joined_with, new_session, run,
    server::{
        Server, TIME_MS,
        payloads::{extend, hall, room},
    },
    until,
};

fn tea(session: &Session) -> Room {
    session.rooms().room("r1").expect("it is listed")
}

/// Gathers the texts that are heard, with whether they call the reader.
fn heard(session: &Session) -> Rc<RefCell<Vec<(String, bool)>>> {
    let heard = Rc::new(RefCell::new(Vec::new()));
    session.rooms().connect_heard({
        let heard = heard.clone();
        move |_, _, message| {
            heard.borrow_mut().push((message.text().to_string(), message.calls_reader()));
        }
    });
    heard
}

/// Returns the record that `author` amended message `target` of the room.
fn amended(seq: u64, author: &str, kind: &str, target: u64, more: &Value) -> Value {
    let mut record = json!({
        "type": kind, "room": "r1", "seq": seq, "time": TIME_MS, "username": author, "target": target,
    });
    extend(&mut record, more);
    record
}

#[test]
fn an_answer_in_a_room_that_was_never_opened_calls_its_reader_after_a_restart_too() {
    run(async {
        let tea_room = |last| [room("r1", "open", "Tea", last, &json!({ "read": last }))];
        let server = Server::start(move |door| {
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &tea_room(0));
            // From another device.
            peer.record(1, "Анна", "who brings tea?", &json!({"room": "r1", "id": "x"}));
            peer.record(2, "Борис", "hm", &json!({"room": "r1"}));
            peer.record(3, "Борис", "not me", &json!({"room": "r1", "reply": 2}));
            peer.record(4, "Вера", "me", &json!({"room": "r1", "reply": 1}));
            peer.expect_end();
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &tea_room(4));
            peer.record(5, "Борис", "thanks", &json!({"room": "r1", "reply": 4}));
            peer.record(6, "Борис", "Анна?", &json!({"room": "r1", "reply": 1}));
            peer.expect_end();
        });
        for expected in [
            [("hm", false), ("not me", false), ("me", true)].as_slice(),
            &[("thanks", false), ("Анна?", true)],
        ] {
            let session = new_session();
            let heard = heard(&session);
            let session = joined_with(session, &server.address).await;
            until(|| heard.borrow().len() == expected.len()).await;
            let expected: Vec<_> =
                expected.iter().map(|(text, calls)| ((*text).to_owned(), *calls)).collect();
            assert_eq!(heard.take(), expected);
            until(|| tea(&session).mentions() == 1).await;
            session.leave().await;
        }
        finish(server).await;
    });
}

#[test]
fn a_refusal_is_told_with_the_room_though_that_is_not_shown() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &[room("r1", "open", "Tea", 1, &json!({"read": 1}))]);
            let request = peer.read_payload();
            assert_eq!((&request["type"], &request["room"]), (&json!("history"), &json!("r1")));
            peer.record(1, "Анна", "helo", &json!({"room": "r1", "id": "x", "replay": true}));
            peer.send(
                &json!({"type": "page", "room": "r1", "before": 2, "count": 1, "start": true}),
            );
            assert_eq!(peer.read_payload()["type"], "members");
            let edit = peer.read_payload();
            assert_eq!((&edit["type"], &edit["room"]), (&json!("edit"), &json!("r1")));
            peer.send(&json!({
                "type": "error", "code": "muted", "text": "no", "ref": edit["id"],
            }));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let refused = Rc::new(RefCell::new(Vec::new()));
        session.rooms().connect_amendment_refused({
            let refused = refused.clone();
            move |_, room, reason, message, words| {
                let key = message.map(Message::key);
                refused.borrow_mut().push((room.title(), reason.to_owned(), key, words.to_owned()));
            }
        });
        let room = tea(&session);
        room.open();
        until(|| room.history().by_seq(1).is_some()).await;
        let message = room.history().by_seq(1).expect("it is there");
        room.edit(&message, "hello").expect("it can be tried");
        until(|| !refused.borrow().is_empty()).await;
        let reason = "The message was not changed. An operator has muted you.";
        let expected = ("Tea".into(), reason.into(), Some("1".into()), "hello".into());
        assert_eq!(refused.take(), [expected]);
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn only_what_an_operator_is_known_to_have_removed_is_offered_to_be_restored() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let hello = peer.greet("e1");
            peer.send(&json!({
                "type": "welcome", "username": hello["username"], "epoch": "e1", "time": TIME_MS,
                "members": [hello["username"]], "operator": true,
                "rooms": [hall(0, 0), room("r1", "open", "Tea", 3, &json!({"read": 3}))],
            }));
            let now = json!({"time": glib::real_time() / 1_000});
            peer.send(&amended(4, "Борис", "delete", 1, &now)); // Nobody has opened the room.
            peer.send(&amended(5, "Вера", "delete", 2, &now));
            let request = peer.read_payload();
            assert_eq!((&request["type"], &request["room"]), (&json!("history"), &json!("r1")));
            for seq in 1..=3 {
                let more = json!({"room": "r1", "deleted": true, "replay": true});
                peer.record(seq, "Борис", "", &more);
            }
            peer.send(
                &json!({"type": "page", "room": "r1", "before": 6, "count": 3, "start": true}),
            );
            assert_eq!(peer.read_payload()["type"], "members");
            peer.expect_end();
        });
        let session = new_session();
        let withdrawn = Rc::new(RefCell::new(Vec::new()));
        session.rooms().connect_withdrawn({
            let withdrawn = withdrawn.clone();
            move |_, _, seq| withdrawn.borrow_mut().push(seq)
        });
        let session = joined_with(session, &server.address).await;
        until(|| withdrawn.borrow().len() == 2).await;
        let room = tea(&session);
        room.open();
        until(|| room.history().by_seq(3).is_some() && room.can_moderate()).await;
        let can_restore = (1..=3).map(|seq| {
            let message = room.history().by_seq(seq).expect("it is there");
            assert!(message.is_deleted());
            room.can(MessageChange::Restore, &message)
        });
        assert_eq!(can_restore.collect::<Vec<_>>(), [false, true, false]);
        session.leave().await;
        finish(server).await;
    });
}
