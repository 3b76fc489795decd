//! Limits by address: what all connections from one network may have and do together.
//!
//! An IPv4 address is a network of its own. Of IPv6, one party commonly has a /64, a /56 or a /48
//! (RFC 6177), so each counts, with a share of its own. A limit is kept if every network that a
//! connection comes from has room for it.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::{Duration, Instant},
};

use crate::core::{
    networks,
    rate_limit::{Bucket, RateLimit},
    sweep::Sweep,
};

/// Lines of the log about one network at once, and the time from one to the next after those.
const LOG: (u32, Duration) = (32, Duration::from_secs(1));

/// History for one network at once, in bytes, and bytes a second after that.
const HISTORY_BYTES: (u32, u32) = (4 << 20, 256 << 10);

/// The bytes of history that are one unit.
const HISTORY_UNIT_BYTES: u32 = 64;

/// Returns what so many bytes of history cost, in units.
pub fn history_cost(bytes: usize) -> u32 {
    u32::try_from(bytes).map_or(u32::MAX, |bytes| bytes.div_ceil(HISTORY_UNIT_BYTES))
}

/// The cost of a signature or code that is wrong, where one that is right costs one unit.
pub const WRONG_PROOF_COST: u32 = 4;

/// Texts of one network: so many times what one person may say.
const TEXT_TIMES: u32 = 4;

/// The networks that a connection comes from, widest first, each as its address bits and the length
/// of its prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Origin {
    networks: [(u128, u8); 3],
    /// The index at which the list begins.
    first: usize,
}

impl Origin {
    /// Returns the origin of a connection from an IPv4 address.
    pub fn v4(address: u32) -> Self {
        // Networks of IPv6 have shorter prefixes, so nothing else is taken for it.
        Self { networks: [(u128::from(address), 128); 3], first: 2 }
    }

    /// Returns the origin of a connection from an IPv6 address.
    pub fn v6(address: u128) -> Self {
        let network = |prefix: u8| (address & u128::MAX << (128 - prefix), prefix);
        Self { networks: [network(48), network(56), network(64)], first: 0 }
    }

    /// Returns true if it comes from this machine, or from a network that is nobody else's: of IPv4
    /// loopback, link-local (RFC 3927) and private ones (RFC 1918), of IPv6 loopback, link-local and
    /// unique local ones (RFC 4193).
    pub fn is_local(&self) -> bool {
        match self.address() {
            IpAddr::V4(address) => {
                address.is_loopback() || address.is_link_local() || address.is_private()
            }
            IpAddr::V6(address) => {
                // Of loopback's /64 nothing is anybody's but this machine's.
                let is_loopback = address.is_unspecified();
                is_loopback || address.is_unicast_link_local() || address.is_unique_local()
            }
        }
    }

    /// Returns the network of the party that it comes from.
    pub fn network(&self) -> networks::Network {
        networks::Network::of(self.address())
    }

    /// Returns the address, or the first one of the /64 that it comes from.
    fn address(&self) -> IpAddr {
        let (network, _) = self.networks[2];
        match u32::try_from(network) {
            Ok(address) if self.first == 2 => Ipv4Addr::from_bits(address).into(),
            _ => Ipv6Addr::from_bits(network).into(),
        }
    }

    /// Returns each network with how many times the share of an address it has.
    fn networks(&self) -> impl Iterator<Item = ((u128, u8), u32)> {
        self.networks.into_iter().zip([4, 2, 1]).skip(self.first)
    }
}

/// Something that is limited by address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Act {
    /// A new connection.
    Connect,
    /// A hello that lets somebody in.
    Join,
    /// A signature that is verified, or a code that is compared; a wrong one costs
    /// [`WRONG_PROOF_COST`].
    Verify,
    /// The handshake of TLS.
    Handshake,
    /// Texts; a unit is one, and each KiB of it another.
    Text,
    /// Messages of the past, see [`history_cost`].
    History,
    /// A name that is reserved for a new owner.
    Reserve,
    /// An open or a closed room that is made.
    MakeRoom,
    /// A line in the log.
    Log,
}

const N_ACTS: usize = Act::Log as usize + 1;

/// The limits of one address.
#[derive(Clone, Copy, Debug)]
pub struct Shares {
    /// The most connections at once; no limit of any kind if zero.
    pub connections_max: usize,
    /// The rate of one person's texts, of which an address has a multiple; no limit if `None`.
    pub text: Option<RateLimit>,
}

