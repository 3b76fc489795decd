//! A line that goes dead without a word: a cable pulled, a router gone.
//!
//! The test runs once more in a network namespace of its own, the server in a second one, and two
//! cables between them, of which one is pulled.

use std::{
    fs,
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use super::kernel::end_at;
use crate::process::{PROGRAM, Peer, Server, World, joined, left, wait_until};

const NAME: &str = "server::faults_line::a_reader_behind_a_dead_line_is_cut_and_delays_nobody";

/// The kernel's number for a connection that waits to be asked whether it is still there.
const KEEPALIVE: &str = "02";

#[test]
fn a_reader_behind_a_dead_line_is_cut_and_delays_nobody() {
    if !World::Network.runs(NAME) {
        story();
    }
}

/// Ends with its process, and the namespace with it.
struct Namespace(Child);

impl Drop for Namespace {
    fn drop(&mut self) {
        // Both fail only for a process that has been waited for already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Namespace {
    fn new() -> Self {
        let mut command = Command::new("unshare");
        let process = command.args(["--net", "sleep", "infinity"]).spawn().unwrap();
        let own = fs::read_link("/proc/self/ns/net").unwrap();
        wait_until("there is no namespace", || {
            fs::read_link(format!("/proc/{}/ns/net", process.id())).is_ok_and(|link| link != own)
        });
        Self(process)
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }

    /// Lays a cable from here to there: `10.9.NUMBER.1` here, `10.9.NUMBER.2` there.
    fn lay_cable(&self, number: u8) {
        let (near, far, pid) = (format!("near{number}"), format!("far{number}"), self.pid());
        let [here, there] = [1, 2].map(|end| format!("10.9.{number}.{end}/24"));
        ip(&["link", "add", &near, "type", "veth", "peer", "name", &far, "netns", &pid]);
        ip(&["address", "add", &here, "dev", &near]);
        ip(&["link", "set", &near, "up"]);
        let inside = |arguments: &[&str]| {
            let enter = ["--net", "--target", &pid, "ip"];
            run(Command::new("nsenter").args(enter).args(arguments));
        };
        inside(&["address", "add", &there, "dev", &far]);
        inside(&["link", "set", &far, "up"]);
    }
}

fn ip(arguments: &[&str]) {
    run(Command::new("ip").args(arguments));
}

#[track_caller]
fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

fn story() {
    let there = Namespace::new();
    there.lay_cable(1);
    there.lay_cable(2);
    let mut command = Command::new("nsenter");
    command.args(["--net", "--target", &there.pid(), PROGRAM, "--listen=0.0.0.0:12345"]);
    command.args(["--flood=off", "--backlog-max=256KiB", "--history=memory"]);
    let server = Server::run(command.stdin(Stdio::null()).stderr(Stdio::piped()), 1);
    let [sound, doomed] = [2, 1].map(|cable| SocketAddr::from(([10, 9, cable, 2], 12_345)));
    let [mut anna, mut boris] = Peer::room(sound, ["Анна", "Борис"]);
    let sonya = Peer::join(doomed, "Соня", &["Анна", "Борис"]);
    for peer in [&mut anna, &mut boris] {
        peer.is_told(&joined("Соня"));
    }
    wait_until("nobody would notice a dead line", || {
        timer(&server, sonya.address()).as_deref() == Some(KEEPALIVE)
    });
    ip(&["link", "set", "near1", "down"]);

    let mut said = 0;
    let content = "x".repeat(50_000);
    loop {
        anna.say(&content);
        let [by_anna, by_boris] = [anna.message(), boris.message()];
        if by_anna.content == left("Соня") {
            assert_eq!(by_boris, by_anna);
            break;
        }
        assert_eq!([by_anna.content, by_boris.content], [&*content, &*content]);
        said += content.len();
        assert!(said < 50 << 20, "Соня is never cut");
    }
    // Nothing of it came through, not even that the connection is over.
    assert_eq!(end_at(sonya.address(), doomed).unread, 0, "the line was not dead");
    anna.hears("Вы", &content);
    boris.hears("Анна", &content);
    server.log().wait_for_line(&format!("INFO \"Соня\" left from {}: slow", sonya.address()));
    anna.say("слышно?");
    boris.hears("Анна", "слышно?");
}

/// Returns what the server's end of its connection with `peer` waits for, if there is one.
fn timer(server: &Server, peer: SocketAddr) -> Option<String> {
    let SocketAddr::V4(peer) = peer else { panic!("{peer} is not IPv4") };
    let host = u32::from_ne_bytes(peer.ip().octets());
    let shown = format!("{host:08X}:{:04X}", peer.port());
    let table = fs::read_to_string(format!("/proc/{}/net/tcp", server.pid())).unwrap();
    let mut rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|columns| columns[2] == shown)?;
    Some(row[5].split_once(':')?.0.to_owned())
}
