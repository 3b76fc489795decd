//! A log that lives as long as the process. Its epoch is new with each, so nobody takes its
//! numbers for those of another.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{AUDIT_ENTRIES_MAX, Answer, MESSAGE_BYTES, Read, Retention, Store, page::run_start};
use crate::core::{
    id::{HALL, RoomId, Ticket},
    moderation::{AuditEntry, Rulebook},
    record::{
        Appended, Draft, Entry, Invite, Person, PersonId, ReadMark, Record, Request, Room,
        StorageError, Stored,
    },
    time::Time,
};

/// The most messages that are kept in memory, however many are asked for.
pub const RECORDS_MAX: usize = 10_000;

/// The most text that is kept in memory, in bytes of content.
pub const CONTENT_BYTES_MAX: usize = 16 << 20;

/// The newest messages of the room, in memory.
#[derive(Debug)]
pub struct Memory {
    epoch: String,
    retention: Retention,
    records: VecDeque<Record>,
    /// The number of each text that has an id, by its owner and that id.
    known: HashMap<(PersonId, Arc<str>), u64>,
    content_bytes: usize,
    last: Last,
    /// The number of messages forgotten and not reported yet.
    forgotten: u64,
    next_deadline: Option<Instant>,
    answers: Vec<Answer>,
    audit: VecDeque<AuditEntry>,
}

/// The newest message, kept or not: its number and its time.
#[derive(Debug, Default)]
struct Last {
    seq: u64,
    time_ms: u64,
}

impl Memory {
    /// Returns an empty log with the name `epoch`, which should be random.
    pub fn new(epoch: u128, retention: Retention) -> Self {
        Self {
            epoch: format!("{epoch:032x}"),
            retention,
            records: VecDeque::new(),
            known: HashMap::new(),
            content_bytes: 0,
            last: Last::default(),
            forgotten: 0,
            next_deadline: None,
            answers: Vec::new(),
            audit: VecDeque::new(),
        }
    }

    fn take(&mut self, utc_ms: u64, draft: Draft) -> Appended {
        let Draft { author, person, kind, id } = draft;
        let key = person.zip(id.clone());
        if let Some(key) = &key
            && let Some(record) = self.known.get(key).and_then(|seq| self.find(*seq))
        {
            return if record.kind == kind {
                Appended::Known(record.clone())
            } else {
                Appended::Conflict { id: Arc::clone(&key.1) }
            };
        }
        self.last.seq += 1;
        self.last.time_ms = self.last.time_ms.max(utc_ms);
        self.content_bytes += kind.text().len();
        if let Some(key) = key {
            self.known.insert(key, self.last.seq);
        }
        let record = Record {
            room: HALL,
            seq: self.last.seq,
            time_ms: self.last.time_ms,
            author,
            person,
            kind,
            id,
        };
        self.records.push_back(record.clone());
        Appended::New(record)
    }

    /// Numbers are dense, so a message's place is its distance from the oldest.
    fn find(&self, seq: u64) -> Option<&Record> {
        let place = seq.checked_sub(self.first_seq(HALL))?;
        self.records.get(usize::try_from(place).ok()?)
    }

    fn trim(&mut self) {
        let messages_max = usize::try_from(self.retention.messages_max).unwrap_or(RECORDS_MAX);
        while messages_max.min(RECORDS_MAX) < self.records.len()
            || CONTENT_BYTES_MAX < self.content_bytes
            || self.retention.bytes_max < self.bytes()
        {
            self.forget_oldest();
        }
    }

    fn bytes(&self) -> u64 {
        self.content_bytes as u64 + MESSAGE_BYTES * self.records.len() as u64
    }

    fn forget_oldest(&mut self) {
        let Some(Record { person, kind, id, .. }) = self.records.pop_front() else { return };
        self.content_bytes -= kind.text().len();
        self.forgotten += 1;
        if let Some(key) = person.zip(id) {
            self.known.remove(&key);
        }
    }
}

