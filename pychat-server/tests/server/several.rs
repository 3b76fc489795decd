//! Several servers of one chat: what clients are told of them.

use std::fs;

use super::{
    control::ctl,
    history::Shelf,
    second::{greeted, hello_two, join_two},
};
use crate::process::{GOODBYE, Peer, Server};

const TOLD: &str = r#","servers":["a.example:12345","[2001:db8::1]:7"]"#;

#[test]
fn clients_are_told_of_all_servers_in_greeting_and_goodbye() {
    let server = Server::with(&["--servers=A.example,[2001:db8::1]:7"]);
    let (mut anna, greeting) = greeted(&server);
    assert!(greeting.contains(&format!(r#""admission":"open"{TOLD},"limits""#)), "{greeting}");
    anna.send(hello_two(&greeting, "Анна", ""));
    assert!(!anna.payload().unwrap().contains("servers"), "it was told already");
    let mut guest = Peer::guest(server.address());
    server.signal("TERM");
    let bye = format!(r#"{{"type":"bye","reason":"shutdown","retry_ms":1000{TOLD}}}"#);
    assert_eq!(anna.payload(), Some(bye));
    anna.hears_the_end();
    guest.is_told(GOODBYE);
    guest.hears_the_end();
}

#[test]
fn who_is_sent_away_for_another_reason_is_told_of_none() {
    let shelf = Shelf::new();
    let server = shelf.server(&["--servers=a.example"]);
    let mut anna = join_two(&server, "Анна");
    ctl(&shelf, &["kick", "Анна"]);
    let payloads = std::iter::from_fn(|| anna.payload());
    let bye = payloads.last().expect("a last word");
    assert_eq!(bye, r#"{"type":"bye","reason":"kicked","retry_ms":1000}"#);
}

#[test]
fn the_list_is_read_again_and_shown_to_operators() {
    let shelf = Shelf::new();
    fs::create_dir_all(shelf.path()).unwrap();
    let file = shelf.path().join("pychat.toml");
    let greeting_after = |server: &Server| greeted(server).1;
    fs::write(&file, "").unwrap();
    let server = shelf.server(&[&format!("--config={}", file.display())]);
    assert!(!greeting_after(&server).contains("servers"));
    assert!(!ctl(&shelf, &["stats"]).contains("Servers"));
    fs::write(&file, "servers = [\"a.example\", \"[2001:db8::1]:7\"]\n").unwrap();
    server.signal("HUP");
    server.log().wait_for_line("INFO configuration re-read");
    let greeting = greeting_after(&server);
    assert!(greeting.contains(TOLD), "{greeting}");
    let stats = ctl(&shelf, &["stats"]);
    assert!(stats.ends_with("\nServers:      a.example:12345, [2001:db8::1]:7"), "{stats}");
    let link = ctl(&shelf, &["invite"]);
    assert!(link.starts_with("pychat://a.example:12345,[2001:db8::1]:7/"), "{link}");
}
