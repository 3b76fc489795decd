//! The end of connections: the last words to each, and all of them when the server stops.

use pychat_wire::{message::ErrorCode, notice::Notice};

use super::{
    Action, Chat, CloseReason, Complaint, Effect, Event, Phase, Protocol, act, notify, tell,
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
            self.dismiss(id, effects);
        }
    }

    /// Says goodbye to a peer whose connection cannot outlive this process.
    pub fn dismiss(&mut self, id: ConnectionId, effects: &mut Vec<Effect>) {
        if self.is_open(id) {
            if self.protocol(id) == Protocol::V1 {
                notify(id, Notice::Stopping, effects);
            }
            self.close(id, CloseReason::Shutdown, effects);
        }
    }

    /// Anything else becomes `Closing`; a second reason changes nothing.
    pub(super) fn close(
        &mut self,
        id: ConnectionId,
        reason: CloseReason,
        effects: &mut Vec<Effect>,
    ) {
        if !self.is_open(id) {
            return;
        }
        self.timers.hello.clear(id);
        if reason != CloseReason::Quit && self.protocol(id) == Protocol::V2 {
            tell(id, Event::Bye { reason }, effects);
        }
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.phase = Phase::Closing;
        }
        act(id, Action::Close { reason }, effects);
    }

    /// Says a last sentence to a peer, in whatever protocol it is spoken to in.
    pub(super) fn say(
        &self,
        to: ConnectionId,
        code: ErrorCode,
        text: &str,
        effects: &mut Vec<Effect>,
    ) {
        let event = match self.protocol(to) {
            Protocol::V1 => Event::Notice(format!("{text}\n")),
            Protocol::V2 => Event::Refused(Complaint::new(code, text)),
        };
        tell(to, event, effects);
    }
}
