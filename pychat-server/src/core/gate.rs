//! The gate: the one place that decides what somebody may do in a room. It is asked before anything is
//! looked up in the room, or counted.
//!
//! Whoever is not in a closed or direct room is denied as if there were no such room, whatever they
//! ask for.

use pychat_wire::message::RoomKind;

use super::{
    id::{HALL, RoomId},
    record::PersonId,
    rooms::Rooms,
};

/// A thing that is done in a room.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verb {
    /// Say something.
    Say,
    /// Read its past.
    History,
    /// Search its past.
    Search,
    /// Note how far one has seen it.
    Read,
    /// Have others know that one is writing.
    Type,
    /// List the people in it.
    List,
    /// Be in it from now on.
    Join,
    /// Be in it no more.
    Leave,
    /// Have somebody else be in it.
    Add,
    /// Have somebody be in it no more.
    Remove,
    /// Change its name or topic.
    Update,
    /// Take away what others said, and bring it back.
    Moderate,
}

/// The reason why somebody may not do something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denied {
    /// There is no such room, as far as they can tell.
    NoRoom,
    /// They are not in this open room.
    Outside,
    /// They own no name, so can be in the hall alone.
    Guest,
    /// This is never done in rooms of this kind.
    Never,
    /// They are neither the room's maker nor an operator.
    NotTheirs,
}

/// Somebody who wants to do something.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    /// The person, if they proved who they are.
    pub person: Option<PersonId>,
    /// They own a name that the store has.
    pub is_kept: bool,
    /// They may do what only operators may.
    pub is_operator: bool,
}

/// Returns the room that somebody asks for, if they may do `verb` there; `room` is `None` if what they
/// call it is no room's id.
///
/// # Errors
///
/// [`Denied`] if they may not.
pub fn may(
    asker: Asker,
    room: Option<RoomId>,
    verb: Verb,
    rooms: &Rooms,
) -> Result<RoomId, Denied> {
    use Verb::{
        Add, History, Join, Leave, List, Moderate, Read, Remove, Say, Search, Type, Update,
    };

    if room == Some(HALL) {
        return match verb {
            Say | History | Search | Read | Type | List | Join => Ok(HALL),
            Moderate if asker.is_operator => Ok(HALL),
            Moderate => Err(Denied::NotTheirs),
            Leave | Add | Remove | Update => Err(Denied::Never),
        };
    }
    let is_member = |room: &RoomId| asker.person.is_some_and(|person| rooms.is_in(person, *room));
    if let Some(room) = room.filter(is_member) {
        let Some(known) = rooms.get(room) else { return Err(Denied::NoRoom) };
        return match verb {
            verb if is_never(verb, known.kind()) => Err(Denied::Never),
            Say | History | Search | Read | Type | List | Join | Leave | Add => Ok(room),
            Remove | Update if known.maker() == asker.person => Ok(room),
            Remove | Update | Moderate if asker.is_operator => Ok(room),
            Remove | Update | Moderate => Err(Denied::NotTheirs),
        };
    }
    if !asker.is_kept {
        return Err(Denied::Guest);
    }
    let is_open = |room: &RoomId| rooms.get(*room).is_some_and(|it| it.kind() == RoomKind::Open);
    match room.filter(is_open) {
        Some(room) if verb == Join => Ok(room),
        Some(_) => Err(Denied::Outside),
        None => Err(Denied::NoRoom),
    }
}

/// Returns the room that an operator on the server's machine asks for, if messages of others are ever taken
/// away there; `room` is `None` if what they call it is no room's id.
///
/// # Errors
///
/// [`Denied`] if they are not, or there is no such room.
pub fn may_on_machine(room: Option<RoomId>, rooms: &Rooms) -> Result<RoomId, Denied> {
    let known = room.and_then(|room| Some((room, rooms.get(room)?.kind())));
    match known {
        None => Err(Denied::NoRoom),
        Some((_, kind)) if is_never(Verb::Moderate, kind) => Err(Denied::Never),
        Some((room, _)) => Ok(room),
    }
}

/// Returns true for what nobody may do in rooms of a kind, but for the hall.
fn is_never(verb: Verb, kind: RoomKind) -> bool {
    use Verb::{Add, Leave, Moderate, Remove, Update};

    match kind {
        RoomKind::Direct => matches!(verb, Leave | Add | Remove | Update | Moderate),
        RoomKind::Open => verb == Add,
        RoomKind::Hall | RoomKind::Closed | RoomKind::Unknown => false,
    }
}
