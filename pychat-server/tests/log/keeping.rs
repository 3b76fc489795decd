//! Retention: the data that is kept, the events that it survives, and the way it is forgotten.

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use pychat_server::{
    core::{
        id::HALL,
        record::{Appended, Device, Draft, Kind, OwnedName, Person, PersonChange, PersonId},
        time::Time,
    },
    store::{
        MESSAGE_BYTES, Records, Retention, Store,
        sqlite::{Durability, TRIM_STEP},
    },
};

use pychat_wire::key::PublicKey;

use super::shelf::{EPOCH, Shelf, append, at, chatter, draft, read, say};

fn person(id: u64, name: &str) -> Person {
    let key = PublicKey([u8::try_from(id).unwrap(); 32]);
    Person {
        id: PersonId(id),
        is_operator: false,
        is_bot: false,
        names: vec![OwnedName { name: name.to_owned(), used_ms: 5, is_regular: false }],
        devices: vec![Device { key, label: "ThinkPad 🦀".into(), added_ms: 6 }],
    }
}

#[test]
fn what_was_said_is_there_when_the_log_is_opened_again() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    assert_eq!((log.epoch(), log.first_seq(HALL), log.last_seq(HALL)), (EPOCH, 1, 0));
    let odd = "nul \0, 🦀,\n'quotes\" and \u{202e}tfel";
    assert_eq!(
        say(&mut log, 7, vec![draft("Анна", odd, Some("\0")), draft("Борис", "", None)]),
        [(1, true), (2, true)]
    );
    let anna = person(8, "Анна");
    append(&mut log, 8, [], [PersonChange::Save(anna.clone())]).unwrap();
    let all = [(1, 7, "Анна".into(), odd.into()), (2, 7, "Борис".into(), String::new())];
    assert_eq!(read(&mut log), all);
    drop(log);

    let mut log = shelf.try_open(Retention::default(), 0xcd).unwrap();
    assert_eq!((log.epoch(), log.first_seq(HALL), log.last_seq(HALL)), (EPOCH, 1, 2));
    assert_eq!(read(&mut log), all);
    assert_eq!(log.people().unwrap(), (vec![anna], PersonId(8)));
    assert_eq!(say(&mut log, 3, vec![draft("Анна", odd, Some("\0"))]), [(1, false)]);
    chatter(&mut log, 3, 1);
    assert_eq!(read(&mut log)[2], (3, 7, "Анна".into(), "x".into()), "time does not go back");
}

#[test]
fn what_was_said_under_an_id_is_said_once() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    let twice = || vec![draft("Анна", "a", Some("1")), draft("Анна", "a", Some("1"))];
    assert_eq!(say(&mut log, 5, twice()), [(1, true), (1, false)]);
    assert_eq!(say(&mut log, 9, vec![draft("Борис", "b", Some("1"))]), [(2, true)]);
    let told = append(&mut log, 9, twice(), []).unwrap();
    let Appended::Known(record) = &told[1] else { panic!("{told:?}") };
    assert_eq!(
        (record.seq, record.time_ms, record.kind.as_deref()),
        (1, 5, Kind::Text("a")),
        "as it was first"
    );
    assert_eq!((log.last_seq(HALL), read(&mut log).len()), (2, 2));
}

#[test]
fn an_id_is_its_owner_s_and_of_one_text() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    say(&mut log, 5, vec![draft("Анна", "a", Some("1"))]);
    let stranger = Draft { person: Some(PersonId(99)), ..draft("Анна", "x", Some("1")) };
    assert_eq!(say(&mut log, 6, vec![stranger]), [(2, true)], "under her name, as somebody else");
    let drafts = [draft("Анна", "other", Some("1")), draft("анна", "a", Some("1"))];
    let told = append(&mut log, 7, drafts, []).unwrap();
    let [Appended::Conflict { id }, Appended::Known(record)] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!((&**id, record.seq), ("1", 1));
    assert_eq!(log.last_seq(HALL), 2, "nothing was taken");
    let mut owners = Vec::new();
    log.read(HALL, 0, Records::All, &mut |entry| {
        owners.push(entry.person);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(owners, [8, 99].map(|number| Some(PersonId(number))));
    drop(log);
    assert_eq!(shelf.open().people().unwrap(), (vec![], PersonId(99)), "no number is given again");
}

#[test]
fn reading_begins_and_ends_where_the_reader_says() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    say(&mut log, 5, ["a", "b", "c"].map(|content| draft("Анна", content, Some(content))).into());
    let mut ids = Vec::new();
    log.read(HALL, 1, Records::All, &mut |entry| {
        ids.push(entry.id.map(ToOwned::to_owned));
        ControlFlow::Break(())
    })
    .unwrap();
    assert_eq!(ids, [Some("b".to_owned())]);
    for after in [3, u64::MAX] {
        log.read(HALL, after, Records::All, &mut |entry| panic!("{entry:?}")).unwrap();
    }
}

