//! What the operator asked for: the command line, checked.

use clap::Parser;
use pychat_wire::PAYLOAD_BYTES_MAX;
use thiserror::Error;

use crate::{
    chat::HELLO_TIMEOUT,
    limits::Limits,
    listener::{ListenAddress, ListenAddressError},
};

/// The most connections at once.
pub const CONNECTIONS_MAX: usize = 10_000;

const ABOUT: &str = "A small chat server: one room, plain TCP, one thread.";

const LONG_ABOUT: &str = "\
A small chat server: one room, plain TCP, one thread.

It listens on port 12345 of every address of this machine, IPv4 and IPv6, unless told otherwise. \
People join with pychat-gtk, with the original Python client, or with netcat.";

const AFTER_HELP: &str = "\
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
  HUP         Nothing: there is no configuration to re-read.

What happens is logged to standard error, or to the journal when systemd starts the server. What
people say is never logged.

Exit codes: 0 stopped by a signal; 1 could not start; 2 wrong usage.";

#[derive(Debug, Parser)]
#[command(name = "pychat-server", version, about = ABOUT, long_about = LONG_ABOUT)]
#[command(after_long_help = AFTER_HELP, after_help = "See --help for examples and signals.")]
struct Arguments {
    /// Listen on this address; may be given several times [default: every address, port 12345]
    ///
    /// ADDRESS is an IPv4 address, an IPv6 address in brackets, or a host name, of which every
    /// address is taken. PORT may be left out and is 12345 then; 0 lets the system choose one,
    /// which the log tells. An IPv6 address takes IPv6 connections only: [::] and 0.0.0.0 go
    /// together.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Vec<String>,
}

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; on every address of this machine if there are none.
    pub listen: Vec<ListenAddress>,
    /// What bounds the server.
    pub limits: Limits,
}

/// Why the arguments make no configuration.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// An address to listen on is none.
    #[error("--listen {text}: {source}")]
    Listen {
        /// What was given.
        text: String,
        /// What is wrong with it.
        source: ListenAddressError,
    },
}

impl Config {
    /// Reads the process's arguments. Prints and exits if they ask for help, or are no arguments
    /// of this program.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a value cannot be used.
    pub fn from_arguments() -> Result<Self, ConfigError> {
        Self::try_from(Arguments::parse())
    }
}

impl TryFrom<Arguments> for Config {
    type Error = ConfigError;

    fn try_from(arguments: Arguments) -> Result<Self, Self::Error> {
        let listen = arguments
            .listen
            .into_iter()
            .map(|text| text.parse().map_err(|source| ConfigError::Listen { text, source }))
            .collect::<Result<_, _>>()?;
        let limits = Limits {
            payload_bytes_max: PAYLOAD_BYTES_MAX,
            connections_max: CONNECTIONS_MAX,
            hello_timeout: HELLO_TIMEOUT,
        };
        Ok(Self { listen, limits })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn config(arguments: &[&str]) -> Result<Config, String> {
        let arguments = [&["pychat-server"], arguments].concat();
        Config::try_from(Arguments::try_parse_from(arguments).unwrap())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_become_a_configuration() {
        Arguments::command().debug_assert();
        assert_eq!(config(&[]).unwrap().listen, []);
        let several = ["--listen", "127.0.0.1:7000", "--listen=[::1]:0"];
        let expected = ["127.0.0.1:7000", "[::1]:0"].map(|text| text.parse().unwrap());
        assert_eq!(config(&several).unwrap().listen, expected);
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let error = config(&["--listen", "localhost:port"]).unwrap_err();
        assert_eq!(error, "--listen localhost:port: the port should be a number from 0 to 65535");
    }

    #[test]
    fn help_names_the_flags_and_the_port() {
        let help = Arguments::command().render_long_help().to_string();
        for word in ["--listen", "ADDRESS:PORT", "12345", "TERM", "nc 127.0.0.1"] {
            assert!(help.contains(word), "{word}");
        }
    }
}
