//! The session over real sockets, against servers that do all a server may do.
//!
//! There is no window and no display: each test has a main context of its own.

mod joining;
mod server;
mod talking;
mod transcripts;

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};

use gtk::{gio::prelude::*, glib};
use pychat_gtk::{
    server_address::ServerAddress,
    session::{Session, SessionState},
};
use pychat_wire::UserName;

use crate::server::Server;

/// How long a test waits for anything before it has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a test on a main context of its own.
fn run(test: impl Future<Output = ()>) {
    let context = glib::MainContext::new();
    context.with_thread_default(|| context.block_on(test)).expect("the context is new");
}

/// Waits until `condition` holds.
#[track_caller]
fn until(condition: impl Fn() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    let deadline = Instant::now() + PATIENCE;
    async move {
        while !condition() {
            assert!(Instant::now() < deadline, "waited in vain at {caller}");
            glib::timeout_future(Duration::from_millis(2)).await;
        }
    }
}

#[track_caller]
fn until_state(session: &Session, state: SessionState) -> impl Future<Output = ()> {
    let session = session.clone();
    until(move || session.state() == state)
}

/// Joins as Анна and waits until she is in, if only for a moment.
async fn joined(address: &ServerAddress) -> Session {
    let session = Session::default();
    let states = states(&session);
    session.join(anna(), address.clone());
    until(|| states.borrow().contains(&SessionState::Joined)).await;
    session
}

fn anna() -> UserName {
    UserName::new("Анна").expect("a good name")
}

/// Gathers the states that the session goes through.
fn states(session: &Session) -> Rc<RefCell<Vec<SessionState>>> {
    let states = Rc::new(RefCell::new(Vec::new()));
    session.connect_state_notify({
        let states = states.clone();
        move |session| states.borrow_mut().push(session.state())
    });
    states
}

/// Returns what there is to read.
fn texts(session: &Session) -> Vec<String> {
    let history = session.history();
    (0..history.n_items()).filter_map(|n| Some(history.message(n)?.text())).collect()
}

/// Waits for the end of the server's script while the session goes on running.
async fn finish(server: Server) {
    until(|| server.is_finished()).await;
    server.finish();
}
