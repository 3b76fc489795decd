//! Where others reach the server, and the other servers of its chat.

use pychat_wire::link::ADDRESSES_MAX;

use super::{ConfigError, settings::Settings, values};
use crate::net::reach::Reach;

const SERVERS: &str = "servers";

/// The most bytes of all servers that are told of: every greeting has them.
const SERVERS_BYTES_MAX: usize = 2_048;

/// Reads where others reach the server.
pub(super) fn reach(settings: &Settings) -> Result<Reach, ConfigError> {
    let public = settings.one("public-address", None, |text| Ok(Some(text.parse()?)))?;
    let servers = settings.all(SERVERS, values::server)?;
    if ADDRESSES_MAX < servers.len() {
        return Err(ConfigError::TooMany(SERVERS, ADDRESSES_MAX));
    }
    if SERVERS_BYTES_MAX < servers.iter().map(|server| server.to_string().len()).sum() {
        return Err(ConfigError::TooLong(SERVERS, SERVERS_BYTES_MAX));
    }
    Ok(Reach { public, servers })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::read;

    #[test]
    fn where_others_reach_the_server_is_for_the_operator_to_say() {
        assert_eq!(read(&[], &[]).unwrap().reach, Reach::default());
        let variables = [
            ("PYCHAT_PUBLIC_ADDRESS", "chat.example.org:443"),
            ("PYCHAT_SERVERS", "A.example.org, [2001:db8::1]:7"),
        ];
        let reach = read(&[], &variables).unwrap().reach;
        assert_eq!(reach.public, Some("chat.example.org:443".parse().unwrap()));
        let servers: Vec<_> = reach.servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["a.example.org:12345", "[2001:db8::1]:7"]);
    }

    #[test]
    fn mistakes_are_named() {
        let many = format!("--servers={}", ["a"; ADDRESSES_MAX + 1].join(","));
        let label = "a".repeat(50);
        let long: Vec<_> = (0..16).map(|n| format!("{label}.{label}.{label}.x{n}")).collect();
        let long = format!("--servers={}", long.join(","));
        for (flag, message) in [
            (
                "--servers=a,b:0",
                "--servers b:0: write HOST or HOST:PORT, such as a.example.org or ",
            ),
            ("--servers=2001:db8::1", "--servers 2001:db8::1: write HOST or HOST:PORT, such as "),
            (&many, "servers has more than 16 entries"),
            (&long, "servers has more than 2048 bytes in all"),
            (
                "--public-address=https://chat.example.org/",
                "--public-address https://chat.example.org/: write HOST or HOST:PORT, such as ",
            ),
        ] {
            let error = read(&[flag], &[]).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