impl Store for Memory {
    /// Memory always takes it all.
    fn submit(&mut self, _now: Instant, utc_ms: u64, batch: &mut Vec<(Ticket, Request)>) {
        for (ticket, request) in batch.drain(..) {
            let stored = match request {
                Request::Append { room: _, draft, change: _ } => {
                    Stored::Appended(self.take(utc_ms, draft))
                }
                Request::Moderate { changes: _, entry } => {
                    self.audit.push_back(entry);
                    self.audit.drain(..self.audit.len().saturating_sub(AUDIT_ENTRIES_MAX));
                    Stored::Changed
                }
                Request::Recall { person, id } => {
                    let seq = self.known.get(&(person, id));
                    Stored::Recalled(seq.and_then(|seq| self.find(*seq)).cloned())
                }
                // People, rules, marks and invites come and go with the process.
                Request::ChangePerson(_) | Request::Admit { .. } | Request::Mark(_) => {
                    Stored::Changed
                }
            };
            self.answers.push(Answer::Done { ticket, outcome: Ok(stored) });
        }
        self.trim();
    }

    fn poll(&mut self, _now: Instant, answers: &mut Vec<Answer>) {
        answers.append(&mut self.answers);
    }

    fn people(&mut self) -> Result<(Vec<Person>, PersonId), StorageError> {
        Ok((Vec::new(), PersonId(0)))
    }

    fn rulebook(&mut self) -> Result<Rulebook, StorageError> {
        Ok(Rulebook::default())
    }

    fn audit(&mut self, limit: usize) -> Result<Vec<AuditEntry>, StorageError> {
        let begin = self.audit.len().saturating_sub(limit);
        Ok(self.audit.range(begin..).cloned().collect())
    }

    fn rooms(&mut self) -> Result<Vec<Room>, StorageError> {
        Ok(Vec::new())
    }

    fn marks(&mut self) -> Result<Vec<ReadMark>, StorageError> {
        Ok(Vec::new())
    }

    fn invites(&mut self) -> Result<Vec<Invite>, StorageError> {
        Ok(Vec::new())
    }

    fn maintain(&mut self, time: &Time) {
        let retention = self.retention;
        let expiry = |record: &Record| retention.expiry_ms(record.time_ms);
        if let Some(utc_ms) = time.trusted_ms() {
            while self.records.front().and_then(expiry).is_some_and(|expiry| expiry <= utc_ms) {
                self.forget_oldest();
            }
        }
        self.next_deadline = self.records.front().and_then(expiry).and_then(|next| {
            let left = Duration::from_millis(next.saturating_sub(time.utc_ms));
            Some(time.now.checked_add(left)?.max(time.trusted_at))
        });
    }

    fn take_forgotten(&mut self) -> u64 {
        mem::take(&mut self.forgotten)
    }

    fn set_retention(&mut self, retention: Retention) {
        self.retention = retention;
        self.trim();
    }

    fn epoch(&self) -> &str {
        &self.epoch
    }

    fn first_seq(&self, _room: RoomId) -> u64 {
        self.records.front().map_or(self.last.seq + 1, |oldest| oldest.seq)
    }

    fn last_seq(&self, _room: RoomId) -> u64 {
        self.last.seq
    }

    fn read(
        &mut self,
        _room: RoomId,
        after: u64,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<Read, StorageError> {
        let begin = self.records.partition_point(|record| record.seq <= after);
        // Breaking off is the reader's choice, and no failure.
        let _ = self.records.range(begin..).try_for_each(|record| each(record.entry()));
        Ok(Read::Done)
    }

    fn page_start(
        &mut self,
        _room: RoomId,
        before: u64,
        limit: u64,
        bytes_max: usize,
    ) -> Result<Option<u64>, StorageError> {
        let end = self.records.partition_point(|record| record.seq < before);
        let size = |record: &Record| Ok((record.seq, record.kind.text().len()));
        let newest = self.records.range(..end).rev().map(size);
        run_start(before, bytes_max, newest.take(usize::try_from(limit).unwrap_or(usize::MAX)))
            .map(Some)
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.next_deadline
    }
}

#[cfg(test)]
mod tests {
    use pychat_wire::UserName;

