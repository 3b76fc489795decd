//! Messages of a server, read.

use std::borrow::Cow;

use super::{
    super::{
        Amendment, EPOCH_BYTES_MAX, EXPIRES_MS_MAX, FoundMessage, MESSAGE_ID_BYTES_MAX,
        MessageError, RETRY_MS_MAX, Room, RoomEvent, RoomKind, SEARCH_CURSOR_BYTES_MAX,
        TIME_MS_MAX, bounds, lenient, members::Members, unknown, word,
    },
    ErrorCode, Reason, ServerMessage,
};
use crate::name;

impl<'a> ServerMessage<'a> {
    /// Reads one payload. A member above its bound is cut, lowered, or counts as missing, as the
    /// constants of this module say; only a sentence of protocol 1 comes whole.
    ///
    /// # Errors
    ///
    /// [`MessageError`] if it is none of the messages above.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::ServerMessage;
    ///
    /// let payload = br#"{"type":"message","username":"\u0412\u044b","content":"hi"}"#;
    /// let message = ServerMessage::parse(payload)?;
    /// assert_eq!(message, ServerMessage::Message { username: "Вы".into(), content: "hi".into() });
    /// # Ok::<(), pychat_wire::MessageError>(())
    /// ```
    pub fn parse(payload: &'a [u8]) -> Result<Self, MessageError> {
        let members = Members::parse(payload)?;
        match members.kind()? {
            "message" => Self::parse_message(members),
            "welcome" => Ok(Self::Welcome {
                username: bounds::name(members.username.required("username")?),
                epoch: members.epoch.within(EPOCH_BYTES_MAX).required("epoch")?,
                time: members.time.required_time()?,
                operator: members.operator.is_true(),
                members: Cow::Owned(members.listing.and_then(lenient).unwrap_or_default()),
                rooms: members.rooms.and_then(lenient).unwrap_or_default(),
            }),
            "joined" => Ok(Self::Joined {
                username: bounds::name(members.username.required("username")?),
                time: members.time.required_time()?,
            }),
            "left" => Ok(Self::Left {
                username: bounds::name(members.username.required("username")?),
                time: members.time.required_time()?,
                reason: word(members.reason).unwrap_or(Reason::Unknown),
            }),
            "error" => Ok(Self::Error {
                code: word(members.code).unwrap_or(ErrorCode::Unknown),
                text: bounds::sentence(members.text.string().unwrap_or_default()),
                reference: members.reference.within(MESSAGE_ID_BYTES_MAX).string(),
                retry_ms: members.retry_ms.number().map(|ms| ms.min(RETRY_MS_MAX)),
                suggest: members.suggest.string().map(bounds::name),
            }),
            "notice" => Ok(Self::Notice { text: bounds::sentence(members.text.required("text")?) }),
            "ping" => Ok(Self::Ping),
            "pong" => Ok(Self::Pong),
            "bye" => Ok(Self::Bye {
                reason: word(members.reason).unwrap_or(Reason::Unknown),
                retry_ms: members.retry_ms.number().unwrap_or(0).min(RETRY_MS_MAX),
                servers: Cow::Owned(members.servers.and_then(lenient).unwrap_or_default()),
            }),
            kind => {
                let kind = kind.to_owned();
                Self::parse_of_room(&kind, members)
            }
        }
    }

    /// Reads what is said of rooms and in them.
    fn parse_of_room(kind: &str, members: Members<'a>) -> Result<Self, MessageError> {
        match kind {
            "room" => Ok(Self::Room(Room {
                room: members.room.required_room("room")?,
                kind: word(members.room_kind).unwrap_or(RoomKind::Unknown),
                name: bounds::label(members.name.string().unwrap_or_default()),
                topic: bounds::sentence(members.topic.string().unwrap_or_default()),
                with: members.with.and_then(lenient),
                mine: members.mine.is_true(),
                last: members.last.number().unwrap_or_default(),
                read: members.read.number().unwrap_or_default(),
                unread: members.unread.number().unwrap_or_default(),
            })),
            "room_gone" => Ok(Self::RoomGone { room: members.room.required_room("room")? }),
            "rooms" => {
                Ok(Self::Rooms { rooms: members.rooms.and_then(lenient).unwrap_or_default() })
            }
            "members" => Ok(Self::Members {
                room: members.room.room(),
                members: Cow::Owned(members.listing.and_then(lenient).unwrap_or_default()),
            }),
            "event" => Ok(Self::Event {
                room: members.room.room(),
                seq: members.seq.required_number("seq")?,
                time: members.time.required_time()?,
                username: bounds::name(members.username.required("username")?),
                event: word(members.event).unwrap_or(RoomEvent::Unknown),
                subject: members.subject.string().map(bounds::sentence),
                id: members.id.within(MESSAGE_ID_BYTES_MAX).string(),
                dup: members.dup.is_true(),
                replay: members.replay.is_true(),
            }),
            "read" => Ok(Self::Read {
                room: members.room.room(),
                seq: members.seq.required_number("seq")?,
            }),
            "typing" => Ok(Self::Typing {
                room: members.room.room(),
                username: bounds::name(members.username.required("username")?),
            }),
            "gap" => Ok(Self::Gap {
                room: members.room.room(),
                from: members.from.required_number("from")?,
                to: members.to.required_number("to")?,
            }),
            "skip" => Ok(Self::Skip {
                room: members.room.room(),
                from: members.from.required_number("from")?,
                to: members.to.required_number("to")?,
            }),
            "page" => Ok(Self::Page {
                room: members.room.room(),
                before: members.before.required_number("before")?,
                count: members.count.required_number("count")?,
                start: members.start.is_true(),
            }),
            "found" => Ok(Self::Found {
                reference: members.reference.required_within("ref", MESSAGE_ID_BYTES_MAX)?,
                message: FoundMessage::parse(members.message)?,
            }),
            "found_end" => Ok(Self::FoundEnd {
                reference: members.reference.required_within("ref", MESSAGE_ID_BYTES_MAX)?,
                before: members.before.within(SEARCH_CURSOR_BYTES_MAX).string(),
            }),
            kind => Self::parse_of_people(kind, members),
        }
    }

