//! Comings and goings without anything being said in between: one line, however many they are.

mod sentences;

use crate::text::times;

/// The most comings and goings that are one line.
pub const PASSAGES_MAX: usize = 200;

/// One coming or going of a person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Passage {
    /// The person's name.
    pub name: String,
    /// Its kind.
    pub turn: Turn,
    /// The time, in UTC milliseconds since 1970.
    pub time_ms: i64,
}

/// The kind of a [`Passage`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Turn {
    /// They came.
    Joined,
    /// They went.
    Left,
    /// They went, and not by their own wish.
    Lost,
}

/// Comings and goings, in their order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Presence(Vec<Passage>);

/// The changes that remain after a series of passages.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Summary<'a> {
    /// The people who came and are there.
    pub joined: Vec<&'a str>,
    /// The people who were there and went.
    pub left: Vec<&'a str>,
    /// The number of people who came and went again, or were away for a moment.
    pub n_passing: usize,
}

impl FromIterator<Passage> for Presence {
    fn from_iter<I: IntoIterator<Item = Passage>>(passages: I) -> Self {
        Self(passages.into_iter().collect())
    }
}

impl Presence {
    /// Returns all of them.
    pub fn passages(&self) -> &[Passage] {
        &self.0
    }

    /// Takes in what came after it, if both together are still one line; gives it back otherwise.
    pub(super) fn append(&mut self, after: Self) -> Result<(), Self> {
        let is_one_day = match (self.0.last(), after.0.first()) {
            (Some(last), Some(next)) => times::day(last.time_ms) == times::day(next.time_ms),
            _ => true,
        };
        if !is_one_day || PASSAGES_MAX < self.0.len() + after.0.len() {
            return Err(after);
        }
        self.0.extend(after.0);
        Ok(())
    }

    /// Returns who came and went, in words.
    pub fn sentence(&self) -> String {
        sentences::sentence(self)
    }

    /// Returns each of them by itself, with its time, where [`Self::sentence`] sums them up; empty
    /// otherwise.
    pub fn details(&self) -> String {
        sentences::details(self)
    }

    /// Returns what has changed, everybody named at the place where they were first met.
    pub fn summary(&self) -> Summary<'_> {
        let mut people: Vec<(&str, bool, bool)> = Vec::new();
        for Passage { name, turn, .. } in &self.0 {
            let is_there = *turn == Turn::Joined;
            match people.iter_mut().find(|(known, ..)| known == name) {
                Some((_, _, is_there_now)) => *is_there_now = is_there,
                None => people.push((name, !is_there, is_there)),
            }
        }
        let mut summary = Summary::default();
        for (name, was_there, is_there) in people {
            match (was_there, is_there) {
                (false, true) => summary.joined.push(name),
                (true, false) => summary.left.push(name),
                _ => summary.n_passing += 1,
            }
        }
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(name: &str, turn: Turn) -> Passage {
        Passage { name: name.to_owned(), turn, time_ms: 0 }
    }

    /// Reads `+A` as A's coming, `-A` as A's going and `!A` as A's being lost.
    fn presence(story: &str) -> Presence {
        let passages = story.split(' ').map(|it| {
            let turn = match &it[..1] {
                "+" => Turn::Joined,
                "-" => Turn::Left,
                _ => Turn::Lost,
            };
            passage(&it[1..], turn)
        });
        passages.collect()
    }

    #[test]
    fn a_summary_says_what_has_changed_after_all() {
        for (story, joined, left, n_passing) in [
            ("+A", &["A"][..], &[][..], 0),
            ("+A +B -C", &["A", "B"], &["C"], 0),
            ("+A -A", &[], &[], 1),
            ("!A +A", &[], &[], 1),
            ("+A -A +A !B", &["A"], &["B"], 0),
            ("+A -A -B +B +C", &["C"], &[], 2),
        ] {
            let presence = presence(story);
            let summary = presence.summary();
            assert_eq!(
                (&*summary.joined, &*summary.left, summary.n_passing),
                (joined, left, n_passing),
                "{story}"
            );
        }
    }

    #[test]
    fn a_line_takes_only_so_many_of_one_day() {
        let full = || Presence(vec![passage("A", Turn::Joined); PASSAGES_MAX]);
        let mut line = presence("+A -A");
        let mut tomorrow = presence("+B");
        tomorrow.0[0].time_ms += 2 * 24 * 60 * 60 * 1_000;
        assert_eq!(line.append(tomorrow.clone()), Err(tomorrow));
        assert_eq!(line.append(presence("+B")), Ok(()));
        assert_eq!(line, presence("+A -A +B"));
        assert_eq!(line.append(full()), Err(full()));
        assert_eq!(line.passages().len(), 3);
    }
}
