//! Messages of peers, each handed to what it is about.

use std::time::Instant;

use pychat_wire::{ClientMessage, MessageError};

use super::{
    Chat, Effect, Event, Phase, Protocol, amend::Amended, devices::DeviceRequest,
    invites::InviteRequest, refusal::unknown_to_original, talk::Said, tell,
};
use crate::core::id::ConnectionId;

impl Chat {
    /// A peer has said something.
    pub(super) fn on_received(
        &mut self,
        now: Instant,
        id: ConnectionId,
        message: ClientMessage<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if peer.protocol == Protocol::V1
            && let Some(kind) = unknown_to_original(&message)
        {
            let error = MessageError::UnknownType { name: kind.to_owned() };
            return self.on_bad_message(id, error, effects);
        }
        match (&peer.phase, message) {
            (Phase::Claiming(_) | Phase::Closing, _) | (_, ClientMessage::Pong) => (),
            (_, ClientMessage::Ping) => tell(id, Event::Pong, effects),
            (Phase::Guest, ClientMessage::Hello(hello)) => {
                self.on_hello(now, id, &hello, effects);
            }
            (Phase::Guest, message) => self.on_early(id, &message, effects),
            (Phase::Joined(_), ClientMessage::Text { room, content, id: message_id, reply }) => {
                let message_id = message_id.as_deref();
                let said = Said { room: &room, content: &content, id: message_id, reply };
                self.on_text(now, id, said, effects);
            }
            (Phase::Joined(_), ClientMessage::Amend { amendment, room, id: message_id }) => {
                let message_id = message_id.as_deref();
                let amended = Amended { room: &room, amendment: &amendment, id: message_id };
                self.on_amend(now, id, amended, effects);
            }
            (
                Phase::Joined(_),
                message @ (ClientMessage::History { .. }
                | ClientMessage::Search(_)
                | ClientMessage::Rooms
                | ClientMessage::Members { .. }
                | ClientMessage::Read { .. }
                | ClientMessage::Typing { .. }
                | ClientMessage::Change { .. }),
            ) => self.on_about_rooms(now, id, &message, effects),
            (Phase::Joined(_), ClientMessage::Pair) => {
                self.on_device_request(now, id, DeviceRequest::Pair, effects);
            }
            (Phase::Joined(_), ClientMessage::Devices) => {
                self.on_device_request(now, id, DeviceRequest::List, effects);
            }
            (Phase::Joined(_), ClientMessage::RemoveDevice { key }) => {
                self.on_device_request(now, id, DeviceRequest::Remove(key), effects);
            }
            (Phase::Joined(_), ClientMessage::Operate { request, id: message_id }) => {
                self.on_operate(now, id, &request, message_id.as_deref(), effects);
            }
            (Phase::Joined(_), ClientMessage::Invite { uses, for_ms }) => {
                let request = InviteRequest::Link { uses, for_ms };
                self.on_invite_request(now, id, request, effects);
            }
            (Phase::Joined(_), ClientMessage::Invites) => {
                self.on_invite_request(now, id, InviteRequest::List, effects);
            }
            (Phase::Joined(_), ClientMessage::RevokeInvite { invite }) => {
                self.on_invite_request(now, id, InviteRequest::Revoke(invite), effects);
            }
            (Phase::Joined(_), ClientMessage::Hello(_)) => self.on_second_hello(id, effects),
        }
    }

    /// A peer in the hall asks something about rooms.
    fn on_about_rooms(
        &mut self,
        now: Instant,
        id: ConnectionId,
        message: &ClientMessage<'_>,
        effects: &mut Vec<Effect>,
    ) {
        match message {
            ClientMessage::History { room, before, limit } => {
                self.on_history(now, id, room, (*before, *limit), effects);
            }
            ClientMessage::Search(search) => self.on_search(now, id, search, effects),
            ClientMessage::Rooms => self.on_rooms(now, id, effects),
            ClientMessage::Members { room } => self.on_members(now, id, room, effects),
            ClientMessage::Read { room, seq } => self.on_read(now, id, (room, *seq), effects),
            ClientMessage::Typing { room } => self.on_typing(now, id, room, effects),
            ClientMessage::Change { request, id: message_id } => {
                self.on_change(now, id, request, message_id.as_deref(), effects);
            }
            _ => (),
        }
    }
}
