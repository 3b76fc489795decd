//! Answers, edits, deletions and reactions: what comes, and what the reader asks for.

use std::{cell::RefCell, rc::Rc, sync::mpsc};

use gtk::{glib, glib::prelude::*};
use pychat_gtk::{
    model::{Delivery, Message},
    session::{
        Room, Session,
        room::{Composing, MessageChange},
    },
};
use serde_json::{Value, json};

use crate::{
    PATIENCE, finish, joined, run,
    server::{Peer, Server, TIME_MS, payloads::hall},
    texts, until,
};

/// Lets the client in, as an operator if it is to be one, where Борис is too.
fn let_in(peer: &mut Peer, is_operator: bool) {
    let hello = peer.greet("e1");
    peer.send(&json!({
        "type": "welcome", "username": hello["username"], "epoch": "e1", "rooms": [hall(0, 0)],
        "time": TIME_MS, "members": [hello["username"], "Борис"], "operator": is_operator,
    }));
}

/// Tells of an amendment of message 1 by `author`.
fn amended(peer: &mut Peer, seq: u64, author: &str, kind: &str, more: &Value) {
    let mut payload = json!({
        "type": kind, "seq": seq, "time": TIME_MS + 1_000 * seq, "username": author, "target": 1,
    });
    let more = more.as_object().expect("members").clone();
    payload.as_object_mut().expect("an object").extend(more);
    peer.send(&payload);
}

/// Takes what the client asks for, and does it as record `seq`; returns it.
fn do_next(peer: &mut Peer, seq: u64) -> Value {
    let asked = peer.read_payload();
    let mut record = asked.clone();
    record["seq"] = seq.into();
    record["time"] = (TIME_MS + 1_000 * seq).into();
    record["username"] = "Анна".into();
    peer.send(&record);
    asked
}

fn first(session: &Session) -> Message {
    session.room().history().by_seq(1).expect("it is there")
}

fn first_text(session: &Session) -> Option<String> {
    session.room().history().by_seq(1).map(|message| message.text().to_string())
}

/// Gathers the reasons why something was not changed, with the words that it was to have.
fn refusals(session: &Session) -> Rc<RefCell<Vec<(String, String)>>> {
    let refusals = Rc::new(RefCell::new(Vec::new()));
    session.rooms().connect_amendment_refused({
        let refusals = refusals.clone();
        move |_, _, reason, _, words| {
            refusals.borrow_mut().push((reason.to_owned(), words.to_owned()));
        }
    });
    refusals
}