impl Shares {
    /// Returns the rate of `act`; `None` is no limit.
    fn rate_limit(self, act: Act) -> Option<RateLimit> {
        let connections = u32::try_from(self.connections_max).unwrap_or(u32::MAX);
        if connections == 0 {
            return None;
        }
        match act {
            Act::Connect => Some(RateLimit::every(
                connections.saturating_mul(8),
                Duration::from_secs(8) / connections,
            )),
            Act::Join | Act::Handshake => Some(RateLimit::every(
                connections.saturating_mul(4),
                Duration::from_secs(64) / connections,
            )),
            Act::Verify => Some(RateLimit::every(
                connections.saturating_mul(8),
                Duration::from_secs(16) / connections,
            )),
            Act::Text => self.text.map(|limit| limit.times(TEXT_TIMES)),
            Act::History => {
                let (burst, per_second) = HISTORY_BYTES;
                RateLimit::new(burst / HISTORY_UNIT_BYTES, per_second / HISTORY_UNIT_BYTES)
            }
            Act::Reserve => Some(RateLimit::every(
                connections.saturating_mul(2),
                Duration::from_mins(640) / connections,
            )),
            Act::MakeRoom => Some(RateLimit::every(
                connections.saturating_mul(4),
                Duration::from_mins(64) / connections,
            )),
            Act::Log => Some(RateLimit::every(LOG.0, LOG.1)),
        }
    }
}

/// All networks that have connections, or whose past acts still weigh.
#[derive(Debug)]
pub struct Admission {
    shares: Shares,
    networks: HashMap<(u128, u8), Network>,
    sweep: Sweep,
}

#[derive(Debug, Default)]
struct Network {
    connections: usize,
    buckets: [Bucket; N_ACTS],
    /// Lines that were left out of the log.
    unlogged: u64,
}

impl Admission {
    /// Returns a record of no networks.
    pub fn new(shares: Shares) -> Self {
        Self { shares, networks: HashMap::new(), sweep: Sweep::default() }
    }

    /// Changes the limits for what comes from now on.
    pub fn set_shares(&mut self, shares: Shares) {
        self.shares = shares;
    }

    /// Counts one more connection, unless that would be too many; returns true if it was counted.
    pub fn enter(&mut self, origin: Origin) -> bool {
        let max = self.shares.connections_max;
        let is_full = origin.networks().any(|(key, times)| {
            let connections = self.networks.get(&key).map_or(0, |network| network.connections);
            0 < max && max.saturating_mul(times as usize) <= connections
        });
        if is_full {
            return false;
        }
        self.restore(origin);
        true
    }

    /// Counts a connection that was here before the process, whatever the limits.
    pub fn restore(&mut self, origin: Origin) {
        for (key, _) in origin.networks() {
            self.networks.entry(key).or_default().connections += 1;
        }
    }

    /// Counts one connection less.
    pub fn leave(&mut self, origin: Origin) {
        for (key, _) in origin.networks() {
            if let Some(network) = self.networks.get_mut(&key) {
                network.connections = network.connections.saturating_sub(1);
            }
        }
    }

    /// Returns when there is room for another `act`, if not at `now`.
    pub fn full_until(&self, now: Instant, origin: Origin, act: Act) -> Option<Instant> {
        let limit = self.shares.rate_limit(act)?;
        let of = |(key, times)| {
            self.networks.get(&key)?.buckets[act as usize].full_until(now, limit.times(times))
        };
        origin.networks().filter_map(of).max()
    }

    /// Counts an `act` that costs so many units, room or not; returns when there is room for another,
    /// if not at `now`.
    pub fn fill(&mut self, now: Instant, origin: Origin, act: Act, cost: u32) -> Option<Instant> {
        let limit = self.shares.rate_limit(act)?;
        self.forget(now);
        let mut full_until = None;
        for (key, times) in origin.networks() {
            let bucket = &mut self.networks.entry(key).or_default().buckets[act as usize];
            full_until = full_until.max(bucket.fill(now, limit.times(times), cost));
        }
        full_until
    }

    /// Returns true, and counts an `act`, if there is room for it at `now`.
    pub fn try_fill(&mut self, now: Instant, origin: Origin, act: Act) -> bool {
        let has_room = self.full_until(now, origin, act).is_none();
        if has_room {
            self.fill(now, origin, act, 1);
        }
        has_room
    }

    /// Returns how many lines about this address were left out of the log before one more that may
    /// be in it; `None` if this one may not.
    pub fn may_log(&mut self, now: Instant, origin: Origin) -> Option<u64> {
        let may_log = self.try_fill(now, origin, Act::Log);
        let (narrowest, _) = origin.networks().last()?;
        let network = self.networks.entry(narrowest).or_default();
        if may_log {
            return Some(std::mem::take(&mut network.unlogged));
        }
        network.unlogged += 1;
        None
    }

