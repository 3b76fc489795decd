//! Batches of requests on their way into the database. Each is one transaction in two exchanges: the first
//! locks and reads what the second, which writes and commits, is decided by. What is submitted meanwhile
//! waits, and is carried out together.
//!
//! ```text
//!            begin            the answers            COMMIT is answered
//!  waiting ─────────▶ Reading ────────────▶ Writing ────────────────────▶ answered
//!     ▲                  │ lost                │ lost
//!     └──────────────────┘                     ▼            the number is that batch's
//!     ▲                                     Unknown ───────────────────────────▶ answered
//!     └─── it is not, nor can it become that ──┘
//! ```
//!
//! The number of the batch is written in the same transaction to the row of this server. The first exchange
//! takes the lock of that row, so asking for the row waits for a transaction that may still be busy.

use std::{
    collections::VecDeque,
    mem,
    time::{Duration, Instant},
};

use super::{
    journal::Journal,
    link::{Answers, damage},
    picture::{self, Decided, Picture},
    statement::Statement,
};
use crate::core::{
    id::Ticket,
    record::{Request, StorageError},
};

const BEGIN: &str = "BEGIN";
const UPSERT_BATCH: &str = "INSERT INTO servers (server, batch) VALUES ($1, $2) \
    ON CONFLICT (server) DO UPDATE SET batch = excluded.batch, seen = now()";
const COMMIT: &str = "COMMIT";

/// The most requests that are carried out together, unless more were submitted at once.
const JOINED_MAX: usize = 1_024;

/// The time for which requests wait for the database before they are refused.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);

/// The batches.
#[derive(Debug, Default)]
pub(super) struct Commits {
    waiting: VecDeque<Submission>,
    current: Option<Batch>,
    /// The number of the last batch.
    number: u64,
    /// The number of the last one that is known to be committed.
    committed: u64,
    /// So many submissions are carried out one by one: together they failed.
    n_alone: usize,
    /// The next exchange is something else's, if there is anything.
    is_others_turn: bool,
}

/// Requests that were submitted at once.
#[derive(Debug)]
struct Submission {
    since: Instant,
    utc_ms: u64,
    /// The number of things that other servers did of which the core knew.
    n_told: u64,
    requests: Vec<(Ticket, Request)>,
}

#[derive(Debug)]
struct Batch {
    submissions: Vec<Submission>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Reading,
    Writing(Decided),
    /// The session was lost before it was said whether this is committed.
    Unknown(Decided),
}

