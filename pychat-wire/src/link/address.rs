//! Where a server may be reached: a host and a port, as links and servers spell them.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use super::{ADDRESSES_MAX, ESCAPED, LinkError, decode};

/// The port of a server whose address does not name one.
pub const DEFAULT_PORT: u16 = 12345;

/// The most bytes of an address that a server tells.
pub const ADDRESS_BYTES_MAX: usize = 512;

/// The most characters of a domain, and of the part between two of its dots (RFC 1035).
const DOMAIN_CHARS_MAX: usize = 253;
const LABEL_CHARS_MAX: usize = 63;

/// The domain of the machine itself (RFC 6761, section 6.3), and the end of those below it.
const LOCALHOST: &str = "localhost";
const LOCALHOST_END: &str = ".localhost";

/// The address of a server.
///
/// # Examples
///
/// ```
/// use pychat_wire::link::{Address, LinkError};
///
/// let address: Address = "Chat.Example".parse()?;
/// assert_eq!(address.to_string(), "chat.example:12345");
/// # Ok::<(), LinkError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Address {
    /// The host.
    pub host: Host,
    /// The port, which is not 0.
    pub port: u16,
}

/// A host: where a server may be reached.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Host {
    /// A domain in small letters, without a dot at its end. It may hold letters of any script;
    /// whether the network knows it is for its resolver to say.
    Domain(String),
    /// An address.
    Ip(IpAddr),
}

impl Address {
    /// Returns true if it means another machine, or nobody, on each machine: a client takes it from none
    /// but a server of its own machine.
    pub fn is_of_one_machine(&self) -> bool {
        match &self.host {
            Host::Domain(domain) => domain == LOCALHOST || domain.ends_with(LOCALHOST_END),
            Host::Ip(ip) => {
                let ip = ip.to_canonical();
                let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
                ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || is_broadcast
            }
        }
    }
}

impl FromStr for Address {
    type Err = LinkError;

    /// Reads `HOST` or `HOST:PORT`, as they stand in a link.
    fn from_str(text: &str) -> Result<Self, LinkError> {
        let (host, port) = parse_host_port(text)?;
        Ok(Self { host, port: port.unwrap_or(DEFAULT_PORT) })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl FromStr for Host {
    type Err = LinkError;

    /// Reads a domain, an IPv4 address, or an IPv6 address in brackets, as they stand in a link.
    fn from_str(text: &str) -> Result<Self, LinkError> {
        if let Some(bracketed) = text.strip_prefix('[') {
            let address = bracketed.strip_suffix(']').and_then(|it| it.parse::<Ipv6Addr>().ok());
            return address.map(|it| Self::Ip(it.into())).ok_or(LinkError::BadHost);
        }
        let domain = decode(text).ok_or(LinkError::BadHost)?.to_lowercase();
        let domain = domain.strip_suffix('.').unwrap_or(&domain);
        match domain.parse() {
            Ok(IpAddr::V4(address)) => Ok(Self::Ip(address.into())),
            _ if is_domain(domain) => Ok(Self::Domain(domain.to_owned())),
            _ => Err(LinkError::BadHost),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => utf8_percent_encode(domain, ESCAPED).fmt(formatter),
            Self::Ip(IpAddr::V4(address)) => address.fmt(formatter),
            Self::Ip(IpAddr::V6(address)) => write!(formatter, "[{address}]"),
        }
    }
}

/// Reads `HOST[:PORT][,HOST[:PORT]…]`, whose last port is that of all hosts without one.
///
/// # Errors
///
/// [`LinkError`], as for a link.
pub fn parse_addresses(text: &str) -> Result<Vec<Address>, LinkError> {
    if ADDRESSES_MAX < text.split(',').count() {
        return Err(LinkError::TooManyHosts);
    }
    let parsed = text.split(',').map(parse_host_port).collect::<Result<Vec<_>, _>>();
    let parsed = parsed.map_err(|error| match error {
        // Of several, one that is missing is a mistake.
        LinkError::NoHost if text.contains(',') => LinkError::BadHost,
        error => error,
    })?;
    let last = parsed.last().and_then(|(_, port)| *port).unwrap_or(DEFAULT_PORT);
    let address = |(host, port): (Host, Option<u16>)| Address { host, port: port.unwrap_or(last) };
    Ok(parsed.into_iter().map(address).collect())
}

/// Reads `HOST` or `HOST:PORT`.
///
/// # Errors
///
/// [`LinkError`], as for a link.
pub fn parse_host_port(text: &str) -> Result<(Host, Option<u16>), LinkError> {
    // The colons within brackets are of an address.
    let bracket = text.rfind(']').unwrap_or_default();
    let (host, port) = match text[bracket..].find(':') {
        Some(colon) => {
            let (host, port) = text.split_at(bracket + colon);
            (host, Some(parse_port(&port[1..])?))
        }
        None => (text, None),
    };
    if host.is_empty() {
        return Err(LinkError::NoHost);
    }
    Ok((host.parse()?, port))
}

/// Writes addresses as [`parse_addresses`] reads them: each port that is not the last one's with its host.
pub(super) fn write_all(addresses: &[Address], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Some((last, others)) = addresses.split_last() else { return Ok(()) };
    for Address { host, port } in others {
        write!(formatter, "{host}")?;
        if *port != last.port {
            write!(formatter, ":{port}")?;
        }
        formatter.write_str(",")?;
    }
    write!(formatter, "{}", last.host)?;
    if last.port == DEFAULT_PORT { Ok(()) } else { write!(formatter, ":{}", last.port) }
}

fn parse_port(text: &str) -> Result<u16, LinkError> {
    // `parse` would take a leading plus.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| is_number && *port != 0);
    port.ok_or(LinkError::BadPort)
}

/// Returns true if a resolver may be asked for `text`. A number at the end is one of an IPv4 address
/// that is none.
fn is_domain(text: &str) -> bool {
    let is_of_word = |it: char| {
        it.is_ascii_alphanumeric()
            || matches!(it, '-' | '_')
            || (!it.is_ascii() && is_letter_mark_or_number(it))
    };
    let is_label = |label: &str| {
        (1..=LABEL_CHARS_MAX).contains(&label.chars().count())
            && label.chars().all(is_of_word)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let ends_in_number =
        text.rsplit('.').next().is_some_and(|last| last.bytes().all(|it| it.is_ascii_digit()));
    text.chars().count() <= DOMAIN_CHARS_MAX && !ends_in_number && text.split('.').all(is_label)
}

fn is_letter_mark_or_number(it: char) -> bool {
    matches!(
        it.general_category_group(),
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark | GeneralCategoryGroup::Number
    )
}
