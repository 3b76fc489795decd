//! The sockets, log and people that a server needs before it can begin, and the errors of opening
//! them.

use std::{io, sync::Arc};

use mio::net::TcpListener;
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    rand::{GetRandomFlags, getrandom},
};
use thiserror::Error;

use crate::{
    config::Config,
    control::ControlError,
    core::{people::People, record::StorageError, secret::Secret},
    limits::Limits,
    logging,
    net::{
        identity::IdentityError,
        listen::{self, ListenError},
        listen_address::ListenAddress,
        transport::Socket,
    },
    server::{Server, load_rooms},
    store::{
        Memory, SqliteStore, Store,
        postgres::{PostgresStore, RouteError, Routes, Sharing},
        sqlite::{OpenError, Place},
    },
};

/// The number of descriptors that the server has besides connections: its own, and those turned
/// away.
const DESCRIPTORS_BESIDES: usize = 128;

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
    /// There is no way to the database.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// A signal came before the log was open.
    #[error("stopped before the log was open")]
    Stopped,
    /// Operators cannot call where they should.
    #[error(transparent)]
    Control(#[from] ControlError),
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
pub(super) fn open_store(config: &Config) -> Result<Box<dyn Store>, StartError> {
    let history = &config.history;
    let (retention, epoch) = (history.retention, u128::from_ne_bytes(random()?));
    if let Some(database) = &history.database {
        let routes = Arc::new(Routes::find(database.clone())?);
        let server = u128::from_ne_bytes(random()?);
        let sharing = Sharing { name: config.name.clone(), ..Sharing::default() };
        let store = PostgresStore::new(routes, retention, epoch, server).shared(sharing);
        return Ok(match &history.directory {
            Some(directory) => Box::new(store.at_home(directory)?),
            None => Box::new(store),
        });
    }
    let Some(directory) = &history.directory else {
        return Ok(Box::new(Memory::new(epoch, retention)));
    };
    let program = Some("/proc/self/exe".into()); // This very one, though it be replaced meanwhile.
    let place = Place { directory: directory.clone(), durability: history.durability, program };
    Ok(Box::new(SqliteStore::open(&place, retention, epoch)?))
}

/// Returns a server that goes on with a log, and with the people and rooms in it. If it shares that with
/// others, it lives with these.
pub(super) fn open_server<T: Socket>(
    limits: &Limits,
    mut store: Box<dyn Store>,
) -> Result<Server<T>, StartError> {
    let (known, last_person) = store.people()?;
    let people = People::new(Secret::new(random()?), known, last_person);
    let people = people.under(store.rulebook()?).with_invites(store.invites()?);
    let rooms = load_rooms(&mut *store)?;
    let present = if store.is_shared() { Some(store.present()?) } else { None };
    let mut server = Server::new(*limits, store, people, rooms, Secret::new(random()?));
    if let Some(present) = present {
        server.share(present);
    }
    Ok(server)
}

/// Returns bytes that nobody can guess.
fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom(&mut bytes, GetRandomFlags::empty())?; // So few come at once or not at all.
    Ok(bytes)
}

/// Lets this process have as many descriptors as the system allows it, which is often far more than
/// it has to begin with.
pub(super) fn raise_descriptor_limit(connections_max: usize) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let allowed = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let needed = connections_max.saturating_add(DESCRIPTORS_BESIDES) as u64;
    if let Some(allowed) = allowed.filter(|allowed| *allowed < needed) {
        logging::few_descriptors(allowed, connections_max);
    }
}
