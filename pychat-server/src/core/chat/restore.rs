//! People whose connections outlive a restart are in the room as they were.

use std::time::{Duration, Instant};

use pychat_wire::{UserName, key::Challenge};

use super::{Chat, Grant, InFlight, Peer, Phase, Protocol, buckets::Speaker};
use crate::core::{admission::Origin, id::ConnectionId, people::People};

/// One connection as an earlier process had it.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The name under which it has joined; `None` for a guest.
    pub name: Option<UserName>,
    /// The protocol that it is spoken to in.
    pub protocol: Protocol,
    /// The challenge that its hello must sign.
    pub challenge: Challenge,
    /// The person that it has proved to be, in protocol 2.
    pub grant: Option<Grant>,
    /// The networks that it comes from.
    pub origin: Origin,
    /// Time until its person's rate limit has recovered.
    pub limited_for: Duration,
    /// Time until its person may say the next thing in slow mode.
    pub slow_for: Duration,
    /// Time that a guest has left to say hello.
    pub hello_for: Duration,
}

impl Chat {
    /// Takes a connection in as it was. Nobody hears of it: to the others it was here all the time.
    ///
    /// Those that have joined must come in join order. Returns false, and changes nothing, if
    /// somebody else has the name.
    pub fn restore(&mut self, now: Instant, id: ConnectionId, restored: Restored) -> bool {
        let Restored { name, protocol, challenge, grant, origin, .. } = restored;
        let Restored { limited_for, slow_for, hello_for, .. } = restored;
        let person = grant.map(|grant| grant.person);
        let speaker = name.as_ref().map(|name| Speaker::new(name, person));
        let phase = match name {
            Some(name) if !self.roster.restore(id, name.clone(), person) => return false,
            Some(name) => Phase::Joined(name),
            None => {
                self.timers.hello.set(id, now + hello_for.min(self.rules.hello_timeout));
                Phase::Guest
            }
        };
        if let Some((limit, speaker)) = self.rules.rate_limit.zip(speaker.clone())
            && !limited_for.is_zero()
        {
            self.buckets.restore(speaker, now + limit.clamp(limited_for));
        }
        if let Some((interval, speaker)) = self.people.moderation().slow().zip(speaker)
            && !slow_for.is_zero()
        {
            self.buckets.hold_slow(now, speaker, now + slow_for.min(interval));
        }
        let peer = Peer {
            phase,
            protocol,
            challenge,
            grant,
            origin,
            is_secure: false,
            bad_payloads: 0,
            is_told_to_slow_down: false,
            too_soon: None,
            in_flight: InFlight::default(),
        };
        if let Some(person) = person {
            self.people.pass_over(person);
        }
        self.admission.restore(origin);
        self.peers.insert(id, peer);
        self.check_invariants();
        true
    }

    /// Returns the people, for another chat to go on with.
    pub fn into_people(self) -> People {
        self.people
    }

    /// Returns how a connection is to be restored by the next process; `None` if it is closing, or
    /// waits for the store.
    pub fn saved(&self, now: Instant, id: ConnectionId) -> Option<Restored> {
        let peer = self.peers.get(&id)?;
        let name = match &peer.phase {
            _ if !peer.in_flight.is_empty() => return None,
            Phase::Guest => None,
            Phase::Joined(name) => Some(name.clone()),
            Phase::Claiming(_) | Phase::Closing => return None,
        };
        let left = |until: Option<Instant>| {
            until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
        };
        Some(Restored {
            name,
            protocol: peer.protocol,
            challenge: peer.challenge,
            grant: peer.grant,
            origin: peer.origin,
            limited_for: left(self.speaker(id).and_then(|it| self.buckets.empty_at(now, &it))),
            slow_for: left(self.speaker(id).and_then(|it| self.buckets.slow_until(now, &it))),
            hello_for: left(self.timers.hello.of(id)),
        })
    }
}
