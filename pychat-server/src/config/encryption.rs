//! The settings of TLS: the certificate, and the connections that may go on without.

use super::{ConfigError, history::History, settings::Settings, values};
use crate::{core::chat::Plain, net::identity::IdentityPlace};

const CERTIFICATE: &str = "tls-certificate";
const KEY: &str = "tls-key";

/// Reads where the certificate is. A server that keeps nothing has none of its own: it would be
/// another one after each start.
pub(super) fn identity(
    settings: &Settings,
    history: &History,
) -> Result<Option<IdentityPlace>, ConfigError> {
    match (settings.path(CERTIFICATE)?, settings.path(KEY)?) {
        (Some(certificate), Some(key)) => Ok(Some(IdentityPlace::Files { certificate, key })),
        (Some(_), None) => Err(ConfigError::Half(CERTIFICATE, KEY)),
        (None, Some(_)) => Err(ConfigError::Half(KEY, CERTIFICATE)),
        (None, None) => Ok(history.directory.clone().map(IdentityPlace::Own)),
    }
}

/// Reads who may join without TLS; where there is none, everybody.
pub(super) fn plain(
    settings: &Settings,
    identity: Option<&IdentityPlace>,
) -> Result<Plain, ConfigError> {
    let words = [("always", Plain::Always), ("lan", Plain::Lan), ("never", Plain::Never)];
    let plain = settings.one("plain", Plain::Lan, |text| values::word(text, &words))?;
    match identity {
        Some(_) => Ok(plain),
        None if plain == Plain::Never => Err(ConfigError::NoIdentity),
        None => Ok(Plain::Always),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::read;

    #[test]
    fn a_certificate_of_its_own_is_kept_where_messages_are() {
        let disk = read(&["--state-dir=/x"], &[]).unwrap();
        let own = IdentityPlace::Own("/x".into());
        assert_eq!((disk.identity, disk.limits.rules.plain), (Some(own), Plain::Lan));
        let memory = read(&["--history=memory", "--plain=lan"], &[]).unwrap();
        assert_eq!((memory.identity, memory.limits.rules.plain), (None, Plain::Always));
    }

    #[test]
    fn the_operators_files_are_read_where_they_are() {
        let config = read(&["--tls-key=/k.pem", "--tls-certificate=/c.pem"], &[]).unwrap();
        let files = IdentityPlace::Files { certificate: "/c.pem".into(), key: "/k.pem".into() };
        assert_eq!(config.identity, Some(files));
    }

    #[test]
    fn what_does_not_go_together_is_named() {
        for (flags, message) in [
            (&["--tls-key=/k"][..], "tls-key needs tls-certificate as well"),
            (&["--tls-certificate=/c"], "tls-certificate needs tls-key as well"),
            (&["--history=memory", "--plain=never"], "plain = \"never\" needs a certificate; "),
            (&["--plain=no"], "--plain no: write always or lan or never"),
        ] {
            let error = read(flags, &[]).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
