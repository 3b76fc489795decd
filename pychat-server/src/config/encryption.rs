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
