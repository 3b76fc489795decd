//! Moving what was written from the write-ahead log into its place in the file, which waits for the
//! disk, and so is another process's work: the server has one thread, and people wait for it.
//!
//! ```text
//!           4 MiB to move                     all is moved
//!  Waiting ───────────────▶ a child at work ───────────────▶ Waiting
//!                                         │                    ▲
//!                                         └── a rest is left ──┘ which is moved here and now
//! ```
//!
//! A write-ahead log is written from its beginning again when nothing in it is left to be moved.
//! The child tries until there is such a moment; in a room that is never silent there may be none,
//! and the log does the small rest itself. So it does everything if there can be no child.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, wal::CheckpointMode};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};

/// How much is moved at a time, in pages of 4 KiB.
pub const WAITING_PAGES_HIGH: i32 = 1_024;

/// How long a child may take; a disk that takes longer takes as long for the server.
const CHILD_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a child is asked whether it has ended.
const CHILD_POLL: Duration = Duration::from_millis(20);

/// How often a child tries to find a moment in which nothing is added.
const ROUNDS_MAX: usize = 8;

/// The first argument of a process that does this.
const FLAG: &str = "--checkpoint-log";

/// Sees to it that the write-ahead log does not grow for ever.
#[derive(Debug)]
pub(super) struct Checkpointer {
    file: PathBuf,
    program: Option<PathBuf>,
    running: Option<Running>,
}

/// A child at work; it ends with this.
#[derive(Debug)]
struct Running {
    child: Child,
    deadline: Instant,
}

impl Checkpointer {
    /// Returns one for the log in `file`, which does all itself if there is no `program` for it.
    pub(super) fn new(file: &Path, program: Option<PathBuf>) -> Self {
        Self { file: file.to_owned(), program, running: None }
    }

    /// Does what is to be done by `now`; returns when there is more for the time alone.
    ///
    /// What fails is tried again: nothing is lost by that, the write-ahead log only grows.
    pub(super) fn tend(&mut self, now: Instant, connection: &Connection) -> Option<Instant> {
        if let Some(running) = &mut self.running {
            if running.is_at_work(now) {
                return Some(now + CHILD_POLL);
            }
            self.running = None;
            if 0 < waiting_pages(connection) {
                move_all(connection);
            }
        }
        if WAITING_PAGES_HIGH <= waiting_pages(connection) {
            self.running = self.start(now);
            if self.running.is_none() {
                move_all(connection);
            }
        }
        self.running.as_ref().map(|_| now + CHILD_POLL)
    }

    fn start(&self, now: Instant) -> Option<Running> {
        let child = Command::new(self.program.as_ref()?)
            .arg(FLAG)
            .arg(&self.file)
            .arg(std::process::id().to_string())
            .env_clear()
            .process_group(0) // Who stops the server from its terminal means the server.
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Some(Running { child: child.ok()?, deadline: now + CHILD_TIMEOUT })
    }
}

impl Running {
    fn is_at_work(&mut self, now: Instant) -> bool {
        now < self.deadline && matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a child that has been waited for already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns how many pages are still to be moved.
fn waiting_pages(connection: &Connection) -> i32 {
    let counts = connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::NOOP);
    counts.map_or(0, |(written, moved)| written - moved)
}

/// Moves what there is to move, and waits for the disk.
fn move_all(connection: &Connection) {
    // Tried again at the next occasion.
    let _ = connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::PASSIVE);
}

/// What a process is asked to do that a [`Checkpointer`] started.
#[derive(Debug)]
pub struct Job {
    file: PathBuf,
    server: i32,
}

impl Job {
    /// Returns the job that a process was started for by these `arguments`, its own name first; none
    /// if it is a server.
    pub fn from_arguments(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut arguments = arguments.into_iter().skip(1);
        if arguments.next()? != FLAG {
            return None;
        }
        let file = PathBuf::from(arguments.next()?);
        let server = arguments.next()?.to_str()?.parse().ok()?;
        Some(Self { file, server })
    }

    /// Does it. Ends with the server that asked, however that ends.
    pub fn run(&self) -> ExitCode {
        let is_asked = set_parent_process_death_signal(Some(Signal::KILL)).is_ok()
            && getppid().is_some_and(|parent| parent.as_raw_nonzero().get() == self.server);
        if is_asked && self.move_all().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Tries to find a moment in which nothing is left.
    fn move_all(&self) -> rusqlite::Result<()> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.file, flags)?;
        for _ in 0..ROUNDS_MAX {
            let (written, moved) =
                connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::PASSIVE)?;
            if written <= moved {
                break;
            }
        }
        Ok(())
    }
}
