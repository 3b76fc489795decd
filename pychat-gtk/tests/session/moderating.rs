//! Operators: what they do, what they are told, and what becomes of those whom it is about.

use std::{cell::RefCell, rc::Rc};

use gtk::{glib, glib::prelude::*};
use pychat_gtk::{
    model::Delivery,
    session::{
        Session, SessionState,
        disconnect_reason::DisconnectReason,
        moderation::{Deed, Rules},
    },
};
use pychat_wire::message::{Door, OperatorRequest, Whom};
use serde_json::{Value, json};

use crate::{
    finish, joined, messages, run,
    server::{Peer, Server, TIME_MS, payloads::hall},
    texts, unsent, until, until_state,
};

/// Lets the client in as an operator.
fn let_operator_in(peer: &mut Peer) {
    let hello = peer.greet("e1");
    peer.send(&json!({
        "type": "welcome", "username": hello["username"], "epoch": "e1", "rooms": [hall(0, 0)], "time": TIME_MS,
        "members": [hello["username"], "Борис"], "operator": true,
    }));
}

/// Says that what the client asks for next is done to `subject`; returns the request.
fn do_next(peer: &mut Peer, subject: &str) -> Value {
    let request = peer.read_payload();
    peer.send(&json!({
        "type": "done", "verb": request["type"], "by": "Анна", "subject": subject,
        "text": "Done.", "id": request["id"],
    }));
    request
}

/// Gathers what the session tells of the reader's own deeds, and of failures, in words.
fn outcomes(session: &Session) -> Rc<RefCell<Vec<String>>> {
    let outcomes = Rc::new(RefCell::new(Vec::new()));
    session.connect_closure("moderated", false, {
        let outcomes = outcomes.clone();
        glib::closure_local!(move |_: &Session, deed: &Deed| {
            outcomes.borrow_mut().push(deed.sentence().replace(['\u{2068}', '\u{2069}'], ""));
        })
    });
    session.connect_closure("moderation-failed", false, {
        let outcomes = outcomes.clone();
        glib::closure_local!(move |_: &Session, reason: &str| {
            outcomes.borrow_mut().push(reason.to_owned());
        })
    });
    outcomes
}

fn mute(for_ms: Option<u64>) -> OperatorRequest<'static> {
    OperatorRequest::Mute { username: "Борис".into(), for_ms }
}

#[test]
fn what_an_operator_does_is_answered_and_undone() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let_operator_in(&mut peer);
            let request = do_next(&mut peer, "Борис");
            assert_eq!((&request["type"], &request["for_ms"]), (&json!("mute"), &json!(600_000)));
            assert_eq!(do_next(&mut peer, "Борис")["type"], "unmute");
            assert_eq!(do_next(&mut peer, "192.0.2.7")["username"], "Борис");
            assert_eq!(do_next(&mut peer, "192.0.2.7")["address"], "192.0.2.7");
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until(|| session.room().can_moderate()).await;
        let outcomes = outcomes(&session);
        let undoing = Rc::new(RefCell::new(None));
        session.connect_closure("moderated", false, {
            let undoing = undoing.clone();
            glib::closure_local!(move |_: &Session, deed: &Deed| {
                undoing.replace(deed.undoing());
            })
        });
        let ban = OperatorRequest::Ban { whom: Whom::Person("Борис".into()), for_ms: None };
        for (request, told) in [
            (mute(Some(600_000)), ["Борис was muted", "Борис was unmuted"]),
            (ban, ["The address 192.0.2.7 of Борис was banned", "192.0.2.7 is no longer banned"]),
        ] {
            assert!(session.moderate(request));
            until(|| undoing.borrow().is_some()).await;
            assert!(session.moderate(undoing.take().expect("it can be undone")));
            until(|| outcomes.borrow().len() == 2).await;
            assert_eq!(outcomes.take(), told);
        }
        assert!(!texts(&session).iter().any(|text| text.contains("muted")), "it was a toast");
        session.leave().await;
        assert!(!session.room().can_moderate() && !session.moderate(mute(None)));
        finish(server).await;
    });
}

