//! Forgetting what is more, larger or older than is to be kept, a little at a time.

use std::time::{Duration, Instant};

use rusqlite::params;

use super::{
    SqliteStore,
    rows::{self, Ends, integer, transaction},
};
use crate::core::{record::StorageError, time::Time};

/// The most messages forgotten in one transaction.
pub const TRIM_STEP: u64 = 256;

/// The pause between two such steps while there is enough to forget for the next.
const TRIM_PAUSE: Duration = Duration::from_millis(20);

/// The pause while there is less, or while the log cannot forget.
const TRIM_REST: Duration = Duration::from_secs(1);

/// The pause after a whole step of messages that were too old: should the clock be wrong for longer
/// than anybody thought, little is lost until somebody sees it. In a log of more messages than
/// [`AGED_SHARE`] the pause is so many times shorter.
const AGE_PAUSE: Duration = Duration::from_mins(1);
const AGED_SHARE: u64 = 1 << 18;

impl SqliteStore {
    /// Forgets a few messages that are too many or too old; returns when there is more to do.
    pub(super) fn trim_due(&mut self, time: &Time) -> Option<Instant> {
        let now = time.now;
        let is_age_due = self.forgetting.age_at.is_none_or(|age_at| age_at <= now);
        let utc_ms = time.trusted_ms().filter(|utc_ms| is_age_due && self.is_expired(*utc_ms));
        let is_due = self.forgetting.trim_at.is_none_or(|trim_at| trim_at <= now);
        let is_urgent = 4 * TRIM_STEP <= self.excess();
        if (self.is_too_much() || utc_ms.is_some()) && (is_due || is_urgent) {
            let trimmed = self.trim(utc_ms);
            if utc_ms.is_some() && trimmed == Ok(TRIM_STEP) {
                let share = (self.len() / AGED_SHARE).clamp(1, 1_000);
                self.forgetting.age_at = Some(now + AGE_PAUSE / u32::try_from(share).unwrap_or(1));
            }
            let is_more = trimmed == Ok(TRIM_STEP) && self.is_too_much();
            self.forgetting.trim_at = Some(now + if is_more { TRIM_PAUSE } else { TRIM_REST });
        }
        let wanted = if self.is_too_much() { Some(now) } else { self.expiry(time) };
        wanted.map(|wanted| self.forgetting.trim_at.map_or(wanted, |trim_at| wanted.max(trim_at)))
    }

    /// Forgets at most [`TRIM_STEP`] messages, and those that are too old only if it is `utc_ms`;
    /// returns their number.
    fn trim(&mut self, utc_ms: Option<u64>) -> Result<u64, StorageError> {
        let Ends { first_seq, last_seq, last_bytes, .. } = self.ends;
        let end = (first_seq + TRIM_STEP).min(last_seq + 1);
        let too_many = last_seq.saturating_sub(self.retention.messages_max);
        let said_by = utc_ms.and_then(|utc_ms| self.retention.expired_by(utc_ms)).map(integer);
        let begun_before = integer(last_bytes.saturating_sub(self.retention.bytes_max));
        let ends = transaction(&self.connection, |connection| {
            let other: Option<u64> = connection
                .prepare_cached(rows::SELECT_TRIMMABLE)?
                .query_row(params![integer(end), said_by, begun_before], |row| row.get(0))?;
            let through = too_many.max(other.unwrap_or(0)).min(end - 1);
            for statement in [rows::UPDATE_TRIMMED, "DELETE FROM messages WHERE seq <= ?1"] {
                connection.prepare_cached(statement)?.execute([integer(through)])?;
            }
            rows::read_first(connection, self.ends)
        })?;
        self.ends = ends;
        let count = ends.first_seq - first_seq;
        self.forgetting.n_forgotten += count;
        Ok(count)
    }

    /// Returns the number of messages that are kept.
    fn len(&self) -> u64 {
        self.ends.last_seq + 1 - self.ends.first_seq
    }

    /// Returns the number of messages kept beyond the limit.
    fn excess(&self) -> u64 {
        self.len().saturating_sub(self.retention.messages_max)
    }

    fn is_too_much(&self) -> bool {
        let bytes = self.ends.last_bytes - self.ends.first_bytes;
        0 < self.excess() || self.retention.bytes_max < bytes
    }

    fn is_expired(&self, utc_ms: u64) -> bool {
        let said_by = self.retention.expired_by(utc_ms);
        self.ends.first_ms.zip(said_by).is_some_and(|(first_ms, said_by)| first_ms <= said_by)
    }

    /// Returns when the oldest message is too old and may be forgotten for it, if it ever is.
    fn expiry(&self, time: &Time) -> Option<Instant> {
        let left_ms = self.retention.expiry_ms(self.ends.first_ms?)?.saturating_sub(time.utc_ms);
        let expiry = time.now.checked_add(Duration::from_millis(left_ms))?.max(time.trusted_at);
        Some(self.forgetting.age_at.map_or(expiry, |age_at| expiry.max(age_at)))
    }
}
