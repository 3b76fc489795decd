//! Somebody is typing: told to other servers by a notification, which may be lost.

use pychat_wire::UserName;
use serde::{Deserialize, Serialize};

use super::statement::Statement;
use crate::core::{
    elsewhere::{Elsewhere, ServerId},
    id::RoomId,
    record::PersonId,
};

const NOTIFY: &str = "SELECT pg_notify('pychat_typing', $1)";

/// The most bytes of a notification that is looked at.
const PAYLOAD_BYTES_MAX: usize = 2_048;

#[derive(Debug, Deserialize, Serialize)]
struct Typing {
    server: u64,
    room: u32,
    name: String,
    person: Option<u64>,
}

/// Returns the statement that tells it, unless it is too long.
pub(super) fn tell(
    server: ServerId,
    room: RoomId,
    name: &UserName,
    person: Option<PersonId>,
) -> Option<Statement> {
    let (name, person) = (name.as_str().to_owned(), person.map(|PersonId(id)| id));
    let typing = Typing { server: server.0, room: room.0, name, person };
    let payload = serde_json::to_string(&typing).ok()?;
    (payload.len() <= PAYLOAD_BYTES_MAX).then(|| Statement::new(NOTIFY, [(&*payload).into()]))
}

/// Returns what a notification tells, if it is of another server: anybody can make one.
pub(super) fn read(payload: &str, own: ServerId) -> Option<Elsewhere> {
    let payload = (payload.len() <= PAYLOAD_BYTES_MAX).then_some(payload)?;
    let Typing { server, room, name, person } = serde_json::from_str(payload).ok()?;
    let (room, person) = (RoomId(room), person.map(PersonId));
    let name = UserName::new(&name).ok()?;
    (ServerId(server) != own).then_some(Elsewhere::Typing { room, name, person })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::postgres::statement::Owned;

    #[test]
    fn a_notification_is_read_by_others_and_anything_else_is_ignored() {
        let name = UserName::new("Анна Ю").unwrap();
        let told = tell(ServerId(1), RoomId(7), &name, Some(PersonId(9))).unwrap();
        let [Owned::Text(payload)] = &told.values[..] else { panic!("{told:?}") };
        let (room, person) = (RoomId(7), Some(PersonId(9)));
        assert_eq!(read(payload, ServerId(2)), Some(Elsewhere::Typing { room, name, person }));
        assert_eq!(read(payload, ServerId(1)), None, "its own");
        let long = format!("{payload}{}", " ".repeat(PAYLOAD_BYTES_MAX));
        let nameless = payload.replace("Анна", "\\u0007");
        for garbage in ["", "7", "{", "[]", "{}", "\"\u{202e}\"", &long, &nameless] {
            assert_eq!(read(garbage, ServerId(2)), None, "{garbage}");
        }
    }
}
