//! Those who were here before this process was.

use std::time::Instant;

use pychat_wire::UserName;

use super::{Chat, Effect, Peer, Phase, Protocol, arrival::change_owners};
use crate::{id::ConnectionId, log::OwnerId, pace::Bucket};

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
        let owned = name.as_ref().filter(|_| protocol == Protocol::Two);
        let known = owned.and_then(|name| self.tokens.owner(name));
        let grant = known.or_else(|| owned.map(|_| self.tokens.make().1));
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
            grant,
            bad_payloads: 0,
            bucket: Bucket::draining_until(paced_until),
            is_told_to_slow_down: false,
        };
        self.peers.insert(id, peer);
        self.check_invariants();
    }

    /// Welcomes somebody of protocol 2 once more, who will answer how far it came.
    pub fn welcome_again(&mut self, id: ConnectionId, effects: &mut Vec<Effect>) {
        let expiry = self.name_expiry();
        let Some(Peer { phase: Phase::Joined(name), grant: Some(grant), .. }) =
            self.peers.get_mut(&id)
        else {
            return;
        };
        let name = name.clone();
        let (token, new) = self.tokens.make();
        grant.token = new.token;
        grant.is_saved = grant.is_saved && self.tokens.reserve(*grant, &name, self.utc_ms, expiry);
        change_owners(&mut self.tokens, effects);
        let members = self.roster.members().clone();
        effects.push(Effect::Welcome { to: id, name, token, members });
    }

    /// Returns whose name somebody has, if they proved it.
    pub fn owner_of(&self, id: ConnectionId) -> Option<OwnerId> {
        self.peers.get(&id)?.grant.map(|grant| grant.owner)
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
