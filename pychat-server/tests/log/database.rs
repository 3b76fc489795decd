//! The log in PostgreSQL: whose it is, and sessions that end at any moment.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use pychat_server::{
    core::{
        amending::RESTORABLE_MS,
        id::{HALL, RoomId, Ticket},
        record::{Amending, Appended, Draft, PersonId, Request, StorageError, Stored},
    },
    server::load_rooms,
    store::{Answer, Memory, Retention, Store},
};
use pychat_wire::message::RoomKind;

use super::{
    amending::amend,
    patient::{Database, Patient},
    rooms::{ANNA, create, leave},
    shelf::{EPOCH, append, at, carry_out, draft, read, say, to},
};
use crate::process::wait_until;

/// Ends every session of servers, as a failure of the network or of the database would.
pub(super) const TERMINATE: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
    WHERE datname = current_database() AND application_name LIKE 'pychat%'";

/// A text that bears no id: nobody could tell it from another one.
fn anonymous(words: &str) -> Request {
    to(HALL, Draft { person: None, ..draft("guest", words, None) })
}

fn words(log: &mut Patient) -> Vec<String> {
    read(log).into_iter().map(|(.., words)| words).collect()
}

#[test]
fn what_was_said_is_there_for_the_next_server() {
    let Some(database) = Database::new() else { return };
    let odd = "nul \0, 🦀,\n'quotes\" and \u{202e}tfel";
    let mut log = database.open();
    assert_eq!((log.epoch(), log.first_seq(HALL), log.last_seq(HALL)), (EPOCH, 1, 0));
    say(&mut log, 7, vec![draft("Анна", odd, Some("\0")), draft("Борис", "", None)]);
    drop(log);
    let mut log = database.try_open(Retention::default(), 0xcd).unwrap();
    assert_eq!((log.epoch(), log.first_seq(HALL), log.last_seq(HALL)), (EPOCH, 1, 2));
    let all = [(1, 7, "Анна".into(), odd.into()), (2, 7, "Борис".into(), String::new())];
    assert_eq!(read(&mut log), all);
    assert_eq!(say(&mut log, 3, vec![draft("Анна", odd, Some("\0"))]), [(1, false)]);
    say(&mut log, 3, vec![draft("Анна", "x", None)]);
    assert_eq!(read(&mut log)[2], (3, 7, "Анна".into(), "x".into()), "time does not go back");
}

#[test]
fn a_second_server_is_refused_until_the_first_has_ended() {
    let Some(database) = Database::new() else { return };
    let log = database.open();
    let refused = database.try_open(Retention::default(), 1).unwrap_err();
    assert_eq!(refused, StorageError::Other("another server uses this database".into()));
    drop(log);
    database.open();
}

#[test]
fn a_log_of_a_later_version_is_refused_and_left_as_it_is() {
    let Some(database) = Database::new() else { return };
    say(&mut database.open(), 5, vec![draft("Анна", "a", None)]);
    let version = database.sql("SELECT version FROM version");
    database.sql("UPDATE version SET version = 99");
    let refused = database.try_open(Retention::default(), 1).unwrap_err().to_string();
    assert!(refused.starts_with("the database has version 99, and this server knows"), "{refused}");
    database.sql(&format!("UPDATE version SET version = {version}"));
    assert_eq!(words(&mut database.open()), ["a"]);
}

#[test]
fn a_log_that_may_have_lost_its_end_has_another_name() {
    let Some(database) = Database::new() else { return };
    say(&mut database.open(), 5, vec![draft("Анна", "a", None)]);
    let reopened = |epoch| database.try_open(Retention::default(), epoch).unwrap();
    assert_eq!(reopened(0xcd).epoch(), EPOCH);
    database.sql("UPDATE meta SET origin = 'a standby that became the first'");
    let mut log = reopened(0xc);
    assert_eq!(log.epoch(), "0000000000000000000000000000000c");
    assert_eq!(words(&mut log), ["a"]);
    drop(log);
    assert_eq!(reopened(0xcd).epoch(), "0000000000000000000000000000000c");
}

