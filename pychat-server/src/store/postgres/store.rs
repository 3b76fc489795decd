//! The store: what it has at hand, and what it is asked. What it asks is in [`turns`](super::turns).

use std::{collections::VecDeque, io, mem, ops::ControlFlow, sync::Arc, time::Instant};

use mio::{Registry, Token};
use pychat_wire::UserName;

use super::{
    commit::Commits,
    connection::Connection,
    forgetting::Forgetting,
    history::{History, Start},
    journal::Journal,
    link::Link,
    listener::Listener,
    loading::{Loaded, TailRecord},
    process::Process,
    routes::Routes,
    schema::MIGRATIONS,
    session::Beginning,
    sharing::Sharing,
    sweeper::Sweeper,
    typing,
};
use crate::{
    core::{
        elsewhere::{Present, ServerId},
        id::{RoomId, Ticket},
        moderation::{AuditEntry, Rulebook},
        record::{Entry, Invite, Person, PersonId, ReadMark, Request, Room, StorageError},
        time::Time,
    },
    store::{Answer, Looked, Place, Read, Records, Retention, Store, Wanted, sqlite::logs::Logs},
};

/// The logs of the rooms, and the people, in PostgreSQL.
#[derive(Debug)]
pub struct PostgresStore {
    pub(super) routes: Arc<Routes>,
    pub(super) process: Process,
    pub(super) lines: Option<Lines>,
    pub(super) phase: Phase,
    pub(super) memory: Held,
    pub(super) commits: Commits,
    pub(super) history: History,
    pub(super) forgetting: Forgetting,
    pub(super) retention: Retention,
    pub(super) answers: VecDeque<Answer>,
}

/// The sessions with the database.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) link: Link,
    pub(super) doing: Doing,
    pub(super) sweeper: Sweeper,
    /// That in which it hears of others, if it shares the log.
    pub(super) listener: Option<Listener>,
    /// When there is something to do for the time alone.
    pub(super) maintain_at: Option<Instant>,
    /// When all that was possible was done last.
    pub(super) advanced_at: Option<Instant>,
}

/// The log, as far as the store has it in memory.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) epoch: String,
    pub(super) logs: Logs,
    /// All that was read at the beginning, until the loop has begun.
    pub(super) loaded: Option<Box<Loaded>>,
    /// The journal of all servers, if others share the log.
    pub(super) journal: Option<Journal>,
}

/// The state of the session.
#[derive(Debug)]
pub(super) enum Phase {
    Beginning(Beginning),
    /// There is none that could be used; none before this time, if there is one.
    Away {
        until: Option<Instant>,
        reason: String,
    },
    Ready,
    /// There never will be one.
    Over(StorageError),
}

/// The exchange that is under way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Doing {
    Nothing,
    Session,
    Batch,
    /// Nothing is left of a batch that failed.
    Rollback,
    Question,
    Chore,
    Journal,
}

impl PostgresStore {
    /// Returns a store whose log is in the database to which there are these `routes`, or is begun there
    /// with the name `epoch`. This and `server`, the name of this process, should be random.
    pub fn new(routes: Arc<Routes>, retention: Retention, epoch: u128, server: u128) -> Self {
        let epoch = format!("{epoch:032x}");
        let logs = Logs::new(retention.messages_max);
        Self {
            routes,
            process: Process::new(format!("{server:032x}")),
            lines: None,
            phase: Phase::Beginning(Beginning::new(epoch)),
            memory: Held { epoch: String::new(), logs, loaded: None, journal: None },
            commits: Commits::default(),
            history: History::default(),
            forgetting: Forgetting::default(),
            retention,
            answers: VecDeque::new(),
        }
    }

    /// Lets other servers share the log, on these terms.
    #[must_use]
    pub fn shared(mut self, sharing: Sharing) -> Self {
        if let Phase::Beginning(beginning) = &mut self.phase {
            beginning.sharing = Some(sharing);
        }
        self
    }

    /// Returns true if nothing is asked of the database that it has not answered.
    pub fn is_idle(&self) -> bool {
        let is_busy = self.lines.as_ref().is_some_and(|lines| lines.link.is_busy());
        let is_read = !self.memory.journal.as_ref().is_some_and(Journal::is_wanted);
        let is_asked = self.history.is_asked() || self.forgetting.is_due();
        !is_busy && self.commits.is_idle() && !is_asked && is_read
    }

    /// Returns what was read at the beginning.
    fn loaded(&self) -> Result<&Loaded, StorageError> {
        let late = || StorageError::Other("this is known only at the beginning".into());
        self.memory.loaded.as_deref().ok_or_else(late)
    }

