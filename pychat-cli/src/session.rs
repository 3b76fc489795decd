//! A client and its connection, driven by one thread: whatever the program, this is its loop.

use std::{
    os::fd::{AsFd, BorrowedFd},
    time::{Duration, Instant},
};

use pychat_wire::{
    Client,
    client::{Cause, Event},
    message::Reason,
};
use rustix::event::{PollFd, PollFlags};

use crate::{
    connecting::{self, Connected, Patience},
    failure::{Failure, warn},
    line::{Line, wait_any},
    options::Common,
    signals::Signals,
    trust::Trust,
};

/// A conversation with a server.
#[derive(Debug)]
pub(crate) struct Session {
    /// The client's half.
    pub(crate) client: Client,
    /// The time at which the program gives up, if what it waits for has not come.
    pub(crate) deadline: Option<Instant>,
    program: &'static str,
    trust: Trust,
    line: Option<Line>,
    signals: Option<Signals>,
    start: Instant,
    /// The reason why there is no connection, as far as it was told.
    outage: Option<Failure>,
}

/// The things beside the server to wait for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Others<'a> {
    /// Something to read from.
    pub(crate) input: Option<BorrowedFd<'a>>,
    /// Something whose reader may go.
    pub(crate) output: Option<BorrowedFd<'a>>,
}

/// The things that happened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Woken {
    /// There is something to read from the input, or it is over.
    pub(crate) has_input: bool,
    /// Nobody reads the output any more.
    pub(crate) is_output_closed: bool,
    /// A signal asks for the end.
    pub(crate) is_stopped: bool,
}

impl Session {
    /// Returns a session for `client`, which has not called yet.
    pub(crate) fn new(program: &'static str, client: Client, common: Common) -> Self {
        let trust = common.trust;
        let (deadline, line, signals, outage) = (None, None, None, None);
        let start = Instant::now();
        Self { client, deadline, program, trust, line, signals, start, outage }
    }

    /// Ends in order at a signal, from now on.
    pub(crate) fn take_signals(&mut self) -> std::io::Result<()> {
        self.signals = Some(Signals::take()?);
        Ok(())
    }

    /// Returns the next thing that the program has to see to.
    ///
    /// # Errors
    ///
    /// The server does not let us in, and will not.
    pub(crate) fn next_event(&mut self) -> Result<Option<Event>, Failure> {
        while let Some(event) = self.client.next_event() {
            match event {
                Event::Connect => self.connect()?,
                Event::Disconnect => self.hang_up(),
                Event::Refused { reason, suggest, .. } => {
                    let hint = suggest.map(|name| format!("; {name:?} is free"));
                    let words = format!("not let in: {reason}{}", hint.unwrap_or_default());
                    return Err(Failure::Refused(words));
                }
                Event::Offline { cause, retry_at_ms } => self.on_offline(&cause, retry_at_ms)?,
                Event::Joined { .. } => {
                    self.outage = None;
                    return Ok(Some(event));
                }
                event => return Ok(Some(event)),
            }
        }
        Ok(None)
    }