impl Commits {
    /// Returns true if nothing waits or is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.current.is_none()
    }

    /// Returns true if a batch is under way: the answers of a room come in order, so nothing that waits is
    /// answered before it.
    pub(super) fn is_under_way(&self) -> bool {
        self.current.is_some()
    }

    /// Takes requests in.
    pub(super) fn submit(
        &mut self,
        (now, utc_ms): (Instant, u64),
        n_told: u64,
        batch: &mut Vec<(Ticket, Request)>,
    ) {
        let requests = mem::take(batch);
        if !requests.is_empty() {
            self.waiting.push_back(Submission { since: now, utc_ms, n_told, requests });
        }
    }

    /// Returns the number of things that other servers did of which the core knew when the oldest requests
    /// were made, if there are any.
    pub(super) fn oldest_told(&self) -> Option<u64> {
        let current = self.current.iter().flat_map(|batch| &batch.submissions);
        current.chain(&self.waiting).next().map(|it| it.n_told)
    }

    /// Returns the number of the last batch that is known to be committed.
    pub(super) fn last_committed(&self) -> u64 {
        self.committed
    }

    /// Returns the first exchange of the next batch, if there is one to begin: behind its first statement
    /// come those that read, with the lock taken, what other servers did.
    pub(super) fn begin(
        &mut self,
        server: &str,
        journal: Option<&Journal>,
    ) -> Option<Vec<Statement>> {
        if self.current.is_some() {
            return None;
        }
        let mut submissions = vec![self.waiting.pop_front()?];
        let mut n_requests = submissions[0].requests.len();
        if 0 < self.n_alone {
            self.n_alone -= 1;
        } else {
            while let Some(next) = self.waiting.front()
                && n_requests + next.requests.len() <= JOINED_MAX
            {
                n_requests += next.requests.len();
                submissions.extend(self.waiting.pop_front());
            }
        }
        self.number += 1;
        let requests = submissions.iter().flat_map(|it| &it.requests).map(|(_, request)| request);
        let mut statements = vec![Statement::new(BEGIN, [])];
        statements.extend(journal.into_iter().flat_map(Journal::locking));
        statements.push(Statement::new(UPSERT_BATCH, [server.into(), self.number.into()]));
        statements.extend(picture::questions(requests));
        self.current = Some(Batch { submissions, stage: Stage::Reading });
        Some(statements)
    }

    /// Returns true if it is something else's turn, once after each batch.
    pub(super) fn take_turn(&mut self) -> bool {
        mem::take(&mut self.is_others_turn)
    }

    /// `Reading` becomes `Writing`: returns the second exchange, by the answers to the first, without those
    /// to the first statement and to those of the journal.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: what was read cannot be.
    pub(super) fn decide(
        &mut self,
        answers: &Answers,
        journal: Option<&Journal>,
    ) -> Result<Vec<Statement>, StorageError> {
        let Some(batch) = &mut self.current else { return Ok(Vec::new()) };
        let server = journal.map(|journal| journal.server);
        // The first answer is to a statement that has no rows.
        let mut picture = Picture::new(answers.get(1..).unwrap_or_default(), server)?;
        for Submission { utc_ms, n_told, requests, .. } in &batch.submissions {
            for (ticket, request) in requests.iter().cloned() {
                if journal.is_some_and(|journal| journal.overtakes(*n_told, &request)) {
                    picture.refuse(ticket, StorageError::Overtaken);
                } else {
                    picture.decide(*utc_ms, ticket, request);
                }
            }
        }
        let (mut statements, decided) = picture.finish(journal);
        statements.push(Statement::new(COMMIT, []));
        batch.stage = Stage::Writing(decided);
        Ok(statements)
    }

    /// Returns true if the next answers are those to the second exchange.
    pub(super) fn is_writing(&self) -> bool {
        matches!(self.current, Some(Batch { stage: Stage::Writing(_), .. }))
    }

    /// The batch is committed: returns what it came to.
    pub(super) fn committed(&mut self) -> Option<Decided> {
        self.is_others_turn = true;
        self.committed = self.number;
        match self.current.take()?.stage {
            Stage::Writing(decided) | Stage::Unknown(decided) => Some(decided),
            Stage::Reading => None,
        }
    }

    /// The batch failed, and nothing of it is left. It is carried out again, if that may help and there is
    /// time; if there was more than one submission in it, one by one. Otherwise its tickets are returned.
    pub(super) fn failed(&mut self, now: Instant, is_passing: bool) -> Vec<Ticket> {
        let Some(Batch { submissions, .. }) = self.current.take() else { return Vec::new() };
        let is_in_time = submissions.iter().all(|it| now < it.since + PATIENCE);
        if is_passing && is_in_time {
            self.put_back(submissions);
            return Vec::new();
        }
        if 1 < submissions.len() {
            self.n_alone = submissions.len();
            self.put_back(submissions);
            return Vec::new();
        }
        submissions.into_iter().flat_map(|it| it.requests).map(|(ticket, _)| ticket).collect()
    }

    /// The session is lost.
    pub(super) fn lost(&mut self) {
        match self.current.take() {
            Some(Batch { submissions, stage: Stage::Reading }) => self.put_back(submissions),
            Some(Batch {
                submissions,
                stage: Stage::Writing(decided) | Stage::Unknown(decided),
            }) => {
                self.current = Some(Batch { submissions, stage: Stage::Unknown(decided) });
            }
            None => (),
        }
    }

    /// Takes in the number of the last batch that is committed, if there is one: returns what that came to,
    /// if it was not known to be. Otherwise it is carried out again.
    ///
    /// # Errors
    ///
    /// The database has lost a batch that was answered.
    pub(super) fn learn(
        &mut self,
        committed: Option<u64>,
    ) -> Result<Option<Decided>, StorageError> {
        let is_known = committed.is_some_and(|it| self.committed <= it);
        if is_known && self.current.is_some() && committed == Some(self.number) {
            return Ok(self.committed());
        }
        if let Some(Batch { submissions, .. }) = self.current.take() {
            self.put_back(submissions);
        }
        let words = "the database has lost what it had accepted; start this server anew";
        is_known.then_some(None).ok_or_else(|| damage(words))
    }

    fn put_back(&mut self, submissions: Vec<Submission>) {
        for submission in submissions.into_iter().rev() {
            self.waiting.push_front(submission);
        }
    }

    /// Takes out the requests that have waited for too long, which were not carried out: returns their
    /// tickets.
    pub(super) fn take_late(&mut self, now: Instant) -> Vec<Ticket> {
        let mut tickets = Vec::new();
        if self.current.is_some() {
            return tickets; // The answers of a room come in order.
        }
        while let Some(late) = self.waiting.pop_front_if(|it| it.since + PATIENCE <= now) {
            tickets.extend(late.requests.into_iter().map(|(ticket, _)| ticket));
        }
        tickets
    }

    /// Takes out all requests that wait, which were not carried out: returns their tickets.
    pub(super) fn take_all(&mut self) -> Vec<Ticket> {
        let all = self.waiting.drain(..).flat_map(|it| it.requests);
        all.map(|(ticket, _)| ticket).collect()
    }

    /// Returns when requests will have waited for too long, if any wait.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let first = self.waiting.front().filter(|_| self.current.is_none());
        first.map(|first| first.since + PATIENCE)
    }
}
