//! Sentences of the server's own in protocol 1, to be read by people and by clients.
//!
//! The texts are those of the original program, English and Russian mixed, to the letter. The
//! server writes them with [`Display`](fmt::Display), the client reads them with
//! [`Notice::parse`]; both keep them here so that they cannot drift apart.

use std::fmt;

use crate::message::ErrorCode;

const GREETING: &str = "Connection established. Waiting for your username...";
const STILL_WAITING: &str = "Still waiting for your username....";
const WELCOME: &str = "Добро пожаловать, ";
const ONLINE: &str = ". Участников онлайн в чате: ";
const JOINED: &str = " присоединился к чату.";
const LEFT: &str = " покинул чат.";
const STOPPING: &str = "Connection closed due to server is shutting down. Bye!\n";

/// The separator of names in a welcome. A name that a server of the original let in may hold it.
pub const NAME_SEPARATOR: &str = ", ";

/// The parts of the server's sentences that no name may hold, as it could be read as one of them.
pub(crate) const SENTENCE_PARTS: [&str; 6] =
    [JOINED, LEFT, WELCOME, ONLINE, "Waiting for your username", "Connection closed due to"];

/// The beginnings of the refusals that a client may meet before its hello, and their codes.
const REFUSALS: [(&str, ErrorCode); 3] = [
    ("The chat is full: ", ErrorCode::Full),
    ("Too many connections from your address: ", ErrorCode::Full),
    ("No username within ", ErrorCode::Timeout),
];

/// A sentence of the server's own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Notice<'a> {
    /// The first frame on every connection.
    Greeting,
    /// The answer to anything but a good hello before joining.
    StillWaiting,
    /// The reader has joined.
    Welcome {
        /// The name under which they joined.
        name: &'a str,
        /// The number of people who were there before.
        online: usize,
        /// Their names in join order, joined by `, `; empty if there were none.
        names: &'a str,
    },
    /// Somebody else has joined.
    Joined {
        /// Their name.
        name: &'a str,
    },
    /// Somebody else has left, for whatever cause.
    Left {
        /// Their name.
        name: &'a str,
    },
    /// The server is about to stop.
    Stopping,
    /// Anything else, in the server's words.
    Other(&'a str),
}

impl<'a> Notice<'a> {
    /// Recognizes the sentence; [`Notice::Other`] if it is none that the protocol knows.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::notice::Notice;
    ///
    /// assert_eq!(Notice::parse("Анна покинул чат."), Notice::Left { name: "Анна" });
    /// ```
    pub fn parse(content: &'a str) -> Self {
        match content {
            GREETING => return Self::Greeting,
            STILL_WAITING => return Self::StillWaiting,
            STOPPING => return Self::Stopping,
            _ => (),
        }
        if let Some(welcome) = content.strip_prefix(WELCOME).and_then(Self::parse_welcome) {
            return welcome;
        }
        if let Some(name) = content.strip_suffix(JOINED) {
            return Self::Joined { name };
        }
        if let Some(name) = content.strip_suffix(LEFT) {
            return Self::Left { name };
        }
        Self::Other(content)
    }

    /// Returns the code of a refusal that a client may meet before its hello, when the server does
    /// not know yet which protocol it speaks (PROTOCOL.md lists them); `None` for anything else.
    pub fn refusal(&self) -> Option<ErrorCode> {
        let Self::Other(content) = self else { return None };
        let known = REFUSALS.iter().find(|(begin, _)| content.starts_with(begin));
        known.map(|(_, code)| *code)
    }

    fn parse_welcome(rest: &'a str) -> Option<Self> {
        let (sentence, names) = rest.split_once('\n').unwrap_or((rest, ""));
        let (name, online) = sentence.rsplit_once(ONLINE)?;
        Some(Self::Welcome { name, online: online.parse().ok()?, names })
    }
}

impl fmt::Display for Notice<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Greeting => formatter.write_str(GREETING),
            Self::StillWaiting => formatter.write_str(STILL_WAITING),
            Self::Welcome { name, online, names } => {
                write!(formatter, "{WELCOME}{name}{ONLINE}{online}")?;
                if names.is_empty() { Ok(()) } else { write!(formatter, "\n{names}") }
            }
            Self::Joined { name } => write!(formatter, "{name}{JOINED}"),
            Self::Left { name } => write!(formatter, "{name}{LEFT}"),
            Self::Stopping => formatter.write_str(STOPPING),
            Self::Other(content) => formatter.write_str(content),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_at_the_door_are_known_by_their_beginnings() {
        for (content, expected) in [
            ("The chat is full: 10000 connections. Bye!\n", Some(ErrorCode::Full)),
            ("Too many connections from your address: 64. Bye!\n", Some(ErrorCode::Full)),
            ("No username within 20 seconds. Bye!\n", Some(ErrorCode::Timeout)),
            ("This name is taken.", None),
            (GREETING, None),
        ] {
            assert_eq!(Notice::parse(content).refusal(), expected, "{content:?}");
        }
    }

    #[test]
    fn notices_are_the_originals_to_the_letter_and_are_read_back() {
        for (notice, content) in [
            (Notice::Greeting, "Connection established. Waiting for your username..."),
            (Notice::StillWaiting, "Still waiting for your username...."),
            (
                Notice::Welcome { name: "Анна", online: 0, names: "" },
                "Добро пожаловать, Анна. Участников онлайн в чате: 0",
            ),
            (
                Notice::Welcome { name: "c1", online: 2, names: "a1, b1" },
                "Добро пожаловать, c1. Участников онлайн в чате: 2\na1, b1",
            ),
            (Notice::Joined { name: "Анна (2)" }, "Анна (2) присоединился к чату."),
            (Notice::Left { name: "Борис" }, "Борис покинул чат."),
            (Notice::Stopping, "Connection closed due to server is shutting down. Bye!\n"),
            (Notice::Other("16 in a row"), "16 in a row"),
        ] {
            assert_eq!(notice.to_string(), content);
            assert_eq!(Notice::parse(content), notice);
        }
    }

    #[test]
    fn what_only_begins_like_a_notice_is_shown_as_it_is() {
        for content in
            ["", "Добро пожаловать, Анна.", "Добро пожаловать, x. Участников онлайн в чате: ы"]
        {
            assert_eq!(Notice::parse(content), Notice::Other(content));
        }
    }
}
