//! What a server needs before it can begin, and why it cannot.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
};

use mio::net::TcpListener;
use rustix::rand::{GetRandomFlags, getrandom};
use thiserror::Error;

use crate::{
    config::History,
    listener::{self, ListenAddress},
    log::{
        Kept, Log, Memory, StorageError,
        sqlite::{OpenError, Place},
    },
    logging,
    systemd::Inherited,
    tokens::Tokens,
};

/// Why the server cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {}", explained(.source))]
    Bind {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A host name means no address.
    #[error("cannot find the address of {host:?}: {source}")]
    Resolve {
        /// The name.
        host: String,
        /// What the system said.
        source: io::Error,
    },
    /// What is said cannot be kept where it should be.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// What is kept cannot be read.
    #[error("cannot read the log: {0}")]
    Read(#[from] StorageError),
    /// The system refuses what any loop needs.
    #[error("cannot wait for connections: {0}")]
    Poll(#[from] io::Error),
}

fn explained(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => "another program is using this port".to_owned(),
        ErrorKind::AddrNotAvailable => "this machine does not have this address".to_owned(),
        ErrorKind::PermissionDenied => "no permission; ports below 1024 need privileges".to_owned(),
        _ => error.to_string(),
    }
}

/// Returns the sockets that take calls, and whether they are the server's own: those that systemd
/// listens on, or else new ones.
pub(super) fn listeners(
    addresses: &[ListenAddress],
    inherited: Inherited,
) -> Result<(Vec<TcpListener>, bool), StartError> {
    for (name, _descriptor) in inherited.others {
        logging::not_inherited(&name, &"nobody knows it");
    }
    if inherited.listeners.is_empty() {
        return Ok((listener::open_all(addresses)?, true));
    }
    if !addresses.is_empty() {
        logging::listen_ignored();
    }
    Ok((inherited.listeners, false))
}

/// Opens what was said before, or begins anew.
pub(super) fn open_log(history: &History) -> Result<Log, StartError> {
    let (keep, epoch) = (history.keep, u128::from_ne_bytes(random()?));
    let Some(directory) = &history.directory else {
        return Ok(Log::Memory(Memory::new(epoch, keep)));
    };
    let program = Some("/proc/self/exe".into()); // This very one, though it be replaced meanwhile.
    let place = Place { directory: directory.clone(), durability: history.durability, program };
    Ok(Log::Kept(Kept::open(&place, keep, epoch)?))
}

/// Returns what proves names: what is known of it already, and a secret for more.
pub(super) fn open_tokens(log: &mut Log) -> Result<Tokens, StartError> {
    let (owners, last_owner) = log.owners()?;
    Ok(Tokens::new(random()?, owners, last_owner))
}

/// Returns bytes that nobody can guess.
fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom(&mut bytes, GetRandomFlags::empty())?; // So few come at once or not at all.
    Ok(bytes)
}
