//! The beginning of a session: the lock that says whose the log is, the schema, and the names of both
//! sides. What a server needs then is [loaded](super::loading).

use std::time::{Duration, Instant};

use super::{
    journal::Journal,
    link::{Answers, damage},
    loading::{self, Loaded},
    schema,
    sharing::{self, Sharing},
    statement::Statement,
};
use crate::core::{elsewhere::ServerId, record::StorageError};

/// The number of the lock of a database: it is `pychat` in letters. Servers that share it, share that.
pub(super) const LOCK: i64 = i64::from_be_bytes(*b"\0\0pychat");

/// The number of the lock of a server that begins, and may change the schema.
const BEGIN_LOCK: i64 = i64::from_be_bytes(*b"\0\0pybegi");

/// The settings of the session. A transaction is never left open by a server that is busy; one that is, is
/// of a server that is gone. A commit that is answered outlives the database's process.
const SETTINGS: &str = "SELECT set_config('search_path', 'pychat', FALSE), \
    set_config('application_name', $1, FALSE), \
    set_config('lock_timeout', '5s', FALSE), \
    set_config('idle_in_transaction_session_timeout', '3s', FALSE), \
    set_config('default_transaction_isolation', 'read committed', FALSE), \
    set_config('synchronous_commit', CASE current_setting('synchronous_commit') \
        WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, FALSE)";
pub(super) const TRY_LOCK: &str = "SELECT pg_try_advisory_lock($1)";
const LOCK_AGAIN: &str = "SELECT 1 FROM pg_advisory_lock($1)";
/// The second lock is tried only if there is the first one.
const TRY_LOCK_SHARED: &str = "SELECT CASE WHEN pg_try_advisory_lock_shared($1) \
    THEN pg_try_advisory_lock($2) ELSE FALSE END";
const LOCK_SHARED_AGAIN: &str = "SELECT 1 FROM pg_advisory_lock_shared($1)";
const UNLOCK: &str = "SELECT pg_advisory_unlock($1)";
/// Ends the session that this server had before, if the database does not know yet that it is lost. One that
/// waits for a standby is left alone: its transaction would be seen by all, and might be lost all the same.
const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE application_name = $1 AND usename = current_user AND datname = current_database() \
    AND pid <> pg_backend_pid() AND wait_event IS DISTINCT FROM 'SyncRep'";

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
/// Servers that were there before know what must be there, and say so when they come back; that may be a
/// while after their leases, which could not be renewed either.
const MUST_WAIT: &str = concat!(
    "SELECT EXISTS (SELECT FROM meta WHERE origin <> ",
    origin!(),
    ") AND EXISTS (SELECT FROM leases WHERE NOT gone AND server <> $1)"
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
/// The same, where others share the log: if the end of the journal is missing, or the last batch of this
/// server, it is another epoch. All servers find that, and start anew.
const KEEP_ORIGIN: &str = concat!(
    "UPDATE meta SET origin = ",
    origin!(),
    ", epoch = CASE WHEN (SELECT number FROM journal_end) < $1 \
        OR coalesce((SELECT batch FROM servers WHERE server = $2), -1) < $3 \
        THEN replace(gen_random_uuid()::text, '-', '') ELSE epoch END RETURNING epoch"
);
const INSERT_SERVER: &str =
    "INSERT INTO servers (server, batch) VALUES ($1, 0) ON CONFLICT DO NOTHING";
const DELETE_SERVERS: &str = "DELETE FROM servers WHERE seen < now() - interval '1 day' \
    AND server NOT IN (SELECT server FROM leases WHERE NOT gone)";
/// Waits for a transaction of the session before. With its own commit, that one is as durable as this.
const UPDATE_SERVER: &str = "UPDATE servers SET seen = now() WHERE server = $1 RETURNING batch";
/// The time for which the lock of an earlier server, or the database itself, is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_millis(200);

/// The longest time for which a server is waited for that knows the log: it may not know for a while yet that
/// its session is lost.
const WITNESS_PATIENCE: Duration = Duration::from_secs(30);

/// The beginning of the first session.
#[derive(Debug)]
pub(super) struct Beginning {
    step: Step,
    /// When it began, and the earliest time of the next exchange.
    began: Option<Instant>,
    pub(super) retry_at: Option<Instant>,
    new_epoch: String,
    /// Others may share the log.
    pub(super) sharing: Option<Sharing>,
    /// The name of the process that is gone whose place this one takes.
    pub(super) predecessor: Option<String>,
    /// The name of the log, and the number of this server.
    entered: (String, ServerId),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    Claim,
    Create {
        has_schema: bool,
    },
    Version,
    Migrate {
        version: usize,
    },
    /// Others may have to say first that the log is whole.
    Wait {
        since: Instant,
    },
    Enter,
    Bury(ServerId),
    Load,
}

/// The outcome of an exchange of the beginning.
pub(super) enum Begun {
    /// There is another.
    Next,
    All(Box<Loaded>),
}

impl Beginning {
    pub(super) fn new(new_epoch: String) -> Self {
        Self {
            step: Step::Claim,
            began: None,
            retry_at: None,
            new_epoch,
            sharing: None,
            predecessor: None,
            entered: Default::default(),
        }
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
                match &self.sharing {
                    None => Statement::new(TRY_LOCK, [LOCK.into()]),
                    Some(_) => Statement::new(TRY_LOCK_SHARED, [LOCK.into(), BEGIN_LOCK.into()]),
                },
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
            Step::Wait { .. } => {
                let predecessor = self.predecessor.as_deref().unwrap_or_default();
                vec![Statement::new(MUST_WAIT, [predecessor.into()])]
            }
            Step::Enter => self.enter(server),
            Step::Bury(server) => sharing::leave(server).into(),
            Step::Load => loading::load(self.entered.1),
        })
    }

    fn enter(&self, server: &str) -> Vec<Statement> {
        let values = [self.new_epoch.as_str().into(), server.into()];
        let mut enter = vec![
            Statement::new(UPSERT_META, values),
            Statement::new(INSERT_SERVER, [server.into()]),
            Statement::new(DELETE_SERVERS, []),
        ];
        if let Some(sharing) = &self.sharing {
            enter.extend(sharing.enter(server, self.predecessor.as_deref()));
            enter.push(Statement::new(UNLOCK, [BEGIN_LOCK.into()]));
        }
        enter
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
                schema::check_version(version)?;
                match usize::try_from(version) {
                    Ok(version) if version < schema::MIGRATIONS.len() => Step::Migrate { version },
                    _ if self.sharing.is_some() => Step::Wait { since: now },
                    _ => Step::Enter,
                }
            }
            Step::Wait { since } if now < since + WITNESS_PATIENCE && is_true(0)? => {
                self.retry_at = Some(now + RETRY);
                Step::Wait { since }
            }
            Step::Wait { .. } => Step::Enter,
            Step::Create { .. } | Step::Migrate { .. } => Step::Version,
            Step::Enter => {
                let epoch = first(0).ok_or_else(|| damage("a row is missing"))?;
                let server = first(3).map_or(Ok(0), |row| row.get(0))?;
                self.entered = (epoch.get::<&str>(0)?.to_owned(), ServerId(server));
                let predecessor = first(5).filter(|_| self.sharing.is_some());
                let predecessor = predecessor.map(|row| row.get(0)).transpose()?;
                predecessor.map_or(Step::Load, |server| Step::Bury(ServerId(server)))
            }
            Step::Bury(_) => Step::Load,
            Step::Load => {
                let entered = self.entered.clone();
                let loaded = Loaded::read(answers, entered, records_max)?;
                return Ok(Begun::All(Box::new(loaded)));
            }
        };
        Ok(Begun::Next)
    }
}

