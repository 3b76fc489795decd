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
    mem,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::{Connection, wal::CheckpointMode};

use super::{
    child::{CHILD_POLL, Child, Progress, Task},
    gaps::Gaps,
};

/// The number of pages, of 4 KiB each, from which on moving them is worth while.
pub const WAITING_PAGES_HIGH: i32 = 1_024;

/// The length of the write-ahead log, in pages, from which on the server moves what a child leaves.
pub const WRITTEN_PAGES_HIGH: i32 = 3 * WAITING_PAGES_HIGH;

/// The longest that a child may take; a disk that takes longer takes as long for the server.
const CHILD_TIMEOUT: Duration = Duration::from_secs(10);

/// The time after which the write-ahead log is emptied when words were erased, and the least from one such
/// time to the next: it waits for the disk.
const ERASE_PAUSE: Duration = Duration::from_secs(5);

/// The pause before the next try when something stands in the way: a full disk, or a program that
/// reads the log.
const REST: Duration = Duration::from_secs(1);

/// Keeps the write-ahead log from growing for ever.
#[derive(Debug)]
pub(super) struct Checkpointer {
    file: PathBuf,
    program: Option<PathBuf>,
    running: Option<Child>,
    /// The time before which it is not tried again, as it did not work.
    rest_until: Option<Instant>,
    /// When the write-ahead log is emptied, if there may be words in it that were erased.
    erase_at: Option<Instant>,
    /// It is to be emptied at once, as nobody knows what is in it.
    is_unknown: bool,
    /// The pages that have copies of words yet: before those are gone, nothing is erased.
    pub(super) gaps: Gaps,
}

impl Checkpointer {
    /// Returns one for the log in `file`, which does all itself if there is no `program` for it. Nobody
    /// knows what is in the write-ahead log if `is_unknown`.
    pub(super) fn new(file: &Path, program: Option<PathBuf>, gaps: Gaps, is_unknown: bool) -> Self {
        let (file, erase_at) = (file.to_owned(), None);
        Self { file, program, running: None, rest_until: None, erase_at, is_unknown, gaps }
    }

    /// Has the write-ahead log emptied soon, as words were erased that may be in it.
    pub(super) fn erase(&mut self, now: Instant) {
        self.erase_at.get_or_insert(now + ERASE_PAUSE);
    }

    /// Returns true if it is time to empty the write-ahead log of words that were erased.
    pub(super) fn is_erasing(&self, now: Instant) -> bool {
        self.erase_at.is_some_and(|erase_at| erase_at <= now)
    }

    /// Returns the program that does what takes long.
    pub(super) fn program(&self) -> Option<&Path> {
        self.program.as_deref()
    }

    /// Does what is to be done by `now`; returns when there is more for the time alone.
    ///
    /// A move that fails is tried again: nothing is lost by that, the write-ahead log only grows.
    pub(super) fn maintain(&mut self, now: Instant, connection: &Connection) -> Option<Instant> {
        let had_child = self.running.is_some();
        if let Some(running) = &mut self.running {
            if running.progress(now) == Progress::AtWork {
                return Some(now + CHILD_POLL);
            }
            self.running = None;
        }
        if mem::take(&mut self.is_unknown) {
            self.erase_at = Some(now);
        }
        let pages = Pages::of(connection);
        if !self.gaps.are_clean() && self.is_erasing(now) {
            self.erase_at = Some(now + REST);
        }
        let is_erasing = self.is_erasing(now);
        let is_resting = self.rest_until.is_some_and(|rest_until| now < rest_until);
        // Emptying waits for the disk only for what a child has left.
        let is_much = WAITING_PAGES_HIGH <= pages.waiting;
        let is_due = is_much || is_erasing && !had_child && 0 < pages.waiting;
        if had_child && pages.is_much_left() {
            self.move_all(now, connection);
        } else if is_due && !is_resting {
            let program = self.program.as_deref();
            self.running = Child::start(program, Task::Checkpoint, &self.file, now + CHILD_TIMEOUT);
            if self.running.is_some() {
                return Some(now + CHILD_POLL);
            }
            self.move_all(now, connection);
        }
        if is_erasing {
            let emptied = connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::TRUNCATE);
            self.erase_at = emptied.is_err().then(|| now + ERASE_PAUSE);
        }
        self.erase_at
    }

    /// Moves what there is to move, and waits for the disk.
    fn move_all(&mut self, now: Instant, connection: &Connection) {
        let moved = connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::PASSIVE);
        let is_all = moved.is_ok_and(|(written, moved)| written <= moved);
        self.rest_until = (!is_all).then(|| now + REST);
    }
}

/// The pages of the write-ahead log, by number.
#[derive(Clone, Copy, Debug, Default)]
struct Pages {
    /// Written since it was begun anew.
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
