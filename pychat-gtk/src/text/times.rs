//! Times as people read them, in their own time zone. They come in as UTC milliseconds since 1970.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use gtk::glib::{DateTime, GString, TimeSpan, TimeZone};

use crate::text::i18n::gettext;

/// The last moment that can be told: the end of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

/// The time for which the local time zone is cached. It is read from files, and in a flood each
/// message asks for it; people may travel.
const ZONE_TIME: Duration = Duration::from_secs(1);

thread_local! {
    static ZONE: RefCell<Option<(Instant, TimeZone)>> = const { RefCell::new(None) };
    static IS_12_HOUR: Cell<bool> = const { Cell::new(false) };
}

/// Everything but the time itself that decides how a time is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reading {
    today: Day,
    offset: TimeSpan,
    is_12_hour: bool,
}

/// Returns how times are told at `now_ms`.
pub fn reading(now_ms: i64) -> Reading {
    let offset = local(now_ms).map_or(TimeSpan(0), |now| now.utc_offset());
    Reading { today: day(now_ms), offset, is_12_hour: IS_12_HOUR.get() }
}

/// Takes in whether the desktop counts the hours to 12 or to 24.
pub fn set_12_hour(is_12_hour: bool) {
    IS_12_HOUR.set(is_12_hour);
}

/// Returns how long it is from `now_ms` until the next day begins.
pub fn until_midnight(now_ms: i64) -> Duration {
    let midnight = local(now_ms).and_then(|now| {
        let begin = DateTime::new(&zone(), now.year(), now.month(), now.day_of_month(), 0, 0, 0.0);
        begin.and_then(|begin| begin.add_days(1)).ok()
    });
    let midnight_ms = midnight.map_or(now_ms, |midnight| midnight.to_unix() * 1_000);
    // Not sooner than in a moment, whatever the zone makes of it.
    Duration::from_millis(midnight_ms.saturating_sub(now_ms).max(100).unsigned_abs())
}

/// A day, counted from a day long ago.
pub type Day = i32;

/// Returns the day of this time.
pub fn day(time_ms: i64) -> Day {
    let Some((year, month, day)) = local(time_ms).map(|time| time.ymd()) else { return 0 };
    // Thirteen months of 31 days are not a calendar, but they tell days apart, and in order.
    (year * 12 + month) * 31 + day
}

/// Returns the time of day.
pub fn clock(time_ms: i64) -> GString {
    if counts_to_12(time_ms) {
        // Translators: the time of day of a message, in hours up to 12; see `man strftime`.
        return spell(time_ms, &gettext("%-I:%M %p"));
    }
    // Translators: the time of day of a message; see `man strftime`.
    spell(time_ms, &gettext("%H:%M"))
}

/// Returns the time of day, with the date unless that is today.
pub fn moment(time_ms: i64, now_ms: i64) -> GString {
    if day(time_ms) == day(now_ms) {
        return clock(time_ms);
    }
    if counts_to_12(time_ms) {
        // Translators: date and time of a message of another day; see `man strftime`.
        return spell(time_ms, &gettext("%-d %b, %-I:%M %p"));
    }
    // Translators: date and time of a message of another day; see `man strftime`.
    spell(time_ms, &gettext("%-d %b, %H:%M"))
}

/// Returns date and time in figures.
pub fn stamp(time_ms: i64) -> GString {
    // Translators: date and time of a message that is copied; see `man strftime`.
    spell(time_ms, &gettext("%Y-%m-%d %H:%M"))
}

/// Returns date and time in full.
pub fn full(time_ms: i64) -> GString {
    if counts_to_12(time_ms) {
        // Translators: date and time in full; see `man strftime`.
        return spell(time_ms, &gettext("%A, %-d %B %Y, %-I:%M:%S %p"));
    }
    // Translators: date and time in full; see `man strftime`.
    spell(time_ms, &gettext("%A, %-d %B %Y, %H:%M:%S"))
}

/// Returns what the day of this time is called.
pub fn day_name(time_ms: i64, now_ms: i64) -> GString {
    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
    let (this, today) = (day(time_ms), day(now_ms));
    if this == today {
        return gettext("Today").into();
    }
    // Days are not all of the same length, and some begin late.
    if this < today && day(time_ms.saturating_add(DAY_MS)) == today {
        return gettext("Yesterday").into();
    }
    let year = |time_ms| local(time_ms).map(|time| time.year());
    if year(time_ms) == year(now_ms) {
        // Translators: a day of this year; see `man strftime`.
        spell(time_ms, &gettext("%A, %-d %B"))
    } else {
        // Translators: a day of another year; see `man strftime`.
        spell(time_ms, &gettext("%-d %B %Y"))
    }
}

/// Returns true if hours are to be counted to 12; where the language has no word for the halves of
/// a day, they are not.
fn counts_to_12(time_ms: i64) -> bool {
    IS_12_HOUR.get() && !spell(time_ms, "%p").is_empty()
}

fn spell(time_ms: i64, format: &str) -> GString {
    let spelled = local(time_ms).and_then(|time| time.format(format).ok());
    spelled.unwrap_or_default()
}

fn local(time_ms: i64) -> Option<DateTime> {
    let time = DateTime::from_unix_utc((time_ms / 1_000).clamp(0, LAST_SECOND));
    time.and_then(|time| time.to_timezone(&zone())).ok()
}

/// Returns the time zone, as it was at most [`ZONE_TIME`] ago.
fn zone() -> TimeZone {
    let now = Instant::now();
    ZONE.with_borrow_mut(|known| match known {
        Some((at, zone)) if now.duration_since(*at) < ZONE_TIME => zone.clone(),
        _ => known.insert((now, TimeZone::local())).1.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a time of a day in November, wherever the test runs.
    fn at(day: i32, hour: i32, minute: i32) -> i64 {
        let time = DateTime::from_local(2026, 11, day, hour, minute, 0.0);
        time.expect("there is one").to_unix() * 1_000
    }

    #[test]
    fn hours_are_counted_as_the_desktop_does() {
        assert_eq!(clock(at(25, 15, 4)), "15:04");
        set_12_hour(true);
        assert_eq!(clock(at(25, 15, 4)), "3:04 PM");
        assert_eq!(clock(at(25, 0, 4)), "12:04 AM");
        assert!(moment(at(25, 15, 4), at(26, 0, 0)).ends_with("3:04 PM"));
        set_12_hour(false);
        assert_eq!(moment(at(25, 15, 4), at(25, 23, 0)), "15:04");
    }

    #[test]
    fn times_read_otherwise_from_midnight_on() {
        assert_eq!(until_midnight(at(25, 23, 59)), Duration::from_mins(1));
        assert_eq!(until_midnight(at(25, 0, 0)), Duration::from_hours(24));
        assert_eq!(reading(at(25, 0, 0)), reading(at(25, 23, 59)));
        assert_ne!(reading(at(25, 23, 59)), reading(at(26, 0, 0)));
        set_12_hour(true);
        let other = reading(at(25, 0, 0));
        set_12_hour(false);
        assert_ne!(reading(at(25, 0, 0)), other);
    }
}
