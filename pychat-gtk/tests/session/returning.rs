//! Protocol 2: what was said before, what is said meanwhile, and coming back.

use pychat_gtk::{
    model::{Delivery, Message, MessageKind},
    session::{
        Account, Session, SessionState, disconnect_reason::DisconnectReason, room::PAGE_MESSAGES,
    },
};
use serde_json::json;

use crate::{
    anna, finish, joined, messages, new_session, run,
    server::{Server, TIME_MS, payloads::hall},
    states, texts, unsent, until, until_state,
};

const WELCOME: &str = "Welcome, Анна. Nobody else is here yet.";

/// Returns the numbers of the messages that are shown.
fn seqs(session: &Session) -> Vec<u64> {
    messages(session).iter().filter_map(Message::seq).collect()
}

#[test]
fn what_was_said_before_is_shown_and_what_was_said_before_that_when_asked_for() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let hello = peer.let_in_2("e1", 60);
            let lengths = ["key", "signature"].map(|it| hello[it].as_str().map(str::len));
            assert_eq!((lengths, &hello["resume"]), ([Some(43), Some(86)], &json!(null)));
            peer.record(61, "Борис", "number 61", &json!({}));
            assert_eq!(peer.page(11..61), 61);
            assert_eq!(peer.page(3..11), 11);
            // Whatever a server sends again is there already.
            assert_eq!(peer.page(1..5), 3);
            peer.record(61, "Борис", "number 61", &json!({}));
            peer.record(62, "Борис", "number 62", &json!({}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until(|| seqs(&session) == (11..=61).collect::<Vec<_>>()).await;
        assert_eq!(
            texts(&session)[50],
            "Welcome, Анна.",
            "after what was before, before what came then"
        );
        assert_eq!(messages(&session)[0].time_ms(), i64::try_from(TIME_MS + 11).unwrap());

        for first in [3, 1] {
            session.room().request_history(PAGE_MESSAGES);
            until(|| seqs(&session)[0] == first).await;
        }
        until(|| seqs(&session) == (1..=62).collect::<Vec<_>>()).await;
        session.room().request_history(PAGE_MESSAGES); // Nothing older exists; the server is not asked.
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn what_is_no_longer_kept_is_said_to_be_so() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 60);
            let request = peer.read_payload();
            peer.record(60, "Борис", "number 60", &json!({"replay": true}));
            peer.send(&json!({
                "type": "page", "before": request["before"], "count": 1, "start": true,
            }));
            peer.record(70, "Борис", "number 70", &json!({}));
            drop(peer);
            let mut peer = door.accept();
            peer.let_in_2("e2", 1);
            peer.record(1, "Борис", "a new beginning", &json!({"replay": true}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let gap = "Some earlier messages are no longer available.";
        let anew = "The server has started a new history.";
        let expected =
            [gap, "number 60", "Welcome, Анна.", gap, "number 70", anew, "a new beginning"];
        until(|| texts(&session) == expected).await;
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn who_comes_back_is_shown_what_was_missed_once_and_nothing_else() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let before = peer.let_in_2("e1", 0);
            peer.record(1, "Борис", "before", &json!({}));
            drop(peer);
            let mut peer = door.accept();
            let hello = peer.let_in_2("e1", 3);
            assert_eq!(hello["key"], before["key"]);
            assert_eq!(hello["resume"], json!({"epoch": "e1", "rooms": {"": 1}, "limit": 500}));
            for (seq, text) in [(1, "before"), (2, "meanwhile"), (3, "too"), (3, "too")] {
                peer.record(seq, "Борис", text, &json!({"replay": true}));
            }
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until(|| texts(&session) == [WELCOME, "before", "meanwhile", "too"]).await;
        assert_eq!(session.state(), SessionState::Joined);
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_text_is_on_its_way_until_it_is_acknowledged_and_then_stands_where_it_was_heard() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            let (first, second) = (peer.hear_2(), peer.hear_2());
            assert_eq!((first.0.as_str(), second.0.as_str()), ("first", "second"));
            peer.record(1, "Борис", "in between", &json!({}));
            peer.record(2, "Анна", "first", &json!({"id": first.1}));
            assert_eq!(peer.hear_2().0, "third");
            peer.record(3, "Анна", "second", &json!({"id": second.1}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        for text in ["first", "second"] {
            session.room().say(text).expect("joined");
        }
        let sending = |text: &str| (text.to_owned(), Delivery::Sending);
        assert_eq!(unsent(&session), ["first", "second"].map(sending));
        until(|| texts(&session) == [WELCOME, "in between", "first", "second"]).await;
        assert_eq!(unsent(&session), ["second"].map(sending));
        assert_eq!(messages(&session)[2].time_ms(), i64::try_from(TIME_MS + 2).unwrap());
        session.room().say("third").expect("joined");
        until(|| unsent(&session) == ["third"].map(sending)).await;
        assert_eq!(seqs(&session), [1, 2, 3]);
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn what_a_cut_line_took_along_is_sent_again_and_shown_once() {
    for was_accepted in [false, true] {
        run(async move {
            let server = Server::start(move |door| {
                let mut peer = door.accept();
                peer.let_in_2("e1", 0);
                let first = peer.hear_2();
                drop(peer);
                let mut peer = door.accept();
                peer.let_in_2("e1", u64::from(was_accepted));
                if was_accepted {
                    peer.record(1, "Анна", "hi", &json!({"id": first.1, "replay": true}));
                }
                assert_eq!(peer.hear_2(), first);
                peer.record(1, "Анна", "hi", &json!({"id": first.1, "dup": was_accepted}));
                peer.record(2, "Борис", "hi yourself", &json!({}));
                peer.expect_end();
            });
            let session = joined(&server.address).await;
            session.room().say("hi").expect("joined");
            until(|| texts(&session) == [WELCOME, "hi", "hi yourself"]).await;
            assert_eq!(unsent(&session), []);
            session.leave().await;
            finish(server).await;
        });
    }
}

#[test]
fn what_is_said_while_the_server_is_away_is_sent_when_it_is_back() {
    run(async {
        let (away, is_away) = std::sync::mpsc::channel();
        let server = Server::start(move |door| {
            door.accept().let_in_2("e1", 0);
            let peer = door.accept(); // It answers nothing until something was said.
            is_away.recv_timeout(crate::PATIENCE).expect("something is said");
            drop(peer);
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            for (seq, text) in [(1, "one"), (2, "two")] {
                let (content, id) = peer.hear_2();
                assert_eq!(content, text);
                peer.record(seq, "Анна", text, &json!({ "id": id }));
            }
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until_state(&session, SessionState::Joining).await;
        assert!(session.room().can_say());
        for text in ["one", "two"] {
            session.room().say(text).expect("it waits");
        }
        away.send(()).expect("the server waits");
        until(|| texts(&session) == [WELCOME, "one", "two"] && unsent(&session).is_empty()).await;
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_text_that_cannot_be_kept_for_now_is_sent_again_and_one_that_is_refused_has_failed() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            let (_, id) = peer.hear_2();
            peer.send(&json!({
                "type": "error", "code": "storage", "text": "the disk is full", "ref": id,
                "retry_ms": 20,
            }));
            assert_eq!(peer.hear_2(), ("kept at last".to_owned(), id.clone()));
            peer.record(1, "Анна", "kept at last", &json!({ "id": id }));

            let (_, id) = peer.hear_2();
            peer.send(&json!({
                "type": "error", "code": "bad_payload", "text": "no swearing", "ref": id,
            }));
            let (text, new_id) = peer.hear_2();
            assert_eq!(text, "refused");
            assert_ne!(new_id, id);
            peer.record(2, "Анна", "refused", &json!({ "id": new_id }));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        session.room().say("kept at last").expect("joined");
        until(|| seqs(&session) == [1]).await;
        session.room().say("refused").expect("joined");
        until(|| unsent(&session) == [("refused".to_owned(), Delivery::Failed)]).await;
        let failed = messages(&session).pop().expect("it is the last");
        assert_eq!(failed.failure(), "Not sent. The server did not understand the request.");
        session.room().say_again(failed.id().expect("it was sent"));
        until(|| seqs(&session) == [1, 2]).await;
        assert_eq!(unsent(&session), []);
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_name_that_is_taken_is_said_to_be_and_another_one_suggested() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.greet("e1");
            peer.send(&json!({
                "type": "error", "code": "name_taken", "text": "taken", "suggest": "Анна (2)",
            }));
            peer.expect_end();
        });
        let session = new_session();
        session.join(Account::new(anna(), server.address.clone()));
        until_state(&session, SessionState::Disconnected).await;
        let Some(DisconnectReason::NameTaken { name, suggest }) = session.disconnect_reason()
        else {
            panic!("let in")
        };
        assert_eq!((name.as_str(), suggest.as_deref()), ("Анна", Some("Анна (2)")));
        finish(server).await;
    });
}

#[test]
fn who_was_sent_away_comes_back_only_when_told_to() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            peer.send(&json!({"type": "bye", "reason": "removed", "retry_ms": 0}));
            peer.expect_end();
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until_state(&session, SessionState::Lost).await;
        assert!(matches!(session.disconnect_reason(), Some(DisconnectReason::Removed)));
        assert_eq!(session.retry_in(), None);
        session.wake();
        assert_eq!(session.state(), SessionState::Lost);
        session.rejoin();
        until_state(&session, SessionState::Joined).await;
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn what_is_said_by_another_device_is_shown_as_our_own() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            let (_, id) = peer.hear_2();
            peer.record(1, "Анна", "by the phone", &json!({"id": "of-the-phone"}));
            peer.record(2, "Анна", "by this window", &json!({"id": id}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        session.room().say("by this window").expect("joined");
        until(|| texts(&session) == [WELCOME, "by the phone", "by this window"]).await;
        until(|| unsent(&session).is_empty()).await;
        let kinds: Vec<_> = messages(&session).iter().map(Message::kind).collect();
        assert_eq!(kinds, [MessageKind::Welcome, MessageKind::Own, MessageKind::Own]);
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn comings_and_goings_are_told() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            let mut left = |name: &str, reason: &str| {
                let time = TIME_MS;
                peer.send(&json!({
                    "type": "left", "username": name, "time": time, "reason": reason,
                }));
            };
            left("a", "quit");
            left("b", "lost");
            left("c", "kicked");
            peer.send(&json!({"type": "joined", "username": "c", "time": TIME_MS}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let expected = [
            WELCOME,
            "a left the chat.",
            "b lost the connection.",
            "c left the chat.",
            "c joined the chat.",
        ];
        until(|| texts(&session) == expected).await;
        assert_eq!(messages(&session)[1].time_ms(), i64::try_from(TIME_MS).unwrap());
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_second_welcome_on_a_line_is_passed_over() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            peer.record(1, "Борис", "before", &json!({}));
            peer.send(&json!({
                "type": "welcome", "username": "Анна", "epoch": "e1", "rooms": [hall(2, 0)],
                "time": TIME_MS, "members": ["Анна"],
            }));
            peer.record(2, "Борис", "after", &json!({}));
            peer.expect_end();
        });
        let session = new_session();
        let states = states(&session);
        session.join(Account::new(anna(), server.address.clone()));
        until(|| texts(&session) == [WELCOME, "before", "after"]).await;
        let once = [SessionState::Connecting, SessionState::Joining, SessionState::Joined];
        assert_eq!(*states.borrow(), once);
        session.leave().await;
        finish(server).await;
    });
}