    /// Moves answers to `answers`: what another server did comes first or not at all, so that the core knows
    /// all that was told before whatever it asks for next, and no more.
    fn hand_out(&mut self, answers: &mut Vec<Answer>) {
        let is_elsewhere = |answer: &Answer| matches!(answer, Answer::Elsewhere(_));
        let is_first = self.answers.front().is_some_and(is_elsewhere);
        let begin = usize::from(is_first);
        let others = self.answers.iter().skip(begin);
        let end = begin + others.take_while(|answer| !is_elsewhere(answer)).count();
        answers.extend(self.answers.drain(..end));
        if let Some(journal) = &mut self.memory.journal {
            journal.n_told += u64::from(is_first);
            let oldest = self.commits.oldest_told().unwrap_or(journal.n_told);
            journal.forget(oldest);
        }
    }

    /// Returns the records near the end of a log, while the loop has not begun.
    fn tail(&self, room: RoomId) -> Option<&[TailRecord]> {
        let loaded = self.memory.loaded.as_ref()?;
        Some(loaded.tails.get(&room).map_or(&[], Vec::as_slice))
    }
}

impl Store for PostgresStore {
    fn register(&mut self, registry: &Registry, first: Token) -> io::Result<()> {
        let connect = |purpose, index| -> io::Result<_> {
            let (routes, token) = (Arc::clone(&self.routes), Token(first.0 + index));
            Ok(Connection::new(routes, purpose, registry.try_clone()?, token))
        };
        let link = Link::new(connect("log", 0)?);
        let sweeper = Sweeper::new(connect("tidying", 1)?, self.process.name.clone());
        let listener = if self.is_shared() {
            Some(Listener::new(connect("listening", 2)?, self.process.name.clone()))
        } else {
            None
        };
        let (doing, maintain_at, advanced_at) = (Doing::Nothing, None, None);
        self.lines = Some(Lines { link, doing, sweeper, listener, maintain_at, advanced_at });
        Ok(())
    }

    fn set_ready(&mut self, socket: usize) {
        let Some(lines) = &mut self.lines else { return };
        match (socket, &mut lines.listener) {
            (0, _) => lines.link.connection.set_ready(),
            (1, _) => lines.sweeper.link.connection.set_ready(),
            (_, Some(listener)) => listener.link.connection.set_ready(),
            (_, None) => (),
        }
    }

    fn open(&mut self, now: Instant) -> Result<bool, StorageError> {
        self.advance(now);
        match &self.phase {
            Phase::Over(error) => Err(error.clone()),
            Phase::Beginning(_) => Ok(false),
            Phase::Ready | Phase::Away { .. } => Ok(true),
        }
    }

    fn submit(&mut self, now: Instant, utc_ms: u64, batch: &mut Vec<(Ticket, Request)>) {
        let n_told = self.memory.journal.as_ref().map_or(0, |journal| journal.n_told);
        self.commits.submit((now, utc_ms), n_told, batch);
    }

    fn poll(&mut self, now: Instant, answers: &mut Vec<Answer>) {
        self.memory.loaded = None;
        self.advance(now);
        self.hand_out(answers);
    }

