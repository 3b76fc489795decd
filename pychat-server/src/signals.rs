//! The signals that the server heeds, as readiness of one more source in its loop.

use std::{fmt, io};

use mio::{Interest, Registry, Token};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR2};

/// The request that a signal makes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request {
    /// Say goodbye and stop; asked twice, stop at once.
    Stop,
    /// Read the configuration again.
    Reload,
    /// End, and leave the connections to the process that is started next.
    HandOver,
}

/// The signals of this process that ask for something. `SIGPIPE` needs no place here: Rust's
/// runtime ignores it.
pub struct Signals(signal_hook_mio::v1_0::Signals);

impl Signals {
    /// Begins to take signals in, with `registry` waking the loop under `token`.
    ///
    /// # Errors
    ///
    /// Those of the system: no descriptors left, most likely.
    pub fn subscribe(registry: &Registry, token: Token) -> io::Result<Self> {
        let mut signals = signal_hook_mio::v1_0::Signals::new([SIGHUP, SIGINT, SIGTERM, SIGUSR2])?;
        registry.register(&mut signals, token, Interest::READABLE)?;
        Ok(Self(signals))
    }

    /// Returns what was asked for since the last call. The same signal may count once only.
    pub fn requests(&mut self) -> impl Iterator<Item = Request> {
        self.0.pending().map(|signal| match signal {
            SIGHUP => Request::Reload,
            SIGUSR2 => Request::HandOver,
            _ => Request::Stop,
        })
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Signals").finish_non_exhaustive()
    }
}
