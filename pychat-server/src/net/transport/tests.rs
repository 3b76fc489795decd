//! Encryption over a line in memory that moves as much at a time as the test says.

#[path = "../../../tests/kit/process/tls.rs"]
mod tls;

use std::{cell::RefCell, collections::VecDeque, io::ErrorKind, rc::Rc, sync::LazyLock};

use rustls::ClientConnection;
use tls::{Handshake, Pin};

use super::*;
use crate::net::{
    connection::{Connection, Fill, Filled},
    identity::{Identity, IdentityPlace},
};

/// A line of which each call moves so many bytes at most; 0 is a full one.
#[derive(Clone, Debug, Default)]
struct Line(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    to_server: VecDeque<u8>,
    to_client: VecDeque<u8>,
    call_bytes_max: usize,
    is_ended: bool,
    is_finished: bool,
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.0.borrow_mut();
        let size = buffer.len().min(state.call_bytes_max.max(1));
        match state.to_server.read(&mut buffer[..size])? {
            0 if state.is_finished => Ok(0),
            0 => Err(ErrorKind::WouldBlock.into()),
            size => Ok(size),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.borrow_mut();
        assert!(!state.is_ended, "nothing is written after the end of the stream");
        let size = bytes.len().min(state.call_bytes_max);
        if size == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        state.to_client.extend(&bytes[..size]);
        Ok(size)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for Line {
    fn end_write(&mut self) -> io::Result<()> {
        self.0.borrow_mut().is_ended = true;
        Ok(())
    }
}

static IDENTITY: LazyLock<Identity> = LazyLock::new(|| {
    let directory = std::env::temp_dir().join(format!("pychat-transport-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let identity = Identity::load(&IdentityPlace::Own(directory.clone()));
    std::fs::remove_dir_all(&directory).unwrap();
    identity.unwrap()
});

/// A peer and the server's end of the line between them.
struct Pair {
    line: Line,
    client: ClientConnection,
    pin: Pin,
    server: Connection<Line>,
    heard: Vec<Vec<u8>>,
}

impl Pair {
    fn new(call_bytes_max: usize) -> Self {
        let line = Line::default();
        line.0.borrow_mut().call_bytes_max = call_bytes_max;
        let (client, pin) = Handshake::default().begin();
        let transport = Transport::new(line.clone(), Some(Arc::clone(&IDENTITY.config)));
        Self { line, client, pin, server: Connection::new(transport, 1 << 20), heard: Vec::new() }
    }

    /// Moves what the client wants written.
    fn client_writes(&mut self) {
        while self.client.wants_write() {
            self.client.write_tls(&mut self.line.0.borrow_mut().to_server).unwrap();
        }
    }

    /// Moves what was written to the client; returns what it hears.
    fn client_reads(&mut self) -> Vec<u8> {
        let mut heard = Vec::new();
        while !self.line.0.borrow().to_client.is_empty() {
            self.client.read_tls(&mut self.line.0.borrow_mut().to_client).unwrap();
            self.client.process_new_packets().unwrap();
            match self.client.reader().read_to_end(&mut heard) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => (),
                result => _ = result.unwrap(),
            }
        }
        heard
    }

    fn server_reads(&mut self) -> io::Result<Filled> {
        self.server.set_ready(true, true);
        let heard = &mut self.heard;
        let Fill { end, .. } = self.server.fill(&mut [0; 256], |payload| {
            heard.push(payload.to_vec());
            std::ops::ControlFlow::Continue(())
        })?;
        match end {
            Filled::TlsWanted => self.server.start_tls()?,
            Filled::Secured(_) | Filled::Drained | Filled::Eof => (),
            end => panic!("{end:?}"),
        }
        self.server.flush()?;
        Ok(end)
    }

    /// Goes on until the handshake is over.
    fn shake_hands(&mut self) {
        let mut is_secured = false;
        for _ in 0..100_000 {
            self.client_writes();
            is_secured |= matches!(self.server_reads().unwrap(), Filled::Secured(_));
            self.client_reads();
            if is_secured && !self.client.is_handshaking() {
                assert_eq!(self.pin.get(), IDENTITY.pin.to_string());
                return;
            }
        }
        panic!("the handshake does not end");
    }
}

#[test]
fn words_pass_both_ways_however_few_bytes_move_at_a_time() {
    for call_bytes_max in [1, 7, 1_000, usize::MAX] {
        let mut pair = Pair::new(call_bytes_max);
        pair.server.owe(b"5:plain");
        pair.shake_hands();
        assert!(!pair.server.transport().offers_tls() && pair.server.transport().is_tls());
        pair.client.writer().write_all(b"2:hi3:you").unwrap();
        pair.server.owe(&vec![b'x'; 40_000]);
        let mut heard = Vec::new();
        while pair.heard.len() < 2 || heard.len() < 40_000 {
            pair.client_writes();
            pair.server_reads().unwrap();
            heard.extend(pair.client_reads());
        }
        assert_eq!(
            (heard, &pair.heard[..]),
            (vec![b'x'; 40_000], &[b"hi".to_vec(), b"you".to_vec()][..])
        );
        assert_eq!(pair.server.backlog(), 0);
    }
}

#[test]
fn both_ends_of_a_connection_know_its_binding_and_nobody_else_does() {
    let [mut pair, mut other] = [(); 2].map(|()| Pair::new(usize::MAX));
    assert_eq!(pair.server.transport().binding().unwrap(), [0; 32], "without TLS");
    pair.shake_hands();
    other.shake_hands();
    let theirs = tls::binding(&pair.client);
    assert_eq!(pair.server.transport().binding().unwrap(), theirs);
    assert_ne!(other.server.transport().binding().unwrap(), theirs);
}

#[test]
fn what_waits_for_the_socket_is_owed() {
    let mut pair = Pair::new(usize::MAX);
    pair.shake_hands();
    pair.line.0.borrow_mut().call_bytes_max = 0;
    pair.server.deliver(&vec![b'x'; 100_000]).unwrap();
    let backlog = pair.server.backlog();
    assert!((100_000..101_000).contains(&backlog), "{backlog}");
    assert!(pair.server.transport().buffered() < 17_000 && pair.server.wants_write());
    pair.line.0.borrow_mut().call_bytes_max = usize::MAX;
    pair.server.set_ready(false, true);
    pair.server.flush().unwrap();
    assert_eq!((pair.server.backlog(), pair.client_reads().len()), (0, 100_000));
}

#[test]
fn the_end_is_told_before_the_socket_ends() {
    let mut pair = Pair::new(usize::MAX);
    pair.shake_hands();
    pair.server.owe(b"3:bye");
    pair.server.close_gently();
    pair.line.0.borrow_mut().call_bytes_max = 0;
    pair.server.flush().unwrap();
    assert!(!pair.line.0.borrow().is_ended && pair.server.wants_write());
    pair.line.0.borrow_mut().call_bytes_max = 5;
    for _ in 0..100 {
        pair.server.set_ready(false, true);
        pair.server.flush().unwrap();
    }
    assert!(pair.line.0.borrow().is_ended && !pair.server.wants_write());
    assert_eq!(pair.client_reads(), b"3:bye");
    assert!(pair.client.process_new_packets().unwrap().peer_has_closed());
}

#[test]
fn a_stream_may_end_with_a_notice_or_without() {
    for is_told in [true, false] {
        let mut pair = Pair::new(usize::MAX);
        pair.shake_hands();
        pair.client.writer().write_all(b"4:last").unwrap();
        if is_told {
            pair.client.send_close_notify();
        }
        pair.client_writes();
        pair.line.0.borrow_mut().is_finished = !is_told;
        assert_eq!(pair.server_reads().unwrap(), Filled::Eof, "told: {is_told}");
        assert_eq!(pair.heard, [b"last"]);
    }
}

#[test]
fn bytes_that_are_no_tls_end_the_connection_with_an_alert() {
    let mut pair = Pair::new(usize::MAX);
    pair.line.0.borrow_mut().to_server.extend(b"\x16\x03\x01\x00\x04\x63\x00\x00\x00");
    let error = pair.server_reads().and_then(|_| pair.server_reads()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let alert = pair.line.0.borrow_mut().to_client.pop_front();
    assert_eq!(alert, Some(0x15), "an alert");
}

#[test]
fn tls_begins_with_the_first_byte_or_never() {
    let mut pair = Pair::new(usize::MAX);
    pair.line.0.borrow_mut().to_server.extend(b"2:hi");
    assert_eq!(pair.server_reads().unwrap(), Filled::Drained);
    pair.line.0.borrow_mut().to_server.extend([0x16]);
    pair.server.set_ready(true, false);
    let filled = pair.server.fill(&mut [0; 256], |_| std::ops::ControlFlow::Continue(())).unwrap();
    assert!(matches!(filled.end, Filled::BadFrame(_)), "{filled:?}");
}
