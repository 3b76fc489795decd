//! An export of Slack: a zip archive with lists of people and channels, and a folder for each channel
//! with a list of messages for each day.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    io::{Read, Seek},
};

use pychat_wire::message::RoomEvent;
use serde::Deserialize;
use serde_json::Value;
use zip::ZipArchive;

use super::{
    super::{ArchiveError, format::Line},
    intake::{Channel, Intake},
    json::elements,
    own::unreadable,
    text::{emoji, with_emoji},
};
use crate::archive::progress::Progress;

const CHANNELS: &str = "channels.json";
const PRIVATE_CHANNELS: &str = "groups.json";

/// The lists of people; that of a part of a large organisation has another name.
const PEOPLE: [&str; 2] = ["users.json", "org_users.json"];

/// A message, as far as it is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    /// Its time and name: seconds, a point, and a number.
    ts: String,
    subtype: String,
    user: String,
    /// The name of a program that spoke.
    username: String,
    text: String,
    thread_ts: String,
    edited: Option<Edited>,
    reactions: Vec<Reaction>,
    topic: String,
    files: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Edited {
    ts: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reaction {
    name: String,
    users: Vec<String>,
}

/// Names by the ids that messages have for them.
#[derive(Debug, Default)]
struct Names {
    people: HashMap<String, String>,
    channels: HashMap<String, String>,
}

/// Returns the beginning of the names of all files of an export, if an archive is one.
pub(super) fn prefix<R: Read + Seek>(archive: &ZipArchive<R>) -> Option<String> {
    archive.file_names().flatten().find_map(|name| {
        let prefix = name.strip_suffix(CHANNELS)?;
        (prefix.is_empty() || prefix.ends_with('/')).then(|| prefix.to_owned())
    })
}

/// Reads the channels that are asked for.
pub(super) fn read<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    intake: &mut Intake,
    progress: &mut Progress,
) -> Result<(), ArchiveError> {
    let prefix = prefix(archive).ok_or_else(|| {
        unreadable(format!("there is no {CHANNELS} in it, so it is not of Slack"))
    })?;
    let mut names = Names::default();
    for file in PEOPLE {
        list(archive, &format!("{prefix}{file}"), &mut |person| {
            let id = word(&person, &["id"]);
            let shown = [&["profile", "display_name"][..], &["profile", "real_name"], &["name"]];
            let shown = shown.iter().map(|path| word(&person, path)).find(|it| !it.is_empty());
            names.people.insert(id.clone(), shown.unwrap_or(id));
        })?;
    }
    let mut channels = BTreeMap::new();
    for (file, is_private) in [(CHANNELS, false), (PRIVATE_CHANNELS, true)] {
        let mut all = Vec::new();
        list(archive, &format!("{prefix}{file}"), &mut |channel| {
            let name = word(&channel, &["name"]);
            names.channels.insert(word(&channel, &["id"]), name.clone());
            let topic = word(&channel, &["topic", "value"]);
            all.push(Channel { topic: plain(&topic, &names), name, is_private });
        })?;
        for channel in all {
            let folder = format!("{prefix}{}/", channel.name);
            if let Some(place) = intake.open(channel)? {
                channels.insert(folder, place);
            }
        }
    }
    // By name, so by day.
    let mut files: Vec<_> = archive.file_names().flatten().map(Cow::into_owned).collect();
    files.sort_unstable();
    let all = files.len() as u64;
    for (done, file) in (1..).zip(files) {
        progress.show("Reading", done, all);
        let Some(end) = file.rfind('/') else { continue };
        if let Some(channel) = channels.get(&file[..=end])
            && file.strip_suffix(".json").is_some()
        {
            read_day(archive, &file, *channel, &names, intake)?;
        }
    }
    Ok(())
}

/// Reads the messages of a day.
fn read_day<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    file: &str,
    channel: usize,
    names: &Names,
    intake: &mut Intake,
) -> Result<(), ArchiveError> {
    let entry = archive.by_name(file).map_err(unreadable)?;
    let mut outcome = Ok(());
    let read = elements(entry, &mut |number, message| {
        let place = format!("{file}, message {number}");
        outcome = match serde_json::from_value::<Message>(message) {
            Ok(message) => take(&place, channel, &message, names, intake),
            Err(error) => intake.bad(&place, &error.to_string()),
        };
        outcome.is_ok()
    });
    outcome?;
    read.or_else(|error| intake.bad(file, &error.to_string()))
}

