//! The sockets, log and people that a server needs before it can begin, and the errors of opening
//! them.

use std::io;

use mio::net::TcpListener;
use rustix::rand::{GetRandomFlags, getrandom};
use thiserror::Error;

use crate::{
    config::History,
    core::{people::People, record::StorageError, secret::Secret},
    logging,
    net::{
        identity::IdentityError,
        listen::{self, ListenError},
        listen_address::ListenAddress,
    },
    store::{
        Memory, SqliteStore, Store,
        sqlite::{OpenError, Place},
    },
};

/// The reason why the server cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is nowhere to listen.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The log cannot be opened where it should be.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// The log cannot be read.
    #[error("cannot read the log: {0}")]
    Read(#[from] StorageError),
    /// There is no certificate that can be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The system refuses what any loop needs.
    #[error("cannot wait for connections: {0}")]
    Poll(#[from] io::Error),
}

/// Returns the sockets that accept connections, and whether they are the server's own: those that
/// systemd listens on, or else new ones.
pub(super) fn listeners(
    addresses: &[ListenAddress],
    inherited: Vec<TcpListener>,
) -> Result<(Vec<TcpListener>, bool), StartError> {
    if inherited.is_empty() {
        let opened = listen::open_all(addresses)?;
        opened.skipped.iter().for_each(|error| logging::listen_skipped(error));
        return Ok((opened.listeners, true));
    }
    if !addresses.is_empty() {
        logging::listen_ignored();
    }
    Ok((inherited, false))
}

/// Opens the log of an earlier process, or begins a new one.
pub(super) fn open_store(history: &History) -> Result<Box<dyn Store>, StartError> {
    let (retention, epoch) = (history.retention, u128::from_ne_bytes(random()?));
    let Some(directory) = &history.directory else {
        return Ok(Box::new(Memory::new(epoch, retention)));
    };
    let program = Some("/proc/self/exe".into()); // This very one, though it be replaced meanwhile.
    let place = Place { directory: directory.clone(), durability: history.durability, program };
    Ok(Box::new(SqliteStore::open(&place, retention, epoch)?))
}

/// Returns the people in the log, and the invites.
pub(super) fn open_people(store: &mut dyn Store) -> Result<People, StartError> {
    let (known, last_person) = store.people()?;
    let people = People::new(Secret::new(random()?), known, last_person);
    Ok(people.with_invites(store.invites()?))
}

/// Returns the nonces that connections are greeted with.
pub(super) fn nonces() -> io::Result<Secret> {
    random().map(Secret::new)
}

/// Returns bytes that nobody can guess.
fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom(&mut bytes, GetRandomFlags::empty())?; // So few come at once or not at all.
    Ok(bytes)
}
