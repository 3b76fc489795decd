//! A store that shares its database with others, driven by hand.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use mio::{Events, Poll, Token};
use pychat_server::{
    core::{
        elsewhere::Elsewhere,
        id::{RoomId, Ticket},
        record::{Appended, Outcome, Record, Request, StorageError, Stored},
    },
    store::{
        Answer, Read, Records, Retention, Store,
        postgres::{PostgresStore, Sharing},
        sqlite::OpenError,
    },
};

use crate::{
    log::{patient::Database, shelf::LOCK_PATIENCE},
    process::PATIENCE,
};

/// A lease that no test outlives by chance.
pub(crate) const LONG: Duration = Duration::from_mins(1);

/// A store with its loop, and all that it has answered.
#[derive(Debug)]
pub(crate) struct Peer {
    poll: Poll,
    events: Events,
    pub(crate) store: PostgresStore,
    pub(crate) answers: Vec<Answer>,
    n_tickets: u64,
}

impl Peer {
    /// Opens the log in a database that others have as well.
    pub(crate) fn try_open(database: &Database, lease: Duration) -> Result<Self, StorageError> {
        Self::begin(Self::new_store(database, lease))
    }

    /// Opens it as the only process that has this folder.
    #[track_caller]
    pub(crate) fn open_at_home(database: &Database, directory: &Path) -> Self {
        let deadline = Instant::now() + LOCK_PATIENCE;
        let store = loop {
            match Self::new_store(database, LONG).at_home(directory) {
                Err(OpenError::InUse { .. }) if Instant::now() < deadline => thread::yield_now(),
                store => break store.unwrap(),
            }
        };
        Self::begin(store).unwrap()
    }

    fn new_store(database: &Database, lease: Duration) -> PostgresStore {
        let sharing = Sharing { lease, name: "a test".into(), address: String::new() };
        let (routes, server) = (database.routes(), fastrand::u128(..));
        PostgresStore::new(routes, Retention::default(), 0xab, server).shared(sharing)
    }

    fn begin(mut store: PostgresStore) -> Result<Self, StorageError> {
        let poll = Poll::new().unwrap();
        store.register(poll.registry(), Token(0)).unwrap();
        let events = Events::with_capacity(8);
        let mut peer = Self { poll, events, store, answers: Vec::new(), n_tickets: 0 };
        while !peer.store.open(Instant::now())? {
            peer.wait();
        }
        Ok(peer)
    }

    #[track_caller]
    pub(crate) fn open(database: &Database) -> Self {
        Self::try_open(database, LONG).unwrap()
    }

    /// Waits for an edge or the store's deadline, but not for long.
    fn wait(&mut self) {
        let left =
            self.store.next_deadline().map(|it| it.saturating_duration_since(Instant::now()));
        let timeout = left.unwrap_or(PATIENCE).min(Duration::from_millis(5));
        self.poll.poll(&mut self.events, Some(timeout)).unwrap();
        self.events.iter().for_each(|event| self.store.set_ready(event.token().0));
    }

    /// Takes what there is.
    pub(crate) fn turn(&mut self) {
        self.wait();
        loop {
            let n_before = self.answers.len();
            self.store.poll(Instant::now(), &mut self.answers);
            let told = &self.answers[n_before..];
            let is_elsewhere = |answer: &&Answer| matches!(answer, Answer::Elsewhere(_));
            assert_eq!(told.iter().skip(1).find(is_elsewhere), None, "at most one, and first");
            if told.is_empty() {
                return;
            }
        }
    }

    /// Submits a batch without taking anything in; returns its tickets.
    pub(crate) fn submit(&mut self, requests: impl IntoIterator<Item = Request>) -> Vec<Ticket> {
        let first = self.n_tickets + 1;
        let mut batch: Vec<_> = (first..).map(Ticket).zip(requests).collect();
        self.n_tickets += batch.len() as u64;
        let tickets = batch.iter().map(|(ticket, _)| *ticket).collect();
        self.store.submit(Instant::now(), 5, &mut batch);
        tickets
    }

    /// Returns the outcome of a request, if there is one.
    pub(crate) fn outcome(&self, wanted: Ticket) -> Option<Outcome> {
        self.answers.iter().find_map(|answer| match answer {
            Answer::Done { ticket, outcome } if *ticket == wanted => Some(outcome.clone()),
            _ => None,
        })
    }

    /// Carries out a batch; returns the outcomes.
    #[track_caller]
    pub(crate) fn carry_out(
        &mut self,
        requests: impl IntoIterator<Item = Request>,
    ) -> Vec<Outcome> {
        let tickets = self.submit(requests);
        turn_until(&mut [self], "not answered", |peers| {
            tickets.iter().all(|ticket| peers[0].outcome(*ticket).is_some())
        });
        tickets.iter().map(|ticket| self.outcome(*ticket).unwrap()).collect()
    }

    /// Returns what other servers did, as far as it was told.
    pub(crate) fn elsewhere(&self) -> Vec<&Elsewhere> {
        let told = self.answers.iter().filter_map(|answer| match answer {
            Answer::Elsewhere(elsewhere) => Some(elsewhere),
            Answer::Done { .. } | Answer::Fetched => None,
        });
        told.collect()
    }

    /// Returns the new records of a room, of this server and others, as they were told.
    pub(crate) fn records(&self, room: RoomId) -> Vec<&Record> {
        let stored = self.answers.iter().filter_map(|answer| match answer {
            Answer::Done { outcome, .. } => outcome.as_ref().ok(),
            Answer::Elsewhere(Elsewhere::Done { stored, .. }) => Some(stored),
            Answer::Elsewhere(_) | Answer::Fetched => None,
        });
        let new = stored.filter_map(|stored| match stored {
            Stored::Appended(Appended::New(record)) => Some(record),
            _ => None,
        });
        new.filter(|record| record.room == room).collect()
    }

    /// Returns the words of all that a room's log has.
    #[track_caller]
    pub(crate) fn read(&mut self, room: RoomId) -> Vec<String> {
        let (mut words, mut after, deadline) = (Vec::new(), 0, Instant::now() + PATIENCE);
        loop {
            let read = self.store.read(room, after, Records::All, &mut |entry| {
                after = entry.seq;
                words.push(entry.kind.text().to_owned());
                std::ops::ControlFlow::Continue(())
            });
            if read.unwrap() == Read::Done {
                return words;
            }
            assert!(Instant::now() < deadline, "nothing is fetched");
            self.turn();
        }
    }
}

/// Has all of them turn until something is so.
#[track_caller]
pub(crate) fn turn_until(
    peers: &mut [&mut Peer],
    not: &str,
    mut is_done: impl FnMut(&mut [&mut Peer]) -> bool,
) {
    let deadline = Instant::now() + PATIENCE;
    while !is_done(peers) {
        let answers: Vec<_> = peers.iter().map(|peer| &peer.answers).collect();
        assert!(Instant::now() < deadline, "{not}: {answers:?}");
        for peer in peers.iter_mut() {
            peer.turn();
        }
    }
}
