//! Forgetting what is more, larger or older than is to be kept, a little at a time.

use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use super::{
    SqliteStore, amendments, index,
    logs::{Logs, key, seq_of},
    rows::{integer, transaction},
};
use crate::{
    core::{amending::RESTORABLE_MS, id::RoomId, record::StorageError, time::Time},
    store::Retention,
};

const SELECT_TRIMMABLE: &str = "SELECT max(key) FROM records WHERE ?1 <= key AND key < ?2 \
    AND (time_ms <= ?3 OR begin_bytes < ?4 AND time_ms <= ?5)";
const UPDATE_TRIMMED: &str = "UPDATE logs SET trimmed_seq = max(trimmed_seq, ?2), \
    trimmed_ms = coalesce((SELECT time_ms FROM records WHERE key = ?3), trimmed_ms) WHERE room = ?1";
const DELETE_TRIMMED: &str = "DELETE FROM records WHERE key BETWEEN ?1 AND ?2";

/// The most records forgotten in one transaction.
pub const TRIM_STEP: u64 = 256;

/// The most rooms from which some are forgotten in one transaction.
pub(in crate::store) const TRIM_ROOMS: u64 = 64;

/// The pause between two such steps while there is enough to forget for the next.
pub(in crate::store) const TRIM_PAUSE: Duration = Duration::from_millis(20);

/// The pause while there is less, or while the log cannot forget.
pub(in crate::store) const TRIM_REST: Duration = Duration::from_secs(1);

/// The pause after [`TRIM_STEP`] records that were too old: should the clock be wrong for longer than
/// anybody thought, little is lost until somebody sees it. If more than [`AGED_SHARE`] are kept, the
/// pause is so many times shorter.
const AGE_PAUSE: Duration = Duration::from_mins(1);
const AGED_SHARE: u64 = 1 << 18;

/// The outcome of one step.
#[derive(Clone, Copy, Debug)]
struct Trimmed {
    /// The number of records that were forgotten.
    count: u64,
    /// There may be more to forget.
    is_whole: bool,
}

/// Records at the beginning of one room's log that are to be forgotten.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Excess {
    pub(in crate::store) room: RoomId,
    /// The number through which they are too many.
    pub(in crate::store) through: u64,
    /// The time until which they are too old.
    pub(in crate::store) expired_by: Option<u64>,
    /// The bytes before which they take too much of the disk together with other rooms, and the
    /// time until which no other room has an older record.
    pub(in crate::store) begun_before: u64,
    pub(in crate::store) oldest_by: Option<u64>,
}

impl SqliteStore {
    /// Forgets a few records that are too many or too old; returns when there is more to do.
    pub(super) fn trim_due(&mut self, time: &Time) -> Option<Instant> {
        let now = time.now;
        self.end_logs(now);
        let is_age_due = self.forgetting.age_at.is_none_or(|age_at| age_at <= now);
        let utc_ms = time.trusted_ms().filter(|utc_ms| is_age_due && self.is_expired(*utc_ms));
        let is_due = self.forgetting.trim_at.is_none_or(|trim_at| trim_at <= now);
        let is_urgent = 4 * TRIM_STEP <= self.excess();
        if (self.is_too_much() || utc_ms.is_some()) && (is_due || is_urgent) {
            let trimmed = self.trim(utc_ms);
            let whole = trimmed.ok().filter(|trimmed| trimmed.is_whole);
            if let Some(whole) = whole.filter(|_| utc_ms.is_some()) {
                self.forgetting.age_at = Some(now + age_pause(&self.logs, whole.count));
            }
            let is_more = whole.is_some() && self.is_too_much();
            self.forgetting.trim_at = Some(now + if is_more { TRIM_PAUSE } else { TRIM_REST });
        }
        let wanted = if self.is_too_much() { Some(now) } else { self.expiry(time) };
        wanted.map(|wanted| self.forgetting.trim_at.map_or(wanted, |trim_at| wanted.max(trim_at)))
    }

    /// Forgets a few words that operators removed too long ago to bring them back, by a clock that can be
    /// trusted; returns when there are more.
    pub(super) fn forget_removed(&mut self, time: &Time) -> Option<Instant> {
        let expiry_ms = |removed_ms: u64| removed_ms.saturating_add(RESTORABLE_MS);
        let is_due = |removed_ms: &u64| {
            time.trusted_ms().is_some_and(|utc_ms| expiry_ms(*removed_ms) <= utc_ms)
        };
        if self.forgetting.removed_ms.as_ref().is_some_and(is_due) {
            let next = transaction(&self.connection, |connection| {
                amendments::forget_removed(connection, time.utc_ms)?;
                amendments::first_removed(connection)
            });
            match next {
                Ok(removed_ms) => {
                    self.forgetting.removed_ms = removed_ms;
                    self.checkpointer.erase(time.now);
                }
                Err(_) => return time.now.checked_add(TRIM_REST),
            }
        }
        let expiry_ms = expiry_ms(self.forgetting.removed_ms?);
        let left = Duration::from_millis(expiry_ms.saturating_sub(time.utc_ms));
        Some(time.now.checked_add(left)?.max(time.trusted_at))
    }

    /// Begins to forget the logs of rooms that have been over for long enough, and ends those of which
    /// nothing is left.
    fn end_logs(&mut self, now: Instant) {
        for room in self.forgetting.over.take_due(now) {
            if !matches!(self.logs.end(&self.connection, room), Ok(true)) {
                self.forgetting.over.put_off(now, room);
            }
        }
    }

