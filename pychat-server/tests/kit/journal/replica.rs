//! The store as one server has it: its requests come about late, and it hears late of those of others.

use std::{collections::VecDeque, ops::ControlFlow, time::Instant};

use fastrand::Rng;
use pychat_server::{
    core::{
        elsewhere::{Present, ServerId},
        id::{RoomId, Ticket},
        moderation::{AuditEntry, Rulebook},
        record::{Entry, Invite, Outcome, Person, PersonId, ReadMark, Request, Room, StorageError},
        time::Time,
    },
    store::{Answer, Looked, Place, Read, Records, Retention, Store, Wanted},
};

use super::{EPOCH, Journal};

/// The store as one server has it.
#[derive(Debug)]
pub(crate) struct Replica {
    journal: Journal,
    server: ServerId,
    epoch: String,
    /// The entries that it was told, its own among them.
    delivered: usize,
    /// The entries that it has heard of.
    heard: usize,
    batches: VecDeque<Batch>,
    answers: VecDeque<Due>,
    rng: Rng,
    delay_max: usize,
}

#[derive(Debug)]
struct Batch {
    delay: usize,
    /// The entries that were delivered when it was submitted.
    known: usize,
    requests: Vec<(Ticket, Request)>,
}

/// An answer that waits.
#[derive(Debug)]
struct Due {
    delay: usize,
    /// The entries that are delivered before it.
    position: usize,
    is_entry: bool,
    ticket: Ticket,
    outcome: Outcome,
}

impl Replica {
    /// Returns the store for a server that begins now; what it is told is so many ticks late at most.
    pub(crate) fn new(journal: &Journal, server: ServerId, delay_max: usize, seed: u64) -> Self {
        let end = journal.0.borrow().entries.len();
        Self {
            journal: journal.clone(),
            server,
            epoch: format!("{EPOCH:032x}"),
            delivered: end,
            heard: end,
            batches: VecDeque::new(),
            answers: VecDeque::new(),
            rng: Rng::with_seed(seed),
            delay_max,
        }
    }

    /// Lets a tick go by: some things come about, and some are heard of.
    pub(crate) fn turn(&mut self) {
        if let Some(batch) = self.batches.front_mut() {
            match batch.delay.checked_sub(1) {
                Some(left) => batch.delay = left,
                None => self.commit_first(),
            }
        }
        for due in &mut self.answers {
            due.delay = due.delay.saturating_sub(1);
        }
        if self.delay_max == 0 || self.rng.usize(..=self.delay_max) == 0 {
            self.heard = self.journal.0.borrow().entries.len();
        }
    }

    /// Returns true if nothing is on its way.
    pub(crate) fn is_quiet(&self) -> bool {
        let end = self.journal.0.borrow().entries.len();
        self.batches.is_empty() && self.answers.is_empty() && self.delivered == end
    }

    /// The server dies. Some of what it asked for comes about all the same.
    pub(crate) fn die(mut self) {
        while !self.batches.is_empty() && self.rng.bool() {
            self.commit_first();
        }
    }

    fn commit_first(&mut self) {
        let Some(Batch { known, requests, .. }) = self.batches.pop_front() else { return };
        let mut shared = self.journal.0.borrow_mut();
        let delay = self.rng.usize(..=self.delay_max);
        for (ticket, request) in requests {
            let position = shared.entries.len();
            let (outcome, is_entry) = shared.commit(self.server, known, request);
            self.answers.push_back(Due { delay, position, is_entry, ticket, outcome });
        }
    }
}

impl Store for Replica {
    fn submit(&mut self, _now: Instant, _utc_ms: u64, batch: &mut Vec<(Ticket, Request)>) {
        if !batch.is_empty() {
            let delay = self.rng.usize(..=self.delay_max);
            let requests = std::mem::take(batch);
            self.batches.push_back(Batch { delay, known: self.delivered, requests });
        }
    }

    fn poll(&mut self, _now: Instant, answers: &mut Vec<Answer>) {
        loop {
            let ready = self.answers.front().filter(|due| due.delay == 0);
            let (until, is_due) = ready
                .map_or((self.heard, false), |due| (due.position, due.position <= self.delivered));
            if is_due && let Some(due) = self.answers.pop_front() {
                self.delivered += usize::from(due.is_entry);
                answers.push(Answer::Done { ticket: due.ticket, outcome: due.outcome });
                continue;
            }
            let mut shared = self.journal.0.borrow_mut();
            let next = shared.entries.get(self.delivered).filter(|_| self.delivered < until);
            if !answers.is_empty() || next.is_none_or(|next| next.is_of(self.server)) {
                return;
            }
            answers.push(Answer::Elsewhere(shared.read_entry(self.delivered)));
            self.delivered += 1;
        }
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn server(&self) -> ServerId {
        self.server
    }

    fn present(&mut self) -> Result<Vec<Present>, StorageError> {
        Ok(self.journal.present())
    }

    fn people(&mut self) -> Result<(Vec<Person>, PersonId), StorageError> {
        Ok((self.journal.people(), PersonId(0)))
    }

    fn rooms(&mut self) -> Result<Vec<Room>, StorageError> {
        Ok(self.journal.rooms())
    }

    fn last_room(&self) -> RoomId {
        self.journal.0.borrow().memory.last_room()
    }

    fn marks(&mut self) -> Result<Vec<ReadMark>, StorageError> {
        self.journal.0.borrow_mut().memory.marks()
    }

    fn invites(&mut self) -> Result<Vec<Invite>, StorageError> {
        Ok(self.journal.0.borrow().invites.clone())
    }

    fn rulebook(&mut self) -> Result<Rulebook, StorageError> {
        Ok(self.journal.0.borrow().rules.clone())
    }

    fn audit(&mut self, limit: usize) -> Result<Option<Vec<AuditEntry>>, StorageError> {
        self.journal.0.borrow_mut().memory.audit(limit)
    }

    fn epoch(&self) -> &str {
        &self.epoch
    }

    fn first_seq(&self, room: RoomId) -> u64 {
        self.journal.0.borrow().memory.first_seq(room)
    }

    fn last_seq(&self, room: RoomId) -> u64 {
        self.journal.last_seq(room)
    }

    fn read(
        &mut self,
        room: RoomId,
        after: u64,
        records: Records,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<Read, StorageError> {
        self.journal.0.borrow_mut().memory.read(room, after, records, each)
    }

    fn page_start(
        &mut self,
        room: RoomId,
        before: u64,
        limit: u64,
        bytes_max: usize,
        records: Records,
    ) -> Result<Option<u64>, StorageError> {
        self.journal.0.borrow_mut().memory.page_start(room, before, limit, bytes_max, records)
    }

    fn search(
        &mut self,
        wanted: &Wanted<'_>,
        place: &mut Place,
        budget: &mut usize,
        each: &mut dyn FnMut(RoomId, Entry<'_>) -> ControlFlow<()>,
    ) -> Result<Looked, StorageError> {
        self.journal.0.borrow_mut().memory.search(wanted, place, budget, each)
    }

    fn maintain(&mut self, _time: &Time) {}

    fn next_deadline(&self) -> Option<Instant> {
        None
    }

    fn take_forgotten(&mut self) -> u64 {
        0
    }

    fn set_retention(&mut self, _retention: Retention) {}
}
