//! A folder with a log in it, to be opened, closed, and tampered with.

use std::{
    fs,
    ops::ControlFlow,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use pychat_server::{
    core::{
        id::ConnectionId,
        record::{Appended, Draft, OwnerId},
        time::Time,
    },
    store::{
        Log, Retention, SqliteStore,
        sqlite::{Durability, FILE_NAME, OpenError, Place},
    },
};
use pychat_wire::UserName;
use rusqlite::Connection;

/// The name of a log that is begun here.
pub(crate) const EPOCH: &str = "000000000000000000000000000000ab";

/// How long a lock is waited for.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// A folder of the test's own; gone when dropped.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) place: Place,
    folder: PathBuf,
}

impl Shelf {
    /// Returns a shelf whose log's folder does not exist yet.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pychat-log-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let directory = folder.join("state/pychat");
        Self { place: Place { directory, durability: Durability::Process, program: None }, folder }
    }

    /// Opens the log; each time with another name for a new one.
    pub(crate) fn try_open(&self, retention: Retention, epoch: u128) -> Result<Log, OpenError> {
        // A process that another test has just started may hold a copy of the lock until it is itself.
        let deadline = Instant::now() + LOCK_PATIENCE;
        loop {
            match SqliteStore::open(&self.place, retention, epoch) {
                Err(OpenError::InUse { .. }) if Instant::now() < deadline => thread::yield_now(),
                opened => return opened.map(Log::SqliteStore),
            }
        }
    }

    /// Opens the log as it is by default.
    #[track_caller]
    pub(crate) fn open(&self) -> Log {
        self.try_open(Retention::default(), 0xab).unwrap()
    }

    /// Returns where the log is.
    pub(crate) fn file(&self) -> PathBuf {
        self.place.directory.join(FILE_NAME)
    }

    /// Returns where what was written waits.
    pub(crate) fn wal(&self) -> PathBuf {
        self.place.directory.join(format!("{FILE_NAME}-wal"))
    }

    /// Changes the file as somebody else might.
    #[track_caller]
    pub(crate) fn tamper(&self, sql: &str) {
        Connection::open(self.file()).unwrap().execute_batch(sql).unwrap();
    }

    /// Returns another shelf with all that is on this one now: as a kill would leave it.
    #[track_caller]
    pub(crate) fn as_of_now(&self) -> Self {
        let mut copy = Self::new();
        copy.place.durability = self.place.durability;
        fs::create_dir_all(&copy.place.directory).unwrap();
        for (from, to) in [(self.file(), copy.file()), (self.wal(), copy.wal())] {
            fs::copy(from, to).unwrap();
        }
        copy
    }

    /// Puts `bytes` in the place of the log.
    pub(crate) fn put(&self, bytes: &[u8]) {
        fs::create_dir_all(&self.place.directory).unwrap();
        fs::write(self.file(), bytes).unwrap();
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder); // Not there, if nothing was opened.
    }
}

pub(crate) fn name(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

pub(crate) fn draft(author: &str, content: &str, id: Option<&str>) -> Draft {
    let from = ConnectionId { slot: 3, generation: 4 };
    let owner = Some(OwnerId(author.len() as u64));
    Draft { from, author: name(author), owner, content: content.into(), id: id.map(Into::into) }
}

/// A time by a clock that can be trusted.
pub(crate) fn at(now: Instant, utc_ms: u64) -> Time {
    Time { now, utc_ms, trusted_at: now }
}

/// Says all of this at once; returns each number, and whether it is new.
#[track_caller]
pub(crate) fn say(log: &mut Log, utc_ms: u64, drafts: Vec<Draft>) -> Vec<(u64, bool)> {
    let mut told = Vec::new();
    let each = |_, appended| match appended {
        Appended::New(record) => told.push((record.seq, true)),
        Appended::Known(record) => told.push((record.seq, false)),
        Appended::Conflict { id } => panic!("other words under {id}"),
    };
    log.append(utc_ms, drafts, [], each).unwrap();
    told
}

/// Says something `count` times.
#[track_caller]
pub(crate) fn chatter(log: &mut Log, utc_ms: u64, count: usize) {
    say(log, utc_ms, (0..count).map(|_| draft("Анна", "x", None)).collect());
}

/// Returns all that the log has: number, time, author, content.
#[track_caller]
pub(crate) fn read(log: &mut Log) -> Vec<(u64, u64, String, String)> {
    let mut all = Vec::new();
    log.read(0, |entry| {
        all.push((entry.seq, entry.time_ms, entry.author.into(), entry.content.into()));
        ControlFlow::Continue(())
    })
    .unwrap();
    all
}
