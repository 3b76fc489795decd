//! The configuration file: TOML with the flags' names as keys.

use std::{fmt, fs, io, marker::PhantomData, path::Path, str::FromStr};

use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};

use super::{ConfigError, Options};

/// A value of the file, which may be written as text or as a number.
struct Written<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Written<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text or a number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

/// Reads one value by the same rules as on the command line.
pub(super) fn written<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    deserializer.deserialize_any(Written(PhantomData)).map(Some)
}

/// Reads the file at `path`.
pub(super) fn read(path: &Path) -> Result<Options, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| unreadable(path, source))?;
    toml::from_str(&text).map_err(|error| {
        let begin = error.span().map_or(0, |span| span.start);
        let line = text[..begin.min(text.len())].lines().count().max(1);
        // The span of a key begins where its line does, which `lines` has not counted yet.
        let is_at_start = begin > 0 && text.as_bytes().get(begin - 1) == Some(&b'\n');
        ConfigError::File {
            path: path.to_owned(),
            line: line + usize::from(is_at_start),
            message: error.message().trim().replace('\n', ", "),
        }
    })
}

fn unreadable(path: &Path, source: io::Error) -> ConfigError {
    ConfigError::Unreadable { path: path.to_owned(), source }
}

/// The file as it is written; every key may be missing.
impl Options {
    /// Returns these options, with those of `other` where there are none.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            listen: if self.listen.is_empty() { other.listen } else { self.listen },
            payload_max: self.payload_max.or(other.payload_max),
            backlog_max: self.backlog_max.or(other.backlog_max),
            backlog_total: self.backlog_total.or(other.backlog_total),
            connections: self.connections.or(other.connections),
            connections_per_address: self.connections_per_address.or(other.connections_per_address),
            hello_timeout: self.hello_timeout.or(other.hello_timeout),
            flood: self.flood.or(other.flood),
            history: self.history.or(other.history),
            history_messages: self.history_messages.or(other.history_messages),
            history_days: self.history_days.or(other.history_days),
            history_bytes: self.history_bytes.or(other.history_bytes),
            disk_reserve: self.disk_reserve.or(other.disk_reserve),
            name_days: self.name_days.or(other.name_days),
            durability: self.durability.or(other.durability),
            state_dir: self.state_dir.or(other.state_dir),
        }
    }
}

/// Reads a list of values.
pub(super) fn all_written<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| text.parse().map_err(de::Error::custom)).collect()
}
