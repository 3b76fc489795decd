//! What the operator asked for: flags, environment and file, checked and made one.
//!
//! A flag beats the environment, which beats the file, which beats the default.

mod file;
mod history;
mod values;

use std::{error::Error as _, io, path::PathBuf};

use clap::{
    Args, CommandFactory, Parser,
    error::{ContextKind, ErrorKind},
};
use serde::Deserialize;
use thiserror::Error;

pub use self::history::History;
use self::{
    history::{Outlives, Where},
    values::{Count, Flood, Seconds, Size},
};
use crate::{chat::Rules, limits::Limits, listener::ListenAddress};

const LONG_ABOUT: &str = "\
A small chat server: one room, plain TCP, one thread.

It listens on port 12345 of every address of this machine, IPv4 and IPv6, unless told otherwise. \
People join with pychat-gtk, with the original Python client, or with netcat.";

const AFTER_HELP: &str = "\
Values:
  A SIZE is a number of bytes, or of KiB, MiB or GiB: 65536, 64KiB. A TIME is a number of seconds.

Configuration:
  Every option but --config and --check-config may also stand in a file, as a key of the same name,
  and in the environment. A flag beats the environment, which beats the file:

    $ cat /etc/pychat-server.toml
    listen = [\"127.0.0.1:12345\", \"[::1]:12345\"]
    payload-max = \"64KiB\"
    flood = \"10,5\"
    $ PYCHAT_FLOOD=off pychat-server --config /etc/pychat-server.toml --connections 100

Examples:
  pychat-server
      Listen on every address, port 12345.
  pychat-server --listen 127.0.0.1:12345 --listen '[::1]:12345'
      Listen on this machine only.
  nc 127.0.0.1 12345
      Join by hand. Type a line, then talk:
        {\"type\":\"hello\",\"username\":\"Anna\"}
        {\"type\":\"text\",\"content\":\"Hello!\"}

Signals:
  TERM, INT   Say goodbye to everybody, flush what they are owed for up to 5 seconds, and exit
              with 0. A second one stops at once.
  HUP         Read the file again. Everything but --listen, --state-dir, --history and
              --durability changes without anybody being dropped.

What happens is logged to standard error, or to the journal when systemd starts the server. What
people say is never logged.

Exit codes: 0 stopped by a signal; 1 could not start; 2 wrong usage.";

const STATE_DIR_HELP: &str = "The folder that messages are kept in \
    [default: $STATE_DIRECTORY, or $XDG_STATE_HOME/pychat, or ~/.local/state/pychat]";

#[derive(Clone, Debug, Parser)]
#[command(name = "pychat-server", version, long_about = LONG_ABOUT)]
#[command(about = "A small chat server: one room, plain TCP, one thread.")]
#[command(after_long_help = AFTER_HELP, after_help = "See --help for examples and signals.")]
struct Arguments {
    /// Read options from this TOML file
    #[arg(long, value_name = "FILE", env = "PYCHAT_CONFIG", hide_env = true)]
    config: Option<PathBuf>,

    /// Check the configuration, say what is wrong with it, and exit
    #[arg(long)]
    check_config: bool,

    #[command(flatten)]
    options: Options,
}

/// What may be said by a flag, in the environment and in a file alike.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Options {
    /// Listen on this address; may be given several times [default: every address, port 12345]
    ///
    /// ADDRESS is an IPv4 address, an IPv6 address in brackets, or a host name, of which every
    /// address is taken. PORT may be left out and is 12345 then; 0 lets the system choose one,
    /// which the log tells. An IPv6 address takes IPv6 connections only: [::] and 0.0.0.0 go
    /// together.
    #[arg(long, value_name = "ADDRESS:PORT", env = "PYCHAT_LISTEN", hide_env = true)]
    #[arg(value_delimiter = ',')]
    #[serde(deserialize_with = "file::all_written")]
    listen: Vec<ListenAddress>,

    /// The largest payload taken from a client; a larger one is a framing error [default: 64KiB]
    #[arg(long, value_name = "SIZE", env = "PYCHAT_PAYLOAD_MAX", hide_env = true)]
    #[serde(deserialize_with = "file::written")]
    payload_max: Option<Size>,

    /// How much one client may be behind before it is cut [default: 1MiB]
    #[arg(long, value_name = "SIZE", env = "PYCHAT_BACKLOG_MAX", hide_env = true)]
    #[serde(deserialize_with = "file::written")]
    backlog_max: Option<Size>,

    /// How much all clients together may be behind before the worst are cut [default: 256MiB]
    #[arg(long, value_name = "SIZE", env = "PYCHAT_BACKLOG_TOTAL", hide_env = true)]
    #[serde(deserialize_with = "file::written")]
    backlog_total: Option<Size>,

    /// The most connections at once; more are told and closed [default: 10000]
    #[arg(long, value_name = "N", env = "PYCHAT_CONNECTIONS", hide_env = true)]
    #[serde(deserialize_with = "file::written")]
    connections: Option<Count>,

    /// The most connections at once from one IPv4 address or IPv6 /64; 0 is any [default: 64]
    #[arg(long, value_name = "N", env = "PYCHAT_CONNECTIONS_PER_ADDRESS", hide_env = true)]
    #[serde(deserialize_with = "file::written")]
    connections_per_address: Option<Count>,

    /// How long a client may take to say hello before it is told and closed [default: 20]
    #[arg(long, value_name = "TIME", env = "PYCHAT_HELLO_TIMEOUT", hide_env = true)]
    #[serde(deserialize_with = "file::written")]
    hello_timeout: Option<Seconds>,

    /// How many texts one client may say at once, then how many a second; or off [default: 10,5]
    ///
    /// Who speaks faster is read more slowly. Nothing is dropped and nobody is sent away.
    #[arg(long, value_name = "BURST,PER_SECOND", env = "PYCHAT_FLOOD", hide_env = true)]
    #[serde(deserialize_with = "file::written")]
    flood: Option<Flood>,

    /// Where messages are kept: on disk, or in memory and only as long as the server runs [default: disk]
    #[arg(long, value_name = "disk|memory", env = "PYCHAT_HISTORY", hide_env = true)]
    #[serde(deserialize_with = "file::written")]
    history: Option<Where>,

    /// How many messages are kept [default: 10000]
    #[arg(long, value_name = "N", env = "PYCHAT_HISTORY_MESSAGES", hide_env = true)]
    #[serde(deserialize_with = "file::written")]
    history_messages: Option<Count>,

    /// For how many days messages are kept [default: 90]
    #[arg(long, value_name = "N", env = "PYCHAT_HISTORY_DAYS", hide_env = true)]
    #[serde(deserialize_with = "file::written")]
    history_days: Option<Count>,

    /// What a message outlives once somebody has seen it: the server's process, or a power cut as
    /// well, for which every message waits for the disk [default: process]
    #[arg(long, value_name = "process|power", env = "PYCHAT_DURABILITY", hide_env = true)]
    #[serde(deserialize_with = "file::written")]
    durability: Option<Outlives>,

    #[arg(long, value_name = "DIR", env = "PYCHAT_STATE_DIR", hide_env = true)]
    #[arg(help = STATE_DIR_HELP)]
    state_dir: Option<PathBuf>,
}

/// Returns the command line as clap knows it, to write manuals and completions from.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; on every address of this machine if there are none.
    pub listen: Vec<ListenAddress>,
    /// What bounds the server.
    pub limits: Limits,
    /// How what is said is kept.
    pub history: History,
    /// True if the configuration was only to be checked.
    pub is_check: bool,
    arguments: Arguments,
}

/// Why what was asked for makes no configuration.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file says something that cannot be used.
    #[error("{}:{line}: {message}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Where, counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A flag, or the environment in its place, has a value that cannot be used.
    #[error("{option} {value}: {message}")]
    Value {
        /// The flag.
        option: String,
        /// What was given.
        value: String,
        /// What is wrong with it.
        message: String,
    },
    /// A value is out of its bounds.
    #[error("{option} should be {bounds}")]
    OutOfBounds {
        /// Whose.
        option: &'static str,
        /// From what to what.
        bounds: &'static str,
    },
    /// There is nowhere to keep messages.
    #[error("no folder to keep messages in: give --state-dir, or --history memory")]
    NoStateDirectory,
}

