//! Where a server is: what a person may type, and what it means.
//!
//! This module is pure; whether the host exists is found out by connecting. A [`ServerAddress`]
//! can only be had checked.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use thiserror::Error;

/// The port of a server whose address does not name one.
pub const DEFAULT_PORT: u16 = 12345;

/// The most bytes that a host name may have.
const HOST_BYTES_MAX: usize = 253;

/// The most bytes that the part of a host name between two dots may have.
const LABEL_BYTES_MAX: usize = 63;

/// A host and a port.
///
/// # Examples
///
/// ```
/// use pychat_gtk::server_address::{AddressError, ServerAddress};
///
/// let address: ServerAddress = "[::1]".parse()?;
/// assert_eq!((address.host(), address.port()), ("::1", 12345));
/// assert_eq!(address.to_string(), "[::1]:12345");
/// # Ok::<(), AddressError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ServerAddress {
    host: String,
    port: u16,
}

impl ServerAddress {
    /// Returns the host: a name, or an address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for ServerAddress {
    type Err = AddressError;

    /// Reads `HOST`, `HOST:PORT`, `[IPV6]` or `[IPV6]:PORT`; blanks around it do not matter.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(bracketed) => split_bracketed(bracketed)?,
            None => split_plain(text)?,
        };
        Ok(Self { host: host.to_owned(), port: port.map_or(Ok(DEFAULT_PORT), parse_port)? })
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(formatter, "[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "{}:{}", self.host, self.port)
        }
    }
}

/// Why a text is not the address of a server.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum AddressError {
    /// There is nothing but blanks.
    #[error("the address is empty")]
    Empty,

    /// The host is neither a name nor an address.
    #[error("the host is neither a name nor an address")]
    BadHost,

    /// An IPv6 address stands without its brackets, so its port cannot be told from it.
    #[error("an IPv6 address needs brackets")]
    Unbracketed,

    /// What stands after the colon is no port.
    #[error("the port is not a number from 1 to 65535")]
    BadPort,
}

fn split_bracketed(text: &str) -> Result<(&str, Option<&str>), AddressError> {
    let (host, rest) = text.split_once(']').ok_or(AddressError::BadHost)?;
    let (address, zone) = host.split_once('%').unwrap_or((host, "zone"));
    if address.parse::<Ipv6Addr>().is_err() || zone.is_empty() || zone.contains(char::is_whitespace)
    {
        return Err(AddressError::BadHost);
    }
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(AddressError::BadHost),
    }
}

fn split_plain(text: &str) -> Result<(&str, Option<&str>), AddressError> {
    let (host, port) = match text.split_once(':') {
        Some((_, port)) if port.contains(':') => return Err(AddressError::Unbracketed),
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    if is_ipv4(host) || is_host_name(host) { Ok((host, port)) } else { Err(AddressError::BadHost) }
}

fn parse_port(text: &str) -> Result<u16, AddressError> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AddressError::BadPort); // `parse` would take a leading plus.
    }
    match text.parse() {
        Ok(port) if 0 < port => Ok(port),
        Ok(_) | Err(_) => Err(AddressError::BadPort),
    }
}

fn is_ipv4(host: &str) -> bool {
    host.parse::<Ipv4Addr>().is_ok()
}

/// Letters of any alphabet, digits, hyphens and underscores between dots. A name whose last part
/// is a number would be taken for a mistyped IPv4 address, and so it is here.
fn is_host_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        let is_plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.chars().all(is_plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let ends_in_number = host.rsplit('.').next().is_some_and(|last| last.parse::<u64>().is_ok());
    host.len() <= HOST_BYTES_MAX && host.split('.').all(is_label) && !ends_in_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_person_may_type() {
        for (text, host, port) in [
            ("127.0.0.1:12345", "127.0.0.1", 12345),
            ("127.0.0.1", "127.0.0.1", DEFAULT_PORT),
            ("  10.0.0.7:1 ", "10.0.0.7", 1),
            ("[::1]", "::1", DEFAULT_PORT),
            ("[::1]:65535", "::1", 65535),
            ("[fe80::1%eth0]:80", "fe80::1%eth0", 80),
            ("localhost", "localhost", DEFAULT_PORT),
            ("chat.example.org:7000", "chat.example.org", 7000),
            ("chat.example.org.", "chat.example.org.", DEFAULT_PORT),
            ("чат.example", "чат.example", DEFAULT_PORT),
            ("my_host-2:007", "my_host-2", 7),
        ] {
            let address: ServerAddress = text.parse().expect(text);
            assert_eq!((address.host(), address.port()), (host, port), "{text}");
        }
    }

    #[test]
    fn shows_what_it_reads() {
        for (text, shown) in
            [("127.0.0.1", "127.0.0.1:12345"), ("[::1]", "[::1]:12345"), (" host:080", "host:80")]
        {
            let address: ServerAddress = text.parse().expect(text);
            assert_eq!(address.to_string(), shown);
            assert_eq!(shown.parse(), Ok(address));
        }
    }

    #[test]
    fn says_why_the_rest_is_no_address() {
        let long_label = "a".repeat(LABEL_BYTES_MAX + 1);
        let long_host = "a.".repeat(HOST_BYTES_MAX / 2 + 1) + "a";
        for (text, error) in [
            ("", AddressError::Empty),
            (" \t", AddressError::Empty),
            (":12345", AddressError::BadHost),
            ("two words", AddressError::BadHost),
            ("a..b", AddressError::BadHost),
            ("-a", AddressError::BadHost),
            ("a-.b", AddressError::BadHost),
            ("http//x", AddressError::BadHost),
            ("256.0.0.1", AddressError::BadHost),
            ("127.0.0", AddressError::BadHost),
            ("12345", AddressError::BadHost),
            (&long_label, AddressError::BadHost),
            (&long_host, AddressError::BadHost),
            ("[::1", AddressError::BadHost),
            ("[]", AddressError::BadHost),
            ("[127.0.0.1]", AddressError::BadHost),
            ("[::1]12345", AddressError::BadHost),
            ("[fe80::1%]", AddressError::BadHost),
            ("::1", AddressError::Unbracketed),
            ("fe80::1:12345", AddressError::Unbracketed),
            ("host:", AddressError::BadPort),
            ("host:0", AddressError::BadPort),
            ("host:+1", AddressError::BadPort),
            ("host:65536", AddressError::BadPort),
            ("host:99999999999999999999", AddressError::BadPort),
            ("[::1]:", AddressError::BadPort),
            ("host:port", AddressError::BadPort),
        ] {
            assert_eq!(text.parse::<ServerAddress>(), Err(error), "{text}");
        }
    }
}
