//! Socket addresses as the limits by address see them.

use std::net::{IpAddr, SocketAddr};

use crate::core::admission::Origin;

/// Returns the networks that a connection from `peer` comes from.
pub fn origin(peer: SocketAddr) -> Origin {
    match peer.ip().to_canonical() {
        IpAddr::V4(address) => Origin::v4(address.to_bits()),
        IpAddr::V6(address) => Origin::v6(address.to_bits()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_in_either_guise() {
        let origin = |text: &str| origin(text.parse().unwrap());
        assert_eq!(origin("[::ffff:192.0.2.1]:1"), origin("192.0.2.1:9"));
        assert_ne!(origin("192.0.2.1:1"), origin("192.0.2.2:1"));
        assert_eq!(origin("[2001:db8::1]:1"), origin("[2001:db8::ffff:0:0:2]:1"));
        assert_ne!(origin("[2001:db8::1]:1"), origin("[2001:db8:0:1::1]:1"));
    }
}
