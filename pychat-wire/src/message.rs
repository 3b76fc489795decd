//! What a payload says: [`ClientMessage`] and [`ServerMessage`], to and from JSON.
//!
//! Reading borrows from the payload where it can. It forgives what the original forgives: keys in
//! any order, keys that nobody knows, the same key twice (the last one counts).

use std::{borrow::Cow, fmt, str::Utf8Error};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::error::Category;
use thiserror::Error;

use crate::{frame, name, notice::Notice};

/// How many characters of an unknown type are repeated to whoever sent it.
const TYPE_CHARS_SHOWN: usize = 32;

/// Why a whole payload means nothing.
///
/// The stream itself is sound: the connection stays open.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum MessageError {
    /// The payload is not text.
    #[error("the payload is not UTF-8: byte {} is wrong", .0.valid_up_to())]
    NotUtf8(#[from] Utf8Error),

    /// The payload is text, but not JSON.
    #[error("the payload is not JSON: {reason}")]
    NotJson {
        /// What the JSON parser says, with line and column. It repeats nothing of the payload.
        reason: String,
    },

    /// The payload is JSON, but not an object.
    #[error("the payload is not a JSON object")]
    NotAnObject,

    /// The object does not say what it is.
    #[error("the payload has no \"type\"")]
    NoType,

    /// The object is of a type that this side does not know.
    #[error("nobody here knows the type {name:?}")]
    UnknownType {
        /// The type's name, shortened.
        name: String,
    },

    /// A member that this type needs is missing, or no string.
    #[error("\"{member}\" should be a string")]
    NotAString {
        /// The member's name.
        member: &'static str,
    },
}

/// What a client says.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ClientMessage<'a> {
    /// It wants to join.
    Hello {
        /// Under which name; not yet checked.
        username: Cow<'a, str>,
    },
    /// It says something to everybody.
    Text {
        /// What.
        content: Cow<'a, str>,
    },
}

impl<'a> ClientMessage<'a> {
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
    /// assert_eq!(message, ClientMessage::Text { content: "hi".into() });
    /// # Ok::<(), pychat_wire::MessageError>(())
    /// ```
    pub fn parse(payload: &'a [u8]) -> Result<Self, MessageError> {
        let members = Members::parse(payload)?;
        match members.kind()? {
            "hello" => Ok(Self::Hello { username: required("username", members.username)? }),
            // The original says nothing at length when there is nothing to say.
            "text" if members.content.is_none() => Ok(Self::Text { content: "".into() }),
            "text" => Ok(Self::Text { content: required("content", members.content)? }),
            kind => Err(unknown(kind)),
        }
    }

    /// Appends this message to `out` as one frame.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::ClientMessage;
    ///
    /// let mut out = Vec::new();
    /// ClientMessage::Hello { username: "Анна".into() }.encode(&mut out);
    /// assert_eq!(out, r#"38:{"type":"hello","username":"Анна"}"#.as_bytes());
    /// ```
    pub fn encode(&self, out: &mut Vec<u8>) {
        encode(self, out);
    }

    /// Returns how large this message's payload is, in bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::ClientMessage;
    ///
    /// assert_eq!(ClientMessage::Text { content: "\n".into() }.payload_bytes(), 30);
    /// ```
    pub fn payload_bytes(&self) -> usize {
        let mut payload = Vec::new();
        write_json(self, &mut payload);
        payload.len()
    }
}

/// What a server says.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ServerMessage<'a> {
    /// Somebody said something; the server is somebody too.
    Message {
        /// Who; [`name::SERVER`] and [`name::YOU`] are nobody else.
        username: Cow<'a, str>,
        /// What.
        content: Cow<'a, str>,
    },
}

impl<'a> ServerMessage<'a> {
    /// Returns what the server itself has to say.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{ServerMessage, notice::Notice};
    ///
    /// let ServerMessage::Message { username, .. } = ServerMessage::notice(Notice::Greeting);
    /// assert_eq!(username, "Сервер Чата");
    /// ```
    pub fn notice(notice: Notice<'_>) -> Self {
        Self::Message { username: name::SERVER.into(), content: notice.to_string().into() }
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
            "message" => Ok(Self::Message {
                username: required("username", members.username)?,
                content: required("content", members.content)?,
            }),
            kind => Err(unknown(kind)),
        }
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
        encode(self, out);
    }
}

fn encode(message: &impl Serialize, out: &mut Vec<u8>) {
    frame::encode(out, |out| write_json(message, out));
}

fn write_json(message: &impl Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, message).expect("strings become JSON, and a Vec takes every write");
}

fn unknown(kind: &str) -> MessageError {
    MessageError::UnknownType { name: kind.chars().take(TYPE_CHARS_SHOWN).collect() }
}

fn required<'a>(
    member: &'static str,
    value: Option<Member<'a>>,
) -> Result<Cow<'a, str>, MessageError> {
    match value {
        Some(Member::String(value)) => Ok(value),
        Some(Member::Other) | None => Err(MessageError::NotAString { member }),
    }
}

/// The members that any message of either side has, before it is known which message it is.
#[derive(Default)]
struct Members<'a> {
    kind: Option<Member<'a>>,
    username: Option<Member<'a>>,
    content: Option<Member<'a>>,
}

/// A member's value; whether something else than a string may stand there is up to the message.
enum Member<'a> {
    String(Cow<'a, str>),
    Other,
}

impl<'a> Members<'a> {
    fn parse(payload: &'a [u8]) -> Result<Self, MessageError> {
        let text = str::from_utf8(payload)?;
        serde_json::from_str(text).map_err(|error| match error.classify() {
            Category::Data => MessageError::NotAnObject,
            _ => MessageError::NotJson { reason: error.to_string() },
        })
    }

    fn kind(&self) -> Result<&str, MessageError> {
        match &self.kind {
            Some(Member::String(kind)) => Ok(kind),
            Some(Member::Other) => Err(MessageError::NotAString { member: "type" }),
            None => Err(MessageError::NoType),
        }
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        while let Some(key) = map.next_key::<Member<'de>>()? {
            let place = match &key {
                Member::String(key) if key == "type" => &mut members.kind,
                Member::String(key) if key == "username" => &mut members.username,
                Member::String(key) if key == "content" => &mut members.content,
                Member::String(_) | Member::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *place = Some(map.next_value()?);
        }
        Ok(members)
    }
}

impl<'de> Deserialize<'de> for Member<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MemberVisitor)
    }
}

struct MemberVisitor;

impl<'de> Visitor<'de> for MemberVisitor {
    type Value = Member<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Member::String(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Member::String(value.to_owned().into()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Member::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Member::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Member::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Member::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Member::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Member::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Member::Other)
    }
}

#[cfg(test)]
mod tests;
