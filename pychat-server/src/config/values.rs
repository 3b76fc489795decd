//! Values as people write them: sizes, times, paces.

use std::{str::FromStr, time::Duration};

use thiserror::Error;

use crate::pace::Pace;

/// Why a value cannot be used.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(super) enum ValueError {
    /// It is no size.
    #[error("write a number of bytes, such as 65536, 64KiB or 1MiB")]
    Size,
    /// It is no time.
    #[error("write a number of seconds from 1 to 86400, such as 20 or 20s")]
    Time,
    /// It is no pace.
    #[error("write BURST,PER_SECOND with two numbers above 0, such as 10,5, or off")]
    Pace,
    /// It is no place to keep messages.
    #[error("write disk or memory")]
    Where,
    /// It is nothing to outlive.
    #[error("write process or power")]
    Durability,
    /// It is no count.
    #[error("write a number")]
    Count,
}

/// A size in bytes: `65536`, `64KiB`, `1MiB`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Size(pub(super) usize);

impl FromStr for Size {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
        let factor: usize = match text[digits.len()..].trim_start() {
            "" | "B" => 1,
            "KiB" | "K" => 1 << 10,
            "MiB" | "M" => 1 << 20,
            "GiB" | "G" => 1 << 30,
            _ => return Err(ValueError::Size),
        };
        let number = number(digits).ok_or(ValueError::Size)?;
        number.checked_mul(factor).map(Self).ok_or(ValueError::Size)
    }
}

/// A time in seconds: `20`, `20s`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Seconds(pub(super) Duration);

impl FromStr for Seconds {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match number(text.strip_suffix('s').unwrap_or(text)) {
            Some(seconds @ 1..=86_400) => Ok(Self(Duration::from_secs(seconds as u64))),
            _ => Err(ValueError::Time),
        }
    }
}

/// How fast people may speak: `10,5`, or `off`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Flood(pub(super) Option<Pace>);

impl FromStr for Flood {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text == "off" {
            return Ok(Self(None));
        }
        let small = |text: &str| number(text.trim()).and_then(|number| u32::try_from(number).ok());
        text.split_once(',')
            .and_then(|(burst, per_second)| Pace::new(small(burst)?, small(per_second)?))
            .map(|pace| Self(Some(pace)))
            .ok_or(ValueError::Pace)
    }
}

/// A plain number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Count(pub(super) usize);

impl FromStr for Count {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        number(text).map(Self).ok_or(ValueError::Count)
    }
}

/// Digits only: Rust's own parser takes a sign as well.
fn number(text: &str) -> Option<usize> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, size) in [
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
            ("1MB", None),
            ("99999999999999999999", None),
            ("99999999999GiB", None),
        ] {
            assert_eq!(text.parse().ok(), size.map(Size), "{text}");
        }
    }

    #[test]
    fn times_and_counts_are_read() {
        for (text, seconds) in [
            ("1", Some(1)),
            ("20s", Some(20)),
            ("86400", Some(86_400)),
            ("0", None),
            ("86401", None),
        ] {
            let time = seconds.map(|seconds| Seconds(Duration::from_secs(seconds)));
            assert_eq!(text.parse().ok(), time, "{text}");
        }
        assert_eq!(("7".parse(), "+7".parse()), (Ok(Count(7)), Err::<Count, _>(ValueError::Count)));
    }

    #[test]
    fn paces_are_read() {
        for (text, flood) in [
            ("off", Some(None)),
            ("10,5", Some(Pace::new(10, 5))),
            ("10, 5", Some(Pace::new(10, 5))),
            ("0,5", None),
            ("5,0", None),
            ("10", None),
            ("on", None),
            ("99999999999,1", None),
        ] {
            assert_eq!(text.parse().ok(), flood.map(Flood), "{text}");
        }
    }
}
