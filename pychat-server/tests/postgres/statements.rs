//! Statements and their answers.

use std::{iter, time::Duration};

use pychat_server::store::postgres::{ColumnError, Event, Row, Value};

use crate::{database::Postgres, line::Line};

/// Returns the one row of an answer.
#[track_caller]
fn only_row(events: &[Event]) -> &Row {
    match events {
        [Event::Row(row), Event::Done { affected: 1 }] => row,
        events => panic!("{events:?}"),
    }
}

#[track_caller]
fn sqlstate(events: &[Event]) -> &str {
    match events.last() {
        Some(Event::Failed(error)) => &error.sqlstate,
        _ => panic!("{events:?}"),
    }
}

#[test]
fn values_come_back_as_they_went() {
    let Some(postgres) = Postgres::start("") else { return };
    let mut line = Line::up(&postgres.uri());
    let sql = "SELECT $1::bigint, $2::text, $3::bytea, $4::boolean, $5::bigint[], \
        array_to_string($6::text[], '|'), $7::bytea[] = ARRAY[$3], $8::text, 7::int, 8::smallint";
    let bytes: Vec<u8> = (0..=255).collect();
    for int in [0, -1, i64::MAX, i64::MIN] {
        let events = line.ask(
            sql,
            &[
                Value::Int(int),
                Value::Text("Жук\n'"),
                Value::Bytes(&bytes),
                Value::Bool(true),
                Value::Ints(&[1, int]),
                Value::Texts(&["a", "", "б"]),
                Value::ByteStrings(&[&bytes]),
                Value::Null,
            ],
        );
        let row = only_row(&events);
        assert_eq!((row.get(0), row.get(1)), (Ok(int), Ok("Жук\n'")));
        assert_eq!((row.get(2), row.get(3)), (Ok(&bytes[..]), Ok(true)));
        assert_eq!((row.get(4), row.get(5)), (Ok(vec![1, int]), Ok("a||б")));
        assert_eq!((row.get(6), row.get(7)), (Ok(true), Ok(None::<&str>)));
        assert_eq!((row.get(8), row.get(9), row.len()), (Ok(7_i64), Ok(8_u64), 10));
        assert_eq!(row.get::<&str>(7), Err(ColumnError::Null(7)));
        assert_eq!(row.get::<&str>(0), Err(ColumnError::Type(0, 20)));
        assert_eq!(row.get::<i64>(10), Err(ColumnError::Missing(10)));
        assert_eq!(row.get::<u64>(0).is_ok(), 0 <= int);
    }
}

#[test]
fn statements_up_to_a_sync_are_one_transaction() {
    const INSERT: &str = "INSERT INTO t SELECT unnest($1)";
    const ALSO: &str = "INSERT INTO u VALUES ($1)";
    let Some(postgres) = Postgres::start("") else { return };
    let mut line = Line::up(&postgres.uri());
    line.connection.execute_script("CREATE TABLE t (id bigint UNIQUE); CREATE TABLE u (id bigint)");
    assert!(line.answers().is_empty());
    line.connection.execute(INSERT, &[Value::Ints(&[1, 2])]);
    line.connection.execute(INSERT, &[Value::Ints(&[3])]);
    line.connection.sync();
    // The second batch fails in its midst, before a statement that nobody has used yet; the third one
    // uses that, and is written before anybody knows.
    line.connection.execute(INSERT, &[Value::Ints(&[4])]);
    line.connection.execute(INSERT, &[Value::Ints(&[5, 1])]);
    line.connection.execute(ALSO, &[Value::Int(6)]);
    line.connection.sync();
    line.connection.execute(ALSO, &[Value::Int(7)]);
    line.connection.sync();
    let done = line.answers();
    assert!(
        matches!(done[..], [Event::Done { affected: 2 }, Event::Done { affected: 1 }]),
        "{done:?}"
    );
    let failed = line.answers();
    assert!(matches!(failed[..], [Event::Done { .. }, Event::Failed(_)]), "{failed:?}");
    assert_eq!(sqlstate(&failed), "23505");
    let done = line.answers();
    assert!(matches!(done[..], [Event::Done { affected: 1 }]), "{done:?}");
    assert_eq!(postgres.sql("SELECT * FROM t ORDER BY 1; SELECT * FROM u"), "1\n2\n3\n7");
}

