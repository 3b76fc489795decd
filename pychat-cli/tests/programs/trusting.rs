//! The certificates that are taken, and those that are refused.

use std::fs;

use crate::world::World;

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
    assert!(reason.contains("has changed") && reason.contains("known-servers"), "{reason}");
    let link = format!("pychat://bot@{address}/#pin={pin}");
    assert_eq!(world.send("three", &[&link]).status.code(), Some(0), "a link counts more");
    fs::write(&path, known).expect("our own file");
    assert_eq!(world.read(&["--lines=9"]).lines().count(), 3);
}
