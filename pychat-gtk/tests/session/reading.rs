//! The place up to which the reader has read: kept by number, over lost lines and restarts.

use gtk::gio::prelude::*;
use pychat_gtk::{
    model::Message,
    session::{Session, SessionState},
};
use serde_json::json;

use crate::{Folder, finish, joined_with, messages, run, server::Server, until, until_state};

/// Returns a session whose reader sees what comes to its end, until all is there that they missed.
fn session_in(folder: &Folder) -> Session {
    let session = Session::default().with_state_folder(&folder.0);
    session.room().history().connect_caught_up(|history| history.set_attended(false));
    session
}

/// Returns the number before which it says that what follows is new.
fn marked(session: &Session) -> Option<u64> {
    let marked = messages(session).into_iter().find(|it| it.placement().begins_unread);
    marked.as_ref().and_then(Message::seq)
}

/// Reads the history to the end, and leaves.
async fn read_and_leave(session: Session) {
    session.room().history().set_attended(true);
    session.leave().await;
}

#[test]
fn a_restart_goes_on_at_the_first_message_that_was_not_seen() {
    run(async {
        let folder = Folder::new();
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 3);
            peer.page(1..4);
            peer.record(4, "Борис", "number 4", &json!({}));
            peer.expect_end();
            // More than a page was missed, and the server does not give all of it at once.
            let mut peer = door.accept();
            peer.let_in_2("e1", 65);
            assert_eq!(peer.page(30..66), 66);
            assert_eq!(peer.page(2..30), 30);
            peer.expect_end();
            // Then more than is fetched unasked.
            let mut peer = door.accept();
            peer.let_in_2("e1", 900);
            assert_eq!(peer.page(851..901), 901);
            assert_eq!(peer.page(401..851), 851);
            assert_eq!(peer.page(60..401), 401);
            peer.expect_end();
            let mut peer = door.accept();
            peer.let_in_2("e1", 900);
            peer.page(851..901);
            peer.expect_end();
        });
        let session = joined_with(session_in(&folder), &server.address).await;
        until(|| session.room().history().n_items() == 5).await;
        assert_eq!(session.room().history().seen(), 4);
        session.leave().await;

        let session = joined_with(session_in(&folder), &server.address).await;
        until(|| marked(&session) == Some(5)).await;
        assert_eq!(session.room().history().n_unread(), 61);
        let last = messages(&session).pop().expect("there are some");
        session.room().history().see(&last);
        session.leave().await;

        let session = joined_with(session_in(&folder), &server.address).await;
        until(|| session.room().history().n_unread() == 835).await;
        assert_eq!((session.room().history().is_behind(), marked(&session)), (true, None));
        session.room().request_unread();
        until(|| marked(&session) == Some(66)).await;
        assert_eq!(
            (session.room().history().n_unread(), session.room().history().is_behind()),
            (835, false)
        );
        read_and_leave(session).await;

        let session = joined_with(session_in(&folder), &server.address).await;
        until(|| 50 < session.room().history().n_items()).await;
        assert_eq!((session.room().history().n_unread(), marked(&session)), (0, None));
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn what_was_missed_with_the_line_is_new_and_whoever_answers_has_read_it() {
    run(async {
        let folder = Folder::new();
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 2);
            peer.page(1..3);
            peer.record(3, "Борис", "number 3", &json!({}));
            drop(peer);
            let mut peer = door.accept();
            let hello = peer.let_in_2("e1", 43);
            assert_eq!(hello["resume"], json!({"epoch": "e1", "rooms": {"": 3}, "limit": 500}));
            for seq in 4..44 {
                peer.record(seq, "Борис", &format!("number {seq}"), &json!({"replay": true}));
            }
            assert_eq!(peer.hear_2().0, "an answer");
            peer.expect_end();
        });
        let session = joined_with(session_in(&folder), &server.address).await;
        until(|| marked(&session) == Some(4)).await;
        until(|| session.room().history().n_unread() == 40).await;
        assert_eq!((session.state(), session.room().history().seen()), (SessionState::Joined, 3));
        session.room().say("an answer").expect("joined");
        assert_eq!((session.room().history().n_unread(), marked(&session)), (0, None));
        assert_eq!(session.room().history().seen(), 43);
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn of_more_than_can_be_sent_at_once_the_end_is_shown_and_the_rest_when_asked_for() {
    run(async {
        let folder = Folder::new();
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 2);
            peer.page(1..3);
            drop(peer);
            let mut peer = door.accept();
            peer.let_in_2("e1", 900);
            peer.send(&json!({"type": "skip", "from": 3, "to": 880}));
            for seq in 881..901 {
                peer.record(seq, "Борис", &format!("number {seq}"), &json!({"replay": true}));
            }
            assert_eq!(peer.page(401..881), 881);
            assert_eq!(peer.page(1..401), 401);
            peer.expect_end();
        });
        let session = joined_with(session_in(&folder), &server.address).await;
        until(|| session.room().history().n_unread() == 898).await;
        let seqs = || messages(&session).iter().filter_map(Message::seq).collect::<Vec<_>>();
        assert_eq!(seqs(), (881..901).collect::<Vec<_>>());
        session.room().request_unread();
        until(|| marked(&session) == Some(3)).await;
        assert_eq!(seqs(), (1..901).collect::<Vec<_>>(), "each once");
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_file_of_before_counts_what_was_shown_as_seen() {
    run(async {
        let folder = Folder::new();
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 3);
            peer.page(1..4);
            peer.expect_end();
            let mut peer = door.accept();
            peer.let_in_2("e1", 5);
            peer.page(1..6);
            peer.expect_end();
        });
        let session = joined_with(session_in(&folder), &server.address).await;
        until(|| 3 < session.room().history().n_items()).await;
        session.leave().await;
        let [path] = &folder.files("json")[..] else { panic!("one file is kept") };
        let kept = std::fs::read_to_string(path).expect("it is there");
        let mut kept: serde_json::Value = serde_json::from_str(&kept).expect("it is whole");
        let rooms =
            kept.as_object_mut().expect("it is one").remove("rooms").expect("there are some");
        assert!(rooms[""]["seen"].is_number());
        kept["seq"] = rooms[""]["seq"].clone();
        std::fs::write(path, kept.to_string()).expect("it can be written");
        let session = joined_with(session_in(&folder), &server.address).await;
        until(|| marked(&session) == Some(4)).await;
        session.leave().await;
        until_state(&session, SessionState::Disconnected).await;
        finish(server).await;
    });
}
