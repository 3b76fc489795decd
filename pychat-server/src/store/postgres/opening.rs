//! One attempt to begin a session with one server: connecting, TLS, and what both sides tell each other
//! first.

use std::time::{Duration, Instant};

use mio::{Registry, Token};
use postgres_protocol::message::frontend;

use super::{
    config::Config, error::ConnectionError, routes::Route, startup::Startup, stream::Stream,
};

/// The time for one attempt.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// An attempt to begin a session.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) stream: Stream,
    step: Step,
    pub(super) deadline: Instant,
}

#[derive(Debug)]
enum Step {
    Connecting,
    /// The server has been asked for TLS.
    Asking,
    Handshaking,
    Starting(Startup),
}

impl Opening {
    pub(super) fn begin(
        now: Instant,
        route: &Route,
        registry: &Registry,
        token: Token,
    ) -> Result<Self, ConnectionError> {
        let address = route.address.as_ref().ok_or(ConnectionError::Unresolved)?;
        let stream = Stream::open(address, registry, token)?;
        Ok(Self { stream, step: Step::Connecting, deadline: now + OPEN_TIMEOUT })
    }

    /// Goes on as far as it can; returns true once the session has begun.
    pub(super) fn advance(
        &mut self,
        now: Instant,
        route: &Route,
        config: &Config,
        application_name: &str,
    ) -> Result<bool, ConnectionError> {
        loop {
            let next = match &mut self.step {
                Step::Connecting if !self.stream.is_connected()? => None,
                Step::Connecting if route.tls.is_some() => {
                    frontend::ssl_request(&mut self.stream.output);
                    Some(Step::Asking)
                }
                Step::Asking => self.begin_tls(route)?.then_some(Step::Handshaking),
                Step::Handshaking if !self.stream.handshake()? => None,
                Step::Connecting | Step::Handshaking => Some(self.start(config, application_name)?),
                Step::Starting(startup) => {
                    let stream = &mut self.stream;
                    while let Some(message) = stream.next_message()? {
                        if startup.on_message(message, config, &mut stream.output)? {
                            return Ok(true);
                        }
                    }
                    None
                }
            };
            self.stream.flush()?;
            match next {
                Some(step) => self.step = step,
                None if self.deadline <= now => return Err(ConnectionError::Silent(OPEN_TIMEOUT)),
                None => return Ok(false),
            }
        }
    }

    fn start(&mut self, config: &Config, application_name: &str) -> Result<Step, ConnectionError> {
        Startup::begin(config, application_name, &mut self.stream.output).map(Step::Starting)
    }

    /// Begins TLS if the server has said that it will; returns false if it has said nothing yet.
    fn begin_tls(&mut self, route: &Route) -> Result<bool, ConnectionError> {
        self.stream.flush()?;
        let Some(answer) = self.stream.answer_to_tls()? else { return Ok(false) };
        match (answer, &route.tls) {
            (b'S', Some((config, name))) => {
                self.stream.begin_tls(config, name.clone())?;
                Ok(true)
            }
            _ => Err(ConnectionError::NoTls),
        }
    }
}
