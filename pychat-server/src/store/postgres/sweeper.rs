//! Tidying up: rows as they were before words were taken away stay in the table until it is vacuumed. That
//! has a session of its own, as it may take long, and nobody waits for it.

use std::time::{Duration, Instant};

use super::{
    connection::Connection,
    link::{Link, Turn},
    session,
    statement::Statement,
};

/// Takes the rows out of the table that nobody sees any more.
const VACUUM: &str = "VACUUM (TRUNCATE FALSE) records";

/// The time that it may take.
const TIMEOUT: Duration = Duration::from_hours(1);

/// The least time from one to the next.
const PAUSE: Duration = Duration::from_secs(10);

/// The session that tidies up.
#[derive(Debug)]
pub(super) struct Sweeper {
    pub(super) link: Link,
    server: String,
    is_set: bool,
    is_wanted: bool,
    /// The earliest time of the next one.
    next_at: Option<Instant>,
}

impl Sweeper {
    pub(super) fn new(mut connection: Connection, server: String) -> Self {
        connection.set_answer_timeout(TIMEOUT);
        let link = Link::new(connection);
        Self { link, server, is_set: false, is_wanted: false, next_at: None }
    }

    /// Has the table tidied up.
    pub(super) fn want(&mut self) {
        self.is_wanted = true;
    }

    /// Goes on as far as it can, if there is anything to do.
    pub(super) fn poll(&mut self, now: Instant) {
        while self.is_wanted || self.link.is_busy() {
            match self.link.poll(now) {
                Some(Turn::Answered(answered)) => self.is_set |= answered.is_ok(),
                Some(Turn::Lost(_)) => (self.is_set, self.is_wanted) = (false, true),
                Some(Turn::Up | Turn::Unavailable(_) | Turn::Notified { .. }) => (),
                None if self.link.is_busy() || !self.link.connection.is_up() => return,
                None if !self.is_set => self.link.send(&[session::tidying(&self.server)]),
                None if self.next_at.is_some_and(|next_at| now < next_at) => return,
                None => {
                    self.link.send(&[Statement::new(VACUUM, [])]);
                    (self.is_wanted, self.next_at) = (false, Some(now + PAUSE));
                }
            }
        }
    }

    /// Returns when there is something to do for the time alone.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let is_waiting = self.is_wanted && self.is_set && !self.link.is_busy();
        let next_at = self.next_at.filter(|_| is_waiting);
        let is_active = self.is_wanted || self.link.is_busy();
        let connection = self.link.connection.next_deadline().filter(|_| is_active);
        [next_at, connection].into_iter().flatten().min()
    }
}