#[test]
fn a_server_that_begins_finds_its_rooms_without_asking() {
    let Some(database) = Database::new() else { return };
    let (mut log, mut memory) = (database.open(), Memory::new(1, Retention::default()));
    for store in [&mut log as &mut dyn Store, &mut memory] {
        for (id, kind) in [(1, RoomKind::Open), (2, RoomKind::Closed), (3, RoomKind::Open)] {
            carry_out(store, 5, [create(RoomId(id), kind, &[ANNA])]).unwrap();
        }
        let said = (0..600).map(|number| {
            let author = if number % 3 == 0 { "Анна" } else { "Борис" };
            to(RoomId(1), draft(author, "x", Some(&number.to_string())))
        });
        carry_out(store, 5, said).unwrap();
        let delete =
            |seq| amend(RoomId(1), "Анна", (seq, Amending::Delete), &format!("x{seq}"), true);
        carry_out(store, 5, (500..520).map(delete)).unwrap();
        carry_out(store, 5, [leave(RoomId(3))]).unwrap();
    }
    let mut rooms = load_rooms(log.at_its_beginning()).unwrap();
    let mut expected = load_rooms(&mut memory).unwrap();
    assert_eq!(rooms.take_over(), expected.take_over());
    assert_eq!(rooms.next_id(), expected.next_id());
    for room in [HALL, RoomId(1), RoomId(2)] {
        for person in [ANNA, PersonId(8), PersonId(10)] {
            let [unread, other] = [&rooms, &expected].map(|it| it.unread(person, room));
            assert_eq!(unread, other, "{room} {person:?}");
        }
    }
}

#[test]
fn what_fails_leaves_no_trace_and_takes_nothing_else_along() {
    let Some(database) = Database::new() else { return };
    let mut log = database.open();
    database.sql(
        "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS \
            $$BEGIN RAISE 'as a test wants it'; END$$;
        CREATE TRIGGER fault BEFORE INSERT ON records FOR EACH ROW \
            WHEN (new.content = 'bad') EXECUTE FUNCTION fault()",
    );
    let (now, mut answers) = (Instant::now(), Vec::new());
    // The first is under way when the others come, which are carried out together, and then one by one.
    for (number, texts) in [&["a"][..], &["b"], &["c", "bad"], &["d"]].into_iter().enumerate() {
        let tickets = (10 * number as u64..).map(Ticket);
        let mut batch = tickets.zip(texts.iter().map(|words| anonymous(words))).collect();
        log.submit_only(now, 9, &mut batch);
    }
    log.finish(5, &mut answers);
    let failed: Vec<_> = answers
        .iter()
        .filter_map(|answer| match answer {
            Answer::Done { ticket, outcome: Err(StorageError::Other(words)) } => {
                assert!(words.starts_with("as a test wants it"), "{words}");
                Some(ticket.0)
            }
            _ => None,
        })
        .collect();
    assert_eq!((answers.len(), failed), (5, vec![20, 21]));
    assert_eq!(words(&mut log), ["a", "b", "d"]);
}

#[test]
fn words_that_were_deleted_leave_the_table() {
    let Some(database) = Database::new() else { return };
    let mut log = database.open();
    for number in 1..=30_u64 {
        let words = format!("a secret that was {number} said");
        say(&mut log, 5, vec![draft("Анна", &words, Some(&number.to_string()))]);
    }
    database.sql("CREATE EXTENSION pgstattuple SCHEMA public");
    let dead = || database.sql("SELECT dead_tuple_count FROM public.pgstattuple('records')");
    for number in 1..=30 {
        let author = if number % 2 == 0 { "Анна" } else { "Борис" };
        let delete = amend(HALL, author, (number, Amending::Delete), &format!("x{number}"), true);
        carry_out(&mut log, 5, [delete]).unwrap();
    }
    assert_ne!(dead(), "0", "or nothing is shown by its absence");
    wait_until("words are left", || {
        log.maintain(&at(Instant::now(), 5 + RESTORABLE_MS));
        log.turn();
        let kept = database.sql("SELECT count(*) FROM records WHERE removed IS NOT NULL");
        kept == "0" && dead() == "0"
    });
    let terms = database.sql("SELECT count(*) FROM records WHERE terms @@ '0wsecret'::tsquery");
    assert_eq!(terms, "0");
}