/// Takes in a message, if there is anything to it.
fn take(
    place: &str,
    channel: usize,
    message: &Message,
    names: &Names,
    intake: &mut Intake,
) -> Result<(), ArchiveError> {
    let Some(time_ms) = milliseconds(&message.ts) else {
        return intake.bad(place, "it has no time");
    };
    let event = match &*message.subtype {
        "channel_join" | "group_join" => Some(RoomEvent::Joined),
        "channel_leave" | "group_leave" => Some(RoomEvent::Left),
        "channel_topic" | "group_topic" => Some(RoomEvent::Topic),
        // What else happened to the channel means nothing here.
        word if ["channel_", "group_"].iter().any(|it| word.starts_with(it)) => return Ok(()),
        _ => None,
    };
    let author = match names.people.get(&message.user) {
        Some(name) => name,
        None if message.username.is_empty() => &message.user,
        None => &message.username,
    };
    let is_deleted = message.subtype == "tombstone";
    let mut text = plain(&message.text, names);
    for file in &message.files {
        let name = word(file, &["name"]);
        if !name.is_empty() {
            text += if text.is_empty() { "" } else { "\n" };
            text.extend(["[", &name, "]"]);
        }
    }
    if event.is_none() && !is_deleted && text.trim().is_empty() {
        return Ok(());
    }
    let is_message = event.is_none() && !is_deleted;
    let subject = (event == Some(RoomEvent::Topic)).then(|| plain(&message.topic, names).into());
    let line = Line {
        number: 0,
        time_ms,
        author: author.as_str().into(),
        text: is_message.then_some(text.into()),
        deleted: is_deleted,
        reply: None,
        edited_ms: message.edited.as_ref().and_then(|edited| milliseconds(&edited.ts)),
        reactions: message.reactions.iter().map(|it| reaction(it, names)).collect(),
        event,
        subject,
    };
    let line =
        if is_message { line } else { Line { edited_ms: None, reactions: Vec::new(), ..line } };
    let thread = &*message.thread_ts;
    let is_answer = is_message && !thread.is_empty() && thread != message.ts;
    intake.put(place, channel, (&message.ts, is_answer.then_some(thread)), line)
}

/// Returns a reaction with its emoji, or with the name of one that is not known here.
fn reaction<'a>(reaction: &'a Reaction, names: &'a Names) -> (Cow<'a, str>, Vec<Cow<'a, str>>) {
    let name = |id: &'a String| names.people.get(id).unwrap_or(id).as_str().into();
    let emoji = emoji(&reaction.name).unwrap_or(&reaction.name);
    (emoji.into(), reaction.users.iter().map(name).collect())
}

/// Shows `each` element of a list, if there is such a file.
fn list<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    file: &str,
    each: &mut dyn FnMut(Value),
) -> Result<(), ArchiveError> {
    let Ok(entry) = archive.by_name(file) else { return Ok(()) };
    let read = elements(entry, &mut |_, value| {
        each(value);
        true
    });
    read.map_err(|error| unreadable(format!("{file}: {error}")))
}

/// Returns the text that stands in an object at this path; an empty one if there is none.
fn word(value: &Value, path: &[&str]) -> String {
    let found = path.iter().try_fold(value, |value, key| value.get(key));
    found.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Returns the milliseconds since 1970 of a time such as `1700000000.000200`.
fn milliseconds(ts: &str) -> Option<u64> {
    let (seconds, fraction) = ts.split_once('.').unwrap_or((ts, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.is_empty() || !is_number(seconds) || !is_number(fraction) {
        return None;
    }
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    seconds.parse::<u64>().ok()?.checked_mul(1_000)?.checked_add(fraction.parse().ok()?)
}

/// Returns a text without Slack's marks: mentions, channels and links as people read them.
fn plain(text: &str, names: &Names) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find('<') {
        let Some(end) = rest[begin..].find('>') else { break };
        out.push_str(&rest[..begin]);
        let mark = &rest[begin + 1..begin + end];
        let (target, label) = mark.split_once('|').unwrap_or((mark, ""));
        let known = |names: &HashMap<String, String>, id: &str| {
            let name = names.get(id).map_or(label, String::as_str);
            if name.is_empty() { id.to_owned() } else { name.to_owned() }
        };
        match target.split_at_checked(1).unwrap_or_default() {
            ("@", id) => out.extend(["@", &known(&names.people, id)]),
            ("#", id) => out.extend(["#", &known(&names.channels, id)]),
            ("!", word) if label.is_empty() => {
                out.extend(["@", word.split('^').next().unwrap_or_default()]);
            }
            ("!", _) => out.push_str(label),
            _ if label.is_empty() || target.ends_with(label) => out.push_str(target),
            _ => out.extend([label, " (", target, ")"]),
        }
        rest = &rest[begin + end + 1..];
    }
    out.push_str(rest);
    let out = out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    with_emoji(&out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_written_as_people_read_them() {
        let mut names = Names::default();
        names.people.insert("U1".to_owned(), "Анна".to_owned());
        names.channels.insert("C1".to_owned(), "чай".to_owned());
        for (text, expected) in [
            ("<@U1> in <#C1|tea>: <!here> <!subteam^S1|@all>", "@Анна in #чай: @here @all"),
            ("<@U2> <@U3|vera>", "@U2 @vera"),
            (
                "<https://a.b/c|here> <https://a.b> <mailto:x@y|x@y>",
                "here (https://a.b/c) https://a.b mailto:x@y",
            ),
            ("1 &lt; 2 &amp;amp; :+1:", "1 < 2 &amp; 👍"),
            ("a <b", "a <b"),
            ("<>", ""),
        ] {
            assert_eq!(plain(text, &names), expected);
        }
    }

    #[test]
    fn times_are_read_to_the_millisecond() {
        for (ts, expected) in [
            ("1700000000.000200", Some(1_700_000_000_000)),
            ("1700000000.123456", Some(1_700_000_000_123)),
            ("5", Some(5_000)),
            ("5.1", Some(5_100)),
            ("", None),
            ("-1.0", None),
            ("99999999999999999999.0", None),
            ("18446744073709551615.0", None),
        ] {
            assert_eq!(milliseconds(ts), expected, "{ts}");
        }
    }
}