#[test]
fn the_oldest_are_forgotten_a_few_at_a_time_and_their_numbers_not_given_again() {
    let shelf = Shelf::new();
    let retention = Retention { messages_max: 10, ..Retention::default() };
    let mut log = shelf.try_open(retention, 1).unwrap();
    let (mut now, count) = (Instant::now(), 3 * TRIM_STEP);
    chatter(&mut log, 5, usize::try_from(count).unwrap());
    let mut steps = 0;
    loop {
        let before = log.first_seq(HALL);
        log.maintain(&at(now, 5));
        assert!(log.first_seq(HALL) - before <= TRIM_STEP, "a long transaction");
        steps += 1;
        if log.first_seq(HALL) == count - 9 {
            break;
        }
        now = log.next_deadline().expect("there is more to forget");
        assert!(steps < 10, "{log:?}");
    }
    assert_eq!((steps, read(&mut log).len()), (3, 10));
    assert_eq!(say(&mut log, 5, vec![draft("Анна", "x", None)]), [(count + 1, true)]);
    drop(log);
    let mut log = shelf.try_open(retention, 2).unwrap();
    assert_eq!((log.first_seq(HALL), log.last_seq(HALL)), (count - 9, count + 1));
    log.maintain(&at(now, 5));
    assert_eq!(log.first_seq(HALL), count - 8);
}

#[test]
fn what_is_too_old_is_forgotten_though_nobody_speaks_and_numbers_go_on() {
    let shelf = Shelf::new();
    let retention = Retention { age_max: Duration::from_secs(100), ..Retention::default() };
    let mut log = shelf.try_open(retention, 0xab).unwrap();
    let now = Instant::now();
    log.maintain(&at(now, 1_000));
    assert_eq!(log.next_deadline(), None, "there is nothing to forget");
    chatter(&mut log, 1_000, 1);
    chatter(&mut log, 31_000, 1);
    log.maintain(&at(now, 41_000));
    assert_eq!(log.next_deadline(), Some(now + Duration::from_mins(1)));
    log.maintain(&at(now + Duration::from_mins(1), 101_000));
    assert_eq!(
        (log.first_seq(HALL), log.next_deadline()),
        (2, Some(now + Duration::from_secs(90)))
    );
    log.maintain(&at(now + Duration::from_secs(90), 131_000));
    assert_eq!((log.first_seq(HALL), log.last_seq(HALL), log.next_deadline()), (3, 2, None));
    drop(log);
    let mut log = shelf.try_open(retention, 0xcd).unwrap();
    assert_eq!((log.epoch(), log.first_seq(HALL), log.last_seq(HALL)), (EPOCH, 3, 2));
    chatter(&mut log, 10, 1);
    assert_eq!(read(&mut log), [(3, 31_000, "Анна".into(), "x".into())]);
}

#[test]
fn nothing_is_forgotten_for_its_age_by_a_clock_that_may_be_wrong() {
    let shelf = Shelf::new();
    let retention = Retention { age_max: Duration::from_secs(100), ..Retention::default() };
    let mut log = shelf.try_open(retention, 1).unwrap();
    let now = Instant::now();
    let count = 2 * TRIM_STEP + 5;
    chatter(&mut log, 1_000, usize::try_from(count).unwrap());
    let trusted_at = now + Duration::from_secs(7);
    for step in 0..200 {
        // The index takes them in meanwhile, and pages are cleaned after that.
        let now = now + step * Duration::from_millis(20);
        log.maintain(&Time { trusted_at, ..at(now, 999_000) });
    }
    assert_eq!((log.first_seq(HALL), log.next_deadline()), (1, Some(trusted_at)));
    let mut now = trusted_at;
    for forgotten in [TRIM_STEP, TRIM_STEP, 5] {
        log.maintain(&at(now, 999_000));
        assert_eq!(log.take_forgotten(), forgotten);
        log.maintain(&at(now + Duration::from_secs(59), 999_000));
        assert_eq!(log.take_forgotten(), 0, "a step a minute");
        now += Duration::from_mins(1);
    }
    assert_eq!((log.first_seq(HALL), log.last_seq(HALL)), (count + 1, count));
}

