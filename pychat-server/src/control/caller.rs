//! Somebody who calls, until they are answered.

use std::{
    io::{ErrorKind, Read, Write},
    time::Instant,
};

use mio::net::UnixStream;
use pychat_wire::{Decoder, frame};

use super::{Answer, CALL_TIMEOUT, Call, REQUEST_BYTES_MAX, Request};
use crate::core::{id::CallId, moderation::Reply};

/// The most bytes read of a caller in a tick.
const READ_BYTES_MAX: usize = 16 << 10;

/// Somebody who calls.
#[derive(Debug)]
pub(super) struct Caller {
    id: CallId,
    socket: UnixStream,
    by: String,
    deadline: Instant,
    is_readable: bool,
    is_writable: bool,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Reading(Decoder),
    Waiting,
    Writing { answer: Vec<u8>, written: usize },
    Over,
}

impl Caller {
    pub(super) fn new(id: CallId, socket: UnixStream, by: String, now: Instant) -> Self {
        Self {
            id,
            socket,
            by,
            deadline: now + CALL_TIMEOUT,
            is_readable: true,
            is_writable: true,
            phase: Phase::Reading(Decoder::new(REQUEST_BYTES_MAX)),
        }
    }

    pub(super) fn id(&self) -> CallId {
        self.id
    }

    /// Returns true if its request is being carried out.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.phase, Phase::Waiting)
    }

    pub(super) fn set_ready(&mut self, readable: bool, writable: bool) {
        self.is_readable |= readable;
        self.is_writable |= writable;
    }

    /// Returns when there is something to do for it: at once, if it can be read or written.
    pub(super) fn next_deadline(&self, now: Instant) -> Instant {
        match self.phase {
            Phase::Reading(_) if self.is_readable => now,
            Phase::Writing { .. } if self.is_writable => now,
            Phase::Over => now,
            Phase::Reading(_) | Phase::Waiting | Phase::Writing { .. } => self.deadline,
        }
    }

    /// Reads a little; returns the request once it is whole.
    pub(super) fn read(&mut self) -> Option<Call> {
        let Phase::Reading(decoder) = &mut self.phase else { return None };
        let mut buffer = [0; READ_BYTES_MAX];
        if !self.is_readable {
            return None;
        }
        let size = match self.socket.read(&mut buffer) {
            Ok(0) => {
                self.phase = Phase::Over;
                return None;
            }
            Ok(size) => size,
            Err(error) => {
                match error.kind() {
                    ErrorKind::WouldBlock => self.is_readable = false,
                    ErrorKind::Interrupted => (),
                    _ => self.phase = Phase::Over,
                }
                return None;
            }
        };
        let request = match decoder.next_payload(&mut &buffer[..size]) {
            Ok(None) => return None,
            Ok(Some(payload)) => {
                serde_json::from_slice::<Request>(payload).map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        match request {
            Ok(request) => {
                self.phase = Phase::Waiting;
                Some(Call { id: self.id, by: self.by.clone(), request })
            }
            Err(error) => {
                let text = format!("Not understood: {error}.");
                self.answer(&Answer::Reply(Reply::Failed { text }));
                None
            }
        }
    }

    /// Begins to answer.
    pub(super) fn answer(&mut self, answer: &Answer) {
        let mut framed = Vec::new();
        // Every answer can be written as JSON: it has no maps but those of names.
        frame::encode(&mut framed, |out| {
            out.extend(serde_json::to_vec(answer).unwrap_or_default());
        });
        self.phase = Phase::Writing { answer: framed, written: 0 };
    }

    /// Writes what can be written; returns true if the call is over.
    pub(super) fn flush(&mut self, now: Instant) -> bool {
        while let Phase::Writing { answer, written } = &mut self.phase
            && self.is_writable
        {
            if *written == answer.len() {
                self.phase = Phase::Over;
                break;
            }
            match self.socket.write(&answer[*written..]) {
                Ok(size) => *written += size,
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => self.is_writable = false,
                    ErrorKind::Interrupted => (),
                    _ => self.phase = Phase::Over,
                },
            }
        }
        matches!(self.phase, Phase::Over) || self.deadline <= now
    }
}
