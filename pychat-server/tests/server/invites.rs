//! Links, invites, and those who have none.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

use pychat_wire::{
    Link,
    link::{Address, Code, Host},
};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{
    control::ctl,
    history::Shelf,
    second::{hello_two, string},
};
use crate::process::{PATIENCE, Peer, frame, hello, welcome};

/// A server whose standard error is a terminal; it is killed when dropped.
struct AtTerminal {
    process: Child,
    lines: Receiver<String>,
}

impl AtTerminal {
    fn start(command: &mut Command) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap();
        let stderr = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        let process = command.stderr(stderr).spawn().unwrap();
        command.stderr(Stdio::null()); // The terminal is the server's alone.
        let (sender, lines) = mpsc::channel();
        // Reading fails when nobody has the other side any more.
        let shown = BufReader::new(File::from(terminal)).lines().map_while(Result::ok);
        thread::spawn(move || shown.for_each(|line| drop(sender.send(line))));
        Self { process, lines }
    }

    /// Waits for the link that is shown.
    #[track_caller]
    fn link(&self) -> Link {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("a link");
            if line.contains("pychat://") {
                return line.trim().parse().expect("a good link");
            }
        }
    }
}

impl Drop for AtTerminal {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Connects to this machine; returns the greeting too.
fn greeted(port: u16) -> (Peer, String) {
    let mut peer = Peer::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let greeting = peer.payload().expect("a greeting");
    (peer, greeting)
}

/// Says hello to a greeting, with these further members; returns the answer.
fn ask(peer: &mut Peer, greeting: &str, name: &str, members: &str) -> String {
    peer.send(hello_two(greeting, name, members));
    peer.payload().expect("an answer")
}

#[track_caller]
fn starts_with(answer: &str, begin: &str) {
    assert!(answer.starts_with(begin), "{answer}");
}

const WELCOME: &str = r#"{"type":"welcome","#;
const REFUSED: &str = r#"{"type":"error","code":"not_admitted","#;

/// Returns the address that a link has.
#[track_caller]
fn only(link: &Link) -> &Address {
    let [address] = &link.addresses[..] else { panic!("{link}") };
    address
}

#[test]
fn the_first_person_is_invited_on_a_terminal_and_comes_back_without_an_invite() {
    let shelf = Shelf::new();
    let server = AtTerminal::start(shelf.program().arg("--admission=invite"));
    let link = server.link();
    assert_eq!(only(&link).host, Host::Domain("localhost".into()));
    let (Some(Code::Invite(code)), Some(pin)) = (link.code, link.pin) else { panic!("{link}") };

    let (mut old, _) = greeted(only(&link).port);
    old.send(hello("Старик"));
    old.is_told("This server lets in only people who are invited, by a newer client. Bye!\n");
    old.hears_the_end();
    let (mut anna, greeting) = greeted(only(&link).port);
    assert!(greeting.contains(r#","admission":"invite","#), "{greeting}");
    starts_with(&ask(&mut anna, &greeting, "Анна", ""), REFUSED);
    let invite = format!(r#","invite":"{code}""#);
    starts_with(&ask(&mut anna, &greeting, "Анна", &invite), WELCOME);
    let (mut eva, greeting) = greeted(only(&link).port);
    starts_with(&ask(&mut eva, &greeting, "Ева", &invite), REFUSED);
    anna.send(frame(r#"{"type":"invite"}"#));
    starts_with(&anna.payload().unwrap(), r#"{"type":"error","code":"forbidden","#);
    drop(server); // It is killed.

    let server = AtTerminal::start(shelf.program().arg("--admission=invite"));
    let link = server.link();
    assert_eq!((link.code, link.pin), (None, Some(pin)), "somebody can get in");
    let (mut anna, greeting) = greeted(only(&link).port);
    starts_with(&ask(&mut anna, &greeting, "Анна", ""), WELCOME);
    drop(server);

    // Where it is no terminal, nobody is told a link.
    let other = Shelf::new();
    let mut server = other.server(&["--admission=invite"]);
    server.signal("TERM");
    let log = server.whole_log();
    assert!(!log.iter().any(|line| line.contains("pychat://")), "{log:#?}");
}

#[test]
fn on_an_open_server_everybody_is_told_the_link() {
    let shelf = Shelf::new();
    let server = shelf.server(&["--public-address=chat.example.org"]);
    let (mut anna, greeting) = greeted(server.address().port());
    assert!(greeting.contains(r#","admission":"open","#), "{greeting}");
    starts_with(&ask(&mut anna, &greeting, "Анна", ""), WELCOME);
    anna.send(frame(r#"{"type":"invite","uses":1,"for_ms":1000}"#));
    let answer = anna.payload().unwrap();
    let (port, pin) = (server.address().port(), string(&answer, "pin"));
    let expected =
        format!(r#"{{"type":"invite_link","hosts":["chat.example.org:{port}"],"pin":"{pin}"}}"#);
    assert_eq!(answer, expected);
    server.log().wait_for(|lines| lines.iter().any(|line| line.contains(&pin)).then_some(()));
    anna.send(frame(r#"{"type":"invites"}"#));
    let forbidden = r#"{"type":"error","code":"forbidden","text":"this is for operators"}"#;
    assert_eq!(anna.payload().unwrap(), forbidden);
}

#[test]
fn the_door_is_shut_and_opened_while_the_server_runs() {
    let shelf = Shelf::new();
    let file = shelf.path().join("pychat.toml");
    fs::create_dir_all(shelf.path()).unwrap();
    fs::write(&file, "admission = \"invite\"\n").unwrap();
    let server = shelf.server(&["--config", file.to_str().unwrap()]);
    let (mut anna, greeting) = greeted(server.address().port());
    starts_with(&ask(&mut anna, &greeting, "Анна", ""), REFUSED);
    for (text, answer) in [
        ("guests-from = [\"127.0.0.0/8\"]\nadmission = \"invite\"", None),
        ("admission = \"open\"", Some(WELCOME)),
        ("admission = \"invite\"", Some(REFUSED)),
    ] {
        let before = server.log().lines().len();
        fs::write(&file, text).unwrap();
        server.signal("HUP");
        server.log().wait_for(|lines| {
            lines[before..].iter().any(|line| line == "INFO configuration re-read").then_some(())
        });
        let (mut peer, greeting) = greeted(server.address().port());
        if let Some(answer) = answer {
            starts_with(&ask(&mut peer, &greeting, &format!("{before}"), ""), answer);
        } else {
            peer.send(hello("Старик"));
            peer.is_told(&welcome("Старик", &[]));
        }
    }
}

#[test]
fn invites_are_made_listed_and_revoked_on_the_machine() {
    let shelf = Shelf::new();
    let server = shelf.server(&["--admission=invite", "--public-address=chat.example.org"]);
    assert_eq!(ctl(&shelf, &["invites"]), "There are no invites.");
    let words = ctl(&shelf, &["invite", "--uses", "1", "--for", "1h"]);
    assert!(words.contains("\n\nIt lets in 1 person until 20"), "{words}");
    let link: Link = words.lines().next().unwrap().parse().unwrap();
    assert_eq!(only(&link).host, Host::Domain("chat.example.org".into()));
    let code = link.code.and_then(Code::invite).expect("a code");

    let endless = ctl(&shelf, &["invite", "--json"]);
    assert!(endless.ends_with(r#"","uses":null,"until_ms":null}"#), "{endless}");
    let listed = ctl(&shelf, &["invites"]);
    let [first, second] = listed.lines().collect::<Vec<_>>()[..] else { panic!("{listed}") };
    assert!(first.contains(" lets in 1 person until 20"), "{first}");
    assert!(second.ends_with(" lets in any number of people"), "{second}");
    let id = second.split(' ').next().unwrap();
    assert_eq!(ctl(&shelf, &["revoke", id]), format!("The invite {id} is good no longer."));

    let (mut anna, greeting) = greeted(server.address().port());
    let invite = format!(r#","invite":"{code}""#);
    starts_with(&ask(&mut anna, &greeting, "Анна", &invite), WELCOME);
    assert_eq!(ctl(&shelf, &["invites"]), "There are no invites.", "it is used up");
    ctl(&shelf, &["door", "open"]);
    let words = ctl(&shelf, &["invite"]);
    assert!(words.ends_with("\n\nEverybody may join: this link has no code."), "{words}");
    let records = ctl(&shelf, &["audit"]);
    let verbs: Vec<_> = records.lines().map(|line| line.split("  ").nth(2).unwrap()).collect();
    assert_eq!(verbs, ["invite", "invite", "revoke_invite", "door"], "{records}");
}

#[test]
fn a_link_that_is_of_use_on_the_machine_alone_is_told_apart() {
    let shelf = Shelf::new();
    let server = shelf.server(&["--admission=invite"]);
    let words = ctl(&shelf, &["invite"]);
    let begin = format!("pychat://localhost:{}/#pin=", server.address().port());
    assert!(words.starts_with(&begin), "{words}");
    let end = "\n\nNo other machine can reach the server: see listen in pychat-server.toml(5).";
    assert!(words.ends_with(end), "{words}");
}
