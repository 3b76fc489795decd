//! The sentences that say why there is no connection, and why a message was not sent.

use pychat_wire::{
    FrameError,
    client::{FailReason, SayError},
    message::{Amendment, ErrorCode, RoomRequest},
};

use super::{disconnect_reason::DisconnectReason, step::Service};
use crate::text::{
    i18n::{gettext, gettext_f},
    names::isolated,
};

/// Returns why there is no connection to `server`, and what can be done about it.
pub fn disconnect_reason(reason: &DisconnectReason, server: &str) -> String {
    let values = [("server", server)];
    match reason {
        DisconnectReason::HostNotFound => {
            gettext_f("The server {server} was not found. Check the address.", &values)
        }
        DisconnectReason::Refused => gettext_f(
            "No server is running at {server}. Check the address and the port, or start one with pychat-server.",
            &values,
        ),
        DisconnectReason::NoRoute => gettext_f(
            "{server} cannot be reached from this network. Check the network and the address.",
            &values,
        ),
        DisconnectReason::NoAnswer => gettext_f(
            "{server} does not answer. Check the address, the network and the firewall.",
            &values,
        ),
        DisconnectReason::Garbled(FrameError::TooLarge { .. }) => {
            gettext("The server sent a message that is too large.")
        }
        DisconnectReason::Mute => gettext_f(
            "{server} takes connections, but says nothing. Check the address and the port.",
            &values,
        ),
        DisconnectReason::OtherService(Service::Web) => gettext_f(
            "There is a web server at {server}, not a chat server. Check the address and the port.",
            &values,
        ),
        DisconnectReason::OtherService(Service::Ssh) => gettext_f(
            "There is an SSH server at {server}, not a chat server. Check the port.",
            &values,
        ),
        DisconnectReason::OtherService(Service::Unknown) | DisconnectReason::Garbled(_) => {
            gettext_f(
                "There is no chat server at {server}. Check the address and the port.",
                &values,
            )
        }
        DisconnectReason::ServerTooOld => gettext_f(
            "The server at {server} is too old for this version of Pychat. Ask whoever runs it to update it.",
            &values,
        ),
        DisconnectReason::ServerTooNew => gettext_f(
            "The server at {server} needs a newer version of Pychat. Update Pychat on this device.",
            &values,
        ),
        DisconnectReason::Undecided => {
            gettext_f("{server} took too long to let you in. Try again.", &values)
        }
        DisconnectReason::Rejected { code, reason } => rejection(*code, reason),
        DisconnectReason::NameTaken { name, suggest: Some(free) } => gettext_f(
            "The name “{name}” is taken. “{free}” is available.",
            &[("name", &isolated(name)), ("free", &isolated(free))],
        ),
        DisconnectReason::NameTaken { name, suggest: None } => {
            gettext_f("The name “{name}” is taken.", &[("name", &isolated(name))])
        }
        DisconnectReason::Kicked => gettext("The server removed you from the chat."),
        DisconnectReason::Banned => gettext("An operator has banned you from this chat."),
        DisconnectReason::Removed => {
            gettext("This device was removed from another of your devices.")
        }
        DisconnectReason::CutShort { .. } => gettext_f(
            "The server at {server} closed the connection before you could join.",
            &values,
        ),
        DisconnectReason::Lost => gettext("The connection to the server was lost."),
        DisconnectReason::ServerStopped => gettext("The server was shut down."),
        DisconnectReason::NotEncrypted => gettext_f(
            "{server} does not offer an encrypted connection, as it should. Somebody may be trying to read along.",
            &values,
        ),
        DisconnectReason::NotAsLinked => gettext_f(
            "{server} is not the server that was meant: it was set up anew, or somebody is trying to read along. Ask for a new link.",
            &values,
        ),
        DisconnectReason::InviteNeeded => gettext(
            "You need an invite to join this chat. Ask somebody who is there already for a link.",
        ),
        DisconnectReason::KeyLocked => gettext(
            "The key of this device is in your keyring, which is locked or not running. Unlock it and try again.",
        ),
        DisconnectReason::KeyMissing => gettext(
            "The key of this device is no longer in your keyring. Add this device again from another one of yours, or join under another name.",
        ),
        DisconnectReason::CodeRefused => {
            gettext("This link was used already, or has expired. Ask for a new one.")
        }
        DisconnectReason::CertificateChanged { .. } => gettext_f(
            "{server} has another certificate than before. It was set up anew, or somebody is trying to read along.",
            &values,
        ),
        DisconnectReason::NotSecured { reason } => gettext_f(
            "The connection to {server} could not be encrypted: {reason}",
            &[("server", server), ("reason", reason)],
        ),
    }
}

