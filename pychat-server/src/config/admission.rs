//! The settings of who is let in.

use pychat_wire::message::Door;

use super::{ConfigError, settings::Settings, values};
use crate::core::networks::{NETWORKS_MAX, Networks};

const GUESTS_FROM: &str = "guests-from";

/// Reads who is let in.
pub(super) fn door(settings: &Settings) -> Result<Door, ConfigError> {
    let words = [("open", Door::Open), ("invite", Door::Invite)];
    settings.one("admission", Door::Open, |text| values::word(text, &words))
}

/// Reads from which networks old clients may join where invites are needed.
pub(super) fn guests_from(settings: &Settings) -> Result<Networks, ConfigError> {
    let networks = settings.all(GUESTS_FROM, |text| Ok(text.parse()?))?;
    Networks::new(&networks).ok_or(ConfigError::TooMany(GUESTS_FROM, NETWORKS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::read;

    #[test]
    fn everybody_is_let_in_unless_the_operator_says_otherwise() {
        let open = read(&[], &[]).unwrap().limits.rules;
        assert_eq!((open.admission, open.guests_from), (Door::Open, Networks::NONE));
        let flags = ["--admission=invite", "--guests-from=10.0.0.0/8, fd00::/8"];
        let closed = read(&flags, &[]).unwrap().limits.rules;
        let networks = ["10.0.0.0/8", "fd00::/8"].map(|text| text.parse().unwrap());
        assert_eq!(closed.admission, Door::Invite);
        assert_eq!(Some(closed.guests_from), Networks::new(&networks));
    }

    #[test]
    fn mistakes_are_named() {
        let many = format!("--guests-from={}", ["10.0.0.0/8"; NETWORKS_MAX + 1].join(","));
        for (flag, message) in [
            ("--admission=closed", "--admission closed: write open or invite"),
            (
                "--guests-from=10.0.0.0/8,10.0.0.1/8",
                "--guests-from 10.0.0.1/8: the address does not end with the prefix; write 10.0.0.0/8",
            ),
            ("--guests-from=lan", "--guests-from lan: write a network as ADDRESS/LENGTH, such as "),
            (
                "--guests-from=fd00::/96",
                "--guests-from fd00::/96: an IPv6 network has a prefix of ",
            ),
            (&many, "guests-from has more than 16 entries"),
        ] {
            let error = read(&[flag], &[]).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
