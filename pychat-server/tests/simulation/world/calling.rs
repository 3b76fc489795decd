//! Callers: who calls, from where, and how the server must receive them.

use std::{net::SocketAddr, time::Duration};

use pychat_server::server::TURNED_AWAY_MAX;

use super::{Checker, Manner, N_WITNESSES, Peer, Pulse, Welcome, World};
use crate::{
    kit::{Line, V1Checker, V2Checker},
    world::fault::Fault,
};

/// A prefix of an address, and its length in bits.
pub(super) type Network = (u128, u8);

/// For each connection that a network may have, so many may be made at once, and one in this time.
const CONNECTS_AT_ONCE: u64 = 8;
const CONNECTS_TIME: Duration = Duration::from_secs(8);

const ADDRESSES: [[u16; 8]; 5] = [
    [0, 0, 0, 0, 0, 0xffff, 0x7f00, 1],
    [0, 0, 0, 0, 0, 0xffff, 0x7f00, 2],
    [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1],
    [0x2001, 0xdb8, 0, 1, 0, 0, 0, 1],
    [0x2001, 0xdb8, 0, 2, 0, 0, 0, 1],
];

impl World<'_> {
    pub(super) fn connect(&mut self) {
        let (id, line) = (self.server.next_id(), Line::default());
        let is_witness = self.peers.len() < N_WITNESSES;
        if !is_witness && 0 < self.below(4) {
            let fewest = if self.text_bytes_max < 10_000 { 1 } else { 500 }; // Or it takes for ever.
            line.set_call_bytes_max(fewest + self.below(2_000));
            self.fire(Fault::PartialCall);
        }
        let is_narrow = self.limits.rules.connections_per_address_max == 1;
        let any = match self.peers.len() {
            witnesses if is_witness => 2 * witnesses,
            _ if is_narrow => 1,
            _ => self.below(ADDRESSES.len()),
        };
        let address = ADDRESSES[any];
        let address = SocketAddr::from((address, 1));
        if is_narrow && !is_witness && self.has_too_many(address) {
            return; // So that calls are left for more joins than an address may have.
        }
        let welcome = self.welcome(address);
        self.server.admit(self.now, line.clone(), address);
        assert_eq!(line.is_dropped(), welcome == Welcome::Crowd);
        match welcome {
            Welcome::Greeted => (),
            Welcome::Full => self.fire(Fault::Full),
            Welcome::TooMany => self.fire(Fault::TooManyFromAddress),
            Welcome::TooFast => self.fire(Fault::TooFast),
            Welcome::Crowd => return self.fire(Fault::Crowd),
        }
        let is_shy = !is_witness && self.below(5) == 0;
        let is_mute = !is_witness && self.below(4) == 0;
        let pulse = if is_mute { Pulse::Mute { is_asked: false } } else { Pulse::Prompt };
        let speaks_two = if is_witness { self.peers.len() == 1 } else { self.below(2) == 0 };
        let checker = if speaks_two {
            Checker::V2 {
                checker: Box::new(V2Checker::new(self.forgets())),
                person: self.somebody(),
            }
        } else {
            Checker::V1(V1Checker::new())
        };
        let manner = if is_shy { Manner::Shy } else { Manner::Unnamed };
        let witness = self.peers.get(usize::from(speaks_two));
        let since =
            if is_witness { 0 } else { witness.map_or(0, |witness| witness.checker.n_events()) };
        self.peers.push(Peer {
            id,
            number: self.n_peers,
            address,
            line,
            checker,
            unsent: Vec::new(),
            manner,
            asked: None,
            texts: 0,
            stalled_at: None,
            ended_at: None,
            welcome,
            is_received: false,
            is_harmed: false,
            is_leaving: welcome != Welcome::Greeted,
            pulse,
            refused: 0,
            bad: 0,
            units: 0,
            void: 0,
            denied: 0,
            since,
        });
        self.n_peers += 1;
    }

    /// Returns how the next caller from `address` must be received.
    fn welcome(&mut self, address: SocketAddr) -> Welcome {
        let is_admitted = |peer: &&Peer| peer.welcome == Welcome::Greeted;
        let admitted = self.peers.iter().filter(is_admitted).count();
        let turned_away = self.peers.len() - admitted;
        let reason = if self.is_too_fast(address) {
            Welcome::TooFast
        } else if self.limits.connections_max <= admitted {
            Welcome::Full
        } else if self.has_too_many(address) {
            Welcome::TooMany
        } else {
            return Welcome::Greeted;
        };
        if turned_away < TURNED_AWAY_MAX { reason } else { Welcome::Crowd }
    }

    /// Returns true if any network that `address` is in has as many connections as it may.
    fn has_too_many(&self, address: SocketAddr) -> bool {
        let max = self.limits.rules.connections_per_address_max;
        networks(address).into_iter().any(|(network, share)| {
            let is_neighbour = |peer: &&Peer| {
                peer.welcome == Welcome::Greeted
                    && networks(peer.address).into_iter().any(|(other, _)| other == network)
            };
            0 < max && max * share <= self.peers.iter().filter(is_neighbour).count()
        })
    }

    /// Returns true if somebody connects from `address` who may not yet: so many times as many as may
    /// be there at once connect at once, and as many in the time after that.
    fn is_too_fast(&mut self, address: SocketAddr) -> bool {
        let max = self.limits.rules.connections_per_address_max as u64;
        if max == 0 {
            return false;
        }
        let now_ns = nanos(self.now - self.begin);
        let interval_ns = |share: usize| nanos(CONNECTS_TIME) / max / share as u64;
        let networks = networks(address);
        let is_full = networks.iter().any(|(network, share)| {
            let burst = CONNECTS_AT_ONCE * max * *share as u64;
            let drained_ns = self.drained_ns.get(network).copied().unwrap_or_default();
            now_ns + interval_ns(*share) * (burst - 1) < drained_ns
        });
        for (network, share) in networks.into_iter().filter(|_| !is_full) {
            let drained_ns = self.drained_ns.entry(network).or_default();
            *drained_ns = now_ns.max(*drained_ns) + interval_ns(share);
        }
        is_full
    }
}

/// Returns the networks that `address` is in, as prefixes with their lengths, each with how many
/// times the share of one address it has.
fn networks(address: SocketAddr) -> Vec<(Network, usize)> {
    let SocketAddr::V6(address) = address else { unreachable!("all are written as IPv6") };
    let bits = address.ip().to_bits();
    let is_v4 = bits >> 32 == 0xffff;
    let networks: &[_] = if is_v4 { &[(128, 1)] } else { &[(48, 4), (56, 2), (64, 1)] };
    networks.iter().map(|(length, share)| ((bits >> (128 - length), *length), *share)).collect()
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).expect("less than centuries")
}
