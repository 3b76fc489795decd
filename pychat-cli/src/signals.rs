//! The signals that end a program in order, as something to wait for.

use std::{
    io,
    os::unix::net::UnixStream,
    sync::{Arc, atomic::AtomicBool},
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag, low_level,
};

/// A socket that can be read once a signal came that asks for the end. A second one ends the program at
/// once.
#[derive(Debug)]
pub(crate) struct Signals(UnixStream);

impl Signals {
    /// Takes these signals from now on.
    pub(crate) fn take() -> io::Result<Self> {
        let (reader, writer) = UnixStream::pair()?;
        let was_asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            flag::register_conditional_default(signal, Arc::clone(&was_asked))?;
            flag::register(signal, Arc::clone(&was_asked))?;
            low_level::pipe::register(signal, writer.try_clone()?)?;
        }
        Ok(Self(reader))
    }

    pub(crate) fn socket(&self) -> &UnixStream {
        &self.0
    }
}
