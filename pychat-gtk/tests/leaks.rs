//! A session that loses its line over and over keeps nothing of the lines before.
//!
//! Each thing of ours has a block on the heap: what an object of ours holds, a handler, a task. So
//! blocks are counted, all of this process. What waits for a moment may be there for that moment.

#[expect(dead_code, reason = "other tests script more")]
#[path = "session/server.rs"]
mod server;

use std::{
    alloc::System,
    cell::Cell,
    fs,
    path::Path,
    rc::Rc,
    sync::mpsc::{self, Receiver},
    time::{Duration, Instant},
};

use gtk::glib;
use pychat_gtk::session::{Account, Session, SessionState};
use pychat_wire::UserName;
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::server::{Door, Server};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The longest that a test waits for anything before it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The time that it takes until what is to be filed soon is filed.
const FILING_TIME: Duration = Duration::from_millis(1_500);

/// Which lines are kept until everything is counted. Whatever grows but once has grown by the first.
const COUNTED_LINES: [usize; 2] = [60, 260];

#[test]
fn lines_that_are_lost_leave_nothing_behind() {
    let context = glib::MainContext::new();
    context.with_thread_default(|| context.block_on(lose_lines())).expect("the context is new");
}

async fn lose_lines() {
    let (go_on, counted) = mpsc::sync_channel(1); // It has its memory from the start.
    let server = Server::start(move |door| play(door, &counted));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("leaks");
    let session = Session::default().with_state_folder(&folder);
    let n_joined = count_returns(&session);
    let name = UserName::new("Анна").expect("a good name");
    session.join(Account::new(name, server.address.clone()));

    let mut n_most = usize::MAX;
    for line in COUNTED_LINES {
        until(|| line < n_joined.get()).await;
        glib::timeout_future(FILING_TIME).await;
        until(|| n_blocks() <= n_most).await;
        n_most = n_blocks();
        go_on.send(n_descriptors()).expect("the server waits for it");
    }
    session.leave().await;
    server.finish();
    fs::remove_dir_all(folder).expect("something was filed");
}

/// Lets the client in, and loses its line in each of the ways in which lines are lost.
fn play(door: &Door, counted: &Receiver<usize>) {
    let mut n_descriptors = None;
    for n in 0..=COUNTED_LINES[1] {
        let mut peer = door.accept();
        peer.let_in_2("e1", 0);
        if COUNTED_LINES.contains(&n) {
            let n_now = counted.recv().expect("the test goes on");
            assert_eq!(n_now, *n_descriptors.get_or_insert(n_now), "open descriptors");
        }
        match n % 3 {
            _ if n == COUNTED_LINES[1] => peer.expect_end(),
            0 => drop(peer),
            1 => {
                peer.send(&json!({"type": "bye", "reason": "shutdown", "retry_ms": 0}));
                peer.expect_end();
            }
            _ => {
                peer.send(&json!({"type": "ping"}));
                peer.reset(); // What it answers is never read.
            }
        }
    }
}

/// Has the session return at once, and counts how often it has joined.
fn count_returns(session: &Session) -> Rc<Cell<usize>> {
    let n_joined = Rc::new(Cell::new(0));
    session.connect_state_notify({
        let n_joined = n_joined.clone();
        move |session| match session.state() {
            SessionState::Joined => n_joined.set(n_joined.get() + 1),
            SessionState::Lost => {
                let session = session.clone();
                glib::spawn_future_local(async move { session.rejoin() });
            }
            _ => (),
        }
    });
    n_joined
}

async fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain");
        glib::timeout_future(Duration::from_millis(2)).await;
    }
}

fn n_blocks() -> usize {
    let heap = HEAP.stats();
    heap.allocations - heap.deallocations
}

fn n_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("there is one for each process").count()
}
