//! Forgetting in rooms: the limits of each, and those of all together.

use std::time::{Duration, Instant};

use pychat_server::{
    core::id::{HALL, RoomId},
    store::{MESSAGE_BYTES, Memory, Retention, Store, sqlite::TRIM_STEP},
};

use super::shelf::{Shelf, at, carry_out, draft, rest, stores, to};

const ONE: RoomId = RoomId(1);
const TWO: RoomId = RoomId(2);

/// Says as much in a room as is said here, at this time.
fn say(store: &mut dyn Store, room: RoomId, utc_ms: u64, count: u64) {
    carry_out(store, utc_ms, (0..count).map(|_| to(room, draft("x", "0123456789", None)))).unwrap();
}

/// Maintains the store until it has nothing to do for a while; returns the number of steps.
fn settle(store: &mut dyn Store, now: Instant, utc_ms: u64) -> usize {
    let (mut time, mut steps) = (now, 0);
    loop {
        let before: u64 = [HALL, ONE, TWO].iter().map(|room| store.first_seq(*room)).sum();
        store.maintain(&at(time, utc_ms));
        let after: u64 = [HALL, ONE, TWO].iter().map(|room| store.first_seq(*room)).sum();
        assert!(after - before <= TRIM_STEP, "a long transaction");
        steps += usize::from(before < after);
        match store.next_deadline() {
            Some(next) if before < after => time = next.max(time + Duration::from_secs(1)),
            _ => return steps,
        }
    }
}

/// Returns the numbers of records that each room keeps.
fn kept(store: &dyn Store) -> [u64; 3] {
    [HALL, ONE, TWO].map(|room| store.last_seq(room) + 1 - store.first_seq(room))
}

#[test]
fn each_room_keeps_as_many_as_it_may() {
    let shelf = Shelf::new();
    let retention = Retention { messages_max: 10, ..Retention::default() };
    for mut store in stores(&shelf, retention) {
        for (room, count) in [(HALL, 300), (ONE, 15), (TWO, 10)] {
            say(&mut *store, room, 5, count);
        }
        settle(&mut *store, Instant::now(), 5);
        assert_eq!((kept(&*store), store.take_forgotten()), ([10; 3], 295));
        store.set_retention(Retention { messages_max: 3, ..retention });
        settle(&mut *store, Instant::now() + Duration::from_secs(9), 5);
        assert_eq!((kept(&*store), store.take_forgotten()), ([3; 3], 21));
        rest(&mut *store, Instant::now() + Duration::from_secs(20), 5);
        assert_eq!((store.first_seq(ONE), store.take_forgotten()), (13, 0));
    }
    let mut log = shelf.try_open(retention, 1).unwrap();
    assert_eq!((kept(&log), log.last_seq(TWO)), ([3; 3], 10));
    say(&mut log, TWO, 5, 1);
    assert_eq!((log.first_seq(TWO), log.last_seq(TWO)), (8, 11));
}

#[test]
fn a_step_takes_from_several_rooms() {
    let shelf = Shelf::new();
    let retention = Retention { messages_max: 1, ..Retention::default() };
    let mut log = shelf.try_open(retention, 1).unwrap();
    for room in 0..50 {
        say(&mut log, RoomId(room), 5, 3);
    }
    assert_eq!(settle(&mut log, Instant::now(), 5), 1);
    assert_eq!(log.take_forgotten(), 100);
}

