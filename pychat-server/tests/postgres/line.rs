//! A connection, and the loop that turns it.

use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use std::sync::Arc;

use pychat_server::store::postgres::{Config, Connection, Event, Routes, Value};

use crate::process::PATIENCE;

/// A connection in a loop of its own.
#[derive(Debug)]
pub(crate) struct Line {
    poll: Poll,
    pub(crate) connection: Connection,
}

impl Line {
    /// Returns a connection to the database at `uri`, with a password if it needs one.
    pub(crate) fn to(uri: &str) -> Self {
        Self::with(uri.parse().unwrap())
    }

    pub(crate) fn with(config: Config) -> Self {
        let poll = Poll::new().unwrap();
        let routes = Arc::new(Routes::find(config).unwrap());
        let registry = poll.registry().try_clone().unwrap();
        Self { poll, connection: Connection::new(routes, "test", registry, Token(7)) }
    }

    /// Returns a connection that is up.
    pub(crate) fn up(uri: &str) -> Self {
        let mut line = Self::to(uri);
        line.wait_until_up();
        line
    }

    /// Waits for a session, through servers that will not do.
    #[track_caller]
    pub(crate) fn wait_until_up(&mut self) {
        loop {
            match self.next() {
                Event::Up => return,
                Event::Unavailable(_) => (),
                event => panic!("{event:?}"),
            }
        }
    }

    /// Waits for the next event.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Event {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = Instant::now();
            if let Some(event) = self.connection.poll(now) {
                return event;
            }
            assert!(now < deadline, "nothing happens: {:?}", self.connection);
            let until = self.connection.next_deadline().unwrap_or(deadline).min(deadline);
            self.wait(until.saturating_duration_since(now));
        }
    }

    /// Asks, and returns the events up to the sync.
    #[track_caller]
    pub(crate) fn ask(&mut self, sql: &'static str, values: &[Value<'_>]) -> Vec<Event> {
        self.connection.execute(sql, values);
        self.connection.sync();
        self.answers()
    }

    /// Returns the events up to a sync, without that.
    #[track_caller]
    pub(crate) fn answers(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            match self.next() {
                Event::Synced => return events,
                event @ Event::Lost(_) => panic!("{event:?}"),
                event => events.push(event),
            }
        }
    }

    fn wait(&mut self, timeout: Duration) {
        let mut events = Events::with_capacity(8);
        self.poll.poll(&mut events, Some(timeout)).unwrap();
        if !events.is_empty() {
            self.connection.set_ready();
        }
    }
}
