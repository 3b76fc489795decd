//! The events of a session with a database.

use super::{
    error::{ConnectionError, DatabaseError, Unavailable},
    row::Row,
};

/// An event of a session.
#[derive(Debug)]
pub enum Event {
    /// A session has begun; nothing of an earlier one is left, no prepared statement, lock or channel.
    Up,
    /// A row of the oldest statement that is not done.
    Row(Row),
    /// The oldest statement is done.
    Done {
        /// The number of rows that it changed or returned; 0 for a statement that has none.
        affected: u64,
    },
    /// The oldest statement failed; neither it nor any other up to the sync has an effect.
    Failed(DatabaseError),
    /// All up to the oldest sync is durable, or nothing of it, if a statement failed.
    Synced,
    /// A channel that this session listens on was notified.
    Notified {
        /// The channel.
        channel: String,
        /// The payload, which may be empty.
        payload: String,
    },
    /// The session is lost; another one will be begun.
    Lost(ConnectionError),
    /// All servers were tried and none will do; they are tried again after a pause.
    Unavailable(Unavailable),
}
