//! Forgetting what is more, larger or older than is to be kept, a little at a time; and words that were
//! taken away. The rules are those of the log in a file.

use std::time::{Duration, Instant};

use super::{link::Answers, statement::Statement};
use crate::{
    core::{amending::RESTORABLE_MS, id::RoomId, record::StorageError, time::Time},
    store::{
        Retention,
        over::Over,
        sqlite::{
            logs::Logs,
            retention::{Excess, TRIM_PAUSE, TRIM_REST, TRIM_ROOMS, TRIM_STEP, age_pause},
        },
    },
};

const DELETE_TRIMMED: &str = "DELETE FROM records WHERE room = $1 AND seq < $2 AND seq <= greatest($3, \
    (SELECT max(seq) FROM records WHERE room = $1 AND seq < $2 \
        AND (time_ms <= $4 OR begin_bytes < $5 AND time_ms <= $6)))";
const SELECT_FIRST: &str =
    "SELECT seq, time_ms, begin_bytes FROM records WHERE room = $1 ORDER BY seq LIMIT 1";
/// The largest number stays, for the next room to have a larger one.
const DELETE_LOG: &str = "DELETE FROM logs WHERE room = $1 AND room < (SELECT max(room) FROM logs)";
const HAS_LOG: &str = "SELECT room FROM logs WHERE room = $1";
const FORGET_REMOVED: &str = "UPDATE records SET removed = NULL, removed_ms = NULL, words = 1 \
    WHERE (room, seq) IN (SELECT room, seq FROM records WHERE removed_ms <= $1 \
    ORDER BY removed_ms LIMIT $2)";
const SELECT_REMOVED: &str = "SELECT min(removed_ms) FROM records WHERE removed_ms IS NOT NULL";

/// The most words that are forgotten in one transaction.
const FORGET_STEP: u64 = 64;

/// The pause before the table is tidied up after words were taken away, for what follows at once.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

/// The progress of forgetting.
#[derive(Debug, Default)]
pub(super) struct Forgetting {
    /// The earliest time at which anything more is forgotten.
    trim_at: Option<Instant>,
    /// The earliest time at which anything more is forgotten for its age.
    age_at: Option<Instant>,
    /// The step that is under way.
    step: Option<Step>,
    /// The chore that waits for its exchange or is in it.
    chore: Option<Chore>,
    /// The number of records forgotten and not reported yet.
    pub(super) n_forgotten: u64,
    pub(super) over: Over,
    /// The earliest time at which words can have been removed that can be brought back, in UTC
    /// milliseconds since 1970.
    pub(super) removed_ms: Option<u64>,
    /// When the table is to be tidied up.
    pub(super) sweep_at: Option<Instant>,
    /// Rooms whose logs are to be ended.
    ending: Vec<RoomId>,
}

/// A step of forgetting: so many records and rooms at most.
#[derive(Clone, Copy, Debug)]
struct Step {
    expired_by: Option<u64>,
    count: u64,
    n_rooms: u64,
}

#[derive(Clone, Copy, Debug)]
enum Chore {
    Trim { excess: Excess, count_max: u64 },
    ForgetRemoved { until_ms: u64 },
    EndLog(RoomId),
}

impl Forgetting {
    /// Returns true if there is an exchange for it to begin.
    pub(super) fn is_due(&self) -> bool {
        self.chore.is_some()
    }

    /// Has more or less kept from now on.
    pub(super) fn begin_anew(&mut self) {
        (self.trim_at, self.age_at) = (None, None);
    }

    /// Takes in that words were taken away.
    pub(super) fn erased(&mut self, now: Instant, erased_ms: Option<u64>) {
        if let Some(erased_ms) = erased_ms {
            self.removed_ms.get_or_insert(erased_ms);
            self.sweep_at.get_or_insert(now + SWEEP_PAUSE);
        }
    }

