//! The turns of the store: one exchange with the database after the other. Batches of requests, questions
//! and chores take turns, so that an answer is never older than a change which was answered before it.

use std::{
    mem,
    time::{Duration, Instant},
};

use super::{
    error::DatabaseError,
    journal::{Journal, Piece},
    link::{Answers, Turn, is_passing},
    loading::{Entered, Loaded},
    picture::{Decided, End},
    session::{self, Begun},
    sharing::{self, Sharing},
    statement::Statement,
    store::{Doing, Held, Phase, PostgresStore},
};
use crate::{
    core::{
        id::{RoomId, Ticket},
        record::StorageError,
    },
    store::{Answer, sqlite::logs::Logs},
};

/// The pause before a session is begun again with a question that failed for now.
const RETRY: Duration = Duration::from_millis(200);

impl PostgresStore {
    /// Does all that is possible now.
    pub(super) fn advance(&mut self, now: Instant) {
        self.listen(now);
        while let Some(lines) = &mut self.lines {
            match lines.link.poll(now) {
                Some(turn) => self.on_turn(now, turn),
                None => {
                    if !self.send_next(now) {
                        break;
                    }
                }
            }
        }
        if let Some(lines) = &mut self.lines {
            lines.sweeper.poll(now);
            lines.advanced_at = Some(now);
        }
        if let Phase::Over(error) = &self.phase {
            let error = error.clone();
            let tickets = self.commits.take_all();
            self.refuse(tickets, &error);
        } else if self.is_fenced(now) && !self.commits.is_under_way() {
            let words = "the lease of this server could not be renewed";
            let tickets = self.commits.take_all();
            self.refuse(tickets, &StorageError::Unreachable(words.into()));
        } else {
            let late = self.commits.take_late(now);
            let reason = match &self.phase {
                Phase::Away { reason, .. } => reason.clone(),
                _ => String::new(),
            };
            self.refuse(late, &StorageError::Unreachable(reason));
        }
        if self.history.take_fetched() {
            self.answers.push_back(Answer::Fetched);
        }
    }

    fn on_turn(&mut self, now: Instant, turn: Turn) {
        let Some(lines) = &mut self.lines else { return };
        match turn {
            Turn::Up | Turn::Notified { .. } => (),
            Turn::Answered(answered) => {
                let doing = mem::replace(&mut lines.doing, Doing::Nothing);
                self.on_answered(now, doing, answered);
            }
            Turn::Lost(reason) => {
                lines.doing = Doing::Nothing;
                self.commits.lost();
                self.history.lost();
                self.forgetting.failed(now);
                match &mut self.phase {
                    Phase::Beginning(beginning) => beginning.lost(),
                    Phase::Ready => self.phase = Phase::Away { until: None, reason },
                    Phase::Away { .. } | Phase::Over(_) => (),
                }
            }
            Turn::Unavailable(words) => match &mut self.phase {
                Phase::Beginning(beginning) => {
                    if beginning.is_late(now) {
                        self.phase = Phase::Over(StorageError::Unreachable(words));
                    }
                }
                Phase::Away { reason, .. } => *reason = words,
                Phase::Ready | Phase::Over(_) => (),
            },
        }
    }

    fn on_answered(
        &mut self,
        now: Instant,
        doing: Doing,
        answered: Result<Answers, DatabaseError>,
    ) {
        match doing {
            Doing::Session => self.on_session(now, answered),
            Doing::Batch => self.on_batch(now, answered),
            Doing::Nothing | Doing::Rollback => (),
            Doing::Journal => self.on_journal(answered),
            Doing::Question => self.history.answered(answered.map_err(StorageError::from)),
            Doing::Chore => {
                let logs = &mut self.memory.logs;
                let done = answered
                    .map_err(StorageError::from)
                    .and_then(|answers| self.forgetting.done(now, &answers, logs, self.retention));
                match done {
                    Ok(room) => room.into_iter().for_each(|room| self.history.throw_away(room)),
                    Err(_) => self.forgetting.failed(now),
                }
            }
        }
    }

