//! The limits that a server sets its peers: the numbers that an operator may want to change.

use std::time::Duration;

use pychat_wire::{PAYLOAD_BYTES_MAX, message::Door};

use crate::core::{
    chat::{Plain, Rules},
    networks::Networks,
    rate_limit::RateLimit,
};

/// The limits of a server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest payload taken from a client, in bytes.
    pub payload_bytes_max: usize,
    /// The most that one peer may be owed before it counts as not reading, in bytes.
    pub backlog_bytes_max: usize,
    /// The most that all peers together may be owed, in bytes.
    pub backlog_total_bytes_max: usize,
    /// The most connections at once.
    pub connections_max: usize,
    /// The number of people above which comings and goings may be told a moment late.
    pub crowd: usize,
    /// The limits of people in the room, and of guests before they are in it.
    pub rules: Rules,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            payload_bytes_max: PAYLOAD_BYTES_MAX,
            backlog_bytes_max: 1 << 20,
            backlog_total_bytes_max: 256 << 20,
            connections_max: 10_000,
            crowd: 100,
            rules: Rules {
                hello_timeout: Duration::from_secs(20),
                rate_limit: RateLimit::new(10, 5),
                name_age_max: Duration::from_hours(365 * 24),
                announce_after: Duration::from_secs(2),
                connections_per_address_max: 64,
                plain: Plain::Always,
                admission: Door::Open,
                guests_from: Networks::NONE,
            },
        }
    }
}
