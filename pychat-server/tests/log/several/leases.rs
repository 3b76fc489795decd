//! Leases, notifications that are lost or made up, and servers of other versions.

use std::{
    thread,
    time::{Duration, Instant},
};

use pychat_server::{
    core::{
        elsewhere::Elsewhere,
        id::{HALL, RoomId},
        record::{PersonId, ReadMark, Request, StorageError, Stored},
    },
    store::{Retention, Store},
};

use super::{
    super::{
        database::TERMINATE,
        patient::Database,
        shelf::{Shelf, name},
    },
    anonymous, new_seq,
    peer::{LONG, Peer, turn_until},
    presence,
};
use crate::process::wait_until;

/// A lease that a test can wait for.
const SHORT: Duration = Duration::from_secs(3);

/// The sessions of servers that wait for others.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND application_name LIKE 'pychat%' AND query LIKE '%FROM leases WHERE NOT gone AND server%'";

/// Adds an entry as another server would whose notification is lost.
fn add_entry(database: &Database, changes: &str) {
    database.sql(&format!(
        "BEGIN; UPDATE journal_end SET number = number + 1;
        INSERT INTO journal (number, server, bytes, rooms, seqs, changes) \
            SELECT number, 99, 0, '{{}}', '{{}}', convert_to('{changes}', 'UTF8') FROM journal_end;
        COMMIT;"
    ));
}

#[test]
fn a_server_that_is_silent_for_too_long_is_gone_and_commits_nothing_more() {
    let Some(database) = Database::new() else { return };
    let open = || Peer::try_open(&database, SHORT).unwrap();
    let (mut a, mut b) = (open(), open());
    a.carry_out([Request::Enter(presence("Анна", None))]);
    let server = a.store.server();
    let is_told = |peer: &Peer| peer.elsewhere().contains(&&Elsewhere::ServerGone(server));
    turn_until(&mut [&mut b], "nobody notices", |peers| is_told(peers[0]));
    assert_eq!(database.sql("SELECT count(*) FROM present"), "0");
    assert!(a.carry_out([anonymous("a")])[0].is_err());
    turn_until(&mut [&mut a], "it is not gone", |peers| peers[0].store.end().is_some());
    let words = a.store.end().unwrap().to_string();
    assert!(words.starts_with("the other servers took this one for dead"), "{words}");
    assert!(a.carry_out([anonymous("a")])[0].is_err(), "for good");
    assert_eq!(new_seq(&b.carry_out([anonymous("b")])[0]), 1);
    assert_eq!(b.read(HALL), ["b"]);
    let gone = b.elsewhere().into_iter().filter(|it| matches!(it, Elsewhere::ServerGone(_)));
    assert_eq!(gone.count(), 1, "once");
}

#[test]
fn a_server_whose_lease_may_have_ended_takes_nothing_until_it_is_renewed() {
    let Some(database) = Database::own() else { return };
    let mut a = Peer::try_open(&database, SHORT).unwrap();
    a.carry_out([anonymous("a")]);
    database.kill();
    let refused = a.carry_out([anonymous("b")]);
    assert!(matches!(&refused[..], [Err(StorageError::Unreachable(_))]), "{refused:?}");
    database.run();
    let deadline = Instant::now() + Duration::from_secs(20);
    while a.carry_out([anonymous("c")])[0].is_err() {
        assert!(Instant::now() < deadline, "it is never renewed");
    }
    assert_eq!(a.read(HALL), ["a", "c"], "it alone is there, so nobody took it for dead");
}

#[test]
fn a_server_that_stops_is_gone_at_once() {
    let Some(database) = Database::new() else { return };
    let [mut a, mut b] = [(); 2].map(|()| Peer::open(&database));
    a.carry_out([Request::Enter(presence("Анна", None))]);
    turn_until(&mut [&mut a], "it is not closed", |peers| peers[0].store.close(Instant::now()));
    let gone = Elsewhere::ServerGone(a.store.server());
    turn_until(&mut [&mut b], "not told", |peers| peers[0].elsewhere().contains(&&gone));
    assert_eq!(database.sql("SELECT count(*) FROM present"), "0");
}

#[test]
fn a_server_that_was_killed_is_gone_once_another_one_has_its_folder() {
    let Some(database) = Database::new() else { return };
    let shelf = Shelf::new();
    let mut witness = Peer::open(&database);
    let mut killed = Peer::open_at_home(&database, &shelf.place.directory);
    killed.carry_out([Request::Enter(presence("Анна", None))]);
    let gone = Elsewhere::ServerGone(killed.store.server());
    drop(killed);
    let mut next = Peer::open_at_home(&database, &shelf.place.directory);
    assert_eq!(next.store.present().unwrap(), []);
    turn_until(&mut [&mut witness], "not told", |peers| peers[0].elsewhere().contains(&&gone));
    assert!(next.carry_out([anonymous("a")])[0].is_ok());
}

