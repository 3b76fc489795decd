//! Networks that the operator names, by address and length of prefix.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use thiserror::Error;

/// The most networks in one list.
pub const NETWORKS_MAX: usize = 16;

/// The longest prefix of IPv4, which has one address.
const V4_PREFIX_MAX: u8 = 32;

/// The longest prefix of IPv6: all of a /64 counts as one party.
const V6_PREFIX_MAX: u8 = 64;

/// A network. An IPv6 address stands for its /64, which is one party's.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Network(IpNet);

/// A list of networks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Networks([Option<Network>; NETWORKS_MAX]);

/// The reason why a text is not a [`Network`].
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum NetworkError {
    /// It is not an address with the length of a prefix.
    #[error("write a network as ADDRESS/LENGTH, such as 10.0.0.0/8 or 2001:db8::/32")]
    Form,
    /// The address has bits set behind the prefix.
    #[error("the address does not end with the prefix; write {0}")]
    Address(IpNet),
    /// The prefix of an IPv6 network is too long.
    #[error("an IPv6 network has a prefix of at most {V6_PREFIX_MAX} bits")]
    TooLong,
}

impl Network {
    /// Returns the network of one party: an IPv4 address, or the /64 of an IPv6 one.
    pub fn of(address: IpAddr) -> Self {
        let network = IpNet::from(address);
        Self(network).within(if network.addr().is_ipv4() { V4_PREFIX_MAX } else { V6_PREFIX_MAX })
    }

    /// Returns true if all of `other` is in it.
    pub fn contains(self, other: Self) -> bool {
        self.0.contains(&other.0)
    }

    /// Returns the network with a prefix of at most so many bits that it is in.
    #[must_use]
    pub fn within(self, prefix: u8) -> Self {
        let prefix = prefix.min(self.0.prefix_len());
        Self(IpNet::new(self.0.addr(), prefix).map_or(self.0, |network| network.trunc()))
    }

    /// Returns true if it is of IPv4, and the length of the prefix.
    pub fn shape(self) -> (bool, u8) {
        (self.0.addr().is_ipv4(), self.0.prefix_len())
    }
}

impl Networks {
    /// The list without any.
    pub const NONE: Self = Self([None; NETWORKS_MAX]);

    /// Returns the list of these `networks`; `None` if they are more than [`NETWORKS_MAX`].
    pub fn new(networks: &[Network]) -> Option<Self> {
        let mut list = Self::NONE;
        let places = list.0.get_mut(..networks.len())?;
        places.iter_mut().zip(networks).for_each(|(place, network)| *place = Some(*network));
        Some(list)
    }

    /// Returns true if `network` is in one of them.
    pub fn contain(&self, network: Network) -> bool {
        self.0.iter().flatten().any(|wider| wider.contains(network))
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::of(address.to_canonical()));
        }
        match text.parse().map_err(|_| NetworkError::Form)? {
            IpNet::V6(network) if V6_PREFIX_MAX < network.prefix_len() => {
                Err(NetworkError::TooLong)
            }
            network if network.trunc() != network => Err(NetworkError::Address(network.trunc())),
            network => Ok(Self(network)),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shape() {
            (true, V4_PREFIX_MAX) => self.0.addr().fmt(formatter),
            _ => self.0.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn a_prefix_has_the_addresses_that_begin_with_it() {
        let of = |text: &str| Network::of(text.parse().unwrap());
        assert!(network("192.0.2.0/24").contains(of("192.0.2.7")));
        assert!(!network("192.0.2.0/24").contains(of("192.0.3.7")));
        assert!(!of("192.0.2.7").contains(network("192.0.2.0/24")));
        assert!(network("2001:db8::/48").contains(of("2001:db8:0:9::1")));
        assert!(!network("2001:db8::/48").contains(of("2001:db8:1::1")));
        assert!(!network("::/16").contains(of("0.0.0.1")), "of another family");
        assert_eq!(of("192.0.2.7").within(24), network("192.0.2.0/24"));
        assert_eq!(network("10.0.0.0/8").within(24), network("10.0.0.0/8"), "it is wider");
    }

    #[test]
    fn networks_are_read_and_their_mistakes_named() {
        for text in ["10.0.0.0/8", "192.0.2.7", "0.0.0.0/0", "2001:db8::/32", "fd00::/64"] {
            assert_eq!(network(text).to_string(), text);
        }
        for (text, written) in [
            ("192.0.2.7/32", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8::7", "2001:db8::/64"),
        ] {
            assert_eq!((network(text), &*network(text).to_string()), (network(written), written));
        }
        for (text, error) in [
            ("", NetworkError::Form),
            ("lan", NetworkError::Form),
            ("10.0.0.0/33", NetworkError::Form),
            ("10.0.0.0/", NetworkError::Form),
            ("10.0.0/8", NetworkError::Form),
            ("1.2.3.4/+8", NetworkError::Form),
            ("192.0.2.7/33", NetworkError::Form),
            ("::/129", NetworkError::Form),
            ("10.0.0.1/8", NetworkError::Address("10.0.0.0/8".parse().unwrap())),
            ("2001:db8::/65", NetworkError::TooLong),
        ] {
            assert_eq!(text.parse::<Network>(), Err(error), "{text}");
        }
    }

    #[test]
    fn an_address_is_in_one_of_them_or_not() {
        let networks = ["10.0.0.0/8", "2001:db8::/48"].map(|text| text.parse().unwrap());
        let networks = Networks::new(&networks).unwrap();
        for (address, is_within) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("2001:db8:0:ffff::1", true),
            ("2001:db8:1::1", false),
            ("::10.0.0.1", false),
        ] {
            assert_eq!(networks.contain(network(address)), is_within, "{address}");
            assert!(!Networks::NONE.contain(network(address)));
        }
        let network = "10.0.0.0/8".parse().unwrap();
        assert!(Networks::new(&[network; NETWORKS_MAX]).is_some());
        assert_eq!(Networks::new(&[network; NETWORKS_MAX + 1]), None);
    }
}
