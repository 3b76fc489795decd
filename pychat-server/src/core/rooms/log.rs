//! The end of a room's log, by which messages are counted that somebody has not seen.

use std::collections::VecDeque;

use super::UNREAD_MAX;
use crate::core::record::PersonId;

/// The most messages of a room of which it is known who said them.
const TAIL_MAX: usize = 200;

/// The end of a log.
#[derive(Debug, Default)]
pub(super) struct Log {
    last: u64,
    /// The numbers of the last messages, and who said them.
    tail: VecDeque<(u64, Option<PersonId>)>,
}

impl Log {
    /// Notes a record; returns the message that is none of the last ones any more, and who said it.
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
        self.tail.push_back((seq, person));
        if self.tail.len() <= TAIL_MAX {
            return None;
        }
        let (seq, person) = self.tail.pop_front()?;
        Some((seq, person?))
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Returns the number of messages of others than `person` after number `read`.
    pub(super) fn unread(&self, read: u64, person: PersonId) -> u64 {
        let begin = self.tail.partition_point(|(seq, _)| *seq <= read);
        let after = self.tail.range(begin..);
        let others = after.filter(|(_, author)| *author != Some(person)).count();
        UNREAD_MAX.min(others as u64)
    }
}
