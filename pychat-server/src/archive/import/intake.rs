//! The part of a source that is taken in: its channels and their lines, each held to the bounds of a server.

use std::{borrow::Cow, collections::HashMap};

use pychat_wire::{
    UserName,
    message::{CONTENT_BYTES_MAX, EMOJI_MAX, REACTIONS_MAX, TIME_MS_MAX, is_emoji},
};

use super::{super::ArchiveError, stage::Stage};
use crate::{
    archive::{format::Line, progress::Progress},
    store::sqlite::Reserve,
};

/// The most lines that cannot be read of which each is told.
const BAD_TOLD_MAX: u64 = 20;

/// The author of a line that names none.
const SOMEBODY: &str = "Unknown";

/// A channel of a source.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub(super) name: String,
    pub(super) topic: String,
    /// Only some people could read it.
    pub(super) is_private: bool,
}

/// The channels that were asked for, and their lines.
#[derive(Debug)]
pub(super) struct Intake {
    pub(super) stage: Stage,
    pub(super) channels: Vec<Channel>,
    /// The number of lines that were left out.
    pub(super) n_bad: u64,
    /// The number of channels that only some people could read and that were left out.
    pub(super) n_private: u64,
    /// The number of reactions that were left out: their emoji are of that server alone, or too many.
    pub(super) n_reactions: usize,
    is_lenient: bool,
    /// The name of the one channel that is asked for.
    wanted: Option<String>,
    /// The people are named who may read what only some could.
    has_members: bool,
    /// Names of authors, each as it may stand here.
    names: HashMap<String, String>,
}

impl Intake {
    pub(super) fn new(
        is_lenient: bool,
        wanted: Option<String>,
        has_members: bool,
        reserve: Reserve,
    ) -> Result<Self, ArchiveError> {
        let (stage, names) = (Stage::new(reserve)?, HashMap::new());
        Ok(Self {
            stage,
            channels: Vec::new(),
            n_bad: 0,
            n_private: 0,
            n_reactions: 0,
            is_lenient,
            wanted,
            has_members,
            names,
        })
    }

    /// Takes in a channel, if it is asked for; returns its place.
    ///
    /// # Errors
    ///
    /// It was asked for by its name and is for some people only, and nobody said for whom it is here.
    pub(super) fn open(&mut self, channel: Channel) -> Result<Option<usize>, ArchiveError> {
        let is_wanted = self.wanted.as_ref().is_none_or(|wanted| *wanted == channel.name);
        let is_closed = channel.is_private && !self.has_members;
        if !is_wanted {
            return Ok(None);
        }
        if is_closed && self.wanted.is_some() {
            return Err(closed(&channel.name));
        }
        if is_closed {
            self.n_private += 1;
            return Ok(None);
        }
        self.channels.push(channel);
        Ok(Some(self.channels.len() - 1))
    }

    /// Takes in a line of a channel, from a `place` in the source.
    pub(super) fn put(
        &mut self,
        place: &str,
        channel: usize,
        (reference, parent): (&str, Option<&str>),
        line: Line<'_>,
    ) -> Result<(), ArchiveError> {
        let sizes = [line.text.as_deref(), line.subject.as_deref()];
        if sizes.into_iter().flatten().any(|text| CONTENT_BYTES_MAX < text.len()) {
            return self.bad(place, "it is too long");
        }
        if TIME_MS_MAX < line.time_ms {
            return self.bad(place, "there is no such time");
        }
        let author = self.name(&line.author).to_owned().into();
        let reactions = self.reactions(line.reactions);
        let edited_ms = line.edited_ms.map(|edited_ms| edited_ms.min(TIME_MS_MAX));
        let line = Line { author, edited_ms, reactions, ..line };
        self.stage.put(channel, reference, parent, &line)
    }

    /// Notes a line that cannot be read.
    ///
    /// # Errors
    ///
    /// Such lines are not to be left out.
    pub(super) fn bad(&mut self, place: &str, why: &str) -> Result<(), ArchiveError> {
        if !self.is_lenient {
            let words = format!("{place}: {why}; --skip-bad leaves such lines out");
            return Err(ArchiveError::Refused(words));
        }
        self.n_bad += 1;
        if self.n_bad <= BAD_TOLD_MAX {
            Progress::warn(&format!("{place}: {why}; left out"));
        }
        Ok(())
    }

    /// Returns the name of an author as it may stand here: as it was, if that can be.
    fn name(&mut self, name: &str) -> &str {
        /// The most names that are remembered, so that each need not be looked at again.
        const NAMES_MAX: usize = 10_000;
        if NAMES_MAX <= self.names.len() {
            self.names.clear();
        }
        self.names.entry(name.to_owned()).or_insert_with(|| clean_name(name))
    }

    /// Returns reactions as there may be at one message.
    fn reactions<'a>(
        &mut self,
        reactions: Vec<(Cow<'a, str>, Vec<Cow<'a, str>>)>,
    ) -> Vec<(Cow<'a, str>, Vec<Cow<'a, str>>)> {
        let mut n_left = REACTIONS_MAX;
        let mut kept = Vec::new();
        for (emoji, mut names) in reactions {
            let is_known = is_emoji(&emoji) && kept.len() < EMOJI_MAX;
            let n_kept = if is_known { names.len().min(n_left) } else { 0 };
            self.n_reactions += names.len() - n_kept;
            n_left -= n_kept;
            names.truncate(n_kept);
            let names: Vec<_> =
                names.iter().map(|name| self.name(name).to_owned().into()).collect();
            if !names.is_empty() {
                kept.push((emoji, names));
            }
        }
        kept
    }
}

/// Returns the error of a channel that only some people could read.
fn closed(name: &str) -> ArchiveError {
    let words = format!("{name} is not open to all; say who is in it here: --member NAME");
    ArchiveError::Refused(words)
}

/// Returns a name that is one, and as much like this as can be.
fn clean_name(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|it| if it.is_alphanumeric() || "-_.'".contains(it) { it } else { ' ' })
        .take(24)
        .collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let names = [name, &plain, SOMEBODY].map(UserName::new);
    let name = names.into_iter().find_map(Result::ok);
    name.map_or_else(|| SOMEBODY.to_owned(), |name| name.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_as_it_was_if_it_can() {
        for (name, expected) in [
            ("Анна", "Анна"),
            ("", SOMEBODY),
            ("\u{202e}evil\n", "evil"),
            ("Вы", SOMEBODY),
            (&"a".repeat(99), &"a".repeat(24)),
        ] {
            assert_eq!(clean_name(name), expected, "{name:?}");
        }
    }
}
