//! The wait for a database: a command has nothing else to do.

use std::{
    io::{self, ErrorKind},
    time::Instant,
};

use mio::{Events, Poll, Registry};

use crate::store::postgres::Patience;

/// The most edges that are told at once: there is one socket.
const EVENTS: usize = 8;

/// The wait for one socket.
#[derive(Debug)]
pub(super) struct Waiting {
    poll: Poll,
    events: Events,
}

impl Waiting {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { poll: Poll::new()?, events: Events::with_capacity(EVENTS) })
    }
}

impl Patience for Waiting {
    fn registry(&self) -> io::Result<Registry> {
        self.poll.registry().try_clone()
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wait(&mut self, deadline: Option<Instant>) -> io::Result<()> {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        match self.poll.poll(&mut self.events, left) {
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            waited => waited,
        }
    }
}