#[test]
fn what_others_change_is_shown_as_it_is_now_and_found_as_it_is_now() {
    run(async {
        let (go_on, is_told) = mpsc::channel();
        let server = Server::start(move |door| {
            let mut peer = door.accept();
            let_in(&mut peer, false);
            peer.record(1, "Борис", "cake at five", &json!({}));
            amended(&mut peer, 2, "Борис", "edit", &json!({"content": "pie at four"}));
            for (seq, author, emoji) in [(3, "Борис", "👍"), (4, "Вера", "👍"), (5, "Вера", "🎉")]
            {
                amended(&mut peer, seq, author, "react", &json!({ "emoji": emoji }));
            }
            is_told.recv_timeout(PATIENCE).expect("the test goes on");
            for query in ["cake", "pie"] {
                assert_eq!(peer.read_payload()["query"], query);
            }
            amended(&mut peer, 6, "Борис", "delete", &json!({}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let search = session.search();
        search.set_room(Some(&session.room()));
        search.search_for("cake");
        until(|| first_text(&session).as_deref() == Some("pie at four")).await;
        until(|| first(&session).reactions().len() == 2).await;
        let message = first(&session);
        assert_eq!(message.edited_ms(), i64::try_from(TIME_MS + 2_000).ok());
        let reactions = [("👍", vec!["Борис".to_owned()]), ("🎉", vec!["Вера".to_owned()])];
        let reactions = reactions.map(|(emoji, names)| (emoji.to_owned(), names));
        assert_eq!(message.reactions(), reactions);
        until(|| search.n_found() == 0).await;
        search.search_for("pie");
        until(|| search.n_found() == 1).await;
        go_on.send(()).expect("the server waits");
        until(|| message.is_deleted()).await;
        until(|| search.n_found() == 0).await;
        assert_eq!((&*message.text(), message.author()), ("", "Борис"));
        assert!(message.reactions().is_empty() && message.found().is_empty());
        assert!(!texts(&session).iter().any(|text| text.contains("pie")));
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn what_the_reader_changes_is_shown_at_once_and_taken_back_if_refused() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let_in(&mut peer, false);
            let (text, id) = peer.hear_2();
            assert_eq!(text, "helo");
            peer.record(1, "Анна", "helo", &json!({ "id": id }));
            let edit = do_next(&mut peer, 2);
            assert_eq!((&edit["type"], &edit["content"]), (&json!("edit"), &json!("hello")));
            let edit = peer.read_payload();
            assert_eq!(edit["content"], "too late");
            peer.send(&json!({
                "type": "error", "code": "muted", "text": "no", "ref": edit["id"],
            }));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let room = session.room();
        room.say("helo").expect("joined");
        until(|| first_text(&session).is_some()).await;
        let message = first(&session);
        room.edit(&message, "hello").expect("it can be edited");
        assert_eq!((&*message.text(), message.delivery()), ("hello", Delivery::Sending));
        until(|| message.delivery() == Delivery::Sent).await;
        assert_eq!(message.edited_ms(), i64::try_from(TIME_MS + 2_000).ok());
        let refusals = refusals(&session);
        room.edit(&message, "too late").expect("it can be tried");
        assert_eq!(&*message.text(), "too late");
        until(|| !refusals.borrow().is_empty()).await;
        assert_eq!((&*message.text(), message.delivery()), ("hello", Delivery::Sent));
        let reason = "The message was not changed. An operator has muted you.";
        assert_eq!(refusals.take(), [(reason.to_owned(), "too late".to_owned())]);
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn nobody_is_told_of_a_deletion_before_it_can_no_longer_be_undone() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let_in(&mut peer, false);
            for (seq, text) in [(1, "first"), (2, "second")] {
                let (_, id) = peer.hear_2();
                peer.record(seq, "Анна", text, &json!({ "id": id }));
            }
            let (text, _) = peer.hear_2(); // The deletions are not told before it.
            assert_eq!(text, "third");
            let delete = peer.read_payload();
            assert_eq!((&delete["type"], &delete["target"]), (&json!("delete"), &json!(2)));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let room = session.room();
        room.say("first").expect("joined");
        room.say("second").expect("joined");
        until(|| room.history().by_seq(2).is_some()).await;
        let (one, two) = (first(&session), room.history().by_seq(2).expect("it is there"));
        for message in [&one, &two] {
            room.delete(message);
            assert!(message.is_deleted() && message.text().is_empty());
        }
        room.undo_deletion(&one);
        assert_eq!((&*one.text(), one.is_deleted()), ("first", false));
        room.send_deletion(&one); // It was taken back.
        room.say("third").expect("joined");
        session.leave().await; // Its window goes, so nobody can undo the other one.
        finish(server).await;
    });
}

#[test]
fn an_answer_calls_whom_it_answers_and_reactions_do_not() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let_in(&mut peer, false);
            let (_, id) = peer.hear_2();
            peer.record(1, "Анна", "who brings tea?", &json!({ "id": id }));
            amended(&mut peer, 2, "Борис", "react", &json!({"emoji": "👍"}));
            peer.record(3, "Борис", "me", &json!({"reply": 1}));
            let answer = peer.read_payload();
            assert_eq!((&answer["content"], &answer["reply"]), (&json!("thanks"), &json!(3)));
            let reaction = peer.read_payload();
            assert_eq!((&reaction["type"], &reaction["emoji"]), (&json!("react"), &json!("❤️")));
            let taken_back = peer.read_payload();
            assert_eq!(
                (&taken_back["type"], &taken_back["emoji"]),
                (&json!("react"), &json!(null))
            );
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let room = session.room();
        let heard = Rc::new(RefCell::new(Vec::new()));
        room.connect_heard({
            let heard = heard.clone();
            move |_, message| heard.borrow_mut().push((message.key(), message.calls_reader()))
        });
        room.say("who brings tea?").expect("joined");
        until(|| room.history().by_seq(3).is_some()).await;
        assert_eq!(heard.take(), [("3".to_owned(), true)]);
        let answer = room.history().by_seq(3).expect("it is there");
        assert_eq!(answer.quoted(), Some(first(&session)));
        room.begin_reply(&answer);
        assert_eq!(room.composing(), Composing::Reply(answer.clone()));
        room.set_composed("thanks");
        room.say_composed().expect("joined");
        assert_eq!((room.composing(), room.composed()), (Composing::New, String::new()));
        for expected in [Some("❤️"), None] {
            room.react(&answer, "❤️");
            assert_eq!(answer.own_reaction().as_deref(), expected);
        }
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn an_edit_is_news_where_it_calls_the_reader_and_did_not_before() {
    run(async {
        let (go_on, is_told) = mpsc::channel();
        let server = Server::start(move |door| {
            let mut peer = door.accept();
            let_in(&mut peer, false);
            is_told.recv_timeout(PATIENCE).expect("the test goes on");
            peer.record(1, "Борис", "cake", &json!({}));
            for (seq, text) in [(2, "pie"), (3, "pie, @Анна"), (4, "pie, @Анна!")] {
                amended(&mut peer, seq, "Борис", "edit", &json!({ "content": text }));
            }
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let heard = Rc::new(RefCell::new(Vec::new()));
        session.room().connect_heard({
            let heard = heard.clone();
            move |_, message| heard.borrow_mut().push(message.text().to_string())
        });
        go_on.send(()).expect("the server waits");
        until(|| first_text(&session).as_deref() == Some("pie, @Анна!")).await;
        assert_eq!(*heard.borrow(), ["cake", "pie, @Анна"]);
        assert!(first(&session).calls_reader());
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn an_edit_that_is_being_written_leaves_the_draft_alone_and_ends_with_its_message() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let_in(&mut peer, false);
            let (_, id) = peer.hear_2();
            peer.record(1, "Анна", "helo", &json!({ "id": id }));
            assert_eq!(peer.hear_2().0, "now");
            amended(&mut peer, 2, "Анна", "delete", &json!({"id": "another device"}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let room = session.room();
        room.say("helo").expect("joined");
        until(|| first_text(&session).is_some()).await;
        room.set_draft("a draft");
        room.begin_edit(&first(&session), "helo");
        room.set_composed("hello");
        assert_eq!((room.composed(), room.draft()), ("hello".into(), "a draft".into()));
        room.say("now").expect("joined");
        until(|| first(&session).is_deleted()).await;
        assert_eq!((room.composing(), room.composed()), (Composing::New, "a draft".into()));
        assert!(!room.can(MessageChange::Restore, &first(&session)), "it was their own");
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn an_operator_removes_what_others_said_and_brings_it_back() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let_in(&mut peer, true);
            peer.record(1, "Борис", "spam", &json!({}));
            let delete = peer.read_payload();
            assert_eq!((&delete["type"], &delete["target"]), (&json!("delete"), &json!(1)));
            let now_ms = glib::real_time() / 1_000; // It can be restored for some days.
            let more = json!({"id": delete["id"], "time": now_ms});
            amended(&mut peer, 2, "Анна", "delete", &more);
            let restore = peer.read_payload();
            assert_eq!((&restore["type"], &restore["content"]), (&json!("restore"), &json!(null)));
            let more = json!({"content": "spam", "id": restore["id"]});
            amended(&mut peer, 3, "Анна", "restore", &more);
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let room = session.room();
        let told = Rc::new(RefCell::new(Vec::new()));
        for signal in ["removed", "restored"] {
            room.connect_closure(signal, false, {
                let told = told.clone();
                glib::closure_local!(move |_: &Room, _: &Message| told.borrow_mut().push(signal))
            });
        }
        until(|| first_text(&session).is_some() && room.can_moderate()).await;
        let message = first(&session);
        assert!(room.can(MessageChange::Remove, &message));
        room.remove(&message);
        until(|| *told.borrow() == ["removed"]).await;
        assert!(message.is_deleted() && room.can(MessageChange::Restore, &message));
        room.bring_back(&message);
        until(|| *told.borrow() == ["removed", "restored"]).await;
        assert_eq!((&*message.text(), message.is_deleted()), ("spam", false));
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn an_operator_may_try_to_bring_back_what_was_deleted_while_they_were_away() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let_in(&mut peer, true);
            let now_ms = glib::real_time() / 1_000;
            let deleted = json!({"deleted": true, "replay": true, "time": now_ms});
            peer.record(1, "Борис", "", &deleted);
            peer.record(2, "Вера", "", &deleted);
            peer.record(3, "Вера", "", &deleted);
            let restore = peer.read_payload();
            assert_eq!((&restore["type"], &restore["target"]), (&json!("restore"), &json!(1)));
            let more = json!({"content": "hello", "id": restore["id"]});
            amended(&mut peer, 4, "Анна", "restore", &more);
            let restore = peer.read_payload();
            peer.send(&json!({
                "type": "error", "code": "forbidden", "text": "no", "ref": restore["id"],
            }));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let room = session.room();
        let refusals = refusals(&session);
        until(|| room.history().by_seq(3).is_some() && room.can_moderate()).await;
        let message = |seq| room.history().by_seq(seq).expect("it is there");
        assert!((1..=3).all(|seq| room.can(MessageChange::Restore, &message(seq))));
        room.bring_back(&message(1));
        until(|| *message(1).text() == *"hello").await;
        room.bring_back(&message(2));
        until(|| !refusals.borrow().is_empty()).await;
        let reason = "The message cannot be restored. Its author deleted it, or it was removed more than 7 days ago.";
        assert_eq!(refusals.take(), [(reason.to_owned(), String::new())]);
        assert!(!room.can(MessageChange::Restore, &message(2)), "it is not offered again");
        assert!(room.can(MessageChange::Restore, &message(3)));
        session.leave().await;
        finish(server).await;
    });
}
