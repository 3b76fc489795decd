//! Those who were here before this process was.

use std::time::Instant;

use pychat_wire::UserName;

use super::{Chat, Effect, Peer, Phase, Protocol};
use crate::{id::ConnectionId, pace::Bucket};

/// Where somebody stood.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Under which name it is in the room.
    pub name: Option<UserName>,
    /// What it is spoken to in.
    pub protocol: Protocol,
    /// Its connection is about to be closed.
    pub is_closing: bool,
    /// Until when what it has said weighs on what it may say.
    pub paced_until: Option<Instant>,
}

impl Chat {
    /// Takes somebody in where it stood. Nobody hears of it: to the others it was here all the time.
    ///
    /// Those in the room must come in the order in which they joined.
    pub fn restore(&mut self, now: Instant, id: ConnectionId, standing: Standing) {
        let Standing { name, protocol, is_closing, paced_until } = standing;
        if let Some(name) = &name {
            self.roster.restore(id, name.clone());
        }
        let phase = match name {
            _ if is_closing => Phase::Closing,
            Some(name) => Phase::Joined(name),
            None => {
                self.deadlines.set(id, now + self.rules.hello_timeout);
                Phase::Guest
            }
        };
        let peer = Peer {
            phase,
            protocol,
            bad_payloads: 0,
            bucket: Bucket::draining_until(paced_until),
            is_told_to_slow_down: false,
        };
        self.peers.insert(id, peer);
        self.check_invariants();
    }

    /// Welcomes somebody of protocol 2 once more, who will answer how far it came.
    pub fn welcome_again(&mut self, id: ConnectionId, effects: &mut Vec<Effect>) {
        let Some(Peer { phase: Phase::Joined(name), .. }) = self.peers.get(&id) else { return };
        let name = name.clone();
        let token = self.tokens.make();
        let hash = self.tokens.grant(&name, &token);
        let members = self.roster.members().clone();
        effects.push(Effect::Remember { name: name.clone(), hash });
        effects.push(Effect::Welcome { to: id, name, token, members });
    }

    /// Returns what somebody is spoken to in, as far as it has said.
    pub fn protocol_of(&self, id: ConnectionId) -> Protocol {
        self.protocol(id)
    }

    /// Returns until when what somebody has said weighs on what it may say.
    pub fn paced_until(&self, id: ConnectionId) -> Option<Instant> {
        self.peers.get(&id).and_then(|peer| peer.bucket.empty_at())
    }
}
