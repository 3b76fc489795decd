//! Where the server listens, and why it sometimes cannot.

use std::{
    io::Read,
    net::{Ipv6Addr, SocketAddr, TcpListener},
    process::{Command, Stdio},
};

use crate::support::{PROGRAM, Peer, Server, World, exit_code, joined, program};

/// Runs `command`, which is to fail at once; returns its only line.
#[track_caller]
fn complaint_of(command: &mut Command) -> String {
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    assert_eq!(exit_code(&mut process), Some(1));
    let (mut output, mut complaint) = (String::new(), String::new());
    process.stdout.unwrap().read_to_string(&mut output).unwrap();
    process.stderr.unwrap().read_to_string(&mut complaint).unwrap();
    assert_eq!(output, "");
    let line = complaint.strip_suffix('\n').expect("a whole line");
    assert!(!line.contains('\n'), "more than one line: {line}");
    line.to_owned()
}

#[track_caller]
fn complaint_about(listen: &str) -> String {
    complaint_of(program().args(["--listen", listen]))
}

#[test]
fn one_room_spans_all_addresses() {
    let mut listen = vec!["127.0.0.1:0", "127.0.0.2:0", "localhost:0"];
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        listen.push("[::1]:0");
    } else {
        eprintln!("SKIPPED in part: this machine has no IPv6");
    }
    let server = Server::listening_on(&listen);
    let mut people: Vec<(String, Peer)> = Vec::new();
    for (number, address) in server.addresses().iter().enumerate() {
        let name = format!("Гость {number}");
        let names: Vec<_> = people.iter().map(|(name, _)| name.as_str()).collect();
        let mut newcomer = Peer::join(*address, &name, &names);
        newcomer.say("всем привет");
        newcomer.hears("Вы", "всем привет");
        for (_, peer) in &mut people {
            peer.is_told(&joined(&name));
            peer.hears(&name, "всем привет");
        }
        people.push((name, newcomer));
    }
    assert!(listen.len() <= people.len());
}

#[test]
fn a_port_in_use_is_not_shared() {
    let mut server = Server::start();
    let address = server.address();
    let expected =
        format!("pychat-server: cannot listen on {address}: another program is using this port");
    assert_eq!(complaint_about(&address.to_string()), expected);
    let twice = ["--listen", "127.0.0.1:0", "--listen", &address.to_string()];
    assert_eq!(complaint_of(program().args(twice)), expected, "all or nothing");

    // It was not asked to share with its own past: the port is free at once after a stop.
    let peer = Peer::join(address, "Анна", &[]);
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
    drop(peer);
    let server = Server::listening_on(&[&address.to_string()]);
    assert_eq!(server.address(), address);
}

#[test]
fn an_address_of_another_machine_cannot_be_had() {
    let expected = "pychat-server: cannot listen on 192.0.2.1:0: \
                    this machine does not have this address";
    assert_eq!(complaint_about("192.0.2.1:0"), expected); // Kept for documentation, nobody's.
}

#[test]
fn what_is_no_address_is_named() {
    for (listen, reason) in [
        ("127.0.0.1:port", "the port should be a number from 0 to 65535"),
        ("127.0.0.1:65536", "the port should be a number from 0 to 65535"),
        ("127.0.0.1:", "the port should be a number from 0 to 65535"),
        ("::1", "an IPv6 address needs brackets, such as [::1]:12345"),
        ("[::1", "what stands in brackets is no IPv6 address"),
        (
            ":12345",
            "the address is missing; write ADDRESS:PORT, such as 127.0.0.1:12345 or [::1]:12345",
        ),
    ] {
        assert_eq!(complaint_about(listen), format!("pychat-server: --listen {listen}: {reason}"));
    }
}

#[test]
fn an_unknown_host_is_named() {
    let complaint = complaint_about("nohost.invalid:0");
    let begin = "pychat-server: cannot find the address of \"nohost.invalid\": ";
    assert!(complaint.starts_with(begin), "{complaint}");
}

#[test]
fn without_arguments_it_listens_everywhere_on_port_12345() {
    const NAME: &str = "server::listening::without_arguments_it_listens_everywhere_on_port_12345";
    if World::Network.runs(NAME) {
        return;
    }
    let server = Server::run(&mut program(), 2);
    let expected = ["0.0.0.0:12345", "[::]:12345"].map(|text| text.parse().unwrap());
    assert_eq!(server.addresses(), expected);
    let address = |text: &str| text.parse::<SocketAddr>().unwrap();
    let mut anna = Peer::join(address("127.0.0.1:12345"), "Анна", &[]);
    let mut boris = Peer::join(address("[::1]:12345"), "Борис", &["Анна"]);
    anna.is_told(&joined("Борис"));
    boris.say("привет");
    anna.hears("Борис", "привет");

    let complaint = complaint_of(&mut program());
    let in_use = "another program is using this port";
    assert_eq!(complaint, format!("pychat-server: cannot listen on 0.0.0.0:12345: {in_use}"));
    assert_eq!(complaint_about("127.0.0.1").split_once("12345: ").unwrap().1, in_use);
    boris.say("всё ещё одна комната");
    anna.hears("Борис", "всё ещё одна комната");
}

#[test]
fn a_port_below_1024_needs_privileges() {
    const NAME: &str = "server::listening::a_port_below_1024_needs_privileges";
    if World::Network.runs(NAME) {
        return;
    }
    // Root without any of its powers is like anybody.
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", "--", PROGRAM]);
    command
        .args(["--listen", "127.0.0.1:80", "--history=memory"])
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    let expected = "pychat-server: cannot listen on 127.0.0.1:80: \
                    no permission; ports below 1024 need privileges";
    assert_eq!(complaint_of(&mut command), expected);
}
