//! The rooms: who is in each, how far each was published, and how far each person has seen it.

/// The number above which messages that somebody has not seen are counted no further.
pub const UNREAD_MAX: u64 = 99;