    fn on_session(&mut self, now: Instant, answered: Result<Answers, DatabaseError>) {
        let answers = match answered {
            Ok(answers) => answers,
            Err(error) if is_passing(&error) && matches!(self.phase, Phase::Away { .. }) => {
                let (until, reason) = (Some(now + RETRY), error.to_string());
                return self.phase = Phase::Away { until, reason };
            }
            Err(error) => return self.phase = Phase::Over(error.into()),
        };
        let next = match &mut self.phase {
            Phase::Beginning(beginning) => {
                match beginning.answered(now, &answers, self.retention.messages_max) {
                    Ok(Begun::Next) => return,
                    Ok(Begun::All(loaded)) => {
                        let sharing = beginning.sharing.take();
                        self.load(now, loaded, sharing);
                        Ok(())
                    }
                    Err(error) => Err(error),
                }
            }
            _ => self.come_back(now, &answers),
        };
        self.phase = next.map_or_else(Phase::Over, |()| Phase::Ready);
    }

    fn load(&mut self, now: Instant, mut loaded: Box<Loaded>, sharing: Option<Sharing>) {
        let Entered { epoch, server, number, .. } = &mut loaded.entered;
        self.memory.epoch = mem::take(epoch);
        self.memory.journal = sharing.map(|sharing| Journal::new(sharing, *server, *number));
        if let Some(listener) = self.lines.as_mut().and_then(|lines| lines.listener.as_mut()) {
            listener.begin(now);
        }
        self.memory.logs = mem::replace(&mut loaded.logs, Logs::new(self.retention.messages_max));
        self.forgetting.removed_ms = loaded.removed_ms;
        for room in mem::take(&mut loaded.over) {
            self.forgetting.over.add(room);
        }
        self.memory.loaded = Some(loaded);
    }

    fn come_back(&mut self, now: Instant, answers: &Answers) -> Result<(), StorageError> {
        let (batch, is_ours) = session::came_back(answers)?;
        if let Some(decided) = self.commits.learn(batch)? {
            self.settle(now, decided);
        }
        if self.memory.journal.is_some() {
            let standing = answers.get(5).and_then(|rows| rows.first());
            return sharing::check(standing, &self.memory.epoch);
        }
        if is_ours {
            return Ok(());
        }
        Err(StorageError::Other("another server has taken over this database".into()))
    }

    fn on_batch(&mut self, now: Instant, answered: Result<Answers, DatabaseError>) {
        let (error, is_passing) = match answered {
            Ok(_) if self.commits.is_writing() => {
                if let Some(decided) = self.commits.committed() {
                    self.settle(now, decided);
                }
                return;
            }
            Ok(answers) => match self.decide(answers) {
                Ok(statements) => return self.send(Doing::Batch, &statements),
                Err(refused) => refused,
            },
            Err(error) => {
                let is_passing = is_passing(&error);
                (error.into(), is_passing)
            }
        };
        self.send(Doing::Rollback, &[Statement::new("ROLLBACK", [])]);
        let failed = self.commits.failed(now, is_passing);
        self.refuse(failed, &error);
    }

    /// Returns the second exchange of a batch, by the answers to the first; or why it is not to be, and
    /// true if it may be carried out again. First applies what other servers did before it.
    fn decide(&mut self, mut answers: Answers) -> Result<Vec<Statement>, (StorageError, bool)> {
        answers.drain(..1.min(answers.len()));
        if self.memory.journal.is_some() {
            let applied =
                Piece::take(&mut answers, &self.memory.epoch).and_then(|piece| self.apply(&piece));
            if let Err(error) = applied {
                self.phase = Phase::Over(error.clone());
                return Err((error, false));
            }
        }
        let journal = self.memory.journal.as_ref();
        if journal.is_some_and(|journal| journal.is_behind) {
            let words = "there is too much to be read that other servers did";
            return Err((StorageError::Unreachable(words.into()), true));
        }
        self.commits.decide(&answers, journal).map_err(|error| (error, false))
    }

