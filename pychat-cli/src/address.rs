//! The address of a server, as a person or a link says it.

use std::env;

use pychat_wire::{
    Link,
    link::{Address, Host, parse_addresses},
};

use crate::failure::Failure;

/// The variable that names the server where no argument does.
pub(crate) const SERVER_VARIABLE: &str = "PYCHAT_SERVER";

/// Reads `HOST[:PORT][,HOST[:PORT]…]` or a link.
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
    Ok(Link { addresses: parse_addresses(text).map_err(wrong)?, ..Link::default() })
}

/// Returns the server that the environment names, if it names one.
pub(crate) fn from_environment() -> Option<String> {
    env::var(SERVER_VARIABLE).ok().filter(|text| !text.trim().is_empty())
}

/// Returns an address for people and files.
pub(crate) fn shown(Address { host, port }: &Address) -> String {
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
        for (text, addresses) in [
            ("chat.example", "chat.example:12345"),
            (" Chat.Example:7000", "chat.example:7000"),
            ("[::1]:7", "[::1]:7"),
            ("a,[::1]:7,b:8", "a:8 [::1]:7 b:8"),
            ("чат.рф", "чат.рф:12345"),
            ("pychat://anna@10.0.0.1,b/#invite=AAAAAAAAAAAAAAAAAAAAAA", "10.0.0.1:12345 b:12345"),
        ] {
            let link = parse(text).expect("a server");
            let shown: Vec<_> = link.addresses.iter().map(shown).collect();
            assert_eq!(shown.join(" "), addresses);
        }
        for text in ["", ":1", "a:0", "http://a", "a b", "::1", "a,", "a:x,b"] {
            assert!(matches!(parse(text), Err(Failure::Usage(_))), "{text:?}");
        }
    }
}
