//! The picture of the database by which a batch of requests is decided: the records that these are held
//! against, and the ends of the logs, as they are behind the locks of the batch's own transaction. What is
//! decided changes the picture, and gathers as statements.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
    sync::Arc,
};

use super::{
    encoding,
    journal::Journal,
    people, records, rooms,
    row::Row,
    sharing,
    statement::{Owned, Statement},
};
use crate::{
    core::{
        amending::Granted,
        elsewhere::ServerId,
        id::{RoomId, Ticket},
        moderation::AuditEntry,
        record::{
            Amending, Appended, Draft, Kind, Outcome, PersonChange, PersonId, Record, Request,
            StorageError, Stored,
        },
    },
    store::{
        MESSAGE_BYTES,
        deciding::{self, Amended, Log},
    },
};

const SELECT_ENDS: &str = "SELECT room, last_seq, last_ms, last_bytes FROM logs \
    WHERE room = ANY ($1) ORDER BY room FOR UPDATE";
const UPSERT_LOG: &str = "INSERT INTO logs (room, last_seq, last_ms, last_bytes) \
    VALUES ($1, $2, $3, $4) ON CONFLICT (room) DO UPDATE SET last_seq = excluded.last_seq, \
    last_ms = excluded.last_ms, last_bytes = excluded.last_bytes";

/// The end of a log.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct End {
    /// When the first record was added by this batch, in UTC milliseconds since 1970.
    pub(super) first_ms: Option<u64>,
    pub(super) last_seq: u64,
    pub(super) last_ms: u64,
    pub(super) last_bytes: u64,
}

/// The picture.
#[derive(Debug, Default)]
pub(super) struct Picture {
    ends: BTreeMap<RoomId, End>,
    records: HashMap<(RoomId, u64), (Record, Amended)>,
    ids: HashMap<(PersonId, Arc<str>), (RoomId, u64)>,
    /// The logs that have become longer.
    longer: BTreeSet<RoomId>,
    writes: Vec<Statement>,
    decided: Decided,
    /// The server, and its entry in the journal, if others share the database.
    entry: Option<(ServerId, encoding::Draft)>,
}

/// The outcome of a batch, which holds once its transaction is committed.
#[derive(Debug, Default)]
pub(super) struct Decided {
    pub(super) outcomes: Vec<(Ticket, Outcome)>,
    /// The new ends of logs.
    pub(super) ends: Vec<(RoomId, End)>,
    /// The rooms with messages that were changed.
    pub(super) amended: BTreeSet<RoomId>,
    pub(super) over: Vec<RoomId>,
    /// The time at which words were taken away, if any were, in UTC milliseconds since 1970.
    pub(super) erased_ms: Option<u64>,
    /// There is an entry of it in the journal.
    pub(super) has_entry: bool,
}

/// Returns the statements that read what is needed to decide requests, and lock it.
pub(super) fn questions<'a>(requests: impl Iterator<Item = &'a Request>) -> Vec<Statement> {
    let mut rooms = BTreeSet::new();
    let (mut known, mut numbered) = (BTreeSet::new(), BTreeSet::new());
    for request in requests {
        match request {
            Request::Append { room, draft, .. } | Request::Amend { room, draft, .. } => {
                rooms.insert(i64::from(room.0));
                known.extend(draft.person.zip(draft.id.as_deref()));
                let target = draft.reply.or(draft.kind.target());
                numbered.extend(target.map(|target| (*room, target)));
            }
            Request::Recall { person, id } => drop(known.insert((*person, &**id))),
            Request::Find { room, seq } => drop(numbered.insert((*room, *seq))),
            _ => (),
        }
    }
    let mut questions =
        vec![Statement::new(SELECT_ENDS, [Owned::Ints(rooms.into_iter().collect())])];
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    if !known.is_empty() {
        let people = known.iter().map(|(person, _)| number(person.0)).collect();
        let ids = known.iter().map(|(_, id)| id.as_bytes().to_owned()).collect();
        let values = [Owned::Ints(people), Owned::ByteStrings(ids)];
        questions.push(Statement::new(records::SELECT_KNOWN, values.clone()));
        questions.push(Statement::new(records::SELECT_KNOWN_TARGETS, values));
    }
    if !numbered.is_empty() {
        let rooms = numbered.iter().map(|(room, _)| i64::from(room.0)).collect();
        let seqs = numbered.iter().map(|(_, seq)| number(*seq)).collect();
        let values = [Owned::Ints(rooms), Owned::Ints(seqs)];
        questions.push(Statement::new(records::SELECT_NUMBERED, values.clone()));
        questions.push(Statement::new(records::SELECT_NUMBERED_TARGETS, values));
    }
    questions
}

