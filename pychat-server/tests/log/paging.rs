//! Where pages of the history begin, the same in either log.

use pychat_server::store::{Log, Memory, Retention};

use super::shelf::{Shelf, draft, say};

/// Says one text of each size.
fn fill(log: &mut Log, sizes: &[usize]) {
    for size in sizes {
        // Two bytes a letter: sizes are in bytes.
        say(log, 5, vec![draft("Анна", &"я".repeat(size / 2), None)]);
    }
}

#[test]
fn a_page_has_the_newest_messages_that_fit() {
    let shelf = Shelf::new();
    let in_memory = || Log::Memory(Memory::new(0, Retention::default()));
    for mut log in [in_memory(), shelf.open()] {
        assert_eq!(log.page_start(1, 500, 1_000), Ok(1), "nothing is kept");
        fill(&mut log, &[10, 20, 5_000, 30, 40, 0]);
        for (before, limit, bytes_max, start) in [
            (7, 500, 6_000, 1),
            (7, 6, 6_000, 1),
            (7, 3, 6_000, 4),
            (7, 0, 6_000, 7),
            (7, 500, 70, 4),
            (7, 500, 69, 5),
            (7, 500, 0, 6),
            (6, 500, 0, 5),
            (4, 500, 1_000, 3),
            (3, 500, 30, 1),
            (1, 500, 1_000, 1),
        ] {
            let found = log.page_start(before, limit, bytes_max);
            assert_eq!(found, Ok(start), "{limit} before {before} of {bytes_max} bytes");
        }
    }
}
