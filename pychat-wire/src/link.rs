//! A link to a server: `pychat://HOST[,HOST…][:PORT]/?name=NAME#pin=PIN&invite=CODE`.
//!
//! A link says where a server is, which certificate it has, and perhaps what lets its reader in: the
//! code of an invite, or that by which another device joins a person. Clients try its hosts in their
//! order. Pin and code stand in the fragment, which is sent to nobody.
//!
//! Links are written in ASCII (RFC 3986) and read with other letters too. Parameters that are not
//! known are passed over, and so is the path.

#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::{
    key::{InviteCode, PairCode, Pin},
    name::{NameError, UserName},
};

/// The port of a server whose link does not name one.
pub const DEFAULT_PORT: u16 = 12345;

/// The most bytes that a link may have.
pub const LINK_BYTES_MAX: usize = 4096;

/// The most hosts that a link may have.
pub const HOSTS_MAX: usize = 8;

/// The most characters of a domain, and of the part between two of its dots (RFC 1035).
const DOMAIN_CHARS_MAX: usize = 253;
const LABEL_CHARS_MAX: usize = 63;

const BEGIN: &str = "pychat://";

/// The characters that are escaped: all but those that need not be anywhere (RFC 3986, section 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A link to a server.
///
/// # Examples
///
/// ```
/// use pychat_wire::link::{Host, Link, LinkError};
///
/// let link: Link = "pychat://chat.example,[2001:db8::1]:7000/".parse()?;
/// assert_eq!(link.hosts[0], Host::Domain("chat.example".into()));
/// assert_eq!(link.port, 7000);
/// assert_eq!(link.to_string(), "pychat://chat.example,[2001:db8::1]:7000/");
/// # Ok::<(), LinkError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// The hosts of the server, the best one first. A link that was read has one at least, and at
    /// most [`HOSTS_MAX`].
    pub hosts: Vec<Host>,
    /// The port of all of them.
    pub port: u16,
    /// The name to join under.
    pub name: Option<UserName>,
    /// The pin of the server's certificate.
    pub pin: Option<Pin>,
    /// The code that lets the link's reader in.
    pub code: Option<Code>,
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

/// A code that lets somebody in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Code {
    /// A new person.
    Invite(InviteCode),
    /// Another device of the person whose name the link has.
    Pair(PairCode),
}

/// The reason why a text is no link.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum LinkError {
    /// It does not begin with `pychat://`.
    #[error("a link begins with {BEGIN}")]
    Scheme,

    /// It has more than [`LINK_BYTES_MAX`] bytes.
    #[error("a link has at most {LINK_BYTES_MAX} bytes")]
    TooLong,

    /// It has no host.
    #[error("the link has no host")]
    NoHost,

    /// It has more than [`HOSTS_MAX`] hosts.
    #[error("a link has at most {HOSTS_MAX} hosts")]
    TooManyHosts,

    /// A host is neither a domain nor an address; an IPv6 address needs brackets.
    #[error("a host of the link is neither a name nor an address")]
    BadHost,

    /// The text after the hosts is not a port.
    #[error("the port of the link is not a number from 1 to 65535")]
    BadPort,

    /// Nobody can have its name.
    #[error("the name in the link cannot be used: {0}")]
    BadName(NameError),

    /// A parameter is damaged, or is there more than once.
    #[error("{parameter:?} in the link is damaged")]
    BadParameter {
        /// The name of the parameter.
        parameter: &'static str,
    },

    /// There is an invite's code, and one of another device too.
    #[error("the link has codes of two kinds")]
    TwoCodes,
}

impl Default for Link {
    /// Returns a link to nowhere.
    fn default() -> Self {
        Self { hosts: Vec::new(), port: DEFAULT_PORT, name: None, pin: None, code: None }
    }
}

impl Code {
    /// Returns the code of an invite, if it is one.
    pub fn invite(self) -> Option<InviteCode> {
        match self {
            Self::Invite(code) => Some(code),
            Self::Pair(_) => None,
        }
    }

    /// Returns the code of another device, if it is one.
    pub fn pair(self) -> Option<PairCode> {
        match self {
            Self::Invite(_) => None,
            Self::Pair(code) => Some(code),
        }
    }
}

impl FromStr for Link {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        if LINK_BYTES_MAX < text.len() {
            return Err(LinkError::TooLong);
        }
        let begin = text.get(..BEGIN.len()).filter(|begin| begin.eq_ignore_ascii_case(BEGIN));
        let rest = &text[begin.ok_or(LinkError::Scheme)?.len()..];
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = rest.split('/').next().unwrap_or_default();
        let (user, place) = authority.rsplit_once('@').unwrap_or(("", authority));

