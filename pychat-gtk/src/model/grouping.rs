//! The placement of messages below one another: the beginnings of days, and of groups by one
//! author.
//!
//! Each message is placed by the one before it alone, so a change in the middle of ten thousand
//! concerns two of them.

use std::time::Duration;

use crate::text::times::{self, Day};

/// The time between two messages of one author below which they form a group, in which the author
/// is named once.
pub const GROUP_TIME: Duration = Duration::from_mins(5);

/// The placement of a message below the one before it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Placement {
    /// It is the first of its day.
    pub begins_day: bool,
    /// It is the first that its reader has not seen.
    pub begins_unread: bool,
    /// It begins a group of messages; if somebody else said them, their author is named above it.
    pub begins_group: bool,
}

/// The properties of a message that decide its placement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct GroupKey<'a> {
    /// The author; `None` if it is the chat itself.
    pub(super) author: Option<&'a str>,
    /// True if the author is the reader.
    pub(super) is_own: bool,
    /// The time, in UTC milliseconds since 1970.
    pub(super) time_ms: i64,
}

/// Places a message below the one before it, if there is one. `is_unread` is true for the first
/// that the reader has not seen.
pub(super) fn placement(
    group_key: GroupKey<'_>,
    before: Option<GroupKey<'_>>,
    is_unread: bool,
) -> Placement {
    let begins_day = before.is_none_or(|before| day(before) != day(group_key));
    let goes_on = before.is_some_and(|before| {
        let is_same = group_key.author.is_some()
            && (group_key.author, group_key.is_own) == (before.author, before.is_own);
        let between = group_key.time_ms.abs_diff(before.time_ms);
        is_same && u128::from(between) < GROUP_TIME.as_millis()
    });
    let begins_group = begins_day || is_unread || !goes_on;
    Placement { begins_day, begins_unread: is_unread, begins_group }
}

fn day(group_key: GroupKey<'_>) -> Day {
    times::day(group_key.time_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    /// Noon of some day, wherever the test runs.
    fn noon() -> i64 {
        let noon = gtk::glib::DateTime::from_local(2026, 11, 25, 12, 0, 0.0);
        noon.expect("there is one").to_unix() * 1_000
    }

    /// Returns what somebody says so many minutes after noon; the reader's name ends with `!`.
    fn group_key((name, minutes): (&str, i64)) -> GroupKey<'_> {
        let author = Some(name.trim_end_matches('!')).filter(|name| !name.is_empty());
        GroupKey { author, is_own: name.ends_with('!'), time_ms: noon() + minutes * MINUTE }
    }

    /// Returns what begins at each of these, as letters: a day, unread messages, a group.
    fn placed(group_keys: &[(&str, i64)], unread: Option<usize>) -> Vec<String> {
        let place_nth = |n: usize| {
            let before = n.checked_sub(1).map(|n| group_key(group_keys[n]));
            let it = placement(group_key(group_keys[n]), before, unread == Some(n));
            let marks = [(it.begins_day, 'd'), (it.begins_unread, 'u'), (it.begins_group, 'g')];
            marks.into_iter().filter(|(is_set, _)| *is_set).map(|(_, mark)| mark).collect()
        };
        (0..group_keys.len()).map(place_nth).collect()
    }

    #[test]
    fn who_goes_on_speaking_is_named_once() {
        for (group_keys, expected) in [
            (&[("A", 0), ("A", 1), ("A", 5)][..], &["dg", "", ""][..]),
            (&[("A", 0), ("A", 5)], &["dg", "g"]),
            (&[("A", 0), ("B", 0), ("A", 0)], &["dg", "g", "g"]),
            (&[("A", 0), ("", 0), ("A", 0)], &["dg", "g", "g"]),
            (&[("", 0), ("", 0)], &["dg", "g"]),
            // Somebody else may have the reader's name, in another protocol or life.
            (&[("A", 0), ("A!", 0), ("A!", 1)], &["dg", "g", ""]),
            // What is still on its way bears the clock of this machine.
            (&[("A", 3), ("A", 0)], &["dg", ""]),
        ] {
            assert_eq!(placed(group_keys, None), expected, "{group_keys:?}");
        }
    }

    #[test]
    fn each_day_begins_once_and_with_a_name() {
        let day = 24 * 60;
        let group_keys = [("A", 0), ("A", day), ("A", day + 1), ("", 3 * day), ("A", 3 * day)];
        assert_eq!(placed(&group_keys, None), ["dg", "dg", "", "dg", "g"]);
        let midnight = [("A", 12 * 60 - 1), ("A", 12 * 60)];
        assert_eq!(placed(&midnight, None), ["dg", "dg"]);
    }

    #[test]
    fn what_is_unread_begins_with_a_name() {
        assert_eq!(placed(&[("A", 0), ("A", 0), ("A", 0)], Some(1)), ["dg", "ug", ""]);
    }
}
