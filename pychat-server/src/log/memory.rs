//! A log that lives as long as the process. Its epoch is new with each, so nobody takes its
//! numbers for those of another.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    convert::Infallible,
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, Instant},
};

use pychat_wire::UserName;

use super::{Appended, Draft, Entry, Keep, Record, TOKENS_MAX, TokenHash, run_start};
use crate::id::ConnectionId;

/// The most messages that are kept in memory, however many are asked for.
pub const RECORDS_MAX: usize = 10_000;

/// The most text that is kept in memory, in bytes of content.
pub const CONTENT_BYTES_MAX: usize = 16 << 20;

/// The newest messages of the room, in memory.
#[derive(Debug)]
pub struct Memory {
    epoch: String,
    keep: Keep,
    records: VecDeque<Record>,
    /// Where each text is that has an id of its author's.
    known: HashMap<(UserName, Arc<str>), u64>,
    content_bytes: usize,
    last_seq: u64,
    last_ms: u64,
    tokens: Tokens,
    next_deadline: Option<Instant>,
}

impl Memory {
    /// Returns an empty log with the name `epoch`, which should be random.
    pub fn new(epoch: u128, keep: Keep) -> Self {
        Self {
            epoch: format!("{epoch:032x}"),
            keep,
            records: VecDeque::new(),
            known: HashMap::new(),
            content_bytes: 0,
            last_seq: 0,
            last_ms: 0,
            tokens: Tokens::default(),
            next_deadline: None,
        }
    }

    /// See [`Log::append`](super::Log::append); memory always takes it all.
    pub fn append(
        &mut self,
        utc_ms: u64,
        drafts: impl IntoIterator<Item = Draft>,
        tokens: impl IntoIterator<Item = (UserName, TokenHash)>,
        mut appended: impl FnMut(ConnectionId, Appended),
    ) {
        for draft in drafts {
            let from = draft.from;
            appended(from, self.take(utc_ms, draft));
        }
        for (name, hash) in tokens {
            self.tokens.note(name.as_str(), hash);
        }
        self.trim();
    }

    /// See [`Log::tend`](super::Log::tend).
    pub fn tend(&mut self, now: Instant, utc_ms: u64) {
        let keep = self.keep;
        let expiry = |record: &Record| keep.expiry_ms(record.time_ms);
        while self.records.front().and_then(expiry).is_some_and(|expiry| expiry <= utc_ms) {
            self.forget_oldest();
        }
        let next = self.records.front().and_then(expiry);
        self.next_deadline =
            next.and_then(|next| now.checked_add(Duration::from_millis(next - utc_ms)));
    }

    /// See [`Log::set_keep`](super::Log::set_keep).
    pub fn set_keep(&mut self, keep: Keep) {
        self.keep = keep;
        self.trim();
    }

    /// See [`Log::epoch`](super::Log::epoch).
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// See [`Log::first_seq`](super::Log::first_seq).
    pub fn first_seq(&self) -> u64 {
        self.records.front().map_or(self.last_seq + 1, |oldest| oldest.seq)
    }

