//! Reading: bytes of connections become inputs of the chat.

use std::{ops::ControlFlow, time::Instant};

use pychat_wire::{
    ClientMessage,
    key::{Challenge, Nonce},
};

use super::sessions::Sessions;
use crate::{
    core::{
        chat::{Chat, Effect, Input},
        id::ConnectionId,
        secret::Secret,
    },
    net::{
        connection::{Fill, Filled, READ_BUDGET_BYTES},
        transport::Socket,
    },
};

/// The most that is read from all connections before what they said is answered, in bytes.
///
/// It bounds what one tick can owe a single peer, so that a peer that reads is not taken for one
/// that does not because many spoke at once.
pub const TICK_READ_BYTES_MAX: usize = 4 * READ_BUDGET_BYTES;

/// The weight of effects, in bytes, that counts as much as one byte read: a tick owes its peers at
/// most this times [`TICK_READ_BYTES_MAX`].
const WEIGHT_PER_READ_BYTE: usize = 64;

/// The buffer into which transports are read.
pub(super) struct Reader(Box<[u8]>);

impl Default for Reader {
    fn default() -> Self {
        Self(vec![0; READ_BUDGET_BYTES].into_boxed_slice())
    }
}

impl Reader {
    /// Gives every ready connection one turn, as far as this tick's budget goes; returns true if anybody said
    /// anything.
    pub(super) fn read_ready<T: Socket>(
        &mut self,
        now: Instant,
        sessions: &mut Sessions<T>,
        chat: &mut Chat,
        nonces: &mut Secret,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let mut budget = TICK_READ_BYTES_MAX;
        for _ in 0..sessions.ready.len() {
            if budget == 0 {
                break;
            }
            let Some(id) = sessions.ready.pop_front() else { break };
            budget = budget.saturating_sub(self.read(now, id, sessions, chat, nonces, effects));
        }
        budget < TICK_READ_BYTES_MAX
    }

    /// Reads one connection; returns how much of the tick's budget that took.
    fn read<T: Socket>(
        &mut self,
        now: Instant,
        id: ConnectionId,
        sessions: &mut Sessions<T>,
        chat: &mut Chat,
        nonces: &mut Secret,
        effects: &mut Vec<Effect>,
    ) -> usize {
        let Some(session) = sessions.get_mut(id) else { return 0 };
        session.queued.ready = false;
        if let Some(until) = chat.limited_until(now, id) {
            sessions.limit(id, until);
            return 0;
        }
        let n_effects = effects.len();
        let filled = session.connection.fill(&mut self.0, |payload| {
            let n_effects = effects.len();
            chat.handle(now, input(id, payload), effects);
            if effects[n_effects..].iter().any(|effect| effect.ends_reading(id)) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        let weight: usize = effects[n_effects..].iter().map(Effect::weight).sum();
        let Fill { end, bytes } = match filled {
            Ok(fill) => fill,
            Err(error) => {
                sessions.lose(id, error);
                return 0;
            }
        };
        if 0 < bytes {
            session.set_alive(now);
        }
        if session.connection.wants_write() {
            sessions.mark_dirty(id); // TLS has something to say of its own.
        }
        match end {
            // An effect says until when.
            Filled::Drained | Filled::Held => (),
            Filled::Budget => sessions.mark_ready(id),
            Filled::TlsWanted => chat.handle(now, Input::TlsWanted { id }, effects),
            Filled::Secured(binding) => {
                let challenge = Challenge { nonce: Nonce(nonces.bytes()), binding };
                chat.handle(now, Input::Secured { id, challenge }, effects);
                sessions.mark_ready(id);
            }
            Filled::Eof if sessions.get_mut(id).is_some_and(|it| it.connection.is_over()) => {
                sessions.ended.push(id);
            }
            Filled::Eof => chat.handle(now, Input::Eof { id }, effects),
            Filled::BadFrame(error) => {
                chat.handle(now, Input::BadFrame { id, error }, effects);
                sessions.mark_ready(id); // The rest must be read, if only to be dropped.
            }
        }
        bytes + weight / WEIGHT_PER_READ_BYTE
    }
}

/// Returns a payload as an input of the chat; an empty one is the original's goodbye.
fn input(id: ConnectionId, payload: &[u8]) -> Input<'_> {
    if payload.is_empty() {
        return Input::Eof { id };
    }
    match ClientMessage::parse(payload) {
        Ok(message) => Input::Received { id, message },
        Err(error) => Input::BadMessage { id, error },
    }
}
