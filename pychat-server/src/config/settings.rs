//! The values given for each option, wherever they were given, not read yet.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    ops::RangeInclusive,
    path::PathBuf,
};

use clap::{ArgMatches, parser::ValueSource};

use super::{
    ConfigError,
    options::{self, ConfigOption, OPTIONS, VARIABLE_PREFIX},
    values::{self, ValueError},
};

/// The most characters of a value that an error repeats.
const SHOWN_CHARS_MAX: usize = 60;

/// One value, and how it stands where it was given: `--flood 10`, `FILE:3: flood = 10`.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) text: OsString,
    pub(super) place: String,
}

/// The values of every option that was given, by key.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings(BTreeMap<&'static str, Vec<Given>>);

impl Settings {
    /// Returns what the flags say.
    pub(super) fn of_flags(matches: &ArgMatches) -> Self {
        let mut settings = Self::default();
        for option in OPTIONS {
            if matches.value_source(option.key) == Some(ValueSource::CommandLine) {
                for text in matches.get_raw(option.key).into_iter().flatten() {
                    settings.add(option, text, &format!("--{} ", option.key));
                }
            }
        }
        settings
    }

    /// Returns what the environment says. A variable that is set to nothing counts as not set.
    pub(super) fn of_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let mut settings = Self::default();
        for option in OPTIONS {
            let name = option.variable();
            if let Some(text) = variable(&name).filter(|text| !is_blank(text)) {
                settings.add(option, &text, &format!("{name}="));
            }
        }
        settings
    }

    /// Adds a value that stands behind `prefix`; several, if the option takes them and there are commas.
    pub(super) fn add(&mut self, option: &ConfigOption, text: &OsStr, prefix: &str) {
        let parts: Vec<OsString> = match text.to_str() {
            Some(text) if option.is_list && text.contains(',') => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                parts.map(Into::into).collect()
            }
            _ => vec![text.to_owned()],
        };
        for text in parts {
            let place = format!("{prefix}{}", shown(&text.to_string_lossy()));
            self.push(option, Given { text, place });
        }
    }

    /// Adds one value as it is.
    pub(super) fn push(&mut self, option: &ConfigOption, given: Given) {
        if let Some(option) = options::find(option.key) {
            self.0.entry(option.key).or_default().push(given);
        }
    }

    /// Returns these settings, with those of `other` for options that have none.
    pub(super) fn or(mut self, other: Self) -> Self {
        for (key, given) in other.0 {
            self.0.entry(key).or_insert(given);
        }
        self
    }

    /// Returns the values of a list.
    pub(super) fn all<T>(
        &self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, ValueError>,
    ) -> Result<Vec<T>, ConfigError> {
        self.0.get(key).into_iter().flatten().map(|given| given.parse(&parse)).collect()
    }

    /// Returns a value, or `default` if there is none.
    pub(super) fn one<T>(
        &self,
        key: &str,
        default: T,
        parse: impl Fn(&str) -> Result<T, ValueError>,
    ) -> Result<T, ConfigError> {
        self.given(key).map_or(Ok(default), |given| given.parse(&parse))
    }

    /// Returns a number within `bounds`.
    pub(super) fn number(
        &self,
        key: &str,
        default: usize,
        bounds: &RangeInclusive<usize>,
    ) -> Result<usize, ConfigError> {
        self.one(key, default, |text| values::number(text, bounds))
    }

    /// Returns a size in bytes within `bounds`.
    pub(super) fn size(
        &self,
        key: &str,
        default: usize,
        bounds: &RangeInclusive<usize>,
    ) -> Result<usize, ConfigError> {
        self.one(key, default, |text| values::size(text, bounds))
    }

    /// Returns a path, which need not be UTF-8.
    pub(super) fn path(&self, key: &str) -> Result<Option<PathBuf>, ConfigError> {
        match self.given(key) {
            Some(given) if is_blank(&given.text) => Err(given.error(&ValueError::Path)),
            given => Ok(given.map(|given| given.text.clone().into())),
        }
    }

    /// Complains if `smaller` is more than `larger`: about `larger` if that was given.
    pub(super) fn in_order(
        &self,
        (smaller, smaller_bytes): (&'static str, usize),
        (larger, larger_bytes): (&'static str, usize),
    ) -> Result<(), ConfigError> {
        if smaller_bytes <= larger_bytes {
            return Ok(());
        }
        let (given, message) = match (self.given(larger), self.given(smaller)) {
            (Some(given), _) => {
                (given, ValueError::LessThan(smaller, values::size_words(smaller_bytes)))
            }
            (None, Some(given)) => {
                (given, ValueError::MoreThan(larger, values::size_words(larger_bytes)))
            }
            (None, None) => return Ok(()), // Defaults are in order.
        };
        Err(given.error(&message))
    }

    fn given(&self, key: &str) -> Option<&Given> {
        debug_assert!(options::find(key).is_some(), "no option {key}");
        self.0.get(key)?.first()
    }
}

impl Given {
    fn parse<T>(&self, parse: impl Fn(&str) -> Result<T, ValueError>) -> Result<T, ConfigError> {
        let text = self.text.to_str().ok_or(ValueError::NotText);
        text.and_then(|text| parse(text.trim())).map_err(|error| self.error(&error))
    }

    fn error(&self, error: &ValueError) -> ConfigError {
        ConfigError::Bad { place: self.place.clone(), message: error.to_string() }
    }
}

/// Returns the variables that look like this program's and are not, each with what it may stand for.
pub(super) fn unknown_variables(
    names: impl Iterator<Item = OsString>,
    known: &[&str],
) -> Vec<String> {
    let names = names.filter_map(|name| name.into_string().ok());
    let mut unknown: Vec<_> = names
        .filter(|name| name.starts_with(VARIABLE_PREFIX) && !known.contains(&name.as_str()))
        .filter(|name| OPTIONS.iter().all(|option| option.variable() != *name))
        .map(|name| match options::nearest(&name[VARIABLE_PREFIX.len()..]) {
            Some(option) => format!("{name}; did you mean {}?", option.variable()),
            None => name,
        })
        .collect();
    unknown.sort();
    unknown
}

pub(super) fn is_blank(text: &OsStr) -> bool {
    text.to_str().is_some_and(|text| text.trim().is_empty())
}

/// Returns `text` as an error may repeat it: of bounded length, in one line, and nothing of an address in
/// which a password may stand.
pub(super) fn shown(text: &str) -> String {
    if let Some((scheme, rest)) = text.split_once("://")
        && (scheme.contains("postgres") || rest.contains('@') || rest.contains("password"))
    {
        return shown(scheme) + "://…";
    }
    let mut shown = String::new();
    for character in text.chars().take(SHOWN_CHARS_MAX) {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}