    /// See [`Log::last_seq`](super::Log::last_seq).
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// See [`Log::read`](super::Log::read).
    pub fn read(&self, after: u64, mut each: impl FnMut(Entry<'_>) -> ControlFlow<()>) {
        let begin = self.records.partition_point(|record| record.seq <= after);
        // Who has seen enough says so by breaking off, which is no news here.
        let _ = self.records.range(begin..).try_for_each(|record| each(record.entry()));
    }

    /// See [`Log::page_start`](super::Log::page_start).
    pub fn page_start(&self, before: u64, limit: u64, bytes_max: usize) -> u64 {
        let end = self.records.partition_point(|record| record.seq < before);
        let newest =
            self.records.range(..end).rev().map(|record| Ok((record.seq, record.content.len())));
        let newest = newest.take(usize::try_from(limit).unwrap_or(usize::MAX));
        run_start(before, bytes_max, newest).unwrap_or_else(|error: Infallible| match error {})
    }

    /// See [`Log::tokens`](super::Log::tokens).
    pub fn tokens(&self) -> Vec<(String, TokenHash)> {
        self.tokens.list()
    }

    /// See [`Log::next_deadline`](super::Log::next_deadline).
    pub fn next_deadline(&self) -> Option<Instant> {
        self.next_deadline
    }

    fn take(&mut self, utc_ms: u64, draft: Draft) -> Appended {
        let Draft { from: _, author, content, id, place: _ } = draft;
        let key = id.clone().map(|id| (author.clone(), id));
        if let Some(seq) = key.as_ref().and_then(|key| self.known.get(key))
            && let Some(record) = self.find(*seq)
        {
            return Appended::Known(record.clone());
        }
        self.last_seq += 1;
        self.last_ms = self.last_ms.max(utc_ms);
        self.content_bytes += content.len();
        if let Some(key) = key {
            self.known.insert(key, self.last_seq);
        }
        let record = Record { seq: self.last_seq, time_ms: self.last_ms, author, content, id };
        self.records.push_back(record.clone());
        Appended::New(record)
    }

    /// Numbers are dense, so a message's place is its distance from the oldest.
    fn find(&self, seq: u64) -> Option<&Record> {
        let place = seq.checked_sub(self.first_seq())?;
        self.records.get(usize::try_from(place).ok()?)
    }

    fn trim(&mut self) {
        let messages_max = usize::try_from(self.keep.messages_max).unwrap_or(RECORDS_MAX);
        while messages_max.min(RECORDS_MAX) < self.records.len()
            || CONTENT_BYTES_MAX < self.content_bytes
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(Record { author, content, id, .. }) = self.records.pop_front() else { return };
        self.content_bytes -= content.len();
        if let Some(id) = id {
            self.known.remove(&(author, id));
        }
    }
}

/// Every name's token, in the order of their last use.
#[derive(Debug, Default)]
struct Tokens {
    by_name: HashMap<String, (TokenHash, u64)>,
    by_use: BTreeMap<u64, String>,
    n_uses: u64,
}

impl Tokens {
    fn note(&mut self, name: &str, hash: TokenHash) {
        self.n_uses += 1;
        if let Some((_, before)) = self.by_name.insert(name.to_owned(), (hash, self.n_uses)) {
            self.by_use.remove(&before);
        }
        self.by_use.insert(self.n_uses, name.to_owned());
        if TOKENS_MAX < self.by_use.len()
            && let Some((_, name)) = self.by_use.pop_first()
        {
            self.by_name.remove(&name);
        }
    }

