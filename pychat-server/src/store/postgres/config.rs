//! The place of the database: its servers, and the way to be let in.

use std::{fmt, fs, os::unix::fs::PermissionsExt, path::PathBuf};

use super::error::ConnectionError;

/// The port of a server that is named without one.
pub(super) const PORT_DEFAULT: u16 = 5_432;

/// The place of a database, as the operator gives it. It holds no secret: the password is read from its
/// file for each session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Config {
    /// The servers, in the order in which they are tried.
    pub hosts: Vec<Host>,
    /// The name of the database.
    pub database: String,
    /// The name of the role.
    pub user: String,
    /// The name under which sessions are listed in `pg_stat_activity`.
    pub application_name: String,
    /// The encryption on TCP.
    pub tls: TlsMode,
    /// The file with the certificates of the authorities, in PEM.
    pub root_certificates: Option<PathBuf>,
    /// Servers that are standbys or read-only are passed over.
    pub must_write: bool,
    /// The file that holds the password, if one is needed.
    pub password_file: Option<PathBuf>,
}

/// A server of a database.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Host {
    /// A host name or address, and a port.
    Tcp(String, u16),
    /// The folder of a Unix socket, and the port that its name has.
    Unix(PathBuf, u16),
}

/// The encryption of a session over TCP; on a Unix socket there is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TlsMode {
    /// None.
    Disable,
    /// By a certificate of anybody's: this keeps listeners out, and nobody who intercepts.
    Require,
    /// By a certificate of one of the authorities.
    VerifyCa,
    /// By a certificate of one of the authorities for the host that was named.
    VerifyFull,
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(formatter, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(formatter, "{host}:{port}"),
            Self::Unix(folder, port) => write!(formatter, "{}:{port}", folder.display()),
        }
    }
}

impl fmt::Display for Config {
    /// Writes the servers and the name of the database.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} at ", self.database)?;
        for (index, host) in self.hosts.iter().enumerate() {
            write!(formatter, "{}{host}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl Config {
    /// Reads the password, without the line break at its end.
    ///
    /// # Errors
    ///
    /// [`ConnectionError`] if there is none, or everybody on the machine may read its file.
    pub(super) fn password(&self) -> Result<Vec<u8>, ConnectionError> {
        let path = self.password_file.as_ref().ok_or(ConnectionError::NoPassword)?;
        let failed = |what: &dyn fmt::Display| {
            ConnectionError::Password(format!("cannot use {}: {what}", path.display()))
        };
        let mode = fs::metadata(path).map_err(|error| failed(&error))?.permissions().mode();
        if mode & 0o007 != 0 {
            return Err(failed(&"everybody may read it; chmod o= it"));
        }
        let mut password = fs::read(path).map_err(|error| failed(&error))?;
        while let Some(b'\n' | b'\r') = password.last() {
            password.pop();
        }
        if password.is_empty() {
            return Err(failed(&"it is empty"));
        }
        Ok(password)
    }
}
