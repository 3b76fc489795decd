//! The servers that are announced in the local network, as far as they are known: pure bookkeeping.
//!
//! Anybody there may announce anything. So their number is bounded, and that of what is kept of each;
//! names are cut and cleaned; and a host has to be one of the local network's own.

use pychat_wire::{key::Pin, message::label};

use crate::text::server_address::ServerAddress;

/// The most servers that are known at once; those that are announced beyond are passed over.
const SERVERS_MAX: usize = 32;

/// The most interfaces and protocols on which one server is seen.
const SIGHTINGS_MAX: usize = 8;

/// The longest name of a service, in bytes (RFC 6763, section 4.1.1), and of its domain.
const NAME_BYTES_MAX: usize = 63;
const DOMAIN_BYTES_MAX: usize = 255;

/// The most entries of a TXT record that are looked at.
const TEXTS_MAX: usize = 16;

/// The entry of the TXT record with the pin.
const PIN_KEY: &[u8] = b"pin=";

/// The end of the names of hosts that the local network itself knows (RFC 6762, section 3).
const LOCAL_END: &str = ".local";

/// A service on one interface, by one protocol, by the numbers that Avahi has for these.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Sighting {
    pub(super) interface: i32,
    pub(super) protocol: i32,
    pub(super) name: String,
    pub(super) domain: String,
}

/// The rest that is known of a service: its host, address and port, and its TXT record.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) host: String,
    pub(super) address: String,
    pub(super) port: u16,
    pub(super) texts: Vec<Vec<u8>>,
}

/// A server that is announced in the local network.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NearbyServer {
    /// The name, fit to be shown.
    pub name: String,
    /// The address by which it will be known.
    pub server: ServerAddress,
    /// The other addresses at which it may be reached.
    pub others: Vec<ServerAddress>,
    /// The pin of its certificate, as it is announced.
    pub pin: Pin,
}

impl NearbyServer {
    /// Returns what `resolved` says of the service that is seen; `None` if that is no chat server with
    /// a certificate.
    fn read(seen: &Sighting, resolved: &Resolved) -> Option<Self> {
        let pin = resolved.texts.iter().take(TEXTS_MAX).find_map(|it| it.strip_prefix(PIN_KEY))?;
        let pin = str::from_utf8(pin).ok()?.parse().ok()?;
        let address = |host: &str| format!("{host}:{}", resolved.port).parse::<ServerAddress>();
        let is_local = |it: &ServerAddress| it.host().ends_with(LOCAL_END);
        let by_name = address(&resolved.host).ok().filter(is_local);
        let by_number = address(&bracketed(&resolved.address, seen.interface)).ok();
        let mut addresses = by_name.into_iter().chain(by_number);
        let server = addresses.next()?;
        let mut name = label(&*seen.name).into_owned();
        if name.is_empty() {
            name = server.brief();
        }
        Some(Self { name, server, others: addresses.collect(), pin })
    }
}

/// Returns an address of the network as it stands before a port; that of a link belongs to an interface.
fn bracketed(address: &str, interface: i32) -> String {
    match address {
        _ if address.starts_with("fe80:") => format!("[{address}%{interface}]"),
        _ if address.contains(':') => format!("[{address}]"),
        _ => address.to_owned(),
    }
}

/// A service, wherever it is seen.
#[derive(Debug)]
struct Entry {
    name: String,
    domain: String,
    sightings: Vec<(i32, i32)>,
    /// The server, once it is known.
    server: Option<NearbyServer>,
}

/// All of them, in the order in which they were announced.
#[derive(Debug, Default)]
pub(super) struct Nearby(Vec<Entry>);

impl Nearby {
    /// A service is seen; returns true if more is to be found out about it.
    pub(super) fn add(&mut self, seen: &Sighting) -> bool {
        if NAME_BYTES_MAX < seen.name.len() || DOMAIN_BYTES_MAX < seen.domain.len() {
            return false;
        }
        let sighting = (seen.interface, seen.protocol);
        if let Some(entry) = self.entry(seen) {
            let is_new = !entry.sightings.contains(&sighting);
            if is_new && entry.sightings.len() < SIGHTINGS_MAX {
                entry.sightings.push(sighting);
                return true;
            }
            return false;
        }
        if SERVERS_MAX <= self.0.len() {
            return false;
        }
        let (name, domain) = (seen.name.clone(), seen.domain.clone());
        self.0.push(Entry { name, domain, sightings: vec![sighting], server: None });
        true
    }

    /// A service was found out about. Where it is known by now, only another address of the same server
    /// is news.
    pub(super) fn resolve(&mut self, seen: &Sighting, resolved: &Resolved) {
        let Some(found) = NearbyServer::read(seen, resolved) else { return };
        let Some(entry) = self.entry(seen) else { return };
        if !entry.sightings.contains(&(seen.interface, seen.protocol)) {
            return; // It is gone by now.
        }
        match &mut entry.server {
            None => entry.server = Some(found),
            Some(known) if (&known.server, known.pin) == (&found.server, found.pin) => {
                let others = found.others.into_iter();
                let new: Vec<_> = others.filter(|it| !known.others.contains(it)).collect();
                known.others.extend(new);
            }
            Some(_) => (),
        }
    }

