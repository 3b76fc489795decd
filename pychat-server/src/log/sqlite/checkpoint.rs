//! Moving what was written from the write-ahead log into its place in the file, which waits for the
//! disk, and so is another process's work: the server has one thread, and people wait for it.
//!
//! ```text
//!           4 MiB to move              the child has ended
//!  Waiting ───────────────▶ a child ───────────────────────▶ Waiting
//!                                         │                     ▲
//!                                         └── 12 MiB in all ────┘ the rest is moved here and now
//! ```
//!
//! A write-ahead log is written from its beginning again once nothing in it is left to be moved. The
//! child moves most of it, then the little that came meanwhile, until nothing came: people pause to
//! think. In a room that is never silent it may not find such a moment; then the log grows on, and
//! at last does the small rest itself. So it does everything if there can be no child.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, wal::CheckpointMode};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};

/// From how much on it is worth while, in pages of 4 KiB.
pub const WAITING_PAGES_HIGH: i32 = 1_024;

/// How long the write-ahead log may get before the server moves what a child leaves, in pages.
pub const WRITTEN_PAGES_HIGH: i32 = 3 * WAITING_PAGES_HIGH;

/// How long a child may take; a disk that takes longer takes as long for the server.
const CHILD_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a child is asked whether it has ended.
const CHILD_POLL: Duration = Duration::from_millis(20);

/// How often a child tries to find a moment in which nothing is added, and how long it leaves the
/// disk alone in between.
const ROUNDS_MAX: usize = 16;
const ROUND_PAUSE: Duration = Duration::from_millis(10);

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
        let had_child = self.running.is_some();
        if let Some(running) = &mut self.running {
            if running.is_at_work(now) {
                return Some(now + CHILD_POLL);
            }
            self.running = None;
        }
        let pages = Pages::of(connection);
        if had_child && pages.is_much_left() {
            move_all(connection);
        } else if WAITING_PAGES_HIGH <= pages.waiting {
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

/// What is in the write-ahead log.
#[derive(Clone, Copy, Debug, Default)]
struct Pages {
    /// Since it was begun anew.
    written: i32,
    /// Still to be moved.
    waiting: i32,
}

impl Pages {
    fn of(connection: &Connection) -> Self {
        let counts = connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::NOOP);
        counts
            .map(|(written, moved)| Self { written, waiting: written - moved })
            .unwrap_or_default()
    }

    /// Returns true if a child's work was not enough: it failed, or found no end for too long.
    fn is_much_left(self) -> bool {
        WAITING_PAGES_HIGH <= self.waiting || WRITTEN_PAGES_HIGH <= self.written && 0 < self.waiting
    }
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
        // Until it reads something, a connection does not know of the write-ahead log.
        connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
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
}
