//! Rooms over lost lines, other logs and other servers, and the bound of what is kept of them.

use std::sync::mpsc;

use gtk::gio::prelude::*;
use pychat_gtk::{
    model::Message,
    session::{Room, Session, SessionState},
};
use serde_json::{Value, json};

use crate::{
    PATIENCE, finish, joined, joined_with, messages, new_session, run,
    server::{Peer, Server, payloads::room},
    until, until_state,
};

/// The number of rooms that are open at once, beside the hall.
const OPEN_ROOMS_MAX: usize = 16;

fn room_of(session: &Session, id: &str) -> Room {
    session.rooms().room(id).expect("it is listed")
}

/// Returns the numbers of the messages that are shown in a room.
fn seqs(room: &Room) -> Vec<u64> {
    let history = room.history();
    (0..history.n_items()).filter_map(|at| history.message(at)?.seq()).collect()
}

fn open_room(id: &str, last: u64) -> Value {
    room(id, "closed", id, last, &json!({ "read": last }))
}

/// Answers the request for the first page of a room, with all that there is, and that for its members.
fn show(peer: &mut Peer, last: u64) {
    peer.page(1..last + 1);
    let request = peer.read_payload();
    assert_eq!(request["type"], "members");
    peer.send(&json!({"type": "members", "room": request["room"], "members": ["Анна"]}));
}

#[test]
fn who_comes_back_is_told_what_was_missed_in_every_room() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &[open_room("r1", 2), open_room("r2", 2)]);
            show(&mut peer, 2);
            peer.record(3, "Борис", "number 3", &json!({"room": "r1"}));
            peer.hear_read("r1", 3);
            drop(peer);
            let mut peer = door.accept();
            let hello = peer.let_in_rooms("e1", 0, &[open_room("r1", 4), open_room("r2", 3)]);
            let rooms = json!({"": 0, "r1": 3, "r2": 2});
            assert_eq!(hello["resume"], json!({"epoch": "e1", "rooms": rooms, "limit": 500}));
            for (id, seq) in [("r2", 3), ("r1", 4)] {
                peer.record(seq, "Борис", "missed", &json!({"room": id, "replay": true}));
            }
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let (first, second) = (room_of(&session, "r1"), room_of(&session, "r2"));
        first.open();
        until(|| seqs(&first) == [1, 2, 3, 4]).await;
        until(|| second.last_active() != 0).await;
        assert_eq!(seqs(&second), [0; 0], "nobody has opened it");
        assert_eq!(session.state(), SessionState::Joined);
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_room_is_closed_when_too_many_are_open_and_has_everything_when_it_is_opened_again() {
    run(async {
        let ids: Vec<_> = (0..=OPEN_ROOMS_MAX).map(|n| format!("r{n}")).collect();
        let server = Server::start({
            let ids = ids.clone();
            move |door| {
                let mut peer = door.accept();
                let rooms: Vec<_> = ids.iter().map(|id| open_room(id, 1)).collect();
                peer.let_in_rooms("e1", 0, &rooms);
                for _ in &ids {
                    show(&mut peer, 1);
                }
                peer.record(2, "Борис", "meanwhile", &json!({"room": ids[0]}));
                peer.page(1..3);
                peer.expect_end();
            }
        });
        let session = joined(&server.address).await;
        let first = room_of(&session, &ids[0]);
        for id in &ids {
            let room = room_of(&session, id);
            room.open();
            until(|| seqs(&room) == [1] && room.people().n_items() == 1).await;
        }
        assert_eq!(seqs(&first), [0; 0], "it was not looked at for longest");
        assert_eq!(seqs(&room_of(&session, &ids[1])), [1]);
        until(|| first.unread() == 1).await;
        first.open();
        until(|| seqs(&first) == [1, 2]).await;
        until(|| first.unread() == 0).await;
        assert_eq!(seqs(&room_of(&session, &ids[1])), [0; 0], "this one was next");
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn records_that_are_not_known_are_read_with_those_around_them() {
    run(async {
        let (go_on, is_told) = mpsc::channel();
        let server = Server::start(move |door| {
            let mut peer = door.accept();
            let read = json!({"read": 1, "unread": 1});
            peer.let_in_rooms("e1", 0, &[room("r1", "closed", "Tea", 3, &read)]);
            let request = peer.read_payload();
            assert_eq!((&request["type"], &request["before"]), (&json!("history"), &json!(4)));
            let more = json!({"room": "r1", "replay": true});
            peer.event("r1", 1, "Анна", "created", &more);
            peer.record(2, "Борис", "number 2", &more);
            peer.send(&json!({"type": "react", "room": "r1", "seq": 3, "replay": true}));
            peer.send(&json!({
                "type": "page", "room": "r1", "before": 4, "count": 3, "start": true,
            }));
            assert_eq!(peer.read_payload()["type"], "members");
            peer.hear_read("r1", 3);
            is_told.recv_timeout(PATIENCE).expect("the test goes on");
            peer.record(4, "Борис", "number 4", &json!({"room": "r1"}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let tea = room_of(&session, "r1");
        until(|| tea.unread() == 1).await;
        tea.open();
        until(|| seqs(&tea) == [1, 2]).await;
        until(|| tea.unread() == 0 && tea.history().n_unread() == 0).await;
        assert_eq!(tea.history().seen(), 3);
        let created = tea.history().message(0).expect("it is shown");
        assert_eq!(created.text().replace(['\u{2068}', '\u{2069}'], ""), "Анна created the room.");
        go_on.send(()).expect("the server waits");
        until(|| seqs(&tea) == [1, 2, 4]).await; // By then the server has heard what was seen.
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn another_log_has_other_rooms_and_another_server_none_of_them() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &[open_room("r1", 1), open_room("r2", 1)]);
            show(&mut peer, 1);
            drop(peer);
            let mut peer = door.accept();
            peer.let_in_rooms("e2", 0, &[open_room("r1", 1)]);
            peer.record(1, "Борис", "a new beginning", &json!({"room": "r1", "replay": true}));
            peer.expect_end();
        });
        let session = new_session();
        joined_with(session.clone(), &server.address).await;
        let (first, second) = (room_of(&session, "r1"), room_of(&session, "r2"));
        first.open();
        let last = |room: &Room| {
            let history = room.history();
            history.message(history.n_items().checked_sub(1)?).map(|it| it.text().to_string())
        };
        until(|| last(&first).as_deref() == Some("a new beginning")).await;
        assert!(second.is_gone() && session.rooms().n_items() == 2);
        session.leave().await;
        until_state(&session, SessionState::Disconnected).await;
        finish(server).await;

        let original = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in();
            peer.say("Борис", "hello");
            peer.expect_end();
        });
        session.room().history().set_attended(false);
        joined_with(session.clone(), &original.address).await;
        assert!(first.is_gone() && session.rooms().n_items() == 1);
        assert!(first.say("to nobody").is_err());
        until(|| session.rooms().unread() == 1).await;
        assert_eq!(messages(&session).last().map(Message::author), Some("Борис"));
        session.room().mark_as_read();
        until(|| session.rooms().unread() == 0).await;
        session.leave().await;
        finish(original).await;
    });
}
