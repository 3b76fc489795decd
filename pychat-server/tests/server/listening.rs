//! Where the server listens, and why it sometimes cannot.

use std::{
    fs,
    io::Read,
    net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    process::{Command, Stdio},
};

use crate::process::{
    PROGRAM, Peer, Server, World, exit_code, has_address, joined, program, skip, wait_until,
};

/// Runs `command`, which is to fail at once; returns its only line.
#[track_caller]
fn complaint_of(command: &mut Command) -> String {
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let code = exit_code(&mut process);
    let (mut output, mut complaint) = (String::new(), String::new());
    process.stdout.unwrap().read_to_string(&mut output).unwrap();
    process.stderr.unwrap().read_to_string(&mut complaint).unwrap();
    assert_eq!(output, "");
    let line = complaint.strip_suffix('\n').expect("a whole line");
    assert!(!line.contains('\n'), "more than one line: {line}");
    assert_eq!(code, Some(1), "{line}");
    line.to_owned()
}

#[track_caller]
fn complaint_about(listen: &str) -> String {
    complaint_of(program().args(["--listen", listen]))
}

#[test]
fn one_room_spans_all_addresses() {
    let mut listen = vec!["127.0.0.1:0", "127.0.0.2:0", "localhost:0"];
    if has_address(TcpListener::bind((Ipv6Addr::LOCALHOST, 0))) {
        listen.push("[::1]:0");
    } else {
        skip("server::listening::one_room_spans_all_addresses, in part: there is no IPv6");
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
    assert_eq!(complaint_about("192.0.2.1:0"), expected); // SqliteStore for documentation, nobody's.
}

#[test]
fn an_unknown_host_is_named() {
    let complaint = complaint_about("nohost.invalid:0");
    let begin = "pychat-server: cannot find the address of \"nohost.invalid\": ";
    assert!(complaint.starts_with(begin), "{complaint}");
}

/// Has this machine's hosts be those of `lines`, and no `::1` of its own.
fn rename_hosts(lines: &str) {
    let hosts = std::env::temp_dir().join(format!("pychat-hosts-{}", std::process::id()));
    fs::write(&hosts, lines).unwrap();
    run("mount", &["--bind", hosts.to_str().unwrap(), "/etc/hosts"]);
    run("ip", &["-6", "address", "del", "::1/128", "dev", "lo"]);
    fs::remove_file(hosts).unwrap(); // It stays mounted.
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}: {status}");
}

#[test]
fn a_name_stands_for_those_of_its_addresses_that_there_are() {
    const NAME: &str = "server::listening::a_name_stands_for_those_of_its_addresses_that_there_are";
    if World::Names.runs(NAME) {
        return;
    }
    rename_hosts("127.0.0.1 localhost\n127.0.0.1 localhost chat\n::1 localhost\n::1 six\n");
    let address = "127.0.0.1:7000".parse().unwrap();
    let server = Server::run(program().args(["--listen", "localhost:7000"]), 1);
    assert_eq!(server.address(), address);
    server.log().wait_for_line(
        "WARN cannot listen on [::1]:7000: this machine does not have this address; \
         the name's other addresses are used",
    );
    Peer::join(address, "Анна", &[]);
    let in_use =
        "pychat-server: cannot listen on 127.0.0.1:7000: another program is using this port";
    assert_eq!(complaint_about("localhost:7000"), in_use, "half a name is another room");
    drop(server);

    let twice = ["--listen=localhost:7000,chat:7000", "--listen=127.0.0.1:7000"];
    let server = Server::run(program().args(twice), 1);
    assert_eq!(server.address(), address);
    let missing =
        "pychat-server: cannot listen on [::1]:7000: this machine does not have this address";
    assert_eq!(complaint_about("six:7000"), missing);
}

#[test]
fn a_link_local_address_is_listened_on_by_its_scope() {
    const NAME: &str = "server::listening::a_link_local_address_is_listened_on_by_its_scope";
    if World::Network.runs(NAME) {
        return;
    }
    run("ip", &["address", "add", "fe80::1/64", "dev", "lo", "nodad"]);
    // The system takes a moment to find the way there.
    let address: SocketAddr = "[fe80::1%1]:7000".parse().unwrap();
    wait_until("the address cannot be reached", || {
        let listener = TcpListener::bind(address);
        listener.is_ok_and(|_listening| TcpStream::connect(address).is_ok())
    });
    for listen in ["[fe80::1%lo]:7000", "[fe80::1%1]:7000"] {
        let server = Server::run(program().args(["--listen", listen]), 1);
        assert_eq!(server.address(), address);
        Peer::join(server.address(), "Анна", &[]);
    }
    let complaint = complaint_about("[fe80::1%nowhere]:7000");
    let begin = "pychat-server: cannot find the address of \"fe80::1%nowhere\": ";
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
