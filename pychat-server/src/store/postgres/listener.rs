//! The session in which a server hears of what others do, and renews its lease. It asks at each renewal for
//! the end of the journal, which makes up for notifications that were lost.

use std::{
    collections::VecDeque,
    mem,
    time::{Duration, Instant},
};

use super::{
    connection::Connection,
    journal::{CHANNEL, Journal},
    link::{Answers, Link, Turn},
    session, sharing,
    statement::Statement,
    typing,
};
use crate::core::{
    elsewhere::{Elsewhere, ServerId},
    record::StorageError,
};

const LISTEN: [&str; 2] = ["LISTEN pychat_journal", "LISTEN pychat_typing"];

/// The time for an answer: a session that is silent for longer is begun anew.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The time from one look at old entries to the next.
const TRIM_PAUSE: Duration = Duration::from_mins(1);

/// The most notices of typing that wait to be sent, and to be told.
const TYPING_MAX: usize = 64;

/// The session.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) link: Link,
    server: String,
    doing: Doing,
    /// When the lease is to be renewed, and old entries are to be forgotten.
    renew_at: Option<Instant>,
    trim_at: Option<Instant>,
    lease: Lease,
    /// The servers whose leases have ended.
    dead: Vec<ServerId>,
    typing: VecDeque<Statement>,
    leaving: Option<Leaving>,
}

/// The end of the lease, as the server stops.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Leaving {
    /// It waits for the exchange that is under way.
    Waiting,
    Asked,
    Done,
}

/// The lease of this server, by its own clock.
#[derive(Debug, Default)]
struct Lease {
    /// When the last renewal was asked for that was granted.
    confirmed_at: Option<Instant>,
    /// Since when none has failed.
    steady_since: Option<Instant>,
}

/// The exchange that is under way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Doing {
    /// Nothing, in a session that does not listen yet.
    New,
    Listening,
    Renewing {
        asked_at: Instant,
    },
    Other,
    Leaving,
    /// Nothing.
    Ready,
}

/// Something that was heard.
#[derive(Debug)]
pub(super) enum Heard {
    /// There is an entry of the journal with this number, or somebody says so.
    Entry(u64),
    Typing(Box<Elsewhere>),
    /// The server is one of the database no more.
    Over(StorageError),
}

impl Listener {
    pub(super) fn new(mut connection: Connection, server: String) -> Self {
        connection.set_answer_timeout(TIMEOUT);
        Self {
            link: Link::new(connection),
            server,
            doing: Doing::New,
            renew_at: None,
            trim_at: None,
            lease: Lease::default(),
            dead: Vec::new(),
            typing: VecDeque::new(),
            leaving: None,
        }
    }

    /// Tells other servers something, once that is possible; what is too much is lost.
    pub(super) fn tell(&mut self, statement: Statement) {
        if self.typing.len() < TYPING_MAX {
            self.typing.push_back(statement);
        }
    }

    /// Returns true if the lease may have ended by now.
    pub(super) fn is_fenced(&self, now: Instant, journal: &Journal) -> bool {
        self.fence(journal).is_none_or(|fence| fence <= now)
    }

    /// Returns when the lease may have ended, unless it is renewed.
    pub(super) fn fence(&self, journal: &Journal) -> Option<Instant> {
        Some(self.lease.confirmed_at? + journal.sharing.fence())
    }

    /// Takes in that the lease is new.
    pub(super) fn begin(&mut self, now: Instant) {
        (self.lease.confirmed_at, self.renew_at) = (Some(now), Some(now));
    }

    /// Lets others know that this server stops; returns true once that is done, or cannot be.
    pub(super) fn leave(&mut self, now: Instant, journal: &Journal, epoch: &str) -> bool {
        self.leaving.get_or_insert(Leaving::Waiting);
        self.poll(now, journal, epoch, &mut Vec::new());
        self.leaving == Some(Leaving::Done)
    }

    /// Goes on as far as it can.
    pub(super) fn poll(
        &mut self,
        now: Instant,
        journal: &Journal,
        epoch: &str,
        heard: &mut Vec<Heard>,
    ) {
        loop {
            match self.link.poll(now) {
                Some(Turn::Answered(Ok(answers))) => {
                    self.on_answered(now, &answers, journal, epoch, heard);
                }
                Some(Turn::Answered(Err(_))) => self.on_failed(now, journal),
                Some(Turn::Notified { channel, payload }) if channel == CHANNEL => {
                    heard.extend(payload.parse().ok().map(Heard::Entry));
                }
                Some(Turn::Notified { payload, .. }) => {
                    let typing = typing::read(&payload, journal.server);
                    let n_heard = heard.len();
                    heard.extend(
                        typing.filter(|_| n_heard < TYPING_MAX).map(Box::new).map(Heard::Typing),
                    );
                }
                Some(Turn::Lost(_)) => {
                    (self.doing, self.renew_at) = (Doing::New, None);
                    self.lease.steady_since = None;
                    self.leaving = self.leaving.map(|_| Leaving::Done);
                }
                Some(Turn::Up) => (),
                Some(Turn::Unavailable(_)) => self.leaving = self.leaving.map(|_| Leaving::Done),
                None if self.link.is_busy() || !self.link.connection.is_up() => return,
                None => {
                    let Some((doing, statements)) = self.next(now, journal) else { return };
                    self.link.send(&statements);
                    self.doing = doing;
                }
            }
        }
    }

