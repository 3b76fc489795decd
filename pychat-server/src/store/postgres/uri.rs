//! The address of a database, as `libpq` has it: `postgres://USER@HOST:PORT,HOST:PORT/DATABASE?…`.

use std::{path::PathBuf, str::FromStr};

use thiserror::Error;

use super::config::{Config, Host, PORT_DEFAULT, TlsMode};

/// The reason why an address of a database cannot be used: what to write instead.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum UriError {
    /// It does not begin as it should.
    #[error("write postgres://USER@HOST:PORT/DATABASE")]
    Scheme,
    /// It holds the password.
    #[error(
        "leave the password out, it would show in lists of processes; write it to a file for --store-password-file"
    )]
    Password,
    /// It names no user.
    #[error("the user is missing; write postgres://USER@HOST:PORT/DATABASE")]
    User,
    /// It names no database.
    #[error("the database is missing; write postgres://USER@HOST:PORT/DATABASE")]
    Database,
    /// It names no server.
    #[error(
        "the host is missing; write a name, an address, or ?host=/run/postgresql for a Unix socket"
    )]
    Host,
    /// A port is none.
    #[error("write a port from 1 to 65535 behind the host")]
    Port,
    /// A part has a bad `%`.
    #[error("write % as %25, and what stands behind it as two hex digits")]
    Percent,
    /// A parameter is not known here.
    #[error(
        "unknown parameter {0:?}; write host, port, sslmode, sslrootcert, target_session_attrs or application_name"
    )]
    Parameter(String),
    /// A parameter has a value that it cannot have.
    #[error("write {0}")]
    Value(&'static str),
    /// The certificate cannot be verified.
    #[error(
        "write sslrootcert=FILE, the certificates of the authorities, or sslmode=disable if nobody can listen"
    )]
    NoRoots,
}

impl FromStr for Config {
    type Err = UriError;

    fn from_str(uri: &str) -> Result<Self, UriError> {
        let rest = ["postgres://", "postgresql://"].iter().find_map(|it| uri.strip_prefix(it));
        let rest = rest.ok_or(UriError::Scheme)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        if user.contains(':') {
            return Err(UriError::Password);
        }
        let parameters = Parameters::read(query)?;
        let config = Self {
            hosts: parameters.hosts(hosts)?,
            database: some(decoded(database)?).ok_or(UriError::Database)?,
            user: some(decoded(user)?).ok_or(UriError::User)?,
            application_name: parameters.get("application_name").unwrap_or("pychat").to_owned(),
            tls: parameters.tls()?,
            root_certificates: parameters.get("sslrootcert").map(PathBuf::from),
            must_write: parameters.must_write()?,
            password_file: None,
        };
        config.with_roots()
    }
}

impl Config {
    /// Returns it if the certificates can be verified that are to be. As `libpq` has it, a file of
    /// authorities is heeded even where encryption alone was asked for.
    fn with_roots(mut self) -> Result<Self, UriError> {
        let is_remote = self.hosts.iter().any(|host| matches!(host, Host::Tcp(..)));
        match (self.tls, &self.root_certificates) {
            (TlsMode::Require, Some(_)) => self.tls = TlsMode::VerifyCa,
            (TlsMode::VerifyCa | TlsMode::VerifyFull, None) if is_remote => {
                return Err(UriError::NoRoots);
            }
            _ => (),
        }
        Ok(self)
    }
}

/// The parameters behind the question mark, decoded.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn read(query: &str) -> Result<Self, UriError> {
        const KNOWN: [&str; 6] =
            ["host", "port", "sslmode", "sslrootcert", "target_session_attrs", "application_name"];
        let mut parameters = Vec::new();
        for parameter in query.split('&').filter(|it| !it.is_empty()) {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let (key, value) = (decoded(key)?, decoded(value)?);
            match key.as_str() {
                "password" => return Err(UriError::Password),
                key if !KNOWN.contains(&key) => return Err(UriError::Parameter(key.to_owned())),
                _ => parameters.push((key, value)),
            }
        }
        Ok(Self(parameters))
    }

    /// Returns the value that was given last, if it is not empty.
    fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = self.0.iter().rfind(|(it, _)| it == key)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// Reads the encryption; unless another one is asked for, it is the one that can be trusted.
    fn tls(&self) -> Result<TlsMode, UriError> {
        match self.get("sslmode") {
            Some("disable") => Ok(TlsMode::Disable),
            Some("require") => Ok(TlsMode::Require),
            Some("verify-ca") => Ok(TlsMode::VerifyCa),
            Some("verify-full") | None => Ok(TlsMode::VerifyFull),
            Some(_) => Err(UriError::Value("sslmode=verify-full, verify-ca, require or disable")),
        }
    }

    fn must_write(&self) -> Result<bool, UriError> {
        match self.get("target_session_attrs") {
            Some("read-write" | "primary") | None => Ok(true),
            Some("any") => Ok(false),
            Some(_) => Err(UriError::Value("target_session_attrs=read-write or any")),
        }
    }

    /// Reads the servers: those before the path, or else those of the parameters.
    fn hosts(&self, authority: &str) -> Result<Vec<Host>, UriError> {
        let hosts: Result<Vec<_>, _> = match self.get("host") {
            None => {
                let listed = authority.split(',').map(|it| {
                    let (host, port) = split_port(it)?;
                    host_of(decoded(host)?, port)
                });
                listed.collect()
            }
            Some(hosts) => {
                let ports: Vec<_> = self.get("port").unwrap_or_default().split(',').collect();
                let of = |index: usize| match *ports.as_slice() {
                    [port] => port,
                    _ => ports.get(index).copied().unwrap_or_default(),
                };
                let listed = hosts.split(',').enumerate();
                listed.map(|(index, host)| host_of(host.to_owned(), of(index))).collect()
            }
        };
        hosts
    }
}

