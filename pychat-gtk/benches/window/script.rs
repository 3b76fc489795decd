//! The behaviour of the server in each measurement.

use std::{
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};

use gtk::glib;
use serde_json::{Value, json};

use crate::server::{Peer, Server, TIME_MS, frame};

/// The people who talk.
const PEOPLE: [&str; 6] = ["Борис", "Maria", "Jürgen", "Света", "小林", "Ada Lovelace"];

/// The texts that they say, over and over.
const LINES: [&str; 8] = [
    "Доброе утро!",
    "The new build is on the test machine, have a look when you find the time",
    "ok",
    "Я посмотрю после обеда. Если что-то не так, напишу сюда же, а пока можно катить дальше, \
     вчерашние проверки все прошли",
    "Sounds good 👍",
    "Why does the log say that the disk was full at four in the morning? Nobody was there.",
    "Это бэкап. Каждую ночь.",
    "One more thing:\nthe meeting is on Thursday\nand there will be pie",
];

/// Which protocol the server speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Protocol {
    One = 1,
    Two = 2,
}

/// A server that talks when it is told to.
pub(crate) struct Talk {
    pub(crate) server: Server,
    go_ahead: Sender<()>,
    begun_at: Receiver<i64>,
}

impl Talk {
    /// Lets one client in, and then says `n_messages`, `per_burst` at a time with a breath between.
    pub(crate) fn start(protocol: Protocol, n_messages: usize, per_burst: usize) -> Self {
        let (go_ahead, told) = mpsc::channel();
        let (reply, begun_at) = mpsc::channel();
        let server = Server::start(move |door| {
            let mut peer = door.accept();
            match protocol {
                Protocol::One => drop(peer.let_in()),
                Protocol::Two => drop(peer.let_in_2("e1", 0)),
            }
            let frames: Vec<String> = (1..=n_messages).map(|n| message(protocol, n)).collect();
            if told.recv().is_err() {
                return; // The measurement has ended before it began.
            }
            let _ = reply.send(glib::monotonic_time());
            for burst in frames.chunks(per_burst) {
                peer.write(burst.concat().as_bytes());
                if burst.len() < n_messages {
                    thread::sleep(Duration::from_millis(20));
                }
            }
            let _ = told.recv(); // Until the measurement ends.
        });
        Self { server, go_ahead, begun_at }
    }

    /// Has it talk; returns when it began to, in microseconds.
    pub(crate) fn begin(&self) -> i64 {
        let _ = self.go_ahead.send(());
        self.begun_at.recv().unwrap_or_default()
    }
}

/// Returns message number `n`, from 1, as it is sent.
fn message(protocol: Protocol, n: usize) -> String {
    match protocol {
        Protocol::One => {
            let (author, line) = words(n);
            frame(author, &format!("{line} {n}"))
        }
        Protocol::Two => {
            let payload = record(n as u64, &n.to_string()).to_string();
            format!("{}:{payload}", payload.len())
        }
    }
}

/// Returns record number `seq` of protocol 2, which ends like this.
pub(crate) fn record(seq: u64, ending: &str) -> Value {
    let (author, line) = words(usize::try_from(seq).unwrap_or(usize::MAX));
    json!({
        "type": "message", "seq": seq, "time": TIME_MS + 20_000 * seq, "username": author,
        "content": format!("{line} {ending}"),
    })
}

/// Returns who says message number `n`, and what.
fn words(n: usize) -> (&'static str, &'static str) {
    (PEOPLE[n / 3 % PEOPLE.len()], LINES[n % LINES.len()])
}

/// The time for which a quiet room is silent before the server asks who is still there.
pub(crate) const PING_INTERVAL: Duration = Duration::from_secs(20);

/// Starts a server that lets one client in and says nothing but `n_pings` pings.
pub(crate) fn quiet(n_pings: u32) -> Server {
    Server::start(move |door| {
        let mut peer = door.accept();
        peer.let_in_2("e1", 0);
        for _ in 0..n_pings {
            thread::sleep(PING_INTERVAL);
            ask(&mut peer);
        }
        thread::sleep(PING_INTERVAL);
    })
}

fn ask(peer: &mut Peer) {
    peer.send(&json!({"type": "ping"}));
    assert_eq!(peer.read_payload()["type"], "pong");
}

/// Starts a server that loses its client's line `n_times`, in each of the ways in which lines are
/// lost, and then keeps it.
pub(crate) fn fickle(n_times: usize) -> Server {
    Server::start(move |door| {
        for n in 0..n_times {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            match n % 3 {
                0 => drop(peer),
                1 => {
                    peer.send(&json!({"type": "bye", "reason": "shutdown", "retry_ms": 0}));
                    peer.expect_end();
                }
                _ => {
                    peer.send(&json!({"type": "ping"})); // What it answers is never read.
                    peer.reset();
                }
            }
        }
        let mut peer = door.accept();
        peer.let_in_2("e1", 0);
        thread::sleep(PING_INTERVAL);
    })
}
