//! The server's file as it is at one time: all rooms but the hall, their members, and the marks.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    time::Duration,
};

use pychat_wire::{
    client::RoomId,
    message::{RoomEvent, RoomKind},
};
use rusqlite::{Connection, OpenFlags, Row};

use super::shown::Shown;
use crate::kit::{
    Oracle,
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

/// The rooms in the file.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    pub(crate) kinds: BTreeMap<RoomId, RoomKind>,
    /// The records of each room but the hall, the first of which has number 1.
    pub(crate) records: BTreeMap<RoomId, Vec<Shown>>,
    /// The events of rooms that bear the id of a request, by that and their author.
    pub(crate) asked: HashMap<(String, String), (RoomId, u64)>,
    pub(crate) members: BTreeMap<RoomId, BTreeSet<String>>,
    /// The end of what each person is stored to have seen of each room.
    marks: BTreeMap<(RoomId, String), u64>,
}

impl Stored {
    /// Reads everything.
    pub(crate) fn read(file: &Path) -> Self {
        let mut connection = open(file);
        let transaction = connection.transaction().unwrap();
        let mut stored = Self::default();
        stored.read_records(&transaction);
        stored.read_people(&transaction);
        stored
    }

    fn read_records(&mut self, connection: &Connection) {
        each(connection, "SELECT id, kind FROM rooms", |row| {
            let kind: String = row.get(1)?;
            self.kinds.insert(room_id(row.get(0)?), serde_json::from_value(kind.into()).unwrap());
            Ok(())
        });
        let sql = format!(
            "SELECT key, time_ms, author, content, kind, id FROM records \
            WHERE 1 << {SEQ_BITS} <= key ORDER BY key"
        );
        each(connection, &sql, |row| {
            let (key, shown) = shown(row)?;
            let room = room_id(key >> SEQ_BITS);
            if let Some(id) = row.get::<_, Option<String>>(5)?.filter(|_| shown.event.is_some()) {
                let place = (room.clone(), shown.seq);
                self.asked.insert((id, shown.author.clone()), place);
            }
            let records = self.records.entry(room.clone()).or_default();
            assert_eq!(shown.seq, records.len() as u64 + 1, "the numbers of {room:?} in the file");
            records.push(shown);
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

    /// Takes in all that the file has and that nobody need have heard.
    #[track_caller]
    pub(crate) fn tell(&self, oracle: &mut Oracle) {
        for (room, records) in &self.records {
            for Shown { seq, time_ms, author, content, event } in records {
                let event = *event;
                let message = Message { event, ..Message::text(*time_ms, author, content) };
                let copy = Copy::Later { known: records.len() as u64 };
                oracle.check(room.as_str(), *seq, &message, copy);
            }
            let members = self.members.get(room).into_iter().flatten().cloned().collect();
            // The log of a room that is over is kept for a while.
            if let Some(kind) = self.kinds.get(room) {
                oracle.check_stored(room.as_str(), *kind, members);
            }
        }
    }

    /// Returns the rooms that somebody is in, but for the hall, and the last number of each.
    pub(crate) fn rooms_of(&self, name: &str) -> BTreeMap<RoomId, u64> {
        let theirs = self.members.iter().filter(|(_, members)| members.contains(name));
        theirs.map(|(room, _)| (room.clone(), self.records[room].len() as u64)).collect()
    }

    /// Returns true if somebody came into a room by its number `seq`.
    pub(crate) fn is_entry(&self, room: &RoomId, seq: u64, name: &str) -> bool {
        let index = usize::try_from(seq).ok().and_then(|seq| seq.checked_sub(1));
        let record = index.and_then(|index| self.records.get(room)?.get(index));
        record.is_some_and(|record| match record.event {
            Some(RoomEvent::Created | RoomEvent::Joined) => record.author == name,
            Some(RoomEvent::Added) => record.content == name,
            _ => false,
        })
    }

    /// Returns how far somebody has seen a room: that is stored, or they have said something later.
    pub(crate) fn mark(&self, oracle: &Oracle, room: &RoomId, name: &str) -> u64 {
        let stored = self.marks.get(&(room.clone(), name.to_owned())).copied().unwrap_or_default();
        let own = if let Some(records) = self.records.get(room) {
            let own = |it: &&Shown| it.event.is_none() && it.author == name;
            records.iter().rev().find(own).map_or(0, |record| record.seq)
        } else {
            let log = oracle.rooms().get(room.as_str());
            let own = log.and_then(|log| log.messages().rev().find(|it| it.1.author == name));
            own.map_or(0, |(seq, _)| seq)
        };
        stored.max(own)
    }
}

/// Opens the server's file to read it.
pub(crate) fn open(file: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    connection
}

/// Returns the key of a row of `key, time_ms, author, content, kind`, and the record that it is.
pub(crate) fn shown(row: &Row<'_>) -> rusqlite::Result<(u64, Shown)> {
    let (key, content, kind) = (row.get::<_, u64>(0)?, row.get::<_, String>(3)?, row.get(4)?);
    let event = usize::checked_sub(kind, 1).map(|number| EVENTS[number / 2]);
    let seq = key & ((1 << SEQ_BITS) - 1);
    let content = line(&content).to_owned();
    let shown = Shown { seq, time_ms: row.get(1)?, author: row.get(2)?, content, event };
    Ok((key, shown))
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
