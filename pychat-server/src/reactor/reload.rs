//! The configuration, read again while the server runs.

use mio::net::TcpStream;

use crate::{config::Config, logging, net::identity::Identity, server::Server};

/// Reads the configuration again; what cannot be used or changed leaves all as it is.
pub(super) fn reload(
    config: &mut Config,
    identity: &mut Option<Identity>,
    server: &mut Server<TcpStream>,
) {
    reload_identity(config, identity);
    if config.file().is_none() {
        logging::nothing_to_reload();
        return;
    }
    match config.reload() {
        Ok(new) => {
            if new.identity != config.identity {
                logging::restart_needed("the place of the certificate");
            }
            if new.listen != config.listen {
                logging::restart_needed("listen");
            }
            if new.control != config.control {
                logging::restart_needed("control-socket");
            }
            let (history, before) = (new.history, &mut config.history);
            if (&history.directory, &history.database) != (&before.directory, &before.database) {
                logging::restart_needed("where messages are kept");
            }
            if history.durability != before.durability {
                logging::restart_needed("durability");
            }
            server.set_shown(&new.name, &new.reach.servers);
            server.set_limits(new.limits);
            server.set_retention(history.retention);
            (config.limits, before.retention) = (new.limits, history.retention);
            (config.name, config.reach) = (new.name, new.reach);
            config.metrics_file = new.metrics_file;
            logging::reloaded();
        }
        Err(error) => logging::not_reloaded(&error),
    }
}

/// Reads the certificate again, which new connections are shown. One that cannot be used leaves that
/// in force which is.
fn reload_identity(config: &Config, identity: &mut Option<Identity>) {
    let Some(place) = &config.identity else { return };
    match Identity::load(place) {
        Ok(new) => {
            if identity.as_ref().is_none_or(|identity| identity.pin != new.pin) {
                logging::encrypting(&new.pin);
            }
            *identity = Some(new);
        }
        Err(error) => logging::not_reloaded(&error),
    }
}