    /// Takes in that another server took words away, which tidies up after itself.
    pub(super) fn removed(&mut self, removed_ms: Option<u64>) {
        if let Some(removed_ms) = removed_ms {
            self.removed_ms.get_or_insert(removed_ms);
        }
    }

    /// Finds out what there is to do; returns when there is more.
    pub(super) fn plan(
        &mut self,
        time: &Time,
        logs: &mut Logs,
        retention: Retention,
    ) -> Option<Instant> {
        let now = time.now;
        for room in self.over.take_due(now) {
            if logs.empty(room) {
                self.over.put_off(now, room);
            } else {
                self.ending.push(room);
            }
        }
        if self.chore.is_none() {
            self.chore = self.next(time, logs, retention);
        }
        let wanted = if is_too_much(logs, retention) {
            Some(now)
        } else {
            self.expiry(time, logs, retention)
        };
        let trim_at = wanted.map(|wanted| self.trim_at.map_or(wanted, |it| wanted.max(it)));
        let trim_at = trim_at.filter(|_| self.chore.is_none());
        [trim_at, self.removal(time), self.sweep_at].into_iter().flatten().min()
    }

    fn next(&mut self, time: &Time, logs: &Logs, retention: Retention) -> Option<Chore> {
        if let Some(room) = self.ending.pop() {
            return Some(Chore::EndLog(room));
        }
        let now = time.now;
        let is_age_due = self.age_at.is_none_or(|age_at| age_at <= now);
        let utc_ms = time.trusted_ms().filter(|_| is_age_due);
        let expired_by = utc_ms
            .and_then(|utc_ms| retention.expired_by(utc_ms))
            .filter(|by| logs.oldest().is_some_and(|(first_ms, _)| first_ms <= *by));
        let is_due = self.trim_at.is_none_or(|trim_at| trim_at <= now);
        let is_urgent = 4 * TRIM_STEP <= logs.most_crowded().map_or(0, |(excess, _)| excess);
        if (is_too_much(logs, retention) || expired_by.is_some()) && (is_due || is_urgent) {
            self.step = Some(Step { expired_by, count: 0, n_rooms: 0 });
            if let Some(chore) = self.go_on(logs, retention) {
                return Some(chore);
            }
        }
        let until_ms = time.trusted_ms().and_then(|utc_ms| utc_ms.checked_sub(RESTORABLE_MS))?;
        let is_removed = self.removed_ms.is_some_and(|removed_ms| removed_ms <= until_ms);
        (is_removed && is_due).then_some(Chore::ForgetRemoved { until_ms })
    }

    /// Returns the next chore of the step, if there is one.
    fn go_on(&self, logs: &Logs, retention: Retention) -> Option<Chore> {
        let step = self.step.filter(|it| it.n_rooms < TRIM_ROOMS && it.count < TRIM_STEP)?;
        let excess = Excess::find(logs, retention, step.expired_by)?;
        Some(Chore::Trim { excess, count_max: TRIM_STEP - step.count })
    }

    /// Returns the exchange of the chore.
    pub(super) fn exchange(&self, logs: &Logs) -> Vec<Statement> {
        match self.chore {
            Some(Chore::Trim { excess, count_max }) => {
                let Excess { room, through, expired_by, begun_before, oldest_by } = excess;
                let ends = logs.ends(room);
                let end = (ends.first_seq + count_max).min(ends.last_seq + 1);
                let values = [
                    room.0.into(),
                    end.into(),
                    through.into(),
                    expired_by.into(),
                    begun_before.into(),
                    oldest_by.unwrap_or(u64::MAX).into(),
                ];
                let first = Statement::new(SELECT_FIRST, [room.0.into()]);
                vec![Statement::new(DELETE_TRIMMED, values), first]
            }
            Some(Chore::ForgetRemoved { until_ms }) => {
                let values = [until_ms.into(), FORGET_STEP.into()];
                vec![Statement::new(FORGET_REMOVED, values), Statement::new(SELECT_REMOVED, [])]
            }
            Some(Chore::EndLog(room)) => {
                [DELETE_LOG, HAS_LOG].map(|sql| Statement::new(sql, [room.0.into()])).into()
            }
            None => Vec::new(),
        }
    }

