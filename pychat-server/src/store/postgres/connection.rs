//! A session with a database, kept up: begun with the first server that will do, and begun again after it
//! is lost.
//!
//! ```text
//!            the time has come            the session has begun
//!  Resting ────────────────────▶ Opening ───────────────────────▶ Up
//!     ▲                           │  ▲ │                           │
//!     │       no server will do   │  └─┘ the next server           │
//!     └───────────────────────────┴────────────────────────────────┘ lost
//! ```

use std::{
    fmt, mem,
    sync::Arc,
    time::{Duration, Instant},
};

use mio::{Registry, Token};

use super::{
    error::{ConnectionError, Unavailable},
    event::Event,
    opening::Opening,
    pipeline::Pipeline,
    routes::Routes,
    stream::Stream,
    value::Value,
};

/// The pause before the servers are tried again, at first and at most: twice as long each time.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// The time for which an answer may be awaited while nothing at all is heard, unless another is set.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A session with a database.
///
/// Statements are [executed](Self::execute) between [`Event::Up`] and [`Event::Lost`] only; what is asked
/// at another time is dropped. All statements up to a [sync](Self::sync) are one transaction. They are
/// answered in order: each by its rows and [`Event::Done`], or one by [`Event::Failed`] and the rest not at
/// all; then [`Event::Synced`]. After [`Event::Lost`] nobody knows what became of those that were not
/// answered with that, and none of them is asked again.
pub struct Connection {
    routes: Arc<Routes>,
    application_name: String,
    registry: Registry,
    token: Token,
    phase: Phase,
    round: Round,
    answer_timeout: Duration,
}

#[derive(Debug)]
enum Phase {
    Resting { until: Option<Instant> },
    Opening(Opening),
    Up(Session),
}

/// A session that has begun.
#[derive(Debug)]
struct Session {
    stream: Stream,
    pipeline: Pipeline,
    /// Since when answers are awaited and nothing was heard.
    silent_since: Option<Instant>,
    /// When this was polled last.
    polled_at: Instant,
    /// The reason why it is over, found while asking something.
    error: Option<ConnectionError>,
}

/// The servers as they are tried in turn.
#[derive(Debug, Default)]
struct Round {
    /// The index of the one that is tried, or is next.
    index: usize,
    failures: Vec<(String, ConnectionError)>,
    pause: Duration,
}

impl Connection {
    /// Returns a connection whose first [`poll`](Self::poll) begins a session. `registry` tells of edges
    /// under `token`; `purpose` stands behind the name of the application in `pg_stat_activity`.
    pub fn new(routes: Arc<Routes>, purpose: &str, registry: Registry, token: Token) -> Self {
        Self {
            application_name: format!("{} {purpose}", routes.config.application_name),
            routes,
            registry,
            token,
            phase: Phase::Resting { until: None },
            round: Round::default(),
            answer_timeout: ANSWER_TIMEOUT,
        }
    }

    /// Notes an edge of its socket; nothing else happens until the next [`poll`](Self::poll).
    pub fn set_ready(&mut self) {
        match &mut self.phase {
            Phase::Resting { .. } => (),
            Phase::Opening(opening) => opening.stream.set_ready(),
            Phase::Up(session) => session.stream.set_ready(),
        }
    }

