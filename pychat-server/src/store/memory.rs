//! A log that lives as long as the process. Its epoch is new with each, so nobody takes its
//! numbers for those of another.

mod logs;
mod search;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    mem,
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, Instant},
};

use pychat_wire::message::RoomKind;

use self::logs::Logs;
use super::{
    AUDIT_ENTRIES_MAX, Answer, Looked, MESSAGE_BYTES, Place, Read, Records, Retention, Store,
    Wanted,
    deciding::{self, Amended, Log, entry},
    over::Over,
    page::run_start,
};
use crate::core::{
    amending::{Granted, RESTORABLE_MS},
    id::{RoomId, Ticket},
    moderation::{AuditEntry, Rulebook},
    record::{
        Appended, Draft, Entry, Invite, Person, PersonChange, PersonId, ReadMark, Record, Request,
        Room, RoomChange, StorageError, Stored,
    },
    time::Time,
};

/// The most records of all rooms together that are kept in memory, however many are asked for.
pub const RECORDS_MAX: usize = 10_000;

/// The most text that is kept in memory, in bytes of content.
pub const CONTENT_BYTES_MAX: usize = 16 << 20;

/// The newest records of the rooms, in memory.
#[derive(Debug)]
pub struct Memory {
    epoch: String,
    retention: Retention,
    logs: Logs,
    /// The room and number of each record that has an id, by its author and that id.
    ids: HashMap<(PersonId, Arc<str>), (RoomId, u64)>,
    /// The history of the messages that were amended.
    amended: HashMap<(RoomId, u64), Amended>,
    rooms: BTreeMap<RoomId, Room>,
    marks: BTreeMap<(PersonId, RoomId), u64>,
    /// The number of records forgotten and not reported yet.
    forgotten: u64,
    next_deadline: Option<Instant>,
    answers: Vec<Answer>,
    audit: VecDeque<AuditEntry>,
    over: Over,
}

impl Memory {
    /// Returns an empty log with the name `epoch`, which should be random.
    pub fn new(epoch: u128, retention: Retention) -> Self {
        Self {
            epoch: format!("{epoch:032x}"),
            retention,
            logs: Logs::default(),
            ids: HashMap::new(),
            amended: HashMap::new(),
            rooms: BTreeMap::new(),
            marks: BTreeMap::new(),
            forgotten: 0,
            next_deadline: None,
            answers: Vec::new(),
            audit: VecDeque::new(),
            over: Over::default(),
        }
    }

    /// Changes a room, of which the record has number `seq`.
    fn change_room(&mut self, room: RoomId, seq: u64, change: RoomChange) {
        if let RoomChange::Create(new) = change {
            if let Some(person) = new.maker {
                self.mark(ReadMark { room, person, seq });
            }
            self.rooms.insert(room, new);
            return;
        }
        let Some(it) = self.rooms.get_mut(&room) else { return };
        match change {
            RoomChange::Create(_) => (),
            RoomChange::Add(person) => {
                if !it.members.contains(&person) {
                    it.members.push(person);
                }
                self.mark(ReadMark { room, person, seq });
            }
            RoomChange::Remove(person) => {
                it.members.retain(|other| *other != person);
                self.marks.remove(&(person, room));
            }
            RoomChange::Rename(name) => it.name = name,
            RoomChange::SetTopic(topic) => it.topic = topic,
        }
    }

    fn mark(&mut self, ReadMark { room, person, seq }: ReadMark) {
        let mark = self.marks.entry((person, room)).or_default();
        *mark = seq.max(*mark);
    }

    /// Forgets a person who is kept no longer; direct rooms remain between the people whom they were
    /// made for.
    fn forget_person(&mut self, person: PersonId) {
        for room in self.rooms.values_mut().filter(|room| room.kind != RoomKind::Direct) {
            room.members.retain(|other| *other != person);
        }
        self.marks.retain(|(other, _), _| *other != person);
    }

