//! The reasons why a program ends without having done what it was asked for.

use std::process::ExitCode;

use thiserror::Error;

use crate::escape::plain;

/// The exit code for something that may work later (`EX_TEMPFAIL` of `sysexits.h`).
const EXIT_LATER: u8 = 75;

/// The exit code for wrong usage.
const EXIT_USAGE: u8 = 2;

/// A reason, in words.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Failure {
    /// It was refused, or cannot be done; trying again would change nothing.
    #[error("{0}")]
    Refused(String),
    /// The arguments mean nothing.
    #[error("{0}")]
    Usage(String),
    /// The server was not reached, or did not answer in time; it may later.
    #[error("{0}")]
    Later(String),
}

impl Failure {
    /// Says it on standard error, and returns the exit code.
    pub(crate) fn report(&self, program: &str) -> ExitCode {
        warn(program, &self.to_string());
        match self {
            Self::Refused(_) => ExitCode::FAILURE,
            Self::Usage(_) => EXIT_USAGE.into(),
            Self::Later(_) => EXIT_LATER.into(),
        }
    }
}

/// Says something on standard error, in one line.
#[expect(clippy::print_stderr, reason = "it is a program for a terminal")]
pub(crate) fn warn(program: &str, words: &str) {
    eprintln!("{program}: {}", plain(words).replace('\n', " "));
}