        let (hosts, port) = parse_hosts(place)?;
        let mut parameters = Parameters::default();
        if !user.is_empty() {
            parameters.set_name(user)?;
        }
        for parameter in query.split('&').chain(fragment.split('&')) {
            parameters.read(parameter)?;
        }
        let Parameters { name, pin, invite, pair } = parameters;
        let code = match (invite, pair) {
            (Some(_), Some(_)) => return Err(LinkError::TwoCodes),
            (invite, pair) => invite.map(Code::Invite).or(pair.map(Code::Pair)),
        };
        Ok(Self { hosts, port: port.unwrap_or(DEFAULT_PORT), name, pin, code })
    }
}

impl fmt::Display for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(BEGIN)?;
        for (index, host) in self.hosts.iter().enumerate() {
            write!(formatter, "{}{host}", if index == 0 { "" } else { "," })?;
        }
        if self.port != DEFAULT_PORT {
            write!(formatter, ":{}", self.port)?;
        }
        formatter.write_str("/")?;
        if let Some(name) = &self.name {
            write!(formatter, "?name={}", utf8_percent_encode(name.as_str(), ESCAPED))?;
        }
        if let Some(pin) = &self.pin {
            write!(formatter, "#pin={pin}")?;
        }
        let separator = if self.pin.is_some() { '&' } else { '#' };
        match &self.code {
            Some(Code::Invite(code)) => write!(formatter, "{separator}invite={code}"),
            Some(Code::Pair(code)) => write!(formatter, "{separator}pair={code}"),
            None => Ok(()),
        }
    }
}

impl Serialize for Link {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Link {
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

impl Serialize for Host {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Reads `HOST[,HOST…][:PORT]`.
///
/// # Errors
///
/// [`LinkError`], as for a link.
pub fn parse_hosts(text: &str) -> Result<(Vec<Host>, Option<u16>), LinkError> {
    // The colons within brackets are of an address.
    let bracket = text.rfind(']').unwrap_or_default();
    let (hosts, port) = match text[bracket..].find(':') {
        Some(colon) => {
            let (hosts, port) = text.split_at(bracket + colon);
            (hosts, Some(parse_port(&port[1..])?))
        }
        None => (text, None),
    };
    if hosts.is_empty() {
        return Err(LinkError::NoHost);
    }
    if HOSTS_MAX < hosts.split(',').count() {
        return Err(LinkError::TooManyHosts);
    }
    let hosts = hosts.split(',').map(str::parse).collect::<Result<_, _>>()?;
    Ok((hosts, port))
}

fn parse_port(text: &str) -> Result<u16, LinkError> {
    // `parse` would take a leading plus.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| is_number && *port != 0);
    port.ok_or(LinkError::BadPort)
}

/// The parameters of a link that are known.
#[derive(Default)]
struct Parameters {
    name: Option<UserName>,
    pin: Option<Pin>,
    invite: Option<InviteCode>,
    pair: Option<PairCode>,
}

impl Parameters {
    /// Takes note of `KEY=VALUE`.
    fn read(&mut self, parameter: &str) -> Result<(), LinkError> {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match key {
            "name" => self.set_name(value),
            "pin" => set(&mut self.pin, "pin", value),
            "invite" => set(&mut self.invite, "invite", value),
            "pair" => set(&mut self.pair, "pair", value),
            _ => Ok(()),
        }
    }

    fn set_name(&mut self, value: &str) -> Result<(), LinkError> {
        const DAMAGED: LinkError = LinkError::BadParameter { parameter: "name" };

        let name = UserName::new(&decode(value).ok_or(DAMAGED)?).map_err(LinkError::BadName)?;
        if self.name.replace(name).is_some() { Err(DAMAGED) } else { Ok(()) }
    }
}

/// Sets a parameter, once.
fn set<T: FromStr>(
    to: &mut Option<T>,
    parameter: &'static str,
    value: &str,
) -> Result<(), LinkError> {
    let value = decode(value).and_then(|value| value.parse().ok());
    let value = value.filter(|_| to.is_none()).ok_or(LinkError::BadParameter { parameter })?;
    *to = Some(value);
    Ok(())
}

/// Returns `text` without its escapes; `None` if it is not UTF-8 then.
fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
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