/// Splits a server at the colon before its port; an IPv6 address stands in brackets.
fn split_port(host: &str) -> Result<(&str, &str), UriError> {
    if let Some(rest) = host.strip_prefix('[') {
        let (address, rest) = rest.split_once(']').ok_or(UriError::Host)?;
        let port = rest.strip_prefix(':').or(rest.is_empty().then_some(""));
        return Ok((address, port.ok_or(UriError::Port)?));
    }
    Ok(host.split_once(':').unwrap_or((host, "")))
}

fn host_of(host: String, port: &str) -> Result<Host, UriError> {
    let port = match port {
        "" => PORT_DEFAULT,
        port if port.bytes().all(|it| it.is_ascii_digit()) => {
            port.parse().ok().filter(|port| 0 < *port).ok_or(UriError::Port)?
        }
        _ => return Err(UriError::Port),
    };
    match host.as_str() {
        "" => Err(UriError::Host),
        path if path.starts_with('/') => Ok(Host::Unix(path.into(), port)),
        _ => Ok(Host::Tcp(host, port)),
    }
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Decodes what stands for itself and `%` with two hex digits. No part has U+0000.
fn decoded(text: &str) -> Result<String, UriError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|it| char::from(it).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(UriError::Percent) };
        bytes.push(u8::try_from(16 * high + low).map_err(|_| UriError::Percent)?);
    }
    let text = String::from_utf8(bytes).map_err(|_| UriError::Percent)?;
    if text.contains('\0') { Err(UriError::Percent) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(name: &str, port: u16) -> Host {
        Host::Tcp(name.to_owned(), port)
    }

    #[test]
    fn an_address_names_servers_database_and_user() {
        let uri = "postgres://chat@db1:5433,[fd00::1],db%33:1/pychat?sslrootcert=/ca.pem";
        let config: Config = uri.parse().unwrap();
        assert_eq!(config.hosts, [tcp("db1", 5_433), tcp("fd00::1", 5_432), tcp("db3", 1)]);
        assert_eq!((config.user.as_str(), config.database.as_str()), ("chat", "pychat"));
        assert_eq!((config.tls, config.must_write), (TlsMode::VerifyFull, true));
        assert_eq!(config.to_string(), "\"pychat\" at db1:5433, [fd00::1]:5432, db3:1");
    }

    #[test]
    fn a_unix_socket_needs_no_encryption() {
        let folder = || "/run/postgresql".into();
        for uri in [
            "postgresql://chat@/pychat?host=/run/postgresql",
            "postgresql://chat@%2Frun%2Fpostgresql/pychat",
        ] {
            let config: Config = uri.parse().unwrap();
            assert_eq!(config.hosts, [Host::Unix(folder(), 5_432)]);
        }
        let several = "postgres://u@/d?host=/run/postgresql,db2&port=1,2&sslmode=disable";
        let config: Config = several.parse().unwrap();
        assert_eq!(config.hosts, [Host::Unix(folder(), 1), tcp("db2", 2)]);
    }

    #[test]
    fn encryption_is_never_weaker_than_asked() {
        for (parameters, expected) in [
            ("", Err(UriError::NoRoots)),
            ("sslmode=verify-full", Err(UriError::NoRoots)),
            ("sslmode=verify-ca", Err(UriError::NoRoots)),
            ("sslrootcert=/ca", Ok(TlsMode::VerifyFull)),
            ("sslmode=require", Ok(TlsMode::Require)),
            ("sslmode=require&sslrootcert=/ca", Ok(TlsMode::VerifyCa)),
            ("sslmode=disable", Ok(TlsMode::Disable)),
        ] {
            let config = format!("postgres://u@h/d?{parameters}").parse::<Config>();
            assert_eq!(config.map(|config| config.tls), expected, "{parameters}");
        }
        assert!(matches!(
            "postgres://u@h/d?sslmode=prefer".parse::<Config>(),
            Err(UriError::Value(_))
        ));
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        for (uri, error) in [
            ("sqlite:///x", UriError::Scheme),
            ("postgres://u:secret@h/d", UriError::Password),
            ("postgres://u@h/d?password=secret", UriError::Password),
            ("postgres://h/d?sslmode=disable", UriError::User),
            ("postgres://u@h?sslmode=disable", UriError::Database),
            ("postgres://u@/d", UriError::Host),
            ("postgres://u@h,/d", UriError::Host),
            ("postgres://u@[::1/d", UriError::Host),
            ("postgres://u@[::1]5/d", UriError::Port),
            ("postgres://u@h:0/d", UriError::Port),
            ("postgres://u@h:+1/d", UriError::Port),
            ("postgres://u@h:65536/d", UriError::Port),
            ("postgres://u@h%0/d", UriError::Percent),
            ("postgres://u@h%00/d", UriError::Percent),
            ("postgres://u@h%ff/d", UriError::Percent),
            ("postgres://u@h/d?options=-c", UriError::Parameter("options".to_owned())),
        ] {
            assert_eq!(uri.parse::<Config>(), Err(error), "{uri}");
        }
    }
}
