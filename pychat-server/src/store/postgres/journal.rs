//! The journal: what all servers had carried out, in one order. Each entry is that of one batch and has the
//! next number; the row with the largest of them is locked by whoever adds one, from the first exchange of
//! the batch to its commit.
//!
//! Here is how far this server has applied it, and what others changed that requests on their way knew
//! nothing of.

use std::{
    collections::{BTreeSet, VecDeque},
    mem,
};

use super::{
    encoding,
    link::{Answers, damage},
    picture::End,
    records::held_columns,
    row::Row,
    sharing::{Sharing, check},
    statement::{Owned, Statement},
};
use crate::core::{
    elsewhere::{Elsewhere, Keys, ServerId},
    id::RoomId,
    record::{Request, StorageError},
};

/// The channel on which the numbers of entries are told.
pub(super) const CHANNEL: &str = "pychat_journal";

/// Takes the lock under which entries are added, and returns the number of the last one.
pub(super) const LOCK_END: &str = "SELECT number FROM journal_end FOR UPDATE";
const SELECT_END: &str = "SELECT number FROM journal_end";
/// A statement of its own: it sees what was committed by the one whose lock was waited for.
const SELECT_STANDING: &str = "SELECT gone, (SELECT epoch FROM meta), (SELECT version FROM version) FROM leases WHERE id = $1";

/// The entries after a number, as many as are taken at once.
macro_rules! piece {
    () => {
        "(SELECT * FROM (SELECT *, sum(bytes) OVER (ORDER BY number) - bytes AS before FROM \
            (SELECT * FROM journal WHERE $1 < number ORDER BY number LIMIT $2) AS next) AS summed \
            WHERE before < $3) AS piece"
    };
}

const SELECT_ENTRIES: &str =
    concat!("SELECT number, server, changes FROM ", piece!(), " ORDER BY number");
/// The records in them, and the messages that those answer or amend.
const SELECT_RECORDS: &str = concat!(
    "SELECT ",
    held_columns!(),
    " JOIN (SELECT unnest(rooms) AS room, unnest(seqs) AS seq FROM ",
    piece!(),
    ") AS wanted ON records.room = wanted.room AND records.seq = wanted.seq"
);
const SELECT_TARGETS: &str = concat!(
    "SELECT ",
    held_columns!(),
    " JOIN (SELECT DISTINCT records.room, records.target AS seq FROM records \
        JOIN (SELECT unnest(rooms) AS room, unnest(seqs) AS seq FROM ",
    piece!(),
    ") AS told ON records.room = told.room AND records.seq = told.seq \
        WHERE target IS NOT NULL) AS wanted \
        ON records.room = wanted.room AND records.seq = wanted.seq"
);

const INSERT_ENTRY: &str = "WITH entry AS (INSERT INTO journal \
        (number, server, bytes, rooms, seqs, changes) VALUES ($1, $2, $3, $4, $5, $6)), \
    ended AS (UPDATE journal_end SET number = $1) \
    SELECT pg_notify('pychat_journal', $1::text)";

/// The most entries that are read at once, and the most bytes of them but for the last.
const PIECE_ENTRIES: u64 = 64;
const PIECE_BYTES: u64 = 512 << 10;

/// The cost of a record of an entry beside its words, in bytes.
const RECORD_BYTES: u64 = 200;

/// The statements that [`Journal::locking`] has.
pub(super) const N_LOCKING: usize = 5;

/// The journal, as far as this server has applied it.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) sharing: Sharing,
    pub(super) server: ServerId,
    /// The number of the last entry that was applied.
    pub(super) applied: u64,
    /// The largest number that was heard of, and that when entries were asked for last.
    heard: u64,
    heard_before: u64,
    /// There are too many more to be read with the lock taken.
    pub(super) is_behind: bool,
    /// The keys of what others did lately, each with its place among all that they did.
    recent: VecDeque<(u64, Keys)>,
    /// The number of things that others did, and of those that the core was told of.
    n_queued: u64,
    pub(super) n_told: u64,
}

/// An answer to [`Journal::locking`] or [`Journal::read`].
#[derive(Debug)]
pub(super) struct Piece {
    /// The number of the last entry of all.
    pub(super) end: u64,
    pub(super) entries: Vec<Row>,
    /// The records in them, and those that these answer or amend.
    pub(super) records: [Vec<Row>; 2],
}

impl Journal {
    pub(super) fn new(sharing: Sharing, server: ServerId, applied: u64) -> Self {
        Self {
            sharing,
            server,
            applied,
            heard: applied,
            heard_before: applied,
            is_behind: false,
            recent: VecDeque::new(),
            n_queued: 0,
            n_told: 0,
        }
    }

    /// Returns the statements that lock the end, and read what a batch is to know.
    pub(super) fn locking(&self) -> Vec<Statement> {
        [Statement::new(LOCK_END, []), self.standing()].into_iter().chain(self.piece()).collect()
    }

    /// Returns the statement by which a server knows that it is still one of the database.
    pub(super) fn standing(&self) -> Statement {
        Statement::new(SELECT_STANDING, [self.server.0.into()])
    }

    /// Returns true if there are entries to be read, as far as it is known.
    pub(super) fn is_wanted(&self) -> bool {
        self.applied < self.heard
    }

    /// Takes in that there is an entry with this number, or that somebody says so.
    pub(super) fn hear(&mut self, number: u64) {
        self.heard = self.heard.max(number);
    }

    /// Takes in that entries were read, and that the last of all had this number: no larger one that was
    /// heard of before is any.
    pub(super) fn was_read(&mut self, end: u64) {
        if self.heard == self.heard_before {
            self.heard = self.heard.min(end);
        }
    }

