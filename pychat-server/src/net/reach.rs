//! The addresses at which others can reach the server: what its links lead to.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use pychat_wire::{
    Link,
    key::Pin,
    link::{ADDRESSES_MAX, Address, DEFAULT_PORT, Host, LinkError, parse_host_port},
};
use thiserror::Error;

/// The most addresses of this machine that a link leads to.
const OWN_ADDRESSES_MAX: usize = 4;

/// The address by which the operator says that the server can be reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicAddress {
    host: Host,
    /// The port, if it is another than the server listens on.
    port: Option<u16>,
}

/// Where the operator says that the server, and others of its chat, can be reached.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reach {
    /// The address of this server.
    pub public: Option<PublicAddress>,
    /// The addresses of all servers of the chat, this one among them; none if it is the only one.
    pub servers: Vec<Address>,
}

/// The text is not a [`PublicAddress`].
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("write HOST or HOST:PORT, such as chat.example.org or [2001:db8::1]:12345")]
pub struct PublicAddressError;

impl FromStr for PublicAddress {
    type Err = PublicAddressError;

    fn from_str(text: &str) -> Result<Self, PublicAddressError> {
        let (host, port) = parse_host_port(text).map_err(|_: LinkError| PublicAddressError)?;
        Ok(Self { host, port })
    }
}

/// Returns the link to a server that listens on these addresses and shows a certificate with this
/// `pin`. The public address comes first, then the servers of the chat, or else the addresses of this
/// machine. The link has no addresses if nobody else can reach the server.
pub fn link(listening: &[SocketAddr], reach: &Reach, pin: Option<Pin>) -> Link {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default(); // Without them there are none.
    let is_up = |interface: &if_addrs::Interface| interface.is_oper_up();
    let own: Vec<_> =
        interfaces.iter().filter(|it| is_up(it)).map(if_addrs::Interface::ip).collect();
    Link { addresses: compose(listening, reach, &own), pin, ..Link::default() }
}

/// Returns where a server that listens on these addresses can be reached from its own machine.
pub fn local(listening: &[SocketAddr]) -> Address {
    let port = best(listening).map_or(DEFAULT_PORT, SocketAddr::port);
    Address { host: Host::Domain("localhost".to_owned()), port }
}

/// Returns the addresses for a link to a server on a machine that has its `own` addresses.
fn compose(listening: &[SocketAddr], reach: &Reach, own: &[IpAddr]) -> Vec<Address> {
    let Some(port) = best(listening).map(SocketAddr::port) else { return Vec::new() };
    let public = reach
        .public
        .as_ref()
        .map(|public| Address { host: public.host.clone(), port: public.port.unwrap_or(port) });
    if !reach.servers.is_empty() {
        let others = reach.servers.iter().filter(|server| Some(*server) != public.as_ref());
        return public.iter().chain(others).take(ADDRESSES_MAX).cloned().collect();
    }
    if let Some(public) = &public
        && public.port != port
    {
        return vec![public.clone()];
    }
    let mut addresses: Vec<IpAddr> = Vec::new();
    for listening in listening.iter().filter(|it| it.port() == port) {
        let wildcard = listening.ip();
        let is_covered = |ip: &&IpAddr| ip.is_ipv4() == wildcard.is_ipv4();
        let covered = own.iter().filter(is_covered).copied();
        let covered: Vec<_> =
            if wildcard.is_unspecified() { covered.collect() } else { vec![wildcard] };
        for ip in covered {
            if can_be_told(ip) && !addresses.contains(&ip) {
                addresses.push(ip);
            }
        }
    }
    addresses.sort_by_key(IpAddr::is_ipv6);
    addresses.truncate(OWN_ADDRESSES_MAX);
    let own = addresses.into_iter().map(|ip| Address { host: Host::Ip(ip), port });
    let own = own.filter(|address| Some(address) != public.as_ref());
    public.iter().cloned().chain(own).collect()
}

/// Returns the address, of those on which a server listens, that others are likeliest to reach.
fn best(listening: &[SocketAddr]) -> Option<&SocketAddr> {
    let is_told = |it: &&SocketAddr| it.ip().is_unspecified() || can_be_told(it.ip());
    listening.iter().find(is_told).or(listening.first())
}

