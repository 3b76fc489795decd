//! A link to a chat: `pychat://HOST[:PORT][,HOST[:PORT]…]/?name=NAME#pin=PIN&invite=CODE`.
//!
//! A link says where the servers of a chat are, which certificate they have, and perhaps what lets its
//! reader in: the code of an invite, or that by which another device joins a person. Clients first try its
//! addresses in their order. Pin and code stand in the fragment, which is sent to nobody.
//!
//! Links are written in ASCII (RFC 3986) and read with other letters too. Parameters that are not
//! known are passed over, and so is the path.

mod address;
#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

pub use self::address::{
    ADDRESS_BYTES_MAX, Address, DEFAULT_PORT, Host, parse_addresses, parse_host_port,
};
use crate::{
    key::{InviteCode, PairCode, Pin},
    name::{NameError, UserName},
};

/// The most bytes that a link may have.
pub const LINK_BYTES_MAX: usize = 4096;

/// The most addresses that a link may have, and the most servers of which a client is told.
pub const ADDRESSES_MAX: usize = 16;

const BEGIN: &str = "pychat://";

/// The characters that are escaped: all but those that need not be anywhere (RFC 3986, section 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A link to a chat.
///
/// # Examples
///
/// ```
/// use pychat_wire::link::{Host, Link, LinkError};
///
/// let link: Link = "pychat://chat.example,b.example:7001,[2001:db8::1]:7000/".parse()?;
/// assert_eq!(link.addresses[0].host, Host::Domain("chat.example".into()));
/// assert_eq!([0, 1, 2].map(|n| link.addresses[n].port), [7000, 7001, 7000]);
/// assert_eq!(link.to_string(), "pychat://chat.example,b.example:7001,[2001:db8::1]:7000/");
/// # Ok::<(), LinkError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Link {
    /// The addresses of the chat's servers, the best one first. A link that was read has one at least,
    /// and at most [`ADDRESSES_MAX`].
    pub addresses: Vec<Address>,
    /// The name to join under.
    pub name: Option<UserName>,
    /// The pin of the server's certificate.
    pub pin: Option<Pin>,
    /// The code that lets the link's reader in.
    pub code: Option<Code>,
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

    /// It has more than [`ADDRESSES_MAX`] hosts.
    #[error("a link has at most {ADDRESSES_MAX} hosts")]
    TooManyHosts,

    /// A host is neither a domain nor an address; an IPv6 address needs brackets.
    #[error("a host of the link is neither a name nor an address")]
    BadHost,

    /// The text after a host is not a port.
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

        let addresses = parse_addresses(place)?;
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
        Ok(Self { addresses, name, pin, code })
    }
}

impl fmt::Display for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(BEGIN)?;
        address::write_all(&self.addresses, formatter)?;
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
