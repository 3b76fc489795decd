//! Appending: texts go into the log before anybody hears them.

use std::{
    collections::HashSet,
    mem,
    time::{Duration, Instant},
};

use super::Server;
use crate::{
    core::{
        chat::{Effect, Input},
        record::StorageError,
    },
    logging,
    net::connection::Socket,
};

/// The least time between two lines that tell the operator how much was forgotten.
const FORGOTTEN_PAUSE: Duration = Duration::from_hours(1);

/// The messages that were forgotten and the operator has not been told of.
#[derive(Debug, Default)]
pub(super) struct Forgotten {
    messages: u64,
    /// The operator is not told before this.
    rest_until: Option<Instant>,
}

impl<S: Socket> Server<S> {
    /// Tells the operator how much was forgotten: at once, then no more than once an hour.
    pub(super) fn log_forgotten(&mut self, now: Instant) {
        let Forgotten { messages, rest_until } = &mut self.forgotten;
        *messages += self.log.take_forgotten();
        if 0 < *messages && rest_until.is_none_or(|until| until <= now) {
            logging::forgotten(mem::take(messages), self.log.first_seq());
            *rest_until = Some(now + FORGOTTEN_PAUSE);
        }
    }

    /// Tells the operator what came of reading the whole log, if it was to be read.
    pub(super) fn check_log(&mut self, now: Instant) {
        match self.log.check(now) {
            Some(Ok(())) => logging::checked(),
            Some(Err(error @ StorageError::Damaged(_))) => {
                logging::storage_failed(&error);
                self.is_log_failing = true;
            }
            Some(Err(error)) => logging::read_failed(&error),
            None => (),
        }
    }

    /// Takes this tick's texts into the log before anything of them is shown to anybody.
    ///
    /// Each is published where it was said, between what was answered before and after it. If the
    /// log takes nothing, nothing is shown, and each author is told so there.
    pub(super) fn append(&mut self, now: Instant) {
        let (appended, effects) = (&mut self.appended, &self.effects);
        let is_asked = |effect| matches!(effect, &Effect::Append(_) | &Effect::ChangeOwner(_));
        if !effects.iter().any(is_asked) {
            return;
        }
        self.log.check_space(now);
        let drafts = effects.iter().filter_map(|effect| match effect {
            Effect::Append(draft) => Some(draft.clone()),
            _ => None,
        });
        let owners = effects.iter().filter_map(|effect| match effect {
            Effect::ChangeOwner(change) => Some(change.clone()),
            _ => None,
        });
        let failure = self.log.append(self.utc_ms, drafts, owners, |from, answer| {
            appended.push_back(Input::Appended { from, appended: answer });
        });
        let failure = failure.err();
        match (&failure, mem::replace(&mut self.is_log_failing, failure.is_some())) {
            (Some(error), false) => logging::storage_failed(error),
            (None, true) => logging::storing_again(),
            (Some(_), true) | (None, false) => (),
        }
        let mut told = HashSet::new();
        let mut effects = mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            match (effect, &failure) {
                (Effect::Append(draft), Some(error)) => {
                    // An author who gave a text no id of its own could not tell one refusal from
                    // another.
                    if draft.id.is_some() || told.insert(draft.from) {
                        let input = Input::AppendFailed { draft, error: error.clone() };
                        self.chat.handle(now, input, &mut self.spare);
                    }
                }
                (Effect::Append(_), None) => {
                    if let Some(input) = self.appended.pop_front() {
                        self.chat.handle(now, input, &mut self.spare);
                    }
                }
                (Effect::ChangeOwner(_), _) => (),
                (effect, _) => self.spare.push(effect),
            }
        }
        self.effects = mem::replace(&mut self.spare, effects);
    }
}
