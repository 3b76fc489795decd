//! What a server needs before it can begin, and why it cannot.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
};

use rustix::rand::{GetRandomFlags, getrandom};
use thiserror::Error;

use crate::{
    config::History,
    log::{
        Kept, Log, Memory, StorageError,
        sqlite::{OpenError, Place},
    },
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
    /// What was kept cannot be read.
    #[error("cannot read what was kept: {0}")]
    Read(StorageError),
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

/// Returns the proofs of the names that `log` knows.
pub(super) fn tokens(log: &mut Log) -> Result<Tokens, StartError> {
    let known = log.tokens().map_err(StartError::Read)?;
    Ok(Tokens::new(random()?, known))
}

/// Returns bytes that nobody can guess.
fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom(&mut bytes, GetRandomFlags::empty())?; // So few come at once or not at all.
    Ok(bytes)
}
