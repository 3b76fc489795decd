//! The state that outlives the program, and the harm that no trouble with a file may do.

use std::{fs, os::unix::fs::PermissionsExt, sync::mpsc};

use pychat_gtk::{
    model::Delivery,
    session::{Session, SessionState},
};
use pychat_wire::client::SayError;
use serde_json::{Value, json};

use crate::{
    Folder, finish, joined_with, messages, run,
    server::{Server, TIME_MS},
    texts, unsent, until, until_state,
};

fn session_in(folder: &Folder) -> Session {
    Session::default().with_state_folder(&folder.0)
}

/// Returns what the one file in the folder says.
fn kept(folder: &Folder) -> Value {
    let [path] = &folder.files("json")[..] else { return Value::Null };
    serde_json::from_slice(&fs::read(path).expect("it is there")).expect("it is whole")
}

#[test]
fn what_was_typed_and_not_acknowledged_survives_a_kill_and_is_shown_once() {
    for was_accepted in [false, true] {
        run(async move {
            let folder = Folder::new();
            let (heard, is_heard) = mpsc::channel();
            let server = Server::start(move |door| {
                let mut peer = door.accept();
                let earlier = peer.let_in_2("e1", 0);
                let before = [peer.hear_2(), peer.hear_2()];
                heard.send(()).expect("the test waits");
                let mut again = door.accept();
                let hello = again.let_in_2("e1", 1);
                assert_eq!(hello["key"], earlier["key"]);
                let request = again.read_payload();
                assert_eq!(request["before"], 2);
                let after = [again.hear_2(), again.hear_2()];
                assert_eq!(before, after);
                let [(_, first), (_, second)] = after;
                let author = if was_accepted { "Анна" } else { "Борис" };
                let id = if was_accepted { json!(first) } else { json!(null) };
                again.record(1, author, "one", &json!({"id": id, "replay": true}));
                again.send(&json!({"type": "page", "before": 2, "count": 1, "start": true}));
                let seq = if was_accepted { 1 } else { 2 };
                again.record(seq, "Анна", "one", &json!({"id": first, "dup": was_accepted}));
                again.record(seq + 1, "Анна", "two", &json!({ "id": second }));
                again.expect_end();
                drop(peer);
            });
            let session = joined_with(session_in(&folder), &server.address).await;
            for text in ["one", "two"] {
                session.room().say(text).expect("joined");
            }
            let texts_kept = kept(&folder)["unacknowledged"].as_array().map(Vec::len);
            assert_eq!(texts_kept, Some(2), "before the bytes could leave");
            until(|| is_heard.try_recv().is_ok()).await;
            drop(session); // Without a word, as by a kill.

            let session = joined_with(session_in(&folder), &server.address).await;
            let sending = ["one", "two"].map(|text| (text.to_owned(), Delivery::Sending));
            // The server may have answered some of it already.
            assert!(sending.ends_with(&unsent(&session)));
            until(|| 2 < texts(&session).len() && unsent(&session).is_empty()).await;
            let mut expected = vec!["one", "Welcome, Анна.", "one", "two"];
            if was_accepted {
                expected.remove(2);
            }
            until(|| texts(&session) == expected).await;
            let last = messages(&session).pop().expect("there are some").time_ms();
            assert!(i64::try_from(TIME_MS).unwrap() < last);
            session.leave().await;
            let kept = kept(&folder);
            assert_eq!(kept["unacknowledged"], json!([]));
            assert_eq!((&kept["is_known"], &kept["epoch"]), (&json!(true), &json!("e1")));
            assert_eq!(kept["rooms"][""]["seq"], if was_accepted { 2 } else { 3 });
            finish(server).await;
        });
    }
}

#[test]
fn nobody_else_may_read_what_is_kept() {
    run(async {
        let folder = Folder::new();
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            peer.expect_end();
        });
        let session = joined_with(session_in(&folder), &server.address).await;
        session.leave().await;
        let [path] = &folder.files("json")[..] else { panic!("one file is kept") };
        let mode = |path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(path), mode(&folder.0)), (0o600, 0o700));
        assert_eq!(kept(&folder)["server"], json!(server.address.to_string()));
        finish(server).await;
    });
}