/// Returns why the server did not let somebody in; in its own words where the code says nothing.
fn rejection(code: Option<ErrorCode>, reason: &str) -> String {
    match code {
        Some(ErrorCode::Storage) => {
            gettext("The server has no space for messages. Try again later.")
        }
        Some(ErrorCode::SlowDown) => gettext("Too many attempts to join. Try again later."),
        code => code.and_then(refusal).unwrap_or_else(|| {
            gettext_f("The server did not let you in: {reason}", &[("reason", reason)])
        }),
    }
}

/// Returns why a text was not sent; `None` where the reader needs no telling.
pub fn say_error(error: SayError) -> Option<String> {
    match error {
        SayError::Blank => None,
        SayError::TooLarge { .. } => Some(gettext("This message is too long")),
        SayError::Full { .. } => {
            Some(gettext("Too many unsent messages. Wait until some have been sent."))
        }
        _ => Some(gettext("Not sent: there is no connection to the server")),
    }
}

/// Returns why nothing is sent to a room that the reader is not in.
pub fn not_in_room() -> String {
    fail_reason(&FailReason::Refused { code: ErrorCode::NoRoom, text: String::new() })
}

/// Returns why a message is not in the room.
pub fn fail_reason(reason: &FailReason) -> String {
    match reason {
        FailReason::Lost => gettext(
            "Connection lost. This message may not have been delivered. Check with the others before sending it again.",
        ),
        FailReason::Refused { code, text } => match code {
            ErrorCode::Storage => gettext("Not sent: the server has no space for messages."),
            ErrorCode::SlowDown => gettext("Not sent: there were too many messages at once."),
            code => match refusal(*code) {
                // Translators: {reason} is a sentence of its own.
                Some(reason) => gettext_f("Not sent. {reason}", &[("reason", &reason)]),
                None => gettext_f(
                    "Not sent: the server did not accept it ({reason}).",
                    &[("reason", text.trim_end_matches('.'))],
                ),
            },
        },
        // Whatever other reasons there will be, it was not sent.
        _ => gettext("Not sent."),
    }
}

/// Returns why a message was not changed.
pub fn amend_error(error: SayError) -> String {
    match error {
        SayError::TooLarge { .. } | SayError::Full { .. } => say_error(error).unwrap_or_default(),
        SayError::NotPending => gettext("This message can no longer be changed."),
        _ => not_connected(),
    }
}

/// Returns why a message is as it was.
pub fn amend_fail_reason(amendment: &Amendment<'_>, reason: &FailReason) -> String {
    let refused = match reason {
        FailReason::Refused { code: ErrorCode::Forbidden | ErrorCode::NoMessage, .. }
            if matches!(amendment, Amendment::Restore { .. }) =>
        {
            return gettext(
                "The message cannot be restored. Its author deleted it, or it was removed more than 7 days ago.",
            );
        }
        FailReason::Refused { code, text } => denial(*code, text),
        _ => return unanswered(),
    };
    // Translators: {reason} is a sentence of its own.
    gettext_f("The message was not changed. {reason}", &[("reason", &refused)])
}

/// Returns why the server refused what was asked of it, in its own words where the code says nothing.
pub fn denial(code: ErrorCode, text: &str) -> String {
    refusal(code).unwrap_or_else(|| text.to_owned())
}

