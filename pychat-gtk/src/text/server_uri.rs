//! A link to a chat, as [`Link`] reads it, or whatever else people paste where a server is asked for.
//!
//! A link comes from somebody else: it only says where to, and nothing is done until its reader
//! wants that.

use std::str::FromStr;

use pychat_wire::{
    key::Pin,
    link::{Code, Link, LinkError},
};

use crate::text::{
    is_invisible,
    server_address::{AddressError, ServerAddress},
};

/// The beginning of links to chats.
const LINK_BEGIN: &str = "pychat://";

/// The prefixes that people put before an address that they know from a browser.
const WEB_SCHEMES: [&str; 2] = ["http://", "https://"];

/// The parts of a link beside a server and a name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Access {
    /// The other addresses at which the server may be, in the order in which they are tried.
    pub others: Vec<ServerAddress>,
    /// The pin of the server's certificate.
    pub pin: Option<Pin>,
    /// The code that lets its reader in.
    pub code: Option<Code>,
    /// True if it is no link, but was found in the network, where anybody may say anything.
    pub is_found: bool,
}

/// A server, and perhaps a name to join under.
///
/// # Examples
///
/// ```
/// use pychat_gtk::text::{server_address::AddressError, server_uri::ServerUri};
///
/// let link: ServerUri = "pychat://anna@chat.example:7000".parse()?;
/// assert_eq!(link.name(), Some("anna"));
/// assert_eq!(link.server().to_string(), "chat.example:7000");
/// # Ok::<(), AddressError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerUri {
    name: Option<String>,
    server: ServerAddress,
    access: Access,
}

impl ServerUri {
    /// Returns true if `text` is a link to a chat, or means to be.
    pub fn is_link(text: &str) -> bool {
        has_prefix(text, LINK_BEGIN)
    }

    /// Reads what somebody types or pastes where a server is asked for: an address, a link to a
    /// chat, or an address as a browser has it.
    ///
    /// # Errors
    ///
    /// [`AddressError`], as for a link or an address.
    pub fn from_typed(text: &str) -> Result<Self, AddressError> {
        let text = text.trim_matches(|it: char| it.is_whitespace() || is_invisible(it));
        if Self::is_link(text) {
            return text.parse();
        }
        let scheme = WEB_SCHEMES.iter().find(|scheme| has_prefix(text, scheme));
        let scheme = scheme.copied().unwrap_or_default();
        let place = text[scheme.len()..].split(['/', '?', '#']).next().unwrap_or_default();
        let (name, address) = match place.rsplit_once('@') {
            Some((name, address)) => (Some(name), address),
            None => (None, place),
        };
        let name = name.map(str::trim).filter(|it| !it.is_empty()).map(ToOwned::to_owned);
        Ok(Self { name, server: address.parse()?, access: Access::default() })
    }

    /// Returns the name to join under, if the link has one; it is not checked.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the server.
    pub fn server(&self) -> &ServerAddress {
        &self.server
    }

    /// Returns what else the link has.
    pub fn access(&self) -> Access {
        self.access.clone()
    }
}

impl From<&ServerAddress> for ServerUri {
    fn from(server: &ServerAddress) -> Self {
        Self { name: None, server: server.clone(), access: Access::default() }
    }
}

impl FromStr for ServerUri {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let link: Link = text.parse().map_err(|error| match error {
            LinkError::NoHost => AddressError::Empty,
            LinkError::BadHost | LinkError::Scheme => AddressError::BadHost,
            LinkError::BadPort => AddressError::BadPort,
            _ => AddressError::BadLink,
        })?;
        let addresses: Result<Vec<_>, _> = link.addresses.iter().map(TryInto::try_into).collect();
        let mut addresses = addresses?.into_iter();
        let server = addresses.next().ok_or(AddressError::Empty)?;
        let name = link.name.map(|name| name.as_str().to_owned());
        let access =
            Access { others: addresses.collect(), pin: link.pin, code: link.code, is_found: false };
        Ok(Self { name, server, access })
    }
}

