//! Moderation: the acts of operators are kept, with a record of them.

use std::time::{Duration, Instant};

use pychat_server::{
    core::{
        id::Ticket,
        moderation::{AuditEntry, Change, Measure, Rulebook, Sanction, Subject},
        record::{Request, StorageError, Stored},
    },
    store::{AUDIT_ENTRIES_MAX, Answer, Retention, Store},
};
use pychat_wire::{key::PublicKey, message::Door};

use super::shelf::{Shelf, append, draft, stores};

fn entry(number: usize) -> AuditEntry {
    AuditEntry {
        time_ms: number as u64,
        who: "root".to_owned(),
        verb: "mute".to_owned(),
        subject: "Анна".to_owned(),
        detail: String::new(),
    }
}

/// Has the store keep these; returns the first outcome.
fn keep(
    store: &mut dyn Store,
    records: impl IntoIterator<Item = (Vec<Change>, AuditEntry)>,
) -> Result<Stored, StorageError> {
    let requests =
        records.into_iter().map(|(changes, entry)| Request::Moderate { changes, entry, by: None });
    let mut batch: Vec<_> = (1..).map(Ticket).zip(requests).collect();
    let (now, mut answers) = (Instant::now(), Vec::new());
    store.submit(now, 5, &mut batch);
    store.poll(now, &mut answers);
    match answers.swap_remove(0) {
        Answer::Done { ticket: Ticket(1), outcome } => outcome,
        other => panic!("{other:?}"),
    }
}

fn sanction(id: u64, measure: Measure, subject: Subject, until_ms: Option<u64>) -> Sanction {
    Sanction { id, measure, subject, until_ms, since_ms: 4, by: "root".to_owned() }
}

fn person(name: &str, keys: &[u8]) -> Subject {
    let keys = keys.iter().map(|number| PublicKey([*number; 32])).collect();
    Subject::Person { name: name.to_owned(), keys }
}

#[test]
fn rules_are_as_they_were_last_when_the_log_is_opened_again() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    assert_eq!(log.rulebook().unwrap(), Rulebook::default());
    let network = Subject::Network("2001:db8::/48".parse().unwrap());
    let sanctions = [
        sanction(2, Measure::Ban, person("Анна", &[1, 2]), None),
        sanction(3, Measure::Mute, person("Борис", &[]), Some(9)),
        sanction(4, Measure::Ban, network, Some(u64::MAX >> 1)),
    ];
    let first = sanction(1, Measure::Ban, person("x", &[3]), None);
    let changes = sanctions.iter().cloned().chain([first]).map(Change::Impose).collect();
    let slow = Change::Slow(Some(Duration::from_secs(30)));
    keep(&mut log, [(changes, entry(1)), (vec![Change::Lift(1), slow], entry(2))]).unwrap();
    keep(&mut log, [(vec![Change::Door(Door::Invite)], entry(3))]).unwrap();
    drop(log);
    let mut log = shelf.open();
    let kept = log.rulebook().unwrap();
    assert_eq!(kept.sanctions, sanctions);
    assert_eq!((kept.slow, kept.door), (Some(Duration::from_secs(30)), Some(Door::Invite)));
    assert_eq!(log.audit(2).unwrap().unwrap(), [entry(2), entry(3)]);
    keep(&mut log, [(vec![Change::Slow(None), Change::Door(Door::Open)], entry(4))]).unwrap();
    let kept = log.rulebook().unwrap();
    assert_eq!((kept.slow, kept.door), (None, Some(Door::Open)));
}

#[test]
fn the_newest_records_are_kept_and_no_more() {
    let shelf = Shelf::new();
    for mut store in stores(&shelf, Retention::default()) {
        let records = (0..AUDIT_ENTRIES_MAX + 5).map(|number| (Vec::new(), entry(number)));
        keep(&mut *store, records).unwrap();
        let kept = store.audit(usize::MAX).unwrap().unwrap();
        assert_eq!((kept.len(), &kept[0]), (AUDIT_ENTRIES_MAX, &entry(5)));
        assert_eq!(store.audit(1).unwrap().unwrap(), [entry(AUDIT_ENTRIES_MAX + 4)]);
    }
}

#[test]
fn who_fills_the_disk_can_be_banned_all_the_same() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    log.set_retention(Retention { disk_reserve_bytes: u64::MAX, ..Retention::default() });
    let refused = append(&mut log, 6, [draft("Анна", "b", Some("1"))], []);
    assert_eq!(refused, Err(StorageError::Reserve));
    let ban = Change::Impose(sanction(1, Measure::Ban, person("Анна", &[1]), None));
    assert_eq!(keep(&mut log, [(vec![ban], entry(1))]), Ok(Stored::Changed));
    assert_eq!(log.rulebook().unwrap().sanctions.len(), 1);
}
