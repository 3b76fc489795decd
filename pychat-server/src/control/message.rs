//! The request and the answer of a call.

use serde::{Deserialize, Serialize};

use crate::core::moderation::{AuditEntry, ListedMessage, Order, Reply};

/// A request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Request {
    /// The state of the server in numbers.
    Stats,
    /// The records of what operators did.
    Audit {
        /// The most records, the newest ones.
        limit: usize,
    },
    /// The newest messages of a room.
    Messages {
        /// The room, as peers call it: empty for the hall.
        room: String,
        /// The most messages.
        limit: u64,
        /// The number before which they end; the newest of all are asked for if `None`.
        before: Option<u64>,
    },
    /// Something for the chat.
    #[serde(untagged)]
    Order(Order),
}

/// The answer to it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Answer {
    /// The state of the server in numbers.
    Stats(Stats),
    /// The records of what operators did, oldest first.
    Audit {
        /// The records.
        entries: Vec<AuditEntry>,
    },
    /// The messages of a room, and the events among them, oldest first.
    Messages {
        /// The messages.
        messages: Vec<ListedMessage>,
    },
    /// The answer of the chat.
    #[serde(untagged)]
    Reply(Reply),
}

/// The state of the server in numbers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Stats {
    /// The version of the program.
    pub version: String,
    /// The time for which it has run, in seconds.
    pub uptime_seconds: u64,
    /// The people who are here.
    pub people: usize,
    /// The connections, guests among them.
    pub connections: usize,
    /// The bytes that all of them are owed.
    pub owed_bytes: usize,
    /// The number of the last message.
    pub last_message: u64,
    /// The rooms, direct ones among them.
    #[serde(default)]
    pub rooms: usize,
    /// The records that were stored since it began.
    #[serde(default)]
    pub stored_records: u64,
    /// The store takes nothing.
    #[serde(default)]
    pub is_storage_failing: bool,
    /// The things that it may share with other servers.
    #[serde(default)]
    pub shared: Shared,
}

/// The things that a server may share with others of its chat.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Shared {
    /// The addresses of all of them, if there are several.
    pub servers: Vec<String>,
    /// The version of the schema, if a database is the store.
    pub schema: Option<u64>,
}