/// Returns why the server did not make or change a room, in its own words where the code and the
/// `request` say nothing.
pub fn room_denial(request: &RoomRequest<'_>, code: ErrorCode, text: &str) -> String {
    match (code, request) {
        (ErrorCode::NotDone, RoomRequest::Direct { .. }) => gettext(
            "Only people who have a name of their own on this server can be messaged directly.",
        ),
        (ErrorCode::NotDone, RoomRequest::AddMember { .. }) => gettext(
            "Only people who have a name of their own on this server, and are not in the room yet, can be added.",
        ),
        (ErrorCode::NotDone, RoomRequest::JoinRoom { .. }) => {
            gettext("You are in this room already.")
        }
        (ErrorCode::NameTaken, RoomRequest::CreateRoom { .. } | RoomRequest::UpdateRoom { .. }) => {
            gettext("There is an open room of this name already.")
        }
        (ErrorCode::NoRoom, RoomRequest::JoinRoom { .. }) => {
            gettext("This room does not exist any more.")
        }
        (code, _) => denial(code, text),
    }
}

/// Returns what is said of a search that the server has no part in.
pub fn only_loaded_searched() -> String {
    gettext("Searching only what is loaded")
}

/// Returns what is said where the server refuses an invite, with its own words in `text`.
pub fn invite_denial(code: ErrorCode, text: &str) -> String {
    if code == ErrorCode::Forbidden {
        return gettext(
            "Only operators can invite people to this chat. Ask one of them for a link.",
        );
    }
    denial(code, text)
}

/// Returns what is said of a request that is not made, as there is no connection.
pub fn not_connected() -> String {
    gettext("Not done: there is no connection to the server")
}

/// Returns what is said of a request that the server did not answer.
pub fn unanswered() -> String {
    gettext("The connection was lost. The change may not have been made.")
}

/// Returns what the server refused something for; `None` if only it knows.
fn refusal(code: ErrorCode) -> Option<String> {
    Some(match code {
        ErrorCode::AlreadyJoined => gettext("You have joined this chat already."),
        ErrorCode::BadFrame => gettext("The data was damaged on the way to the server."),
        ErrorCode::BadPayload => gettext("The server did not understand the request."),
        ErrorCode::BadSignature => {
            gettext("The server did not accept the key of this device. Try again.")
        }
        ErrorCode::Forbidden => gettext("You are not allowed to do this."),
        ErrorCode::Full => gettext("The chat is full. Try again later."),
        ErrorCode::IdReused => gettext("Another message with the same number was sent before."),
        ErrorCode::Muted => gettext("An operator has muted you."),
        ErrorCode::NameInvalid => gettext("The server does not accept this name."),
        ErrorCode::NameTaken => gettext("This name is taken."),
        ErrorCode::NotAdmitted => {
            gettext("The server does not let you in without an encrypted connection.")
        }
        ErrorCode::NoMessage => gettext("This message is no longer there."),
        ErrorCode::NoRoom => gettext("This room does not exist, or you are not in it."),
        ErrorCode::NotJoined => gettext("You have not joined the chat yet."),
        ErrorCode::SlowDown => gettext("There were too many requests at once. Try again later."),
        ErrorCode::Storage => gettext("The server has no space for messages."),
        ErrorCode::Timeout => gettext("Joining took too long. Try again."),
        ErrorCode::TooLarge => gettext("This is too long for the server."),
        ErrorCode::UnknownType => gettext("The server does not support this version of Pychat."),
        ErrorCode::NotDone | ErrorCode::Unknown => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_refusal_has_words_of_its_own() {
        let codes = [
            "already_joined",
            "bad_frame",
            "bad_payload",
            "bad_signature",
            "forbidden",
            "full",
            "id_reused",
            "muted",
            "name_invalid",
            "name_taken",
            "no_message",
            "no_room",
            "not_joined",
            "slow_down",
            "storage",
            "timeout",
            "too_large",
            "unknown_type",
        ];
        let mut said = BTreeSet::new();
        for code in codes {
            let code: ErrorCode = serde_json::from_value(code.into()).expect("a code");
            let text = "what the server says".to_owned();
            let rejected = DisconnectReason::Rejected { code: Some(code), reason: text.clone() };
            for sentence in [
                disconnect_reason(&rejected, "host"),
                fail_reason(&FailReason::Refused { code, text }),
            ] {
                assert!(!sentence.contains("what the server says"), "{code:?}: {sentence}");
                assert!(said.insert(sentence.clone()), "{code:?}: {sentence}");
            }
        }
    }
}
