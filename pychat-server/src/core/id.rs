//! The name that the server has for one connection, for ever.

use std::fmt;

/// Names one connection. Slots are used again, ids are not: whatever outlives a connection (an
/// event, a deadline, an effect) finds nobody under its old id.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId {
    /// The slot in which the connection is kept.
    pub slot: u32,
    /// The number of connections that were taken in before it, in any slot, modulo 2³².
    pub generation: u32,
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.slot, self.generation)
    }
}