    fn read(
        &mut self,
        room: RoomId,
        after: u64,
        records: Records,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<Read, StorageError> {
        if let Some(tail) = self.tail(room) {
            // Breaking off is the reader's choice, and no failure.
            let _ = tail.iter().filter(|it| after < it.seq).try_for_each(|it| each(it.entry()));
            return Ok(Read::Done);
        }
        let last_seq = self.last_seq(room);
        self.history.read((room, records, last_seq), after, each)
    }

    fn page_start(
        &mut self,
        room: RoomId,
        before: u64,
        limit: u64,
        bytes_max: usize,
        records: Records,
    ) -> Result<Option<u64>, StorageError> {
        if let Some(tail) = self.tail(room) {
            let end = tail.partition_point(|it| it.seq < before);
            let begin = end.saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
            return Ok(Some(tail[begin..end].first().map_or(before, |it| it.seq)));
        }
        let next = self.last_seq(room) + 1;
        if next == 1 {
            return Ok(Some(before));
        }
        // What is said later changes nothing that is before it.
        let end = before.min(next);
        let start = Start { room, before: end, limit, bytes_max, records };
        let start = self.history.page_start(start)?;
        Ok(start.map(|start| if start == end { before } else { start }))
    }

    fn search(
        &mut self,
        wanted: &Wanted<'_>,
        place: &mut Place,
        budget: &mut usize,
        each: &mut dyn FnMut(RoomId, Entry<'_>) -> ControlFlow<()>,
    ) -> Result<Looked, StorageError> {
        self.history.search(wanted, place, budget, each)
    }

    fn people(&mut self) -> Result<(Vec<Person>, PersonId), StorageError> {
        self.loaded().map(|loaded| loaded.people.clone())
    }

    fn rooms(&mut self) -> Result<Vec<Room>, StorageError> {
        self.loaded().map(|loaded| loaded.rooms.clone())
    }

    fn last_room(&self) -> RoomId {
        self.memory.logs.last_room()
    }

    fn marks(&mut self) -> Result<Vec<ReadMark>, StorageError> {
        self.loaded().map(|loaded| loaded.marks.clone())
    }

    fn invites(&mut self) -> Result<Vec<Invite>, StorageError> {
        self.loaded().map(|loaded| loaded.invites.clone())
    }

    fn rulebook(&mut self) -> Result<Rulebook, StorageError> {
        self.loaded().map(|loaded| loaded.rulebook.clone())
    }

    fn audit(&mut self, limit: usize) -> Result<Option<Vec<AuditEntry>>, StorageError> {
        self.history.audit(limit)
    }

    fn maintain(&mut self, time: &Time) {
        let at = self.forgetting.plan(time, &mut self.memory.logs, self.retention);
        let is_sweep_due = self.forgetting.sweep_at.is_some_and(|sweep_at| sweep_at <= time.now);
        if let Some(lines) = &mut self.lines {
            lines.maintain_at = at;
            if is_sweep_due {
                self.forgetting.sweep_at = None;
                lines.sweeper.want();
            }
        }
        self.advance(time.now);
    }

    fn next_deadline(&self) -> Option<Instant> {
        let lines = self.lines.as_ref()?;
        let until = match &self.phase {
            Phase::Beginning(beginning) => beginning.retry_at,
            Phase::Away { until, .. } => *until,
            Phase::Ready | Phase::Over(_) => None,
        };
        let late = self.commits.next_deadline();
        let told = [until, late, lines.link.connection.next_deadline()];
        let is_next = matches!(self.phase, Phase::Ready) && !lines.link.is_busy();
        let is_asked = is_next && self.history.is_asked() || !self.answers.is_empty();
        let asked = lines.advanced_at.filter(|_| is_asked);
        let heard = lines.listener.as_ref().filter(|_| self.memory.journal.is_some());
        let heard = heard.and_then(Listener::next_deadline);
        let others = [asked, lines.maintain_at, lines.sweeper.next_deadline(), heard];
        told.into_iter().chain(others).flatten().min()
    }

    fn take_forgotten(&mut self) -> u64 {
        mem::take(&mut self.forgetting.n_forgotten)
    }

    fn set_retention(&mut self, retention: Retention) {
        self.retention = retention;
        self.memory.logs.set_records_max(retention.messages_max);
        self.forgetting.begin_anew();
    }

    fn is_shared(&self) -> bool {
        let is_to_be =
            |phase: &Phase| matches!(phase, Phase::Beginning(it) if it.sharing.is_some());
        self.memory.journal.is_some() || is_to_be(&self.phase)
    }

    fn server(&self) -> ServerId {
        self.memory.journal.as_ref().map_or(ServerId(0), |journal| journal.server)
    }

    fn present(&mut self) -> Result<Vec<Present>, StorageError> {
        self.loaded().map(|loaded| loaded.entered.present.clone())
    }

    fn schema(&self) -> Option<u64> {
        Some(MIGRATIONS.len() as u64)
    }

    fn close(&mut self, now: Instant) -> bool {
        let Held { journal, epoch, .. } = &self.memory;
        let listener = self.lines.as_mut().and_then(|lines| lines.listener.as_mut());
        let is_over = matches!(self.phase, Phase::Over(_));
        let (Some(listener), Some(journal), false) = (listener, journal, is_over) else {
            return true;
        };
        listener.leave(now, journal, epoch)
    }

    fn end(&self) -> Option<&StorageError> {
        match &self.phase {
            Phase::Over(error) if self.memory.journal.is_some() => Some(error),
            _ => None,
        }
    }

    fn tell_typing(&mut self, room: RoomId, name: &UserName, person: Option<PersonId>) {
        let told = typing::tell(self.server(), room, name, person);
        let listener = self.lines.as_mut().and_then(|lines| lines.listener.as_mut());
        if let Some((listener, told)) = listener.zip(told) {
            listener.tell(told);
        }
    }

    fn epoch(&self) -> &str {
        &self.memory.epoch
    }

    fn first_seq(&self, room: RoomId) -> u64 {
        self.memory.logs.ends(room).first_seq
    }

    fn last_seq(&self, room: RoomId) -> u64 {
        self.memory.logs.ends(room).last_seq
    }
}
