//! Talking, losing the connection, coming back and leaving.

use std::{
    cell::Cell,
    rc::Rc,
    sync::mpsc,
    time::{Duration, Instant},
};

use gtk::{gio, gio::prelude::*, glib};
use pychat_gtk::{
    model::{Delivery, MessageKind},
    session::{
        Account, STEP_TIMEOUT, Session, SessionState,
        disconnect_reason::DisconnectReason,
        transport::{self, Line, Stream},
    },
};

use crate::{
    PATIENCE, anna, finish, joined, messages, run,
    server::{SERVER, Server, frame},
    texts, unsent, until, until_state,
};

#[test]
fn a_server_of_the_original_that_is_lost_leaves_what_never_came_back_as_failed() {
    for is_reset in [false, true] {
        run(async move {
            let server = Server::start(move |door| {
                let mut peer = door.accept();
                peer.let_in();
                assert_eq!(peer.hear(), "first");
                peer.say("Вы", "first");
                if is_reset {
                    peer.reset();
                } else {
                    assert_eq!([peer.hear(), peer.hear()], ["second\nline", "third"]);
                    drop(peer);
                }
                let mut peer = door.accept();
                peer.let_in();
                assert_eq!(peer.hear(), "third");
                peer.say("Вы", "third");
                peer.expect_end();
            });
            let session = joined(&server.address).await;
            for text in ["first", "second\nline", "third"] {
                session.room().say(text).expect("joined");
            }
            let failed = ["second\nline", "third"].map(|it| (it.to_owned(), Delivery::Failed));
            until(|| unsent(&session) == failed).await;
            assert_eq!(texts(&session)[1], "first");
            until_state(&session, SessionState::Joined).await;

            let ids: Vec<_> = messages(&session)
                .iter()
                .filter(|message| message.delivery() == Delivery::Failed)
                .map(|message| message.id().expect("it was sent").to_owned())
                .collect();
            session.room().discard(&ids[0]);
            session.room().say_again(&ids[1]);
            until(|| unsent(&session).is_empty()).await;
            let welcome = "Welcome, Анна. Nobody else is here yet.";
            assert_eq!(texts(&session), [welcome, "first", welcome, "third"]);
            session.leave().await;
            finish(server).await;
        });
    }
}

#[test]
fn nothing_can_be_said_to_a_server_of_the_original_that_is_away() {
    run(async {
        let server = Server::start(|door| {
            door.accept().let_in();
        });
        let session = joined(&server.address).await;
        finish(server).await;
        until(|| session.retry_in().is_some()).await;
        assert!(!session.room().can_say());
        assert!(session.room().say("into the void").is_err());
        assert_eq!(unsent(&session), []);
    });
}

#[test]
fn a_server_that_stops_is_said_to_have_stopped() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in();
            peer.say(SERVER, "Connection closed due to server is shutting down. Bye!\n");
        });
        let session = joined(&server.address).await;
        until_state(&session, SessionState::Lost).await;
        assert!(matches!(session.disconnect_reason(), Some(DisconnectReason::ServerStopped)));
        assert_eq!(texts(&session)[1..], ["The server is shutting down. Bye!"]);
        finish(server).await;
    });
}

#[test]
fn trying_again_keeps_the_name_and_the_conversation_and_joining_anew_does_not() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in();
            peer.say("Борис", "before");
            drop(peer);
            let mut peer = door.accept();
            assert_eq!(peer.let_in(), "Анна");
            peer.say("Борис", "after");
            peer.expect_end();
            let mut peer = door.accept();
            peer.let_in();
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let welcome = "Welcome, Анна. Nobody else is here yet.";
        let expected = [welcome, "before", welcome, "after"];
        until(|| texts(&session) == expected).await;
        session.leave().await;
        assert_eq!(session.state(), SessionState::Disconnected);

        session.join(Account::new(anna(), server.address.clone()));
        until_state(&session, SessionState::Joined).await;
        assert_eq!(texts(&session), [welcome]);
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn attempts_to_come_back_that_fail_leave_the_conversation_readable() {
    run(async {
        let server = Server::start(|door| {
            door.accept().let_in();
        });
        let session = joined(&server.address).await;
        let before = texts(&session);
        finish(server).await;
        until(|| session.retry_in().is_some()).await;
        assert!(
            matches!(session.disconnect_reason(), Some(DisconnectReason::Lost)),
            "and not that nobody answers now"
        );
        assert_eq!(session.state(), SessionState::Lost);

        // Nobody has to wait for the next attempt.
        for try_now in [Session::rejoin, Session::wake] {
            try_now(&session);
            assert_eq!(session.state(), SessionState::Connecting);
            until(|| session.retry_in().is_some()).await;
            assert_eq!(texts(&session), before);
        }

        // And nobody has to want it.
        session.cancel();
        assert_eq!((session.state(), session.retry_in()), (SessionState::Lost, None));
        assert!(session.disconnect_reason().is_none());
        session.wake();
        assert_eq!(session.state(), SessionState::Lost);
    });
}

