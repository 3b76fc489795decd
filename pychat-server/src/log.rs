//! What was said in the room, in one order. The log is the room: a text exists once it is here.
//!
//! This one lives in memory and forgets the oldest beyond its limits; nothing of it outlives the
//! process.

use std::{collections::VecDeque, sync::Arc};

use pychat_wire::UserName;

use crate::id::ConnectionId;

/// The most messages that are kept.
pub const RECORDS_MAX: usize = 10_000;

/// The most text that is kept, in bytes of content.
pub const CONTENT_BYTES_MAX: usize = 16 << 20;

/// A text that waits to be taken into the log. Cheap to clone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Draft {
    /// The connection that it came by.
    pub from: ConnectionId,
    /// Who says it.
    pub author: UserName,
    /// What.
    pub content: Arc<str>,
}

/// One message as the log has it. Cheap to clone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// Its number in the room: dense, from 1.
    pub seq: u64,
    /// Who said it.
    pub author: UserName,
    /// What.
    pub content: Arc<str>,
}

/// The newest messages of the room.
#[derive(Debug, Default)]
pub struct Log {
    records: VecDeque<Record>,
    content_bytes: usize,
    last_seq: u64,
}

impl Log {
    /// Takes all of `drafts` into the log, in order; tells of each where it now stands.
    pub fn append(
        &mut self,
        drafts: impl IntoIterator<Item = Draft>,
        mut appended: impl FnMut(ConnectionId, Record),
    ) {
        for Draft { from, author, content } in drafts {
            self.last_seq += 1;
            self.content_bytes += content.len();
            let record = Record { seq: self.last_seq, author, content };
            self.records.push_back(record.clone());
            appended(from, record);
        }
        while (RECORDS_MAX < self.records.len() || CONTENT_BYTES_MAX < self.content_bytes)
            && let Some(forgotten) = self.records.pop_front()
        {
            self.content_bytes -= forgotten.content.len();
        }
    }

    /// Returns the messages after number `seq` that are still kept, oldest first.
    pub fn read_after(&self, seq: u64) -> impl Iterator<Item = &Record> {
        let begin = self.records.partition_point(|record| record.seq <= seq);
        self.records.range(begin..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(content: &str) -> Draft {
        let author = UserName::new("Анна").unwrap();
        let from = ConnectionId { slot: 3, generation: 4 };
        Draft { from, author, content: content.into() }
    }

    fn seqs(log: &Log, after: u64) -> Vec<u64> {
        log.read_after(after).map(|record| record.seq).collect()
    }

    #[test]
    fn messages_are_numbered_from_one_without_a_gap() {
        let mut log = Log::default();
        let mut told = Vec::new();
        for drafts in [vec![draft("a"), draft("b")], vec![], vec![draft("c")]] {
            log.append(drafts, |from, record| told.push((from.slot, record.seq)));
        }
        assert_eq!(told, [(3, 1), (3, 2), (3, 3)]);
        assert_eq!(log.read_after(1).map(|record| &*record.content).collect::<String>(), "bc");
        assert_eq!((seqs(&log, 0), seqs(&log, 3)), (vec![1, 2, 3], vec![]));
    }

    #[test]
    fn the_oldest_are_forgotten_beyond_the_limits() {
        let mut log = Log::default();
        log.append((0..=RECORDS_MAX).map(|_| draft("x")), |_, _| ());
        assert_eq!((seqs(&log, 0).len(), seqs(&log, 0)[0]), (RECORDS_MAX, 2));
        let half = "x".repeat(CONTENT_BYTES_MAX / 2);
        log.append([draft(&half), draft(&half)], |_, _| ());
        assert_eq!(seqs(&log, 0), [10_002, 10_003]);
        assert_eq!(log.content_bytes, CONTENT_BYTES_MAX);
    }
}
