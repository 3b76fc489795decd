//! No table and no column is forgotten when the schemas get more.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use rusqlite::Connection;

use super::*;
use crate::store::{postgres, sqlite};

/// The tables that are not copied: the name of the log, which is given to the target by itself, and what
/// each engine makes for itself.
const NOT_COPIED_SQLITE: [&str; 7] = [
    "meta",
    "search",
    "search_config",
    "search_data",
    "search_docs",
    "search_forgotten",
    "search_idx",
];
/// Also the servers that are at work, and which version of the schema there is.
const NOT_COPIED_POSTGRES: [&str; 7] =
    ["journal", "journal_end", "leases", "meta", "present", "servers", "version"];

type Columns = BTreeMap<String, BTreeSet<String>>;

fn of_sqlite() -> Columns {
    let file = std::env::temp_dir().join(format!("pychat-tables-{}", std::process::id()));
    fs::write(&file, "").unwrap();
    sqlite::NewLog::begin(&file).unwrap().finish("0", false, &mut |_, _| ()).unwrap();
    let connection = Connection::open(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let sql = "SELECT m.name, c.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c \
        WHERE m.type = 'table'";
    let mut select = connection.prepare(sql).unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let mut tables = Columns::new();
    for row in rows {
        let (table, column): (String, String) = row.unwrap();
        tables.entry(table).or_default().insert(column);
    }
    tables
}

/// Reads the statements that make tables, one column a line.
fn of_postgres() -> Columns {
    let mut tables = Columns::new();
    for statement in postgres::schema_statements() {
        let (head, body) = statement.split_once('(').unwrap_or((statement, ""));
        let words: Vec<_> = head.split_whitespace().collect();
        match *words.as_slice() {
            ["CREATE", "TABLE", name] => {
                let columns = tables.entry(name.replace("pychat.", "")).or_default();
                let lines = body.lines().filter(|line| !line.trim_start().starts_with("--"));
                let parts = lines.flat_map(|line| line.split(", "));
                let first = parts.filter_map(|part| part.split_whitespace().next());
                let is_name =
                    |it: &&str| it.bytes().all(|it| it.is_ascii_lowercase() || it == b'_');
                columns.extend(first.filter(is_name).map(ToOwned::to_owned));
            }
            ["ALTER", "TABLE", name, "ADD", "COLUMN", column, ..] => {
                tables.entry(name.to_owned()).or_default().insert(column.to_owned());
            }
            _ => (),
        }
    }
    tables
}

/// Returns the names between the first brackets of a statement.
fn inserted(insert: &str) -> BTreeSet<String> {
    let columns = insert.split_once('(').unwrap().1.split_once(')').unwrap().0;
    columns.split(',').map(|it| it.trim().to_owned()).collect()
}

#[track_caller]
fn check(tables: &Columns, not_copied: &[&str], insert: fn(&Table) -> &str) {
    let copied = TABLES.iter().map(|table| table.name);
    let known: BTreeSet<_> = copied.chain(not_copied.iter().copied()).collect();
    let there: BTreeSet<_> = tables.keys().map(String::as_str).collect();
    assert_eq!(known, there, "each table is copied, or listed as one that is not");
    for table in &TABLES {
        let written = inserted(insert(table));
        for column in &tables[table.name] {
            assert!(written.contains(column), "{}.{column} is not copied", table.name);
        }
    }
}

#[test]
fn every_table_and_column_is_copied_or_known_not_to_be() {
    check(&of_sqlite(), &NOT_COPIED_SQLITE, |table| table.sqlite.insert);
    check(&of_postgres(), &NOT_COPIED_POSTGRES, |table| table.postgres.insert);
}

#[test]
fn a_row_has_a_value_for_each_parameter() {
    for table in &TABLES {
        let parameter = |mark: char, insert: &str| {
            let numbers = insert.split(mark).skip(1);
            let digits = |it: &str| it.chars().take_while(char::is_ascii_digit).collect::<String>();
            numbers.map(|it| digits(it).parse::<usize>().unwrap()).max().unwrap()
        };
        let n_values = table.kinds.len();
        assert!(parameter('?', table.sqlite.insert) <= n_values, "{}", table.name);
        let n_terms = usize::from(table.has_records);
        assert_eq!(parameter('$', table.postgres.insert), n_values + n_terms, "{}", table.name);
    }
}
