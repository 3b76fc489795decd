//! Rooms, their members and the marks of what those have seen, as rows.

use std::collections::BTreeMap;

use super::{
    row::Row,
    statement::{Owned, Statement},
};
use crate::{
    core::{
        id::RoomId,
        record::{PersonId, ReadMark, Room, RoomChange, StorageError},
    },
    store::sqlite::rooms::KINDS,
};

const INSERT_ROOM: &str =
    "INSERT INTO rooms (id, kind, name, topic, maker) VALUES ($1, $2, $3, $4, $5)";
const UPDATE_NAME: &str = "UPDATE rooms SET name = $2 WHERE id = $1";
const UPDATE_TOPIC: &str = "UPDATE rooms SET topic = $2 WHERE id = $1";
pub(super) const SELECT_ROOMS: &str = "SELECT id, kind, name, topic, maker FROM rooms ORDER BY id";
const INSERT_MEMBER: &str =
    "INSERT INTO members (room, person) VALUES ($1, $2) ON CONFLICT DO NOTHING";
pub(super) const SELECT_MEMBERS: &str = "SELECT room, person FROM members ORDER BY position";
const UPSERT_MARK: &str = "INSERT INTO marks (person, room, seq) VALUES ($1, $2, $3) \
    ON CONFLICT (person, room) DO UPDATE SET seq = excluded.seq WHERE marks.seq < excluded.seq";
pub(super) const SELECT_MARKS: &str = "SELECT room, person, seq FROM marks ORDER BY person, room";
/// Takes somebody out of a room.
const DELETE_MEMBER: [&str; 2] = [
    "DELETE FROM members WHERE room = $1 AND person = $2",
    "DELETE FROM marks WHERE room = $1 AND person = $2",
];
/// Takes somebody out of every room, but for those whose people never change.
const DELETE_PERSON: [&str; 2] = [
    "DELETE FROM members WHERE person = $1 \
        AND room NOT IN (SELECT id FROM rooms WHERE kind = 'direct')",
    "DELETE FROM marks WHERE person = $1",
];
/// Keeps a room no longer. Nobody in it has a mark.
const DELETE_ROOM: [&str; 2] =
    ["DELETE FROM rooms WHERE id = $1", "DELETE FROM members WHERE room = $1"];

/// Keeps a change of a room, of which the record has number `seq`.
pub(super) fn change(room: RoomId, seq: u64, change: &RoomChange, out: &mut Vec<Statement>) {
    let (id, same) = (Owned::from(room.0), |person: &PersonId| Owned::from(person.0));
    match change {
        RoomChange::Create(new) => create(seq, new, out),
        RoomChange::Add(person) => {
            out.push(Statement::new(INSERT_MEMBER, [id, same(person)]));
            out.push(mark(ReadMark { room, person: *person, seq }));
        }
        RoomChange::Remove(person) => {
            let delete = |sql| Statement::new(sql, [id.clone(), same(person)]);
            out.extend(DELETE_MEMBER.map(delete));
        }
        RoomChange::Rename(name) => out.push(Statement::new(UPDATE_NAME, [id, (&**name).into()])),
        RoomChange::SetTopic(topic) => {
            out.push(Statement::new(UPDATE_TOPIC, [id, (&**topic).into()]));
        }
    }
}

fn create(seq: u64, new: &Room, out: &mut Vec<Statement>) {
    let Room { id: room, kind, name, topic, maker, members } = new;
    let (kind, _) = KINDS.into_iter().find(|(_, other)| other == kind).unwrap_or(KINDS[4]);
    let maker_id = maker.map(|maker| maker.0);
    let values = [room.0.into(), kind.into(), (&**name).into(), (&**topic).into(), maker_id.into()];
    out.push(Statement::new(INSERT_ROOM, values));
    let member =
        |person: &PersonId| Statement::new(INSERT_MEMBER, [room.0.into(), person.0.into()]);
    out.extend(members.iter().map(member));
    out.extend(maker.map(|person| mark(ReadMark { room: *room, person, seq })));
}

/// Keeps a room that is over no longer; its log remains.
pub(super) fn end(room: RoomId, out: &mut Vec<Statement>) {
    out.extend(DELETE_ROOM.map(|sql| Statement::new(sql, [room.0.into()])));
}

/// Keeps that somebody has seen everything up to a number, unless more is known.
pub(super) fn mark(mark: ReadMark) -> Statement {
    Statement::new(UPSERT_MARK, [mark.person.0.into(), mark.room.0.into(), mark.seq.into()])
}

/// Forgets a person who is kept no longer. Direct rooms remain between the people whom they were
/// made for, so that nobody else comes to be in one.
pub(super) fn forget_person(person: PersonId, out: &mut Vec<Statement>) {
    out.extend(DELETE_PERSON.map(|sql| Statement::new(sql, [person.0.into()])));
}

/// Returns the rooms of these rows of [`SELECT_ROOMS`] and [`SELECT_MEMBERS`].
pub(super) fn read(rooms: &[Row], members: &[Row]) -> Result<Vec<Room>, StorageError> {
    let mut read = BTreeMap::new();
    for row in rooms {
        let word: &str = row.get(1)?;
        let kind = KINDS.into_iter().find(|(known, _)| *known == word);
        let damage = || StorageError::Damaged(format!("no kind of room is {word:?}"));
        let (_, kind) = kind.ok_or_else(damage)?;
        let id = room_id(row, 0)?;
        let (name, topic) = (row.get::<&str>(2)?.to_owned(), row.get::<&str>(3)?.to_owned());
        let maker = row.get::<Option<u64>>(4)?.map(PersonId);
        read.insert(id, Room { id, kind, name, topic, maker, members: Vec::new() });
    }
    for row in members {
        if let Some(room) = read.get_mut(&room_id(row, 0)?) {
            room.members.push(PersonId(row.get(1)?));
        }
    }
    Ok(read.into_values().collect())
}

/// Returns the marks of these rows of [`SELECT_MARKS`].
pub(super) fn read_marks(rows: &[Row]) -> Result<Vec<ReadMark>, StorageError> {
    let mark = |row: &Row| {
        let (room, person) = (room_id(row, 0)?, PersonId(row.get(1)?));
        Ok(ReadMark { room, person, seq: row.get(2)? })
    };
    rows.iter().map(mark).collect()
}

/// Returns the room whose number is in a column.
pub(super) fn room_id(row: &Row, column: usize) -> Result<RoomId, StorageError> {
    let number: u64 = row.get(column)?;
    let damage = |_| StorageError::Damaged(format!("no room is {number}"));
    u32::try_from(number).map(RoomId).map_err(damage)
}
