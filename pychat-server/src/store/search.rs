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
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// The end of all logs.
    Newest,
    /// Before a message of a room.
    Message(RoomId, u64),
    /// Before a number that the store gave something.
    Number(u64),
    /// Among what an index says.
    Candidates(Candidates),
}

/// The documents of an index that may be wanted, as far as it was asked for them: some rooms after the
/// other, the newest documents of all, and what is older once those were looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidates {
    /// The documents that the index was asked for are from `from` on, and before `before`.
    pub(super) from: u64,
    pub(super) before: u64,
    /// The rooms in which it is still to be asked for them.
    pub(super) rooms: Vec<RoomId>,
    /// Those that are still to be looked at, oldest first.
    pub(super) docs: Vec<u64>,
    /// The most documents that are taken at once.
    pub(super) n_max: usize,
    /// The index is asked for the first letters alone of a word that need only be how one begins, and how
    /// many documents had such a word and how many had none.
    pub(super) is_rough: bool,
    pub(super) n_hits: u32,
    pub(super) n_misses: u32,
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

/// The cost of a message that is looked at beside its text, in bytes of history that take as long.
pub(super) const LOOK_BYTES: usize = 1 << 10;

/// The cost of beginning to look, in bytes.
pub(super) const BEGIN_BYTES: usize = 2 << 10;
