//! The whole log, read to find what is wrong with it.

use std::path::Path;

use super::{ArchiveError, LOG_FILE, progress::Progress};
use crate::store::{Contents, sqlite::Snapshot};

/// The most lines that tell what is wrong.
const WRONG_MAX: u64 = 100;

/// Checks the log in a folder.
pub(super) fn run(state: &Path, progress: Progress) -> Result<(), ArchiveError> {
    let log = Snapshot::open(&state.join(LOG_FILE))?;
    log.require_current()?;
    log.hold()?;
    let (contents, n_wrong) = examine(&log, progress.part())?;
    if 0 < n_wrong {
        return Err(ArchiveError::Wrong(n_wrong));
    }
    progress.end(&format!("Nothing is wrong with {}.", words(contents)));
    Ok(())
}

/// Reads all of a log, and prints what is wrong with it; returns what there is in it, and how many
/// things are wrong.
#[expect(clippy::print_stdout, reason = "the answer")]
pub(super) fn examine(
    log: &Snapshot,
    mut progress: Progress,
) -> Result<(Contents, u64), ArchiveError> {
    let mut n_wrong = 0;
    let mut wrong = |words: String| {
        n_wrong += 1;
        if n_wrong <= WRONG_MAX {
            println!("{words}");
        }
    };
    log.check(&mut wrong, &mut |done, all| progress.show("Checking", done, all))?;
    progress.clear();
    if WRONG_MAX < n_wrong {
        println!("and {} more", n_wrong - WRONG_MAX);
    }
    // A file that is damaged may not say how much there is in it.
    let contents = if n_wrong == 0 { log.contents()? } else { Contents::default() };
    Ok((contents, n_wrong))
}

/// Returns what there is in a log, in words.
pub(super) fn words(contents: Contents) -> String {
    let count = |number: u64, one: &str, many: &str| {
        format!("{number} {}", if number == 1 { one } else { many })
    };
    let Contents { rooms, records, people } = contents;
    let records = count(records, "record", "records");
    let rooms = count(rooms, "room", "rooms");
    format!("{records} of {rooms} and {}", count(people, "person", "people"))
}
