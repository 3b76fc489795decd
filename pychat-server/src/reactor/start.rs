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
        Kept, Log, Memory,
        sqlite::{OpenError, Place},
    },
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
    let (keep, epoch) = (history.keep, random()?);
    let Some(directory) = &history.directory else {
        return Ok(Log::Memory(Memory::new(epoch, keep)));
    };
    let program = Some("/proc/self/exe".into()); // This very one, though it be replaced meanwhile.
    let place = Place { directory: directory.clone(), durability: history.durability, program };
    Ok(Log::Kept(Kept::open(&place, keep, epoch)?))
}

/// Returns 128 bits that nobody can guess.
fn random() -> io::Result<u128> {
    let mut bytes = [0; 16];
    getrandom(&mut bytes, GetRandomFlags::empty())?; // So few bytes come at once or not at all.
    Ok(u128::from_ne_bytes(bytes))
}