/// Returns the exchange by which a later session of the same server begins, whose last batch that is known
/// to be committed has the number `committed`.
pub(super) fn come_back(server: &str, committed: u64, journal: Option<&Journal>) -> Vec<Statement> {
    let name = name(server);
    let lock = if journal.is_some() { LOCK_SHARED_AGAIN } else { LOCK_AGAIN };
    let mut statements = vec![
        Statement::new(SETTINGS, [(&*name).into()]),
        Statement::new(TERMINATE, [(&*name).into()]),
        Statement::new(lock, [LOCK.into()]),
        Statement::new(UPDATE_SERVER, [server.into()]),
    ];
    match journal {
        None => statements.push(Statement::new(UPDATE_ORIGIN, [server.into()])),
        Some(journal) => {
            let values = [journal.applied.into(), server.into(), committed.into()];
            statements.extend([Statement::new(KEEP_ORIGIN, values), journal.standing()]);
        }
    }
    statements
}

/// Returns the number of the last batch that the database has of this server, by the answers to
/// [`come_back`], and true if the log is still this server's.
pub(super) fn came_back(answers: &Answers) -> Result<(Option<u64>, bool), StorageError> {
    let first = |index: usize| answers.get(index).and_then(|rows| rows.first());
    let batch = first(3).map(|row| row.get(0)).transpose()?;
    Ok((batch, first(4).is_some()))
}

/// Returns the name of the sessions of a server, and of no other.
fn name(server: &str) -> String {
    format!("pychat-server {server}")
}

/// The settings of a session that only tidies up.
pub(super) fn tidying(server: &str) -> Statement {
    Statement::new(SETTINGS, [format!("{} tidying", name(server)).as_str().into()])
}

/// The settings of a session that hears of others.
pub(super) fn listening(server: &str) -> Statement {
    Statement::new(SETTINGS, [format!("{} listening", name(server)).as_str().into()])
}
