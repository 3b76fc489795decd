//! The limits of a client: how much it takes, and how long it waits.

pub use crate::message::{MEMBERS_MAX, PONG_SECONDS_MAX, RETRY_MS_MAX};
use crate::name::NAME_CHARS_MAX;

/// The largest payload taken from a server, in bytes.
///
/// A welcome that names 10 000 people by 32 letters each has less, were it of the original, which
/// sends a letter as up to twelve bytes; and so has any message that a server takes which takes at
/// most 1 MiB.
pub const SERVER_PAYLOAD_BYTES_MAX: usize = 4 << 20;

const _: () =
    assert!(10_000 * (12 * NAME_CHARS_MAX + ", ".len()) + 1_000 < SERVER_PAYLOAD_BYTES_MAX);

/// The most texts that may wait for their acknowledgement.
pub const UNACKNOWLEDGED_MAX: usize = 1_000;

/// The most that one page of history may take in memory, in bytes. What is beyond is not in the
/// page.
pub const PAGE_BYTES_MAX: usize = 64 << 20;

/// How long a server may take from the connection to the welcome, in milliseconds.
pub const HELLO_MS_MAX: u64 = 10_000;

/// How long a server that was asked whether it is there may take to say anything, in milliseconds.
pub const PONG_MS_MAX: u64 = PONG_SECONDS_MAX * 1_000;

/// The same, where there is reason to think that it is not: when the client was
/// [woken](super::Client::wake).
pub const WAKE_PONG_MS_MAX: u64 = 5_000;

/// How long to wait before a line is tried that could not be had at once, in milliseconds.
pub const RECONNECT_MS_MIN: u64 = 1_000;

/// The longest that this wait becomes by doubling, in milliseconds.
pub const RECONNECT_MS_MAX: u64 = 30_000;

/// Who was in the room for so long has lost nothing by coming back at once, in milliseconds.
pub const STEADY_MS: u64 = 30_000;

/// When to send a text again that the server could not keep, unless it says when, in milliseconds.
pub const RETRY_MS: u64 = 5_000;

/// How often a text is said under another id, where the server knows other words under the last.
pub const RENEWALS_MAX: u32 = 3;

/// When to send texts again whose acknowledgements may have been skipped, in milliseconds.
pub const SKIPPED_MS: u64 = 1_000;
