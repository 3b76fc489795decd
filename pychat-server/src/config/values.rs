//! Values as people write them: numbers, sizes, times, rates.

use std::{ops::RangeInclusive, time::Duration};

use pychat_wire::{
    link::{ADDRESS_BYTES_MAX, Address},
    message::LABEL_CHARS_MAX,
};
use thiserror::Error;

use crate::{
    core::{networks::NetworkError, rate_limit::RateLimit},
    net::{listen_address::ListenAddressError, reach::PublicAddressError},
    store::postgres::UriError,
};

/// The reason why a value cannot be used: what to write instead.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(super) enum ValueError {
    /// It is not a size within its bounds.
    #[error("write a size from {0} to {1}, such as 65536, 64KiB or 1MiB")]
    Size(String, String),
    /// It is a size in a unit that could mean two things.
    #[error("unknown unit; write {0} (1KiB is 1024 bytes, 1MiB is 1024KiB)")]
    Unit(String),
    /// It is not a time.
    #[error("write a number of seconds from 1 to 86400, such as 20 or 20s")]
    Time,
    /// It is not a rate.
    #[error("write BURST,PER_SECOND as two numbers above 0, such as 10,5, or off for no limit")]
    Rate,
    /// It is not one of a few words.
    #[error("write {}", .0.join(" or "))]
    Word(Vec<&'static str>),
    /// It is not a number within its bounds.
    #[error("write a number from {0} to {1}")]
    Number(usize, usize),
    /// It is not the name of a server.
    #[error("write a name of 1 to {LABEL_CHARS_MAX} visible characters")]
    Name,
    /// It is not a path.
    #[error("write the path of a folder")]
    Path,
    /// It is not UTF-8.
    #[error("not UTF-8 text")]
    NotText,
    /// It is not an address.
    #[error(transparent)]
    Address(#[from] ListenAddressError),
    /// It is not an address at which others can reach the server.
    #[error(transparent)]
    PublicAddress(#[from] PublicAddressError),
    /// It is not the address of a server, or one that clients would not take.
    #[error("write HOST or HOST:PORT, such as a.example.org or [2001:db8::1]:12345")]
    Server,
    /// It is not a database.
    #[error(transparent)]
    Database(#[from] UriError),
    /// It is not a network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// It is smaller than another value that it includes.
    #[error("should not be less than {0}, which is {1}")]
    LessThan(&'static str, String),
    /// It is larger than another value that includes it.
    #[error("should not be more than {0}, which is {1}; set that too")]
    MoreThan(&'static str, String),
}

/// The units of sizes, largest first.
const UNITS: [(&str, usize); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// The most seconds that a time may have: a day.
const SECONDS_MAX: usize = 86_400;

/// Reads a size in bytes: `65536`, `64KiB`, `1 MiB`.
pub(super) fn size(text: &str, bounds: &RangeInclusive<usize>) -> Result<usize, ValueError> {
    let words = |bytes: &usize| size_words(*bytes);
    let error = || ValueError::Size(words(bounds.start()), words(bounds.end()));
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let number = digits_only(digits).ok_or_else(error)?;
    let factor = match text[digits.len()..].trim_start() {
        "" | "B" => 1,
        unit => match UNITS.iter().find(|(name, _)| name.starts_with(unit) && unit.len() != 2) {
            Some((_, factor)) => *factor,
            None => return Err(meant(digits, unit).map_or_else(error, ValueError::Unit)),
        },
    };
    let bytes = number.checked_mul(factor).filter(|bytes| bounds.contains(bytes));
    bytes.ok_or_else(error)
}

/// Returns the size that was most likely meant by one in a unit that does not exist: `64KB`, `64k`.
fn meant(digits: &str, unit: &str) -> Option<String> {
    let unit = unit.to_ascii_uppercase();
    let is_meant = |(name, _): &&(&str, usize)| {
        unit == name[..1] || unit == format!("{}B", &name[..1]) || unit == name.to_uppercase()
    };
    UNITS.iter().find(is_meant).map(|(name, _)| format!("{digits}{name}"))
}

/// Returns a size as people write it.
pub(super) fn size_words(bytes: usize) -> String {
    match UNITS.iter().find(|(_, factor)| 0 < bytes && bytes.is_multiple_of(*factor)) {
        Some((name, factor)) => format!("{}{name}", bytes / factor),
        None => format!("{bytes} bytes"),
    }
}

/// Reads a time in seconds: `20`, `20s`.
pub(super) fn time(text: &str) -> Result<Duration, ValueError> {
    let seconds = digits_only(text.strip_suffix('s').unwrap_or(text));
    let seconds = seconds.filter(|seconds| (1..=SECONDS_MAX).contains(seconds));
    seconds.map(|seconds| Duration::from_secs(seconds as u64)).ok_or(ValueError::Time)
}

/// Reads how fast people may send: `10,5`, or `off`.
pub(super) fn rate(text: &str) -> Result<Option<RateLimit>, ValueError> {
    if text == "off" {
        return Ok(None);
    }
    let small = |text: &str| digits_only(text.trim()).and_then(|number| number.try_into().ok());
    let limit =
        text.split_once(',').and_then(|(burst, then)| RateLimit::new(small(burst)?, small(then)?));
    limit.map(Some).ok_or(ValueError::Rate)
}

/// Reads a number within `bounds`.
pub(super) fn number(text: &str, bounds: &RangeInclusive<usize>) -> Result<usize, ValueError> {
    let number = digits_only(text).filter(|number| bounds.contains(number));
    number.ok_or(ValueError::Number(*bounds.start(), *bounds.end()))
}

/// Reads the address of a server.
pub(super) fn server(text: &str) -> Result<Address, ValueError> {
    let address: Option<Address> = text.parse().ok();
    let is_short = |it: &Address| it.to_string().len() <= ADDRESS_BYTES_MAX;
    address.filter(is_short).ok_or(ValueError::Server)
}

/// Reads the name of a server.
pub(super) fn name(text: &str) -> Result<String, ValueError> {
    let is_name = (1..=LABEL_CHARS_MAX).contains(&text.chars().count())
        && !text.chars().any(char::is_control);
    if is_name { Ok(text.to_owned()) } else { Err(ValueError::Name) }
}

/// Reads one of a few words, each with what it stands for.
pub(super) fn word<T: Copy>(text: &str, words: &[(&'static str, T)]) -> Result<T, ValueError> {
    let found = words.iter().find(|(word, _)| *word == text);
    let all = || ValueError::Word(words.iter().map(|(word, _)| *word).collect());
    found.map(|(_, meaning)| *meaning).ok_or_else(all)
}

/// Digits only: Rust's own parser takes a sign as well.
fn digits_only(text: &str) -> Option<usize> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, expected) in [
            ("0", Some(0)),
            ("65536", Some(65_536)),
            ("64KiB", Some(65_536)),
            ("64 KiB", Some(65_536)),
            ("1M", Some(1 << 20)),
            ("2GiB", Some(2 << 30)),
            ("", None),
            ("KiB", None),
            ("-1", None),
            ("+1", None),
            ("1.5MiB", None),
            ("1Ki", None),
            ("5é", None),
            ("99999999999999999999", None),
            ("99999999999GiB", None),
        ] {
            assert_eq!(size(text, &(0..=usize::MAX)).ok(), expected, "{text}");
        }
        for (text, meant) in [
            ("64KB", "64KiB"),
            ("64kB", "64KiB"),
            ("64k", "64KiB"),
            ("2 mb", "2MiB"),
            ("1gib", "1GiB"),
        ] {
            let error = size(text, &(0..=usize::MAX)).unwrap_err();
            assert_eq!(error, ValueError::Unit(meant.to_owned()), "{text}");
        }
    }

    #[test]
    fn sizes_are_written_as_they_are_read() {
        for (bytes, words) in [
            (0, "0 bytes"),
            (256, "256 bytes"),
            (1_024, "1KiB"),
            (1_025, "1025 bytes"),
            (3 << 20, "3MiB"),
        ] {
            assert_eq!(size_words(bytes), words);
        }
    }

    #[test]
    fn times_and_numbers_are_read() {
        for (text, seconds) in [
            ("1", Some(1)),
            ("20s", Some(20)),
            ("86400", Some(86_400)),
            ("0", None),
            ("86401", None),
        ] {
            assert_eq!(time(text).ok(), seconds.map(Duration::from_secs), "{text}");
        }
        for (text, expected) in
            [("7", Some(7)), ("+7", None), ("0", None), ("11", None), ("", None)]
        {
            assert_eq!(number(text, &(1..=10)).ok(), expected, "{text}");
        }
    }

    #[test]
    fn names_are_read() {
        let long = "ж".repeat(64);
        for (text, is_name) in [
            ("Office", true),
            (&long, true),
            (&(long.clone() + "ж"), false),
            ("", false),
            ("a\nb", false),
        ] {
            assert_eq!(name(text).is_ok(), is_name, "{text}");
        }
    }

    #[test]
    fn rates_are_read() {
        for (text, expected) in [
            ("off", Some(None)),
            ("10,5", Some(RateLimit::new(10, 5))),
            ("10 , 5", Some(RateLimit::new(10, 5))),
            ("0,5", None),
            ("5,0", None),
            ("10", None),
            ("on", None),
            ("99999999999,1", None),
        ] {
            assert_eq!(rate(text).ok(), expected, "{text}");
        }
    }
}