    /// Reads what is said of devices, invites and operators, and what is only known to be a record.
    fn parse_of_people(kind: &str, members: Members<'a>) -> Result<Self, MessageError> {
        match kind {
            "pair_code" => Ok(Self::PairCode {
                code: members.code.required_value("code")?,
                expires_ms: members.expires_ms.required_number("expires_ms")?.min(EXPIRES_MS_MAX),
            }),
            "device_added" => Ok(Self::DeviceAdded {
                key: members.key.required_value("key")?,
                label: bounds::label(members.label.string().unwrap_or_default()),
            }),
            "bots" => Ok(Self::Bots {
                members: Cow::Owned(members.listing.and_then(lenient).unwrap_or_default()),
            }),
            "devices" => {
                Ok(Self::Devices { devices: members.devices.and_then(lenient).unwrap_or_default() })
            }
            "invite_link" => Ok(Self::InviteLink {
                hosts: members.hosts.and_then(lenient).unwrap_or_default(),
                pin: members.pin.value(),
                code: members.code.value(),
                uses: members.uses.number(),
                expires_ms: members.expires_ms.number().map(|ms| ms.min(TIME_MS_MAX)),
            }),
            "invites" => {
                Ok(Self::Invites { invites: members.invites.and_then(lenient).unwrap_or_default() })
            }
            "operator" => Ok(Self::Operator { operator: members.operator.is_true() }),
            "done" => Ok(Self::Done {
                verb: bounds::label(members.verb.required("verb")?),
                by: bounds::label(members.by.string().unwrap_or_default()),
                subject: bounds::label(members.subject.string().unwrap_or_default()),
                text: bounds::sentence(members.text.string().unwrap_or_default()),
                id: members.id.within(MESSAGE_ID_BYTES_MAX).string(),
            }),
            "bans" => Ok(Self::Bans {
                bans: members.bans.and_then(lenient).unwrap_or_default(),
                mutes: members.mutes.and_then(lenient).unwrap_or_default(),
                seconds: members.seconds.number().unwrap_or_default(),
                admission: word(members.admission).unwrap_or_default(),
            }),
            kind => Self::parse_record(kind, members),
        }
    }

    /// Reads an amendment, or what is only known to be a record, as an amendment that lacks something is.
    fn parse_record(kind: &str, mut members: Members<'a>) -> Result<Self, MessageError> {
        let Some(seq) = members.seq.number() else { return Err(unknown(kind)) };
        let amendment = Amendment::parse(kind, &mut members);
        let (room, username) = (members.room.room(), members.username.string());
        Ok(match (amendment, members.time.number(), username) {
            (Ok(amendment), Some(time), Some(username)) => Self::Amended {
                amendment,
                room,
                seq,
                time: time.min(TIME_MS_MAX),
                username: bounds::name(username),
                id: members.id.within(MESSAGE_ID_BYTES_MAX).string(),
                dup: members.dup.is_true(),
                replay: members.replay.is_true(),
            },
            _ => Self::UnknownRecord { room, seq },
        })
    }

    /// Tells the three kinds of `message` apart, by the members that only one of them has.
    fn parse_message(members: Members<'a>) -> Result<Self, MessageError> {
        let username = bounds::name(members.username.required("username")?);
        let content = members.content.required("content")?;
        if let (Some(seq), Some(time)) = (members.seq.number(), members.time.number()) {
            let id = members.id.within(MESSAGE_ID_BYTES_MAX).string();
            let (time, content) = (time.min(TIME_MS_MAX), bounds::content(content));
            let (dup, replay) = (members.dup.is_true(), members.replay.is_true());
            let room = members.room.room();
            return Ok(Self::Record {
                room,
                seq,
                time,
                username,
                content,
                id,
                dup,
                replay,
                reply: members.reply.number(),
                edited: members.edited.number().map(|time| time.min(TIME_MS_MAX)),
                deleted: members.deleted.is_true(),
                reactions: members.reactions.and_then(lenient).unwrap_or_default(),
            });
        }
        if let Some(protocol) = members.protocol.number()
            && let Some(epoch) = members.epoch.within(EPOCH_BYTES_MAX).string()
            && let Some(nonce) = members.nonce.value()
            && let Some(limits) = members.limits.and_then(lenient)
            && let Some(ping_seconds) = members.ping_seconds.number()
        {
            let server = bounds::label(members.server.string().unwrap_or_default());
            let tls = members.tls.is_true();
            let admission = word(members.admission).unwrap_or_default();
            let servers = Cow::Owned(members.servers.and_then(lenient).unwrap_or_default());
            return Ok(Self::Greeting {
                username,
                content,
                protocol,
                server,
                epoch,
                nonce,
                tls,
                admission,
                servers,
                limits,
                ping_seconds,
            });
        }
        // A sentence of protocol 1 may list more people than a message has room for.
        let content = if username == name::SERVER { content } else { bounds::content(content) };
        Ok(Self::Message { username, content })
    }
}
