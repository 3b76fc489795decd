//! All that a server needs to begin, read in one exchange, as it is at one moment.

use std::collections::HashMap;

use pychat_wire::message::RoomEvent;

use super::{
    link::{Answers, damage},
    people, rooms,
    row::Row,
    sharing,
    statement::Statement,
};
use crate::{
    core::{
        elsewhere::{Present, ServerId},
        id::{HALL, RoomId},
        moderation::Rulebook,
        record::{Entry, Invite, Kind, Person, PersonId, ReadMark, Room, State, StorageError},
    },
    store::sqlite::logs::{Ends, Logs},
};

const SELECT_LOGS: &str = "SELECT logs.room, last_seq, last_ms, last_bytes, seq, time_ms, begin_bytes, \
    0 < logs.room AND NOT EXISTS (SELECT FROM rooms WHERE id = logs.room) FROM logs \
    LEFT JOIN LATERAL (SELECT seq, time_ms, begin_bytes FROM records WHERE room = logs.room \
    ORDER BY seq LIMIT 1) AS first ON TRUE";
/// The newest records of each room that a page shows, without their words.
const SELECT_TAILS: &str = "SELECT logs.room, array_agg(seq), array_agg(person), array_agg(flags) \
    FROM logs CROSS JOIN LATERAL (SELECT seq, coalesce(person, -1) AS person, \
        (kind = 0)::int::bigint + 2 * (words <> 0)::int::bigint AS flags \
        FROM records WHERE room = logs.room AND kind < 64 ORDER BY seq DESC \
        LIMIT (CASE logs.room WHEN 0 THEN 8192 ELSE 512 END)) AS tail GROUP BY logs.room";
const SELECT_NUMBER: &str = "SELECT number FROM journal_end";
/// All that is read is of one moment.
const BEGIN_READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const END_READING: &str = "COMMIT";
const SELECT_REMOVED: &str = "SELECT min(removed_ms) FROM records WHERE removed_ms IS NOT NULL";

/// All that a server needs to begin.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) entered: Entered,
    pub(super) logs: Logs,
    /// The rooms that there are no more, and of which there is a log.
    pub(super) over: Vec<RoomId>,
    pub(super) people: (Vec<Person>, PersonId),
    pub(super) rooms: Vec<Room>,
    pub(super) marks: Vec<ReadMark>,
    pub(super) invites: Vec<Invite>,
    pub(super) rulebook: Rulebook,
    pub(super) tails: HashMap<RoomId, Vec<TailRecord>>,
    pub(super) removed_ms: Option<u64>,
}

/// A log as a server finds it.
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) epoch: String,
    /// The number of the server, and that of the last entry of the journal.
    pub(super) server: ServerId,
    pub(super) number: u64,
    /// Those present on other servers.
    pub(super) present: Vec<Present>,
}

/// A record near the end of a log.
#[derive(Clone, Copy, Debug)]
pub(super) struct TailRecord {
    pub(super) seq: u64,
    pub(super) person: Option<PersonId>,
    pub(super) is_message: bool,
    pub(super) is_deleted: bool,
}

impl TailRecord {
    /// Returns it as far as it is known: without words, author and time.
    pub(super) fn entry(&self) -> Entry<'static> {
        let event = RoomEvent::Unknown;
        let state = State { is_deleted: self.is_deleted, ..State::default() };
        Entry {
            seq: self.seq,
            time_ms: 0,
            author: "",
            person: self.person,
            kind: if self.is_message {
                Kind::Text("")
            } else {
                Kind::Event { event, subject: None }
            },
            id: None,
            reply: None,
            state,
        }
    }
}

/// Returns the exchange that reads all of it; `server` is the number of the server.
pub(super) fn load(server: ServerId) -> Vec<Statement> {
    let mut load = vec![Statement::new(BEGIN_READING, [])];
    let read = [
        SELECT_LOGS,
        people::SELECT_PEOPLE,
        people::SELECT_NAMES,
        people::SELECT_KEYS,
        people::SELECT_LAST_PERSON,
        rooms::SELECT_ROOMS,
        rooms::SELECT_MEMBERS,
        rooms::SELECT_MARKS,
        people::SELECT_INVITES,
        people::SELECT_SANCTIONS,
        people::SELECT_RULES,
        SELECT_TAILS,
        SELECT_REMOVED,
        SELECT_NUMBER,
    ];
    load.extend(read.map(|sql| Statement::new(sql, [])));
    load.push(Statement::new(sharing::SELECT_PRESENT, [server.0.into()]));
    load.push(Statement::new(END_READING, []));
    load
}

impl Loaded {
    pub(super) fn read(
        answers: &Answers,
        (epoch, server): (String, ServerId),
        records_max: u64,
    ) -> Result<Self, StorageError> {
        let rows = |index: usize| answers.get(index).map_or(&[][..], Vec::as_slice);
        let one = |index: usize| rows(index).first().ok_or_else(|| damage("a row is missing"));
        let mut logs = Logs::new(records_max);
        let mut over = Vec::new();
        for row in rows(1) {
            let room = rooms::room_id(row, 0)?;
            logs.put(room, Some(ends(row)?));
            over.extend(row.get::<bool>(7)?.then_some(room));
        }
        let people = people::read(rows(2), rows(3), rows(4))?;
        let tails = rows(12).iter().map(|row| Ok((rooms::room_id(row, 0)?, tail(row)?)));
        Ok(Self {
            entered: Entered {
                epoch,
                server,
                number: one(14)?.get(0)?,
                present: sharing::read_present(rows(15))?,
            },
            logs,
            over,
            people: (people, PersonId(one(5)?.get(0)?)),
            rooms: rooms::read(rows(6), rows(7))?,
            marks: rooms::read_marks(rows(8))?,
            invites: people::read_invites(rows(9))?,
            rulebook: people::read_rules(rows(10), rows(11))?,
            tails: tails.collect::<Result<_, StorageError>>()?,
            removed_ms: one(13)?.get(0)?,
        })
    }
}

fn ends(row: &Row) -> Result<Ends, StorageError> {
    let (last_seq, last_ms, last_bytes) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let first_seq: Option<u64> = row.get(4)?;
    Ok(Ends {
        first_seq: first_seq.unwrap_or(last_seq + 1),
        first_ms: row.get(5)?,
        last_seq,
        last_ms,
        first_bytes: row.get::<Option<u64>>(6)?.unwrap_or(last_bytes),
        last_bytes,
    })
}

/// Returns the records near the end of a log, oldest first.
fn tail(row: &Row) -> Result<Vec<TailRecord>, StorageError> {
    let (seqs, people, flags): (Vec<i64>, Vec<i64>, Vec<i64>) =
        (row.get(1)?, row.get(2)?, row.get(3)?);
    let record = |((seq, person), flags): ((i64, i64), i64)| TailRecord {
        seq: seq.cast_unsigned(),
        person: u64::try_from(person).ok().map(PersonId),
        is_message: flags & 1 != 0,
        is_deleted: flags & 2 != 0,
    };
    let mut tail: Vec<_> = seqs.into_iter().zip(people).zip(flags).map(record).collect();
    tail.sort_unstable_by_key(|record| record.seq);
    Ok(tail)
}

const _: () = assert!(HALL.0 == 0, "the room that SELECT_TAILS names");
