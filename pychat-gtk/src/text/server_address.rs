//! Where a server is: what a person may type, and what it means.
//!
//! This module is pure; whether the host exists is found out by connecting. A [`ServerAddress`]
//! can only be had checked.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use pychat_wire::link::{Address, Host};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

use crate::text::{host_name, is_invisible};

/// The port of a server whose address does not name one.
pub const DEFAULT_PORT: u16 = 12345;

/// The number of parts of an IPv6 address that leaves none out.
const IPV6_PARTS: usize = 8;

/// A host and a port.
///
/// # Examples
///
/// ```
/// use pychat_gtk::text::server_address::{AddressError, ServerAddress};
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

    /// Returns it as links have it; `None` for one that only this computer understands, as it has a
    /// zone.
    pub fn to_link_address(&self) -> Option<Address> {
        let host = match self.host.parse() {
            Ok(address) => Host::Ip(address),
            Err(_) => self.host.parse().ok()?,
        };
        Some(Address { host, port: self.port })
    }

    /// Returns what is enough to tell it from others: without the port, if that is
    /// [`DEFAULT_PORT`].
    pub fn brief(&self) -> String {
        match (self.port, self.host.contains(':')) {
            (DEFAULT_PORT, true) => format!("[{}]", self.host),
            (DEFAULT_PORT, false) => self.host.clone(),
            _ => self.to_string(),
        }
    }
}

impl TryFrom<&Address> for ServerAddress {
    type Error = AddressError;

    /// Takes it from a link.
    fn try_from(Address { host, port }: &Address) -> Result<Self, AddressError> {
        match host {
            Host::Domain(domain) => format!("{domain}:{port}").parse(),
            Host::Ip(_) => format!("{host}:{port}").parse(),
        }
    }
}

impl FromStr for ServerAddress {
    type Err = AddressError;

    /// Reads `HOST`, `HOST:PORT`, `HOST PORT`, `[IPV6]`, `[IPV6]:PORT` or `IPV6`; blanks around the
    /// parts do not matter, nor how they are spelled: one host is one address.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim_matches(|it: char| it.is_whitespace() || is_invisible(it));
        let text = &plain(text);
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(bracketed) => split_bracketed(bracketed)?,
            None => split_plain(text)?,
        };
        Ok(Self { host, port: port.map_or(Ok(DEFAULT_PORT), parse_port)? })
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

/// The reason why a text is not the address of a server.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum AddressError {
    /// There is nothing but blanks.
    #[error("the address is empty")]
    Empty,

    /// The host is neither a name nor an address.
    #[error("the host is neither a name nor an address")]
    BadHost,

    /// An IPv6 address stands without its brackets, so a port cannot be told from it.
    #[error("an IPv6 address needs brackets")]
    Unbracketed,

    /// A link is damaged: something beside its host and port is not as it should be.
    #[error("the link is damaged")]
    BadLink,

    /// The text after the colon is not a port.
    #[error("the port is not a number from 1 to 65535")]
    BadPort,
}

/// Returns `text` in the digits, letters and signs of ASCII where it has others of them, as keyboards
/// of East Asia do, and with a colon alone between host and port.
fn plain(text: &str) -> String {
    let text: String = text.nfkc().collect();
    let parts: Vec<_> = text.split(':').map(str::trim).collect();
    let text = parts.join(":");
    match text.split_once(char::is_whitespace) {
        Some((host, port)) if !host.contains(':') && is_digits(port.trim()) => {
            format!("{host}:{}", port.trim())
        }
        _ => text,
    }
}

/// Returns true if there is nothing but digits, and at least one.
fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn split_bracketed(text: &str) -> Result<(String, Option<&str>), AddressError> {
    let (host, rest) = text.split_once(']').ok_or(AddressError::BadHost)?;
    let host = ipv6(host).ok_or(AddressError::BadHost)?;
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(AddressError::BadHost),
    }
}

fn split_plain(text: &str) -> Result<(String, Option<&str>), AddressError> {
    if let Some(host) = ipv6(text) {
        // The last part of a full address cannot be a port too; that of a short one can.
        let is_clear = text.split(':').count() == IPV6_PARTS && !text.contains("::");
        return if is_clear { Ok((host, None)) } else { Err(AddressError::Unbracketed) };
    }
    let (host, port) = match text.split_once(':') {
        Some((_, port)) if port.contains(':') => {
            let is_digit = |it: char| it.is_ascii_hexdigit() || it == ':' || it == '.';
            let is_like_one = text.chars().all(is_digit);
            return Err(if is_like_one {
                AddressError::Unbracketed
            } else {
                AddressError::BadHost
            });
        }
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let ipv4 = host.parse::<Ipv4Addr>().ok().map(|it| it.to_string());
    let host = ipv4.or_else(|| host_name::normalized(host)).ok_or(AddressError::BadHost)?;
    Ok((host, port))
}

/// Returns the one spelling of an IPv6 address, with its zone; `None` if it is none.
fn ipv6(text: &str) -> Option<String> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    let address: Ipv6Addr = address.parse().ok()?;
    match zone {
        None => Some(address.to_string()),
        Some(zone) if zone.is_empty() || zone.contains(char::is_whitespace) => None,
        Some(zone) => Some(format!("{address}%{zone}")),
    }
}

fn parse_port(text: &str) -> Result<u16, AddressError> {
    if !is_digits(text) {
        return Err(AddressError::BadPort); // `parse` would take a leading plus.
    }
    match text.parse() {
        Ok(port) if 0 < port => Ok(port),
        Ok(_) | Err(_) => Err(AddressError::BadPort),
    }
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
            ("Chat.Example.org.", "chat.example.org", DEFAULT_PORT),
            ("LOCALHOST", "localhost", DEFAULT_PORT),
            ("чат.example", "чат.example", DEFAULT_PORT),
            ("xn--80a0bn.example:1", "чат.example", 1),
            ("\u{200B}host\u{A0}", "host", DEFAULT_PORT),
            ("[0:0:0:0:0:0:0:1]:80", "::1", 80),
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1", DEFAULT_PORT),
            ("my_host-2:007", "my_host-2", 7),
        ] {
            let address: ServerAddress = text.parse().expect(text);
            assert_eq!((address.host(), address.port()), (host, port), "{text}");
        }
    }

    #[test]
    fn a_link_has_the_address_too() {
        for (text, linked) in [
            ("127.0.0.1", Some("127.0.0.1:12345")),
            ("[2001:db8::1]:7", Some("[2001:db8::1]:7")),
            ("[fe80::1%eth0]", None),
            ("xn--80a0bn.example", Some("%D1%87%D0%B0%D1%82.example:12345")),
        ] {
            let address: ServerAddress = text.parse().expect(text);
            let link = address.to_link_address();
            assert_eq!(link.as_ref().map(ToString::to_string).as_deref(), linked);
            if let Some(link) = link {
                assert_eq!(ServerAddress::try_from(&link), Ok(address));
            }
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
        let long_label = "a".repeat(64);
        let long_host = "a.".repeat(127) + "a";
        for (text, error) in [
            ("", AddressError::Empty),
            (" \t", AddressError::Empty),
            (":12345", AddressError::BadHost),
            ("two words", AddressError::BadHost),
            ("a..b", AddressError::BadHost),
            ("-a", AddressError::BadHost),
            ("a-.b", AddressError::BadHost),
            ("http//x", AddressError::BadHost),
            ("host:1:2", AddressError::BadHost),
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
