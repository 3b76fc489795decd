//! The limits of a client: the sizes that it takes, and the times that it waits.

pub use crate::message::{
    MEMBERS_MAX, PONG_SECONDS_MAX, RETRY_MS_MAX, ROOMS_MAX, SEARCH_LIMIT_MAX,
    SEARCH_QUERY_BYTES_MAX,
};
use crate::name::NAME_CHARS_MAX;

/// The largest payload taken from a server, in bytes.
///
/// Smaller than that are a welcome of the original with 10 000 names of 32 letters, each letter
/// sent as up to twelve bytes, and any message that came through a server which takes payloads of
/// at most 1 MiB.
pub const SERVER_PAYLOAD_BYTES_MAX: usize = 4 << 20;

const _: () =
    assert!(10_000 * (12 * NAME_CHARS_MAX + ", ".len()) + 1_000 < SERVER_PAYLOAD_BYTES_MAX);

/// The most texts and amendments that may wait for their acknowledgement.
pub const UNACKNOWLEDGED_MAX: usize = 1_000;

/// The most requests for changes of rooms that may wait for their answers.
pub const CHANGES_MAX: usize = 100;

/// The most pages of history that are asked for at once; others are asked for once one of them came.
pub const PAGES_MAX: usize = 4;

/// The most searches whose ends are still to come.
pub const SEARCHES_MAX: usize = 4;

/// The most memory that the messages of one search may take, in bytes. Those beyond are passed over.
pub const FOUND_BYTES_MAX: usize = 4 << 20;

/// The number up to which messages that were not seen are counted, in each room.
pub const UNREAD_MAX: u64 = 99;

/// The shortest time between two marks of one room that the server is told, in milliseconds.
pub const READ_MS_MIN: u64 = 1_000;

/// The shortest time between two notices that we are typing in one room, in milliseconds.
pub const TYPING_MS_MIN: u64 = 3_000;

/// The most memory that the pages of history may take that are on their way, in bytes. Messages
/// beyond are not in them.
pub const PAGE_BYTES_MAX: usize = 64 << 20;

/// The longest time that a server may take from the connection to the welcome, in milliseconds.
pub const HELLO_MS_MAX: u64 = 10_000;

/// The longest time that a server that was pinged may take to send something, in milliseconds.
pub const PONG_MS_MAX: u64 = PONG_SECONDS_MAX * 1_000;

/// The same where the line is more likely to be dead, when the client was
/// [woken](super::Client::wake).
pub const WAKE_PONG_MS_MAX: u64 = 5_000;

/// The wait after an attempt at once that made no line, give or take a quarter, in milliseconds.
pub const RECONNECT_MS_MIN: u64 = 1_000;

/// The longest that this wait becomes by doubling, give or take a quarter, in milliseconds.
pub const RECONNECT_MS_MAX: u64 = 30_000;

/// The time in the room after which a lost line is tried again at once, in milliseconds.
pub const STEADY_MS: u64 = 30_000;

/// The wait before a text is sent again that the server could not keep, in milliseconds, unless the
/// server gives another.
pub const RETRY_MS: u64 = 5_000;

/// The most times that a text gets another id, as the server knows another text under the last.
pub const RENEWALS_MAX: u32 = 3;

/// The wait before texts are sent again whose acknowledgements may have been skipped, and before
/// one is first sent under another id, in milliseconds.
pub const SKIPPED_MS: u64 = 1_000;
