//! Messages of a server, written.

use super::{super::write_json, ServerMessage};
use crate::frame;

impl ServerMessage<'_> {
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