#[test]
fn a_file_that_is_damaged_is_put_aside_and_nothing_else_suffers() {
    for damage in ["", "{", r#"{"seq":"many"}"#, "\u{0}\u{0}"] {
        run(async move {
            let folder = Folder::new();
            let server = Server::start(|door| {
                let mut keys = Vec::new();
                for _ in 0..2 {
                    let mut peer = door.accept();
                    keys.push(peer.let_in_2("e1", 0)["key"].clone());
                    peer.expect_end();
                }
                assert!(keys[0] != keys[1], "nothing is known of the first");
            });
            let session = joined_with(session_in(&folder), &server.address).await;
            session.leave().await;
            let [path] = &folder.files("json")[..] else { panic!("one file is kept") };
            fs::write(path, damage).expect("it can be written");
            let session = joined_with(session_in(&folder), &server.address).await;
            session.leave().await;
            assert_eq!(kept(&folder)["is_known"], true);
            let [aside] = &folder.files("damaged")[..] else { panic!("it is put aside") };
            assert_eq!(fs::read_to_string(aside).expect("it is text"), damage);
            finish(server).await;
        });
    }
}

#[test]
fn where_nothing_can_be_kept_one_can_talk_all_the_same() {
    run(async {
        let folder = Folder::new();
        fs::write(&folder.0, "a file where a folder should be").expect("it can be written");
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            let (_, id) = peer.hear_2();
            peer.record(1, "Анна", "hi", &json!({ "id": id }));
            peer.expect_end();
        });
        let session = joined_with(session_in(&folder), &server.address).await;
        session.room().say("hi").expect("joined");
        until(|| texts(&session).len() == 2 && unsent(&session).is_empty()).await;
        session.leave().await;
        finish(server).await;
        fs::remove_file(&folder.0).expect("it is there");
    });
}

#[test]
fn a_second_window_under_the_same_name_neither_reads_nor_overwrites_what_the_first_keeps() {
    run(async {
        let folder = Folder::new();
        let server = Server::start(|door| {
            let mut first = door.accept();
            let chosen = first.let_in_2("e1", 0)["key"].clone();
            let (_, id) = first.hear_2();
            let mut second = door.accept();
            assert!(chosen != second.let_in_2("e1", 0)["key"]);
            second.hear_2();
            second.expect_end();
            first.record(1, "Анна", "of the first", &json!({ "id": id }));
            first.expect_end();
        });
        let first = joined_with(session_in(&folder), &server.address).await;
        first.room().say("of the first").expect("joined");
        let second = joined_with(session_in(&folder), &server.address).await;
        second.room().say("of the second").expect("joined");
        assert_eq!(kept(&folder)["unacknowledged"][0]["text"], "of the first");
        second.leave().await;
        assert_ne!(kept(&folder)["unacknowledged"][0]["text"], "of the second");
        until(|| unsent(&first).is_empty()).await;
        first.leave().await;
        finish(server).await;
    });
}

#[test]
fn what_was_being_written_survives_a_kill_and_is_never_kept_beside_what_was_said() {
    run(async {
        let folder = Folder::new();
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            let mut again = door.accept();
            again.let_in_2("e1", 0);
            again.hear_2();
            again.expect_end();
            drop(peer);
        });
        let session = joined_with(session_in(&folder), &server.address).await;
        session.room().set_draft("begun");
        until(|| kept(&folder)["draft"] == "begun").await;
        drop(session); // Without a word, as by a kill.

        let session = joined_with(session_in(&folder), &server.address).await;
        assert_eq!(session.room().draft(), "begun");
        session.room().set_draft("begun and done");
        session.room().say_composed().expect("joined");
        assert_eq!(session.room().draft(), "");
        let said = kept(&folder);
        assert_eq!(said["unacknowledged"][0]["text"], "begun and done");
        assert_eq!(said["draft"], "");
        session.room().set_draft("the next");
        session.leave().await;
        assert_eq!(kept(&folder)["draft"], "the next", "who leaves in order loses nothing");
        finish(server).await;
    });
}

#[test]
fn what_cannot_be_said_is_still_being_written() {
    run(async {
        let folder = Folder::new();
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            peer.expect_end();
        });
        let session = joined_with(session_in(&folder), &server.address).await;
        session.room().set_draft("\n");
        session.room().say_composed().expect_err("it is blank");
        assert_eq!(session.room().draft(), "\n");
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn no_more_waits_than_can_be_filed_with_each_text() {
    run(async {
        let folder = Folder::new();
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
        });
        let session = joined_with(session_in(&folder), &server.address).await;
        until_state(&session, SessionState::Lost).await;
        let text = "x".repeat(60_000);
        let n_said = (0..100).take_while(|_| session.room().say(&text).is_ok()).count();
        assert_eq!(n_said, (1 << 20) / text.len());
        assert!(matches!(session.room().say(&text), Err(SayError::Full { .. })));
        session.room().say("a short one").expect("there is room for it");
        session.leave().await;
        finish(server).await;
    });
}
