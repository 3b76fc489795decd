//! A log in PostgreSQL that waits for each answer, so that tests of any store are tests of it.

use std::{
    ops::ControlFlow,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use mio::{Events, Poll, Token};
use pychat_server::{
    core::{
        id::{RoomId, Ticket},
        moderation::{AuditEntry, Rulebook},
        record::{Entry, Invite, Person, PersonId, ReadMark, Request, Room, StorageError},
        time::Time,
    },
    store::{
        Answer, Looked, Place, Read, Records, Retention, Store, Wanted,
        postgres::{PostgresStore, Routes},
    },
};

use crate::{database::Postgres, process::PATIENCE};

/// A database of the test's own, in the one server of all tests.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    server: Arc<Mutex<Postgres>>,
    name: String,
}

impl Database {
    /// Makes a database; says that it is skipped and returns `None` if the machine has no PostgreSQL.
    pub(crate) fn new() -> Option<Self> {
        static SERVER: Mutex<Weak<Mutex<Postgres>>> = Mutex::new(Weak::new());
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let server = {
            let mut shared = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(server) = shared.upgrade() {
                server
            } else {
                let server = Arc::new(Mutex::new(start()?));
                *shared = Arc::downgrade(&server);
                server
            }
        };
        let name = format!("log{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let database = Self { server, name };
        database.server().sql(&format!("CREATE DATABASE {}", database.name));
        Some(database)
    }

    /// Makes a database in a server of its own.
    pub(crate) fn own() -> Option<Self> {
        let server = Arc::new(Mutex::new(Postgres::start("")?));
        Some(Self { server, name: "postgres".to_owned() })
    }

    fn server(&self) -> MutexGuard<'_, Postgres> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the server at once.
    pub(crate) fn kill(&self) {
        self.server().kill();
    }

    /// Starts the server again.
    pub(crate) fn run(&self) {
        self.server().run();
    }

    /// Returns the way to it.
    pub(crate) fn routes(&self) -> Arc<Routes> {
        let server = self.server();
        let (folder, port) = (server.folder().display().to_string(), server.port());
        drop(server);
        let uri = format!("postgres://postgres@/{}?host={folder}&port={port}", self.name);
        Arc::new(Routes::find(uri.parse().unwrap()).unwrap())
    }

    /// Opens the log in it, or begins one there.
    pub(crate) fn try_open(
        &self,
        retention: Retention,
        epoch: u128,
    ) -> Result<Patient, StorageError> {
        let place = (self.clone(), retention, epoch);
        let (poll, store) = open(&place)?;
        let events = Events::with_capacity(8);
        Ok(Patient { poll, events, store, place, answers: Vec::new() })
    }

    /// Opens the log as it is by default.
    #[track_caller]
    pub(crate) fn open(&self) -> Patient {
        self.try_open(Retention::default(), 0xab).unwrap()
    }

    /// Has commands carried out beside the store; returns the rows that they print.
    #[track_caller]
    pub(crate) fn sql(&self, commands: &str) -> String {
        self.server().sql(&format!("\\c {}\nSET search_path = pychat;\n{commands}", self.name))
    }
}

/// Starts a server that all tests share: it ends with the thread that has started it.
fn start() -> Option<Postgres> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let server = Postgres::start("max_connections = 100\n");
        if sender.send(server).is_ok() {
            loop {
                thread::park();
            }
        }
    });
    receiver.recv().unwrap()
}

fn open(
    (database, retention, epoch): &(Database, Retention, u128),
) -> Result<(Poll, PostgresStore), StorageError> {
    let server = fastrand::u128(..);
    let mut store = PostgresStore::new(database.routes(), *retention, *epoch, server);
    let mut poll = Poll::new().unwrap();
    store.register(poll.registry(), Token(0)).unwrap();
    let mut events = Events::with_capacity(8);
    while !store.open(Instant::now())? {
        wait(&mut poll, &mut events, &mut store);
    }
    Ok((poll, store))
}

/// Waits for an edge, or for the store's deadline.
fn wait(poll: &mut Poll, events: &mut Events, store: &mut PostgresStore) {
    let left = store.next_deadline().map(|it| it.saturating_duration_since(Instant::now()));
    let timeout = left.unwrap_or(PATIENCE).min(Duration::from_millis(100));
    poll.poll(events, Some(timeout)).unwrap();
    events.iter().for_each(|event| store.set_ready(event.token().0));
}

/// The log.
#[derive(Debug)]
pub(crate) struct Patient {
    poll: Poll,
    events: Events,
    store: PostgresStore,
    place: (Database, Retention, u128),
    answers: Vec<Answer>,
}