/// Returns true if an address means this machine to others too.
fn can_be_told(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_link_local() || ip.is_unspecified()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unicast_link_local() || ip.is_unspecified()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: [&str; 8] = [
        "127.0.0.1",
        "::1",
        "fe80::1",
        "2001:db8::1",
        "169.254.7.7",
        "192.168.1.7",
        "10.0.0.7",
        "2001:db8::2",
    ];

    /// Returns the link, as people see it, of a server that listens on these addresses.
    fn composed(listening: &[&str], public: Option<&str>, own: &[&str]) -> String {
        let listening: Vec<_> = listening.iter().map(|it| it.parse().unwrap()).collect();
        let public = public.map(|it| it.parse().unwrap());
        let own: Vec<_> = own.iter().map(|it| it.parse().unwrap()).collect();
        let addresses = compose(&listening, &Reach { public, ..Reach::default() }, &own);
        Link { addresses, ..Link::default() }.to_string()
    }

    #[test]
    fn a_link_leads_to_where_others_can_reach_the_server() {
        let every = &["0.0.0.0:12345", "[::]:12345"][..];
        let public = Some("chat.example.org");
        for (listening, public, expected) in [
            (every, None, "192.168.1.7,10.0.0.7,[2001:db8::1],[2001:db8::2]/"),
            (&["[::]:7", "0.0.0.0:7"], None, "192.168.1.7,10.0.0.7,[2001:db8::1],[2001:db8::2]:7/"),
            (&["0.0.0.0:12345"], None, "192.168.1.7,10.0.0.7/"),
            (&["[::]:12345"], None, "[2001:db8::1],[2001:db8::2]/"),
            (&["10.0.0.7:12345", "127.0.0.1:12345"], None, "10.0.0.7/"),
            (&["127.0.0.1:12345", "10.0.0.7:7"], None, "10.0.0.7:7/"),
            (&["10.0.0.7:7", "192.168.1.7:8"], None, "10.0.0.7:7/"),
            (&["127.0.0.1:12345", "[::1]:12345"], None, "/"),
            (&["127.0.0.1:12345"], public, "chat.example.org/"),
            (&["0.0.0.0:7"], public, "chat.example.org,192.168.1.7,10.0.0.7:7/"),
            (
                &["0.0.0.0:7"],
                Some("chat.example.org:7"),
                "chat.example.org,192.168.1.7,10.0.0.7:7/",
            ),
            (&["0.0.0.0:7"], Some("chat.example.org:443"), "chat.example.org:443/"),
            (&["0.0.0.0:7"], Some("10.0.0.7"), "10.0.0.7,192.168.1.7:7/"),
            (&[], public, "/"),
        ] {
            let link = composed(listening, public, &OWN);
            assert_eq!(link, format!("pychat://{expected}"), "{listening:?} {public:?}");
        }
    }

    #[test]
    fn a_link_leads_to_a_few_addresses_only() {
        let own: Vec<_> = (1..=9).map(|n| format!("10.0.0.{n}")).collect();
        let own: Vec<_> = own.iter().map(String::as_str).collect();
        let link = composed(&["0.0.0.0:12345"], Some("chat.example.org"), &own);
        assert_eq!(link, "pychat://chat.example.org,10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4/");
    }

    #[test]
    fn a_link_leads_to_all_servers_of_the_chat() {
        let servers: Vec<Address> = ["a", "b:7", "c"].map(|it| it.parse().unwrap()).into();
        for (public, expected) in [
            (None, "a:12345 b:7 c:12345"),
            (Some("c:12345"), "c:12345 a:12345 b:7"),
            (Some("d"), "d:9 a:12345 b:7 c:12345"),
        ] {
            let public = public.map(|it| it.parse().unwrap());
            let reach = Reach { public, servers: servers.clone() };
            let own = ["10.0.0.7".parse().unwrap()];
            let addresses = compose(&["0.0.0.0:9".parse().unwrap()], &reach, &own);
            let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            assert_eq!(addresses.join(" "), expected);
        }
    }

    #[test]
    fn its_own_machine_reaches_it_at_the_port_that_others_would() {
        for (listening, port) in
            [(&["127.0.0.1:7"][..], 7), (&["127.0.0.1:7", "10.0.0.7:8"], 8), (&[], 12345)]
        {
            let listening: Vec<_> = listening.iter().map(|it| it.parse().unwrap()).collect();
            assert_eq!(local(&listening).to_string(), format!("localhost:{port}"));
        }
    }

    #[test]
    fn this_machine_has_addresses() {
        let listening = ["0.0.0.0:12345".parse().unwrap()];
        let link = link(&listening, &Reach::default(), Some(Pin([7; 32])));
        assert!(
            link.addresses.len() <= OWN_ADDRESSES_MAX && link.pin == Some(Pin([7; 32])),
            "{link}"
        );
    }

    #[test]
    fn public_addresses_are_read() {
        for text in ["chat.example.org", "chat.example.org:443", "192.0.2.7", "[2001:db8::1]:7"] {
            assert!(text.parse::<PublicAddress>().is_ok(), "{text}");
        }
        for text in ["", "a,b", "2001:db8::1", "a:0", "a:x", "https://a", "a/b", "a b"] {
            assert_eq!(text.parse::<PublicAddress>(), Err(PublicAddressError), "{text}");
        }
    }
}