    fn trim(&mut self) {
        let records_max = usize::try_from(self.retention.messages_max).unwrap_or(RECORDS_MAX);
        while let Some(room) = self.logs.crowded(records_max) {
            self.forget_first(room);
        }
        while let Some((_, room)) = self.logs.oldest()
            && (RECORDS_MAX < self.logs.len()
                || CONTENT_BYTES_MAX < self.logs.content_bytes()
                || self.retention.bytes_max < self.bytes())
        {
            self.forget_first(room);
        }
    }

    fn bytes(&self) -> u64 {
        self.logs.content_bytes() as u64 + MESSAGE_BYTES * self.logs.len() as u64
    }

    fn forget_first(&mut self, room: RoomId) {
        let Some(Record { seq, person, id, .. }) = self.logs.forget_first(room) else { return };
        self.forgotten += 1;
        self.amended.remove(&(room, seq));
        if let Some(key) = person.zip(id) {
            self.ids.remove(&key);
        }
    }

    /// Forgets the words that operators removed too long ago to bring them back.
    fn forget_removed(&mut self, utc_ms: u64) {
        for amended in self.amended.values_mut() {
            let is_over =
                |(_, since_ms): &(_, u64)| since_ms.saturating_add(RESTORABLE_MS) <= utc_ms;
            amended.removed.take_if(|removed| is_over(removed));
        }
    }

    fn carry_out(&mut self, utc_ms: u64, request: Request) -> Stored {
        match request {
            Request::Append { room, draft, change } => {
                let appended = self.take(room, utc_ms, draft);
                if let (Appended::New(record), Some(change)) = (&appended, change) {
                    self.change_room(room, record.seq, change);
                }
                return Stored::Appended(appended);
            }
            Request::Amend { room, draft, entry } => {
                return Stored::Appended(self.amend(room, utc_ms, draft, entry));
            }
            Request::Recall { person, id } => {
                return Stored::Recalled(self.recall(&(person, id)));
            }
            Request::Find { room, seq } => {
                return Stored::Recalled(self.find(room, seq));
            }
            Request::Mark(mark) => self.mark(mark),
            Request::EndRoom(room) => {
                self.rooms.remove(&room);
                self.over.add(room);
            }
            Request::Moderate { entry, .. } => self.note(entry),
            Request::ChangePerson(PersonChange::Forget(person)) => self.forget_person(person),
            // People, rules and invites come and go with the process; and there are no other servers.
            Request::ChangePerson(PersonChange::Save(_))
            | Request::Admit { .. }
            | Request::Enter(_)
            | Request::Leave(..)
            | Request::Offer(_)
            | Request::Sync => (),
        }
        Stored::Changed
    }
}

impl Log for Memory {
    fn record(&self, room: RoomId, seq: u64) -> Option<&Record> {
        self.logs.find(room, seq)
    }

    fn amended(&self, room: RoomId, seq: u64) -> Option<&Amended> {
        self.amended.get(&(room, seq))
    }

    fn place(&self, key: &(PersonId, Arc<str>)) -> Option<(RoomId, u64)> {
        self.ids.get(key).copied()
    }

    fn newest_seq(&self, room: RoomId) -> u64 {
        self.logs.last_seq(room)
    }

    fn append(&mut self, room: RoomId, utc_ms: u64, draft: Draft) -> Record {
        let key = draft.person.zip(draft.id.clone());
        let record = self.logs.append(room, utc_ms, draft);
        if let Some(key) = key {
            self.ids.insert(key, (room, record.seq));
        }
        record
    }

    fn change(&mut self, record: &Record, target: u64, granted: &Granted) {
        let amended = self.amended.entry((record.room, target)).or_default();
        self.logs.change(record.room, target, |message| {
            deciding::change(message, amended, record, granted);
        });
    }

    fn note(&mut self, entry: AuditEntry) {
        self.audit.push_back(entry);
        self.audit.drain(..self.audit.len().saturating_sub(AUDIT_ENTRIES_MAX));
    }
}

fn is_wanted(record: &Record, wanted: Records) -> bool {
    wanted == Records::All || record.kind.is_shown()
}