impl Picture {
    /// Returns the picture of the answers to [`questions`], for a server that shares the database if it has
    /// a number.
    pub(super) fn new(
        answers: &[Vec<Row>],
        server: Option<ServerId>,
    ) -> Result<Self, StorageError> {
        let entry = server.map(|server| (server, encoding::Draft::default()));
        let mut picture = Self { entry, ..Self::default() };
        let Some((ends, found)) = answers.split_first() else { return Ok(picture) };
        for row in ends {
            let (last_seq, last_ms, last_bytes) = (row.get(1)?, row.get(2)?, row.get(3)?);
            picture.ends.insert(
                rooms::room_id(row, 0)?,
                End { first_ms: None, last_seq, last_ms, last_bytes },
            );
        }
        picture.hold_all(found)?;
        Ok(picture)
    }

    /// Returns the picture of records alone.
    pub(super) fn of_records(rows: &[Vec<Row>]) -> Result<Self, StorageError> {
        let mut picture = Self::default();
        picture.hold_all(rows)?;
        Ok(picture)
    }

    fn hold_all(&mut self, rows: &[Vec<Row>]) -> Result<(), StorageError> {
        rows.iter().flatten().try_for_each(|row| {
            self.hold(records::held(row)?);
            Ok(())
        })
    }

    fn hold(&mut self, (record, amended): (Record, Amended)) {
        let place = (record.room, record.seq);
        if let Some(key) = record.person.zip(record.id.clone()) {
            self.ids.insert(key, place);
        }
        self.records.insert(place, (record, amended));
    }

    /// Decides one request.
    pub(super) fn decide(&mut self, utc_ms: u64, ticket: Ticket, request: Request) {
        let told = self.entry.as_ref().map(|_| request.clone());
        let stored = self.carry_out(utc_ms, request);
        if let Some(((_, entry), request)) = self.entry.as_mut().zip(told) {
            entry.add(request, &stored);
        }
        self.decided.outcomes.push((ticket, Ok(stored)));
    }

    /// Refuses one.
    pub(super) fn refuse(&mut self, ticket: Ticket, error: StorageError) {
        self.decided.outcomes.push((ticket, Err(error)));
    }