    /// Forgets at most [`TRIM_STEP`] records of at most [`TRIM_ROOMS`] rooms, and those that are too
    /// old only if it is `utc_ms`.
    fn trim(&mut self, utc_ms: Option<u64>) -> Result<Trimmed, StorageError> {
        let expired_by = utc_ms.and_then(|utc_ms| self.retention.expired_by(utc_ms));
        let (logs, retention) = (&mut self.logs, self.retention);
        let trimmed = transaction(&self.connection, |connection| {
            let mut trimmed = Trimmed { count: 0, is_whole: false };
            for _ in 0..TRIM_ROOMS {
                let Some(excess) = Excess::find(logs, retention, expired_by) else {
                    return Ok(trimmed);
                };
                let count = forget(connection, logs, &excess, TRIM_STEP - trimmed.count)?;
                trimmed.count += count;
                if count == 0 {
                    return Ok(trimmed);
                }
                if trimmed.count == TRIM_STEP {
                    break;
                }
            }
            trimmed.is_whole = true;
            Ok(trimmed)
        });
        self.logs.settle(trimmed.is_ok());
        let trimmed = trimmed?;
        self.forgetting.n_forgotten += trimmed.count;
        self.index.note_forgotten();
        Ok(trimmed)
    }

    /// Returns the most records that a room keeps beyond the limit.
    fn excess(&self) -> u64 {
        self.logs.most_crowded().map_or(0, |(excess, _)| excess)
    }

    fn is_too_much(&self) -> bool {
        0 < self.excess() || self.retention.bytes_max < self.logs.bytes()
    }

    fn is_expired(&self, utc_ms: u64) -> bool {
        let oldest = self.logs.oldest().zip(self.retention.expired_by(utc_ms));
        oldest.is_some_and(|((first_ms, _), expired_by)| first_ms <= expired_by)
    }

    /// Returns when the oldest record of all is too old and may be forgotten for it, if it ever is.
    fn expiry(&self, time: &Time) -> Option<Instant> {
        let (first_ms, _) = self.logs.oldest()?;
        let left_ms = self.retention.expiry_ms(first_ms)?.saturating_sub(time.utc_ms);
        let expiry = time.now.checked_add(Duration::from_millis(left_ms))?.max(time.trusted_at);
        Some(self.forgetting.age_at.map_or(expiry, |age_at| expiry.max(age_at)))
    }
}

impl Excess {
    /// Returns records of the room that keeps too many, or of the one that has the oldest of all if
    /// that is too old or all rooms together take too much.
    pub(in crate::store) fn find(
        logs: &Logs,
        retention: Retention,
        expired_by: Option<u64>,
    ) -> Option<Self> {
        let oldest = logs.oldest();
        let bytes = logs.bytes().saturating_sub(retention.bytes_max);
        let is_due = |first_ms| 0 < bytes || expired_by.is_some_and(|by| first_ms <= by);
        let due = oldest.filter(|(first_ms, _)| is_due(*first_ms));
        let (_, room) = logs.most_crowded().or(due)?;
        let ends = logs.ends(room);
        let is_oldest = oldest.is_some_and(|(_, oldest)| oldest == room);
        let begun_before = if is_oldest { ends.first_bytes + bytes } else { 0 };
        let through = ends.last_seq.saturating_sub(logs.records_max_of(room));
        Some(Self { room, through, expired_by, begun_before, oldest_by: logs.second_oldest_ms() })
    }
}

/// Returns the pause after so many records that were too old.
pub(in crate::store) fn age_pause(logs: &Logs, count: u64) -> Duration {
    let share = (logs.len() / AGED_SHARE).clamp(1, 1_000);
    let parts = u32::try_from(TRIM_STEP * share).unwrap_or(u32::MAX);
    AGE_PAUSE * u32::try_from(count).unwrap_or(parts) / parts
}

/// Forgets records at the beginning of a log, at most `count_max`; returns their number.
fn forget(
    connection: &Connection,
    logs: &mut Logs,
    excess: &Excess,
    count_max: u64,
) -> rusqlite::Result<u64> {
    let Excess { room, through, expired_by, begun_before, oldest_by } = *excess;
    let ends = logs.ends(room);
    let end = (ends.first_seq + count_max).min(ends.last_seq + 1);
    let first_key = key(room, 0)?;
    let values = params![
        first_key,
        key(room, end)?,
        expired_by.map(integer),
        integer(begun_before),
        integer(oldest_by.unwrap_or(u64::MAX)),
    ];
    let other: Option<u64> =
        connection.prepare_cached(SELECT_TRIMMABLE)?.query_row(values, |row| row.get(0))?;
    let through = through.max(other.map_or(0, seq_of)).min(end - 1);
    let last_key = key(room, through)?;
    let values = params![room.0, integer(through), last_key];
    connection.prepare_cached(UPDATE_TRIMMED)?.execute(values)?;
    index::forget(connection, [first_key, last_key])?;
    connection.prepare_cached(DELETE_TRIMMED)?.execute([first_key, last_key])?;
    let trimmed = ends.with_first(connection, room)?;
    logs.set(room, trimmed);
    Ok(trimmed.first_seq.saturating_sub(ends.first_seq))
}
