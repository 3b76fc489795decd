//! Gaps: the unused bytes between the list of a page's rows and the rows themselves.
//!
//! Where SQLite distributes rows anew among pages, it leaves in the gaps what was there before, even under
//! `secure_delete`: copies of rows that are elsewhere by now, and would stay when those are erased. So
//! the pages of each commit are looked at in the write-ahead log, and those with something in their gaps
//! are written again without it, soon after and before the log of a deletion is emptied. No gap is part
//! of what a page means, so nothing but these bytes changes.

use std::{
    collections::BTreeSet,
    fs::File,
    io, mem,
    ops::Range,
    os::unix::fs::FileExt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rusqlite::{Connection, OptionalExtension, params};

use super::{SqliteStore, health::Health, rows::transaction, separators};

/// The virtual table of pages is there only if SQLite was built with it.
const _: &str = env!("LIBSQLITE3_FLAGS", "build where .cargo/config.toml of pychat is found");
const SELECT_PAGE: &str = "SELECT data FROM sqlite_dbpage WHERE pgno = ?1";
const UPDATE_PAGE: &str = "UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1";

/// The number of pages from which on other kinds of pages can begin as one with rows does: with the
/// number of a page. In a file of 128 GiB or more, nothing is cleaned.
const AMBIGUOUS_PAGES: u32 = 2 << 24;

/// So many pages with something in their gaps do not wait for others.
const WAITING_PAGES: usize = 64;

/// The most pages that are cleaned by one step, and the most of which nothing is known that are looked at.
const STEP_PAGES: usize = 1_024;
const STEP_UNKNOWN: u32 = 64;

/// The pause between two steps while there are pages of which nothing is known.
const STEP_PAUSE: Duration = Duration::from_millis(20);

/// The pause after the last one: what is written meanwhile is cleaned together.
const REST: Duration = Duration::from_secs(1);

/// The bytes before the frames of a write-ahead log, and before the page in each.
const LOG_HEAD_BYTES: usize = 32;
const FRAME_HEAD_BYTES: usize = 24;

/// The most frames that are read at once.
const READ_FRAMES: u64 = 64;

/// The pages whose gaps are to be cleaned, and those of the index of words that were written.
#[derive(Debug)]
pub(super) struct Gaps {
    found: Arc<Mutex<Found>>,
    /// The first of the pages of which nothing is known, and of those of the index.
    unknown: Option<u32>,
    unknown_leaf: Option<i64>,
    /// The earliest time of the next step.
    next_at: Option<Instant>,
}

/// The pages that were written with something in their gaps, and those of the index.
#[derive(Debug, Default)]
struct Found {
    dirty: BTreeSet<u32>,
    leaves: BTreeSet<i64>,
    /// The write-ahead log could not be read: any page may be one of them.
    is_unknown: bool,
}

impl Gaps {
    /// Follows what `connection`, the only one that writes, adds to the write-ahead log at `path`. Nothing
    /// is known of the pages that are there if `is_unknown`.
    pub(super) fn follow(
        connection: &mut Connection,
        path: &Path,
        is_unknown: bool,
    ) -> rusqlite::Result<Self> {
        connection.prepare_cached(SELECT_PAGE)?;
        let found = Arc::new(Mutex::new(Found::default()));
        let (shared, mut log) = (Arc::clone(&found), WriteAheadLog::open(path));
        let look = move |_: &mut rusqlite::hooks::Wal, n_frames: i32| {
            let mut found = lock(&shared);
            let read = log.as_mut().map(|log| log.read(n_frames, &mut found.dirty));
            found.is_unknown |= !matches!(read, Ok(Ok(())));
            Ok(())
        };
        connection.wal_hook(Some(look))?;
        let shared = Arc::clone(&found);
        let note = move |_, _: &str, table: &str, id| {
            if table == separators::PAGES && separators::has_terms(id) {
                lock(&shared).leaves.insert(id);
            }
        };
        connection.update_hook(Some(note))?;
        let (unknown, unknown_leaf) = (is_unknown.then_some(1), is_unknown.then_some(1));
        Ok(Self { found, unknown, unknown_leaf, next_at: None })
    }

    /// Returns true if nothing is in any gap, as far as it is known.
    pub(super) fn are_clean(&self) -> bool {
        lock(&self.found).len() == 0
    }

    /// Returns true if everything is known.
    fn are_known(&self) -> bool {
        self.unknown.is_none() && self.unknown_leaf.is_none() && !lock(&self.found).is_unknown
    }

    /// Cleans some pages.
    fn step(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let (dirty, leaves) = lock(&self.found).some();
        transaction(connection, |connection| {
            leaves.iter().try_for_each(|leaf| separators::renew(connection, *leaf))?;
            let n_pages = n_pages(connection)?;
            dirty
                .iter()
                .filter(|_| n_pages < AMBIGUOUS_PAGES)
                .try_for_each(|it| clean(connection, *it))
        })?;
        lock(&self.found).remove(&dirty, &leaves);
        Ok(())
    }

    /// Finds out about some pages of which nothing is known.
    fn look(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if mem::take(&mut lock(&self.found).is_unknown) {
            self.unknown = Some(1);
        }
        if let Some(first) = self.unknown {
            let (n_pages, next) = (n_pages(connection)?, first.saturating_add(STEP_UNKNOWN));
            let last = n_pages.min(next - 1);
            let dirty = (first..=last).map(|it| Ok(filled_page(connection, it)?.map(|_| it)));
            let dirty: rusqlite::Result<Vec<_>> = dirty.filter_map(Result::transpose).collect();
            lock(&self.found).dirty.extend(dirty?);
            self.unknown = Some(next).filter(|next| *next <= n_pages);
        }
        if let Some(first) = self.unknown_leaf {
            let leaves = separators::pages(connection, first, STEP_UNKNOWN)?;
            self.unknown_leaf = leaves.last().map(|last| last + 1);
            let with_terms = leaves.into_iter().filter(|leaf| separators::has_terms(*leaf));
            lock(&self.found).leaves.extend(with_terms);
        }
        Ok(())
    }
}

impl Found {
    fn len(&self) -> usize {
        self.dirty.len() + self.leaves.len()
    }

    /// Returns as many as one step is for.
    fn some(&self) -> (Vec<u32>, Vec<i64>) {
        let dirty = self.dirty.iter().copied().take(STEP_PAGES);
        (dirty.collect(), self.leaves.iter().copied().take(STEP_PAGES).collect())
    }

    fn remove(&mut self, dirty: &[u32], leaves: &[i64]) {
        self.dirty.retain(|page| dirty.binary_search(page).is_err());
        self.leaves.retain(|leaf| leaves.binary_search(leaf).is_err());
    }
}

impl SqliteStore {
    /// Cleans a few gaps, if it is time for it; returns when there is more to do.
    pub(super) fn clean_gaps(&mut self, now: Instant) -> Option<Instant> {
        let is_erasing = self.checkpointer.is_erasing(now);
        let (gaps, connection) = (&mut self.checkpointer.gaps, &self.connection);
        let is_due = gaps.next_at.is_none_or(|next_at| next_at <= now);
        // A file that may be damaged is left alone.
        let was_looking = !gaps.are_known() && matches!(self.health, Health::Fine);
        let (mut is_looking, mut is_done) = (was_looking, true);
        if is_looking && is_due {
            is_done = gaps.look(connection).is_ok();
            is_looking = !gaps.are_known();
        }
        let n_found = lock(&gaps.found).len();
        if 0 < n_found && (is_due || is_erasing || WAITING_PAGES <= n_found) {
            is_done &= gaps.step(connection).is_ok();
        } else if !(was_looking && is_due) {
            return gaps.next_at.filter(|_| is_looking || 0 < n_found);
        }
        let next_at = now + if is_done && is_looking { STEP_PAUSE } else { REST };
        gaps.next_at = Some(next_at);
        let is_more = is_looking || !gaps.are_clean();
        if was_looking && !is_looking {
            self.checkpointer.erase(now);
        }
        is_more.then_some(next_at)
    }

    /// Cleans all gaps that are known; returns true if no others are left.
    pub(super) fn finish_gaps(&mut self) -> bool {
        let gaps = &mut self.checkpointer.gaps;
        while !gaps.are_clean() && gaps.step(&self.connection).is_ok() {}
        gaps.are_known() && gaps.are_clean()
    }
}

/// The write-ahead log as a file.
#[derive(Debug)]
struct WriteAheadLog {
    file: File,
    /// Numbers that the frames in use have in common; others each time that it is begun anew.
    salts: [u8; 8],
    /// The number of frames that were looked at.
    n_looked: u64,
    frames: Vec<u8>,
}

impl WriteAheadLog {
    fn open(path: &Path) -> io::Result<Self> {
        let (salts, n_looked, frames) = ([0; 8], 0, Vec::new());
        Ok(Self { file: File::open(path)?, salts, n_looked, frames })
    }

    /// Looks at the frames that are new, of so many; adds the pages with something in their gaps to `dirty`,
    /// and removes others.
    fn read(&mut self, n_frames: i32, dirty: &mut BTreeSet<u32>) -> io::Result<()> {
        let n_frames = u64::try_from(n_frames).unwrap_or(0);
        let mut head = [0; LOG_HEAD_BYTES];
        self.file.read_exact_at(&mut head, 0)?;
        if head[16..24] != self.salts {
            self.salts.copy_from_slice(&head[16..24]);
            self.n_looked = 0;
        }
        let frame_bytes = FRAME_HEAD_BYTES + number(&head, 8) as usize;
        while self.n_looked < n_frames {
            let count = (n_frames - self.n_looked).min(READ_FRAMES);
            let bytes = count as usize * frame_bytes;
            if self.frames.len() < bytes {
                self.frames.resize(bytes, 0);
            }
            let frames = &mut self.frames[..bytes];
            let begin = LOG_HEAD_BYTES as u64 + self.n_looked * frame_bytes as u64;
            self.file.read_exact_at(frames, begin)?;
            for frame in frames.chunks_exact(frame_bytes) {
                let (head, page) = frame.split_at(FRAME_HEAD_BYTES);
                let number = number(head, 0);
                if filled_gap(number, page).is_some() {
                    dirty.insert(number);
                } else {
                    dirty.remove(&number);
                }
            }
            self.n_looked += count;
        }
        Ok(())
    }
}

/// Writes a page without what is in its gap, if anything is.
fn clean(connection: &Connection, number: u32) -> rusqlite::Result<()> {
    if let Some((mut page, gap)) = filled_page(connection, number)? {
        page[gap].fill(0);
        connection.prepare_cached(UPDATE_PAGE)?.execute(params![number, page])?;
    }
    Ok(())
}

/// Returns a page and the place of its gap, if anything is in that.
fn filled_page(
    connection: &Connection,
    number: u32,
) -> rusqlite::Result<Option<(Vec<u8>, Range<usize>)>> {
    let mut select = connection.prepare_cached(SELECT_PAGE)?;
    let filled = select.query_row([number], |row| {
        let page = row.get_ref(0)?.as_blob()?;
        Ok(filled_gap(number, page).map(|gap| (page.to_owned(), gap)))
    });
    Ok(filled.optional()?.flatten())
}

fn n_pages(connection: &Connection) -> rusqlite::Result<u32> {
    connection.prepare_cached("PRAGMA page_count")?.query_row([], |row| row.get(0))
}

/// Returns the place of the gap of a page with this number, if it has rows and something is in it.
fn filled_gap(number: u32, page: &[u8]) -> Option<Range<usize>> {
    let head = if number == 1 { 100 } else { 0 };
    let head_bytes = match page.get(head)? {
        2 | 5 => 12, // It leads to other pages.
        10 | 13 => 8,
        _ => return None,
    };
    let short = |place: usize| {
        let bytes = page.get(place..place + 2)?.try_into().ok()?;
        Some(usize::from(u16::from_be_bytes(bytes)))
    };
    let begin = head + head_bytes + 2 * short(head + 3)?;
    let end = match short(head + 5)? {
        0 => 1 << 16,
        end => end,
    };
    let gap = page.get(begin..end)?;
    // As a whole, which is one instruction for many bytes.
    let is_filled = gap.chunks(64).any(|bytes| bytes.iter().fold(0, |all, byte| all | byte) != 0);
    is_filled.then_some(begin..end)
}

/// Returns the number of four bytes that is in this place.
fn number(bytes: &[u8], place: usize) -> u32 {
    bytes[place..place + 4].try_into().map_or(0, u32::from_be_bytes)
}

/// A lock that nobody holds for long, and that is as good as new if its holder panicked.
fn lock(found: &Mutex<Found>) -> MutexGuard<'_, Found> {
    found.lock().unwrap_or_else(PoisonError::into_inner)
}
