//! The server's file as it is at one time: all rooms, their members, and the marks.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    time::Duration,
};

use pychat_server::core::amending::on_wire;
use pychat_wire::{
    client::{MessageState, RoomId},
    message::{Amendment, RoomEvent, RoomKind},
};
use rusqlite::{Connection, OpenFlags, Row};

use super::shown::{Shown, What};
use crate::kit::{
    Oracle, State,
    oracle::line,
    room_log::{Copy, Message},
};

/// The key of a record is the number of its room, and its own number in so many bits.
const SEQ_BITS: u32 = 40;

/// The events, by their numbers in the file.
const EVENTS: [RoomEvent; 8] = [
    RoomEvent::Unknown,
    RoomEvent::Created,
    RoomEvent::Joined,
    RoomEvent::Left,
    RoomEvent::Added,
    RoomEvent::Removed,
    RoomEvent::Renamed,
    RoomEvent::Topic,
];

/// The columns of a [`Record`].
const COLUMNS: &str = "key, time_ms, author, content, kind, id, target, edited_ms, words, removed, \
    removed_ms, reactions";

/// The rooms in the file.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    pub(crate) kinds: BTreeMap<RoomId, RoomKind>,
    /// The records of each room, the first of which has number 1.
    pub(crate) records: BTreeMap<RoomId, Vec<Record>>,
    /// The records that bear the id of what somebody said or asked for, by that and their author.
    pub(crate) by_id: HashMap<(String, String), (RoomId, u64)>,
    pub(crate) members: BTreeMap<RoomId, BTreeSet<String>>,
    /// The end of what each person is stored to have seen of each room.
    marks: BTreeMap<(RoomId, String), u64>,
}

/// A record in the file.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) shown: Shown,
    id: Option<String>,
    /// The words of a message to the byte, those included that an operator took away.
    pub(crate) words: String,
    /// The rest of its state.
    state: State,
}

impl Stored {
    /// Reads everything; of the hall no more than so many records.
    pub(crate) fn read(file: &Path, n_of_hall: u64) -> Self {
        let mut connection = open(file);
        let transaction = connection.transaction().unwrap();
        let mut stored = Self::default();
        stored.read_records(&transaction, n_of_hall);
        stored.read_people(&transaction);
        stored
    }

    fn read_records(&mut self, connection: &Connection, n_of_hall: u64) {
        each(connection, "SELECT id, kind FROM rooms", |row| {
            let kind: String = row.get(1)?;
            self.kinds.insert(room_id(row.get(0)?), serde_json::from_value(kind.into()).unwrap());
            Ok(())
        });
        self.records.insert(RoomId::hall(), Vec::new());
        let sql = format!(
            "SELECT {COLUMNS} FROM records \
            WHERE key <= {n_of_hall} OR 1 << {SEQ_BITS} <= key ORDER BY key"
        );
        each(connection, &sql, |row| {
            let room = room_id(row.get::<_, u64>(0)? >> SEQ_BITS);
            let record = Record::of(row)?;
            let seq = record.shown.seq;
            if let Some(id) = record.id.clone() {
                let place = (room.clone(), seq);
                let first = self.by_id.insert((id, record.shown.author.clone()), place);
                assert_eq!(first, None, "{record:?} is there twice");
            }
            let records = self.records.entry(room.clone()).or_default();
            assert_eq!(seq, records.len() as u64 + 1, "the numbers of {room:?} in the file");
            records.push(record);
            Ok(())
        });
        let has_log = |room: &RoomId| self.records.contains_key(room);
        assert!(self.kinds.keys().all(has_log), "each room has a log");
    }

    fn read_people(&mut self, connection: &Connection) {
        let sql = "SELECT room, name FROM members JOIN names USING (person)";
        each(connection, sql, |row| {
            self.members.entry(room_id(row.get(0)?)).or_default().insert(row.get(1)?);
            Ok(())
        });
        let sql = "SELECT room, name, seq FROM marks JOIN names USING (person)";
        each(connection, sql, |row| {
            self.marks.insert((room_id(row.get(0)?), row.get(1)?), row.get(2)?);
            Ok(())
        });
    }

    /// Takes in all that the file has and that nobody need have heard: as it is now, and as it was said.
    /// `said` are the words of people of protocol 2, by the ids that they gave them.
    #[track_caller]
    pub(crate) fn tell(&self, oracle: &mut Oracle, said: &HashMap<String, String>) {
        for (room, records) in &self.records {
            let later = Copy::Later { known: records.len() as u64 };
            for record in records {
                let (room, seq) = (room.as_str(), record.shown.seq);
                oracle.check(room, seq, &record.now(records), later);
                if let Some(message) = record.as_said(said) {
                    oracle.check(room, seq, &message, Copy::Live);
                }
            }
            let members = self.members.get(room).into_iter().flatten().cloned().collect();
            // The log of a room that is over is kept for a while.
            if let Some(kind) = self.kinds.get(room) {
                oracle.check_stored(room.as_str(), *kind, members);
            }
        }
    }

    /// Returns number `seq` of a room.
    pub(crate) fn record(&self, room: &RoomId, seq: u64) -> Option<&Record> {
        let index = usize::try_from(seq).ok()?.checked_sub(1)?;
        self.records.get(room)?.get(index)
    }

    /// Returns the rooms that somebody is in, but for the hall, and the last number of each.
    pub(crate) fn rooms_of(&self, name: &str) -> BTreeMap<RoomId, u64> {
        let theirs = self.members.iter().filter(|(_, members)| members.contains(name));
        theirs.map(|(room, _)| (room.clone(), self.records[room].len() as u64)).collect()
    }

