//! The configuration: flags, environment and file, checked and made one.
//!
//! A flag beats the environment, which beats the file, which beats the default. Each value is read
//! only after that, by the same rules wherever it stands, so that an error can name the place.

mod admission;
mod control;
mod database;
mod encryption;
mod file;
mod history;
mod options;
mod reach;
mod settings;
mod usage;
mod values;

use std::{
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use self::settings::Settings;
pub use self::{
    control::{ControlPlace, control_sockets},
    database::with_password,
    history::{History, state_directories},
    options::{ConfigOption, OPTIONS},
    usage::command,
};
use crate::{
    core::chat::{Plain, Rules},
    limits::Limits,
    net::{identity::IdentityPlace, listen_address::ListenAddress, reach::Reach},
};

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The addresses to listen on; every address of this machine if there are none.
    pub listen: Vec<ListenAddress>,
    /// Where others can reach the server, and the other servers of its chat, as the operator says.
    pub reach: Reach,
    /// The name by which people know the server.
    pub name: String,
    /// The limits of the server.
    pub limits: Limits,
    /// The folder, limits and durability of the log.
    pub history: History,
    /// The place of the operator's socket, if there is one.
    pub control: Option<ControlPlace>,
    /// The certificate that the server shows; no TLS if `None`.
    pub identity: Option<IdentityPlace>,
    /// The file in which metrics are kept up to date, if there is one.
    pub metrics_file: Option<PathBuf>,
    /// Variables that look like this program's and are not, each with what it may stand for.
    pub unknown_variables: Vec<String>,
    source: Source,
}

/// The file and the settings that a configuration was read from.
#[derive(Clone, Debug)]
struct Source {
    /// The configuration file, if there is one.
    file: Option<PathBuf>,
    /// The settings that flags and environment gave.
    given: Settings,
    /// The configuration was only to be checked.
    is_check: bool,
}

