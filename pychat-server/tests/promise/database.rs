//! The database that the server has its log in, if `PROMISE_STORE=postgres` asks for one.

use std::{env, fs, path::Path};

use rusqlite::Connection;
use serde_json::Value;

use crate::{kit::runs, postgres::Postgres};

/// The tables as the log in a file has them, as far as the proof reads them.
const TABLES: &str = "
    CREATE TABLE meta (epoch);
    CREATE TABLE rooms (id, kind);
    CREATE TABLE members (room, person);
    CREATE TABLE marks (room, person, seq);
    CREATE TABLE names (name, person);
    CREATE TABLE records (key INTEGER PRIMARY KEY, time_ms, author, content, kind, id, target, edited_ms,
        words, removed, removed_ms, reactions);";

/// Each table, and the query for what is copied into it.
const COPIES: [(&str, &str); 6] = [
    ("meta", "epoch FROM meta"),
    ("rooms", "id, kind FROM rooms"),
    ("members", "room, person FROM members"),
    ("marks", "room, person, seq FROM marks"),
    ("names", "name, person FROM names"),
    (
        "records",
        "room << 40 | seq, time_ms, author, convert_from(content, 'UTF8'), kind, \
            convert_from(id, 'UTF8'), target, edited_ms, words, convert_from(removed, 'UTF8'), \
            removed_ms, reactions FROM records",
    ),
];

/// Returns true if a database is asked for.
pub(crate) fn is_wanted() -> bool {
    env::var("PROMISE_STORE").is_ok_and(|store| store == "postgres")
}

/// Returns the number of servers: one, or, with a database, as many as `PROMISE_SERVERS` says.
pub(super) fn n_servers() -> usize {
    let given = runs::number("PROMISE_SERVERS").filter(|_| is_wanted());
    given.and_then(|number| usize::try_from(number).ok()).unwrap_or(1)
}

/// Returns the number of databases that follow the one that is written to, if there are to be any.
pub(crate) fn n_standbys() -> Option<usize> {
    let given = runs::number("PROMISE_STANDBYS").filter(|number| is_wanted() && 0 < *number);
    given.and_then(|number| usize::try_from(number).ok())
}

/// Returns a database, if one is asked for.
pub(super) fn open() -> Option<Postgres> {
    let is_one = is_wanted() && n_standbys().is_none();
    is_one.then(|| Postgres::start("").expect("PostgreSQL"))
}

/// Puts all that the proof reads into a file, like that of a log in a file.
pub(super) fn copy(sql: impl Fn(&str) -> String, file: &Path) {
    fs::remove_file(file).ok();
    let mut connection = Connection::open(file).unwrap();
    let transaction = connection.transaction().unwrap();
    transaction.execute_batch(TABLES).unwrap();
    for (table, query) in COPIES {
        let (columns, from) = query.split_once(" FROM ").unwrap();
        let rows = sql(&format!(
            "SET search_path = pychat; SELECT json_build_array({columns}) FROM {from}"
        ));
        for row in rows.lines() {
            let values: Vec<Value> = serde_json::from_str(row).unwrap();
            let places = vec!["?"; values.len()].join(", ");
            let insert = format!("INSERT INTO {table} VALUES ({places})");
            let mut insert = transaction.prepare_cached(&insert).unwrap();
            for (index, value) in (1..).zip(&values) {
                match value {
                    Value::Number(number) => insert.raw_bind_parameter(index, number.as_i64()),
                    Value::String(text) => insert.raw_bind_parameter(index, text),
                    _ => insert.raw_bind_parameter(index, None::<i64>),
                }
                .unwrap();
            }
            insert.raw_execute().unwrap();
        }
    }
    transaction.commit().unwrap();
}