    /// A service is not seen any more.
    pub(super) fn remove(&mut self, seen: &Sighting) {
        if let Some(entry) = self.entry(seen) {
            entry.sightings.retain(|it| *it != (seen.interface, seen.protocol));
        }
        self.0.retain(|entry| !entry.sightings.is_empty());
    }

    /// Returns the servers that are known.
    pub(super) fn servers(&self) -> Vec<NearbyServer> {
        self.0.iter().filter_map(|entry| entry.server.clone()).collect()
    }

    fn entry(&mut self, seen: &Sighting) -> Option<&mut Entry> {
        self.0.iter_mut().find(|it| (&it.name, &it.domain) == (&seen.name, &seen.domain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIN: Pin = Pin([7; 32]);

    fn seen(interface: i32, name: &str) -> Sighting {
        Sighting { interface, protocol: 0, name: name.to_owned(), domain: "local".to_owned() }
    }

    fn resolved(host: &str, address: &str) -> Resolved {
        let texts = vec![b"txtvers=1".to_vec(), format!("pin={PIN}").into_bytes()];
        Resolved { host: host.to_owned(), address: address.to_owned(), port: 12345, texts }
    }

    fn addresses(server: &NearbyServer) -> Vec<String> {
        [&server.server].into_iter().chain(&server.others).map(ToString::to_string).collect()
    }

    #[test]
    fn a_server_is_known_by_its_name_in_the_network_and_else_by_its_address() {
        for (host, address, expected) in [
            ("Box.local", "192.168.1.7", &["box.local:12345", "192.168.1.7:12345"][..]),
            ("box.local", "2001:db8::7", &["box.local:12345", "[2001:db8::7]:12345"]),
            ("box.local", "fe80::7", &["box.local:12345", "[fe80::7%2]:12345"]),
            ("chat.example", "192.168.1.7", &["192.168.1.7:12345"]),
            ("box .local", "192.168.1.7", &["192.168.1.7:12345"]),
        ] {
            let server = NearbyServer::read(&seen(2, "Office"), &resolved(host, address));
            assert_eq!(addresses(&server.expect("a server")), expected);
        }
        assert_eq!(NearbyServer::read(&seen(2, "x"), &resolved("chat.example", "?")), None);
    }

    #[test]
    fn names_are_cleaned_and_cut() {
        for (name, expected) in [
            ("Office", "Office"),
            (" \u{202e}eciffO\n", "eciffO"),
            ("\u{200b}", "box.local"),
            ("", "box.local"),
        ] {
            let server = NearbyServer::read(&seen(2, name), &resolved("box.local", "10.0.0.1"));
            assert_eq!(server.expect("a server").name, expected, "{name:?}");
        }
    }

    #[test]
    fn what_has_no_pin_is_passed_over() {
        for text in ["", "pin=", "pin=x", "nip=AAAA"] {
            let mut resolved = resolved("box.local", "10.0.0.1");
            resolved.texts = vec![text.as_bytes().to_vec(), b"\xff".to_vec()];
            assert_eq!(NearbyServer::read(&seen(2, "Office"), &resolved), None, "{text:?}");
        }
    }

    #[test]
    fn one_server_on_two_interfaces_is_there_until_it_is_gone_from_both() {
        let mut nearby = Nearby::default();
        let (first, second) = (seen(2, "Office"), seen(3, "Office"));
        assert!(nearby.add(&first) && nearby.add(&second));
        assert!(!nearby.add(&second), "it is known");
        assert!(nearby.servers().is_empty(), "its address is not known");
        nearby.resolve(&first, &resolved("box.local", "10.0.0.1"));
        nearby.resolve(&second, &resolved("box.local", "10.0.1.1"));
        nearby.resolve(&second, &resolved("other.local", "10.0.1.2"));
        let expected = ["box.local:12345", "10.0.0.1:12345", "10.0.1.1:12345"];
        assert_eq!(addresses(&nearby.servers()[0]), expected);
        nearby.remove(&first);
        assert_eq!(nearby.servers().len(), 1);
        nearby.remove(&second);
        nearby.resolve(&second, &resolved("box.local", "10.0.1.1"));
        assert!(nearby.servers().is_empty());
    }

    #[test]
    fn nobody_can_fill_the_list() {
        let mut nearby = Nearby::default();
        for n in 0..1_000 {
            let seen = seen(2, &n.to_string());
            assert_eq!(nearby.add(&seen), n < 32, "{n}");
            nearby.resolve(&seen, &resolved("box.local", "10.0.0.1"));
        }
        assert_eq!(nearby.servers().len(), SERVERS_MAX);
        let on = |interface| seen(interface, "0");
        let added = (3..1_000).filter(|interface| nearby.add(&on(*interface))).count();
        assert_eq!(added, SIGHTINGS_MAX - 1);
        assert!(!nearby.add(&seen(2, &"x".repeat(NAME_BYTES_MAX + 1))));
    }
}