/// Returns true if `text` begins with `prefix`, in letters of either case.
fn has_prefix(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use pychat_wire::key::PairCode;

    use super::*;

    #[test]
    fn a_link_has_a_server_and_perhaps_a_name() {
        for (link, name, server) in [
            ("pychat://chat.example", None, "chat.example:12345"),
            ("pychat://chat.example:7000/", None, "chat.example:7000"),
            ("pychat://anna@127.0.0.1:7000", Some("anna"), "127.0.0.1:7000"),
            ("PYCHAT://anna@[::1]:7000", Some("anna"), "[::1]:7000"),
            ("pychat://anna@[::1]", Some("anna"), "[::1]:12345"),
            ("pychat://%D0%90%D0%BD%D0%BD%D0%B0@host", Some("Анна"), "host:12345"),
            ("pychat://Анна@host", Some("Анна"), "host:12345"),
            ("pychat://a%20b@host", Some("a b"), "host:12345"),
            (
                "pychat://host,10.0.0.7:7000/?name=%D0%90%D0%BD%D0%BD%D0%B0",
                Some("Анна"),
                "host:7000",
            ),
            ("pychat://host:7,b:8", None, "host:7"),
            ("pychat://host,b:8", None, "host:8"),
            ("pychat://@host", None, "host:12345"),
            ("pychat://Чат.Пример:7000", None, "чат.пример:7000"),
            ("pychat://xn--80a0bn.example", None, "чат.example:12345"),
        ] {
            let parsed: ServerUri = link.parse().expect(link);
            assert_eq!((parsed.name(), parsed.server().to_string().as_str()), (name, server));
        }
    }

    #[test]
    fn a_link_may_let_somebody_in() {
        let (pin, code) = (Pin([7; 32]), PairCode([9; 16]));
        let link = format!("pychat://host/?name=anna#pin={pin}&pair={code}");
        for parsed in [link.parse(), ServerUri::from_typed(&format!(" {link}\n"))] {
            let access = parsed.expect("a link").access();
            let code = Some(Code::Pair(code));
            assert_eq!(access, Access { pin: Some(pin), code, ..Access::default() });
        }
        let typed = ServerUri::from_typed("http://host/#pin=1").expect("an address");
        assert_eq!(typed.access(), Access::default());
    }

    #[test]
    fn a_server_is_what_people_paste() {
        for (text, name, server) in [
            ("chat.example", None, "chat.example:12345"),
            (" 192.168.1.7:7000\n", None, "192.168.1.7:7000"),
            ("pychat://anna@127.0.0.1:21399", Some("anna"), "127.0.0.1:21399"),
            (" pychat://chat.example/ ", None, "chat.example:12345"),
            ("http://127.0.0.1:12345/", None, "127.0.0.1:12345"),
            ("HTTPS://Chat.Example/room?x#y", None, "chat.example:12345"),
            ("http://[::1]:80", None, "[::1]:80"),
            ("chat.example:7000/", None, "chat.example:7000"),
            ("anna@chat.example", Some("anna"), "chat.example:12345"),
            ("127.0.0.1 : 7000", None, "127.0.0.1:7000"),
            ("127.0.0.1 7000", None, "127.0.0.1:7000"),
            ("１２７.０.０.１：７０００", None, "127.0.0.1:7000"),
        ] {
            let typed = ServerUri::from_typed(text).expect(text);
            assert_eq!((typed.name(), typed.server().to_string().as_str()), (name, server));
        }
        for (text, expected) in [
            ("", AddressError::Empty),
            ("http://", AddressError::Empty),
            ("ftp://host", AddressError::BadPort),
            ("pychat://", AddressError::Empty),
            ("fe80::1", AddressError::Unbracketed),
        ] {
            assert_eq!(ServerUri::from_typed(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_link_is_refused() {
        for (link, expected) in [
            ("", AddressError::BadHost),
            ("chat.example:7000", AddressError::BadHost),
            ("http://chat.example", AddressError::BadHost),
            ("pychat:chat.example", AddressError::BadHost),
            ("pychat://", AddressError::Empty),
            ("pychat://anna@", AddressError::Empty),
            ("pychat://host:0", AddressError::BadPort),
            ("pychat://host:70000", AddressError::BadPort),
            ("pychat://ho st", AddressError::BadHost),
            ("pychat://%00@host", AddressError::BadLink),
            ("pychat://host/#pair=1", AddressError::BadLink),
        ] {
            assert_eq!(link.parse::<ServerUri>(), Err(expected), "{link}");
        }
    }
}
