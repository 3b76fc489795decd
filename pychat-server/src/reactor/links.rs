//! The link by which people reach the server: kept up to date, and shown at the start.

use std::time::{Duration, Instant};

use super::{Reactor, utc_ms};
use crate::logging::terminal;

/// The time after which the addresses of this machine are asked for again.
const ADDRESSES_AGE_MAX: Duration = Duration::from_mins(1);

impl Reactor {
    /// Shows the operator, if there is a terminal, the link by which people join.
    pub(super) fn invite(&mut self, now: Instant) {
        if !terminal::is_there() {
            return;
        }
        terminal::invite(&self.server.first_link(now, utc_ms()));
    }

    /// Tells the server at which addresses others can reach it; now and then, as these change.
    pub(super) fn look_around(&mut self, now: Instant) {
        if self.listening.known_until.is_none_or(|until| until <= now) {
            let link = self.listening.link(&self.config.reach);
            self.server.set_link(link, self.listening.local());
            self.listening.known_until = Some(now + ADDRESSES_AGE_MAX);
        }
    }
}
