//! The members that a payload of either side may have, before it is known which message it is.
//!
//! Reading forgives what the original forgives: keys in any order, unknown keys, the same key twice
//! (the last one counts). The message decides what a member's value has to be.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{error::Category, value::RawValue};

use super::{HALL, MessageError, ROOM_ID_BYTES_MAX, TIME_MS_MAX, lossy::Lossy};

/// An id that no room has.
const NO_ROOM: &str = "?";

/// Declares which keys are known, and where their values are kept.
macro_rules! members {
    ($($name:ident = $key:literal),* $(,)?) => {
        /// The members of one payload.
        #[derive(Default)]
        pub(super) struct Members<'a> {
            $(pub(super) $name: Member<'a>,)*
            pub(super) resume: Option<&'a RawValue>,
            pub(super) limits: Option<&'a RawValue>,
            pub(super) listing: Option<&'a RawValue>,
            pub(super) devices: Option<&'a RawValue>,
            pub(super) bans: Option<&'a RawValue>,
            pub(super) mutes: Option<&'a RawValue>,
            pub(super) hosts: Option<&'a RawValue>,
            pub(super) servers: Option<&'a RawValue>,
            pub(super) invites: Option<&'a RawValue>,
            pub(super) with: Option<&'a RawValue>,
            pub(super) rooms: Option<&'a RawValue>,
            pub(super) reactions: Option<&'a RawValue>,
            pub(super) message: Option<&'a RawValue>,
        }

        impl<'a> Members<'a> {
            fn place(&mut self, key: &str) -> Option<&mut Member<'a>> {
                match key {
                    $($key => Some(&mut self.$name),)*
                    _ => None,
                }
            }
        }
    };
}

members! {
    kind = "type", username = "username", content = "content", id = "id", seq = "seq",
    time = "time", protocol = "protocol", key = "key", signature = "signature",
    pair = "pair", label = "label", server = "server", nonce = "nonce", expires_ms = "expires_ms",
    epoch = "epoch", dup = "dup",
    replay = "replay", from = "from", to = "to", before = "before", count = "count",
    start = "start", limit = "limit", reason = "reason", code = "code",
    text = "text", reference = "ref", retry_ms = "retry_ms", suggest = "suggest",
    ping_seconds = "ping_seconds", tls = "tls", admission = "admission",
    invite = "invite", uses = "uses", for_ms = "for_ms", pin = "pin",
    operator = "operator", seconds = "seconds", address = "address", verb = "verb",
    subject = "subject", by = "by", room = "room", room_kind = "kind", name = "name",
    topic = "topic", event = "event", mine = "mine", last = "last", read = "read", unread = "unread",
    target = "target", reply = "reply", emoji = "emoji", edited = "edited", deleted = "deleted",
    query = "query",
}

/// A member's value, as far as any message cares.
#[derive(Default)]
pub(super) enum Member<'a> {
    #[default]
    Missing,
    String(Cow<'a, str>),
    Number(u64),
    True,
    Other,
}