    /// Returns true if somebody came into a room by its number `seq`.
    pub(crate) fn is_entry(&self, room: &RoomId, seq: u64, name: &str) -> bool {
        self.record(room, seq).is_some_and(|Record { shown, .. }| match shown.event() {
            Some((RoomEvent::Created | RoomEvent::Joined, _)) => shown.author == name,
            Some((RoomEvent::Added, subject)) => subject == name,
            _ => false,
        })
    }

    /// Returns how far somebody has seen a room: that is stored, or they have said something later.
    pub(crate) fn mark(&self, room: &RoomId, name: &str) -> u64 {
        let stored = self.marks.get(&(room.clone(), name.to_owned())).copied().unwrap_or_default();
        let own = |it: &&Record| it.shown.state().is_some() && it.shown.author == name;
        let own = self.records[room].iter().rev().find(own);
        stored.max(own.map_or(0, |record| record.shown.seq))
    }
}

impl Record {
    /// Takes a row of [`COLUMNS`].
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (key, content, kind) = (row.get::<_, u64>(0)?, row.get::<_, String>(3)?, row.get(4)?);
        let target = row.get::<_, Option<u64>>(6)?;
        let (words, removed) = (row.get::<_, u8>(8)?, row.get::<_, Option<String>>(9)?);
        let is_removed = (removed.is_some(), row.get::<_, Option<u64>>(10)?.is_some());
        assert_eq!(is_removed, (words == 2, words == 2), "words that were taken away: {removed:?}");
        assert!(words == 0 || content.is_empty(), "words are there that were taken away");
        let reactions = on_wire(row.get::<_, Option<String>>(11)?.as_deref());
        let state = State { edited: row.get(7)?, is_deleted: words != 0, reactions };
        let emoji = || Some(content.clone().into());
        let target_of = || target.expect("the number of what it amends");
        let what = match kind {
            0 => What::Message { reply: target, state: shown(&content, &state) },
            64 => What::Amendment(Amendment::Edit { target: target_of(), content: None }),
            65 => What::Amendment(Amendment::Delete { target: target_of() }),
            66 => What::Amendment(Amendment::React { target: target_of(), emoji: emoji() }),
            67 => What::Amendment(Amendment::React { target: target_of(), emoji: None }),
            68 => What::Amendment(Amendment::Restore { target: target_of(), content: None }),
            kind => {
                let event = EVENTS[(kind - 1) / 2];
                What::Event { event, subject: content.clone() }
            }
        };
        let seq = key & ((1 << SEQ_BITS) - 1);
        let shown = Shown { seq, time_ms: row.get(1)?, author: row.get(2)?, what };
        Ok(Self { shown, id: row.get(5)?, words: removed.unwrap_or(content), state })
    }

    /// Returns it as it is now, by the `records` of its room.
    fn now(&self, records: &[Self]) -> Message {
        let Shown { time_ms, author, what, .. } = &self.shown;
        let of = |words: &str| Message::text(*time_ms, author, words);
        match what {
            What::Message { reply, .. } => {
                let words = if self.state.is_deleted { "" } else { &self.words };
                Message { reply: *reply, state: self.state.clone(), ..of(words) }
            }
            What::Event { event, subject } => Message { event: Some(*event), ..of(subject) },
            What::Amendment(amendment) => {
                let mut amendment = amendment.clone();
                if let Amendment::Edit { target, content }
                | Amendment::Restore { target, content } = &mut amendment
                {
                    let message = &records[usize::try_from(*target - 1).unwrap()];
                    let words = (!message.state.is_deleted).then(|| message.words.clone());
                    *content = words.map(Into::into);
                }
                Message { amendment: Some(amendment), ..of("") }
            }
        }
    }

    /// Returns it as it was said, if that is known. A text of which `said` has no words is never edited.
    fn as_said(&self, said: &HashMap<String, String>) -> Option<Message> {
        let known = self.id.as_ref().and_then(|id| said.get(id));
        let Shown { time_ms, author, what, .. } = &self.shown;
        let of = |words: &str| Message::text(*time_ms, author, words);
        match what {
            What::Message { reply, .. } => {
                Some(Message { reply: *reply, ..of(known.unwrap_or(&self.words)) })
            }
            What::Amendment(Amendment::Edit { target, .. }) => {
                let content = Some(known?.clone().into());
                let amendment = Some(Amendment::Edit { target: *target, content });
                Some(Message { amendment, ..of("") })
            }
            What::Amendment(Amendment::Restore { .. }) => None,
            What::Event { .. } | What::Amendment(_) => Some(self.now(&[])),
        }
    }
}

/// Returns the state of a message as it is shown.
fn shown(content: &str, state: &State) -> MessageState {
    let State { edited, is_deleted, reactions } = state;
    let reactions = reactions
        .0
        .iter()
        .map(|(emoji, names)| (emoji.to_string(), names.iter().map(ToString::to_string).collect()));
    let (content, reactions) = (line(content).to_owned(), reactions.collect());
    MessageState { content, edited_ms: *edited, is_deleted: *is_deleted, reactions }
}

/// Opens the server's file to read it.
pub(crate) fn open(file: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    connection
}

fn each(
    connection: &Connection,
    sql: &str,
    mut take: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) {
    let mut statement = connection.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        take(row).unwrap();
    }
}

fn room_id(number: u64) -> RoomId {
    if number == 0 { RoomId::hall() } else { RoomId::from(&*format!("r{number}")) }
}