#[test]
fn what_is_too_old_goes_from_every_room_though_nobody_speaks() {
    let shelf = Shelf::new();
    let retention = Retention { age_max: Duration::from_secs(100), ..Retention::default() };
    for mut store in stores(&shelf, retention) {
        let now = Instant::now();
        for (room, utc_ms) in [(TWO, 1_000), (ONE, 2_000), (TWO, 3_000), (HALL, 90_000)] {
            say(&mut *store, room, utc_ms, 2);
        }
        store.maintain(&at(now, 91_000));
        assert_eq!(store.next_deadline(), Some(now + Duration::from_secs(10)));
        settle(&mut *store, now, 102_500);
        assert_eq!((kept(&*store), store.take_forgotten()), ([2, 0, 2], 4));
        store.maintain(&at(now + Duration::from_secs(2), 102_500));
        let next = now + Duration::from_secs(2) + Duration::from_millis(500);
        assert_eq!(store.next_deadline(), Some(next));
        settle(&mut *store, next, 999_000);
        assert_eq!((kept(&*store), store.next_deadline()), ([0; 3], None));
        assert_eq!((store.first_seq(TWO), store.last_seq(TWO)), (5, 4));
    }
    let mut log = shelf.try_open(retention, 1).unwrap();
    assert_eq!([HALL, ONE, TWO].map(|room| log.first_seq(room)), [3, 3, 5], "numbers go on");
    say(&mut log, TWO, 5, 1);
    let read = super::shelf::read_room(&mut log, TWO);
    assert_eq!((read[0].0, read[0].1), (5, 3_000), "and so do times");
}

#[test]
fn little_is_lost_by_a_wrong_clock_in_however_many_rooms() {
    let shelf = Shelf::new();
    let retention = Retention { age_max: Duration::from_secs(100), ..Retention::default() };
    let mut log = shelf.try_open(retention, 1).unwrap();
    for room in 0..200 {
        say(&mut log, RoomId(room), 1_000, 1);
    }
    let now = Instant::now();
    for (seconds, forgotten) in [(0, 64), (14, 0), (15, 64), (29, 0), (30, 64), (44, 0), (45, 8)] {
        log.maintain(&at(now + Duration::from_secs(seconds), 999_000));
        assert_eq!(log.take_forgotten(), forgotten, "after {seconds} s");
    }
    rest(&mut log, now + Duration::from_secs(46), 999_000);
    assert_eq!(log.take_forgotten(), 0);
}

#[test]
fn of_all_that_takes_too_much_the_oldest_goes_first_wherever_it_is() {
    let bytes = 10 + MESSAGE_BYTES;
    let shelf = Shelf::new();
    let retention = Retention { bytes_max: 100 * bytes, ..Retention::default() };
    for mut store in stores(&shelf, retention) {
        // A quiet room with a message of each hour, and one in which all is said at once.
        for hour in 1..=10 {
            say(&mut *store, ONE, hour * 3_600_000, 1);
        }
        say(&mut *store, TWO, 3_600_000 * 5 + 1, 90);
        let now = Instant::now();
        settle(&mut *store, now, 5);
        assert_eq!(kept(&*store), [0, 10, 90], "what is full is not too much");
        say(&mut *store, HALL, 3_600_000 * 11, 3);
        settle(&mut *store, now + Duration::from_secs(9), 5);
        assert_eq!(kept(&*store), [3, 7, 90]);
        say(&mut *store, HALL, 3_600_000 * 11, 7);
        settle(&mut *store, now + Duration::from_secs(18), 5);
        assert_eq!(kept(&*store), [10, 5, 85], "five of the quiet room are newer");
        store.set_retention(Retention { bytes_max: 12 * bytes, ..retention });
        settle(&mut *store, now + Duration::from_secs(27), 5);
        assert_eq!((kept(&*store), store.take_forgotten()), ([10, 2, 0], 98));
    }
    assert_eq!(kept(&shelf.try_open(retention, 1).unwrap()), [10, 2, 0]);
}

#[test]
fn memory_has_one_limit_for_all_rooms() {
    use pychat_server::store::memory::RECORDS_MAX;
    let mut store = Memory::new(1, Retention::default());
    say(&mut store, ONE, 1, 5_000);
    say(&mut store, TWO, 2, 5_000);
    say(&mut store, HALL, 3, 100);
    assert_eq!(kept(&store).iter().sum::<u64>(), RECORDS_MAX as u64);
    assert_eq!(kept(&store), [100, 4_900, 5_000]);
}
