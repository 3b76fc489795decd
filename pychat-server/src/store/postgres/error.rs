//! Errors of a database, and of the way there.

use std::{fmt, io, str, time::Duration};

use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::ErrorResponseBody;
use thiserror::Error;

/// The most characters of the database's own words that are repeated.
const WORDS_CHARS_MAX: usize = 200;

/// An error that the database answers with. Its details, which repeat values, are left out.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{message} ({sqlstate})")]
pub struct DatabaseError {
    /// The five characters of PostgreSQL's appendix A, such as `23505` for a key that is there already.
    pub sqlstate: String,
    /// The database's words, in one line.
    pub message: String,
    /// The constraint that is broken, if there is one.
    pub constraint: Option<String>,
    /// The database ends the session.
    pub is_fatal: bool,
}

impl DatabaseError {
    /// Reads a message; what it lacks stays empty.
    pub(super) fn new(body: &ErrorResponseBody) -> Self {
        let mut error = Self {
            sqlstate: String::new(),
            message: String::new(),
            constraint: None,
            is_fatal: false,
        };
        let mut fields = body.fields();
        while let Ok(Some(field)) = fields.next() {
            let words = || in_one_line(&String::from_utf8_lossy(field.value_bytes()));
            match field.type_() {
                b'V' => error.is_fatal = field.value_bytes() != b"ERROR",
                b'C' => error.sqlstate = words(),
                b'M' => error.message = words(),
                b'n' => error.constraint = Some(words()),
                _ => (),
            }
        }
        error
    }
}

/// Returns `text` without line breaks, and of bounded length.
fn in_one_line(text: &str) -> String {
    let shown = text.chars().take(WORDS_CHARS_MAX);
    shown.map(|it| if it.is_control() { ' ' } else { it }).collect()
}

/// The reason why there is no session with a database server, or no more.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The system's error.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The server ended the connection.
    #[error("the connection was closed")]
    Closed,
    /// The server did not answer within this time.
    #[error("no answer within {} seconds", .0.as_secs())]
    Silent(Duration),
    /// The server has no TLS, and `sslmode` wants it.
    #[error("the server offers no TLS")]
    NoTls,
    /// The handshake failed, or the certificate is not one to be trusted.
    #[error("TLS: {0}")]
    Tls(rustls::Error),
    /// The server wants a way of authentication that gives a password away, or is not known here.
    #[error("the server wants {0} authentication; let pg_hba.conf say scram-sha-256")]
    Authentication(&'static str),
    /// The server wants a password, and there is none.
    #[error("the server wants a password; give --store-password-file FILE")]
    NoPassword,
    /// The password cannot be read, or is not to be used.
    #[error("{0}")]
    Password(String),
    /// The server proved that it does not know the password, or broke off.
    #[error("the server cannot prove that it knows the password")]
    Unproven,
    /// The database refuses a session, or has ended one.
    #[error("{0}")]
    Database(DatabaseError),
    /// The server is a standby, or everything is read-only there.
    #[error("it is a standby, or read-only")]
    ReadOnly,
    /// Its version is too old: the oldest that will do, and its own.
    #[error("PostgreSQL {0} or later is needed, and this is {1}")]
    Version(u32, String),
    /// A host name has no address.
    #[error("its name has no address")]
    Unresolved,
    /// A message that nobody asked for, or none at all.
    #[error("unexpected message: {0}")]
    Protocol(&'static str),
    /// A statement is too large to be sent.
    #[error("a statement is too large")]
    TooLarge,
}

/// The reasons why no server could be used, each with its host.
#[derive(Debug, Error)]
pub struct Unavailable(pub(super) Vec<(String, ConnectionError)>);

impl fmt::Display for Unavailable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (host, error)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(formatter, "{separator}{host}: {error}")?;
        }
        Ok(())
    }
}
