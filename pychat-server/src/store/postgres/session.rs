//! The beginning of a session: the lock that says whose the log is, the schema, and all that a server
//! needs to begin.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::{
    link::{Answers, damage},
    people, rooms,
    row::Row,
    schema,
    statement::Statement,
};
use crate::{
    core::{
        id::{HALL, RoomId},
        moderation::Rulebook,
        record::{Invite, Person, PersonId, ReadMark, Room, StorageError},
    },
    store::sqlite::logs::{Ends, Logs},
};

/// The number of the lock of a database: it is `pychat` in letters.
pub(super) const LOCK: i64 = i64::from_be_bytes(*b"\0\0pychat");

/// The settings of the session. A transaction is never left open by a server that is busy; one that is, is
/// of a server that is gone. A commit that is answered outlives the database's process.
const SETTINGS: &str = "SELECT set_config('search_path', 'pychat', FALSE), \
    set_config('application_name', $1, FALSE), \
    set_config('lock_timeout', '5s', FALSE), \
    set_config('idle_in_transaction_session_timeout', '10s', FALSE), \
    set_config('default_transaction_isolation', 'read committed', FALSE), \
    set_config('synchronous_commit', CASE current_setting('synchronous_commit') \
        WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, FALSE)";
pub(super) const TRY_LOCK: &str = "SELECT pg_try_advisory_lock($1)";
const LOCK_AGAIN: &str = "SELECT 1 FROM pg_advisory_lock($1)";
/// Ends the session that this server had before, if the database does not know yet that it is lost.
const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE application_name = $1 AND usename = current_user AND datname = current_database() \
    AND pid <> pg_backend_pid()";

/// The cluster and its timeline.
macro_rules! origin {
    () => {
        "(SELECT system_identifier::text FROM pg_control_system()) || '/' || \
            left(pg_walfile_name(pg_current_wal_lsn()), 8)"
    };
}

/// Another origin is another epoch: the end of the log may be missing.
const UPSERT_META: &str = concat!(
    "INSERT INTO meta (single, epoch, origin, server) VALUES (TRUE, $1, ",
    origin!(),
    ", $2) ON CONFLICT (single) DO UPDATE SET server = excluded.server, origin = excluded.origin, \
        epoch = CASE meta.origin WHEN excluded.origin THEN meta.epoch ELSE excluded.epoch END \
        RETURNING epoch"
);
/// Nothing is missing, so another origin is no other epoch.
const UPDATE_ORIGIN: &str =
    concat!("UPDATE meta SET origin = ", origin!(), " WHERE server = $1 RETURNING epoch");
/// The name of the log, if a server that began now would leave it as it is.
pub(super) const SELECT_EPOCH: &str = concat!("SELECT epoch FROM meta WHERE origin = ", origin!());
/// The name of a log that no server has had yet.
pub(super) const INSERT_META: &str = concat!(
    "INSERT INTO meta (single, epoch, origin, server) VALUES (TRUE, $1, ",
    origin!(),
    ", '')"
);
const INSERT_SERVER: &str = "INSERT INTO servers (server, batch) VALUES ($1, 0)";
const DELETE_SERVERS: &str = "DELETE FROM servers WHERE seen < now() - interval '1 day'";
/// Waits for a transaction of the session before. With its own commit, that one is as durable as this.
const UPDATE_SERVER: &str = "UPDATE servers SET seen = now() WHERE server = $1 RETURNING batch";
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
const SELECT_REMOVED: &str = "SELECT min(removed_ms) FROM records WHERE removed_ms IS NOT NULL";

/// The time for which the lock of an earlier server, or the database itself, is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_millis(200);

/// The beginning of the first session.
#[derive(Debug)]
pub(super) struct Beginning {
    step: Step,
    /// When it began, and the earliest time of the next exchange.
    began: Option<Instant>,
    pub(super) retry_at: Option<Instant>,
    new_epoch: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    Claim,
    Create { has_schema: bool },
    Version,
    Migrate { version: usize },
    Load,
}

/// All that a server needs to begin.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) epoch: String,
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

/// A record near the end of a log.
#[derive(Clone, Copy, Debug)]
pub(super) struct TailRecord {
    pub(super) seq: u64,
    pub(super) person: Option<PersonId>,
    pub(super) is_message: bool,
    pub(super) is_deleted: bool,
}

/// The outcome of an exchange of the beginning.
pub(super) enum Begun {
    /// There is another.
    Next,
    All(Box<Loaded>),
}

impl Beginning {
    pub(super) fn new(new_epoch: String) -> Self {
        Self { step: Step::Claim, began: None, retry_at: None, new_epoch }
    }

    /// Returns true if there was no time left at `now` to wait any longer.
    pub(super) fn is_late(&mut self, now: Instant) -> bool {
        *self.began.get_or_insert(now) + PATIENCE <= now
    }

    /// The session is lost, and what was claimed in it.
    pub(super) fn lost(&mut self) {
        (self.step, self.retry_at) = (Step::Claim, None);
    }