#[test]
fn what_is_not_done_is_told_in_words() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let_operator_in(&mut peer);
            for (code, text) in [("not_done", "Борис is not here."), ("forbidden", "no")] {
                let id = peer.read_payload()["id"].clone();
                peer.send(&json!({"type": "error", "code": code, "text": text, "ref": id}));
            }
            peer.read_payload();
            drop(peer); // Before it has answered.
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until(|| session.room().can_moderate()).await;
        let outcomes = outcomes(&session);
        for reason in [
            "Борис is not here.",
            "You are not allowed to do this.",
            "The connection was lost. The change may not have been made.",
        ] {
            assert!(session.moderate(OperatorRequest::Kick { username: "Борис".into() }));
            until(|| !outcomes.borrow().is_empty()).await;
            assert_eq!(outcomes.take(), [reason]);
        }
        assert!(!session.room().can_moderate(), "not until the server says so again");
        until_state(&session, SessionState::Joined).await;
        assert!(!session.room().can_moderate());
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn what_others_do_is_told_in_the_conversation() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            peer.send(&json!({"type": "operator", "operator": true}));
            for (verb, subject) in [
                ("mute", "Борис"),
                ("unban", "192.0.2.0/24"),
                ("slow", "30 s"),
                ("slow", "off"),
                ("door", "invite"),
                ("add_operator", "Яна"),
                ("add_operator", "Анна"),
                ("free_name", "Яна"),
            ] {
                peer.send(&json!({
                    "type": "done", "verb": verb, "by": "Вера", "subject": subject,
                    "text": "Яна is free.", "id": "o-7",
                }));
            }
            peer.send(&json!({"type": "operator", "operator": false}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let told = [
            "You are an operator of this chat now.",
            "Вера muted Борис.",
            "Вера lifted the ban on 192.0.2.0/24.",
            "Вера turned slow mode on.",
            "Вера turned slow mode off.",
            "Вера closed the chat to people without an invite.",
            "Вера made Яна an operator.",
            "Вера: Яна is free.",
            "You are no longer an operator of this chat.",
        ];
        until(|| texts(&session).ends_with(&told.map(ToOwned::to_owned))).await;
        assert!(!session.room().can_moderate());
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn the_rules_are_asked_for_once_at_a_time() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let_operator_in(&mut peer);
            assert_eq!(peer.read_payload()["type"], "bans");
            let ban = json!({"subject": "Борис", "since": TIME_MS, "by": "Вера\u{202e}"});
            peer.send(&json!({
                "type": "bans", "bans": vec![ban; 1_001], "mutes": [], "seconds": 30,
                "admission": "invite",
            }));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until(|| session.room().can_moderate()).await;
        session.request_rules();
        session.request_rules();
        until(|| session.rules().is_some()).await;
        let Some(Rules { bans, mutes, slow_seconds: 30, admission: Door::Invite }) =
            session.rules()
        else {
            panic!("{:?}", session.rules());
        };
        assert_eq!((bans.len(), &*bans[0].by, mutes.len()), (1_000, "Вера", 0));
        session.leave().await;
        assert_eq!(session.rules(), None);
        finish(server).await;
    });
}

