//! Calls of operators on the machine, taken in before a tick of the server and answered after it; and
//! the metrics of the server, which are of the same numbers.

use std::{mem, time::Instant};

use mio::{Poll, Token, event::Event, net::TcpStream};

use super::{CONTROL, FIRST_CALLER, StartError, metrics::MetricsFile, register_call};
use crate::{
    config::ControlPlace,
    control::{Answer, CALLERS_MAX, Call, Control, Request, Shared, Stats, prometheus},
    core::moderation::Reply,
    logging,
    server::{Server, Totals},
};

/// The operator's socket and the file of metrics, as far as there are any.
#[derive(Debug)]
pub(super) struct Calls {
    control: Option<Control>,
    /// When the server began.
    began: Option<Instant>,
    /// Calls for what the store is fetching: they are made again.
    later: Vec<Call>,
    pub(super) metrics: MetricsFile,
}

impl Calls {
    /// Listens at `place`. Where nobody asked for it, a server goes on without.
    pub(super) fn open(
        place: Option<&ControlPlace>,
        metrics: MetricsFile,
        poll: &Poll,
    ) -> Result<Self, StartError> {
        let control = match place.map(|place| (place, Control::open(&place.path))) {
            Some((_, Ok(mut control))) => {
                register_call(poll, control.listener(), CONTROL)?;
                Some(control)
            }
            Some((ControlPlace { is_given: true, .. }, Err(error))) => return Err(error.into()),
            Some((_, Err(error))) => {
                logging::control_failed(&error);
                None
            }
            None => None,
        };
        Ok(Self { control, began: None, later: Vec::new(), metrics })
    }

    /// Notes an edge.
    pub(super) fn set_ready(&mut self, event: &Event) {
        let Some(control) = &mut self.control else { return };
        match event.token() {
            CONTROL => control.set_ready(),
            Token(token) => {
                let readable = event.is_readable() || event.is_read_closed() || event.is_error();
                let slot = token - FIRST_CALLER.0;
                control.set_caller_ready(slot, readable, event.is_writable());
            }
        }
    }

    pub(super) fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let called = self.control.as_ref().and_then(|control| control.next_deadline(now));
        [called, self.metrics.next_deadline(now)].into_iter().flatten().min()
    }

    /// Takes in those who call, and has what they ask for carried out in this tick.
    pub(super) fn take_in(&mut self, now: Instant, poll: &Poll, server: &mut Server<TcpStream>) {
        let began = *self.began.get_or_insert(now);
        let Some(control) = &mut self.control else { return };
        control
            .accept(now, |socket, slot| register_call(poll, socket, Token(FIRST_CALLER.0 + slot)));
        let calls = control.requests();
        self.heed(now, began, calls, server);
    }

    /// Has what is asked for carried out, or answers it, or keeps it for later.
    fn heed(
        &mut self,
        now: Instant,
        began: Instant,
        calls: Vec<Call>,
        server: &mut Server<TcpStream>,
    ) {
        let Some(control) = &mut self.control else { return };
        for Call { id, by, request } in calls {
            let answer = match &request {
                Request::Order(order) => {
                    server.order(now, id, &by, order.clone());
                    continue;
                }
                Request::Stats => {
                    let mut stats = stats(now, began, server);
                    stats.shared.servers = server.lookup().servers();
                    Ok(Some(Answer::Stats(stats)))
                }
                Request::Audit { limit } => {
                    let entries = server.lookup().audit(*limit);
                    entries.map(|entries| entries.map(|entries| Answer::Audit { entries }))
                }
                Request::Messages { room, limit, before } => {
                    let messages = server.lookup().messages(room, *limit, *before);
                    messages.map(|messages| messages.map(|messages| Answer::Messages { messages }))
                }
            };
            match answer {
                Ok(Some(answer)) => control.answer(id, &answer),
                Err(text) => control.answer(id, &failed(text)),
                Ok(None) if self.later.len() < CALLERS_MAX => {
                    self.later.push(Call { id, by, request });
                }
                Ok(None) => control.answer(id, &failed("Ask again later.".to_owned())),
            }
        }
    }

    /// Answers what the server has answered by now.
    pub(super) fn answer(&mut self, now: Instant, server: &mut Server<TcpStream>) {
        let later = mem::take(&mut self.later);
        self.heed(now, self.began.unwrap_or(now), later, server);
        let Some(control) = &mut self.control else { return };
        for (id, reply) in server.take_replies() {
            control.answer(id, &Answer::Reply(reply));
        }
        control.flush(now);
    }

    /// Writes the file of metrics, if there is one and its time has come.
    pub(super) fn write_metrics(&mut self, now: Instant, server: &Server<TcpStream>) {
        let began = self.began.unwrap_or(now);
        self.metrics.write(now, || prometheus(&stats(now, began, server)));
    }
}

/// Returns the state of a server that `began` then, without the other servers of its chat.
fn stats(now: Instant, began: Instant, server: &Server<TcpStream>) -> Stats {
    let Totals { rooms, last_message, stored_records, is_storage_failing, schema } =
        server.totals();
    Stats {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_seconds: now.saturating_duration_since(began).as_secs(),
        people: server.people(),
        connections: server.len(),
        owed_bytes: server.backlog_bytes(),
        last_message,
        rooms,
        stored_records,
        is_storage_failing,
        shared: Shared { schema, ..Shared::default() },
    }
}

fn failed(text: String) -> Answer {
    Answer::Reply(Reply::Failed { text })
}