#[test]
fn a_statement_that_fails_leaves_the_session_in_order() {
    let Some(postgres) = Postgres::start("") else { return };
    let mut line = Line::up(&postgres.uri());
    let nul = Value::Text("\0");
    for (sql, values, expected) in [
        ("SELECT nonsense", &[][..], "42703"),
        ("SELECT nonsense", &[], "42703"),
        ("SELECT $1::text", &[nul], "22021"),
        ("SELECT 1/$1", &[Value::Int(0)], "22012"),
        ("SELECT 1; SELECT 2", &[], "42601"),
        ("SELECT $1 + $2", &[Value::Int(1)], "08P01"),
    ] {
        assert_eq!(sqlstate(&line.ask(sql, values)), expected, "{sql}");
    }
    line.connection.execute_script("SELECT 1; SELEKT 2");
    assert_eq!(sqlstate(&line.answers()), "42601");
    let one = line.ask("SELECT 1::bigint", &[]);
    assert_eq!(only_row(&one).get(0), Ok(1_i64));
    assert!(matches!(line.ask("", &[])[..], [Event::Done { affected: 0 }]));
}

#[test]
fn many_rows_and_long_ones_come_whole() {
    let Some(postgres) = Postgres::start("") else { return };
    let mut line = Line::up(&postgres.uri());
    let events = line.ask("SELECT n FROM generate_series(1, $1) AS n", &[Value::Int(100_000)]);
    assert_eq!(events.len(), 100_001);
    for (number, event) in (1_i64..).zip(&events[..100_000]) {
        let Event::Row(row) = event else { panic!("{event:?}") };
        assert_eq!(row.get(0), Ok(number));
    }
    let long: String = iter::repeat_n("пять ", 2_000_000).collect();
    let events = line.ask("SELECT $1::text", &[Value::Text(&long)]);
    assert_eq!(only_row(&events).get(0), Ok(long.as_str()));
    // A row of more than 64 MiB is more than anybody should be asked to hold.
    line.connection.execute("SELECT repeat('x', 70000000)", &[]);
    line.connection.sync();
    assert!(matches!(line.next(), Event::Lost(_)));
    line.wait_until_up();
}

#[test]
fn notifications_are_told() {
    let Some(postgres) = Postgres::start("") else { return };
    let mut line = Line::up(&postgres.uri());
    line.ask("LISTEN house", &[]);
    postgres.sql("NOTIFY house, 'бой'");
    match line.next() {
        Event::Notified { channel, payload } => {
            assert_eq!((&*channel, &*payload), ("house", "бой"));
        }
        event => panic!("{event:?}"),
    }
}

#[test]
fn a_server_that_falls_silent_is_left() {
    let Some(postgres) = Postgres::start("") else { return };
    let mut line = Line::up(&postgres.uri());
    line.connection.set_answer_timeout(Duration::from_millis(300));
    line.connection.execute("SELECT pg_sleep(60)", &[]);
    line.connection.sync();
    match line.next() {
        Event::Lost(error) => assert_eq!(error.to_string(), "no answer within 0 seconds"),
        event => panic!("{event:?}"),
    }
    line.wait_until_up();
}

#[test]
fn copying_is_refused() {
    let Some(postgres) = Postgres::start("") else { return };
    let mut line = Line::up(&postgres.uri());
    for sql in ["COPY (SELECT 1) TO STDOUT", "COPY pg_class FROM STDIN"] {
        line.connection.execute(sql, &[]);
        line.connection.sync();
        assert!(matches!(line.next(), Event::Lost(_) | Event::Failed(_)), "{sql}");
        if !line.connection.is_up() {
            line.wait_until_up();
        }
    }
}

#[test]
fn a_server_that_dies_is_left_and_found_again() {
    let Some(mut postgres) = Postgres::start("") else { return };
    let mut line = Line::up(&postgres.uri());
    line.connection.execute_script("CREATE TABLE t (id bigint)");
    line.answers();
    for id in 0..20 {
        line.connection.execute("INSERT INTO t VALUES ($1)", &[Value::Int(id)]);
        line.connection.sync();
    }
    line.connection.execute("SELECT pg_sleep(60)", &[]);
    line.connection.sync();
    while !matches!(line.next(), Event::Synced) {}
    postgres.kill();
    let mut synced = 1;
    loop {
        match line.next() {
            Event::Synced => synced += 1,
            Event::Done { .. } => (),
            Event::Lost(_) => break,
            event => panic!("{event:?}"),
        }
    }
    assert!(!line.connection.is_up());
    assert!(matches!(line.next(), Event::Unavailable(_)));
    // What is asked meanwhile is dropped.
    line.connection.execute("INSERT INTO t VALUES (100)", &[]);
    line.connection.sync();
    postgres.run();
    line.wait_until_up();
    let kept = line.ask("SELECT count(*), max(id) FROM t", &[]);
    let row = only_row(&kept);
    assert!(synced <= row.get::<u64>(0).unwrap() && row.get::<u64>(1).unwrap() < 20);
}