    /// Takes in entries of the journal.
    fn on_journal(&mut self, answered: Result<Answers, DatabaseError>) {
        let Ok(mut answers) = answered else {
            // It is asked again after the next renewal.
            return self.memory.journal.iter_mut().for_each(Journal::failed);
        };
        let applied = Piece::take(&mut answers, &self.memory.epoch).and_then(|piece| {
            self.memory.journal.iter_mut().for_each(|journal| journal.was_read(piece.end));
            self.apply(&piece)
        });
        if let Err(error) = applied {
            self.phase = Phase::Over(error);
        }
    }

    /// Takes in the outcome of a batch that is committed.
    fn settle(&mut self, now: Instant, decided: Decided) {
        let Decided { outcomes, ends, amended, over, erased_ms, has_entry } = decided;
        if let Some(journal) = &mut self.memory.journal {
            journal.applied += u64::from(has_entry);
        }
        self.note_ends(ends);
        let done = |(ticket, outcome)| Answer::Done { ticket, outcome };
        self.answers.extend(outcomes.into_iter().map(done));
        for room in amended {
            self.history.throw_away(room);
        }
        for room in over {
            self.forgetting.over.add(room);
        }
        self.forgetting.erased(now, erased_ms);
    }

    fn refuse(&mut self, tickets: Vec<Ticket>, error: &StorageError) {
        let refused = |ticket| Answer::Done { ticket, outcome: Err(error.clone()) };
        self.answers.extend(tickets.into_iter().map(refused));
    }

    /// Begins the next exchange, if there is one to begin; returns true then.
    fn send_next(&mut self, now: Instant) -> bool {
        let Some(lines) = &mut self.lines else { return false };
        if lines.link.is_busy() || !lines.link.connection.is_up() {
            return false;
        }
        let (doing, statements) = match &mut self.phase {
            Phase::Beginning(beginning) => {
                (Doing::Session, beginning.exchange(now, &self.process.name))
            }
            Phase::Away { until, .. } if until.is_some_and(|until| now < until) => return false,
            Phase::Away { .. } => {
                let (committed, journal) =
                    (self.commits.last_committed(), self.memory.journal.as_ref());
                (Doing::Session, Some(session::come_back(&self.process.name, committed, journal)))
            }
            Phase::Ready => self.next_exchange(now),
            Phase::Over(_) => return false,
        };
        let Some(statements) = statements else { return false };
        self.send(doing, &statements);
        true
    }

    fn send(&mut self, doing: Doing, statements: &[Statement]) {
        if let Some(lines) = &mut self.lines {
            lines.link.send(statements);
            lines.doing = doing;
        }
    }

    /// Returns the next exchange of a session that is ready: batches and the rest take turns.
    fn next_exchange(&mut self, now: Instant) -> (Doing, Option<Vec<Statement>>) {
        let is_fenced = self.is_fenced(now);
        let Held { logs, journal, .. } = &mut self.memory;
        let end = |room: RoomId| {
            let ends = logs.ends(room);
            let (last_seq, last_bytes) = (ends.last_seq, ends.last_bytes);
            End { last_seq, last_bytes, ..End::default() }
        };
        if let Some(journal) = journal.as_mut().filter(|journal| journal.is_behind) {
            return (Doing::Journal, Some(journal.read()));
        }
        let is_others_turn = self.commits.take_turn() || is_fenced;
        if !is_others_turn
            && let Some(statements) = self.commits.begin(&self.process.name, journal.as_ref())
        {
            return (Doing::Batch, Some(statements));
        }
        if let Some(journal) = journal.as_mut().filter(|journal| journal.is_wanted()) {
            return (Doing::Journal, Some(journal.read()));
        }
        if self.forgetting.is_due() && (is_others_turn || !self.history.is_asked()) {
            return (Doing::Chore, Some(self.forgetting.exchange(logs)));
        }
        if let Some(statements) = self.history.begin(end) {
            return (Doing::Question, Some(statements));
        }
        if is_fenced {
            return (Doing::Nothing, None);
        }
        (Doing::Batch, self.commits.begin(&self.process.name, journal.as_ref()))
    }
}