    /// Returns the next exchange, unless it is too early for it.
    pub(super) fn exchange(&mut self, now: Instant, server: &str) -> Option<Vec<Statement>> {
        if self.retry_at.is_some_and(|retry_at| now < retry_at) {
            return None;
        }
        self.retry_at = None;
        let plain = |sql: &'static str| Statement::new(sql, []);
        Some(match self.step {
            Step::Claim => vec![
                Statement::new(SETTINGS, [(&*name(server)).into()]),
                Statement::new(TRY_LOCK, [LOCK.into()]),
                plain(schema::HAS_SCHEMA),
                plain(schema::HAS_VERSION),
            ],
            Step::Create { has_schema } => {
                let create = (!has_schema).then(|| plain(schema::CREATE_SCHEMA));
                let version = [schema::CREATE_VERSION, schema::INSERT_VERSION].map(plain);
                create.into_iter().chain(version).collect()
            }
            Step::Version => vec![plain(schema::SELECT_VERSION)],
            Step::Migrate { version } => {
                let migration = schema::MIGRATIONS[version].iter().map(|sql| plain(sql));
                let next = version as u64 + 1;
                let update = Statement::new(schema::UPDATE_VERSION, [next.into()]);
                migration.chain([update]).collect()
            }
            Step::Load => self.load(server),
        })
    }

    fn load(&self, server: &str) -> Vec<Statement> {
        let values = [self.new_epoch.as_str().into(), server.into()];
        let mut load = vec![
            Statement::new(UPSERT_META, values),
            Statement::new(INSERT_SERVER, [server.into()]),
            Statement::new(DELETE_SERVERS, []),
        ];
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
        ];
        load.extend(read.map(|sql| Statement::new(sql, [])));
        load
    }

    /// Takes in the answers to an exchange.
    pub(super) fn answered(
        &mut self,
        now: Instant,
        answers: &Answers,
        records_max: u64,
    ) -> Result<Begun, StorageError> {
        let first = |index: usize| answers.get(index).and_then(|rows| rows.first());
        let is_true = |index| first(index).map_or(Ok(false), |row| row.get(0));
        self.step = match self.step {
            Step::Claim if !is_true(1)? => {
                if self.is_late(now) {
                    return Err(StorageError::Other("another server uses this database".into()));
                }
                self.retry_at = Some(now + RETRY);
                Step::Claim
            }
            Step::Claim if is_true(3)? => Step::Version,
            Step::Claim => Step::Create { has_schema: is_true(2)? },
            Step::Version => {
                let version: u64 = first(0).map_or(Ok(0), |row| row.get(0))?;
                let known = schema::MIGRATIONS.len();
                match usize::try_from(version) {
                    Ok(version) if version < known => Step::Migrate { version },
                    Ok(version) if version == known => Step::Load,
                    _ => {
                        let words = format!(
                            "the database has version {version}, and this server knows none above {known}"
                        );
                        return Err(StorageError::Other(words));
                    }
                }
            }
            Step::Create { .. } | Step::Migrate { .. } => Step::Version,
            Step::Load => return Loaded::read(answers, records_max).map(Box::new).map(Begun::All),
        };
        Ok(Begun::Next)
    }
}

impl Loaded {
    fn read(answers: &Answers, records_max: u64) -> Result<Self, StorageError> {
        let rows = |index: usize| answers.get(index).map_or(&[][..], Vec::as_slice);
        let one = |index: usize| rows(index).first().ok_or_else(|| damage("a row is missing"));
        let mut logs = Logs::new(records_max);
        let mut over = Vec::new();
        for row in rows(3) {
            let room = rooms::room_id(row, 0)?;
            logs.put(room, Some(ends(row)?));
            over.extend(row.get::<bool>(7)?.then_some(room));
        }
        let people = people::read(rows(4), rows(5), rows(6))?;
        let tails = rows(14).iter().map(|row| Ok((rooms::room_id(row, 0)?, tail(row)?)));
        Ok(Self {
            epoch: one(0)?.get::<&str>(0)?.to_owned(),
            logs,
            over,
            people: (people, PersonId(one(7)?.get(0)?)),
            rooms: rooms::read(rows(8), rows(9))?,
            marks: rooms::read_marks(rows(10))?,
            invites: people::read_invites(rows(11))?,
            rulebook: people::read_rules(rows(12), rows(13))?,
            tails: tails.collect::<Result<_, StorageError>>()?,
            removed_ms: one(15)?.get(0)?,
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

/// Returns the exchange by which a later session of the same server begins.
pub(super) fn come_back(server: &str) -> Vec<Statement> {
    let name = name(server);
    vec![
        Statement::new(SETTINGS, [(&*name).into()]),
        Statement::new(TERMINATE, [(&*name).into()]),
        Statement::new(LOCK_AGAIN, [LOCK.into()]),
        Statement::new(UPDATE_ORIGIN, [server.into()]),
        Statement::new(UPDATE_SERVER, [server.into()]),
    ]
}

/// Returns the number of the last batch that the database has of this server, by the answers to
/// [`come_back`], and true if the log is still this server's.
pub(super) fn came_back(answers: &Answers) -> Result<(Option<u64>, bool), StorageError> {
    let first = |index: usize| answers.get(index).and_then(|rows| rows.first());
    let batch = first(4).map(|row| row.get(0)).transpose()?;
    Ok((batch, first(3).is_some()))
}

/// Returns the name of the sessions of a server, and of no other.
fn name(server: &str) -> String {
    format!("pychat-server {server}")
}

/// The settings of a session that only tidies up.
pub(super) fn tidying(server: &str) -> Statement {
    Statement::new(SETTINGS, [format!("{} tidying", name(server)).as_str().into()])
}

const _: () = assert!(HALL.0 == 0, "the room that SELECT_TAILS names");
