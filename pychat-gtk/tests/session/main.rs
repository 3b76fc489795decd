//! The session over real sockets, against servers that do all a server may do.
//!
//! There is no window and no display: each test has a main context of its own.

mod amending;
mod connecting;
mod devices;
mod elsewhere;
mod encrypted;
mod joining;
mod keeping;
mod missed_mentions;
mod moderating;
mod people;
mod reading;
mod reentry;
mod returning;
mod rooms;
mod rooms_kept;
mod searching;
mod server;
mod several;
mod talking;
mod transcripts;

use std::{
    cell::RefCell,
    fs,
    path::{Path, PathBuf},
    rc::Rc,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use gtk::{gio::prelude::*, glib};
use pychat_gtk::{
    model::{Delivery, Message, MessageKind},
    session::{Account, Session, SessionState},
    text::server_address::ServerAddress,
};
use pychat_wire::UserName;

use crate::server::Server;

/// The longest that a test waits for anything before it has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a test on a main context of its own, which stays: a thread of GIO's may be the last that has it, and
/// what the test left in it must not be dropped there.
fn run(test: impl Future<Output = ()>) {
    let context = Box::leak(Box::new(glib::MainContext::new()));
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

/// A folder that is gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static N_FOLDERS: AtomicUsize = AtomicUsize::new(0);
        let n = N_FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("state-{}-{n}", std::process::id());
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    /// Returns the files in it that end like this.
    fn files(&self, extension: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        paths.filter(|path| path.extension().is_some_and(|it| it == extension)).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // Not every test has used it.
    }
}

thread_local! {
    static FOLDER: Folder = Folder::new();
}

/// Makes a session that keeps what it has to in a folder of the test's own.
fn new_session() -> Session {
    FOLDER.with(|folder| Session::default().with_state_folder(&folder.0))
}

/// Joins as Анна and waits until she is in, if only for a moment.
async fn joined(address: &ServerAddress) -> Session {
    joined_with(new_session(), address).await
}

async fn joined_with(session: Session, address: &ServerAddress) -> Session {
    let states = states(&session);
    session.join(Account::new(anna(), address.clone()));
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
    messages(session).iter().flat_map(told).collect()
}

/// Returns what a message says, without what isolates names in it; who came and who went, which is
/// one message, one by one.
fn told(message: &Message) -> Vec<String> {
    let told = told_as_it_is(message).into_iter();
    told.map(|text| text.replace(['\u{2068}', '\u{2069}'], "")).collect()
}

fn told_as_it_is(message: &Message) -> Vec<String> {
    if message.kind() != MessageKind::Notice {
        return vec![message.text().to_string()];
    }
    let details = message.details();
    if details.is_empty() {
        return message.text().lines().map(ToOwned::to_owned).collect();
    }
    let after_time = |line: &str| line.split_once(' ').expect("a time comes first").1.to_owned();
    details.lines().map(after_time).collect()
}

fn messages(session: &Session) -> Vec<Message> {
    let history = session.room().history();
    (0..history.n_items()).filter_map(|n| history.message(n)).collect()
}

/// Returns what has not arrived, with whether it is on its way.
fn unsent(session: &Session) -> Vec<(String, Delivery)> {
    let messages = messages(session).into_iter();
    messages
        .map(|message| (message.text().to_string(), message.delivery()))
        .filter(|(_, delivery)| *delivery != Delivery::Sent)
        .collect()
}

/// Waits for the end of the server's script while the session goes on running.
async fn finish(server: Server) {
    until(|| server.is_finished()).await;
    server.finish();
}
