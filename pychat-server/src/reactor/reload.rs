//! The configuration, read again while the server runs.

use mio::net::TcpStream;

use crate::{config::Config, logging, server::Server};

/// Reads the configuration again; what cannot be used or changed leaves all as it is.
pub(super) fn reload(config: &mut Config, server: &mut Server<TcpStream>) {
    if config.file.is_none() {
        logging::nothing_to_reload();
        return;
    }
    match config.reload() {
        Ok(new) => {
            if new.listen != config.listen {
                logging::restart_needed("listen");
            }
            let (history, before) = (new.history, &mut config.history);
            if history.directory != before.directory {
                logging::restart_needed("where messages are kept");
            }
            if history.durability != before.durability {
                logging::restart_needed("durability");
            }
            server.set_name(&new.name);
            server.set_limits(new.limits);
            server.set_retention(history.retention);
            (config.limits, before.retention) = (new.limits, history.retention);
            config.name = new.name;
            logging::reloaded();
        }
        Err(error) => logging::not_reloaded(&error),
    }
}
