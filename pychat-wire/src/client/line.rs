//! Lines, one after another: made, lost or given up, and the time to make the next.

use std::mem;

use super::{
    Cause, Client, Event, HELLO_MS_MAX, Line, PONG_MS_MAX, Phase, Protocol, RETRY_MS_MAX,
    STEADY_MS, WAKE_PONG_MS_MAX,
};
use crate::{
    key::BINDING_BYTES,
    message::{ClientMessage, ServerMessage},
};

impl Client {
    /// Takes in that the line asked for by [`Event::Connect`] is made.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{Cause, Event, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.next_event(), Some(Event::Connect));
    /// client.connected(0);
    /// assert_eq!(client.next_event(), None); // The server speaks first.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn connected(&mut self, now: u64) {
        match self.phase {
            Phase::Calling => {
                self.line = Line { heard: now, ..Line::default() };
                self.outgoing.clear();
                self.phase = Phase::Connected { until: now.saturating_add(HELLO_MS_MAX) };
            }
            // It was given up while it was made.
            Phase::Idle | Phase::Waiting { .. } => self.tell(Event::Disconnect),
            Phase::Connected { .. } | Phase::Asked { .. } | Phase::Joined { .. } => (),
        }
    }

    /// Takes in that the line is encrypted from here on, under this channel `binding` (`tls-exporter`
    /// of RFC 9266). What was said on it before counts for nothing: the server greets anew.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// client.connected(0);
    /// client.secured(1, [9; 32]);
    /// assert_eq!(client.take_outgoing(), b""); // It waits for the greeting inside.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn secured(&mut self, now: u64, binding: [u8; BINDING_BYTES]) {
        if self.has_line() {
            self.phase = Phase::Calling;
            self.connected(now);
            self.line.challenge.binding = binding;
        }
    }

    /// Takes in that the line has ended, or could not be made.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{Cause, Event, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.next_event(), Some(Event::Connect));
    /// client.disconnected(0); // Nobody answers.
    /// let cause = Cause::Unreachable;
    /// assert_eq!(client.next_event(), Some(Event::Offline { cause, retry_at_ms: None }));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn disconnected(&mut self, now: u64) {
        let cause = match self.phase {
            Phase::Idle | Phase::Waiting { .. } => return,
            Phase::Calling => Cause::Unreachable,
            Phase::Connected { .. } | Phase::Asked { .. } => Cause::CutShort,
            Phase::Joined { .. } => Cause::Lost,
        };
        let cause = self.line.farewell.take().unwrap_or(cause);
        self.lose(now, cause, 0);
    }

    /// Takes in bytes as they were read, cut anywhere.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{Client, FrameError, UserName, client::{Cause, Event, Saved}};
    ///
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.next_event(), Some(Event::Connect));
    /// client.connected(0);
    /// client.receive(1, b"HTTP/1.1 400 Bad Request");
    /// assert_eq!(client.next_event(), Some(Event::Disconnect));
    /// let cause = Cause::Garbled(FrameError::BadPrefix { byte: b'H' });
    /// assert_eq!(client.next_event(), Some(Event::Offline { cause, retry_at_ms: None }));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn receive(&mut self, now: u64, mut bytes: &[u8]) {
        if !self.has_line() || bytes.is_empty() {
            return;
        }
        (self.line.heard, self.line.patience) = (now, None);
        let mut decoder = mem::take(&mut self.line.decoder);
        while self.has_line() {
            match decoder.next_payload(&mut bytes) {
                Ok(Some(payload)) => self.on_payload(now, payload),
                Ok(None) => {
                    self.line.decoder = decoder;
                    return;
                }
                Err(error) => self.give_up(now, Cause::Garbled(error), 0),
            }
        }
    }

    /// Does what is due by `now`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{Cause, Event, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.next_event(), Some(Event::Connect));
    /// client.connected(0);
    /// client.handle_timeout(client.next_deadline().unwrap()); // Not a word.
    /// assert_eq!(client.next_event(), Some(Event::Disconnect));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn handle_timeout(&mut self, now: u64) {
        match self.phase {
            Phase::Waiting { until } if until <= now => self.call(),
            Phase::Connected { until } | Phase::Asked { until, .. } if until <= now => {
                let cause = self.line.farewell.take().unwrap_or(Cause::Silent);
                self.give_up(now, cause, 0);
            }
            Phase::Joined { protocol: Protocol::Second, .. } => self.on_pulse(now),
            _ => (),
        }
    }

    /// Makes the next attempt at once, if the client waits for one; pings the server, if there is a
    /// line in protocol 2. For when the network has returned or the window is looked at.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{Cause, Event, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.next_event(), Some(Event::Connect));
    /// client.wake(0);
    /// assert_eq!(client.next_event(), None); // Nothing was waited for.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn wake(&mut self, now: u64) {
        match self.phase {
            Phase::Waiting { .. } => {
                self.backoff.reset();
                self.attempts.begin_round();
                self.call();
            }
            Phase::Joined { protocol: Protocol::Second, .. } if self.line.patience.is_none() => {
                self.ping(now, WAKE_PONG_MS_MAX);
            }
            _ => (),
        }
    }

    /// Makes another attempt at once, if there is neither a line nor one being made. For a user who
    /// wants to come back after [`Event::Refused`], a [final](crate::message::Reason::is_final) goodbye
    /// or a first attempt that failed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{Cause, Event, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.next_event(), Some(Event::Connect));
    /// client.disconnected(0);
    /// assert!(matches!(client.next_event(), Some(Event::Offline { retry_at_ms: None, .. })));
    /// client.reconnect();
    /// assert_eq!(client.next_event(), Some(Event::Connect));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn reconnect(&mut self) {
        if matches!(self.phase, Phase::Idle | Phase::Waiting { .. }) {
            self.backoff.begin_anew();
            self.attempts.begin_round();
            self.call();
        }
    }

    /// Leaves the room, and does not come back by itself. What the server has not acknowledged in
    /// protocol 2 is sent by the next client that goes on from what is saved.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{Cause, Event, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.next_event(), Some(Event::Connect));
    /// client.leave();
    /// assert_eq!(client.next_event(), Some(Event::Disconnect));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn leave(&mut self) {
        if self.has_line() || matches!(self.phase, Phase::Calling) {
            self.tell(Event::Disconnect);
        }
        self.phase = Phase::Idle;
        self.line = Line::default();
        self.fail_said();
        self.end_searches();
    }

    /// Asks the shell for a line.
    pub(super) fn call(&mut self) {
        self.phase = Phase::Calling;
        self.tell(Event::Connect);
    }

    /// Ends the line from our side.
    pub(super) fn give_up(&mut self, now: u64, cause: Cause, retry_ms: u64) {
        self.tell(Event::Disconnect);
        self.lose(now, cause, retry_ms);
    }

    /// Ends the line. `retry_ms` is the time for which the server wants us to stay away.
    fn lose(&mut self, now: u64, cause: Cause, retry_ms: u64) {
        // All servers were tried for a line that could not be made.
        let goes_elsewhere = match self.phase {
            Phase::Calling => {
                self.backoff.skip_first();
                false
            }
            Phase::Joined { since, .. } if since.saturating_add(STEADY_MS) <= now => {
                self.backoff.begin_anew();
                self.attempts.begin_round();
                self.has_other_server()
            }
            _ => {
                self.attempts.spend_current();
                self.has_other_server()
            }
        };
        self.line = Line::default();
        self.outgoing.clear();
        self.phase = Phase::Idle;
        self.fail_said();
        self.end_searches();
        let is_unwanted = matches!(cause, Cause::Bye { reason } if reason.is_final());
        let is_hopeless = matches!(cause, Cause::Garbled(_)) && self.backoff.is_hopeless();
        if is_unwanted || is_hopeless || !(self.has_joined || self.is_persistent) {
            self.tell(Event::Offline { cause, retry_at_ms: None });
            return;
        }
        let delay_ms = if goes_elsewhere { 0 } else { self.end_round(retry_ms) };
        let until = now.saturating_add(delay_ms);
        self.tell(Event::Offline { cause, retry_at_ms: Some(until) });
        self.phase = Phase::Waiting { until };
        if delay_ms == 0 {
            self.call();
        }
    }

    /// Begins to try all servers again; returns the delay before that, in milliseconds.
    fn end_round(&mut self, retry_ms: u64) -> u64 {
        self.attempts.begin_round();
        if self.has_several_servers() {
            self.backoff.skip_first();
        }
        let wish_ms = self.chance.after(retry_ms.min(RETRY_MS_MAX));
        self.backoff.next_delay_ms(&mut self.chance).max(wish_ms)
    }

    fn has_line(&self) -> bool {
        match self.phase {
            Phase::Idle | Phase::Waiting { .. } | Phase::Calling => false,
            Phase::Connected { .. } | Phase::Asked { .. } | Phase::Joined { .. } => true,
        }
    }

    /// A payload that this client does not understand is passed over, as by clients of the original.
    fn on_payload(&mut self, now: u64, payload: &[u8]) {
        let Ok(message) = ServerMessage::parse(payload) else { return };
        match self.phase {
            Phase::Idle | Phase::Waiting { .. } | Phase::Calling => (),
            Phase::Connected { until } => self.on_greeting(now, until, message),
            Phase::Asked { protocol: Protocol::Original, .. }
            | Phase::Joined { protocol: Protocol::Original, .. } => self.on_original(now, message),
            Phase::Asked { protocol: Protocol::Second, .. } => self.on_answer(now, message),
            Phase::Joined { protocol: Protocol::Second, .. } => self.on_room(now, message),
        }
    }

    /// Asks a silent server, gives up one that was asked, and sends what was held or is due.
    fn on_pulse(&mut self, now: u64) {
        match self.line.patience {
            Some(until) if until <= now => return self.give_up(now, Cause::Silent, 0),
            None if self.line.heard.saturating_add(self.line.ping_ms) <= now => {
                self.ping(now, PONG_MS_MAX);
            }
            _ => (),
        }
        if self.line.held.due_at().is_some_and(|due_at| due_at <= now) {
            self.send_held();
        }
        self.send_signals(now);
    }

    fn ping(&mut self, now: u64, patience_ms: u64) {
        ClientMessage::Ping.encode(&mut self.outgoing);
        self.line.patience = Some(now.saturating_add(patience_ms));
    }
}
