//! The ids of connections, rooms, requests to the store and calls of operators.

use std::{borrow::Cow, fmt};

use pychat_wire::message;

/// Names one connection. Slots are used again, ids are not: whatever outlives a connection (an
/// event, a deadline, an effect) finds nobody under its old id.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId {
    /// The slot in which the connection is kept.
    pub slot: u32,
    /// The number of connections that were taken in before it, in any slot, modulo 2³².
    pub generation: u32,
}

/// Names one room; none is used twice.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RoomId(pub u32);

/// The room that everybody is in.
pub const HALL: RoomId = RoomId(0);

impl RoomId {
    /// Returns the id by which peers know it: empty for the hall, `r7` for number 7.
    pub fn on_wire(self) -> Cow<'static, str> {
        if self == HALL { message::HALL.into() } else { format!("r{}", self.0).into() }
    }

    /// Returns the room that peers call so, which need not exist.
    pub fn of_wire(id: &str) -> Option<Self> {
        if id == message::HALL {
            return Some(HALL);
        }
        let digits = id
            .strip_prefix('r')
            .filter(|digits| digits.starts_with(|it| ('1'..='9').contains(&it)))?;
        digits.parse().ok().map(Self)
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.on_wire())
    }
}

/// Names one request to the store: its answer bears the same. None is used twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket(pub u64);

/// Names one call of an operator on the machine: its answer bears the same. None is used twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CallId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.slot, self.generation)
    }
}