#[test]
fn who_is_muted_keeps_what_they_wrote() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            let (_, id) = peer.hear_2();
            peer.send(&json!({"type": "error", "code": "muted", "text": "no", "ref": id}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        session.room().say("hello?").expect("it can be said");
        until(|| unsent(&session) == [("hello?".to_owned(), Delivery::Failed)]).await;
        let failed = messages(&session).pop().expect("there is one");
        assert_eq!(failed.failure(), "Not sent. An operator has muted you.");
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn who_is_banned_does_not_come_back_by_themselves() {
    run(async {
        let server = Server::start(|door| {
            for _ in 0..2 {
                let mut peer = door.accept();
                peer.let_in_2("e1", 0);
                peer.send(&json!({"type": "bye", "reason": "banned", "retry_ms": 1}));
                peer.expect_end();
            }
            let mut peer = door.accept();
            peer.greet("e1");
            peer.send(&json!({"type": "bye", "reason": "banned", "retry_ms": 1}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until_state(&session, SessionState::Lost).await;
        let reason = session.disconnect_reason();
        assert!(matches!(reason, Some(DisconnectReason::Banned)), "{reason:?}");
        let sentence = "An operator has banned you from this chat.";
        assert_eq!(session.disconnect_sentence().as_deref(), Some(sentence));
        assert_eq!(session.retry_in(), None);
        session.wake();
        assert_eq!(session.state(), SessionState::Lost);
        session.rejoin(); // Only somebody's wish.
        until(|| session.is_joining()).await;
        until_state(&session, SessionState::Lost).await;
        session.leave().await;

        session.join(session.account().expect("there was one"));
        until_state(&session, SessionState::Disconnected).await;
        let reason = session.disconnect_reason();
        assert!(matches!(reason, Some(DisconnectReason::Banned)), "{reason:?}");
        finish(server).await;
    });
}

#[test]
fn slow_mode_says_how_long_it_is_until_the_next_message() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            for retry_ms in [30_000, u64::MAX, 0] {
                peer.hear_2();
                peer.send(&json!({
                    "type": "error", "code": "slow_down", "text": "slow", "retry_ms": retry_ms,
                }));
            }
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let room = session.room();
        assert_eq!(room.held_for(), None);
        room.say("one").expect("it can be said");
        until(|| room.held_for().is_some()).await;
        let rest = room.held_for().expect("there is some").as_secs();
        assert!((20..=30).contains(&rest), "{rest}");
        room.say("two").expect("nothing is refused meanwhile");
        until(|| room.held_for().is_some_and(|it| 30 < it.as_secs())).await;
        assert!(room.held_for().expect("there is some").as_secs() <= 60 * 60);
        room.say("three").expect("nothing is refused meanwhile");
        until(|| room.held_for().is_none()).await;
        session.leave().await;
        assert_eq!(room.held_for(), None);
        finish(server).await;
    });
}

#[test]
fn what_comes_too_soon_in_slow_mode_is_on_its_way_until_it_is_said_again() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            let said = [peer.hear_2(), peer.hear_2()];
            for (_, id) in &said {
                peer.send(&json!({
                    "type": "error", "code": "slow_down", "text": "slow", "ref": id, "retry_ms": 50,
                }));
            }
            for (seq, (content, id)) in (1..).zip(said) {
                assert_eq!(peer.hear_2(), (content.clone(), id.clone()));
                peer.record(seq, "Анна", &content, &json!({ "id": id }));
            }
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        for text in ["one", "two"] {
            session.room().say(text).expect("nothing is refused");
        }
        assert_eq!(unsent(&session).len(), 2);
        until(|| unsent(&session).is_empty()).await;
        let shown = texts(&session);
        let shown: Vec<_> =
            shown.iter().filter(|text| ["one", "two"].contains(&&***text)).collect();
        assert_eq!(shown, ["one", "two"]);
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_server_without_a_name_is_called_as_the_reader_likes() {
    run(async {
        let server = Server::start(|door| {
            for _ in 0..2 {
                let mut peer = door.accept();
                peer.let_in();
                peer.expect_end();
            }
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let address = session.title();
        assert!(address.contains(&server.address.port().to_string()), "{address}");
        assert!(!session.has_server_name());
        session.set_alias("Kitchen");
        assert_eq!(session.title(), "Kitchen");
        session.leave().await;
        session.join(session.account().expect("there was one"));
        until_state(&session, SessionState::Joined).await;
        assert_eq!(session.title(), "Kitchen");
        session.set_alias("");
        assert_eq!(session.title(), address);
        session.leave().await;

        session.set_alias("Kitchen");
        session.join(session.account().expect("there was one"));
        until_state(&session, SessionState::Joined).await;
        assert_eq!((session.title().as_str(), session.has_server_name()), ("Office", true));
        session.leave().await;
        finish(server).await;
    });
}
