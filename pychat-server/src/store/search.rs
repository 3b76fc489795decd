//! Searches, as a store is asked for them.

use pychat_wire::search::Query;

use crate::core::id::RoomId;

/// The messages that are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The words and the author.
    pub query: &'a Query,
    /// The rooms. No others are looked at.
    pub rooms: &'a [RoomId],
}

/// The place that a search has come to: everything older is still to be looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// The end of all logs.
    Newest,
    /// Before a message of a room.
    Message(RoomId, u64),
    /// Before a number that the store gave something.
    Number(u64),
}

/// The outcome of looking for messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Looked {
    /// There are no more.
    All,
    /// There may be more.
    Some,
    /// The rest is not at hand, and is being fetched: [`Answer::Fetched`](super::Answer::Fetched) follows.
    Later,
}

/// The cost of a message that is looked at beside its text, in bytes.
pub(super) const LOOK_BYTES: usize = 100;

/// The cost of beginning to look, in bytes.
pub(super) const BEGIN_BYTES: usize = 2 << 10;
