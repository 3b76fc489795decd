//! Networks that the operator names, by address and length of prefix.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use thiserror::Error;

use super::admission::Origin;

/// The most networks in one list.
pub const NETWORKS_MAX: usize = 16;

/// The longest prefix of IPv6: all of a /64 counts as one party.
const V6_PREFIX_MAX: u8 = 64;

/// A network.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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

    /// Returns true if a connection of this `origin` comes from one of them.
    pub fn contain(&self, origin: &Origin) -> bool {
        let address = origin.address();
        self.0.iter().flatten().any(|network| network.0.contains(&address))
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let network: IpNet = match text.parse() {
            Ok(IpAddr::V4(address)) => IpAddr::V4(address).into(),
            _ => text.parse().map_err(|_| NetworkError::Form)?,
        };
        match network {
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
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(address: &str) -> Origin {
        match address.parse().unwrap() {
            IpAddr::V4(address) => Origin::v4(address.to_bits()),
            IpAddr::V6(address) => Origin::v6(address.to_bits()),
        }
    }

    #[test]
    fn networks_are_read_and_their_mistakes_named() {
        for text in ["10.0.0.0/8", "192.0.2.7/32", "0.0.0.0/0", "2001:db8::/32", "fd00::/64"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
        assert_eq!("192.0.2.7".parse::<Network>().unwrap().to_string(), "192.0.2.7/32");
        for (text, error) in [
            ("", NetworkError::Form),
            ("lan", NetworkError::Form),
            ("10.0.0.0/33", NetworkError::Form),
            ("10.0.0.0/", NetworkError::Form),
            ("10.0.0/8", NetworkError::Form),
            ("::1", NetworkError::Form),
            ("10.0.0.1/8", NetworkError::Address("10.0.0.0/8".parse().unwrap())),
            ("2001:db8::/65", NetworkError::TooLong),
        ] {
            assert_eq!(text.parse::<Network>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_connection_comes_from_a_network_or_not() {
        let networks = ["10.0.0.0/8", "2001:db8::/48"].map(|text| text.parse().unwrap());
        let networks = Networks::new(&networks).unwrap();
        for (address, is_within) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("2001:db8:0:ffff::1", true),
            ("2001:db8:1::1", false),
            ("::10.0.0.1", false),
        ] {
            assert_eq!(networks.contain(&origin(address)), is_within, "{address}");
            assert!(!Networks::NONE.contain(&origin(address)));
        }
        let network = "10.0.0.0/8".parse().unwrap();
        assert!(Networks::new(&[network; NETWORKS_MAX]).is_some());
        assert_eq!(Networks::new(&[network; NETWORKS_MAX + 1]), None);
    }
}
