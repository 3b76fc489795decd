//! The log in a database, for commands: read as it is at one moment, also while a server is at work, and
//! written as a whole.
//!
//! Whoever runs a command has nothing else to do, so this waits for each answer. Rows come one by one: no
//! more of them is in memory than the socket has given.

mod reading;
mod session;
mod writing;

use std::{io, time::Instant};

use mio::Registry;

pub use self::{reading::Reading, writing::Writing};

/// The clock, and the wait for the edges of one socket, of whoever has nothing else to do.
pub trait Patience {
    /// Returns the registry of the socket.
    ///
    /// # Errors
    ///
    /// Those of the system.
    fn registry(&self) -> io::Result<Registry>;

    /// Returns the time.
    fn now(&self) -> Instant;

    /// Waits for an edge, until `deadline` at most.
    ///
    /// # Errors
    ///
    /// Those of the system.
    fn wait(&mut self, deadline: Option<Instant>) -> io::Result<()>;
}
