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
        id::{HALL, RoomId, Ticket},
        moderation::AuditEntry,
        record::{Appended, Draft, Kind, PersonChange, PersonId, Request, StorageError, Stored},
        time::Time,
    },
    store::{
        Answer, Memory, Read, Records, Retention, SqliteStore, Store,
        sqlite::{Durability, FILE_NAME, OpenError, Place},
    },
};
use pychat_wire::UserName;
use rusqlite::Connection;

use super::patient::Database;

/// The name of a log that is begun here.
pub(crate) const EPOCH: &str = "000000000000000000000000000000ab";

/// The longest that a lock is waited for: a process that another test has just started may hold a copy of it
/// until it is itself.
pub(crate) const LOCK_PATIENCE: Duration = Duration::from_secs(2);

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
    pub(crate) fn try_open(
        &self,
        retention: Retention,
        epoch: u128,
    ) -> Result<SqliteStore, OpenError> {
        let deadline = Instant::now() + LOCK_PATIENCE;
        loop {
            match SqliteStore::open(&self.place, retention, epoch) {
                Err(OpenError::InUse { .. }) if Instant::now() < deadline => thread::yield_now(),
                opened => return opened,
            }
        }
    }

    /// Opens the log as it is by default.
    #[track_caller]
    pub(crate) fn open(&self) -> SqliteStore {
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

/// Returns an empty store of each kind: in memory, on this shelf, and in a database, if the machine has
/// one.
pub(crate) fn stores(shelf: &Shelf, retention: Retention) -> Vec<Box<dyn Store>> {
    let memory = Memory::new(u128::from_str_radix(EPOCH, 16).unwrap(), retention);
    let mut stores: Vec<Box<dyn Store>> =
        vec![Box::new(memory), Box::new(shelf.try_open(retention, 0xab).expect("a new log"))];
    if let Some(database) = Database::new() {
        stores.push(Box::new(database.try_open(retention, 0xab).expect("a new log")));
    }
    stores
}

pub(crate) fn name(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

pub(crate) fn draft(author: &str, content: &str, id: Option<&str>) -> Draft {
    let person = Some(PersonId(author.len() as u64));
    let kind = Kind::Text(content.into());
    Draft { author: name(author), person, kind, id: id.map(Into::into), reply: None }
}

/// A time by a clock that can be trusted.
pub(crate) fn at(now: Instant, utc_ms: u64) -> Time {
    Time { now, utc_ms, trusted_at: now }
}

/// Has the store do all of this at once; returns the outcome of each draft.
pub(crate) fn append(
    store: &mut dyn Store,
    utc_ms: u64,
    drafts: impl IntoIterator<Item = Draft>,
    changes: impl IntoIterator<Item = PersonChange>,
) -> Result<Vec<Appended>, StorageError> {
    let drafts = drafts.into_iter().map(|draft| to(HALL, draft));
    carry_out(store, utc_ms, drafts.chain(changes.into_iter().map(Request::ChangePerson)))
}

/// A draft for a room.
pub(crate) fn to(room: RoomId, draft: Draft) -> Request {
    Request::Append { room, draft, change: None }
}

/// Does all of `requests` in one tick; returns what became of messages.
pub(crate) fn carry_out(
    store: &mut dyn Store,
    utc_ms: u64,
    requests: impl IntoIterator<Item = Request>,
) -> Result<Vec<Appended>, StorageError> {
    let mut batch: Vec<_> = (1..).map(Ticket).zip(requests).collect();
    let (now, mut answers) = (Instant::now(), Vec::new());
    store.submit(now, utc_ms, &mut batch);
    assert_eq!(batch, [], "all of it was taken");
    store.poll(now, &mut answers);
    let mut appended = Vec::new();
    for (number, answer) in (1..).zip(answers) {
        let Answer::Done { ticket, outcome } = answer else { panic!("{answer:?}") };
        assert_eq!(ticket, Ticket(number), "each is answered once, in order");
        if let Stored::Appended(outcome) = outcome? {
            appended.push(outcome);
        }
    }
    Ok(appended)
}

/// Returns what operators did.
#[track_caller]
pub(crate) fn audit(store: &mut dyn Store) -> Vec<AuditEntry> {
    store.audit(9).unwrap().expect("at hand")
}

/// Says all of this at once; returns each number, and whether it is new.
#[track_caller]
pub(crate) fn say(store: &mut dyn Store, utc_ms: u64, drafts: Vec<Draft>) -> Vec<(u64, bool)> {
    let told = |appended| match appended {
        Appended::New(record) => (record.seq, true),
        Appended::Known(record) => (record.seq, false),
        Appended::Conflict { id } => panic!("other words under {id}"),
        Appended::Refused(error) => panic!("{error}"),
    };
    append(store, utc_ms, drafts, []).unwrap().into_iter().map(told).collect()
}

/// Says something `count` times.
#[track_caller]
pub(crate) fn chatter(store: &mut dyn Store, utc_ms: u64, count: usize) {
    say(store, utc_ms, (0..count).map(|_| draft("Анна", "x", None)).collect());
}

/// Has the store do what it does by itself and soon, from a time on, until there is nothing more.
#[track_caller]
pub(crate) fn rest(store: &mut dyn Store, mut now: Instant, utc_ms: u64) {
    for _ in 0..10_000 {
        store.maintain(&at(now, utc_ms));
        match store.next_deadline() {
            Some(next) => now = next.max(now),
            None => return,
        }
    }
    panic!("it finds no rest");
}

/// Returns all that the hall's log has: number, time, author, content.
#[track_caller]
pub(crate) fn read(store: &mut dyn Store) -> Vec<(u64, u64, String, String)> {
    read_room(store, HALL)
}

/// Returns all that the log of a room has, likewise.
#[track_caller]
pub(crate) fn read_room(store: &mut dyn Store, room: RoomId) -> Vec<(u64, u64, String, String)> {
    let mut all = Vec::new();
    let read = store.read(room, 0, Records::All, &mut |entry| {
        all.push((entry.seq, entry.time_ms, entry.author.into(), entry.kind.text().into()));
        ControlFlow::Continue(())
    });
    assert_eq!(read, Ok(Read::Done));
    all
}