#[test]
fn a_commit_that_was_not_answered_is_known_later() {
    let Some(database) = Database::own() else { return };
    let mut log = database.open();
    carry_out(&mut log, 5, [anonymous("a")]).unwrap();
    // Each commit is done here, and then waits for a standby that there is not.
    database.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'; SELECT pg_reload_conf()");
    wait_until("the setting is not read", || {
        database.sql("SHOW synchronous_standby_names") == "nobody"
    });
    let mut batch = vec![(Ticket(1), anonymous("b"))];
    log.submit_only(Instant::now(), 6, &mut batch);
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    wait_until("nothing is committed", || {
        log.turn();
        database.sql(waiting) == "1"
    });
    database.sql(TERMINATE);
    // The next session finds out, and waits for the standby as well before it tells.
    wait_until("there is no other session", || {
        log.turn();
        database.sql(waiting) == "1"
    });
    let mut answers = Vec::new();
    log.poll(Instant::now(), &mut answers);
    assert_eq!(answers, [], "no standby has it");
    database.sql("ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf()");
    log.finish(1, &mut answers);
    let outcome = match answers.remove(0) {
        Answer::Done { outcome: Ok(Stored::Appended(appended)), .. } => appended,
        other => panic!("{other:?}"),
    };
    let Appended::New(record) = outcome else { panic!("{outcome:?}") };
    assert_eq!(record.seq, 2);
    assert_eq!(words(&mut log), ["a", "b"], "once");
}

#[test]
fn a_database_that_has_lost_what_was_accepted_takes_nothing() {
    let Some(database) = Database::new() else { return };
    let mut log = database.open();
    carry_out(&mut log, 5, [anonymous("a")]).unwrap();
    carry_out(&mut log, 5, [anonymous("b")]).unwrap();
    // As a standby would be that had not heard of the second one.
    database.sql("UPDATE servers SET batch = batch - 1");
    database.sql(TERMINATE);
    for _ in 0..2 {
        let refused = carry_out(&mut log, 5, [anonymous("c")]).unwrap_err();
        assert!(matches!(refused, StorageError::Damaged(_)), "{refused:?}");
    }
}

#[test]
fn sessions_that_end_at_any_moment_double_nothing_and_lose_nothing() {
    let Some(database) = Database::new() else { return };
    let mut log = database.open();
    let is_over = Arc::new(AtomicBool::new(false));
    let killer = {
        let (database, is_over) = (database.clone(), Arc::clone(&is_over));
        thread::spawn(move || {
            let mut n_killed = 0;
            while !is_over.load(Ordering::Relaxed) {
                n_killed += database.sql(TERMINATE).parse::<u64>().unwrap();
            }
            n_killed
        })
    };
    let (mut expected, deadline) = (Vec::new(), Instant::now() + Duration::from_secs(5));
    while Instant::now() < deadline {
        let batch: Vec<_> = (0..3).map(|number| format!("{} {number}", expected.len())).collect();
        let requests: Vec<_> = batch.iter().map(|words| anonymous(words)).collect();
        let appended = carry_out(&mut log, 5, requests).unwrap();
        assert_eq!(appended.len(), 3);
        expected.extend(batch);
    }
    is_over.store(true, Ordering::Relaxed);
    let n_killed = killer.join().unwrap();
    assert_eq!(words(&mut log), expected);
    assert!(3 < n_killed && 30 < expected.len(), "{n_killed} {}", expected.len());
}

#[test]
fn requests_are_refused_while_there_is_no_database_and_taken_again_later() {
    let Some(database) = Database::own() else { return };
    let mut log = database.open();
    append(&mut log, 5, [draft("Анна", "a", Some("1"))], []).unwrap();
    database.kill();
    let refused = append(&mut log, 5, [draft("Анна", "b", Some("2"))], []).unwrap_err();
    assert!(matches!(refused, StorageError::Unreachable(_)), "{refused:?}");
    assert_eq!(log.last_seq(HALL), 1);
    database.run();
    append(&mut log, 5, [draft("Анна", "c", Some("3"))], []).unwrap();
    assert_eq!(words(&mut log), ["a", "c"]);
}
