//! Encrypted connections, tick by tick.

#[path = "../../kit/process/tls.rs"]
mod tls;

use std::{
    io::{Read, Write},
    sync::Arc,
};

use pychat_server::{
    handover::Snapshot,
    net::{
        identity::{Identity, IdentityPlace},
        transport::Transport,
    },
};
use pychat_wire::key::BINDING_BYTES;
use rustls::ClientConnection;

use super::*;
use tls::Handshake;

/// A peer's side of TLS over a line.
struct Tls {
    peer: Peer,
    session: ClientConnection,
}

impl Tls {
    /// Connects and ends the handshake.
    fn connect(server: &mut Harness, identity: &Identity) -> Self {
        let (id, line) = (server.server.next_id(), Line::default());
        let transport = Transport::new(line.clone(), Some(Arc::clone(&identity.config)));
        server.server.admit(server.now, transport, SocketAddr::from(([127, 0, 0, 1], 1)));
        server.settle();
        line.take_heard(); // The greeting, which counts no more.
        let (session, pin) = Handshake::default().begin();
        let nonces = [(); 2].map(|()| Nonce(server.nonces.bytes()));
        let challenge = Challenge { nonce: nonces[1], ..Challenge::default() };
        let mut tls = Self { peer: Peer { id, line, challenge }, session };
        while tls.session.is_handshaking() {
            tls.write(server);
            tls.read();
        }
        tls.write(server);
        tls.peer.challenge.binding = tls::binding(&tls.session);
        assert_eq!(pin.get(), identity.pin.to_string());
        tls
    }

    /// Sends a frame.
    fn say(&mut self, server: &mut Harness, frame: &[u8]) {
        self.session.writer().write_all(frame).expect("room");
        self.write(server);
    }

    /// Sends what the session wants sent.
    fn write(&mut self, server: &mut Harness) {
        let mut bytes = Vec::new();
        while self.session.wants_write() {
            self.session.write_tls(&mut bytes).expect("a vector takes it");
        }
        server.send(&self.peer, &bytes);
        server.settle();
    }

    /// Returns what was heard since.
    fn read(&mut self) -> String {
        let (bytes, mut heard) = (self.peer.line.take_heard(), Vec::new());
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            self.session.read_tls(&mut rest).expect("a vector gives it");
            self.session.process_new_packets().expect("TLS");
        }
        let _ = self.session.reader().read_to_end(&mut heard); // Until nothing more is there.
        String::from_utf8(heard).expect("text")
    }
}

fn identity() -> Identity {
    let directory = std::env::temp_dir().join(format!("pychat-ticks-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a folder");
    let identity = Identity::load(&IdentityPlace::Own(directory.clone())).expect("a certificate");
    std::fs::remove_dir_all(&directory).expect("it is there");
    identity
}

#[test]
fn a_restart_says_goodbye_to_those_with_tls_and_the_others_hear_that_they_left() {
    let mut server = Harness::new(10);
    let plain = server.join("plain");
    let mut tls = Tls::connect(&mut server, &identity());
    let mut hello = Vec::new();
    ClientMessage::hello("tls").encode(&mut hello);
    tls.say(&mut server, &hello);
    assert!(tls.read().contains("tls. "), "the welcome");
    heard(&plain);
    let (snapshot, sockets) = server.server.save(server.now);
    assert_eq!(sockets.len(), 1);
    let goodbye = tls.read();
    assert!(goodbye.contains("shutting down"), "{goodbye}");
    assert!(tls.session.process_new_packets().expect("TLS").peer_has_closed());
    let snapshot = Snapshot::from_bytes(&snapshot.to_bytes()).expect("the same format");
    let unsent = String::from_utf8_lossy(&snapshot.connections[0].unsent).into_owned();
    assert!(unsent.contains("tls покинул чат."), "{unsent}");
}

#[test]
fn a_hello_is_signed_for_the_channel_that_it_is_said_on() {
    let mut server = Harness::new(10);
    let identity = identity();
    let [mut here, there] = [(); 2].map(|()| Tls::connect(&mut server, &identity));
    let Challenge { nonce, binding } = here.peer.challenge;
    assert_ne!(binding, there.peer.challenge.binding);
    here.read();
    for (binding, answer) in [
        ([0; BINDING_BYTES], r#""code":"bad_signature""#),
        (there.peer.challenge.binding, r#""code":"bad_signature""#), // Somebody in between.
        (binding, r#""type":"welcome""#),
    ] {
        here.peer.challenge = Challenge { nonce, binding };
        let hello = second::hello(&here.peer, "Anna", "");
        here.say(&mut server, format!("{}:{hello}", hello.len()).as_bytes());
        let heard = here.read();
        assert!(heard.contains(answer), "{heard}");
    }
}