    /// Writes what there is to write, and waits until something happens.
    ///
    /// # Errors
    ///
    /// The deadline has passed.
    pub(crate) fn wait(&mut self, others: Others<'_>) -> Result<Woken, Failure> {
        if self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            let late = Failure::Later("the server did not answer in time".to_owned());
            return Err(self.outage.take().unwrap_or(late));
        }
        let outgoing = self.client.take_outgoing();
        if let Some(line) = &mut self.line
            && line.write(&outgoing).is_err()
        {
            self.lose();
            return Ok(Woken::default());
        }
        let (woken, has_news) = self.wait_for_any(others)?;
        if has_news && let Some(line) = &mut self.line {
            match line.read() {
                Ok(Some(bytes)) => self.client.receive(self.now(), &bytes),
                Ok(None) | Err(_) => self.lose(),
            }
        }
        self.client.handle_timeout(self.now());
        Ok(woken)
    }

    /// Leaves in order.
    pub(crate) fn finish(mut self) {
        self.client.leave();
        self.hang_up();
    }

    /// Returns the time on the client's clock.
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Waits; returns what happened, and true if that was something on the line.
    fn wait_for_any(&self, others: Others<'_>) -> Result<(Woken, bool), Failure> {
        let due = self.client.next_deadline().map(|ms| self.start + Duration::from_millis(ms));
        let until = [due, self.deadline].into_iter().flatten().min();
        let line = self.line.as_ref().map(|line| (line.as_fd(), line.interest()));
        let signals = self.signals.as_ref().map(|it| (it.socket().as_fd(), PollFlags::IN));
        let input = others.input.map(|input| (input, PollFlags::IN));
        let output = others.output.map(|output| (output, PollFlags::empty()));
        let wanted = [line, signals, input, output];
        let mut fds: Vec<_> = wanted
            .iter()
            .flatten()
            .map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags))
            .collect();
        let failed = |error| Failure::Later(format!("cannot wait: {error}"));
        wait_any(&mut fds, until).map_err(failed)?;
        let mut happened = fds.iter().map(|fd| !fd.revents().is_empty());
        let [has_news, is_stopped, has_input, is_output_closed] =
            wanted.map(|it| it.is_some() && happened.next().unwrap_or_default());
        Ok((Woken { has_input, is_output_closed, is_stopped }, has_news))
    }

    fn connect(&mut self) -> Result<(), Failure> {
        let stop = self.signals.as_ref().map(|it| it.socket().as_fd());
        let patience = Patience { until: self.deadline, stop };
        match connecting::connect(&mut self.client, &self.trust, patience) {
            Ok(Connected { line, bytes, binding }) => {
                self.line = Some(line);
                self.client.connected(self.now());
                if let Some(binding) = binding {
                    self.client.secured(self.now(), binding);
                }
                self.client.receive(self.now(), &bytes);
            }
            Err(Failure::Later(words)) => {
                self.note(&words);
                self.client.disconnected(self.now());
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    fn on_offline(&mut self, cause: &Cause, retry_at_ms: Option<u64>) -> Result<(), Failure> {
        let words = match cause {
            Cause::Bye { reason } if reason.is_final() => {
                return Err(Failure::Refused(goodbye(*reason).to_owned()));
            }
            Cause::Unreachable => String::new(), // It was told why.
            Cause::CutShort | Cause::Lost => "the server closed the connection".to_owned(),
            Cause::Silent => "the server does not answer".to_owned(),
            Cause::Garbled(error) => format!("it is no chat server: {error}"),
            Cause::TurnedAway { reason, .. } => reason.clone(),
            Cause::Bye { reason } => goodbye(*reason).to_owned(),
            _ => "there is no connection".to_owned(),
        };
        if !words.is_empty() {
            self.note(&words);
        }
        match retry_at_ms {
            Some(_) => Ok(()),
            None => Err(self.outage.take().unwrap_or(Failure::Later(words))),
        }
    }

    /// Takes note of why there is no connection, and tells of it once.
    fn note(&mut self, words: &str) {
        if self.outage.is_none() {
            warn(self.program, &format!("{words}; trying again"));
        }
        self.outage = Some(Failure::Later(words.to_owned()));
    }

    fn lose(&mut self) {
        self.line = None;
        self.client.disconnected(self.now());
    }

    fn hang_up(&mut self) {
        let stop = self.signals.as_ref().map(|it| it.socket().as_fd());
        if let Some(mut line) = self.line.take() {
            let _ = line.write(&self.client.take_outgoing());
            line.finish(stop);
        }
    }
}

/// Returns the server's reason for ending a connection in words.
fn goodbye(reason: Reason) -> &'static str {
    match reason {
        Reason::Kicked => "an operator, or another connection of the same name, ended this one",
        Reason::Removed => "this device was removed from its person's devices",
        Reason::Banned => "banned by an operator",
        Reason::Shutdown => "the server is shutting down",
        Reason::Slow => "too slow in reading what the server sends",
        _ => "the server ended the connection",
    }
}