impl Patient {
    /// Turns until something is so.
    #[track_caller]
    fn turn_until(&mut self, is_done: impl Fn(&PostgresStore, &[Answer]) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.store.poll(Instant::now(), &mut self.answers);
            if is_done(&self.store, &self.answers) {
                return;
            }
            assert!(Instant::now() < deadline, "nothing happens: {:?}", self.store);
            wait(&mut self.poll, &mut self.events, &mut self.store);
        }
    }

    /// Submits without waiting.
    pub(crate) fn submit_only(
        &mut self,
        now: Instant,
        utc_ms: u64,
        batch: &mut Vec<(Ticket, Request)>,
    ) {
        self.store.submit(now, utc_ms, batch);
        self.store.poll(now, &mut self.answers);
    }

    /// Returns the store of a server that begins, for whom nothing is fetched yet.
    pub(crate) fn at_its_beginning(&mut self) -> &mut dyn Store {
        self.begin().unwrap()
    }

    /// Does what is possible now.
    pub(crate) fn turn(&mut self) {
        self.poll.poll(&mut self.events, Some(Duration::ZERO)).unwrap();
        self.events.iter().for_each(|event| self.store.set_ready(event.token().0));
        self.store.poll(Instant::now(), &mut self.answers);
    }

    /// Waits until there are so many answers.
    #[track_caller]
    pub(crate) fn finish(&mut self, count: usize, answers: &mut Vec<Answer>) {
        self.turn_until(|_, answers| answers.len() == count);
        answers.append(&mut self.answers);
    }

    fn fetch(&mut self) {
        self.turn_until(|_, answers| answers.contains(&Answer::Fetched));
        self.answers.retain(|answer| *answer != Answer::Fetched);
    }

    /// Begins anew: what a server asks at its beginning is known at its beginning alone.
    fn begin(&mut self) -> Result<&mut PostgresStore, StorageError> {
        // Nobody has it meanwhile.
        let nowhere = Arc::new(Routes::find("postgres://u@/none?host=/".parse().unwrap()).unwrap());
        self.store = PostgresStore::new(nowhere, self.place.1, 0, 0);
        (self.poll, self.store) = open(&self.place)?;
        Ok(&mut self.store)
    }
}

impl Store for Patient {
    fn submit(&mut self, now: Instant, utc_ms: u64, batch: &mut Vec<(Ticket, Request)>) {
        let n_answers = self.answers.len() + batch.len();
        self.store.submit(now, utc_ms, batch);
        self.turn_until(|_, answers| answers.len() == n_answers);
    }

    fn poll(&mut self, now: Instant, answers: &mut Vec<Answer>) {
        self.store.poll(now, &mut self.answers);
        answers.append(&mut self.answers);
    }

    fn read(
        &mut self,
        room: RoomId,
        after: u64,
        records: Records,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<Read, StorageError> {
        self.turn();
        let mut after = after;
        loop {
            let read = self.store.read(room, after, records, &mut |entry| {
                after = entry.seq;
                each(entry)
            })?;
            match read {
                Read::Done => return Ok(Read::Done),
                Read::Later => self.fetch(),
            }
        }
    }

    fn page_start(
        &mut self,
        room: RoomId,
        before: u64,
        limit: u64,
        bytes_max: usize,
        records: Records,
    ) -> Result<Option<u64>, StorageError> {
        self.turn();
        loop {
            match self.store.page_start(room, before, limit, bytes_max, records)? {
                Some(start) => return Ok(Some(start)),
                None => self.fetch(),
            }
        }
    }

    fn search(
        &mut self,
        wanted: &Wanted<'_>,
        place: &mut Place,
        budget: &mut usize,
        each: &mut dyn FnMut(RoomId, Entry<'_>) -> ControlFlow<()>,
    ) -> Result<Looked, StorageError> {
        loop {
            match self.store.search(wanted, place, budget, each)? {
                Looked::Later => self.fetch(),
                looked => return Ok(looked),
            }
        }
    }

    fn audit(&mut self, limit: usize) -> Result<Option<Vec<AuditEntry>>, StorageError> {
        loop {
            match self.store.audit(limit)? {
                Some(entries) => return Ok(Some(entries)),
                None => self.fetch(),
            }
        }
    }

    fn people(&mut self) -> Result<(Vec<Person>, PersonId), StorageError> {
        self.begin()?.people()
    }

    fn rooms(&mut self) -> Result<Vec<Room>, StorageError> {
        self.begin()?.rooms()
    }

    fn marks(&mut self) -> Result<Vec<ReadMark>, StorageError> {
        self.begin()?.marks()
    }

    fn invites(&mut self) -> Result<Vec<Invite>, StorageError> {
        self.begin()?.invites()
    }

    fn rulebook(&mut self) -> Result<Rulebook, StorageError> {
        self.begin()?.rulebook()
    }

    fn last_room(&self) -> RoomId {
        self.store.last_room()
    }

    fn maintain(&mut self, time: &Time) {
        loop {
            self.store.maintain(time);
            if self.store.is_idle() {
                return;
            }
            self.turn_until(|store, _| store.is_idle());
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.store.next_deadline()
    }

    fn take_forgotten(&mut self) -> u64 {
        self.store.take_forgotten()
    }

    fn set_retention(&mut self, retention: Retention) {
        self.place.1 = retention;
        self.store.set_retention(retention);
    }

    fn epoch(&self) -> &str {
        self.store.epoch()
    }

    fn first_seq(&self, room: RoomId) -> u64 {
        self.store.first_seq(room)
    }

    fn last_seq(&self, room: RoomId) -> u64 {
        self.store.last_seq(room)
    }
}