    fn list(&self) -> Vec<(String, TokenHash)> {
        let hash = |name: &String| self.by_name.get(name).map(|(hash, _)| (name.clone(), *hash));
        self.by_use.values().filter_map(hash).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Log;

    fn log(keep: Keep) -> Log {
        Log::Memory(Memory::new(0x1f, keep))
    }

    fn draft(content: &str, id: Option<&str>) -> Draft {
        let author = UserName::new("Анна").unwrap();
        let from = ConnectionId { slot: 3, generation: 4 };
        Draft { from, author, content: content.into(), id: id.map(Into::into), place: None }
    }

    fn say(log: &mut Log, utc_ms: u64, drafts: Vec<Draft>) -> Vec<Appended> {
        let mut told = Vec::new();
        log.append(utc_ms, drafts, [], |from, appended| {
            assert_eq!((from.slot, from.generation), (3, 4));
            told.push(appended);
        })
        .unwrap();
        told
    }

    fn seqs(log: &mut Log, after: u64) -> Vec<u64> {
        let mut seqs = Vec::new();
        log.read(after, |entry| {
            seqs.push(entry.seq);
            ControlFlow::Continue(())
        })
        .unwrap();
        seqs
    }

    #[test]
    fn messages_are_numbered_from_one_without_a_gap() {
        let mut log = log(Keep::default());
        assert_eq!((log.first_seq(), log.last_seq()), (1, 0));
        assert_eq!(log.epoch(), "0000000000000000000000000000001f");
        let mut told = Vec::new();
        for drafts in [vec![draft("a", None), draft("b", None)], vec![], vec![draft("c", None)]] {
            told.extend(say(&mut log, 5, drafts));
        }
        let told: Vec<_> = told
            .iter()
            .map(|appended| match appended {
                Appended::New(record) => (record.seq, &*record.content),
                Appended::Known(_) => panic!("nothing was said twice"),
            })
            .collect();
        assert_eq!(told, [(1, "a"), (2, "b"), (3, "c")]);
        assert_eq!((seqs(&mut log, 1), seqs(&mut log, 3)), (vec![2, 3], vec![]));
        assert_eq!((log.first_seq(), log.last_seq()), (1, 3));
    }

    #[test]
    fn reading_ends_where_the_reader_has_seen_enough() {
        let mut log = log(Keep::default());
        say(&mut log, 5, vec![draft("a", None), draft("b", Some("7")), draft("c", None)]);
        let mut read = Vec::new();
        log.read(1, |entry| {
            read.push((
                entry.seq,
                entry.time_ms,
                entry.author.to_owned(),
                entry.content.to_owned(),
            ));
            assert_eq!(entry.id, Some("7"));
            ControlFlow::Break(())
        })
        .unwrap();
        assert_eq!(read, [(2, 5, "Анна".to_owned(), "b".to_owned())]);
    }

    #[test]
    fn what_was_said_under_an_id_is_said_once() {
        let mut log = log(Keep { messages_max: 2, ..Keep::default() });
        let told = say(&mut log, 5, vec![draft("a", Some("1")), draft("other", Some("1"))]);
        let [Appended::New(first), Appended::Known(again)] = &told[..] else { panic!("{told:?}") };
        assert_eq!((again, &*again.content), (first, "a"), "as it was said first");
        let boris = Draft { author: UserName::new("Борис").unwrap(), ..draft("b", Some("1")) };
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
        let mut log = log(Keep::default());
        let times = [5, 9, 3, 10].map(|utc_ms| {
            let told = say(&mut log, utc_ms, vec![draft("x", None)]);
            let [Appended::New(record)] = &told[..] else { panic!("{told:?}") };
            record.time_ms
        });
        assert_eq!(times, [5, 9, 9, 10]);
    }

    #[test]
    fn the_oldest_are_forgotten_beyond_the_limits() {
        let mut log = log(Keep { messages_max: u64::MAX, ..Keep::default() });
        say(&mut log, 5, (0..=RECORDS_MAX).map(|_| draft("x", None)).collect());
        assert_eq!((seqs(&mut log, 0).len(), log.first_seq()), (RECORDS_MAX, 2));
        let half = "x".repeat(CONTENT_BYTES_MAX / 2);
        say(&mut log, 5, vec![draft(&half, None), draft(&half, None)]);
        assert_eq!(seqs(&mut log, 0), [10_002, 10_003]);
        let whole = format!("{half}{half}x");
        say(&mut log, 5, vec![draft(&whole, None)]);
        assert_eq!((log.first_seq(), log.last_seq()), (10_005, 10_004), "nothing is kept");
        say(&mut log, 5, vec![draft("x", None), draft("x", None)]);
        log.set_keep(Keep { messages_max: 1, ..Keep::default() });
        assert_eq!(seqs(&mut log, 0), [10_006]);
    }

    #[test]
    fn what_is_too_old_is_forgotten_though_nobody_speaks() {
        let mut log = log(Keep { age_max: Duration::from_millis(100), ..Keep::default() });
        let now = Instant::now();
        log.tend(now, 1_000);
        assert_eq!(log.next_deadline(), None, "there is nothing to forget");
        say(&mut log, 1_000, vec![draft("a", None)]);
        say(&mut log, 1_030, vec![draft("b", None)]);
        log.tend(now, 1_040);
        assert_eq!(log.next_deadline(), Some(now + Duration::from_millis(60)));
        log.tend(now, 1_100);
        assert_eq!(seqs(&mut log, 0), [2]);
        assert_eq!(log.next_deadline(), Some(now + Duration::from_millis(30)));
        log.tend(now, 1_130);
        assert_eq!((log.first_seq(), log.last_seq(), log.next_deadline()), (3, 2, None));
    }

    #[test]
    fn the_tokens_used_last_are_kept() {
        let mut log = log(Keep::default());
        let token = |number: usize| {
            let name = UserName::new(&format!("n{number}")).unwrap();
            (name, TokenHash([u8::try_from(number % 256).unwrap(); 32]))
        };
        log.append(5, [], (0..TOKENS_MAX).map(token), |_, _| ()).unwrap();
        let changed = (UserName::new("n0").unwrap(), TokenHash([9; 32]));
        log.append(5, [], [changed, token(TOKENS_MAX)], |_, _| ()).unwrap();
        let tokens = log.tokens().unwrap();
        assert_eq!((tokens.len(), &*tokens[0].0), (TOKENS_MAX, "n2"), "the first was used again");
        let last = [("n0", TokenHash([9; 32])), ("n20000", token(TOKENS_MAX).1)];
        assert_eq!(tokens[TOKENS_MAX - 2..], last.map(|(name, hash)| (name.to_owned(), hash)));
    }
}
