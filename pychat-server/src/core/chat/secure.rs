//! Connections that are encrypted, and those that may go on without.

use std::time::Instant;

use pychat_wire::{message::ErrorCode, notice::Notice};

use super::{
    Action, Chat, CloseReason, Complaint, Effect, Event, Phase, Protocol, Refusal, act, complain,
    notify, tell,
};
use crate::core::{admission::Act, id::ConnectionId};

/// The connections that may go on without TLS.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Plain {
    /// All.
    Always,
    /// Those from this machine and from local networks.
    #[default]
    Lan,
    /// None.
    Never,
}

impl Chat {
    /// A guest asks for TLS; where its address has asked too often, it waits.
    pub(super) fn on_tls_wanted(
        &mut self,
        now: Instant,
        id: ConnectionId,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get(&id) else { return };
        let origin = peer.origin;
        if let Some(until) = self.admission.full_until(now, origin, Act::Handshake) {
            return self.hold_guest(id, until, effects);
        }
        self.admission.fill(now, origin, Act::Handshake, 1);
        act(id, Action::StartTls, effects);
    }

    /// A guest is greeted again, in private; nothing that was said before counts.
    pub(super) fn on_secured(&mut self, id: ConnectionId, effects: &mut Vec<Effect>) {
        if let Some(peer) = self.peers.get_mut(&id)
            && let Phase::Guest = peer.phase
        {
            peer.is_secure = true;
            tell(id, Event::Greeting, effects);
        }
    }

    /// Returns true if a guest may join by the connection that it has.
    pub(super) fn may_join_so(&self, id: ConnectionId) -> bool {
        self.peers.get(&id).is_some_and(|peer| match self.rules.plain {
            Plain::Always => true,
            Plain::Lan => peer.is_secure || peer.origin.is_local(),
            Plain::Never => peer.is_secure,
        })
    }

    /// Tells a guest that it must use TLS, and closes the connection.
    pub(super) fn refuse_plain(&mut self, id: ConnectionId, effects: &mut Vec<Effect>) {
        act(id, Action::Log(Refusal::Plain), effects);
        let text = "This server takes encrypted connections only, which this client does not know";
        match self.protocol(id) {
            Protocol::V1 => notify(id, Notice::Other(&format!("{text}. Bye!\n")), effects),
            Protocol::V2 => complain(id, Complaint::new(ErrorCode::NotAdmitted, text), effects),
        }
        self.close(id, CloseReason::Protocol, effects);
    }
}
