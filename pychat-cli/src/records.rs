//! The lines that `pychat-tail` prints: one JSON object each, or words for people.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use humantime::{format_rfc3339_millis, format_rfc3339_seconds};
use pychat_wire::{
    client::{Amended, Message, MessageId, RoomRecord},
    message::{Amendment, TIME_MS_MAX},
};
use serde::Serialize;

use crate::escape;

/// The beginning of a line of a text that is not its first.
const CONTINUED: &str = "\n    ";

/// The look of the lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Format {
    Plain,
    Json,
}

/// One line to print.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Record<'a> {
    Message(&'a Message),
    Amended(&'a Amended),
    Event(&'a RoomRecord),
    /// Numbers that are not to be had any more.
    Gap {
        from: u64,
        to: u64,
    },
    /// The room is not ours to read any more.
    Gone,
}

/// The members that every line begins with.
#[derive(Serialize)]
struct Head<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    room: &'a str,
    room_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    own: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

#[derive(Serialize)]
struct MessageLine<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited: Option<String>,
    deleted: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    reactions: BTreeMap<&'a str, &'a [String]>,
}

#[derive(Serialize)]
struct AmendedLine<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    target: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    emoji: Option<&'a str>,
}

#[derive(Serialize)]
struct EventLine<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
}

#[derive(Serialize)]
struct GapLine<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    from: u64,
    to: u64,
}

impl Record<'_> {
    /// Returns the line, its end included; `id` and `name` are those of its room.
    pub(crate) fn line(&self, format: Format, id: &str, name: &str) -> String {
        match format {
            Format::Json => escape::json(&self.json(id, name)) + "\n",
            Format::Plain => {
                let words = escape::plain(&self.words(name));
                words.trim_end().replace('\n', CONTINUED) + "\n"
            }
        }
    }

    fn json(&self, room: &str, room_name: &str) -> String {
        let head = self.head(room, room_name);
        let json = match self {
            Self::Message(message) => serde_json::to_string(&MessageLine {
                head,
                text: &message.state.content,
                reply: message.reply,
                edited: message.state.edited_ms.map(precise),
                deleted: message.state.is_deleted,
                reactions: reactions(message),
            }),
            Self::Amended(amended) => {
                let (text, emoji) = match &amended.amendment {
                    Amendment::Edit { content, .. } | Amendment::Restore { content, .. } => {
                        (content.as_deref(), None)
                    }
                    Amendment::React { emoji, .. } => (None, emoji.as_deref()),
                    Amendment::Delete { .. } => (None, None),
                };
                let target = amended.amendment.target();
                serde_json::to_string(&AmendedLine { head, target, text, emoji })
            }
            Self::Event(record) => {
                let (event, subject) = (record.event.name(), record.subject.as_deref());
                serde_json::to_string(&EventLine { head, event, subject })
            }
            Self::Gap { from, to } => {
                serde_json::to_string(&GapLine { head, from: *from, to: *to })
            }
            Self::Gone => serde_json::to_string(&head),
        };
        // Texts, numbers and maps whose keys are texts can always be written.
        json.unwrap_or_default()
    }

    fn head<'a>(&'a self, room: &'a str, room_name: &'a str) -> Head<'a> {
        let head = |kind| Head {
            kind,
            room,
            room_name,
            seq: None,
            time: None,
            author: None,
            own: None,
            id: None,
        };
        match self {
            Self::Message(message) => Head {
                seq: message.seq,
                time: message.time_ms.map(precise),
                author: Some(&message.author),
                own: Some(message.own),
                id: message.id.as_ref().map(MessageId::as_str),
                ..head("message")
            },
            Self::Amended(amended) => Head {
                seq: Some(amended.seq),
                time: Some(precise(amended.time_ms)),
                author: Some(&amended.author),
                own: Some(amended.own),
                id: amended.id.as_ref().map(MessageId::as_str),
                ..head(amended.amendment.kind())
            },
            Self::Event(record) => Head {
                seq: Some(record.seq),
                time: Some(precise(record.time_ms)),
                author: Some(&record.username),
                own: Some(record.own),
                id: record.id.as_deref(),
                ..head("event")
            },
            Self::Gap { .. } => head("gap"),
            Self::Gone => head("room_gone"),
        }
    }

    /// Returns the line for people.
    fn words(&self, room: &str) -> String {
        let place = |time_ms: Option<u64>, seq: Option<u64>| {
            let time = time_ms.map(|ms| format!("{} ", brief(ms))).unwrap_or_default();
            let number = seq.map(|seq| format!("#{seq}"));
            let parts = [(!room.is_empty()).then(|| one_line(room)), number];
            let parts: Vec<_> = parts.into_iter().flatten().collect();
            if parts.is_empty() { time } else { format!("{time}[{}] ", parts.join(" ")) }
        };
        match self {
            Self::Message(message) => {
                let reply = message.reply.map(|seq| format!(" (to #{seq})")).unwrap_or_default();
                let state = &message.state;
                let text = if state.is_deleted { "(deleted)" } else { &state.content };
                let place = place(message.time_ms, message.seq);
                format!("{place}{}{reply}: {text}", one_line(&message.author))
            }
            Self::Amended(Amended { author, time_ms, seq, amendment, .. }) => {
                let (place, target) = (place(Some(*time_ms), Some(*seq)), amendment.target());
                let did = match amendment {
                    Amendment::Edit { content, .. } => {
                        format!("edited #{target}: {}", content.as_deref().unwrap_or("(known)"))
                    }
                    Amendment::Delete { .. } => format!("deleted #{target}"),
                    Amendment::Restore { .. } => format!("brought back #{target}"),
                    Amendment::React { emoji: Some(emoji), .. } => {
                        format!("reacted to #{target}: {}", one_line(emoji))
                    }
                    Amendment::React { emoji: None, .. } => {
                        format!("took back the reaction to #{target}")
                    }
                };
                format!("{place}{} {did}", one_line(author))
            }
            Self::Event(record) => {
                let subject = record.subject.as_deref().map(one_line);
                let subject = subject.map(|subject| format!(": {subject}")).unwrap_or_default();
                let place = place(Some(record.time_ms), Some(record.seq));
                format!("{place}{} {}{subject}", one_line(&record.username), record.event.name())
            }
            Self::Gap { from, to } => {
                format!("{}#{from} to #{to} are not kept any more", place(None, None))
            }
            Self::Gone => format!("{}not in this room any more", place(None, None)),
        }
    }
}

fn reactions(message: &Message) -> BTreeMap<&str, &[String]> {
    let reactions = message.state.reactions.iter();
    reactions.map(|(emoji, names)| (emoji.as_str(), names.as_slice())).collect()
}

/// Returns a name as it may stand within a line.
fn one_line(name: &str) -> String {
    name.replace(char::is_control, " ")
}

/// Returns a time with its milliseconds, in UTC (RFC 3339).
fn precise(ms: u64) -> String {
    format_rfc3339_millis(time(ms)).to_string()
}

/// Returns a time for people, in UTC.
fn brief(ms: u64) -> String {
    format_rfc3339_seconds(time(ms)).to_string().replacen('T', " ", 1)
}

fn time(ms: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(ms.min(TIME_MS_MAX))
}

#[cfg(test)]
mod tests;
