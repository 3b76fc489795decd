//! Work on the log that waits for the disk, done by another process of this program: the server has
//! one thread, and people wait for it.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{self, Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, wal::CheckpointMode};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use super::schema;
use crate::core::record::StorageError;

/// The interval at which a child is asked if it has ended.
pub(super) const CHILD_POLL: Duration = Duration::from_millis(20);

/// The most times that a child tries to find a moment in which nothing is added, and the time for
/// which it leaves the disk alone in between.
const ROUNDS_MAX: usize = 16;
const ROUND_PAUSE: Duration = Duration::from_millis(10);

/// The exit code of a check that found the log damaged.
pub(super) const DAMAGED: u8 = 3;

/// The work of a child.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Task {
    /// Move what was written from the write-ahead log into its place.
    Checkpoint,
    /// Read all of the log to see whether it is damaged.
    Check,
}

impl Task {
    /// The first argument of a process that does it.
    fn flag(self) -> &'static str {
        match self {
            Self::Checkpoint => "--checkpoint-log",
            Self::Check => "--check-log",
        }
    }
}

/// The progress of a process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Progress {
    AtWork,
    /// It ended, with this exit code if it did so by itself and in time.
    Ended(Option<i32>),
}

/// A process at work; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Child {
    process: process::Child,
    deadline: Instant,
}

impl Child {
    /// Starts `program`, which is this one, to work on the log in `file` until `deadline` at most.
    pub(super) fn start(
        program: Option<&Path>,
        task: Task,
        file: &Path,
        deadline: Instant,
    ) -> Option<Self> {
        let process = Command::new(program?)
            .arg0("pychat-server")
            .arg(task.flag())
            .arg(file)
            .arg(process::id().to_string())
            .env_clear()
            .process_group(0) // Who stops the server from its terminal means the server.
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Some(Self { process: process.ok()?, deadline })
    }

    /// Returns its progress by `now`.
    pub(super) fn progress(&mut self, now: Instant) -> Progress {
        match self.process.try_wait() {
            Ok(None) if now < self.deadline => Progress::AtWork,
            Ok(status) => Progress::Ended(status.and_then(|status| status.code())),
            Err(_) => Progress::Ended(None),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail only for a child that has been waited for already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The work that a server started this process for.
#[derive(Debug)]
pub struct Job {
    task: Task,
    file: PathBuf,
    server: i32,
}

impl Job {
    /// Returns the job that a process was started for by these `arguments`, its own name first; none
    /// if it is a server.
    pub fn from_arguments(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut arguments = arguments.into_iter().skip(1);
        let flag = arguments.next()?;
        let task = [Task::Checkpoint, Task::Check].into_iter().find(|task| flag == task.flag())?;
        let file = PathBuf::from(arguments.next()?);
        let server = arguments.next()?.to_str()?.parse().ok()?;
        Some(Self { task, file, server })
    }

    /// Does it. Ends with the server that asked, however that ends.
    pub fn run(&self) -> ExitCode {
        let is_asked = set_parent_process_death_signal(Some(Signal::KILL)).is_ok()
            && getppid().is_some_and(|parent| parent.as_raw_nonzero().get() == self.server);
        if !is_asked {
            return ExitCode::FAILURE;
        }
        let result = match self.task {
            Task::Checkpoint => self.move_all().map_err(StorageError::from),
            Task::Check => self.check(),
        };
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(StorageError::Damaged(_)) => ExitCode::from(DAMAGED),
            Err(_) => ExitCode::FAILURE,
        }
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.file, flags)?;
        // Until it reads something, a connection does not know of the write-ahead log.
        connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
        Ok(connection)
    }

    /// Tries to find a moment in which nothing is left.
    fn move_all(&self) -> rusqlite::Result<()> {
        let connection = self.open()?;
        for _ in 0..ROUNDS_MAX {
            let (written, moved) =
                connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::PASSIVE)?;
            if written <= moved {
                break;
            }
            thread::sleep(ROUND_PAUSE);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), StorageError> {
        schema::check_health(&self.open()?)
    }
}