    /// Has a statement carried out with these values for `$1` and on. It is prepared with its first use in
    /// a session, by the types that the values have then. Nothing is written before the next
    /// [`poll`](Self::poll).
    pub fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) {
        self.ask(|session| session.pipeline.execute(sql, values, &mut session.stream.output));
    }

    /// Has commands carried out that are separated by semicolons, in a transaction of their own unless
    /// they say otherwise. They have no rows: all that is heard of them is perhaps [`Event::Failed`], and
    /// [`Event::Synced`].
    pub fn execute_script(&mut self, sql: &str) {
        self.ask(|session| session.pipeline.script(sql, &mut session.stream.output));
    }

    /// Ends a transaction: all statements since the last sync.
    pub fn sync(&mut self) {
        self.ask(|session| {
            session.pipeline.sync(&mut session.stream.output);
            Ok(())
        });
    }

    /// Sets the time for which an answer may be awaited while nothing at all is heard: after that the
    /// session is lost. It holds until another is set.
    pub fn set_answer_timeout(&mut self, timeout: Duration) {
        self.answer_timeout = timeout;
    }

    /// Returns true while there is a session.
    pub fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up(_))
    }

    /// Returns the server of the session, or the one that is tried, in words.
    pub fn host(&self) -> &str {
        &self.routes.routes[self.round.index].host
    }

    /// Returns when [`poll`](Self::poll) has something to do without an edge: at once, if something was
    /// asked since it was called last.
    pub fn next_deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Resting { until } => *until,
            Phase::Opening(opening) => Some(opening.deadline),
            Phase::Up(session) => session.next_deadline(self.answer_timeout),
        }
    }

    /// Writes and reads as much as it can up to the next event, and returns that; `None` if there is none
    /// now. After an event there may be more without another edge.
    pub fn poll(&mut self, now: Instant) -> Option<Event> {
        loop {
            match &mut self.phase {
                Phase::Resting { until: Some(until) } if now < *until => return None,
                Phase::Resting { .. } => {
                    let route = &self.routes.routes[self.round.index];
                    match Opening::begin(now, route, &self.registry, self.token) {
                        Ok(opening) => self.phase = Phase::Opening(opening),
                        Err(error) => {
                            if let Some(event) = self.pass_over(now, error) {
                                return Some(event);
                            }
                        }
                    }
                }
                Phase::Opening(opening) => {
                    let Routes { config, routes } = &*self.routes;
                    let route = &routes[self.round.index];
                    match opening.advance(now, route, config, &self.application_name) {
                        Ok(true) => return Some(self.begin(now)),
                        Ok(false) => return None,
                        Err(error) => {
                            if let Some(event) = self.pass_over(now, error) {
                                return Some(event);
                            }
                        }
                    }
                }
                Phase::Up(session) => match session.poll(now, self.answer_timeout) {
                    Ok(event) => return event,
                    Err(error) => {
                        // The server that was lost is the least likely to be there.
                        self.round.index = (self.round.index + 1) % self.routes.routes.len();
                        self.phase = Phase::Resting { until: Some(now + PAUSE_MIN) };
                        return Some(Event::Lost(error));
                    }
                },
            }
        }
    }

    fn ask(&mut self, ask: impl FnOnce(&mut Session) -> Result<(), ConnectionError>) {
        if let Phase::Up(session) = &mut self.phase
            && session.error.is_none()
        {
            session.error = ask(session).err();
        }
    }

    /// `Opening` becomes `Up`.
    fn begin(&mut self, now: Instant) -> Event {
        let resting = Phase::Resting { until: None };
        if let Phase::Opening(opening) = mem::replace(&mut self.phase, resting) {
            self.phase = Phase::Up(Session {
                stream: opening.stream,
                pipeline: Pipeline::default(),
                silent_since: None,
                polled_at: now,
                error: None,
            });
        }
        self.round = Round { index: self.round.index, ..Round::default() };
        Event::Up
    }

    /// Goes on to the next server. After the last one, tells why none will do and rests.
    fn pass_over(&mut self, now: Instant, error: ConnectionError) -> Option<Event> {
        let routes = &self.routes.routes;
        let round = &mut self.round;
        round.failures.push((routes[round.index].host.clone(), error));
        round.index = (round.index + 1) % routes.len();
        if round.failures.len() < routes.len() {
            self.phase = Phase::Resting { until: None };
            return None;
        }
        round.pause = (2 * round.pause).clamp(PAUSE_MIN, PAUSE_MAX);
        self.phase = Phase::Resting { until: Some(now + round.pause) };
        Some(Event::Unavailable(Unavailable(mem::take(&mut round.failures))))
    }
}

impl Session {
    fn next_deadline(&self, answer_timeout: Duration) -> Option<Instant> {
        match self.silent_since {
            _ if self.stream.can_flush() || self.error.is_some() => Some(self.polled_at),
            None if self.pipeline.is_waiting() => Some(self.polled_at),
            since => since.map(|since| since + answer_timeout),
        }
    }

    fn poll(
        &mut self,
        now: Instant,
        answer_timeout: Duration,
    ) -> Result<Option<Event>, ConnectionError> {
        self.polled_at = now;
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        self.stream.flush()?;
        while let Some(message) = self.stream.next_message()? {
            self.silent_since = self.pipeline.is_waiting().then_some(now);
            if let Some(event) = self.pipeline.on_message(message)? {
                return Ok(Some(event));
            }
        }
        if !self.pipeline.is_waiting() {
            self.silent_since = None;
            return Ok(None);
        }
        let since = *self.silent_since.get_or_insert(now);
        if answer_timeout <= now.saturating_duration_since(since) {
            return Err(ConnectionError::Silent(answer_timeout));
        }
        Ok(None)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connection").field("phase", &self.phase).finish_non_exhaustive()
    }
}