impl Store for Memory {
    /// Memory always takes it all.
    fn submit(&mut self, _now: Instant, utc_ms: u64, batch: &mut Vec<(Ticket, Request)>) {
        for (ticket, request) in batch.drain(..) {
            let outcome = Ok(self.carry_out(utc_ms, request));
            self.answers.push(Answer::Done { ticket, outcome });
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

    fn audit(&mut self, limit: usize) -> Result<Option<Vec<AuditEntry>>, StorageError> {
        let begin = self.audit.len().saturating_sub(limit);
        Ok(Some(self.audit.range(begin..).cloned().collect()))
    }

    fn rooms(&mut self) -> Result<Vec<Room>, StorageError> {
        Ok(self.rooms.values().cloned().collect())
    }

    fn last_room(&self) -> RoomId {
        self.logs.last_room()
    }

    fn marks(&mut self) -> Result<Vec<ReadMark>, StorageError> {
        let mark = |(&(person, room), &seq): (&_, &_)| ReadMark { room, person, seq };
        Ok(self.marks.iter().map(mark).collect())
    }

    fn invites(&mut self) -> Result<Vec<Invite>, StorageError> {
        Ok(Vec::new())
    }

    fn maintain(&mut self, time: &Time) {
        for room in self.over.take_due(time.now) {
            while self.logs.first_seq(room) <= self.logs.last_seq(room) {
                self.forget_first(room);
            }
            self.logs.remove(room);
        }
        if let Some(utc_ms) = time.trusted_ms() {
            while let Some((first_ms, room)) = self.logs.oldest()
                && self.retention.expiry_ms(first_ms).is_some_and(|expiry| expiry <= utc_ms)
            {
                self.forget_first(room);
            }
        }
        if let Some(utc_ms) = time.trusted_ms() {
            self.forget_removed(utc_ms);
        }
        let oldest = self.logs.oldest();
        let expiry = oldest.and_then(|(first_ms, _)| self.retention.expiry_ms(first_ms));
        self.next_deadline = expiry.and_then(|next| {
            let left = Duration::from_millis(next.saturating_sub(time.utc_ms));
            Some(time.now.checked_add(left)?.max(time.trusted_at))
        });
    }

    fn take_forgotten(&mut self) -> u64 {
        mem::take(&mut self.forgotten)
    }

    fn set_retention(&mut self, retention: Retention) {
        self.retention = retention;
        self.logs.touch_all();
        self.trim();
    }

    fn epoch(&self) -> &str {
        &self.epoch
    }

    fn first_seq(&self, room: RoomId) -> u64 {
        self.logs.first_seq(room)
    }

    fn last_seq(&self, room: RoomId) -> u64 {
        self.logs.last_seq(room)
    }

    fn read(
        &mut self,
        room: RoomId,
        after: u64,
        wanted: Records,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<Read, StorageError> {
        let Some(records) = self.logs.records(room) else { return Ok(Read::Done) };
        let begin = records.partition_point(|record| record.seq <= after);
        // Breaking off is the reader's choice, and no failure.
        let mut wanted = records.range(begin..).filter(|record| is_wanted(record, wanted));
        let _ = wanted.try_for_each(|record| each(entry(self, record)));
        Ok(Read::Done)
    }

    fn page_start(
        &mut self,
        room: RoomId,
        before: u64,
        limit: u64,
        bytes_max: usize,
        wanted: Records,
    ) -> Result<Option<u64>, StorageError> {
        let Some(records) = self.logs.records(room) else { return Ok(Some(before)) };
        let end = records.partition_point(|record| record.seq < before);
        let size = |record: &Record| {
            let reactions = record.state.reactions.as_ref().map_or(0, |json| json.len());
            Ok((record.seq, record.kind.text().len() + reactions))
        };
        let newest =
            records.range(..end).rev().filter(|record| is_wanted(record, wanted)).map(size);
        run_start(before, bytes_max, newest.take(usize::try_from(limit).unwrap_or(usize::MAX)))
            .map(Some)
    }

    fn search(
        &mut self,
        wanted: &Wanted<'_>,
        place: &mut Place,
        budget: &mut usize,
        each: &mut dyn FnMut(RoomId, Entry<'_>) -> ControlFlow<()>,
    ) -> Result<Looked, StorageError> {
        Ok(self.look_for(wanted, place, budget, each))
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.next_deadline
    }
}