#[test]
fn a_burst_is_shown_in_order_and_in_few_changes() {
    const MESSAGES: u32 = 5_000;
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in();
            let burst: String = (0..MESSAGES).map(|n| frame("Борис", &n.to_string())).collect();
            peer.write(burst.as_bytes());
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let n_changes = Rc::new(Cell::new(0));
        session.room().history().connect_items_changed({
            let n_changes = n_changes.clone();
            move |_, _, _, _| n_changes.set(n_changes.get() + 1)
        });
        until(|| session.room().history().n_items() == MESSAGES + 1).await;
        let expected: Vec<_> = (0..MESSAGES).map(|n| n.to_string()).collect();
        assert_eq!(texts(&session)[1..], expected);
        assert!(n_changes.get() < MESSAGES / 10, "{} changes", n_changes.get());
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn the_last_words_arrive_before_the_end_even_where_much_is_unread() {
    run(async {
        let text = "много слов ".repeat(2_000);
        let expected = text.trim_end().to_owned();
        let server = Server::start(move |door| {
            let mut peer = door.accept();
            peer.let_in();
            peer.say("Борис", &"unread ".repeat(10_000));
            assert_eq!(peer.hear(), expected);
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        session.room().say(&text).expect("joined");
        session.leave().await;
        assert_eq!(session.state(), SessionState::Disconnected);
        finish(server).await;
    });
}

#[test]
fn a_server_that_does_not_listen_is_not_listened_to_for_long() {
    const TEXTS: usize = 250; // Far more than a socket takes.
    const TEXT_BYTES: usize = 60_000;
    run(async {
        let (go_on, is_told) = mpsc::channel();
        let server = Server::start(move |door| {
            let wait = || is_told.recv_timeout(PATIENCE).expect("the test goes on");
            let mut peer = door.accept();
            peer.let_in();
            for text in ["heard", "not heard"] {
                wait();
                peer.say("Борис", text);
            }
            wait();
            for _ in 0..TEXTS {
                assert_eq!(peer.hear().len(), TEXT_BYTES);
            }
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let is_shown = |text: &str| texts(&session).iter().any(|shown| shown == text);
        for _ in 0..TEXTS {
            session.room().say(&"y".repeat(TEXT_BYTES)).expect("joined");
        }
        go_on.send(()).expect("the server waits");
        until(|| is_shown("heard")).await; // The session was listening already.
        go_on.send(()).expect("the server waits");
        glib::timeout_future(Duration::from_millis(300)).await; // What must not happen.
        assert!(!is_shown("not heard"));
        go_on.send(()).expect("the server waits");
        until(|| is_shown("not heard")).await;
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn leaving_a_server_that_does_not_hang_up_takes_no_longer_than_it_may() {
    run(async {
        let (done, is_done) = mpsc::channel();
        let server = Server::start(move |door| {
            let mut peer = door.accept();
            peer.let_in();
            is_done.recv_timeout(PATIENCE).expect("leaving comes to an end");
        });
        let session = joined(&server.address).await;
        let begin = Instant::now();
        session.leave().await;
        assert!(begin.elapsed() < PATIENCE / 2);
        done.send(()).expect("the server waits");
        finish(server).await;
    });
}

#[test]
fn own_words_are_told_from_those_of_a_namesake() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in();
            peer.say("Анна", "said by another");
            peer.hear();
            peer.say("Вы", "said by me\n");
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        session.room().say("said by me").expect("joined");
        until(|| session.room().history().n_items() == 3).await;
        let kinds =
            [1, 2].map(|n| session.room().history().message(n).expect("it is there").kind());
        assert_eq!(kinds, [MessageKind::Other, MessageKind::Own]);
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_line_that_nobody_has_any_more_ends_in_order() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            assert_eq!(peer.read_payload()["content"], "last words");
            peer.expect_end();
        });
        let address = gio::NetworkAddress::new(server.address.host(), server.address.port());
        let connection = transport::connect(&address, STEP_TIMEOUT).await.expect("it listens");
        let line = Line::open(Stream::plain(connection), |_| ());
        line.send(frame("Анна", "last words").into_bytes());
        drop(line);
        until(|| server.is_finished()).await;
        server.finish();
    });
}
