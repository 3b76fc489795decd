//! The end of connections: the last words to each, and all of them when the server stops.

use pychat_wire::{message::ErrorCode, notice::Notice};

use super::{
    Action, Chat, CloseReason, Complaint, Effect, Event, Phase, Protocol, Recipients, act, notify,
};
use crate::core::id::ConnectionId;

impl Chat {
    /// The server stops once everything that was said has been answered; nothing more is read.
    pub(super) fn on_stopping(&mut self, effects: &mut Vec<Effect>) {
        let mut ids: Vec<_> = self.peers.keys().copied().collect();
        ids.sort_unstable();
        if self.requests.stop() {
            for id in ids {
                act(id, Action::AwaitStore, effects);
            }
            return;
        }
        for id in ids {
            if self.is_open(id) {
                if self.protocol(id) == Protocol::V1 {
                    notify(id, Notice::Stopping, effects);
                }
                self.close(id, CloseReason::Shutdown, effects);
            }
        }
    }

    /// Anything else becomes `Closing`; a second reason changes nothing. The connection is closed once
    /// what it said was answered.
    pub(super) fn close(
        &mut self,
        id: ConnectionId,
        reason: CloseReason,
        effects: &mut Vec<Effect>,
    ) {
        if !self.is_open(id) {
            return;
        }
        self.deadlines.clear(id);
        if reason != CloseReason::Quit && self.protocol(id) == Protocol::V2 {
            self.tell_last(id, Event::Bye { reason }, effects);
        }
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.phase = Phase::Closing;
        let close = Effect::Connection { id, action: Action::Close { reason } };
        peer.in_flight.after_answers(id, close, effects);
    }

    /// Tells a peer something that follows on the answers to what it said.
    fn tell_last(&mut self, to: ConnectionId, event: Event, effects: &mut Vec<Effect>) {
        if let Some(peer) = self.peers.get_mut(&to) {
            let tell = Effect::Tell { to: Recipients::One(to), event };
            peer.in_flight.after_answers(to, tell, effects);
        }
    }

    /// Says a last sentence to a peer, in whatever protocol it is spoken to in.
    pub(super) fn say(
        &mut self,
        to: ConnectionId,
        code: ErrorCode,
        text: &str,
        effects: &mut Vec<Effect>,
    ) {
        let event = match self.protocol(to) {
            Protocol::V1 => Event::Notice(format!("{text}\n")),
            Protocol::V2 => Event::Refused(Complaint::new(code, text)),
        };
        self.tell_last(to, event, effects);
    }
}