    fn carry_out(&mut self, utc_ms: u64, request: Request) -> Stored {
        match request {
            Request::Append { room, draft, change } => {
                let appended = self.take(room, utc_ms, draft);
                if let (Appended::New(record), Some(change)) = (&appended, change) {
                    rooms::change(room, record.seq, &change, &mut self.writes);
                }
                return Stored::Appended(appended);
            }
            Request::Amend { room, draft, entry } => {
                return Stored::Appended(self.amend(room, utc_ms, draft, entry));
            }
            Request::Recall { person, id } => return Stored::Recalled(self.recall(&(person, id))),
            Request::Find { room, seq } => return Stored::Recalled(self.find(room, seq)),
            Request::Mark(mark) => self.writes.push(rooms::mark(mark)),
            Request::EndRoom(room) => {
                rooms::end(room, &mut self.writes);
                self.decided.over.push(room);
            }
            Request::ChangePerson(PersonChange::Save(person)) => {
                people::save(&person, &mut self.writes);
            }
            Request::ChangePerson(PersonChange::Forget(person)) => {
                people::forget(person, &mut self.writes);
                rooms::forget_person(person, &mut self.writes);
            }
            Request::Moderate { changes, entry, .. } => {
                people::moderate(&changes, &entry, &mut self.writes);
            }
            Request::Admit { person, invite } => people::admit(&person, invite, &mut self.writes),
            Request::Enter(presence) => {
                if let Some((server, _)) = self.entry {
                    sharing::come(server, &presence, &mut self.writes);
                }
            }
            Request::Leave(presence, _) => {
                if let Some((server, _)) = self.entry {
                    sharing::go(server, &presence, &mut self.writes);
                }
            }
            Request::Offer(_) | Request::Sync => (), // The one is only told, the other done by now.
        }
        Stored::Changed
    }

    /// Returns all that is to be written, and the outcome.
    pub(super) fn finish(mut self, journal: Option<&Journal>) -> (Vec<Statement>, Decided) {
        for room in mem::take(&mut self.longer) {
            let end = self.ends.get(&room).copied().unwrap_or_default();
            let End { last_seq, last_ms, last_bytes, .. } = end;
            let values = [room.0.into(), last_seq.into(), last_ms.into(), last_bytes.into()];
            self.writes.push(Statement::new(UPSERT_LOG, values));
            self.decided.ends.push((room, end));
        }
        let entry = self.entry.take().filter(|(_, entry)| !entry.is_empty());
        if let Some((journal, (_, entry))) = journal.zip(entry) {
            let Decided { ends, amended, erased_ms, .. } = &self.decided;
            self.writes.push(journal.append(entry, ends, amended, *erased_ms));
            self.decided.has_entry = true;
        }
        (self.writes, self.decided)
    }
}

impl Log for Picture {
    fn record(&self, room: RoomId, seq: u64) -> Option<&Record> {
        self.records.get(&(room, seq)).map(|(record, _)| record)
    }

    fn amended(&self, room: RoomId, seq: u64) -> Option<&Amended> {
        self.records.get(&(room, seq)).map(|(_, amended)| amended)
    }

    fn place(&self, key: &(PersonId, Arc<str>)) -> Option<(RoomId, u64)> {
        self.ids.get(key).copied()
    }

    fn newest_seq(&self, room: RoomId) -> u64 {
        self.ends.get(&room).map_or(0, |end| end.last_seq)
    }

    fn append(&mut self, room: RoomId, utc_ms: u64, draft: Draft) -> Record {
        let end = self.ends.entry(room).or_default();
        (end.last_seq, end.last_ms) = (end.last_seq + 1, end.last_ms.max(utc_ms));
        end.first_ms.get_or_insert(end.last_ms);
        let record = draft.into_record(room, end.last_seq, end.last_ms);
        self.writes.push(records::insert(&record, end.last_bytes));
        end.last_bytes += record.kind.text().len() as u64 + MESSAGE_BYTES;
        self.longer.insert(room);
        self.hold((record.clone(), Amended::default()));
        record
    }

    fn change(&mut self, record: &Record, target: u64, granted: &Granted) {
        let place = (record.room, target);
        let Some((message, amended)) = self.records.get_mut(&place) else { return };
        deciding::change(message, amended, record, granted);
        self.writes.push(records::update(message, amended));
        self.decided.amended.insert(record.room);
        let is_erasing = matches!(
            record.kind,
            Kind::Amendment { amending: Amending::Delete | Amending::Edit(_), .. }
        );
        if is_erasing {
            self.decided.erased_ms.get_or_insert(record.time_ms);
        }
    }

    fn note(&mut self, entry: AuditEntry) {
        people::moderate(&[], &entry, &mut self.writes);
    }
}
