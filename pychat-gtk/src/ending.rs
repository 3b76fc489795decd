//! Why there is no connection.

use pychat_wire::FrameError;

use crate::transport::TransportError;

/// Why an attempt to join failed, or why a connection ended. None of them is the reader's doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Ending {
    /// The host's name means nothing to the network.
    HostNotFound,
    /// Nobody answered in time, or the connection was refused.
    NoAnswer,
    /// The server would not have us under this name.
    Rejected {
        /// Why, in the server's words.
        reason: String,
    },
    /// The server hung up, or the line broke, before we had joined.
    CutShort,
    /// The line broke in the middle of the conversation.
    Lost,
    /// The server said that it stops, and did.
    ServerStopped,
    /// What arrived was no chat.
    Garbled(FrameError),
}

impl From<TransportError> for Ending {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::HostNotFound(_) => Self::HostNotFound,
            TransportError::Unreachable(_) => Self::NoAnswer,
            TransportError::Broken(_) => Self::Lost,
        }
    }
}
