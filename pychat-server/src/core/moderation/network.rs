//! Networks as operators name them: an address, or the prefix of many.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use thiserror::Error;

/// The shortest prefixes that a ban may have: wider ones would ban a part of the world.
const V4_PREFIX_MIN: u8 = 8;
const V6_PREFIX_MIN: u8 = 16;

/// The longest prefix of IPv6 that means one party, who commonly has all of its addresses.
const V6_PREFIX_MAX: u8 = 64;

/// A network. An address of IPv6 stands for its /64, which is one party's.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Network {
    family: Family,
    /// The length of the prefix, of the 32 or 128 bits of an address.
    prefix: u8,
    /// The bits of the prefix, then zeros; of IPv4 the lower 32 alone.
    bits: u128,
}

/// The version of IP.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Family {
    V4,
    V6,
}

/// The reason why a text names no network that can be banned.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum NetworkError {
    /// It is neither an address nor a prefix.
    #[error("not an address, nor a prefix such as 192.0.2.0/24 or 2001:db8::/48")]
    Invalid,
    /// It would be too many addresses.
    #[error(
        "a prefix this wide would ban too many; the widest are /{V4_PREFIX_MIN} of IPv4 and /{V6_PREFIX_MIN} of IPv6"
    )]
    TooWide,
}

impl Network {
    /// Returns the network of one IPv4 address.
    pub fn v4(address: u32) -> Self {
        Self { family: Family::V4, prefix: 32, bits: u128::from(address) }
    }

    /// Returns the /64 of an IPv6 address.
    pub fn v6(address: u128) -> Self {
        let host = Self { family: Family::V6, prefix: 128, bits: address };
        host.within(V6_PREFIX_MAX)
    }

    /// Returns true if all of `other` is in it.
    pub fn contains(self, other: Self) -> bool {
        self.family == other.family
            && self.prefix <= other.prefix
            && other.within(self.prefix).bits == self.bits
    }

    /// Returns the wider network of a shorter prefix that it is in.
    pub(super) fn within(self, prefix: u8) -> Self {
        let width = self.family.width();
        let prefix = prefix.min(self.prefix);
        let ones = u128::MAX.checked_shl(u32::from(width - prefix)).unwrap_or(0);
        Self { prefix, bits: self.bits & ones, ..self }
    }

    /// Returns the version of IP, and the length of the prefix.
    pub(super) fn shape(self) -> (Family, u8) {
        (self.family, self.prefix)
    }
}

impl Family {
    fn width(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => {
                let is_number = prefix.bytes().all(|byte| byte.is_ascii_digit());
                let prefix = prefix.parse::<u8>().ok().filter(|_| is_number);
                (address, Some(prefix.ok_or(NetworkError::Invalid)?))
            }
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Invalid)?;
        let (host, narrowest, widest) = match address.to_canonical() {
            IpAddr::V4(address) => (Self::v4(address.to_bits()), 32, V4_PREFIX_MIN),
            IpAddr::V6(address) => (
                Self { family: Family::V6, prefix: 128, bits: address.to_bits() },
                64,
                V6_PREFIX_MIN,
            ),
        };
        let prefix = prefix.unwrap_or(narrowest);
        if host.family.width() < prefix {
            return Err(NetworkError::Invalid);
        }
        if prefix < widest {
            return Err(NetworkError::TooWide);
        }
        Ok(host.within(prefix.min(narrowest)))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.family {
            Family::V4 => {
                let address = Ipv4Addr::from_bits(u32::try_from(self.bits).unwrap_or(0));
                write!(formatter, "{address}")?;
            }
            Family::V6 => write!(formatter, "{}", Ipv6Addr::from_bits(self.bits))?,
        }
        if self.prefix == 32 && self.family == Family::V4 {
            return Ok(());
        }
        write!(formatter, "/{}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_is_read_as_people_write_it_and_written_in_one_way() {
        for (text, written) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7/32", "192.0.2.7"),
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8::7", "2001:db8::/64"),
            ("2001:db8::7/128", "2001:db8::/64"),
            ("2001:db8:1:2::/56", "2001:db8:1::/56"),
            ("2001:db8::/32", "2001:db8::/32"),
        ] {
            assert_eq!(network(text).to_string(), written, "{text}");
            assert_eq!(network(written), network(text));
        }
        for text in ["", "Анна", "192.0.2", "192.0.2.7/", "192.0.2.7/33", "1.2.3.4/+8", "::/129"]
        {
            assert_eq!(text.parse::<Network>(), Err(NetworkError::Invalid), "{text}");
        }
        for text in ["0.0.0.0/0", "10.0.0.0/7", "::/0", "2001::/15"] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError::TooWide), "{text}");
        }
    }

    #[test]
    fn a_prefix_has_the_addresses_that_begin_with_it() {
        let v6 = |text: &str| Network::v6(text.parse::<Ipv6Addr>().unwrap().to_bits());
        assert!(network("192.0.2.0/24").contains(network("192.0.2.7")));
        assert!(!network("192.0.2.0/24").contains(network("192.0.3.7")));
        assert!(!network("192.0.2.7").contains(network("192.0.2.0/24")));
        assert!(network("2001:db8::/48").contains(v6("2001:db8:0:9::1")));
        assert!(!network("2001:db8::/48").contains(v6("2001:db8:1::1")));
        assert!(!network("::/16").contains(network("0.0.0.1")), "of another family");
    }
}
