//! Comings and goings, in words.

use super::{Presence, PresenceChange, PresenceEvent};
use crate::text::{
    i18n::{gettext_f, ngettext_f},
    names::{isolated, listed},
    times,
};

/// The most comings and goings that are told each by themselves.
const EVENTS_TOLD_MAX: usize = 2;

/// The most people who are named where many came or went.
const NAMES_TOLD_MAX: usize = 3;

/// Returns who came and went: each by themselves if they are few, or else what has changed.
pub(super) fn sentence(presence: &Presence) -> String {
    let events = presence.events();
    if events.len() <= EVENTS_TOLD_MAX {
        return events.iter().map(event).collect::<Vec<_>>().join("\n");
    }
    let summary = presence.summary();
    let passing = (0 < summary.n_passing).then(|| {
        ngettext_f(
            "{count} person came and left.",
            "{count} people came and left.",
            summary.n_passing,
            &[],
        )
    });
    let sentences = [joined(&summary.joined), left(&summary.left), passing];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Returns each of them by itself, with its time, where [`sentence`] sums them up; empty otherwise.
pub(super) fn details(presence: &Presence) -> String {
    let events = presence.events();
    if events.len() <= EVENTS_TOLD_MAX {
        return String::new();
    }
    let dated = |it: &PresenceEvent| format!("{} {}", times::clock(it.time_ms), event(it));
    events.iter().map(dated).collect::<Vec<_>>().join("\n")
}

/// Returns that somebody came or went, and why where it was not by their own wish.
fn event(event: &PresenceEvent) -> String {
    let name = isolated(&event.name);
    let values = [("name", name.as_str())];
    match event.change {
        PresenceChange::Joined => gettext_f("{name} joined the chat.", &values),
        PresenceChange::Left => gettext_f("{name} left the chat.", &values),
        PresenceChange::Lost => gettext_f("{name} lost the connection.", &values),
    }
}

fn joined(names: &[&str]) -> Option<String> {
    Some(match list(names)? {
        List::One(name) => gettext_f("{name} joined the chat.", &[("name", &name)]),
        List::All(names) => gettext_f("{names} joined the chat.", &[("names", &names)]),
        List::First(names, n_others) => ngettext_f(
            "{names} and {count} other joined the chat.",
            "{names} and {count} others joined the chat.",
            n_others,
            &[("names", &names)],
        ),
    })
}

fn left(names: &[&str]) -> Option<String> {
    Some(match list(names)? {
        List::One(name) => gettext_f("{name} left the chat.", &[("name", &name)]),
        List::All(names) => gettext_f("{names} left the chat.", &[("names", &names)]),
        List::First(names, n_others) => ngettext_f(
            "{names} and {count} other left the chat.",
            "{names} and {count} others left the chat.",
            n_others,
            &[("names", &names)],
        ),
    })
}

/// Some people, as far as they are named.
enum List {
    /// There is only one.
    One(String),
    /// All of several.
    All(String),
    /// The first of many, and how many others there are.
    First(String, usize),
}

/// Names them if they are few, the first of them if they are many; `None` if there is nobody.
fn list(names: &[&str]) -> Option<List> {
    if NAMES_TOLD_MAX < names.len() {
        let (told, others) = names.split_at(NAMES_TOLD_MAX - 1);
        return Some(List::First(listed(told), others.len()));
    }
    let (last, before) = names.split_last()?;
    if before.is_empty() {
        return Some(List::One(isolated(last)));
    }
    let (before, last) = (listed(before), isolated(last));
    // Translators: the end of a list of names, as in “Anna, Boris and Vera”.
    Some(List::All(gettext_f("{names} and {last}", &[("names", &before), ("last", &last)])))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns `sentence` without what isolates the names in it.
    fn plain(sentence: &str) -> String {
        sentence.replace(['\u{2068}', '\u{2069}'], "")
    }

    #[test]
    fn a_name_moves_nothing_around_it() {
        let event =
            PresenceEvent { name: "שרה".to_owned(), change: PresenceChange::Joined, time_ms: 0 };
        assert_eq!(super::event(&event), "\u{2068}שרה\u{2069} joined the chat.");
    }

    #[test]
    fn many_who_come_and_go_are_one_sentence() {
        let said = |story: &str| {
            let events = story.split(' ').map(|it| {
                let change =
                    if it.starts_with('+') { PresenceChange::Joined } else { PresenceChange::Left };
                PresenceEvent { name: it[1..].to_owned(), change, time_ms: 0 }
            });
            sentence(&events.collect())
        };
        for (story, expected) in [
            ("+A", "A joined the chat."),
            ("+A -A", "A joined the chat.\nA left the chat."),
            ("+A +B +C", "A, B and C joined the chat."),
            ("+A +B +C +D", "A, B and 2 others joined the chat."),
            ("+A +B -C", "A and B joined the chat. C left the chat."),
            ("+A -A +B -B", "2 people came and left."),
            ("-A -B -C -D +E", "E joined the chat. A, B and 2 others left the chat."),
        ] {
            assert_eq!(plain(&said(story)), expected);
        }
    }
}