    /// Forgets networks of which nothing is left.
    fn forget(&mut self, now: Instant) {
        self.sweep.run(&mut self.networks, |network| {
            0 < network.connections || !network.buckets.iter().all(|bucket| bucket.is_empty(now))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::sweep::SWEEP_MIN;

    fn admission(connections_max: usize) -> Admission {
        Admission::new(Shares { connections_max, text: RateLimit::new(10, 5) })
    }

    #[test]
    fn connections_are_counted_by_address_and_by_network() {
        let mut admission = admission(2);
        let mut enter = |origin| admission.enter(origin);
        let v4 = Origin::v4(0xc000_0201);
        assert_eq!([v4, v4, v4].map(&mut enter), [true, true, false]);
        assert!(enter(Origin::v4(0xc000_0202)));
        // 2 in a /64, 4 in a /56, 8 in a /48.
        let v6 = |bits: u128| Origin::v6(0x2001_0db8 << 96 | bits);
        let subnet = |number: u128| v6(number << 64 | number);
        assert_eq!([v6(1), v6(2), v6(3)].map(&mut enter), [true, true, false]);
        assert_eq!([1, 2, 3].map(|n| enter(subnet(n))), [true, true, false]);
        assert_eq!(
            [0x100, 0x200, 0x300, 0x400, 0x500].map(|n| enter(subnet(n))),
            [true, true, true, true, false]
        );
        assert!(enter(Origin::v6(0x2001_0db9 << 96)));
        admission.leave(v4);
        assert!(admission.enter(v4));
        admission.set_shares(Shares { connections_max: 0, text: None });
        assert!((0..100).all(|_| admission.enter(v4)), "zero is no limit");
    }

    #[test]
    fn a_network_has_more_than_an_address_but_not_as_much_as_all_of_them() {
        let (mut admission, now) = (admission(64), Instant::now());
        let subnets = (0..1_000).map(|n: u128| Origin::v6(0x2001_0db8 << 96 | n << 64));
        let connected = subnets
            .filter(|origin| (0..600).all(|_| admission.try_fill(now, *origin, Act::Connect)));
        assert_eq!(connected.count(), 0, "an address may call 512 times");
        let v4 = (0..600).filter(|_| admission.try_fill(now, Origin::v4(1), Act::Connect)).count();
        assert_eq!(v4, 512);
        let other = Origin::v6(0x2001_0db8 << 96 | 0xffff << 64);
        assert!(!admission.try_fill(now, other, Act::Connect), "the /48 has used up its share");
        let later = now + Duration::from_secs(1);
        assert!((0..8).all(|_| admission.try_fill(later, Origin::v4(1), Act::Connect)));
        assert!(!admission.try_fill(later, Origin::v4(1), Act::Connect));
    }

    #[test]
    fn what_costs_much_takes_long() {
        let (mut admission, now, origin) = (admission(64), Instant::now(), Origin::v4(1));
        assert_eq!(
            admission.fill(now, origin, Act::Text, 40),
            Some(now + Duration::from_millis(50))
        );
        assert_eq!(admission.full_until(now, Origin::v4(2), Act::Text), None);
        let until = admission.fill(now, origin, Act::Text, 65).unwrap();
        assert_eq!(until, now + Duration::from_millis(50 + 65 * 50));
        assert_eq!(admission.full_until(until, origin, Act::Text), None);
    }

    #[test]
    fn history_is_paid_for_by_each_unit_that_it_begins() {
        let costs = [0, 1, 64, 65, usize::MAX].map(history_cost);
        assert_eq!(costs, [0, 1, 1, 2, u32::MAX]);
    }

    #[test]
    fn local_networks_are_those_that_are_nobody_elses() {
        let v4 = |text: &str| Origin::v4(text.parse::<Ipv4Addr>().unwrap().to_bits());
        let v6 = |text: &str| Origin::v6(text.parse::<Ipv6Addr>().unwrap().to_bits());
        for local in ["127.9.9.9", "10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.7.7"] {
            assert!(v4(local).is_local(), "{local}");
        }
        for remote in ["0.0.0.1", "11.0.0.1", "172.32.0.1", "192.169.0.1", "100.64.0.1"] {
            assert!(!v4(remote).is_local(), "{remote}");
        }
        for local in ["::1", "fe80::1", "fd00:1:2::3"] {
            assert!(v6(local).is_local(), "{local}");
        }
        for remote in ["2001:db8::1", "fec0::1", "ff02::1", "64:ff9b::a00:1"] {
            assert!(!v6(remote).is_local(), "{remote}");
        }
    }

    #[test]
    fn lines_that_are_left_out_are_counted() {
        let (mut admission, now, origin) = (admission(64), Instant::now(), Origin::v4(1));
        let logged = (0..100).filter(|_| admission.may_log(now, origin) == Some(0)).count();
        assert_eq!(logged, LOG.0 as usize);
        let later = now + LOG.1;
        assert_eq!(admission.may_log(later, origin), Some(100 - u64::from(LOG.0)));
        assert_eq!(admission.may_log(later, origin), None);
    }

    #[test]
    fn networks_of_which_nothing_is_left_are_forgotten() {
        let (mut admission, now) = (admission(64), Instant::now());
        for address in 0..10 * u32::try_from(SWEEP_MIN).unwrap() {
            let (now, origin) = (now + Duration::from_secs(address.into()), Origin::v4(address));
            assert!(admission.try_fill(now, origin, Act::Connect), "though it is not let in");
            assert!(admission.networks.len() <= 2 * SWEEP_MIN);
        }
    }
}
