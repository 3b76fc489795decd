//! Other servers of the same chat: each has a replica of its state, and all carry out one journal in
//! one order.

use pychat_wire::UserName;

pub use super::record::{Key, Keys, PairOffer, Presence, ServerId};
use super::{
    id::RoomId,
    record::{PersonId, Request, Stored},
};

/// Something that another server had carried out, in the order in which it was.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Elsewhere {
    /// A request, and the outcome; never one that changed nothing.
    Done {
        /// The server that asked for it.
        server: ServerId,
        /// The request. A draft in it may be without its words.
        request: Box<Request>,
        /// The outcome, with the record as it is now.
        stored: Stored,
    },
    /// A server is gone, and with it all who were present there only.
    ServerGone(ServerId),
    /// Somebody is writing. This is in no order, and may be lost.
    Typing {
        /// The room.
        room: RoomId,
        /// Their name.
        name: UserName,
        /// The person, if they proved who they are.
        person: Option<PersonId>,
    },
}

/// Somebody who is present on another server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Present {
    /// The server.
    pub server: ServerId,
    /// The name and the person.
    pub presence: Presence,
}
