//! The rules that the rows of a file follow, and what breaks them.

use rusqlite::{Connection, OptionalExtension, Row};

use super::{
    logs::{key, room_of, seq_of},
    records::kind,
};
use crate::core::{id::RoomId, record::Kind};

/// The records between two reports of the progress.
const PROGRESS_RECORDS: u64 = 1_000;

const SELECT: &str = "SELECT key, time_ms, kind, CASE WHEN kind = 66 THEN content ELSE '' END, target, \
    edit_seq, words, removed IS NOT NULL, content = '', reactions, begin_bytes \
    FROM records ORDER BY key";
const SELECT_KIND: &str = "SELECT kind, target FROM records WHERE key = ?1";
const SELECT_LOG: &str = "SELECT trimmed_seq, trimmed_ms FROM logs WHERE room = ?1";
const SELECT_LAST: &str = "SELECT max(trimmed_seq, coalesce((SELECT max(key) - (logs.room << 40) \
    FROM records WHERE key BETWEEN logs.room << 40 AND (logs.room + 1 << 40) - 1), 0)) \
    FROM logs WHERE room = ?1";

/// Rows that should not be there, and the words for each.
const STRAYS: [(&str, &str); 6] = [
    ("SELECT id FROM rooms WHERE id NOT IN (SELECT room FROM logs)", "room r# has no log"),
    (
        "SELECT room FROM members WHERE room NOT IN (SELECT id FROM rooms)",
        "room r# has members and is none",
    ),
    (
        "SELECT person FROM names WHERE person NOT IN (SELECT id FROM people)",
        "person # has a name and is nobody",
    ),
    (
        "SELECT person FROM keys WHERE person NOT IN (SELECT id FROM people)",
        "person # has a device and is nobody",
    ),
    ("SELECT count(*) FROM meta HAVING count(*) <> 1", "the file has # names, and not one"),
    (
        "SELECT 1 FROM meta WHERE length(epoch) <> 32 OR epoch GLOB '*[^0-9a-f]*'",
        "the file's name is none",
    ),
];

/// The record that was looked at last.
#[derive(Clone, Copy, Debug)]
struct Before {
    room: RoomId,
    seq: u64,
    time_ms: u64,
    begin_bytes: u64,
    /// The first record of the room that is kept.
    first_seq: u64,
}

/// Reads everything, of an earlier version the file alone; tells `wrong` of each thing that should not be, and `progress` of the records that
/// there are and that were looked at. A file that somebody may write to should be read in a transaction.
pub(super) fn check(
    connection: &Connection,
    is_current: bool,
    wrong: &mut dyn FnMut(String),
    progress: &mut dyn FnMut(u64, u64),
) -> rusqlite::Result<()> {
    let mut is_whole = true;
    let mut select = connection.prepare("PRAGMA integrity_check")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let verdict: String = row.get(0)?;
        if verdict != "ok" {
            is_whole = false;
            wrong(format!("the file is damaged: {}", verdict.replace('\n', ", ")));
        }
    }
    if is_whole && is_current {
        for (sql, words) in STRAYS {
            let mut select = connection.prepare(sql)?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                wrong(words.replace('#', &row.get::<_, i64>(0)?.to_string()));
            }
        }
        check_records(connection, wrong, progress)?;
        check_marks(connection, wrong)?;
    }
    Ok(())
}

fn check_records(
    connection: &Connection,
    wrong: &mut dyn FnMut(String),
    progress: &mut dyn FnMut(u64, u64),
) -> rusqlite::Result<()> {
    let total = connection.query_row("SELECT count(*) FROM records", [], |row| row.get(0))?;
    let (mut done, mut before) = (0, None);
    let mut select = connection.prepare(SELECT)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let key: u64 = row.get(0)?;
        let (room, seq) = (room_of(key), seq_of(key));
        let place = format!("room r{}, record {seq}", room.0);
        let mut wrong = |words: &str| wrong(format!("{place}: {words}"));
        let (time_ms, begin_bytes) = (row.get(1)?, row.get(10)?);
        let last = match before.filter(|before: &Before| before.room == room) {
            Some(before) => before,
            None => begin(connection, room, seq, &mut wrong)?,
        };
        if seq != last.seq + 1 {
            wrong(&format!("those from {} on are missing", last.seq + 1));
        }
        if time_ms < last.time_ms {
            wrong("it is older than the one before it");
        }
        if begin_bytes < last.begin_bytes {
            wrong("it begins before the end of the one before it");
        }
        before = Some(Before { room, seq, time_ms, begin_bytes, ..last });
        check_record(connection, row, &last, &mut wrong)?;
        done += 1;
        if done % PROGRESS_RECORDS == 0 {
            progress(done, total);
        }
    }
    progress(done, total);
    Ok(())
}

