//! The reasons for having no connection.

use pychat_wire::{
    FrameError,
    client::Cause,
    message::{ErrorCode, PROTOCOL, Reason},
};

use crate::session::{
    step::{Service, Step},
    transport::TransportError,
};

/// The reason why an attempt to join failed, or why a connection ended. None of them is the
/// reader's doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The host's name means nothing to the network.
    HostNotFound,
    /// Nobody listens at the port.
    Refused,
    /// There is no way to the address from here.
    NoRoute,
    /// The address cannot be reached, or nobody answered in time.
    NoAnswer,
    /// The connection was taken, and not a word was said in time.
    Mute,
    /// The server is of another kind.
    OtherService(Service),
    /// The server does not understand this client, being older.
    ServerTooOld,
    /// The server does not let this client in, and speaks a newer protocol.
    ServerTooNew,
    /// Hello was said, and not answered in time.
    Undecided,
    /// The server would not have us under this name.
    Rejected {
        /// The reason as a code, where the server gives one.
        code: Option<ErrorCode>,
        /// The reason in the server's words.
        reason: String,
    },
    /// Somebody in the room has this name already.
    NameTaken {
        /// The name.
        name: String,
        /// A name that is free, where the server knows one.
        suggest: Option<String>,
    },
    /// The server sent us away.
    Kicked,
    /// An operator has banned us.
    Banned,
    /// This device was removed by another one of the same person.
    Removed,
    /// The server hung up, or the line broke, before we had joined.
    CutShort {
        /// The step that was to be taken.
        step: Step,
    },
    /// The line broke in the middle of the conversation.
    Lost,
    /// The server said that it stops, and did.
    ServerStopped,
    /// The bytes that arrived were no frames of the protocol.
    Garbled(FrameError),
    /// The server does not offer encryption, though it did.
    NotEncrypted,
    /// The server has not the certificate that the link to it names.
    NotAsLinked,
    /// The key of this device is in a keyring that is locked, or not there for now.
    KeyLocked,
    /// The key of this device is no longer in the keyring.
    KeyMissing,
    /// The code of the link is not good, or no longer.
    CodeRefused,
    /// The server lets nobody in who is new and has no invite.
    InviteNeeded,
    /// The server shows another certificate than it did.
    CertificateChanged {
        /// The pin of the certificate that it shows.
        pin: String,
    },
    /// The connection could not be encrypted.
    NotSecured {
        /// The reason, in the system's words.
        reason: String,
    },
}

impl DisconnectReason {
    /// Says why a line ended; `is_joined` tells whether we were in the room.
    pub fn new(cause: Cause, is_joined: bool) -> Self {
        match cause {
            Cause::Unreachable => Self::NoAnswer,
            Cause::Silent if !is_joined => Self::Undecided,
            Cause::CutShort => Self::CutShort { step: Step::Admission },
            Cause::Garbled(error) => Self::Garbled(error),
            Cause::TurnedAway { code, reason } => Self::Rejected { code, reason },
            Cause::Bye { reason: Reason::Shutdown } => Self::ServerStopped,
            Cause::Bye { reason: Reason::Kicked } => Self::Kicked,
            Cause::Bye { reason: Reason::Banned } => Self::Banned,
            Cause::Bye { reason: Reason::Removed } => Self::Removed,
            // Whatever else there is or will be, there was a line and there is none.
            _ if is_joined => Self::Lost,
            _ => Self::CutShort { step: Step::Admission },
        }
    }

    /// Says why the hello of somebody who wants to be called `name` was refused.
    pub fn refused(
        name: String,
        code: Option<ErrorCode>,
        reason: String,
        suggest: Option<String>,
    ) -> Self {
        match code {
            Some(ErrorCode::NameTaken) => Self::NameTaken { name, suggest },
            _ => Self::Rejected { code, reason },
        }
    }

    /// Returns this reason, or a better one that follows from what is known of the server: the newest
    /// `protocol` that it speaks, 0 if it does not say.
    #[must_use]
    pub fn explained(self, protocol: u64) -> Self {
        let is_newer = PROTOCOL < protocol;
        match &self {
            Self::Rejected { code: Some(ErrorCode::UnknownType), .. } if !is_newer => {
                Self::ServerTooOld
            }
            Self::Rejected {
                code:
                    Some(
                        ErrorCode::UnknownType
                        | ErrorCode::BadPayload
                        | ErrorCode::BadFrame
                        | ErrorCode::Unknown,
                    ),
                ..
            }
            | Self::CutShort { step: Step::Admission }
                if is_newer =>
            {
                Self::ServerTooNew
            }
            _ => self,
        }
    }

    /// Returns the step that has failed; `None` if that was none of connecting.
    pub fn step(&self) -> Option<Step> {
        Some(match self {
            Self::HostNotFound => Step::LookUp,
            Self::Refused | Self::NoRoute | Self::NoAnswer => Step::Connection,
            Self::Mute | Self::OtherService(_) | Self::Garbled(_) => Step::Greeting,
            Self::NotEncrypted | Self::NotSecured { .. } => Step::Encryption,
            Self::CertificateChanged { .. } | Self::NotAsLinked => Step::Certificate,
            Self::ServerTooOld | Self::ServerTooNew => Step::Protocol,
            Self::Undecided
            | Self::InviteNeeded
            | Self::CodeRefused
            | Self::Rejected { .. }
            | Self::NameTaken { .. }
            | Self::Kicked
            | Self::Banned
            | Self::Removed => Step::Admission,
            Self::CutShort { step } => *step,
            Self::KeyLocked | Self::KeyMissing | Self::Lost | Self::ServerStopped => return None,
        })
    }

    /// Returns true if a first attempt that ended so is worth another.
    pub fn may_pass(&self) -> bool {
        let is_for_now = |code: &ErrorCode| matches!(code, ErrorCode::Full | ErrorCode::Storage);
        match self {
            Self::Rejected { code, .. } => code.as_ref().is_some_and(is_for_now),
            _ => self.is_absence(),
        }
    }

    /// Returns true if the reader has to decide whether the server is still trusted.
    pub fn is_distrust(&self) -> bool {
        matches!(self, Self::NotEncrypted | Self::CertificateChanged { .. })
    }

    /// Returns true if the server could not be had, and nothing more is known.
    pub fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::HostNotFound
                | Self::Refused
                | Self::NoRoute
                | Self::NoAnswer
                | Self::Mute
                | Self::Undecided
                | Self::CutShort { .. }
        )
    }
}

impl From<TransportError> for DisconnectReason {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::HostNotFound(_) | TransportError::TimedOut(Step::LookUp) => {
                Self::HostNotFound
            }
            TransportError::Refused(_) => Self::Refused,
            TransportError::NoRoute(_) => Self::NoRoute,
            TransportError::TimedOut(Step::Greeting) => Self::Mute,
            TransportError::TimedOut(Step::Encryption) => {
                Self::NotSecured { reason: error.to_string() }
            }
            TransportError::Unreachable(_) | TransportError::TimedOut(_) => Self::NoAnswer,
            TransportError::OtherService(service) => Self::OtherService(service),
            TransportError::CutShort(step, _) => Self::CutShort { step },
            TransportError::Broken(_) => Self::Lost,
            TransportError::NotEncrypted => Self::NotEncrypted,
            TransportError::NotAsLinked => Self::NotAsLinked,
            TransportError::CertificateChanged { pin } => Self::CertificateChanged { pin },
            TransportError::Tls(error) => Self::NotSecured { reason: error.to_string() },
        }
    }
}
