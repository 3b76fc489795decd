//! The address of a server, as a person or a link says it.

use std::env;

use pychat_wire::{
    Link,
    link::{DEFAULT_PORT, Host, parse_hosts},
};

use crate::failure::Failure;

/// The variable that names the server where no argument does.
pub(crate) const SERVER_VARIABLE: &str = "PYCHAT_SERVER";

/// Reads `HOST[:PORT]` or a link.
///
/// # Errors
///
/// [`Failure::Usage`] if it is neither.
pub(crate) fn parse(text: &str) -> Result<Link, Failure> {
    let text = text.trim();
    let wrong = |error| Failure::Usage(format!("{text:?} is no server: {error}"));
    if text.contains("://") {
        return text.parse().map_err(wrong);
    }
    let (hosts, port) = parse_hosts(text).map_err(wrong)?;
    Ok(Link { hosts, port: port.unwrap_or(DEFAULT_PORT), ..Link::default() })
}

/// Returns the server that the environment names, if it names one.
pub(crate) fn from_environment() -> Option<String> {
    env::var(SERVER_VARIABLE).ok().filter(|text| !text.trim().is_empty())
}

/// Returns one host of a server with its port, for people and files.
pub(crate) fn shown(host: &Host, port: u16) -> String {
    match host {
        Host::Domain(domain) => format!("{domain}:{port}"),
        Host::Ip(_) => format!("{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_host_or_a_link() {
        for (text, first, port) in [
            ("chat.example", "chat.example:12345", 12345),
            (" Chat.Example:7000", "chat.example:7000", 7000),
            ("[::1]:7", "[::1]:7", 7),
            ("pychat://anna@10.0.0.1/#invite=AAAAAAAAAAAAAAAAAAAAAA", "10.0.0.1:12345", 12345),
        ] {
            let link = parse(text).expect("a server");
            assert_eq!(shown(&link.hosts[0], link.port), first);
            assert_eq!(link.port, port);
        }
        for text in ["", ":1", "a:0", "http://a", "a b", "::1"] {
            assert!(matches!(parse(text), Err(Failure::Usage(_))), "{text:?}");
        }
    }
}
