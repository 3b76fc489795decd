//! The configuration file: TOML with the flags' names as keys.

use std::{fs, ops::Range, path::Path, str};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    ConfigError,
    options::{self, ConfigOption},
    settings::{Given, Settings, shown},
};

/// The names of flags that are no keys of the file.
const FLAGS_ONLY: [&str; 4] = ["check-config", "config", "help", "version"];

/// Reads the file at `path`.
pub(super) fn read(path: &Path) -> Result<Settings, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let bytes = fs::read(path).map_err(unreadable)?;
    let text = str::from_utf8(&bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        bad(format!("{}:{line}", path.display()), "not UTF-8 text")
    })?;
    File { path, text }.read()
}

fn bad(place: String, message: impl Into<String>) -> ConfigError {
    ConfigError::Bad { place, message: message.into() }
}

/// A file that is being read.
#[derive(Clone, Copy)]
struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

impl File<'_> {
    fn read(self) -> Result<Settings, ConfigError> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or(self.text.len(), |span| span.start);
            self.syntax_error(at, error.message().contains("duplicate"))
        })?;
        let mut entries: Vec<_> = table.get_ref().iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start); // The first mistake is told first.
        let mut settings = Settings::default();
        for (key, value) in entries {
            let at = key.span().start;
            let Some(option) = options::find(key.get_ref()) else {
                return Err(self.unknown_key(at, key.get_ref()));
            };
            self.add(option, value, &mut settings)?;
        }
        Ok(settings)
    }

    /// Adds what stands behind the key of `option`.
    fn add(
        self,
        option: &ConfigOption,
        value: &Spanned<DeValue<'_>>,
        settings: &mut Settings,
    ) -> Result<(), ConfigError> {
        match value.get_ref() {
            DeValue::Array(values) if option.is_list => {
                values.iter().try_for_each(|value| self.add_one(option, value, settings))
            }
            _ => self.add_one(option, value, settings),
        }
    }

    /// Adds one value: a text as it is, and everything else as it stands there.
    fn add_one(
        self,
        option: &ConfigOption,
        value: &Spanned<DeValue<'_>>,
        settings: &mut Settings,
    ) -> Result<(), ConfigError> {
        let Range { start, end } = value.span();
        let prefix = format!("{}: {} = ", self.place(start), option.key);
        let place = format!("{prefix}{}", shown(&self.text[start..end]));
        match value.get_ref() {
            DeValue::String(text) if option.is_list => {
                settings.add(option, text.as_ref().as_ref(), &prefix);
            }
            DeValue::String(text) => {
                settings.push(option, Given { text: text.as_ref().into(), place });
            }
            DeValue::Integer(number) if number.radix() == 10 && !option.is_list => {
                settings.push(option, Given { text: number.as_str().into(), place });
            }
            DeValue::Table(_) | DeValue::Array(_) => {
                return Err(bad(place, format!("write {}", option.example_line())));
            }
            _ if option.is_text() => {
                return Err(bad(
                    place,
                    format!("text needs quotes; write {}", option.example_line()),
                ));
            }
            _ => {
                let text = self.text[start..end].into();
                settings.push(option, Given { text, place });
            }
        }
        Ok(())
    }

    fn unknown_key(self, at: usize, key: &str) -> ConfigError {
        let place = self.place(at);
        let key = shown(key);
        if self.line(at).trim_start().starts_with('[') {
            return bad(place, format!("[{key}]: this file has no sections; remove this line"));
        }
        if FLAGS_ONLY.contains(&key.as_str()) {
            return bad(place, format!("`{key}` is an option of the command line only"));
        }
        let hint = options::nearest(&key).map_or_else(
            || "; the manual lists the keys: man pychat-server.toml".to_owned(),
            |option| format!("; did you mean `{}`? Write {}", option.key, option.example_line()),
        );
        bad(place, format!("unknown key `{key}`{hint}"))
    }

    /// Says what is wrong at a place that is not TOML.
    fn syntax_error(self, at: usize, is_duplicate: bool) -> ConfigError {
        let (place, line) = (self.place(at), self.line(at));
        let statement = self.statement(at);
        let Some((key, value)) = statement.split_once('=').map(|(key, value)| (key.trim(), value))
        else {
            let found = shown(line.trim());
            return bad(place, format!("{found}: write KEY = VALUE, such as connections = 10000"));
        };
        if is_duplicate {
            return bad(place, format!("`{}` is set twice", shown(key)));
        }
        let Some(option) = options::find(key.trim_matches(['"', '\''])) else {
            if key.is_empty() {
                return bad(
                    place,
                    "the key is missing; write KEY = VALUE, such as connections = 10000",
                );
            }
            return self.unknown_key(at, key);
        };
        let value = value.split('#').next().unwrap_or_default().trim();
        let place = format!("{place}: {key} = {}", shown(value));
        if value.is_empty() {
            return bad(place, format!("the value is missing; write {}", option.example_line()));
        }
        if value.contains(['"', '\'', '\n']) {
            let message =
                format!("a quote, bracket or comma is missing; write {}", option.example_line());
            return bad(place, message);
        }
        if !option.is_text() {
            return bad(place, format!("write {}", option.example_line()));
        }
        bad(place, format!("text needs quotes; write {key} = {}", quoted(option, value)))
    }

    /// Returns what belongs together where there is an error at `at`: that line, from the beginning of
    /// the list that it is in, if that has no end yet.
    fn statement(&self, at: usize) -> &str {
        let (begin, end) = self.line_bounds(at);
        let before = &self.text[..begin];
        let is_open = |value: &str| value.trim_start().starts_with('[') && !value.contains(']');
        let list = before.rfind('=').filter(|equals| is_open(&before[equals + 1..]));
        let begin = list.map_or(begin, |equals| self.line_bounds(equals).0);
        &self.text[begin..end]
    }

    fn line(&self, at: usize) -> &str {
        let (begin, end) = self.line_bounds(at);
        &self.text[begin..end]
    }

    /// Returns where the line begins and ends that the byte `at` is in.
    fn line_bounds(&self, at: usize) -> (usize, usize) {
        let begin = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline);
        (begin, end)
    }

    fn place(self, at: usize) -> String {
        let line = self.text[..at].split('\n').count();
        format!("{}:{line}", self.path.display())
    }
}

/// Returns `value` as it should stand behind the key of `option`.
fn quoted(option: &ConfigOption, value: &str) -> String {
    if !option.is_list {
        return format!("\"{}\"", shown(value));
    }
    let values = value.trim_matches(['[', ']']).split(',').map(str::trim);
    let quoted =
        values.filter(|value| !value.is_empty()).map(|value| format!("\"{}\"", shown(value)));
    format!("[{}]", quoted.collect::<Vec<_>>().join(", "))
}
