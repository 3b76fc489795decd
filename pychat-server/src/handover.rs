//! An orderly restart: what one process leaves to the next, so that no connection ends with it.
//!
//! The sockets themselves travel in a [`parcel`]; the [`Snapshot`] says of each how far its
//! conversation is. It is made once, when the server is asked to make way. A process that ends in
//! any other way leaves nothing: its sockets are closed, and clients come back by themselves.

pub mod parcel;

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The version of the format; raise it with any change of the types below. The file
/// `snapshot.golden` beside this one holds the bytes of a snapshot of this version.
pub const FORMAT: u32 = 4;

/// Every connection at the moment of the restart.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Snapshot {
    /// The name of the log; in another one the numbers of these conversations mean nothing.
    pub epoch: String,
    /// The latest time that people were told, in UTC milliseconds since 1970.
    pub time_ms: u64,
    /// The connections, in the order of their sockets; those that have joined in join order.
    pub connections: Vec<SavedConnection>,
}

/// One connection.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SavedConnection {
    /// The address of its peer.
    pub peer: SocketAddr,
    /// The name under which it has joined; `None` for a guest.
    pub name: Option<String>,
    /// The protocol that it is spoken to in.
    pub protocol: SavedProtocol,
    /// The nonce that its hello must sign.
    pub nonce: [u8; 16],
    /// The person that it has proved to be, in protocol 2.
    pub grant: Option<SavedGrant>,
    /// Bytes that were read and not handled yet: of a payload whose end has not arrived, or held
    /// back by a rate limit.
    #[serde(with = "serde_bytes")]
    pub unread: Vec<u8>,
    /// Bytes that the peer is owed.
    #[serde(with = "serde_bytes")]
    pub unsent: Vec<u8>,
    /// Times that run on.
    pub times: SavedTimes,
    /// History that it asked for and has not been sent, oldest request first.
    pub replays: Vec<SavedReplay>,
}

/// The times that are left to one connection, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct SavedTimes {
    /// Until its rate limit has recovered.
    pub limited_ms: u64,
    /// Until its person may say the next thing in slow mode. Of those who are away it is not saved: they
    /// may say the next thing at once, as after any other restart.
    pub slow_ms: u64,
    /// That a guest has to say hello.
    pub hello_ms: u64,
}

/// A protocol, as the snapshot writes it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum SavedProtocol {
    /// Protocol 1.
    V1,
    /// Protocol 2.
    V2,
}

/// The proof that somebody gave, as the snapshot writes it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SavedGrant {
    /// The number of the person.
    pub person: u64,
    /// The key of the device.
    pub key: [u8; 32],
    /// The log has the person as the owner of the name.
    pub is_saved: bool,
}

/// A request for history that is being answered.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SavedReplay {
    /// The number of the room; 0 for the hall.
    pub room: u32,
    /// The last number that was sent.
    pub after: u64,
    /// The end of what was asked for.
    pub end: SavedEnd,
}

/// The end of a request for history.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum SavedEnd {
    /// The newest message, and then what is said live.
    Live {
        /// The most messages that are wanted, the newest ones, if that was not looked at yet.
        limit: Option<u64>,
    },
    /// That of a page that was not looked up yet.
    Page {
        /// The number that was asked for.
        before: u64,
        /// The most messages.
        limit: u64,
    },
    /// That of a page.
    PageFound {
        /// The number that was asked for.
        before: u64,
        /// The last number of the page.
        last: u64,
        /// The number of messages that were sent.
        count: u64,
        /// Nothing is kept before this page.
        is_start: bool,
    },
}

/// The reason why a snapshot cannot be used.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum SnapshotError {
    /// Another version of the server wrote it.
    #[error("format {0}, and this server reads format {FORMAT}")]
    Format(u32),
    /// It is cut short, or something else.
    #[error("corrupt")]
    Corrupt,
}

impl Snapshot {
    /// Returns the snapshot as bytes: the format as a little-endian `u32`, then the connections.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Postcard fails for want of room alone, which a vector makes.
        postcard::to_extend(self, FORMAT.to_le_bytes().to_vec()).unwrap_or_default()
    }

    /// Reads a snapshot.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`], as a whole: of a corrupt snapshot nothing is used.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let (format, rest) = bytes.split_first_chunk().ok_or(SnapshotError::Corrupt)?;
        match u32::from_le_bytes(*format) {
            FORMAT => match postcard::take_from_bytes(rest) {
                Ok((snapshot, [])) => Ok(snapshot),
                Ok(_) | Err(_) => Err(SnapshotError::Corrupt),
            },
            other => Err(SnapshotError::Format(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        let joined = SavedConnection {
            peer: "192.0.2.1:4711".parse().unwrap(),
            name: Some("Анна".to_owned()),
            protocol: SavedProtocol::V2,
            nonce: [5; 16],
            grant: Some(SavedGrant { person: 3, key: [7; 32], is_saved: true }),
            unread: b"9:{\"ty".to_vec(),
            unsent: b"2:{}".to_vec(),
            times: SavedTimes { limited_ms: 1_500, slow_ms: 30_000, hello_ms: 0 },
            replays: vec![
                SavedReplay { room: 0, after: 300, end: SavedEnd::Live { limit: None } },
                SavedReplay { room: 7, after: 3, end: SavedEnd::Live { limit: Some(50) } },
                SavedReplay { room: 7, after: 0, end: SavedEnd::Page { before: 5, limit: 500 } },
                SavedReplay {
                    room: 0,
                    after: 7,
                    end: SavedEnd::PageFound { before: 10, last: 9, count: 2, is_start: true },
                },
            ],
        };
        let guest = SavedConnection {
            peer: "[2001:db8::1]:65535".parse().unwrap(),
            name: None,
            protocol: SavedProtocol::V1,
            nonce: [6; 16],
            grant: None,
            unread: Vec::new(),
            unsent: Vec::new(),
            times: SavedTimes { hello_ms: 20_000, ..SavedTimes::default() },
            replays: Vec::new(),
        };
        Snapshot { epoch: "0f8e".to_owned(), time_ms: 5, connections: vec![joined, guest] }
    }

    #[test]
    fn a_format_has_one_spelling() {
        let golden = include_bytes!("handover/snapshot.golden");
        assert_eq!(snapshot().to_bytes(), golden, "raise FORMAT, and write the file anew");
        assert_eq!(Snapshot::from_bytes(golden), Ok(snapshot()));
    }

    #[test]
    fn a_snapshot_counts_as_a_whole_or_not_at_all() {
        let bytes = snapshot().to_bytes();
        for end in 0..bytes.len() {
            assert_eq!(Snapshot::from_bytes(&bytes[..end]), Err(SnapshotError::Corrupt), "{end}");
        }
        let longer = [&bytes[..], b"x"].concat();
        assert_eq!(Snapshot::from_bytes(&longer), Err(SnapshotError::Corrupt));
        let newer = [&(FORMAT + 1).to_le_bytes(), &bytes[4..]].concat();
        assert_eq!(Snapshot::from_bytes(&newer), Err(SnapshotError::Format(FORMAT + 1)));
    }
}
