//! Where pages of the history begin, the same in each log.

use pychat_server::{
    core::id::HALL,
    store::{Records, Retention, Store},
};

use super::shelf::{Shelf, draft, read, say, stores};

/// Says one text of each size.
fn fill(store: &mut dyn Store, sizes: &[usize]) {
    for size in sizes {
        // Two bytes a letter: sizes are in bytes.
        say(store, 5, vec![draft("Анна", &"я".repeat(size / 2), None)]);
    }
}

#[test]
fn a_page_has_the_newest_messages_that_fit() {
    let shelf = Shelf::new();
    for mut store in stores(&shelf, Retention::default()) {
        assert_eq!(
            store.page_start(HALL, 1, 500, 1_000, Records::All),
            Ok(Some(1)),
            "nothing is kept"
        );
        fill(&mut *store, &[10, 20, 5_000, 30, 40, 0]);
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
            let found = store.page_start(HALL, before, limit, bytes_max, Records::All);
            assert_eq!(found, Ok(Some(start)), "{limit} before {before} of {bytes_max} bytes");
        }
    }
}

#[test]
fn what_is_read_together_is_what_is_read_one_by_one() {
    let shelf = Shelf::new();
    for mut store in stores(&shelf, Retention::default()) {
        for round in 1..4 {
            fill(&mut *store, &[10, 20]);
            let alone = read(&mut *store);
            store.begin_reading();
            assert_eq!([read(&mut *store), read(&mut *store)], [alone.clone(), alone]);
            assert_eq!(store.page_start(HALL, u64::MAX, 1, 500, Records::All), Ok(Some(2 * round)));
            store.end_reading();
        }
        store.end_reading();
        assert_eq!(read(&mut *store).len(), 6, "an end without a beginning changes nothing");
    }
    assert_eq!(read(&mut shelf.open()).len(), 6);
}