/// Returns the end of what a room has forgotten, before its first record.
fn begin(
    connection: &Connection,
    room: RoomId,
    seq: u64,
    wrong: &mut dyn FnMut(&str),
) -> rusqlite::Result<Before> {
    let mut select = connection.prepare_cached(SELECT_LOG)?;
    let trimmed = select.query_row([room.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (trimmed, time_ms) = trimmed.unwrap_or_else(|| {
        wrong("the room has no log");
        (seq - 1, 0)
    });
    Ok(Before { room, seq: trimmed, time_ms, begin_bytes: 0, first_seq: trimmed + 1 })
}

fn check_record(
    connection: &Connection,
    row: &Row<'_>,
    before: &Before,
    wrong: &mut dyn FnMut(&str),
) -> rusqlite::Result<()> {
    let key_of_record: u64 = row.get(0)?;
    let (room, seq, first_seq) = (room_of(key_of_record), seq_of(key_of_record), before.first_seq);
    let target: Option<u64> = row.get(4)?;
    let content: String = row.get(3)?;
    let found = |seq: u64| {
        let mut select = connection.prepare_cached(SELECT_KIND)?;
        let found = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<u64>>(1)?));
        select.query_row([key(room, seq)?], found).optional()
    };
    let Ok(kind) = kind(row.get(2)?, Some(&content), target) else {
        wrong("it is of no kind that is known");
        return Ok(());
    };
    let is_message = matches!(kind, Kind::Text(_));
    if let Some(target) = target {
        if seq <= target {
            wrong(&format!("it is about message {target}, which comes after it"));
        } else if first_seq <= target && found(target)?.is_none_or(|(kind, _)| kind != 0) {
            wrong(&format!("it is about message {target}, which there is not"));
        }
    }
    let (edit, words): (Option<u64>, i64) = (row.get(5)?, row.get(6)?);
    if let Some(edit) = edit
        && found(edit)? != Some((64, Some(seq)))
    {
        wrong(&format!("its last edit is record {edit}, which is none of it"));
    }
    let (has_removed, is_empty): (bool, bool) = (row.get(7)?, row.get(8)?);
    if !(0..=2).contains(&words) || (words != 0 && !is_empty) || has_removed != (words == 2) {
        wrong("its words are neither there nor gone");
    }
    let reactions = row.get_ref(9)?.as_str_or_null()?;
    let is_list = |json| serde_json::from_str::<Vec<(u64, String, String)>>(json).is_ok();
    if !reactions.is_none_or(is_list) {
        wrong("the reactions to it cannot be read");
    }
    if !is_message && (edit.is_some() || words != 0 || reactions.is_some()) {
        wrong("it is no message, and was changed like one");
    }
    Ok(())
}

/// Looks for people who have seen what was never said.
fn check_marks(connection: &Connection, wrong: &mut dyn FnMut(String)) -> rusqlite::Result<()> {
    let mut select = connection.prepare("SELECT person, room, seq FROM marks")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (person, room, seq): (u64, u32, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let mut last = connection.prepare_cached(SELECT_LAST)?;
        let last: Option<u64> = last.query_row([room], |row| row.get(0)).optional()?;
        if last.unwrap_or(0) < seq {
            let last = last.unwrap_or(0);
            wrong(format!("person {person} has seen record {seq} of room r{room}, of {last}"));
        }
    }
    Ok(())
}