    use super::*;
    use crate::core::record::Kind;

    fn log(retention: Retention) -> Memory {
        Memory::new(0x1f, retention)
    }

    fn draft(content: &str, id: Option<&str>) -> Draft {
        let author = UserName::new("Анна").unwrap();
        let person = Some(PersonId(1));
        Draft { author, person, kind: Kind::Text(content.into()), id: id.map(Into::into) }
    }

    fn say(log: &mut Memory, utc_ms: u64, drafts: Vec<Draft>) -> Vec<Appended> {
        let requests =
            drafts.into_iter().map(|draft| Request::Append { room: HALL, draft, change: None });
        let mut batch = (1..).map(Ticket).zip(requests).collect();
        let (now, mut answers) = (Instant::now(), Vec::new());
        log.submit(now, utc_ms, &mut batch);
        log.poll(now, &mut answers);
        let outcome = |(number, answer)| match answer {
            Answer::Done { ticket, outcome: Ok(Stored::Appended(appended)) } => {
                assert_eq!(ticket, Ticket(number));
                appended
            }
            other => panic!("{other:?}"),
        };
        (1..).zip(answers).map(outcome).collect()
    }

    fn seqs(log: &mut Memory, after: u64) -> Vec<u64> {
        let mut seqs = Vec::new();
        log.read(HALL, after, &mut |entry| {
            seqs.push(entry.seq);
            ControlFlow::Continue(())
        })
        .unwrap();
        seqs
    }

    #[test]
    fn messages_are_numbered_from_one_without_a_gap() {
        let mut log = log(Retention::default());
        assert_eq!((log.first_seq(HALL), log.last_seq(HALL)), (1, 0));
        assert_eq!(log.epoch(), "0000000000000000000000000000001f");
        let mut told = Vec::new();
        for drafts in [vec![draft("a", None), draft("b", None)], vec![], vec![draft("c", None)]] {
            told.extend(say(&mut log, 5, drafts));
        }
        let told: Vec<_> = told
            .iter()
            .map(|appended| match appended {
                Appended::New(record) => (record.seq, record.kind.as_deref()),
                other => panic!("nothing was said twice: {other:?}"),
            })
            .collect();
        assert_eq!(told, [(1, "a"), (2, "b"), (3, "c")].map(|(seq, text)| (seq, Kind::Text(text))));
        assert_eq!((seqs(&mut log, 1), seqs(&mut log, 3)), (vec![2, 3], vec![]));
        assert_eq!((log.first_seq(HALL), log.last_seq(HALL)), (1, 3));
    }

    #[test]
    fn reading_ends_where_the_reader_has_seen_enough() {
        let mut log = log(Retention::default());
        say(&mut log, 5, vec![draft("a", None), draft("b", Some("7")), draft("c", None)]);
        let mut read = Vec::new();
        log.read(HALL, 1, &mut |entry| {
            read.push((
                entry.seq,
                entry.time_ms,
                entry.author.to_owned(),
                entry.kind.text().to_owned(),
            ));
            assert_eq!(entry.id, Some("7"));
            ControlFlow::Break(())
        })
        .unwrap();
        assert_eq!(read, [(2, 5, "Анна".to_owned(), "b".to_owned())]);
    }

