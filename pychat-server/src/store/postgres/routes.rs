//! The ways to the servers of a database: their addresses, found once, and the certificates to trust.
//!
//! A name is resolved when the server starts and never again: that would make everybody wait.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
    sync::Arc,
};

use rustls::{
    ClientConfig,
    pki_types::{ServerName, pem},
};
use thiserror::Error;

use super::{
    config::{Config, Host, TlsMode},
    tls,
};

/// The ways to the servers of a database.
#[derive(Debug)]
pub struct Routes {
    pub(super) config: Config,
    /// The addresses in the order in which they are tried: one at least.
    pub(super) routes: Vec<Route>,
}

/// A way to one server.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) host: String,
    /// Where it is; its name may have no address.
    pub(super) address: Option<Address>,
    /// The encryption, and the name that the certificate may be for.
    pub(super) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

/// The address of a socket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// The reason why there is no way to any server.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RouteError {
    /// No server has an address.
    #[error("cannot find the address of any server of the database {0}")]
    Resolve(String),
    /// A host name cannot be one that a certificate is for.
    #[error("{0:?} is no name of a host")]
    Name(String),
    /// The certificates of the authorities cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// The fault in it.
        source: pem::Error,
    },
    /// They cannot be used.
    #[error("cannot use the certificates in {}: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The fault.
        source: rustls::Error,
    },
    /// TLS cannot be had.
    #[error("cannot use TLS: {0}")]
    Tls(rustls::Error),
}

impl Routes {
    /// Finds the addresses of all servers, and reads the certificates. This takes as long as the system's
    /// resolver does.
    ///
    /// # Errors
    ///
    /// [`RouteError`] if there is no address, or no certificate that can be used.
    pub fn find(config: Config) -> Result<Self, RouteError> {
        let roots = config.root_certificates.as_deref();
        let tls = match config.tls {
            TlsMode::Disable => None,
            mode => Some(Arc::new(tls::client_config(mode, roots)?)),
        };
        let mut routes = Vec::new();
        for host in &config.hosts {
            let name = host.to_string();
            match host {
                Host::Unix(folder, port) => {
                    let path = folder.join(format!(".s.PGSQL.{port}"));
                    routes.push(Route {
                        host: name,
                        address: Some(Address::Unix(path)),
                        tls: None,
                    });
                }
                Host::Tcp(host, port) => {
                    let tls = match &tls {
                        Some(config) => Some((Arc::clone(config), server_name(host)?)),
                        None => None,
                    };
                    let found = (host.as_str(), *port).to_socket_addrs();
                    let mut found: Vec<_> = found.into_iter().flatten().map(Some).collect();
                    if found.is_empty() {
                        found.push(None);
                    }
                    routes.extend(found.into_iter().map(|address| Route {
                        host: name.clone(),
                        address: address.map(Address::Tcp),
                        tls: tls.clone(),
                    }));
                }
            }
        }
        if routes.iter().all(|route| route.address.is_none()) {
            return Err(RouteError::Resolve(config.to_string()));
        }
        Ok(Self { config, routes })
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, RouteError> {
    ServerName::try_from(host.to_owned()).map_err(|_| RouteError::Name(host.to_owned()))
}
