//! Commits: what is durable goes to the store before anybody is told of it.
//!
//! Requests of one tick are submitted together, and each is answered under its ticket, at once or
//! some ticks later.

use std::{
    mem,
    time::{Duration, Instant},
};

use crate::{
    core::{
        chat::{Chat, Effect, Input},
        id::{CallId, HALL, Ticket},
        moderation::Reply,
        record::{Appended, Request, StorageError, Stored},
        time::Time,
    },
    logging,
    store::{Answer, Retention, Store},
};

/// The least time between two lines that tell the operator how much was forgotten.
const FORGOTTEN_PAUSE: Duration = Duration::from_hours(1);

/// The store, and what the operator was told of it.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) store: Box<dyn Store>,
    /// True from when the store refused something until it takes something.
    is_failing: bool,
    /// The records that were stored.
    n_stored: u64,
    /// The messages that were forgotten and the operator has not been told of.
    n_forgotten: u64,
    /// The operator is not told of these before this.
    silent_until: Option<Instant>,
    /// Answers to operators on the machine.
    pub(super) replies: Vec<(CallId, Reply)>,
}

/// The store in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// The rooms beside the hall.
    pub rooms: usize,
    /// The number of the newest record of the hall; 0 if there never was one.
    pub last_message: u64,
    /// The records that were stored since the server began.
    pub stored_records: u64,
    /// The store refuses what it is given.
    pub is_storage_failing: bool,
    /// The version of the store's schema, if it is a database.
    pub schema: Option<u64>,
}

impl Commit {
    pub(super) fn new(store: Box<dyn Store>) -> Self {
        Self {
            store,
            is_failing: false,
            n_stored: 0,
            n_forgotten: 0,
            silent_until: None,
            replies: Vec::new(),
        }
    }

    /// Submits what `effects` ask of the store, and tells the chat of every answer there is by now,
    /// until nothing more is asked. Returns true if history can be read that could not before.
    pub(super) fn run(
        &mut self,
        now: Instant,
        utc_ms: u64,
        chat: &mut Chat,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let mut is_fetched = false;
        let mut answers = Vec::new();
        loop {
            let is_asked = effects.iter().any(|effect| matches!(effect, Effect::Store { .. }));
            if is_asked {
                let asked = effects.extract_if(.., |effect| matches!(effect, Effect::Store { .. }));
                let mut batch: Vec<_> = asked.filter_map(request).collect();
                self.store.submit(now, utc_ms, &mut batch);
            }
            self.store.poll(now, &mut answers);
            if answers.is_empty() && !is_asked {
                self.take_replies(effects);
                return is_fetched;
            }
            for answer in answers.drain(..) {
                match answer {
                    Answer::Done { ticket, outcome } => {
                        self.log_outcome(outcome.as_ref().err());
                        let is_new = matches!(outcome, Ok(Stored::Appended(Appended::New(_))));
                        self.n_stored += u64::from(is_new);
                        chat.handle(now, Input::Stored { ticket, outcome }, effects);
                    }
                    Answer::Fetched => is_fetched = true,
                    Answer::Elsewhere(elsewhere) => {
                        chat.handle(now, Input::Elsewhere(elsewhere), effects);
                    }
                }
            }
        }
    }

    /// Takes answers to operators on the machine out of `effects`: what they asked for is kept by now,
    /// or will not be.
    fn take_replies(&mut self, effects: &mut Vec<Effect>) {
        let replies = effects.extract_if(.., |effect| matches!(effect, Effect::Reply { .. }));
        self.replies.extend(replies.filter_map(|effect| match effect {
            Effect::Reply { call, reply } => Some((call, reply)),
            _ => None,
        }));
    }

    /// Tells the operator when the store begins to refuse, and when it takes something again.
    fn log_outcome(&mut self, error: Option<&StorageError>) {
        if let Some(StorageError::Overtaken) = error {
            return; // The store does take what is in time.
        }
        match (error, mem::replace(&mut self.is_failing, error.is_some())) {
            (Some(error), false) => logging::storage_failed(error),
            (None, true) => logging::storing_again(),
            (Some(_), true) | (None, false) => (),
        }
    }

    /// Has the store do a little of what can wait, and tells the operator what came of it.
    pub(super) fn maintain(&mut self, time: &Time) {
        match self.store.check(time.now) {
            Some(Ok(())) => logging::checked(),
            Some(Err(error @ StorageError::Damaged(_))) => {
                logging::storage_failed(&error);
                self.is_failing = true;
            }
            Some(Err(error)) => logging::read_failed(&error),
            None => (),
        }
        self.store.maintain(time);
        self.log_forgotten(time.now);
    }

    /// Tells the operator how much was forgotten: at once, then no more than once an hour.
    fn log_forgotten(&mut self, now: Instant) {
        self.n_forgotten += self.store.take_forgotten();
        if 0 < self.n_forgotten && self.silent_until.is_none_or(|until| until <= now) {
            logging::forgotten(mem::take(&mut self.n_forgotten), self.store.first_seq(HALL));
            self.silent_until = Some(now + FORGOTTEN_PAUSE);
        }
    }

    /// Returns what the store has and has done.
    pub(super) fn totals(&self) -> Totals {
        Totals {
            rooms: 0,
            last_message: self.store.last_seq(HALL),
            stored_records: self.n_stored,
            is_storage_failing: self.is_failing,
            schema: self.store.schema(),
        }
    }

    pub(super) fn set_retention(&mut self, retention: Retention) {
        self.store.set_retention(retention);
    }
}

fn request(effect: Effect) -> Option<(Ticket, Request)> {
    match effect {
        Effect::Store { ticket, request } => Some((ticket, request)),
        Effect::Tell { .. }
        | Effect::Connection { .. }
        | Effect::Reply { .. }
        | Effect::EndRoom(_)
        | Effect::TellTyping { .. } => None,
    }
}
