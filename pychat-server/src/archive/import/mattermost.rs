//! A bulk export of Mattermost: lines of JSON, in a zip archive or by themselves.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::{BufRead, BufReader, Read, Seek},
};

use serde::Deserialize;
use zip::ZipArchive;

use super::{
    super::{ArchiveError, format::Line},
    intake::{Channel, Intake},
    json::Lines,
    own::unreadable,
    text::{emoji, with_emoji},
};
use crate::archive::progress::Progress;

/// The version of the format that is read.
const VERSION: u64 = 1;

/// A line, as far as it is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Object {
    r#type: String,
    version: Option<u64>,
    channel: Option<ChannelObject>,
    post: Option<Post>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChannelObject {
    team: String,
    name: String,
    /// `O` for an open channel, `P` for one of some people.
    r#type: String,
    header: String,
}

/// A post or an answer to one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Post {
    team: String,
    channel: String,
    user: String,
    r#type: Option<String>,
    message: String,
    create_at: Option<u64>,
    edit_at: Option<u64>,
    reactions: Option<Vec<Reaction>>,
    replies: Option<Vec<Self>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reaction {
    user: String,
    emoji_name: String,
}

/// Reads the lines of the archive.
pub(super) fn read_archive<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    intake: &mut Intake,
    progress: &mut Progress,
) -> Result<(), ArchiveError> {
    let is_top = |name: &Cow<'_, str>| name.strip_suffix(".jsonl").is_some() && !name.contains('/');
    let name = archive.file_names().flatten().find(is_top).map(Cow::into_owned);
    let Some(name) = name else {
        return Err(unreadable("it is an archive of neither Slack nor Mattermost"));
    };
    let entry = archive.by_name(&name).map_err(unreadable)?;
    let size = entry.size();
    read(&mut Lines::new(BufReader::new(entry), size), intake, progress)
}

/// Reads the channels that are asked for.
pub(super) fn read(
    lines: &mut Lines<impl BufRead>,
    intake: &mut Intake,
    progress: &mut Progress,
) -> Result<(), ArchiveError> {
    let mut channels = HashMap::new();
    let (mut n_posts, mut is_first) = (0, true);
    while let Some(piece) = lines.next().map_err(unreadable)? {
        progress.show("Reading", piece.done, piece.all);
        let place = format!("line {}", piece.number);
        let object = serde_json::from_slice::<Object>(piece.bytes);
        if std::mem::take(&mut is_first) {
            let version = object.as_ref().ok().filter(|it| it.r#type == "version");
            match version.and_then(|it| it.version) {
                Some(VERSION) => continue,
                Some(version) => {
                    return Err(unreadable(format!(
                        "version {version} is not known, but {VERSION}"
                    )));
                }
                None => {
                    return Err(unreadable("line 1 tells no version, so it is not of Mattermost"));
                }
            }
        }
        match object {
            Ok(Object { channel: Some(channel), .. }) => {
                let ChannelObject { team, name, r#type, header } = channel;
                let key = (team, name.clone());
                let is_private = r#type != "O";
                if let Some(place) = intake.open(Channel { name, topic: header, is_private })? {
                    channels.insert(key, place);
                }
            }
            Ok(Object { post: Some(post), .. }) => {
                let key = (post.team.clone(), post.channel.clone());
                if let Some(channel) = channels.get(&key) {
                    take(&place, *channel, &post, &mut n_posts, intake)?;
                }
            }
            Ok(_) => (),
            Err(error) => intake.bad(&place, &error.to_string())?,
        }
    }
    if is_first { Err(unreadable("it is empty")) } else { Ok(()) }
}

/// Takes in a post and the answers to it.
fn take(
    place: &str,
    channel: usize,
    post: &Post,
    n_posts: &mut u64,
    intake: &mut Intake,
) -> Result<(), ArchiveError> {
    *n_posts += 1;
    let reference = n_posts.to_string();
    put(place, channel, (&reference, None), post, intake)?;
    for reply in post.replies.iter().flatten() {
        *n_posts += 1;
        put(place, channel, (&n_posts.to_string(), Some(&reference)), reply, intake)?;
    }
    Ok(())
}

fn put(
    place: &str,
    channel: usize,
    names: (&str, Option<&str>),
    post: &Post,
    intake: &mut Intake,
) -> Result<(), ArchiveError> {
    let is_of_system = post.r#type.as_ref().is_some_and(|it| it.starts_with("system_"));
    if is_of_system || post.message.trim().is_empty() {
        return Ok(());
    }
    let Some(time_ms) = post.create_at else {
        return intake.bad(place, "it has no time");
    };
    let mut reactions: Vec<(_, Vec<_>)> = Vec::new();
    for reaction in post.reactions.iter().flatten() {
        let emoji = emoji(&reaction.emoji_name).unwrap_or(&reaction.emoji_name);
        let user = reaction.user.as_str().into();
        match reactions.iter_mut().find(|(other, _)| *other == emoji) {
            Some((_, users)) => users.push(user),
            None => reactions.push((emoji.into(), vec![user])),
        }
    }
    let line = Line {
        number: 0,
        time_ms,
        author: post.user.as_str().into(),
        text: Some(with_emoji(&post.message).into()),
        deleted: false,
        reply: None,
        edited_ms: post.edit_at.filter(|edit_at| 0 < *edit_at),
        reactions,
        event: None,
        subject: None,
    };
    intake.put(place, channel, names, line)
}
