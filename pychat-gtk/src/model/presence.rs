//! Comings and goings without anything being said in between: one line, however many they are.

mod sentences;

use crate::text::times;

/// The most comings and goings that are one line.
pub const PRESENCE_EVENTS_MAX: usize = 200;

/// One coming or going of a person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PresenceEvent {
    /// The person's name.
    pub name: String,
    /// Its kind.
    pub change: PresenceChange,
    /// The time, in UTC milliseconds since 1970.
    pub time_ms: i64,
}

/// The kind of a [`PresenceEvent`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PresenceChange {
    /// They came.
    Joined,
    /// They went.
    Left,
    /// They went, and not by their own wish.
    Lost,
}

/// Comings and goings, in their order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Presence(Vec<PresenceEvent>);

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

impl FromIterator<PresenceEvent> for Presence {
    fn from_iter<I: IntoIterator<Item = PresenceEvent>>(events: I) -> Self {
        Self(events.into_iter().collect())
    }
}

impl Presence {
    /// Returns all of them.
    pub fn events(&self) -> &[PresenceEvent] {
        &self.0
    }

    /// Takes in what came after it, if both together are still one line; gives it back otherwise.
    pub(super) fn append(&mut self, after: Self) -> Result<(), Self> {
        let is_one_day = match (self.0.last(), after.0.first()) {
            (Some(last), Some(next)) => times::day(last.time_ms) == times::day(next.time_ms),
            _ => true,
        };
        if !is_one_day || PRESENCE_EVENTS_MAX < self.0.len() + after.0.len() {
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
        for PresenceEvent { name, change, .. } in &self.0 {
            let is_there = *change == PresenceChange::Joined;
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

    fn event(name: &str, change: PresenceChange) -> PresenceEvent {
        PresenceEvent { name: name.to_owned(), change, time_ms: 0 }
    }

    /// Reads `+A` as A's coming, `-A` as A's going and `!A` as A's being lost.
    fn presence(story: &str) -> Presence {
        let events = story.split(' ').map(|it| {
            let change = match &it[..1] {
                "+" => PresenceChange::Joined,
                "-" => PresenceChange::Left,
                _ => PresenceChange::Lost,
            };
            event(&it[1..], change)
        });
        events.collect()
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
        let full = || Presence(vec![event("A", PresenceChange::Joined); PRESENCE_EVENTS_MAX]);
        let mut line = presence("+A -A");
        let mut tomorrow = presence("+B");
        tomorrow.0[0].time_ms += 2 * 24 * 60 * 60 * 1_000;
        assert_eq!(line.append(tomorrow.clone()), Err(tomorrow));
        assert_eq!(line.append(presence("+B")), Ok(()));
        assert_eq!(line, presence("+A -A +B"));
        assert_eq!(line.append(full()), Err(full()));
        assert_eq!(line.events().len(), 3);
    }
}
