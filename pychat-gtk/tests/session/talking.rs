//! Talking, losing the connection, coming back and leaving.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::mpsc,
    time::Instant,
};

use gtk::gio::prelude::*;
use pychat_gtk::{
    ending::Ending,
    model::MessageKind,
    session::{Session, SessionState},
};

use crate::{
    PATIENCE, anna, finish, joined, run,
    server::{SERVER, Server, frame},
    states, texts, until, until_state,
};

/// Gathers what the session gives back.
fn returned(session: &Session) -> Rc<RefCell<Vec<String>>> {
    let texts = Rc::new(RefCell::new(Vec::new()));
    session.connect_returned({
        let texts = texts.clone();
        move |_, text| texts.borrow_mut().push(text.to_owned())
    });
    texts
}

#[test]
fn a_lost_connection_gives_back_what_never_came_back() {
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
                }
            });
            let session = joined(&server.address).await;
            let returned = returned(&session);
            for text in ["first", "second\nline", "third"] {
                session.say(text).expect("joined");
            }
            until_state(&session, SessionState::Lost).await;
            assert!(matches!(session.ending(), Some(Ending::Lost)));
            assert_eq!(*returned.borrow(), ["second\nline\nthird"]);
            assert_eq!(texts(&session).last().map(String::as_str), Some("first"));
            assert!(session.say("into the void").is_err());
            finish(server).await;
        });
    }
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
        assert!(matches!(session.ending(), Some(Ending::ServerStopped)));
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
        until_state(&session, SessionState::Lost).await;
        session.rejoin();
        let welcome = "Welcome, Анна. Nobody else is here yet.";
        let expected = [welcome, "before", welcome, "after"];
        until(|| texts(&session) == expected).await;
        session.leave().await;
        assert_eq!(session.state(), SessionState::Disconnected);

        session.join(anna(), server.address.clone());
        until_state(&session, SessionState::Joined).await;
        assert_eq!(texts(&session), [welcome]);
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn an_attempt_to_come_back_that_fails_leaves_the_conversation_readable() {
    run(async {
        let server = Server::start(|door| {
            door.accept().let_in();
        });
        let session = joined(&server.address).await;
        until_state(&session, SessionState::Lost).await;
        finish(server).await;
        let (states, before) = (states(&session), texts(&session));
        session.rejoin();
        until_state(&session, SessionState::Lost).await;
        assert!(matches!(session.ending(), Some(Ending::NoAnswer)));
        assert_eq!(*states.borrow(), [SessionState::Connecting, SessionState::Lost]);
        assert_eq!(texts(&session), before);
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
        session.history().connect_items_changed({
            let n_changes = n_changes.clone();
            move |_, _, _, _| n_changes.set(n_changes.get() + 1)
        });
        until(|| session.history().n_items() == MESSAGES + 1).await;
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
        session.say(&text).expect("joined");
        session.leave().await;
        assert_eq!(session.state(), SessionState::Disconnected);
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
        session.say("said by me").expect("joined");
        until(|| session.history().n_items() == 3).await;
        let kinds = [1, 2].map(|n| session.history().message(n).expect("it is there").kind());
        assert_eq!(kinds, [MessageKind::Other, MessageKind::Own]);
        session.leave().await;
        finish(server).await;
    });
}