#[test]
fn no_more_bytes_are_kept_than_should_be() {
    let shelf = Shelf::new();
    let bytes = 10 + MESSAGE_BYTES;
    let retention = Retention { bytes_max: 3 * bytes, ..Retention::default() };
    let mut log = shelf.try_open(retention, 1).unwrap();
    let mut now = Instant::now();
    for _ in 0..5 {
        say(&mut log, 5, vec![draft("Анна", "0123456789", None)]);
        now += Duration::from_secs(2);
        log.maintain(&at(now, 5));
    }
    assert_eq!(log.first_seq(HALL), 3);
    drop(log);
    let mut log = shelf.try_open(retention, 1).unwrap();
    log.maintain(&at(now, 5));
    assert_eq!(log.first_seq(HALL), 3, "what is full is not too much");
    say(&mut log, 5, vec![draft("Анна", "0", None)]);
    log.maintain(&at(now + Duration::from_secs(2), 5));
    assert_eq!(log.first_seq(HALL), 4);
    log.set_retention(Retention { bytes_max: 1, ..retention });
    log.maintain(&at(now + Duration::from_secs(4), 5));
    assert_eq!((log.first_seq(HALL), log.take_forgotten()), (7, 4));
    say(&mut log, 5, vec![draft("Анна", "0", None)]);
    log.set_retention(Retention::default());
    log.maintain(&at(now + Duration::from_secs(6), 5));
    assert_eq!((log.first_seq(HALL), log.next_deadline()), (7, None), "everything is kept");
}

#[test]
fn an_owner_is_kept_as_they_were_last_and_their_name_has_no_other() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    let name = |name: &str| OwnedName { name: name.to_owned(), used_ms: 9, is_regular: true };
    let devices = [9, 5, 7].map(|number| person(number, "").devices.remove(0)).to_vec();
    let second = Person {
        id: PersonId(2),
        is_operator: true,
        is_bot: true,
        names: vec![name("б"), name("a")],
        devices,
    };
    let changes = [
        PersonChange::Save(person(1, "a")),
        PersonChange::Save(person(2, "b")),
        PersonChange::Save(person(3, "c")),
        PersonChange::Save(second.clone()),
        PersonChange::Forget(PersonId(1)),
        PersonChange::Save(person(4, "c")),
    ];
    append(&mut log, 5, [], changes).unwrap();
    drop(log);
    let nameless = Person { names: Vec::new(), ..person(3, "") };
    let kept = vec![second, nameless, person(4, "c")];
    assert_eq!(shelf.open().people().unwrap(), (kept, PersonId(4)));
}

#[test]
fn a_tick_in_which_nothing_was_said_touches_nothing() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    chatter(&mut log, 5, 1);
    log.maintain(&at(Instant::now(), 5)); // The index takes it in.
    let written = || std::fs::metadata(shelf.wal()).unwrap().len();
    let before = written();
    chatter(&mut log, 6, 0);
    log.maintain(&at(Instant::now(), 6));
    assert_eq!(written(), before);
    chatter(&mut log, 7, 1);
    assert!(before < written(), "or this test sees nothing");
}

#[test]
fn a_log_that_may_have_lost_its_end_with_the_machine_has_another_name() {
    let restart = "UPDATE meta SET unsynced_boot = 'before' WHERE unsynced_boot IS NOT NULL";
    let nothing = "SELECT 1";
    for (durability, is_killed, meanwhile, epoch) in [
        (Durability::Process, true, nothing, EPOCH),
        (Durability::Process, true, restart, "0000000000000000000000000000000c"),
        (Durability::Process, false, restart, EPOCH),
        (Durability::Power, true, restart, EPOCH),
    ] {
        let mut shelf = Shelf::new();
        shelf.place.durability = durability;
        let mut log = shelf.open();
        chatter(&mut log, 5, 2);
        let shelf = if is_killed { shelf.as_of_now() } else { shelf };
        drop(log);
        shelf.tamper(meanwhile);
        let mut log = shelf.try_open(Retention::default(), 0xc).unwrap();
        assert_eq!(log.epoch(), epoch, "{durability:?} {is_killed} {meanwhile}");
        assert_eq!((log.last_seq(HALL), read(&mut log).len()), (2, 2), "{durability:?}");
    }
}