#[test]
fn what_no_notification_told_is_found_at_the_next_renewal() {
    let Some(database) = Database::new() else { return };
    let mut a = Peer::try_open(&database, SHORT).unwrap();
    let mark = r#"{"kind":"mark","room":7,"person":3,"seq":9,"later":1}"#;
    let unknown = r#"{"kind":"later","ignorable":true}"#;
    add_entry(&database, &format!(r#"{{"format":1,"changes":[{unknown},{mark}],"later":1}}"#));
    turn_until(&mut [&mut a], "it is not found", |peers| !peers[0].elsewhere().is_empty());
    let mark = ReadMark { room: RoomId(7), person: PersonId(3), seq: 9 };
    let [Elsewhere::Done { request, stored, server }] = a.elsewhere()[..] else {
        panic!("{:?}", a.elsewhere())
    };
    assert_eq!((&**request, stored, server.0), (&Request::Mark(mark), &Stored::Changed, 99));
}

#[test]
fn an_entry_of_a_later_version_ends_an_earlier_server() {
    let Some(database) = Database::new() else { return };
    for changes in
        [r#"{"format":2,"changes":[]}"#, r#"{"format":1,"changes":[{"kind":"later"}]}"#, "{"]
    {
        let mut a = Peer::open(&database);
        add_entry(&database, changes);
        let refused = a.carry_out([anonymous("a")]);
        let words = "another server of this database is of a later version; upgrade this one";
        assert_eq!(refused, [Err(StorageError::Other(words.into()))], "{changes}");
    }
    database.sql("UPDATE version SET version = 99");
    let refused = Peer::try_open(&database, LONG).unwrap_err().to_string();
    assert!(refused.starts_with("the database has version 99, and this server knows"), "{refused}");
}

#[test]
fn entries_that_are_missing_end_a_server() {
    let Some(database) = Database::new() else { return };
    let [mut a, mut b] = [(); 2].map(|()| Peer::open(&database));
    a.carry_out([anonymous("a")]);
    a.carry_out([anonymous("b")]);
    database.sql("DELETE FROM journal WHERE number = 1");
    let refused = b.carry_out([anonymous("c")]);
    assert!(matches!(&refused[..], [Err(StorageError::Damaged(_))]), "{refused:?}");
}

#[test]
fn another_name_of_the_log_ends_every_server() {
    let Some(database) = Database::new() else { return };
    let mut a = Peer::open(&database);
    database.sql("UPDATE meta SET epoch = 'another'");
    let refused = a.carry_out([anonymous("a")]);
    assert!(matches!(&refused[..], [Err(StorageError::Damaged(_))]), "{refused:?}");
}

#[test]
fn a_server_that_begins_after_a_promotion_waits_for_one_that_knows_what_must_be_there() {
    let Some(database) = Database::new() else { return };
    drop(Peer::open(&database));
    database.sql("DELETE FROM leases; UPDATE meta SET epoch = 'kept'");
    let mut a = Peer::open(&database);
    a.carry_out([anonymous("a")]);
    database.sql("UPDATE meta SET origin = 'a standby that became the first'");
    thread::scope(|scope| {
        let beginning = scope.spawn(|| Peer::open(&database).store.epoch().to_owned());
        wait_until("nobody waits", || database.sql(WAITING) != "0");
        database.sql(TERMINATE);
        turn_until(&mut [&mut a], "it does not begin", |_| beginning.is_finished());
        assert_eq!(beginning.join().unwrap(), "kept");
    });
    assert_eq!(new_seq(&a.carry_out([anonymous("b")])[0]), 2);
}

#[test]
fn a_server_that_has_the_database_alone_and_others_exclude_each_other() {
    let Some(database) = Database::new() else { return };
    let alone = database.open();
    let in_use = StorageError::Other("another server uses this database".into());
    assert_eq!(Peer::try_open(&database, LONG).unwrap_err(), in_use);
    drop(alone);
    let peer = Peer::open(&database);
    assert_eq!(database.try_open(Retention::default(), 1).unwrap_err(), in_use);
    drop(peer);
    database.open();
}

#[test]
fn typing_is_told_to_others_and_what_anybody_notifies_is_ignored() {
    let Some(database) = Database::new() else { return };
    let [mut a, mut b] = [(); 2].map(|()| Peer::open(&database));
    // Both listen once they have heard of something.
    for (number, peer) in [&mut a, &mut b].into_iter().enumerate() {
        turn_until(&mut [peer], "it does not listen", |_| {
            let listens = "SELECT count(*) FROM pg_stat_activity WHERE datname = \
                current_database() AND application_name LIKE '%listening' AND query LIKE '%leases%'";
            database.sql(listens).parse::<usize>().unwrap() > number
        });
    }
    for garbage in ["", "x", "-1", "99999999", "18446744073709551616"] {
        database.sql(&format!("SELECT pg_notify('pychat_journal', '{garbage}')"));
        database.sql(&format!("SELECT pg_notify('pychat_typing', '{garbage}')"));
    }
    a.store.tell_typing(HALL, &name("Анна"), Some(PersonId(7)));
    turn_until(&mut [&mut a, &mut b], "not told", |peers| !peers[1].elsewhere().is_empty());
    let (room, person) = (HALL, Some(PersonId(7)));
    assert_eq!(b.elsewhere(), [&Elsewhere::Typing { room, name: name("Анна"), person }]);
    assert_eq!(new_seq(&b.carry_out([anonymous("b")])[0]), 1);
    turn_until(&mut [&mut a], "not told", |peers| peers[0].records(HALL).len() == 1);
    assert_eq!(a.elsewhere().len(), 1, "nobody is told that they type");
}
