//! Rooms, their members and the marks of what those have seen, as rows of the file.

use std::collections::BTreeMap;

use pychat_wire::message::RoomKind;
use rusqlite::{Connection, Row, params, types::Type};

use super::rows::integer;
use crate::core::{
    id::RoomId,
    record::{PersonId, ReadMark, Room, RoomChange},
};

const INSERT_ROOM: &str =
    "INSERT INTO rooms (id, kind, name, topic, maker) VALUES (?1, ?2, ?3, ?4, ?5)";
const UPDATE_NAME: &str = "UPDATE rooms SET name = ?2 WHERE id = ?1";
const UPDATE_TOPIC: &str = "UPDATE rooms SET topic = ?2 WHERE id = ?1";
const SELECT_ROOMS: &str = "SELECT id, kind, name, topic, maker FROM rooms ORDER BY id";
const INSERT_MEMBER: &str = "INSERT OR IGNORE INTO members (room, person) VALUES (?1, ?2)";
const SELECT_MEMBERS: &str = "SELECT room, person FROM members ORDER BY position";
const UPSERT_MARK: &str = "INSERT INTO marks (person, room, seq) VALUES (?1, ?2, ?3) \
    ON CONFLICT DO UPDATE SET seq = excluded.seq WHERE seq < excluded.seq";
const SELECT_MARKS: &str = "SELECT room, person, seq FROM marks ORDER BY person, room";
/// Takes somebody out of a room.
const DELETE_MEMBER: [&str; 2] = [
    "DELETE FROM members WHERE room = ?1 AND person = ?2",
    "DELETE FROM marks WHERE room = ?1 AND person = ?2",
];
/// Takes somebody out of every room, but for those whose people never change.
const DELETE_PERSON: [&str; 2] = [
    "DELETE FROM members WHERE person = ?1 \
        AND room NOT IN (SELECT id FROM rooms WHERE kind = 'direct')",
    "DELETE FROM marks WHERE person = ?1",
];

/// Keeps a room no longer. Nobody in it has a mark.
const DELETE_ROOM: [&str; 2] =
    ["DELETE FROM rooms WHERE id = ?1", "DELETE FROM members WHERE room = ?1"];

/// The words for kinds.
pub(in crate::store) const KINDS: [(&str, RoomKind); 5] = [
    ("hall", RoomKind::Hall),
    ("open", RoomKind::Open),
    ("closed", RoomKind::Closed),
    ("direct", RoomKind::Direct),
    ("unknown", RoomKind::Unknown),
];

/// Keeps a change of a room, of which the record has number `seq`.
pub(super) fn change(
    connection: &Connection,
    room: RoomId,
    seq: u64,
    change: &RoomChange,
) -> rusqlite::Result<()> {
    let update =
        |sql, word: &str| connection.prepare_cached(sql)?.execute(params![room.0, word]).map(drop);
    match change {
        RoomChange::Create(new) => create(connection, seq, new),
        RoomChange::Add(person) => {
            add(connection, room, *person)?;
            mark(connection, ReadMark { room, person: *person, seq })
        }
        RoomChange::Remove(person) => {
            for delete in DELETE_MEMBER {
                let values = params![room.0, integer(person.0)];
                connection.prepare_cached(delete)?.execute(values)?;
            }
            Ok(())
        }
        RoomChange::Rename(name) => update(UPDATE_NAME, name),
        RoomChange::SetTopic(topic) => update(UPDATE_TOPIC, topic),
    }
}

/// Keeps a new room, all of which its maker has seen up to a number.
pub(super) fn create(connection: &Connection, seq: u64, new: &Room) -> rusqlite::Result<()> {
    let Room { id: room, kind, name, topic, maker, members } = new;
    let (kind, _) = KINDS.into_iter().find(|(_, other)| other == kind).unwrap_or(KINDS[4]);
    let values = params![room.0, kind, name, topic, maker.map(|maker| integer(maker.0))];
    connection.prepare_cached(INSERT_ROOM)?.execute(values)?;
    for person in members.iter().copied() {
        add(connection, *room, person)?;
    }
    maker.map_or(Ok(()), |person| mark(connection, ReadMark { room: *room, person, seq }))
}

fn add(connection: &Connection, room: RoomId, person: PersonId) -> rusqlite::Result<()> {
    connection.prepare_cached(INSERT_MEMBER)?.execute(params![room.0, integer(person.0)]).map(drop)
}

/// Keeps a room that is over no longer; its log remains.
pub(super) fn end(connection: &Connection, room: RoomId) -> rusqlite::Result<()> {
    for delete in DELETE_ROOM {
        connection.prepare_cached(delete)?.execute([room.0])?;
    }
    Ok(())
}

/// Keeps that somebody has seen everything up to a number, unless more is known.
pub(super) fn mark(connection: &Connection, mark: ReadMark) -> rusqlite::Result<()> {
    let values = params![integer(mark.person.0), mark.room.0, integer(mark.seq)];
    connection.prepare_cached(UPSERT_MARK)?.execute(values).map(drop)
}

/// Forgets a person who is kept no longer. Direct rooms remain between the people whom they were
/// made for, so that nobody else comes to be in one.
pub(super) fn forget_person(connection: &Connection, person: PersonId) -> rusqlite::Result<()> {
    for delete in DELETE_PERSON {
        connection.prepare_cached(delete)?.execute([integer(person.0)])?;
    }
    Ok(())
}

/// Returns every room, in the order in which they were made.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Vec<Room>> {
    let mut rooms = BTreeMap::new();
    let mut select = connection.prepare(SELECT_ROOMS)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let room = room(row)?;
        rooms.insert(room.id, room);
    }
    let mut select = connection.prepare(SELECT_MEMBERS)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(room) = rooms.get_mut(&RoomId(row.get(0)?)) {
            room.members.push(PersonId(row.get(1)?));
        }
    }
    Ok(rooms.into_values().collect())
}

fn room(row: &Row<'_>) -> rusqlite::Result<Room> {
    let word: String = row.get(1)?;
    let kind = KINDS.into_iter().find(|(known, _)| *known == word);
    let (_, kind) = kind.ok_or_else(|| {
        let error = format!("no kind of room is {word:?}").into();
        rusqlite::Error::FromSqlConversionFailure(1, Type::Text, error)
    })?;
    Ok(Room {
        id: RoomId(row.get(0)?),
        kind,
        name: row.get(2)?,
        topic: row.get(3)?,
        maker: row.get::<_, Option<u64>>(4)?.map(PersonId),
        members: Vec::new(),
    })
}

/// Returns the end of what each person has seen of each room, where that is known.
pub(super) fn read_marks(connection: &Connection) -> rusqlite::Result<Vec<ReadMark>> {
    let mark = |row: &Row<'_>| {
        let (room, person) = (RoomId(row.get(0)?), PersonId(row.get(1)?));
        Ok(ReadMark { room, person, seq: row.get(2)? })
    };
    connection.prepare(SELECT_MARKS)?.query_map([], mark)?.collect()
}
