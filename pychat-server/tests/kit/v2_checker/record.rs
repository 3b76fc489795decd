//! Records of rooms, as they come in protocol 2.

use pychat_wire::ServerMessage;

use crate::kit::{amended::State, room_log::Message};

/// A record of a room, with what is said of this copy of it.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) room: String,
    pub(super) seq: u64,
    pub(super) message: Message,
    pub(super) id: Option<String>,
    pub(super) dup: bool,
    pub(super) replay: bool,
}

impl Record {
    /// Takes a message that is one.
    pub(super) fn of(message: ServerMessage<'_>) -> Self {
        match message {
            ServerMessage::Record {
                room,
                seq,
                time,
                username,
                content,
                id,
                dup,
                replay,
                reply,
                edited,
                deleted: is_deleted,
                reactions,
            } => {
                let state = State { edited, is_deleted, reactions: reactions.into_owned() };
                let message = Message { reply, state, ..Message::text(time, &username, &content) };
                Self { room: room.into_owned(), seq, message, id: id.map(Into::into), dup, replay }
            }
            ServerMessage::Event { room, seq, time, username, event, subject, id, dup, replay } => {
                let subject = subject.unwrap_or_default();
                let text = Message::text(time, &username, &subject);
                let message = Message { event: Some(event), ..text };
                Self { room: room.into_owned(), seq, message, id: id.map(Into::into), dup, replay }
            }
            ServerMessage::Amended { amendment, room, seq, time, username, id, dup, replay } => {
                let amendment = Some(amendment.into_owned());
                let message = Message { amendment, ..Message::text(time, &username, "") };
                Self { room: room.into_owned(), seq, message, id: id.map(Into::into), dup, replay }
            }
            other => panic!("{other:?} is no record"),
        }
    }
}
