//! Joining, and everything that may come in between.

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};

use gtk::glib;
use pychat_gtk::session::{
    Account, Session, SessionState,
    disconnect_reason::DisconnectReason,
    step::{Service, Step},
};

use crate::{
    anna, finish, new_session, run,
    server::{DeadEnd, GREETING, SERVER, Server, refusing_address},
    states, until, until_state,
};

/// A limit that a test can wait for.
const SHORT_TIMEOUT: Duration = Duration::from_millis(300);

/// Returns why the attempts of `session` fail that are followed by another.
fn failures(session: &Session) -> Rc<RefCell<Vec<DisconnectReason>>> {
    let failures = Rc::new(RefCell::default());
    let seen: Rc<RefCell<Vec<DisconnectReason>>> = Rc::clone(&failures);
    session.connect_state_notify(move |session| {
        if session.state() == SessionState::Waiting {
            seen.borrow_mut().extend(session.disconnect_reason());
        }
    });
    failures
}

#[test]
fn a_refused_connection_is_said_to_be_one_and_tried_again() {
    run(async {
        let session = new_session();
        let states = states(&session);
        session.join(Account::new(anna(), refusing_address()));
        until_state(&session, SessionState::Waiting).await;
        assert!(matches!(session.disconnect_reason(), Some(DisconnectReason::Refused)));
        assert!(session.retry_in().is_some());
        until(|| 4 <= states.borrow().len()).await;
        let once = [SessionState::Connecting, SessionState::Waiting];
        assert_eq!(states.borrow()[..4], [once, once].concat());
        session.cancel();
        assert_eq!(session.state(), SessionState::Disconnected);
        assert!(session.retry_in().is_none() && session.disconnect_reason().is_none());
    });
}

#[test]
fn who_waits_can_join_elsewhere() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in();
            peer.expect_end();
        });
        let session = new_session();
        session.join(Account::new(anna(), refusing_address()));
        until_state(&session, SessionState::Waiting).await;
        session.join(Account::new(anna(), server.address.clone()));
        until_state(&session, SessionState::Joined).await;
        assert_eq!(session.server(), server.address.to_string());
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn calling_in_vain_ends_at_the_limit_and_not_before() {
    run(async {
        let dead_end = DeadEnd::new().expect("a queue can be filled");
        let session = new_session().with_timeout(SHORT_TIMEOUT);
        let states = states(&session);
        let begin = Instant::now();
        session.join(Account::new(anna(), dead_end.address.clone()));
        until_state(&session, SessionState::Waiting).await;
        assert!(SHORT_TIMEOUT <= begin.elapsed());
        assert!(matches!(session.disconnect_reason(), Some(DisconnectReason::NoAnswer)));
        assert_eq!(*states.borrow(), [SessionState::Connecting, SessionState::Waiting]);
    });
}

#[test]
fn a_server_that_never_greets_is_left_at_the_limit() {
    run(async {
        let server = Server::start(|door| door.accept().expect_end());
        let session = new_session().with_timeout(SHORT_TIMEOUT);
        let (states, failures) = (states(&session), failures(&session));
        session.join(Account::new(anna(), server.address.clone()));
        until(|| !failures.borrow().is_empty()).await;
        assert!(matches!(failures.borrow()[0], DisconnectReason::Mute));
        session.cancel();
        assert!(states.borrow().contains(&SessionState::Joining));
        finish(server).await;
    });
}

#[test]
fn the_limit_does_not_touch_who_has_joined() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in();
            assert_eq!(peer.hear(), "still here");
            peer.expect_end();
        });
        let session = new_session().with_timeout(SHORT_TIMEOUT);
        session.join(Account::new(anna(), server.address.clone()));
        until_state(&session, SessionState::Joined).await;
        glib::timeout_future(SHORT_TIMEOUT * 2).await; // What did not happen can only be waited out.
        assert_eq!(session.state(), SessionState::Joined);
        session.room().say("still here").expect("joined");
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn joining_can_be_cancelled_at_any_moment() {
    run(async {
        let dead_end = DeadEnd::new().expect("a queue can be filled");
        let server = Server::start(|door| door.accept().expect_end());
        for (address, state) in [
            (&dead_end.address, SessionState::Connecting),
            (&server.address, SessionState::Joining),
        ] {
            let session = new_session();
            session.join(Account::new(anna(), address.clone()));
            until_state(&session, state).await;
            session.cancel();
            assert_eq!(session.state(), SessionState::Disconnected);
            assert!(session.disconnect_reason().is_none(), "nobody is to blame");
        }
        finish(server).await;
    });
}

#[test]
fn a_name_that_the_server_refuses_is_refused_in_its_words() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.say(SERVER, GREETING);
            peer.read_payload();
            peer.say(SERVER, "This name is taken.");
            peer.expect_end();
        });
        let session = new_session();
        session.join(Account::new(anna(), server.address.clone()));
        until_state(&session, SessionState::Disconnected).await;
        let Some(DisconnectReason::Rejected { code: None, reason }) = session.disconnect_reason()
        else {
            panic!("not rejected")
        };
        assert_eq!(reason, "This name is taken.");
        finish(server).await;
    });
}

#[test]
fn garbage_ends_the_connection_before_and_after_joining() {
    run(async {
        for (is_joined, state) in [(false, SessionState::Disconnected), (true, SessionState::Lost)]
        {
            let server = Server::start(move |door| {
                let mut peer = door.accept();
                if is_joined {
                    peer.let_in();
                }
                peer.write(b"HTTP/1.1 400 Bad Request\r\n");
                if !is_joined {
                    peer.expect_end();
                }
            });
            let session = new_session();
            session.join(Account::new(anna(), server.address.clone()));
            until_state(&session, state).await;
            let reason = session.disconnect_reason();
            assert!(
                match reason {
                    Some(DisconnectReason::Garbled(_)) => is_joined,
                    Some(DisconnectReason::OtherService(Service::Web)) => !is_joined,
                    _ => false,
                },
                "{reason:?}"
            );
            finish(server).await;
        }
    });
}

#[test]
fn a_server_that_hangs_up_too_early_is_said_to_have_done_so() {
    run(async {
        let server = Server::start(|door| door.accept().say(SERVER, GREETING));
        let session = new_session();
        let failures = failures(&session);
        session.join(Account::new(anna(), server.address.clone()));
        until(|| !failures.borrow().is_empty()).await;
        assert!(matches!(
            failures.borrow()[0],
            DisconnectReason::CutShort { step: Step::Admission }
        ));
        session.cancel();
        finish(server).await;
    });
}
