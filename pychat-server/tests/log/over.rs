//! Rooms that are over: what is kept of them, for how long, and what never comes again.

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use pychat_server::{
    core::{
        id::{HALL, RoomId},
        record::Request,
    },
    server::load_rooms,
    store::{OVER_KEPT, Records, Retention, Store, sqlite::TRIM_STEP},
};
use pychat_wire::message::RoomKind;

use super::{
    rooms::{ANNA, create, joined, leave},
    shelf::{Shelf, at, carry_out, draft, rest, stores, to},
};

const ONE: RoomId = RoomId(1);
const TWO: RoomId = RoomId(2);

/// Makes these rooms of Anna's, with so many texts in each, leaves them, and ends them.
fn pass(store: &mut dyn Store, rooms: &[RoomId], n_texts: usize) {
    for room in rooms {
        carry_out(store, 5, [create(*room, RoomKind::Closed, &[ANNA])]).unwrap();
        let texts = (0..n_texts).map(|_| to(*room, draft("Анна", "0123456789", None)));
        carry_out(store, 5, texts).unwrap();
        carry_out(store, 5, [leave(*room), Request::EndRoom(*room)]).unwrap();
    }
}

/// Returns the number of records that a room keeps.
fn kept(store: &mut dyn Store, room: RoomId) -> u64 {
    let mut count = 0;
    let mut each = |_: pychat_server::core::record::Entry<'_>| {
        count += 1;
        ControlFlow::Continue(())
    };
    store.read(room, 0, Records::All, &mut each).unwrap();
    count
}

#[test]
fn the_log_of_a_room_that_is_over_is_forgotten_later_and_in_steps() {
    let n_records = 3 * usize::try_from(TRIM_STEP).unwrap();
    let shelf = Shelf::new();
    for (number, mut store) in stores(&shelf, Retention::default()).into_iter().enumerate() {
        carry_out(&mut *store, 5, [to(HALL, draft("Анна", "x", None))]).unwrap();
        pass(&mut *store, &[ONE], n_records - 2);
        carry_out(&mut *store, 5, [create(TWO, RoomKind::Closed, &[ANNA])]).unwrap();
        let rooms: Vec<_> = store.rooms().unwrap().into_iter().map(|room| room.id).collect();
        assert_eq!((rooms, store.last_room()), (vec![TWO], TWO));

        let begin = Instant::now();
        rest(&mut *store, begin, 5); // Nothing wakes up for it.
        store.maintain(&at(begin + OVER_KEPT / 2, 5));
        assert_eq!(kept(&mut *store, ONE), n_records as u64);
        let mut now = begin + OVER_KEPT;
        store.maintain(&at(now, 5));
        while 0 < number && 0 < kept(&mut *store, ONE) {
            let before = kept(&mut *store, ONE);
            now = store.next_deadline().expect("there is more to forget").max(now);
            store.maintain(&at(now, 5));
            assert!(before - kept(&mut *store, ONE) <= TRIM_STEP, "a long transaction");
        }
        assert_eq!([ONE, TWO, HALL].map(|room| kept(&mut *store, room)), [0, 1, 1]);
        assert_eq!(store.take_forgotten(), n_records as u64);
        rest(&mut *store, now + 2 * OVER_KEPT, 5);
        assert_eq!(store.last_seq(ONE), 0, "no trace is left");
    }
    let log = shelf.open();
    assert_eq!((log.last_seq(ONE), log.last_seq(TWO), log.last_room()), (0, 1, TWO));
}

#[test]
fn the_number_of_a_room_that_is_over_is_given_to_no_other() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    pass(&mut log, &[ONE, TWO], 0);
    let mut now = Instant::now();
    for _ in 0..4 {
        log.maintain(&at(now, 5));
        now += OVER_KEPT;
    }
    assert_eq!([ONE, TWO].map(|room| log.last_seq(room)), [0, 2]);
    drop(log);
    let mut log = shelf.open();
    let mut rooms = load_rooms(&mut log).unwrap();
    assert_eq!((rooms.len(), rooms.next_id()), (0, RoomId(3)));
    // Another has the largest number now.
    pass(&mut log, &[RoomId(3)], 0);
    for _ in 0..4 {
        log.maintain(&at(now, 5));
        now += OVER_KEPT;
    }
    assert_eq!([ONE, TWO, RoomId(3)].map(|room| log.last_seq(room)), [0, 0, 2]);
}

#[test]
fn a_log_goes_though_the_server_was_killed_before() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    pass(&mut log, &[ONE], 3 * usize::try_from(TRIM_STEP).unwrap());
    carry_out(&mut log, 5, [create(TWO, RoomKind::Closed, &[ANNA])]).unwrap();
    let begin = Instant::now();
    log.maintain(&at(begin, 5));
    log.maintain(&at(begin + OVER_KEPT, 5));
    let left = kept(&mut log, ONE);
    assert_eq!(left, 2 * TRIM_STEP + 2, "a step was done");
    let killed = shelf.as_of_now();
    let mut log = killed.open();
    assert_eq!(kept(&mut log, ONE), left);
    let mut now = Instant::now();
    log.maintain(&at(now, 5));
    now += OVER_KEPT;
    while 0 < kept(&mut log, ONE) {
        log.maintain(&at(now, 5));
        now += Duration::from_secs(1);
    }
}

#[test]
fn rooms_that_nobody_was_in_when_the_server_ended_are_over() {
    let shelf = Shelf::new();
    for mut store in stores(&shelf, Retention::default()) {
        let rooms = [RoomKind::Closed, RoomKind::Open, RoomKind::Open, RoomKind::Closed];
        for (kind, id) in rooms.into_iter().zip(1..) {
            carry_out(&mut *store, 5, [create(RoomId(id), kind, &[ANNA])]).unwrap();
        }
        carry_out(&mut *store, 5, [to(RoomId(3), draft("Анна", "x", None))]).unwrap();
        carry_out(&mut *store, 5, [ONE, TWO, RoomId(3)].map(leave)).unwrap();
        let mut rooms = load_rooms(&mut *store).unwrap();
        assert_eq!(rooms.take_over(), [ONE, TWO]);
        assert!(rooms.get(RoomId(3)).is_some(), "there is something to read");
        assert!(rooms.is_in(ANNA, RoomId(4)) && rooms.get(ONE).is_none());
        // More was said in it than is looked at.
        carry_out(&mut *store, 5, (0..201).map(|_| to(TWO, draft("Анна", "x", None)))).unwrap();
        let events = (0..201).map(|number| joined(TWO, number));
        carry_out(&mut *store, 5, events).unwrap();
        assert_eq!(load_rooms(&mut *store).unwrap().take_over(), [ONE]);
    }
}
