//! Refusals, and the end of a connection that earns too many of them.

use std::fmt;

use pychat_wire::{ClientMessage, FrameError, MessageError, message::ErrorCode, notice::Notice};

use super::{
    Action, Chat, CloseReason, Complaint, Effect, Phase, Protocol, Refusal, act, complain, notify,
};
use crate::core::id::ConnectionId;

/// The number of useless payloads, with no text among them, that ends a connection.
pub const BAD_PAYLOADS_MAX: u32 = 16;

impl Chat {
    pub(super) fn on_bad_message(
        &mut self,
        id: ConnectionId,
        error: MessageError,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get(&id) else { return };
        let code = match &error {
            MessageError::UnknownType { .. } => ErrorCode::UnknownType,
            _ => ErrorCode::BadPayload,
        };
        match (&peer.phase, peer.protocol) {
            (Phase::Claiming(_) | Phase::Closing, _) => return,
            _ if peer.bad_payloads + 1 == BAD_PAYLOADS_MAX => (), // It is told so below.
            (Phase::Guest, Protocol::V1) => notify(id, Notice::StillWaiting, effects),
            (Phase::Joined(_), Protocol::V1) => {
                notify(id, Notice::Other(&format!("Not understood: {error}.")), effects);
            }
            (_, Protocol::V2) => {
                complain(id, Complaint::new(code, &error.to_string()), effects);
            }
        }
        self.count_bad(id, code, &error, effects);
        act(id, Action::Log(Refusal::Payload(error)), effects);
    }

    /// Counts a useless payload, and ends the connection after [`BAD_PAYLOADS_MAX`] without a text
    /// among them.
    pub(super) fn count_bad(
        &mut self,
        id: ConnectionId,
        code: ErrorCode,
        error: &dyn fmt::Display,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.bad_payloads += 1;
        if peer.bad_payloads == BAD_PAYLOADS_MAX {
            let text = format!("Not understood {BAD_PAYLOADS_MAX} times in a row: {error}. Bye!");
            self.say(id, code, &text, effects);
            self.close(id, CloseReason::Protocol, effects);
        }
    }

    pub(super) fn on_bad_frame(
        &mut self,
        id: ConnectionId,
        error: FrameError,
        effects: &mut Vec<Effect>,
    ) {
        if !self.is_open(id) {
            return;
        }
        let code = match error {
            FrameError::TooLarge { .. } => ErrorCode::TooLarge,
            _ => ErrorCode::BadFrame,
        };
        self.say(id, code, &format!("Connection closed: {error}. Bye!"), effects);
        act(id, Action::Log(Refusal::Frame(error)), effects);
        self.close(id, CloseReason::Protocol, effects);
    }

    /// Somebody in the room says hello again, which changes nothing.
    pub(super) fn on_second_hello(&mut self, id: ConnectionId, effects: &mut Vec<Effect>) {
        act(id, Action::Log(Refusal::AlreadyJoined), effects);
        if self.protocol(id) == Protocol::V2 {
            let text = "this connection has a name already";
            complain(id, Complaint::new(ErrorCode::AlreadyJoined, text), effects);
        }
        self.count_bad(id, ErrorCode::AlreadyJoined, &Refusal::AlreadyJoined, effects);
    }
}

/// Names the type of a message that protocol 1 does not have.
pub(super) fn unknown_to_original(message: &ClientMessage<'_>) -> Option<&'static str> {
    match message {
        ClientMessage::Hello(_) | ClientMessage::Text { .. } => None,
        ClientMessage::History { .. } => Some("history"),
        ClientMessage::Search(_) => Some("search"),
        ClientMessage::Rooms => Some("rooms"),
        ClientMessage::Members { .. } => Some("members"),
        ClientMessage::Read { .. } => Some("read"),
        ClientMessage::Typing { .. } => Some("typing"),
        ClientMessage::Amend { amendment, .. } => Some(amendment.kind()),
        ClientMessage::Change { request, .. } => Some(request.kind()),
        ClientMessage::Pair => Some("pair"),
        ClientMessage::Devices => Some("devices"),
        ClientMessage::RemoveDevice { .. } => Some("remove_device"),
        ClientMessage::Operate { request, .. } => Some(request.kind()),
        ClientMessage::Invite { .. } => Some("invite"),
        ClientMessage::Invites => Some("invites"),
        ClientMessage::RevokeInvite { .. } => Some("revoke_invite"),
        ClientMessage::Ping => Some("ping"),
        ClientMessage::Pong => Some("pong"),
    }
}