    /// Takes in that entries could not be read.
    pub(super) fn failed(&mut self) {
        (self.heard, self.is_behind) = (self.applied, false);
    }

    /// Returns the statements that read the next entries.
    pub(super) fn read(&mut self) -> Vec<Statement> {
        self.heard_before = self.heard;
        [Statement::new(SELECT_END, []), self.standing()].into_iter().chain(self.piece()).collect()
    }

    fn piece(&self) -> [Statement; 3] {
        let values: [Owned; 3] = [self.applied.into(), PIECE_ENTRIES.into(), PIECE_BYTES.into()];
        [SELECT_ENTRIES, SELECT_RECORDS, SELECT_TARGETS]
            .map(|sql| Statement::new(sql, values.clone()))
    }

    /// Returns the statement that adds the next entry.
    pub(super) fn append(
        &self,
        mut entry: encoding::Draft,
        ends: &[(RoomId, End)],
        amended: &BTreeSet<RoomId>,
        erased_ms: Option<u64>,
    ) -> Statement {
        let (rooms, seqs) = (mem::take(&mut entry.rooms), mem::take(&mut entry.seqs));
        let n_bytes = entry.n_bytes + RECORD_BYTES * rooms.len() as u64;
        let changes = entry.encode(ends, amended.iter().copied(), erased_ms);
        let bytes = n_bytes + changes.len() as u64;
        Statement::new(
            INSERT_ENTRY,
            [
                (self.applied + 1).into(),
                self.server.0.into(),
                bytes.into(),
                Owned::Ints(rooms),
                Owned::Ints(seqs),
                changes[..].into(),
            ],
        )
    }

    /// Takes in something that another server did; the core is told of it in the same order.
    pub(super) fn note(&mut self, elsewhere: &Elsewhere) {
        self.n_queued += 1;
        if let Elsewhere::Done { request, .. } = elsewhere {
            let keys = Keys::of(request);
            if !keys.changed.is_empty() {
                self.recent.push_back((self.n_queued, keys));
            }
        }
    }

    /// Returns true if others changed what a request relies on, which was decided when the core had been
    /// told of the first `n_told` things.
    pub(super) fn overtakes(&self, n_told: u64, request: &Request) -> bool {
        let later = self.recent.iter().rev().take_while(|(place, _)| n_told < *place);
        let mut later = later.peekable();
        if later.peek().is_none() {
            return false;
        }
        let keys = Keys::of(request);
        later.any(|(_, earlier)| keys.are_overtaken_by(earlier))
    }

    /// Forgets what every request on its way knew of: the oldest knew of the first `n_told` things.
    pub(super) fn forget(&mut self, n_told: u64) {
        while self.recent.pop_front_if(|(place, _)| *place <= n_told).is_some() {}
    }
}

impl Piece {
    /// Takes the answers out that there are to the statements.
    ///
    /// # Errors
    ///
    /// [`StorageError`] if the server is one of the database no more: it never will be again.
    pub(super) fn take(answers: &mut Answers, epoch: &str) -> Result<Self, StorageError> {
        let mut told = answers.drain(..N_LOCKING.min(answers.len()));
        let mut next = || told.next().unwrap_or_default();
        let (end, standing) = (next(), next());
        check(standing.first(), epoch)?;
        let end = end.first().ok_or_else(|| damage("the end of the journal is missing"))?.get(0)?;
        Ok(Self { end, entries: next(), records: [next(), next()] })
    }
}

#[cfg(test)]
mod tests {
    use pychat_wire::UserName;

    use super::*;
    use crate::core::{elsewhere::Presence, record::Stored};

    fn enter(name: &str) -> Request {
        Request::Enter(Presence { name: UserName::new(name).unwrap(), person: None, key: None })
    }

    fn journal() -> Journal {
        Journal::new(Sharing::default(), ServerId(1), 0)
    }

    #[test]
    fn a_request_is_held_against_what_its_core_was_not_told_of() {
        let mut journal = journal();
        let done = |name| {
            let (server, request) = (ServerId(2), Box::new(enter(name)));
            Elsewhere::Done { server, request, stored: Stored::Changed }
        };
        for elsewhere in [done("Anna"), Elsewhere::ServerGone(ServerId(3)), done("Boris")] {
            journal.note(&elsewhere);
        }
        for (name, n_told, is_overtaken) in [
            ("ANNA", 0, true),
            ("ANNA", 1, false),
            ("Boris", 0, true),
            ("Boris", 2, true),
            ("Boris", 3, false),
            ("Vera", 0, false),
        ] {
            assert_eq!(journal.overtakes(n_told, &enter(name)), is_overtaken, "{name} {n_told}");
        }
        journal.forget(2);
        assert!(journal.overtakes(2, &enter("Boris")));
        assert_eq!(journal.recent.len(), 1);
        journal.forget(3);
        assert_eq!(journal.recent.len(), 0);
    }

    #[test]
    fn a_number_that_was_made_up_is_asked_for_once() {
        let mut journal = journal();
        journal.hear(99);
        assert!(journal.is_wanted());
        journal.read();
        journal.was_read(2);
        journal.applied = 2;
        assert!(!journal.is_wanted(), "there is none");
        journal.hear(3);
        journal.read();
        journal.hear(4);
        journal.was_read(3);
        journal.applied = 3;
        assert!(journal.is_wanted(), "it was told after the question was asked");
        journal.failed();
        assert!(!journal.is_wanted());
    }
}
