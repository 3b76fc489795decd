//! Times as people read them, in their own time zone. They come in as UTC milliseconds since 1970.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use gtk::glib::{DateTime, GString, TimeZone};

use crate::i18n::gettext;

/// The last moment that can be told: the end of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

/// How long the time zone is believed to be what it was. It is read from files, and in a flood each
/// message asks for it; people may travel.
const ZONE_TIME: Duration = Duration::from_secs(1);

thread_local! {
    static ZONE: RefCell<Option<(Instant, TimeZone)>> = const { RefCell::new(None) };
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
    // Translators: the time of day of a message; see `man strftime`.
    spell(time_ms, &gettext("%H:%M"))
}

/// Returns the time of day, with the date unless that is today.
pub fn moment(time_ms: i64, now_ms: i64) -> GString {
    if day(time_ms) == day(now_ms) {
        return clock(time_ms);
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