    #[test]
    fn what_was_said_under_an_id_is_said_once() {
        let mut log = log(Retention { messages_max: 2, ..Retention::default() });
        let told = say(&mut log, 5, vec![draft("a", Some("1")), draft("a", Some("1"))]);
        let [Appended::New(first), Appended::Known(again)] = &told[..] else { panic!("{told:?}") };
        assert_eq!(
            (again, again.kind.as_deref()),
            (first, Kind::Text("a")),
            "as it was said first"
        );
        let conflict = Appended::Conflict { id: "1".into() };
        assert_eq!(say(&mut log, 6, vec![draft("other", Some("1"))]), [conflict]);
        let boris = Draft { person: Some(PersonId(2)), ..draft("b", Some("1")) };
        assert!(
            matches!(&say(&mut log, 6, vec![boris])[..], [Appended::New(_)]),
            "to each their own"
        );
        assert_eq!(say(&mut log, 7, vec![draft("a", Some("1"))]), [Appended::Known(first.clone())]);
        say(&mut log, 8, vec![draft("c", None)]);
        let told = say(&mut log, 9, vec![draft("a", Some("1"))]);
        assert!(
            matches!(&told[..], [Appended::New(_)]),
            "what is forgotten is not known: {told:?}"
        );
    }

    #[test]
    fn time_never_goes_back() {
        let mut log = log(Retention::default());
        let times = [5, 9, 3, 10].map(|utc_ms| {
            let told = say(&mut log, utc_ms, vec![draft("x", None)]);
            let [Appended::New(record)] = &told[..] else { panic!("{told:?}") };
            record.time_ms
        });
        assert_eq!(times, [5, 9, 9, 10]);
    }

    #[test]
    fn the_oldest_are_forgotten_beyond_the_limits() {
        let mut log = log(Retention { messages_max: u64::MAX, ..Retention::default() });
        say(&mut log, 5, (0..=RECORDS_MAX).map(|_| draft("x", None)).collect());
        assert_eq!((seqs(&mut log, 0).len(), log.first_seq(HALL)), (RECORDS_MAX, 2));
        let half = "x".repeat(CONTENT_BYTES_MAX / 2);
        say(&mut log, 5, vec![draft(&half, None), draft(&half, None)]);
        assert_eq!(seqs(&mut log, 0), [10_002, 10_003]);
        let whole = format!("{half}{half}x");
        say(&mut log, 5, vec![draft(&whole, None)]);
        assert_eq!((log.first_seq(HALL), log.last_seq(HALL)), (10_005, 10_004), "nothing is kept");
        say(&mut log, 5, vec![draft("x", None), draft("x", None)]);
        log.set_retention(Retention { messages_max: 1, ..Retention::default() });
        assert_eq!(seqs(&mut log, 0), [10_006]);
    }

    #[test]
    fn what_is_too_old_is_forgotten_though_nobody_speaks() {
        let mut log =
            log(Retention { age_max: Duration::from_millis(100), ..Retention::default() });
        let now = Instant::now();
        let time = |utc_ms| Time { now, utc_ms, trusted_at: now };
        log.maintain(&time(1_000));
        assert_eq!(log.next_deadline(), None, "there is nothing to forget");
        say(&mut log, 1_000, vec![draft("a", None)]);
        say(&mut log, 1_030, vec![draft("b", None)]);
        log.maintain(&time(1_040));
        assert_eq!(log.next_deadline(), Some(now + Duration::from_millis(60)));
        let trusted_at = now + Duration::from_secs(9);
        log.maintain(&Time { trusted_at, ..time(9_000) });
        assert_eq!((log.first_seq(HALL), log.next_deadline()), (1, Some(trusted_at)), "who knows");
        log.maintain(&time(1_100));
        assert_eq!((seqs(&mut log, 0), log.take_forgotten()), (vec![2], 1));
        assert_eq!(log.next_deadline(), Some(now + Duration::from_millis(30)));
        log.maintain(&time(1_130));
        assert_eq!((log.first_seq(HALL), log.last_seq(HALL), log.next_deadline()), (3, 2, None));
        assert_eq!((log.take_forgotten(), log.take_forgotten()), (1, 0));
    }

    #[test]
    fn bytes_are_counted_with_what_each_message_takes() {
        let mut log =
            log(Retention { bytes_max: 3 * (MESSAGE_BYTES + 10), ..Retention::default() });
        say(&mut log, 5, vec![draft("0123456789", None); 5]);
        assert_eq!(seqs(&mut log, 0), [3, 4, 5]);
    }
}
