//! Handshakes that go wrong, on purpose or not, and what the others notice of it: nothing.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    process::{Command, Stdio},
    thread,
};

use super::history::Shelf;
use crate::process::{GREETING, Handshake, PATIENCE, Peer, Server, hello, skip, welcome};

/// Returns the first bytes of a handshake.
fn client_hello() -> Vec<u8> {
    let mut bytes = Vec::new();
    Handshake::default().begin().0.write_tls(&mut bytes).unwrap();
    bytes
}

/// Connects, reads the greeting, and returns the socket.
fn guest(address: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_nodelay(true).unwrap();
    let mut greeting = [0; 64];
    socket.read_exact(&mut greeting).unwrap();
    assert!(String::from_utf8_lossy(&greeting).contains("message"));
    socket
}

/// Reads to the end, which may be a reset.
#[track_caller]
fn read_to_end(socket: &mut TcpStream) {
    if let Err(error) = socket.read_to_end(&mut Vec::new()) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
    }
}

#[test]
fn half_a_handshake_ends_with_the_time_to_say_hello() {
    let shelf = Shelf::new();
    let server = shelf.server(&["--hello-timeout=1"]);
    let hello = client_hello();
    let mut sockets: Vec<_> = [1, 5, hello.len() / 2, hello.len()]
        .map(|size| {
            let mut socket = guest(server.address());
            socket.write_all(&hello[..size]).unwrap();
            socket
        })
        .into();
    for socket in &mut sockets {
        read_to_end(socket);
    }
    drop(sockets);
    Peer::secure_guest(server.address());
}

#[test]
fn a_handshake_may_come_a_byte_at_a_time() {
    let shelf = Shelf::new();
    let server = shelf.server(&[]);
    let mut socket = guest(server.address());
    for byte in client_hello() {
        socket.write_all(&[byte]).unwrap();
    }
    let mut record = [0; 3];
    while record != [0x16, 3, 3] {
        record.rotate_left(1);
        socket.read_exact(&mut record[2..]).unwrap();
    }
}

#[test]
fn what_is_no_handshake_is_told_so_and_closed() {
    let shelf = Shelf::new();
    let server = shelf.server(&[]);
    let old: &[u8] = b"\x16\x03\x01\x00\x31\x01\x00\x00\x2d\x03\x03";
    let tls12 = [old, &[7; 32], b"\x00\x00\x02\xc0\x2f\x01\x00\x00\x02\x00\x00"].concat();
    let records = [0x16, 3, 1, 0xff, 0xff].repeat(1_000);
    for bytes in [&tls12[..], b"\x16\x03\x01\x00\x04\x63\x00\x00\x00", &[0x16; 3_000], &records] {
        let mut socket = guest(server.address());
        let _ = socket.write_all(bytes); // It may be closed before the last of it.
        read_to_end(&mut socket);
    }
    Peer::secure_guest(server.address());
}

/// Somebody in between who takes the offer out of the greeting gets a client without TLS; one who
/// begins it later gets nothing at all.
#[test]
fn tls_that_begins_after_something_else_is_a_broken_frame() {
    let shelf = Shelf::new();
    let server = shelf.server(&[]);
    let mut anna = Peer::guest(server.address());
    anna.send(hello("Анна"));
    anna.is_told(&welcome("Анна", &[]));
    anna.send(client_hello());
    assert!(anna.payload().unwrap().contains("Connection closed: "));
    anna.hears_the_end();
}

#[test]
fn a_server_without_a_certificate_takes_a_handshake_for_a_broken_frame() {
    let server = Server::start(); // It keeps nothing.
    let mut peer = Peer::connect(server.address());
    assert!(!peer.payload().unwrap().contains("tls"));
    peer.send(client_hello());
    assert!(peer.payload().unwrap().contains("Connection closed: "));
    peer.hears_the_end();
}

#[test]
fn a_thousand_handshakes_at_once_keep_nobody_from_talking() {
    const HANDSHAKES: usize = 1_000;
    let shelf = Shelf::new();
    let server = shelf.server(&["--connections-per-address=0", "--hello-timeout=300"]);
    let mut anna = Peer::join(server.address(), "Анна", &[]);
    let hello = client_hello();
    let mut sockets: Vec<_> = (0..HANDSHAKES).map(|_| guest(server.address())).collect();
    for socket in &mut sockets {
        socket.write_all(&hello).unwrap();
    }
    for number in 0..10 {
        let content = number.to_string();
        anna.say(&content);
        anna.hears("Вы", &content);
    }
    let mut byte = [0];
    for socket in &mut sockets {
        // The rest of the greeting, and then the server's hello.
        while byte != [0x16] {
            socket.read_exact(&mut byte).unwrap();
        }
        byte = [0];
    }
}

#[test]
fn openssl_speaks_with_it() {
    let Ok(version) = Command::new("openssl").arg("version").output() else {
        return skip("TLS of another library: there is no openssl");
    };
    assert!(version.status.success());
    let shelf = Shelf::new();
    let server = shelf.server(&[]);
    let relay = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = relay.local_addr().unwrap().to_string();
    let mut openssl = Command::new("openssl")
        .args(["s_client", "-quiet", "-alpn", "pychat", "-connect", &address])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    relay_without_greeting(relay.accept().unwrap().0, server.address());
    let mut input = openssl.stdin.take().unwrap();
    input.write_all(hello("Анна").as_bytes()).unwrap();
    let mut output = openssl.stdout.take().unwrap();
    let (mut heard, mut byte) = (Vec::new(), [0]);
    while !String::from_utf8_lossy(&heard).contains("Добро пожаловать, Анна") {
        output.read_exact(&mut byte).unwrap();
        heard.extend(byte);
    }
    assert!(String::from_utf8_lossy(&heard).contains(GREETING));
    openssl.kill().unwrap();
    openssl.wait().unwrap();
}

/// Connects `client` with a server; what the latter says before TLS, which `client` does not know, is
/// left out. Ends with either of them.
fn relay_without_greeting(client: TcpStream, address: SocketAddr) {
    let mut server = TcpStream::connect(address).unwrap();
    let (mut byte, mut size) = ([0], 0);
    while byte != [b':'] {
        size = 10 * size + u64::from(byte[0].saturating_sub(b'0'));
        server.read_exact(&mut byte).unwrap();
    }
    io::copy(&mut (&server).take(size), &mut io::sink()).unwrap();
    for (mut from, mut to) in
        [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
    {
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to); // A reset is an end too.
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}
