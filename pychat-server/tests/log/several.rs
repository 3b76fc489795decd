//! Several servers over one database: one order for all of them, and nobody decides by what another has
//! changed.

mod leases;
mod peer;

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
        elsewhere::{Elsewhere, Presence},
        id::{HALL, RoomId},
        moderation::{AuditEntry, Change},
        record::{
            Amending, Appended, Draft, Kind, PersonId, ReadMark, Request, RoomChange, StorageError,
            Stored,
        },
    },
    store::{Answer, Store},
};
use pychat_wire::message::{Reason, RoomKind};

use self::peer::{Peer, turn_until};
use super::{
    amending::amend,
    patient::Database,
    rooms::{ANNA, create},
    shelf::{draft, name, to},
};

/// A text that bears no id.
fn anonymous(words: &str) -> Request {
    to(HALL, Draft { person: None, ..draft("guest", words, None) })
}

/// A rule that all texts are held against.
fn slow() -> Request {
    let entry = AuditEntry {
        time_ms: 5,
        who: "root".into(),
        verb: "slow".into(),
        subject: String::new(),
        detail: "3".into(),
    };
    let changes = vec![Change::Slow(Some(Duration::from_secs(3)))];
    Request::Moderate { changes, entry, by: None }
}

fn presence(of: &str, person: Option<PersonId>) -> Presence {
    Presence { name: name(of), person, key: None }
}