impl Config {
    /// Reads the process's arguments, its environment and the file that they name. Prints and exits
    /// if they ask for help, or are no arguments of this program.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if something cannot be used.
    pub fn load() -> Result<Self, ConfigError> {
        match Arguments::try_parse() {
            Ok(arguments) => Self::try_from(arguments),
            Err(error) if error.kind() == ErrorKind::ValueValidation => Err(bad_value(&error)),
            Err(error) => error.exit(),
        }
    }

    /// Reads the file again.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load): the configuration in force should stay so then.
    pub fn reload(&self) -> Result<Self, ConfigError> {
        Self::try_from(self.arguments.clone())
    }

    /// Returns true if there is a file that could say something else by now.
    pub fn has_file(&self) -> bool {
        self.arguments.config.is_some()
    }
}

impl TryFrom<Arguments> for Config {
    type Error = ConfigError;

    fn try_from(arguments: Arguments) -> Result<Self, Self::Error> {
        let mut options = arguments.options.clone();
        if let Some(path) = &arguments.config {
            options = options.or(file::read(path)?);
        }
        let (limits, history) = (options.limits()?, options.history(history::Folders::of_user())?);
        let is_check = arguments.check_config;
        Ok(Self { listen: options.listen, limits, history, is_check, arguments })
    }
}

