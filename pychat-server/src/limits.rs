//! How much a server lets its peers have: the numbers that an operator may want to change.

use std::time::Duration;

/// What bounds a server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest payload taken from a client, in bytes.
    pub payload_bytes_max: usize,
    /// The most connections at once.
    pub connections_max: usize,
    /// How long a guest may take to say who it is.
    pub hello_timeout: Duration,
}
