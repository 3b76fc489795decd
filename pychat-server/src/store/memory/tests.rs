use pychat_wire::UserName;

use super::*;
use crate::core::{id::HALL, record::Kind};

fn log(retention: Retention) -> Memory {
    Memory::new(0x1f, retention)
}

fn draft(content: &str, id: Option<&str>) -> Draft {
    let author = UserName::new("Анна").unwrap();
    let person = Some(PersonId(1));
    Draft { author, person, kind: Kind::Text(content.into()), id: id.map(Into::into), reply: None }
}

fn say(log: &mut Memory, utc_ms: u64, drafts: Vec<Draft>) -> Vec<Appended> {
    let requests =
        drafts.into_iter().map(|draft| Request::Append { room: HALL, draft, change: None });
    let mut batch = (1..).map(Ticket).zip(requests).collect();
    let (now, mut answers) = (Instant::now(), Vec::new());
    log.submit(now, utc_ms, &mut batch);
    log.poll(now, &mut answers);
    let outcome = |(number, answer)| match answer {
        Answer::Done { ticket, outcome: Ok(Stored::Appended(appended)) } => {
            assert_eq!(ticket, Ticket(number));
            appended
        }
        other => panic!("{other:?}"),
    };
    (1..).zip(answers).map(outcome).collect()
}

fn seqs(log: &mut Memory, after: u64) -> Vec<u64> {
    let mut seqs = Vec::new();
    log.read(HALL, after, Records::All, &mut |entry| {
        seqs.push(entry.seq);
        ControlFlow::Continue(())
    })
    .unwrap();
    seqs
}

#[test]
fn messages_are_numbered_from_one_without_a_gap() {
    let mut log = log(Retention::default());
    assert_eq!((log.first_seq(HALL), log.last_seq(HALL)), (1, 0));
    assert_eq!(log.epoch(), "0000000000000000000000000000001f");
    let mut told = Vec::new();
    for drafts in [vec![draft("a", None), draft("b", None)], vec![], vec![draft("c", None)]] {
        told.extend(say(&mut log, 5, drafts));
    }
    let told: Vec<_> = told
        .iter()
        .map(|appended| match appended {
            Appended::New(record) => (record.seq, record.kind.as_deref()),
            other => panic!("nothing was said twice: {other:?}"),
        })
        .collect();
    assert_eq!(told, [(1, "a"), (2, "b"), (3, "c")].map(|(seq, text)| (seq, Kind::Text(text))));
    assert_eq!((seqs(&mut log, 1), seqs(&mut log, 3)), (vec![2, 3], vec![]));
    assert_eq!((log.first_seq(HALL), log.last_seq(HALL)), (1, 3));
}

#[test]
fn reading_ends_where_the_reader_has_seen_enough() {
    let mut log = log(Retention::default());
    say(&mut log, 5, vec![draft("a", None), draft("b", Some("7")), draft("c", None)]);
    let mut read = Vec::new();
    log.read(HALL, 1, Records::All, &mut |entry| {
        read.push((
            entry.seq,
            entry.time_ms,
            entry.author.to_owned(),
            entry.kind.text().to_owned(),
        ));
        assert_eq!(entry.id, Some("7"));
        ControlFlow::Break(())
    })
    .unwrap();
    assert_eq!(read, [(2, 5, "Анна".to_owned(), "b".to_owned())]);
}

#[test]
fn what_was_said_under_an_id_is_said_once() {
    let mut log = log(Retention { messages_max: 2, ..Retention::default() });
    let told = say(&mut log, 5, vec![draft("a", Some("1")), draft("a", Some("1"))]);
    let [Appended::New(first), Appended::Known(again)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((again, again.kind.as_deref()), (first, Kind::Text("a")), "as it was said first");
    let conflict = Appended::Conflict { id: "1".into() };
    assert_eq!(say(&mut log, 6, vec![draft("other", Some("1"))]), [conflict]);
    let boris = Draft { person: Some(PersonId(2)), ..draft("b", Some("1")) };
    assert!(matches!(&say(&mut log, 6, vec![boris])[..], [Appended::New(_)]), "to each their own");
    assert_eq!(say(&mut log, 7, vec![draft("a", Some("1"))]), [Appended::Known(first.clone())]);
    say(&mut log, 8, vec![draft("c", None)]);
    let told = say(&mut log, 9, vec![draft("a", Some("1"))]);
    assert!(matches!(&told[..], [Appended::New(_)]), "what is forgotten is not known: {told:?}");
}

#[test]
fn time_never_goes_back() {
    let mut log = log(Retention::default());
    let times = [5, 9, 3, 10].map(|utc_ms| {
        let told = say(&mut log, utc_ms, vec![draft("x", None)]);
        let [Appended::New(record)] = &told[..] else { panic!("{told:?}") };
        record.time_ms
    });
    assert_eq!(times, [5, 9, 9, 10]);
}

#[test]
fn the_oldest_are_forgotten_beyond_the_limits() {
    let mut log = log(Retention { messages_max: u64::MAX, ..Retention::default() });
    say(&mut log, 5, (0..=RECORDS_MAX).map(|_| draft("x", None)).collect());
    assert_eq!((seqs(&mut log, 0).len(), log.first_seq(HALL)), (RECORDS_MAX, 2));
    let half = "x".repeat(CONTENT_BYTES_MAX / 2);
    say(&mut log, 5, vec![draft(&half, None), draft(&half, None)]);
    assert_eq!(seqs(&mut log, 0), [10_002, 10_003]);
    let whole = format!("{half}{half}x");
    say(&mut log, 5, vec![draft(&whole, None)]);
    assert_eq!((log.first_seq(HALL), log.last_seq(HALL)), (10_005, 10_004), "nothing is kept");
    say(&mut log, 5, vec![draft("x", None), draft("x", None)]);
    log.set_retention(Retention { messages_max: 1, ..Retention::default() });
    assert_eq!(seqs(&mut log, 0), [10_006]);
}

#[test]
fn what_is_too_old_is_forgotten_though_nobody_speaks() {
    let mut log = log(Retention { age_max: Duration::from_millis(100), ..Retention::default() });
    let now = Instant::now();
    let time = |utc_ms| Time { now, utc_ms, trusted_at: now };
    log.maintain(&time(1_000));
    assert_eq!(log.next_deadline(), None, "there is nothing to forget");
    say(&mut log, 1_000, vec![draft("a", None)]);
    say(&mut log, 1_030, vec![draft("b", None)]);
    log.maintain(&time(1_040));
    assert_eq!(log.next_deadline(), Some(now + Duration::from_millis(60)));
    let trusted_at = now + Duration::from_secs(9);
    log.maintain(&Time { trusted_at, ..time(9_000) });
    assert_eq!((log.first_seq(HALL), log.next_deadline()), (1, Some(trusted_at)), "who knows");
    log.maintain(&time(1_100));
    assert_eq!((seqs(&mut log, 0), log.take_forgotten()), (vec![2], 1));
    assert_eq!(log.next_deadline(), Some(now + Duration::from_millis(30)));
    log.maintain(&time(1_130));
    assert_eq!((log.first_seq(HALL), log.last_seq(HALL), log.next_deadline()), (3, 2, None));
    assert_eq!((log.take_forgotten(), log.take_forgotten()), (1, 0));
}

#[test]
fn bytes_are_counted_with_what_each_message_takes() {
    let mut log = log(Retention { bytes_max: 3 * (MESSAGE_BYTES + 10), ..Retention::default() });
    say(&mut log, 5, vec![draft("0123456789", None); 5]);
    assert_eq!(seqs(&mut log, 0), [3, 4, 5]);
}