    /// The chore is done: returns the room of which records were forgotten, if there is one.
    pub(super) fn done(
        &mut self,
        now: Instant,
        answers: &Answers,
        logs: &mut Logs,
        retention: Retention,
    ) -> Result<Option<RoomId>, StorageError> {
        let Some(chore) = self.chore.take() else { return Ok(None) };
        let first = |index: usize| answers.get(index).and_then(|rows| rows.first());
        match chore {
            Chore::Trim { excess: Excess { room, .. }, .. } => {
                let mut ends = logs.ends(room);
                let before = ends.first_seq;
                (ends.first_seq, ends.first_ms, ends.first_bytes) = match first(1) {
                    Some(row) => (row.get(0)?, Some(row.get(1)?), row.get(2)?),
                    None => (ends.last_seq + 1, None, ends.last_bytes),
                };
                logs.put(room, Some(ends));
                self.trimmed(now, ends.first_seq.saturating_sub(before), logs, retention);
                Ok(Some(room))
            }
            Chore::ForgetRemoved { .. } => {
                self.removed_ms = first(1).map(|row| row.get(0)).transpose()?.flatten();
                self.sweep_at.get_or_insert(now + SWEEP_PAUSE);
                Ok(None)
            }
            Chore::EndLog(room) => {
                // Another server may have been faster.
                if first(1).is_none() {
                    logs.remove(room);
                } else {
                    self.over.put_off(now, room);
                }
                Ok(None)
            }
        }
    }

    /// Takes in that so many records were forgotten, and goes on with the step or ends it.
    fn trimmed(&mut self, now: Instant, count: u64, logs: &Logs, retention: Retention) {
        self.n_forgotten += count;
        if let Some(step) = &mut self.step {
            (step.count, step.n_rooms) = (step.count + count, step.n_rooms + 1);
        }
        self.chore = self.go_on(logs, retention).filter(|_| 0 < count);
        if self.chore.is_some() {
            return;
        }
        let Some(step) = self.step.take() else { return };
        let is_whole = step.count == TRIM_STEP || step.n_rooms == TRIM_ROOMS;
        if is_whole && step.expired_by.is_some() {
            self.age_at = Some(now + age_pause(logs, step.count));
        }
        let is_more = is_whole && is_too_much(logs, retention);
        self.trim_at = Some(now + if is_more { TRIM_PAUSE } else { TRIM_REST });
    }

    /// The chore failed, or the session is lost: it is planned anew.
    pub(super) fn failed(&mut self, now: Instant) {
        (self.chore, self.step, self.trim_at) = (None, None, Some(now + TRIM_REST));
    }

    /// Returns when words can be forgotten that operators removed, if there are any.
    fn removal(&self, time: &Time) -> Option<Instant> {
        let expiry_ms = self.removed_ms?.saturating_add(RESTORABLE_MS);
        let left = Duration::from_millis(expiry_ms.saturating_sub(time.utc_ms));
        let removal = time.now.checked_add(left)?.max(time.trusted_at);
        let removal = self.trim_at.map_or(removal, |trim_at| removal.max(trim_at));
        self.chore.is_none().then_some(removal)
    }

    /// Returns when the oldest record of all is too old and may be forgotten for it, if it ever is.
    fn expiry(&self, time: &Time, logs: &Logs, retention: Retention) -> Option<Instant> {
        let (first_ms, _) = logs.oldest()?;
        let left_ms = retention.expiry_ms(first_ms)?.saturating_sub(time.utc_ms);
        let expiry = time.now.checked_add(Duration::from_millis(left_ms))?.max(time.trusted_at);
        Some(self.age_at.map_or(expiry, |age_at| expiry.max(age_at)))
    }
}

fn is_too_much(logs: &Logs, retention: Retention) -> bool {
    logs.most_crowded().is_some() || retention.bytes_max < logs.bytes()
}