impl Options {
    fn limits(&self) -> Result<Limits, ConfigError> {
        let default = Limits::default();
        let size = |given: Option<Size>, default| given.map_or(default, |Size(bytes)| bytes);
        let count = |given: Option<Count>, default| given.map_or(default, |Count(count)| count);
        let limits = Limits {
            payload_bytes_max: size(self.payload_max, default.payload_bytes_max),
            backlog_bytes_max: size(self.backlog_max, default.backlog_bytes_max),
            backlog_total_bytes_max: size(self.backlog_total, default.backlog_total_bytes_max),
            connections_max: count(self.connections, default.connections_max),
            crowd: default.crowd,
            rules: Rules {
                hello_timeout: self
                    .hello_timeout
                    .map_or(default.rules.hello_timeout, |Seconds(time)| time),
                pace: self.flood.map_or(default.rules.pace, |Flood(pace)| pace),
                announce_after: default.rules.announce_after,
                connections_per_address_max: count(
                    self.connections_per_address,
                    default.rules.connections_per_address_max,
                ),
            },
        };
        let out_of_bounds = |option, bounds| Err(ConfigError::OutOfBounds { option, bounds });
        if !(256..=16 << 20).contains(&limits.payload_bytes_max) {
            return out_of_bounds("payload-max", "from 256 bytes to 16MiB");
        }
        if limits.backlog_bytes_max < limits.payload_bytes_max {
            return out_of_bounds("backlog-max", "no less than payload-max");
        }
        if limits.backlog_total_bytes_max < limits.backlog_bytes_max {
            return out_of_bounds("backlog-total", "no less than backlog-max");
        }
        if !(1..=1_000_000).contains(&limits.connections_max) {
            return out_of_bounds("connections", "from 1 to 1000000");
        }
        Ok(limits)
    }
}

/// Says in one line what clap says in several.
fn bad_value(error: &clap::Error) -> ConfigError {
    let context = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let option = context(ContextKind::InvalidArg);
    ConfigError::Value {
        option: option.split(' ').next().unwrap_or_default().to_owned(),
        value: context(ContextKind::InvalidValue),
        message: error.source().map(ToString::to_string).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
