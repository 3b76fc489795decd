//! Rooms as they stand in arguments and output: by id or by name.

use pychat_wire::{
    client::{Room, RoomId},
    message::RoomKind,
};

use crate::failure::Failure;

/// The mark before the name of a person, for the direct room with them.
const PERSON: char = '@';

/// Returns the room that is `wanted`: the hall if that is nothing, else that with this id, or else with
/// this name, or the direct room with `@NAME`; `None` if there is none of these.
///
/// # Errors
///
/// [`Failure::Refused`] if it may be several.
pub(crate) fn find(rooms: &[Room], wanted: &str) -> Result<Option<RoomId>, Failure> {
    if let Some(room) = rooms.iter().find(|room| room.id.as_str() == wanted) {
        return Ok(Some(room.id.clone()));
    }
    if wanted.is_empty() {
        return Ok(Some(RoomId::hall()));
    }
    let is_it = |room: &&Room| match person(wanted) {
        Some(person) => is_direct_with(room, person),
        None => !room.name.is_empty() && room.name == wanted,
    };
    let mut found = rooms.iter().filter(is_it);
    match (found.next(), found.next()) {
        (Some(room), Some(other)) => Err(Failure::Refused(format!(
            "{wanted:?} may be the room {} or {}: name it by that",
            room.id, other.id
        ))),
        (room, _) => Ok(room.map(|room| room.id.clone())),
    }
}

/// Returns the name of the person that a direct room is wanted with.
pub(crate) fn person(wanted: &str) -> Option<&str> {
    wanted.strip_prefix(PERSON)
}

/// Returns what people call a room: nothing for the hall.
pub(crate) fn name_of(room: &Room) -> String {
    match room.kind {
        RoomKind::Direct => {
            let names: Vec<_> = room.with.iter().map(|name| format!("{PERSON}{name}")).collect();
            names.join(" ")
        }
        _ => room.name.clone(),
    }
}

fn is_direct_with(room: &Room, person: &str) -> bool {
    let is_pair = room.kind == RoomKind::Direct && room.with.len() == 2;
    is_pair && room.with.iter().any(|name| name == person)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(id: &str, kind: RoomKind, name: &str, with: &[&str]) -> Room {
        Room {
            id: id.into(),
            kind,
            name: name.to_owned(),
            topic: String::new(),
            with: with.iter().map(ToString::to_string).collect(),
            is_mine: false,
            last: 0,
            read: 0,
            unread: 0,
        }
    }

    #[test]
    fn a_room_is_found_by_its_id_before_its_name() {
        let rooms = [
            room("", RoomKind::Hall, "", &[]),
            room("r1", RoomKind::Open, "builds", &[]),
            room("r2", RoomKind::Closed, "r1", &[]),
            room("r3", RoomKind::Direct, "", &["Anna", "bot"]),
            room("r4", RoomKind::Direct, "", &["Anna", "bot", "Boris"]),
            room("r5", RoomKind::Closed, "two", &[]),
            room("r6", RoomKind::Closed, "two", &[]),
        ];
        let found = |wanted| find(&rooms, wanted).map(|room| room.map(|id| id.to_string()));
        for (wanted, id) in [("", ""), ("builds", "r1"), ("r1", "r1"), ("@Anna", "r3")] {
            assert_eq!(found(wanted), Ok(Some(id.to_owned())), "{wanted}");
        }
        for wanted in ["none", "@Boris", "@"] {
            assert_eq!(found(wanted), Ok(None), "{wanted}");
        }
        assert!(found("two").is_err());
        assert_eq!(rooms.map(|room| name_of(&room))[1..4], ["builds", "r1", "@Anna @bot"]);
    }
}
