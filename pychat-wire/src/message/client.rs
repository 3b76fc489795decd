//! Messages of a client.

use std::{borrow::Cow, mem};

use serde::Serialize;

use super::{
    Amendment, HALL, MessageError, RoomRequest, bounds,
    members::Members,
    operator::OperatorRequest,
    parts::Resume,
    search::Search,
    {lenient, write_json},
};
use crate::{
    frame,
    key::{InviteCode, InviteId, PairCode, Proof, PublicKey},
};

/// A message of a client.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage<'a> {
    /// A request to join.
    Hello(Hello<'a>),
    /// A text for everybody in a room.
    Text {
        /// The room. Protocol 2.
        #[serde(skip_serializing_if = "str::is_empty")]
        room: Cow<'a, str>,
        /// The text itself.
        content: Cow<'a, str>,
        /// The client's own id for it, by which a repetition is recognized. Protocol 2.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
        /// The number of the message in the room that it answers. Protocol 2.
        #[serde(skip_serializing_if = "Option::is_none")]
        reply: Option<u64>,
    },
    /// A request for older messages. Protocol 2.
    History {
        /// The room.
        #[serde(skip_serializing_if = "str::is_empty")]
        room: Cow<'a, str>,
        /// The exclusive upper bound of their numbers.
        before: u64,
        /// The most messages that it wants.
        limit: u64,
    },
    /// A request for the messages that have certain words. Protocol 2.
    Search(Search<'a>),
    /// A request for the list of open rooms. Protocol 2.
    Rooms,
    /// A request for the list of a room's members. Protocol 2.
    Members {
        /// The room.
        room: Cow<'a, str>,
    },
    /// Everything up to a number was seen. Protocol 2.
    Read {
        /// The room.
        #[serde(skip_serializing_if = "str::is_empty")]
        room: Cow<'a, str>,
        /// The number of the last record that was seen.
        seq: u64,
    },
    /// A text is being written. Protocol 2.
    Typing {
        /// The room.
        #[serde(skip_serializing_if = "str::is_empty")]
        room: Cow<'a, str>,
    },
    /// A request for a code by which another device can join this person. Protocol 2.
    Pair,
    /// A request for the list of this person's devices. Protocol 2.
    Devices,
    /// A device of this person is one no longer. Protocol 2.
    RemoveDevice {
        /// Its key.
        key: PublicKey,
    },
    /// A request for a link by which others can join. Protocol 2.
    Invite {
        /// The number of people whom it may let in; any number if `None`.
        #[serde(skip_serializing_if = "Option::is_none")]
        uses: Option<u64>,
        /// The time for which it is good, in milliseconds; until it is revoked if `None`.
        #[serde(skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// A request for the list of invites. Protocol 2.
    Invites,
    /// An invite is good no longer. Protocol 2.
    RevokeInvite {
        /// The invite.
        invite: InviteId,
    },
    /// The question whether the server is there, to be answered by a pong. Protocol 2.
    Ping,
    /// The answer to a ping. Protocol 2.
    Pong,
    /// A change of a message, or a reaction to it. Protocol 2.
    #[serde(untagged)]
    Amend {
        /// The amendment itself.
        #[serde(flatten)]
        amendment: Amendment<'a>,
        /// The room.
        #[serde(skip_serializing_if = "str::is_empty")]
        room: Cow<'a, str>,
        /// The client's own id for it, by which a repetition is recognized.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// A request that makes or changes a room. Protocol 2.
    #[serde(untagged)]
    Change {
        /// The request itself.
        #[serde(flatten)]
        request: RoomRequest<'a>,
        /// The client's own id for it, by which a repetition is recognized.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// Something that only an operator may ask for. Protocol 2.
    #[serde(untagged)]
    Operate {
        /// The thing itself.
        #[serde(flatten)]
        request: OperatorRequest<'a>,
        /// The client's own id for it, which its answer bears.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
}

/// A request to join.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Hello<'a> {
    /// The name that it asks for, not yet checked.
    pub username: Cow<'a, str>,
    /// The protocol in which it asks to be answered; 1 if it names none.
    #[serde(skip_serializing_if = "is_original")]
    pub protocol: u64,
    /// The proof of who it is.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// The code by which its device joins a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair: Option<PairCode>,
    /// The code by which a new person is let in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite: Option<InviteCode>,
    /// The name of its device, for its person to tell it from others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Cow<'a, str>>,
    /// The positions at which it left off, if it was here before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume<'a>>,
}

impl<'a> Hello<'a> {
    /// Returns a hello of `protocol` with nothing more than a name.
    pub fn new(username: impl Into<Cow<'a, str>>, protocol: u64) -> Self {
        let username = username.into();
        Self {
            username,
            protocol,
            proof: None,
            pair: None,
            invite: None,
            label: None,
            resume: None,
        }
    }
}

impl<'a> ClientMessage<'a> {
    /// Returns a hello as the original sends it.
    pub fn hello(username: impl Into<Cow<'a, str>>) -> Self {
        Self::Hello(Hello::new(username, 1))
    }

    /// Returns a text as the original sends it.
    pub fn text(content: impl Into<Cow<'a, str>>) -> Self {
        Self::Text { room: HALL.into(), content: content.into(), id: None, reply: None }
    }

    /// Reads one payload.
    ///
    /// # Errors
    ///
    /// [`MessageError`] if it is none of the messages above.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::ClientMessage;
    ///
    /// let message = ClientMessage::parse(br#"{"content":"hi","type":"text"}"#)?;
    /// assert_eq!(message, ClientMessage::text("hi"));
    /// # Ok::<(), pychat_wire::MessageError>(())
    /// ```
    pub fn parse(payload: &'a [u8]) -> Result<Self, MessageError> {
        let members = Members::parse(payload)?;
        match members.kind()? {
            "hello" => Self::parse_hello(members),
            // A text without `content` is an empty one.
            "text" if members.content.is_missing() => Ok(Self::Text {
                room: members.room.room(),
                content: "".into(),
                id: members.id.string(),
                reply: members.reply.number(),
            }),
            "text" => Ok(Self::Text {
                room: members.room.room(),
                reply: members.reply.number(),
                content: members.content.required("content")?,
                id: members.id.string(),
            }),
            "rooms" => Ok(Self::Rooms),
            "members" => Ok(Self::Members { room: members.room.room() }),
            "read" => Ok(Self::Read {
                room: members.room.room(),
                seq: members.seq.required_number("seq")?,
            }),
            "typing" => Ok(Self::Typing { room: members.room.room() }),
            "history" => Ok(Self::History {
                room: members.room.room(),
                before: members.before.required_number("before")?,
                limit: members.limit.required_number("limit")?,
            }),
            "search" => Search::parse(members).map(Self::Search),
            "pair" => Ok(Self::Pair),
            "devices" => Ok(Self::Devices),
            "remove_device" => Ok(Self::RemoveDevice { key: members.key.required_value("key")? }),
            "invite" => Ok(Self::Invite {
                uses: members.uses.optional_number("uses")?,
                for_ms: members.for_ms.optional_number("for_ms")?,
            }),
            "invites" => Ok(Self::Invites),
            "revoke_invite" => {
                Ok(Self::RevokeInvite { invite: members.invite.required_value("invite")? })
            }
            "ping" => Ok(Self::Ping),
            "pong" => Ok(Self::Pong),
            kind => {
                let kind = kind.to_owned();
                Self::parse_request(&kind, members)
            }
        }
    }

    fn parse_request(kind: &str, mut members: Members<'a>) -> Result<Self, MessageError> {
        let id = mem::take(&mut members.id).string();
        match Amendment::parse(kind, &mut members) {
            Err(MessageError::UnknownType { .. }) => (),
            Ok(Amendment::Edit { content: None, .. }) => {
                return Err(MessageError::NotAString { member: "content" });
            }
            amendment => {
                let room = mem::take(&mut members.room).room();
                return amendment.map(|amendment| Self::Amend { amendment, room, id });
            }
        }
        match RoomRequest::parse(kind, &mut members) {
            Err(MessageError::UnknownType { .. }) => (),
            request => return request.map(|request| Self::Change { request, id }),
        }
        OperatorRequest::parse(kind, members).map(|request| Self::Operate { request, id })
    }

    fn parse_hello(members: Members<'a>) -> Result<Self, MessageError> {
        let proof = members.key.value().zip(members.signature.value());
        Ok(Self::Hello(Hello {
            username: members.username.required("username")?,
            protocol: members.protocol.number().unwrap_or(1),
            proof: proof.map(|(key, signature)| Proof { key, signature }),
            pair: members.pair.value(),
            invite: members.invite.value(),
            label: members.label.string().map(bounds::label),
            resume: members.resume.and_then(lenient),
        }))
    }

    /// Appends this message to `out` as one frame.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::ClientMessage;
    ///
    /// let mut out = Vec::new();
    /// ClientMessage::hello("Анна").encode(&mut out);
    /// assert_eq!(out, r#"38:{"type":"hello","username":"Анна"}"#.as_bytes());
    /// ```
    pub fn encode(&self, out: &mut Vec<u8>) {
        frame::encode(out, |out| write_json(self, out));
    }

    /// Returns the size of this message's payload, in bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::ClientMessage;
    ///
    /// assert_eq!(ClientMessage::text("\n").payload_bytes(), 30);
    /// ```
    pub fn payload_bytes(&self) -> usize {
        let mut payload = Vec::new();
        write_json(self, &mut payload);
        payload.len()
    }
}

// By reference, as serde asks for it.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_original(protocol: &u64) -> bool {
    *protocol == 1
}
