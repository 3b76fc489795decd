//! The end of a server: everybody is told and has time to read it, the other servers of the chat know, and
//! the process ends; or another one goes on with the connections.

use std::time::{Duration, Instant};

use super::{Reactor, accepting::Listener, fdstore};
use crate::logging;

/// The time that peers have to read the goodbye when the server stops.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// The time that the store has to let other servers know.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The time for which a manager that is too busy is waited for, and the interval of asking it.
const HAND_OVER_TIMEOUT: Duration = Duration::from_secs(5);
pub(super) const HAND_OVER_RETRY: Duration = Duration::from_millis(20);

/// The state of a loop.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Running,
    Draining {
        deadline: Instant,
    },
    /// The store lets other servers know.
    Closing {
        deadline: Instant,
        is_handed_over: bool,
    },
    HandingOver {
        deadline: Instant,
    },
    HandedOver,
    Stopped,
}

impl Phase {
    /// Returns the state in which the service manager is to take the connections.
    pub(super) fn handing_over(now: Instant) -> Self {
        Self::HandingOver { deadline: now + HAND_OVER_TIMEOUT }
    }

    fn closing(now: Instant, is_handed_over: bool) -> Self {
        Self::Closing { deadline: now + CLOSE_TIMEOUT, is_handed_over }
    }
}

impl Reactor {
    /// `Running` or `HandingOver` becomes `Draining`: everybody is told, and nobody is let in.
    pub(super) fn drain(&mut self, now: Instant) {
        logging::stopping(self.server.len());
        self.manager.stopping(now);
        self.listening.listeners.drain(..).for_each(Listener::close);
        self.server.stop(now);
        self.phase = Phase::Draining { deadline: now + DRAIN_TIMEOUT };
    }

    /// `Draining` becomes `Closing` when everybody has gone, or the time has come, as does `HandingOver` at
    /// the end of its tick, when nothing is half done; and the end comes when the store is closed. A
    /// server without which others go on drains.
    pub(super) fn advance(&mut self, now: Instant) {
        match self.phase {
            Phase::Running if self.server.store().end().is_some() => self.drain(now),
            Phase::Draining { deadline } if self.server.is_empty() || deadline <= now => {
                self.phase = Phase::closing(now, false);
            }
            Phase::HandingOver { deadline } => self.hand_over(now, deadline),
            _ => (),
        }
        if let Phase::Closing { deadline, is_handed_over } = self.phase
            && (self.server.store().close(now) || deadline <= now)
        {
            self.phase = if is_handed_over { Phase::HandedOver } else { Phase::Stopped };
        }
    }

    fn hand_over(&mut self, now: Instant, deadline: Instant) {
        match fdstore::store_connections(now, &self.manager, &mut self.server) {
            Ok(true) => {
                logging::handing_over(self.server.len());
                self.phase = Phase::closing(now, true);
            }
            Ok(false) if now < deadline => (), // The next tick tries again.
            Ok(false) => {
                logging::not_handed_over(&"the service manager is busy");
                self.drain(now);
            }
            Err(error) => {
                logging::not_handed_over(&error);
                self.drain(now);
            }
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::HandedOver | Phase::Stopped)
    }
}
