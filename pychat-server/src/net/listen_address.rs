//! Addresses to listen on, as people write them.

use std::{net::Ipv6Addr, str::FromStr};

use thiserror::Error;

/// The port of the original program.
pub const PORT_DEFAULT: u16 = 12_345;

/// An address to listen on: a host, as a name or a literal address, and a port.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListenAddress {
    /// A name, an IPv4 address, or an IPv6 address, perhaps with a scope (`fe80::1%eth0`).
    pub host: String,
    /// The port; the system chooses one if zero.
    pub port: u16,
}

/// The reason why a text is not a [`ListenAddress`].
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum ListenAddressError {
    /// It has no host.
    #[error("the address is missing; write ADDRESS:PORT, such as 127.0.0.1:12345 or [::1]:12345")]
    NoHost,
    /// An IPv6 address stands there without brackets.
    #[error("an IPv6 address needs brackets, such as [::1]:12345")]
    NoBrackets,
    /// The text in brackets is not an IPv6 address.
    #[error("not an IPv6 address in the brackets; write [::1]:12345 or [fe80::1%eth0]:12345")]
    BadBrackets,
    /// The port is not a number that ports have.
    #[error("the port should be a number from 0 to 65535; write ADDRESS:PORT")]
    BadPort,
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or(ListenAddressError::BadBrackets)?;
            let (address, scope) = host.split_once('%').unwrap_or((host, "1"));
            if address.parse::<Ipv6Addr>().is_err() || scope.is_empty() {
                return Err(ListenAddressError::BadBrackets);
            }
            let port = rest.strip_prefix(':').or(rest.is_empty().then_some(""));
            (host, port.ok_or(ListenAddressError::BadPort)?)
        } else if text.parse::<Ipv6Addr>().is_ok() {
            return Err(ListenAddressError::NoBrackets);
        } else {
            text.split_once(':').unwrap_or((text, ""))
        };
        if host.is_empty() {
            return Err(ListenAddressError::NoHost);
        }
        let port = match port {
            "" if text.ends_with(':') => return Err(ListenAddressError::BadPort),
            "" => PORT_DEFAULT,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| ListenAddressError::BadPort)?
            }
            _ => return Err(ListenAddressError::BadPort),
        };
        Ok(Self { host: host.to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let good = |host: &str, port| Ok(ListenAddress { host: host.to_owned(), port });
        for (text, address) in [
            ("127.0.0.1:7000", good("127.0.0.1", 7_000)),
            ("127.0.0.1", good("127.0.0.1", PORT_DEFAULT)),
            ("[::1]:7000", good("::1", 7_000)),
            ("[::1]", good("::1", PORT_DEFAULT)),
            ("[fe80::1%eth0]:7000", good("fe80::1%eth0", 7_000)),
            ("[fe80::1%2]", good("fe80::1%2", PORT_DEFAULT)),
            ("[fe80::1%]:1", Err(ListenAddressError::BadBrackets)),
            ("[localhost%1]:1", Err(ListenAddressError::BadBrackets)),
            ("localhost:0", good("localhost", 0)),
            ("chat.example:65535", good("chat.example", 65_535)),
            ("", Err(ListenAddressError::NoHost)),
            (":7000", Err(ListenAddressError::NoHost)),
            ("::1", Err(ListenAddressError::NoBrackets)),
            ("[::1", Err(ListenAddressError::BadBrackets)),
            ("[localhost]:1", Err(ListenAddressError::BadBrackets)),
            ("[::1]7000", Err(ListenAddressError::BadPort)),
            ("[::1]:", Err(ListenAddressError::BadPort)),
            ("localhost:", Err(ListenAddressError::BadPort)),
            ("localhost:65536", Err(ListenAddressError::BadPort)),
            ("localhost:+7000", Err(ListenAddressError::BadPort)),
            ("localhost:http", Err(ListenAddressError::BadPort)),
            ("a:b:1", Err(ListenAddressError::BadPort)),
        ] {
            assert_eq!(text.parse(), address, "{text}");
        }
    }
}