#[track_caller]
fn new_seq(outcome: &Result<Stored, StorageError>) -> u64 {
    match outcome {
        Ok(Stored::Appended(Appended::New(record))) => record.seq,
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_hear_everything_once_and_in_one_order() {
    const N_BATCHES: usize = 40;
    let Some(database) = Database::new() else { return };
    let [mut a, mut b, mut c] = [(); 3].map(|()| Peer::open(&database));
    assert!([&a, &b, &c].iter().all(|peer| peer.store.is_shared()));
    let servers = [&a, &b, &c].map(|peer| peer.store.server().0);
    assert_eq!(servers, [1, 2, 3]);
    a.carry_out([create(RoomId(1), RoomKind::Open, &[ANNA])]);
    let mut tickets = [(); 3].map(|()| Vec::new());
    for batch in 0..N_BATCHES {
        for (number, peer) in [&mut a, &mut b, &mut c].into_iter().enumerate() {
            let words = format!("{number} {batch}");
            let other = to(RoomId(1), draft("Анна", &words, None));
            tickets[number].extend(peer.submit([anonymous(&words), other]));
            peer.turn();
        }
    }
    let n_hall = 3 * N_BATCHES;
    turn_until(&mut [&mut a, &mut b, &mut c], "not all of it is told", |peers| {
        peers.iter().all(|peer| {
            peer.records(HALL).len() == n_hall && peer.records(RoomId(1)).len() == n_hall + 1
        })
    });
    for peer in [&a, &b, &c] {
        for room in [HALL, RoomId(1)] {
            let seqs = peer.records(room).into_iter().map(|record| record.seq);
            assert!(seqs.eq(1..=peer.store.last_seq(room)), "{room}");
        }
        assert_eq!(peer.records(HALL), a.records(HALL));
    }
    for (number, peer) in [&a, &b, &c].into_iter().enumerate() {
        assert!(tickets[number].iter().all(|ticket| matches!(peer.outcome(*ticket), Some(Ok(_)))));
        let own = peer.elsewhere().into_iter().filter(
            |it| matches!(it, Elsewhere::Done { server, .. } if *server == peer.store.server()),
        );
        assert_eq!(own.count(), 0, "nobody is told their own");
    }
    let dense = "SELECT count(*) = max(number) AND max(number) = (SELECT number FROM journal_end) \
        AND min(number) = 1 FROM journal";
    assert_eq!(database.sql(dense), "t");
    assert_eq!(a.read(HALL), c.read(HALL));
}

#[test]
fn a_request_is_overtaken_by_a_change_that_its_server_knew_nothing_of() {
    let Some(database) = Database::new() else { return };
    let [mut a, mut b] = [(); 2].map(|()| Peer::open(&database));
    a.carry_out([slow()]);
    let mark = Request::Mark(ReadMark { room: HALL, person: ANNA, seq: 1 });
    let tickets = b.submit([anonymous("a"), mark, anonymous("b")]);
    turn_until(&mut [&mut b], "not answered", |peers| peers[0].outcome(tickets[2]).is_some());
    let outcomes: Vec<_> = tickets.iter().map(|ticket| b.outcome(*ticket).unwrap()).collect();
    let overtaken = || Err(StorageError::Overtaken);
    assert_eq!(outcomes, [overtaken(), Ok(Stored::Changed), overtaken()]);
    let first = b.answers.first().unwrap();
    assert!(matches!(first, Answer::Elsewhere(_)), "known before it is decided anew: {first:?}");
    assert_eq!(new_seq(&b.carry_out([anonymous("a")])[0]), 1);
    assert_eq!(new_seq(&a.carry_out([anonymous("c")])[0]), 2, "a mark overtakes nothing");
    assert_eq!(a.read(HALL), ["a", "c"]);
}

#[test]
fn texts_do_not_overtake_texts() {
    let Some(database) = Database::new() else { return };
    let [mut a, mut b] = [(); 2].map(|()| Peer::open(&database));
    for seq in 1..=3 {
        assert_eq!(new_seq(&a.carry_out([anonymous("a")])[0]), 2 * seq - 1);
        assert_eq!(new_seq(&b.carry_out([anonymous("b")])[0]), 2 * seq);
    }
}

#[test]
fn a_name_is_present_once_and_who_leaves_has_left() {
    let Some(database) = Database::new() else { return };
    let [mut a, mut b] = [(); 2].map(|()| Peer::open(&database));
    let enter = |of| Request::Enter(presence(of, None));
    assert_eq!(a.carry_out([enter("Анна")]), [Ok(Stored::Changed)]);
    assert_eq!(b.carry_out([enter("АННА")]), [Err(StorageError::Overtaken)]);
    assert_eq!(b.carry_out([enter("Борис")]), [Ok(Stored::Changed)]);
    let present = || database.sql("SELECT server, name FROM present ORDER BY position");
    assert_eq!(present(), "1|Анна\n2|Борис");
    // Somebody is taken over by the owner of the name, on another server, who sends them away.
    let owner = Request::Enter(presence("Анна", Some(ANNA)));
    assert_eq!(b.carry_out([owner]), [Ok(Stored::Changed)]);
    let leave = Request::Leave(presence("Анна", None), Reason::Kicked);
    assert_eq!(a.carry_out([leave]), [Ok(Stored::Changed)]);
    assert_eq!(present(), "2|Борис\n2|Анна");
    turn_until(&mut [&mut b], "not told", |peers| peers[0].elsewhere().len() == 2);
    let mut c = Peer::open(&database);
    let told = c.store.present().unwrap();
    let told: Vec<_> = told.iter().map(|it| (it.server.0, it.presence.name.as_str())).collect();
    assert_eq!(told, [(2, "Борис"), (2, "Анна")]);
    c.turn();
}

#[test]
fn an_id_is_used_once_on_whatever_server_it_comes_again() {
    let Some(database) = Database::new() else { return };
    let [mut a, mut b] = [(); 2].map(|()| Peer::open(&database));
    let said = || to(HALL, draft("Анна", "once", Some("7")));
    let (ours, theirs) = (a.submit([said()])[0], b.submit([said()])[0]);
    turn_until(&mut [&mut a, &mut b], "not answered", |peers| {
        peers[0].outcome(ours).is_some() && peers[1].outcome(theirs).is_some()
    });
    let outcomes = [a.outcome(ours).unwrap().unwrap(), b.outcome(theirs).unwrap().unwrap()];
    let n_new = outcomes.iter().filter(|stored| stored.new_record().is_some()).count();
    let is_known =
        |stored: &&Stored| matches!(stored, Stored::Appended(Appended::Known(it)) if it.seq == 1);
    assert_eq!((n_new, outcomes.iter().filter(is_known).count()), (1, 1), "{outcomes:?}");
    assert_eq!(b.read(HALL), ["once"]);
}

#[test]
fn sessions_that_end_at_any_moment_double_nothing_on_any_server() {
    let Some(database) = Database::new() else { return };
    let [mut a, mut b] = [(); 2].map(|()| Peer::open(&database));
    let is_over = Arc::new(AtomicBool::new(false));
    let killer = {
        let (database, is_over) = (database.clone(), Arc::clone(&is_over));
        let terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
            WHERE datname = current_database() AND application_name LIKE 'pychat%' \
            AND random() < 0.4";
        thread::spawn(move || {
            let mut n_killed = 0;
            while !is_over.load(Ordering::Relaxed) {
                n_killed += database.sql(terminate).parse::<u64>().unwrap();
            }
            n_killed
        })
    };
    let (mut expected, deadline) = (Vec::new(), Instant::now() + Duration::from_secs(5));
    while Instant::now() < deadline {
        let words = format!("{}", expected.len());
        let both = [a.submit([anonymous(&words)])[0], b.submit([anonymous(&words)])[0]];
        turn_until(&mut [&mut a, &mut b], "not answered", |peers| {
            peers[0].outcome(both[0]).is_some() && peers[1].outcome(both[1]).is_some()
        });
        for (peer, ticket) in [&a, &b].into_iter().zip(both) {
            new_seq(&peer.outcome(ticket).unwrap());
            expected.push(words.clone());
        }
    }
    is_over.store(true, Ordering::Relaxed);
    assert!(3 < killer.join().unwrap() && 30 < expected.len(), "{}", expected.len());
    let n_all = expected.len();
    turn_until(&mut [&mut a, &mut b], "not all of it is told", |peers| {
        peers.iter().all(|peer| peer.records(HALL).len() == n_all)
    });
    for peer in [&mut a, &mut b] {
        assert!(peer.records(HALL).iter().map(|record| record.seq).eq(1..=n_all as u64));
        let mut words = peer.read(HALL);
        let number = |words: &String| words.parse::<u64>().unwrap();
        words.sort_by_key(number);
        assert_eq!(words, expected);
    }
}

#[test]
fn a_server_that_begins_meanwhile_misses_nothing_and_hears_nothing_twice() {
    let Some(database) = Database::new() else { return };
    let mut a = Peer::open(&database);
    let (is_over, database2) = (Arc::new(AtomicBool::new(false)), database.clone());
    let writer = {
        let is_over = Arc::clone(&is_over);
        thread::spawn(move || {
            let mut b = Peer::open(&database2);
            while !is_over.load(Ordering::Relaxed) {
                b.carry_out([anonymous("b")]);
            }
            b.store.last_seq(HALL)
        })
    };
    turn_until(&mut [&mut a], "nothing is said", |peers| 3 < peers[0].records(HALL).len());
    let mut late: Vec<_> = (0..3)
        .map(|_| {
            let peer = Peer::open(&database);
            (peer.store.last_seq(HALL), peer)
        })
        .collect();
    is_over.store(true, Ordering::Relaxed);
    let last = writer.join().unwrap();
    for (known, peer) in &mut late {
        let left = usize::try_from(last - *known).unwrap();
        turn_until(&mut [peer], "it misses something", |peers| {
            peers[0].records(HALL).len() == left
        });
        assert!(peer.records(HALL).iter().map(|it| it.seq).eq(*known + 1..=last));
        assert_eq!(peer.store.last_seq(HALL), last);
    }
}

#[test]
fn pages_are_as_others_have_amended_them_and_words_are_not_in_the_journal() {
    let Some(database) = Database::new() else { return };
    let [mut a, mut b] = [(); 2].map(|()| Peer::open(&database));
    let said = |words, id| to(HALL, draft("Анна", words, Some(id)));
    a.carry_out([said("secret-one", "1"), said("secret-two", "2")]);
    turn_until(&mut [&mut b], "not told", |peers| peers[0].elsewhere().len() == 2);
    assert_eq!(b.read(HALL), ["secret-one", "secret-two"]);
    let change = |change, id| amend(HALL, "Анна", change, id, true);
    let edit = (1, Amending::Edit(Some("secret-three")));
    a.carry_out([change(edit, "3"), change((2, Amending::Delete), "4")]);
    turn_until(&mut [&mut b], "not told", |peers| peers[0].elsewhere().len() == 4);
    assert_eq!(b.read(HALL), ["secret-three", "", "secret-three", ""]);
    let records = b.records(HALL);
    let deleted = &records[1];
    assert_eq!(deleted.kind, Kind::Text("secret-two".into()), "as it was when it was read");
    let edit = Kind::Amendment { target: 1, amending: Amending::Edit(Some("secret-three".into())) };
    assert_eq!(records[2].kind, edit);
    assert_eq!(records[3].kind, Kind::Amendment { target: 2, amending: Amending::Delete });
    // Who was away reads it without the words.
    let mut c = Peer::open(&database);
    c.carry_out([change((1, Amending::Delete), "5")]);
    assert_eq!(c.read(HALL), ["", "", "", "", ""]);
    let journal = "SELECT string_agg(convert_from(changes, 'UTF8'), '') FROM journal";
    let journal = database.sql(journal);
    assert!(journal.contains("\"append\"") && !journal.contains("secret"), "{journal}");
}

#[test]
fn what_was_erased_meanwhile_is_told_without_its_words() {
    let Some(database) = Database::new() else { return };
    let [mut a, mut b] = [(); 2].map(|()| Peer::open(&database));
    a.carry_out([to(HALL, draft("Анна", "secret", Some("1")))]);
    a.carry_out([amend(HALL, "Анна", (1, Amending::Delete), "2", true)]);
    database.sql("DELETE FROM records WHERE seq = 2");
    turn_until(&mut [&mut b], "not told", |peers| peers[0].records(HALL).len() == 2);
    let [message, change] = b.records(HALL)[..] else { panic!("{:?}", b.records(HALL)) };
    assert_eq!((&message.kind, message.state.is_deleted), (&Kind::Text("".into()), true));
    let delete = Kind::Amendment { target: 1, amending: Amending::Delete };
    assert_eq!((&change.kind, change.seq, change.author.as_str()), (&delete, 2, "Анна"));
}

#[test]
fn a_room_is_over_only_if_nobody_came_on_another_server() {
    let Some(database) = Database::new() else { return };
    let [mut a, mut b] = [(); 2].map(|()| Peer::open(&database));
    let come = |person: u64| {
        let kind = Kind::Event { event: pychat_wire::message::RoomEvent::Joined, subject: None };
        let draft = Draft { kind, ..draft("Борис", "", Some("come")) };
        let change = Some(RoomChange::Add(PersonId(person)));
        Request::Append { room: RoomId(1), draft, change }
    };
    a.carry_out([create(RoomId(1), RoomKind::Open, &[ANNA])]);
    turn_until(&mut [&mut b], "not told", |peers| peers[0].elsewhere().len() == 1);
    a.carry_out([come(10)]);
    assert_eq!(b.carry_out([Request::EndRoom(RoomId(1))]), [Err(StorageError::Overtaken)]);
    assert_eq!(b.carry_out([Request::EndRoom(RoomId(1))]), [Ok(Stored::Changed)]);
    assert_eq!(a.carry_out([come(11)]), [Err(StorageError::Overtaken)]);
    assert_eq!(database.sql("SELECT count(*) FROM rooms"), "0");
}
