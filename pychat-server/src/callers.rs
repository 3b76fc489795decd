//! How many connections each address has.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

/// How many bits of an IPv6 address tell one network from another; the rest its owner can choose.
const IPV6_PREFIX_BITS: u32 = 64;

/// The addresses that have connections, with their number.
#[derive(Debug, Default)]
pub struct Callers(HashMap<IpAddr, usize>);

impl Callers {
    /// Counts one more connection from `peer`, unless it has `limit` already; a limit of zero is
    /// none. Returns true if it was counted.
    pub fn enter(&mut self, peer: SocketAddr, limit: usize) -> bool {
        let count = self.0.entry(network(peer)).or_default();
        if 0 < limit && limit <= *count {
            return false;
        }
        *count += 1;
        true
    }

    /// Counts one connection less from `peer`.
    pub fn leave(&mut self, peer: SocketAddr) {
        if let Some(count) = self.0.get_mut(&network(peer)) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&network(peer));
            }
        }
    }
}

/// Returns what stands for whoever is at `peer`: an IPv4 address, or an IPv6 network.
fn network(peer: SocketAddr) -> IpAddr {
    match peer.ip().to_canonical() {
        IpAddr::V6(address) => {
            let mask = u128::MAX << (Ipv6Addr::BITS - IPV6_PREFIX_BITS);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_by_address_and_by_network() {
        for (one, same, other) in [
            ("192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1"),
            ("[2001:db8::1]:1", "[2001:db8:0:0:ffff::2]:1", "[2001:db8:0:1::1]:1"),
            ("[::ffff:192.0.2.1]:1", "192.0.2.1:9", "[::ffff:192.0.2.2]:1"),
        ]
        .map(|(one, same, other)| (address(one), address(same), address(other)))
        {
            let mut callers = Callers::default();
            assert!(callers.enter(one, 2) && callers.enter(same, 2) && !callers.enter(one, 2));
            assert!(callers.enter(other, 2));
            assert!(callers.enter(one, 0), "zero is no limit");
            for peer in [one, same, one, other] {
                callers.leave(peer);
            }
            assert!(callers.0.is_empty(), "{callers:?}");
        }
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }
}
