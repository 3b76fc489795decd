//! Maps by connection.

use rustc_hash::FxHashMap;

use super::id::ConnectionId;

/// A value for each of some connections. Its hash is fast and resists no attack: nobody but the server
/// chooses ids.
///
/// It is no vector of slots: a slot may be used again while the chat still waits for the store's answers
/// to the connection that had it before.
pub type ConnectionMap<V> = FxHashMap<ConnectionId, V>;
