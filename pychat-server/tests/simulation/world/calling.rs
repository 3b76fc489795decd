//! Who calls, from where, and how the server must receive them.

use std::net::SocketAddr;

use pychat_server::{
    core::{
        admission::{Act, Admission, Shares},
        chat::Rules,
    },
    limits::Limits,
    net::address::origin,
    server::TURNED_AWAY_MAX,
};

use super::{Checker, Manner, N_WITNESSES, Peer, Pulse, Welcome, World};
use crate::{
    kit::{Line, V1Checker, V2Checker},
    world::fault::Fault,
};

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
            since,
        });
        self.n_peers += 1;
    }

    /// Returns how the next caller from `address` must be received.
    fn welcome(&mut self, address: SocketAddr) -> Welcome {
        let is_admitted = |peer: &&Peer| peer.welcome == Welcome::Greeted;
        let admitted = self.peers.iter().filter(is_admitted).count();
        let turned_away = self.peers.len() - admitted;
        let reason = if !self.callers.try_fill(self.now, origin(address), Act::Connect) {
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
        let prefix = |address: SocketAddr, bits: usize| match address {
            SocketAddr::V6(address) => address.ip().to_bits() >> (128 - bits),
            SocketAddr::V4(_) => unreachable!("all are written as IPv6"),
        };
        let is_v4 = prefix(address, 96) == 0xffff;
        let networks: &[_] = if is_v4 { &[(128, 1)] } else { &[(48, 4), (56, 2), (64, 1)] };
        networks.iter().any(|(bits, share)| {
            let is_neighbour = |peer: &&Peer| {
                peer.welcome == Welcome::Greeted
                    && prefix(peer.address, *bits) == prefix(address, *bits)
            };
            0 < max && max * share <= self.peers.iter().filter(is_neighbour).count()
        })
    }
}

/// Returns a record of nobody, to tell who connects too fast.
pub(super) fn callers(limits: Limits) -> Admission {
    Admission::new(shares(limits))
}

pub(super) fn shares(limits: Limits) -> Shares {
    let Rules { connections_per_address_max: connections_max, rate_limit: text, .. } = limits.rules;
    Shares { connections_max, text }
}