impl<'a> Member<'a> {
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    /// Returns the string; `None` if it is something else.
    pub(super) fn string(self) -> Option<Cow<'a, str>> {
        match self {
            Self::String(value) => Some(value),
            _ => None,
        }
    }

    /// Returns it, unless it is a string of more than `bytes_max` bytes, which counts as missing.
    pub(super) fn within(self, bytes_max: usize) -> Self {
        match self {
            Self::String(value) if bytes_max < value.len() => Self::Missing,
            other => other,
        }
    }

    /// Returns the id of a room: the hall's if it is missing, and one that no room has if it is no
    /// string, or too long.
    pub(super) fn room(self) -> Cow<'a, str> {
        match self {
            Self::Missing => HALL.into(),
            Self::String(value) if value.len() <= ROOM_ID_BYTES_MAX => value,
            _ => NO_ROOM.into(),
        }
    }

    /// Returns the number; `None` if it is something else, or negative, or no integer.
    pub(super) fn number(&self) -> Option<u64> {
        match self {
            Self::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns true if it is `true`.
    pub(super) fn is_true(&self) -> bool {
        matches!(self, Self::True)
    }

    /// Returns the string that `member` has to be.
    pub(super) fn required(self, member: &'static str) -> Result<Cow<'a, str>, MessageError> {
        self.string().ok_or(MessageError::NotAString { member })
    }

    /// Returns the string that `member` has to be, of at most `bytes_max` bytes.
    pub(super) fn required_within(
        self,
        member: &'static str,
        bytes_max: usize,
    ) -> Result<Cow<'a, str>, MessageError> {
        let text = self.required(member)?;
        if bytes_max < text.len() {
            return Err(MessageError::TooLong { member, bytes_max });
        }
        Ok(text)
    }

    /// Returns the string that `member` has to be, of at most `bytes_max` bytes, if it is there.
    pub(super) fn optional_within(
        self,
        member: &'static str,
        bytes_max: usize,
    ) -> Result<Option<Cow<'a, str>>, MessageError> {
        if self.is_missing() { Ok(None) } else { self.required_within(member, bytes_max).map(Some) }
    }

    /// Returns the value that a string stands for; `None` if it is something else.
    pub(super) fn value<T: FromStr>(self) -> Option<T> {
        self.string()?.parse().ok()
    }

    /// Returns the value that the string `member` has to stand for.
    pub(super) fn required_value<T: FromStr>(
        self,
        member: &'static str,
    ) -> Result<T, MessageError> {
        self.required(member)?.parse().map_err(|_| MessageError::NotEncoded { member })
    }

    /// Returns the time that it has to be, in milliseconds.
    pub(super) fn required_time(&self) -> Result<u64, MessageError> {
        self.required_number("time").map(|time| time.min(TIME_MS_MAX))
    }

    /// Returns the id of a room that `member` has to be.
    pub(super) fn required_room(self, member: &'static str) -> Result<Cow<'a, str>, MessageError> {
        self.within(ROOM_ID_BYTES_MAX).required(member)
    }

    /// Returns the number that `member` has to be if it is there.
    pub(super) fn optional_number(
        &self,
        member: &'static str,
    ) -> Result<Option<u64>, MessageError> {
        if self.is_missing() { Ok(None) } else { self.required_number(member).map(Some) }
    }

    /// Returns the number that `member` has to be.
    pub(super) fn required_number(&self, member: &'static str) -> Result<u64, MessageError> {
        self.number().ok_or(MessageError::NotANumber { member })
    }
}

impl<'a> Members<'a> {
    pub(super) fn parse(payload: &'a [u8]) -> Result<Self, MessageError> {
        let mut members = Self::default();
        let mut json = serde_json::Deserializer::from_str(str::from_utf8(payload)?);
        let read = json.deserialize_map(&mut members).and_then(|()| json.end());
        read.map_err(|error| match error.classify() {
            Category::Data => MessageError::NotAnObject,
            _ => MessageError::NotJson { reason: error.to_string() },
        })?;
        Ok(members)
    }

    pub(super) fn kind(&self) -> Result<&str, MessageError> {
        match &self.kind {
            Member::String(kind) => Ok(kind),
            Member::Missing => Err(MessageError::NoType),
            _ => Err(MessageError::NotAString { member: "type" }),
        }
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut members = Self::default();
        deserializer.deserialize_map(&mut members)?;
        Ok(members)
    }
}

/// Reads them to where they are: there are many, and copies of them would cost as much as reading.
impl<'de> Visitor<'de> for &mut Members<'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while let Some(Lossy(key)) = map.next_key()? {
            match (self.place(&key), &*key) {
                (Some(place), _) => *place = map.next_value()?,
                (None, "resume") => self.resume = Some(map.next_value()?),
                (None, "limits") => self.limits = Some(map.next_value()?),
                (None, "members") => self.listing = Some(map.next_value()?),
                (None, "devices") => self.devices = Some(map.next_value()?),
                (None, "bans") => self.bans = Some(map.next_value()?),
                (None, "mutes") => self.mutes = Some(map.next_value()?),
                (None, "hosts") => self.hosts = Some(map.next_value()?),
                (None, "servers") => self.servers = Some(map.next_value()?),
                (None, "invites") => self.invites = Some(map.next_value()?),
                (None, "with") => self.with = Some(map.next_value()?),
                (None, "rooms") => self.rooms = Some(map.next_value()?),
                (None, "reactions") => self.reactions = Some(map.next_value()?),
                (None, "message") => self.message = Some(map.next_value()?),
                (None, _) => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Member<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        Ok(match json.as_bytes() {
            [b'"', ..] => {
                let Lossy(value) = serde_json::from_str(json).map_err(D::Error::custom)?;
                Self::String(value)
            }
            [b'0'..=b'9', ..] => json.parse().map_or(Self::Other, Self::Number),
            b"true" => Self::True,
            _ => Self::Other,
        })
    }
}