    /// Returns the next exchange.
    fn next(&mut self, now: Instant, journal: &Journal) -> Option<(Doing, Vec<Statement>)> {
        match self.leaving {
            None => (),
            Some(Leaving::Waiting) => {
                self.leaving = Some(Leaving::Asked);
                let settings = session::listening(&self.server);
                let leave = sharing::leave(journal.server);
                let statements = [settings].into_iter().chain(leave);
                return Some((Doing::Leaving, statements.collect()));
            }
            Some(Leaving::Asked | Leaving::Done) => return None,
        }
        let is_due = |at: Option<Instant>| at.is_none_or(|at| at <= now);
        if self.doing == Doing::New {
            if !is_due(self.renew_at) {
                return None;
            }
            let listen = LISTEN.map(|sql| Statement::new(sql, []));
            let statements = [session::listening(&self.server)].into_iter().chain(listen);
            return Some((Doing::Listening, statements.collect()));
        }
        if is_due(self.renew_at) {
            self.renew_at = Some(now + journal.sharing.renewal());
            let statements = journal.sharing.renew(journal.server, journal.applied);
            return Some((Doing::Renewing { asked_at: now }, statements.into()));
        }
        if let Some(server) = self.dead.pop() {
            return Some((Doing::Other, journal.sharing.bury(server).into()));
        }
        if !self.typing.is_empty() {
            return Some((Doing::Other, mem::take(&mut self.typing).into()));
        }
        if is_due(self.trim_at) {
            self.trim_at = Some(now + TRIM_PAUSE);
            return Some((Doing::Other, vec![sharing::trim()]));
        }
        None
    }

    fn on_answered(
        &mut self,
        now: Instant,
        answers: &Answers,
        journal: &Journal,
        epoch: &str,
        heard: &mut Vec<Heard>,
    ) {
        match mem::replace(&mut self.doing, Doing::Ready) {
            // What was told before is not heard any more.
            Doing::Listening => self.renew_at = Some(now),
            Doing::Renewing { asked_at } => {
                let end = self.renewed(asked_at, answers, journal, epoch);
                heard.push(end.map_or_else(Heard::Over, Heard::Entry));
            }
            Doing::Leaving => self.leaving = Some(Leaving::Done),
            Doing::New | Doing::Other | Doing::Ready => (),
        }
    }

    /// Takes in that the lease was renewed; returns the number of the last entry.
    fn renewed(
        &mut self,
        asked_at: Instant,
        answers: &Answers,
        journal: &Journal,
        epoch: &str,
    ) -> Result<u64, StorageError> {
        let rows = |index: usize| answers.get(index).map_or(&[][..], Vec::as_slice);
        sharing::check(rows(0).first(), epoch)?;
        self.lease.confirmed_at = Some(asked_at);
        let since = *self.lease.steady_since.get_or_insert(asked_at);
        // After the database itself was away, every server has the time of a lease to renew its own.
        if journal.sharing.lease <= asked_at.saturating_duration_since(since) {
            let dead = rows(1).iter().map(|row| row.get(0).map(ServerId));
            self.dead = dead.collect::<Result<_, _>>()?;
        }
        Ok(rows(0).first().map_or(Ok(0), |row| row.get(3))?)
    }

    /// An exchange failed, and nothing of it is left.
    fn on_failed(&mut self, now: Instant, journal: &Journal) {
        let doing = mem::replace(&mut self.doing, Doing::Ready);
        if doing == Doing::Listening {
            (self.doing, self.renew_at) = (Doing::New, Some(now + journal.sharing.renewal()));
        }
        if doing == Doing::Leaving {
            self.leaving = Some(Leaving::Done); // The lease ends by itself.
        }
        if matches!(doing, Doing::Renewing { .. }) {
            self.lease.steady_since = None;
        }
    }

    /// Returns when there is something to do for the time alone.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let is_waiting = self.link.connection.is_up() && !self.link.is_busy();
        let own = [self.renew_at, self.trim_at].into_iter().flatten().min();
        let own = own.filter(|_| is_waiting);
        [own, self.link.connection.next_deadline()].into_iter().flatten().min()
    }
}
