//! Messages of a server, written.

use std::borrow::Cow;

use super::{
    super::{Reason, write_json},
    ServerMessage,
};
use crate::{frame, name, notice::Notice};

impl ServerMessage<'_> {
    /// Returns a sentence of the server's own, as a message of protocol 1.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{ServerMessage, notice::Notice};
    ///
    /// let ServerMessage::Message { username, .. } = ServerMessage::notice(Notice::Greeting) else {
    ///     unreachable!()
    /// };
    /// assert_eq!(username, "Сервер Чата");
    /// ```
    pub fn notice(notice: Notice<'_>) -> Self {
        Self::Message { username: name::SERVER.into(), content: notice.to_string().into() }
    }

    /// Returns a goodbye that tells of no other server.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{ServerMessage, message::Reason};
    ///
    /// let mut out = Vec::new();
    /// ServerMessage::bye(Reason::Slow, 1_000).encode(&mut out);
    /// assert_eq!(out, br#"46:{"type":"bye","reason":"slow","retry_ms":1000}"#);
    /// ```
    pub fn bye(reason: Reason, retry_ms: u64) -> Self {
        Self::Bye { reason, retry_ms, servers: Cow::default() }
    }

    /// Appends this message to `out` as one frame.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::ServerMessage;
    ///
    /// let mut out = Vec::new();
    /// ServerMessage::Message { username: "b".into(), content: "x".into() }.encode(&mut out);
    /// assert_eq!(out, br#"47:{"type":"message","username":"b","content":"x"}"#);
    /// ```
    pub fn encode(&self, out: &mut Vec<u8>) {
        frame::encode(out, |out| {
            write_json(self, out);
            if let Self::Welcome { members, rooms, .. } = self {
                out.pop(); // The object's brace: two members follow.
                out.extend_from_slice(b",\"members\":");
                out.extend_from_slice(members.open_json().as_bytes());
                out.extend_from_slice(b"],\"rooms\":");
                write_json(rooms, out);
                out.push(b'}');
            }
        });
    }
}
