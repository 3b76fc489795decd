//! The end of a room's log, by which messages are counted that somebody has not seen.

use std::collections::VecDeque;

use super::UNREAD_MAX;
use crate::core::record::PersonId;

/// The most messages of a room of which it is known who said them.
const TAIL_MAX: usize = 200;

/// The number of messages behind the last one at which a mark that was moved by a message is kept apart
/// from it: half of the end of the log, as the store may take many more before it takes the mark.
const KEPT_BEHIND: usize = TAIL_MAX / 2;

/// The end of a log.
#[derive(Debug, Default)]
pub(super) struct Log {
    last: u64,
    /// The last messages.
    tail: VecDeque<Said>,
    /// A message was said that may be kept.
    has_messages: bool,
}

/// A message, as far as it is counted.
#[derive(Clone, Copy, Debug)]
struct Said {
    seq: u64,
    person: Option<PersonId>,
    is_deleted: bool,
}

impl Log {
    /// Notes a record; returns the message that is about to be none of the last ones any more, and who said
    /// it.
    pub(super) fn note(
        &mut self,
        seq: u64,
        person: Option<PersonId>,
        is_message: bool,
    ) -> Option<(u64, PersonId)> {
        if seq <= self.last {
            return None;
        }
        self.last = seq;
        if !is_message {
            return None;
        }
        self.has_messages = true;
        self.tail.push_back(Said { seq, person, is_deleted: false });
        if TAIL_MAX < self.tail.len() {
            self.tail.pop_front();
        }
        let passed = self.tail.get(self.tail.len().checked_sub(KEPT_BEHIND + 1)?)?;
        Some((passed.seq, passed.person?))
    }

    /// Notes that a message has no words any more, or has them again.
    pub(super) fn note_deleted(&mut self, seq: u64, is_deleted: bool) {
        if let Ok(index) = self.tail.binary_search_by_key(&seq, |said| said.seq) {
            self.tail[index].is_deleted = is_deleted;
        }
    }

    /// Notes that there may be messages before the last ones.
    pub(super) fn note_older_messages(&mut self) {
        self.has_messages = true;
    }

    /// Returns true if there may be a message.
    pub(super) fn has_messages(&self) -> bool {
        self.has_messages
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Returns the number of messages of others than `person` after number `read` that have words.
    pub(super) fn unread(&self, read: u64, person: PersonId) -> u64 {
        let begin = self.tail.partition_point(|said| said.seq <= read);
        let after = self.tail.range(begin..);
        let is_new = |said: &&Said| !said.is_deleted && said.person != Some(person);
        let others = after.filter(is_new).count();
        UNREAD_MAX.min(others as u64)
    }
}