/// The reason why the configuration cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A value or a key cannot be used.
    #[error("{place}: {message}")]
    Bad {
        /// The file and line, flag or variable, and what was found there.
        place: String,
        /// The fault, and the remedy: what to write instead.
        message: String,
    },
    /// The command line cannot be understood.
    #[error("{0}")]
    Usage(String),
    /// Only one of two options that go together is given.
    #[error("{0} needs {1} as well")]
    Half(&'static str, &'static str),
    /// A list is too long.
    #[error("{0} has more than {1} entries")]
    TooMany(&'static str, usize),
    /// The entries of a list are too long.
    #[error("{0} has more than {1} bytes in all")]
    TooLong(&'static str, usize),
    /// Nobody could join.
    #[error("plain = \"never\" needs a certificate; with --history memory give --tls-certificate")]
    NoIdentity,
    /// Messages cannot be both in a database and nowhere.
    #[error("store and history = \"memory\" exclude each other; give one of them")]
    NotStored,
    /// There is nowhere to keep messages.
    #[error("no folder to keep messages in; give --state-dir DIR, or --history memory")]
    NoStateDirectory,
}

/// Reads a size in bytes, as options have it: `65536`, `64KiB`.
///
/// # Errors
///
/// The sentence that says how one is written.
pub fn size(text: &str) -> Result<u64, String> {
    let size = values::size(text, &(0..=usize::MAX));
    size.map(|bytes| bytes as u64).map_err(|error| error.to_string())
}

impl Config {
    /// Reads the process's arguments, its environment and the file that they name. Prints and exits
    /// if they ask for help or the version.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if something cannot be used.
    pub fn load() -> Result<Self, ConfigError> {
        let variable = |name: &str| env::var_os(name);
        let mut config = Self::read(env::args_os(), variable)?;
        let names = env::vars_os().map(|(name, _)| name);
        config.unknown_variables = settings::unknown_variables(names, &usage::OTHER_VARIABLES);
        Ok(config)
    }

    /// Reads these arguments, the environment of which `variable` tells, and the file.
    fn read(
        arguments: impl IntoIterator<Item = OsString>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ConfigError> {
        let flags = usage::parse(arguments)?;
        let of_environment = || variable(usage::CONFIG_VARIABLE);
        let file = flags.config.or_else(of_environment).filter(|path| !settings::is_blank(path));
        let given = flags.settings.or(Settings::of_variables(variable));
        Self::new(given, file.map(PathBuf::from), flags.is_check)
    }

    fn new(given: Settings, file: Option<PathBuf>, is_check: bool) -> Result<Self, ConfigError> {
        let mut settings = given.clone();
        if let Some(path) = &file {
            settings = settings.or(file::read(path)?);
        }
        let history = history::read(&settings, history::Folders::of_user())?;
        let identity = encryption::identity(&settings, &history)?;
        let control = control::place(&settings, &history)?;
        Ok(Self {
            listen: settings.all("listen", |text| Ok(text.parse()?))?,
            reach: reach::reach(&settings)?,
            name: settings.one("name", host_name(), values::name)?,
            limits: limits(&settings, encryption::plain(&settings, identity.as_ref())?)?,
            history,
            control,
            identity,
            metrics_file: settings.path("metrics-file")?,
            unknown_variables: Vec::new(),
            source: Source { file, given, is_check },
        })
    }

    /// Reads the file again.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load): the configuration in force should stay so then.
    pub fn reload(&self) -> Result<Self, ConfigError> {
        let Source { file, given, is_check } = self.source.clone();
        Self::new(given, file, is_check)
    }

    /// Returns true if the configuration was only to be checked.
    pub fn is_check(&self) -> bool {
        self.source.is_check
    }

    /// Returns the configuration file, if there is one.
    pub fn file(&self) -> Option<&Path> {
        self.source.file.as_deref()
    }
}

/// The largest payload that may be asked for, in bytes, and the most connections: clients take no
/// message, and no list of those who are here, of more than 4 MiB.
const PAYLOAD_BYTES_LIMIT: usize = 1 << 20;
const CONNECTIONS_LIMIT: usize = 50_000;

/// Returns the name of this machine, as far as it can be the name of a server.
fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    values::name(&name).unwrap_or_else(|_| "pychat".to_owned())
}

/// Reads what bounds the server.
fn limits(settings: &Settings, plain: Plain) -> Result<Limits, ConfigError> {
    let default = Limits::default();
    let size = |key, default, min| settings.size(key, default, &(min..=usize::MAX));
    let payload =
        settings.size("payload-max", default.payload_bytes_max, &(256..=PAYLOAD_BYTES_LIMIT))?;
    let backlog = size("backlog-max", default.backlog_bytes_max, 256)?;
    let backlog_total = size("backlog-total", default.backlog_total_bytes_max, 256)?;
    settings.in_order(("payload-max", payload), ("backlog-max", backlog))?;
    settings.in_order(("backlog-max", backlog), ("backlog-total", backlog_total))?;
    Ok(Limits {
        payload_bytes_max: payload,
        backlog_bytes_max: backlog,
        backlog_total_bytes_max: backlog_total,
        connections_max: settings.number(
            "connections",
            default.connections_max,
            &(1..=CONNECTIONS_LIMIT),
        )?,
        crowd: default.crowd,
        rules: Rules {
            hello_timeout: settings.one(
                "hello-timeout",
                default.rules.hello_timeout,
                values::time,
            )?,
            rate_limit: settings.one("flood", default.rules.rate_limit, values::rate)?,
            name_age_max: history::days(settings, "name-days", 365)?,
            announce_after: default.rules.announce_after,
            connections_per_address_max: settings.number(
                "connections-per-address",
                default.rules.connections_per_address_max,
                &(0..=1_000_000),
            )?,
            plain,
            admission: admission::door(settings)?,
            guests_from: admission::guests_from(settings)?,
        },
    })
}

#[cfg(test)]
mod tests;
