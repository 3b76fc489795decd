//! The certificates that are taken, and those that are refused.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::world::{AUTHORITY, World};

const OTHER: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[test]
fn a_server_is_known_again_and_another_certificate_is_told_nothing() {
    let world = World::new();
    world.say("one", &[]);
    let path = world.state_path("known-servers");
    let known = fs::read_to_string(&path).expect("TLS was offered");
    let (address, pin) = known.trim_end().split_once(' ').expect("a line");
    assert_eq!(address, world.address());
    world.say("two", &["--pin", pin]);
    let (code, reason) = world.refused("three", &["--pin", OTHER]);
    assert_eq!(code, 1);
    assert!(reason.contains(pin) && reason.contains(OTHER), "{reason}");
    let link = format!("pychat://bot@{address}/#pin={OTHER}");
    assert_eq!(world.send("three", &[&link]).status.code(), Some(1));
    fs::write(&path, format!("{address} {OTHER}\n")).expect("our own file");
    let (code, reason) = world.refused("three", &[]);
    assert_eq!(code, 1);
    assert!(reason.contains("has changed") && reason.contains("remove line 1 of "), "{reason}");
    assert!(reason.trim_end().ends_with("known-servers"), "{reason}");
    let link = format!("pychat://bot@{address}/#pin={pin}");
    assert_eq!(world.send("three", &[&link]).status.code(), Some(0), "a link counts more");
    fs::write(&path, known).expect("our own file");
    assert_eq!(world.read(&["--lines=9"]).lines().count(), 3);
}

/// An authority.
struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    /// Makes one, whose certificate is in a file.
    fn new(path: &Path) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate");
        fs::write(path, certificate.pem()).expect("a folder of our own");
        Self(Issuer::new(params, key))
    }

    /// Puts a new certificate for this address, and its key, into a file.
    fn vouch(&self, address: &str, path: &Path) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([address.to_owned()]).expect("an address");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        fs::write(path, certificate.pem() + &key.serialize_pem()).expect("a folder of our own");
    }
}

#[test]
fn a_certificate_that_an_authority_renews_is_taken_and_no_other() {
    let mut authority = None;
    let mut world = World::with(|folder| {
        let certificate = folder.join("server.pem");
        let authority = authority.insert(Authority::new(&folder.join(AUTHORITY)));
        authority.vouch("127.0.0.1", &certificate);
        let file = certificate.display();
        vec![format!("--tls-certificate={file}"), format!("--tls-key={file}")]
    });
    let authority = authority.expect("it was made");
    let certificate = world.path("server.pem");
    let known = |world: &World| {
        let known = fs::read_to_string(world.state_path("known-servers")).expect("TLS was offered");
        let vouched = known.lines().filter(|line| line.ends_with(" vouched")).count();
        (vouched, known.lines().count())
    };
    world.say("one", &[]);
    world.say("one", &[]);
    assert_eq!(known(&world), (1, 1));

    authority.vouch("127.0.0.1", &certificate);
    world.restart();
    world.say("two", &[]);
    world.say("two", &[]);
    assert_eq!(known(&world), (2, 2), "it was renewed");

    authority.vouch("127.0.0.2", &certificate);
    world.restart();
    let (code, reason) = world.refused("three", &[]);
    assert_eq!(code, 1);
    assert!(reason.contains("remove lines 1, 2 of "), "it is for another address: {reason}");

    let stranger = Authority::new(&world.path("stranger.pem"));
    stranger.vouch("127.0.0.1", &certificate);
    world.restart();
    assert_eq!(world.refused("three", &[]).0, 1, "nobody knows who vouches for it");
    assert_eq!(known(&world), (2, 2));

    fs::write(world.state_path("known-servers"), "").expect("our own file");
    world.say("three", &[]);
    assert_eq!(known(&world), (0, 1), "it is trusted at first sight");
    authority.vouch("127.0.0.1", &certificate);
    world.restart();
    let (_, reason) = world.refused("four", &[]);
    assert!(reason.contains("remove line 1 of "), "the one before had no authority: {reason}");
}
