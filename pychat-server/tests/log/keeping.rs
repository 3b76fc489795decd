//! What is kept, over how much, and how it is forgotten.

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use pychat_server::log::{
    Appended, Keep, TOKENS_MAX, TokenHash,
    sqlite::{Durability, TRIM_STEP},
};

use super::shelf::{EPOCH, Shelf, chatter, draft, name, read, say};

#[test]
fn what_was_said_is_there_when_the_log_is_opened_again() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    assert_eq!((log.epoch(), log.first_seq(), log.last_seq()), (EPOCH, 1, 0));
    let odd = "nul \0, 🦀,\n'quotes\" and \u{202e}tfel";
    assert_eq!(
        say(&mut log, 7, vec![draft("Анна", odd, Some("\0")), draft("Борис", "", None)]),
        [(1, true), (2, true)]
    );
    log.append(8, [], [(name("Анна"), TokenHash([7; 32]))], |_, _| ()).unwrap();
    let all = [(1, 7, "Анна".into(), odd.into()), (2, 7, "Борис".into(), String::new())];
    assert_eq!(read(&mut log), all);
    drop(log);

    let mut log = shelf.try_open(Keep::default(), 0xcd).unwrap();
    assert_eq!((log.epoch(), log.first_seq(), log.last_seq()), (EPOCH, 1, 2));
    assert_eq!(read(&mut log), all);
    assert_eq!(log.tokens().unwrap(), [("Анна".to_owned(), TokenHash([7; 32]))]);
    assert_eq!(say(&mut log, 3, vec![draft("Анна", "again", Some("\0"))]), [(1, false)]);
    chatter(&mut log, 3, 1);
    assert_eq!(read(&mut log)[2], (3, 7, "Анна".into(), "x".into()), "time does not go back");
}

#[test]
fn what_was_said_under_an_id_is_said_once() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    let twice = || vec![draft("Анна", "a", Some("1")), draft("Анна", "other", Some("1"))];
    assert_eq!(say(&mut log, 5, twice()), [(1, true), (1, false)]);
    assert_eq!(say(&mut log, 9, vec![draft("Борис", "b", Some("1"))]), [(2, true)]);
    let mut told = Vec::new();
    log.append(9, twice(), [], |_, appended| told.push(appended)).unwrap();
    let Appended::Known(record) = &told[1] else { panic!("{told:?}") };
    assert_eq!((record.seq, record.time_ms, &*record.content), (1, 5, "a"), "as it was first");
    assert_eq!((log.last_seq(), read(&mut log).len()), (2, 2));
}

#[test]
fn reading_begins_and_ends_where_the_reader_says() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    say(&mut log, 5, ["a", "b", "c"].map(|content| draft("Анна", content, Some(content))).into());
    let mut ids = Vec::new();
    log.read(1, |entry| {
        ids.push(entry.id.map(ToOwned::to_owned));
        ControlFlow::Break(())
    })
    .unwrap();
    assert_eq!(ids, [Some("b".to_owned())]);
    for after in [3, u64::MAX] {
        log.read(after, |entry| panic!("{entry:?}")).unwrap();
    }
}

#[test]
fn the_oldest_are_forgotten_a_few_at_a_time_and_their_numbers_not_given_again() {
    let shelf = Shelf::new();
    let keep = Keep { messages_max: 10, ..Keep::default() };
    let mut log = shelf.try_open(keep, 1).unwrap();
    let (mut now, count) = (Instant::now(), 3 * TRIM_STEP);
    chatter(&mut log, 5, usize::try_from(count).unwrap());
    let mut steps = 0;
    loop {
        let before = log.first_seq();
        log.tend(now, 5);
        assert!(log.first_seq() - before <= TRIM_STEP, "a long transaction");
        steps += 1;
        if log.first_seq() == count - 9 {
            break;
        }
        now = log.next_deadline().expect("there is more to forget");
        assert!(steps < 10, "{log:?}");
    }
    assert_eq!((steps, read(&mut log).len()), (3, 10));
    assert_eq!(say(&mut log, 5, vec![draft("Анна", "x", None)]), [(count + 1, true)]);
    drop(log);
    let mut log = shelf.try_open(keep, 2).unwrap();
    assert_eq!((log.first_seq(), log.last_seq()), (count - 9, count + 1));
    log.tend(now, 5);
    assert_eq!(log.first_seq(), count - 8);
}

#[test]
fn what_is_too_old_is_forgotten_though_nobody_speaks_and_numbers_go_on() {
    let shelf = Shelf::new();
    let keep = Keep { age_max: Duration::from_secs(100), ..Keep::default() };
    let mut log = shelf.try_open(keep, 0xab).unwrap();
    let now = Instant::now();
    log.tend(now, 1_000);
    assert_eq!(log.next_deadline(), None, "there is nothing to forget");
    chatter(&mut log, 1_000, 1);
    chatter(&mut log, 31_000, 1);
    log.tend(now, 41_000);
    assert_eq!(log.next_deadline(), Some(now + Duration::from_mins(1)));
    log.tend(now + Duration::from_mins(1), 101_000);
    assert_eq!((log.first_seq(), log.next_deadline()), (2, Some(now + Duration::from_secs(90))));
    log.tend(now + Duration::from_secs(90), 131_000);
    assert_eq!((log.first_seq(), log.last_seq(), log.next_deadline()), (3, 2, None));
    drop(log);
    let mut log = shelf.try_open(keep, 0xcd).unwrap();
    assert_eq!((log.epoch(), log.first_seq(), log.last_seq()), (EPOCH, 3, 2));
    chatter(&mut log, 10, 1);
    assert_eq!(read(&mut log), [(3, 31_000, "Анна".into(), "x".into())]);
}

#[test]
fn the_tokens_used_last_are_kept() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    let token = |number: usize| (name(&format!("n{number}")), TokenHash([1; 32]));
    log.append(5, [], (0..TOKENS_MAX).map(token), |_, _| ()).unwrap();
    let changed = (name("n0"), TokenHash([9; 32]));
    log.append(5, [], [changed, token(TOKENS_MAX)], |_, _| ()).unwrap();
    drop(log);
    let tokens = shelf.open().tokens().unwrap();
    assert_eq!((tokens.len(), &*tokens[0].0), (TOKENS_MAX, "n2"), "the first was used again");
    let last = [("n0", TokenHash([9; 32])), ("n20000", TokenHash([1; 32]))];
    assert_eq!(tokens[TOKENS_MAX - 2..], last.map(|(name, hash)| (name.to_owned(), hash)));
}

#[test]
fn a_tick_in_which_nothing_was_said_touches_nothing() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    chatter(&mut log, 5, 1);
    let written = || std::fs::metadata(shelf.wal()).unwrap().len();
    let before = written();
    chatter(&mut log, 6, 0);
    log.tend(Instant::now(), 6);
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
        let mut log = shelf.try_open(Keep::default(), 0xc).unwrap();
        assert_eq!(log.epoch(), epoch, "{durability:?} {is_killed} {meanwhile}");
        assert_eq!((log.last_seq(), read(&mut log).len()), (2, 2), "{durability:?}");
    }
}
