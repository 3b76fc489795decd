//! A connection over a socket that does what the test says, call by call.

use std::{
    collections::VecDeque,
    io::{Read, Write},
};

use super::*;

/// A socket that answers from these lists, in order; after that it would block.
#[derive(Debug, Default)]
struct Scripted {
    reads: VecDeque<io::Result<Vec<u8>>>,
    writes: VecDeque<io::Result<usize>>,
    read_calls: usize,
    written: Vec<Vec<u8>>,
    finished: bool,
}

impl Read for Scripted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_calls += 1;
        let bytes = self.reads.pop_front().unwrap_or(Err(ErrorKind::WouldBlock.into()))?;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

impl Write for Scripted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.push(bytes.to_vec());
        let size = self.writes.pop_front().unwrap_or(Err(ErrorKind::WouldBlock.into()))?;
        Ok(size.min(bytes.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for Scripted {
    fn end_write(&mut self) -> io::Result<()> {
        self.finished = true;
        Ok(())
    }
}

fn reading(reads: Vec<io::Result<Vec<u8>>>) -> Connection<Scripted> {
    Connection::new(Scripted { reads: reads.into(), ..Scripted::default() }.into(), 100)
}

fn writing(writes: Vec<io::Result<usize>>) -> Connection<Scripted> {
    Connection::new(Scripted { writes: writes.into(), ..Scripted::default() }.into(), 100)
}

fn fill(connection: &mut Connection<Scripted>) -> (Vec<Vec<u8>>, Filled) {
    let mut payloads = Vec::new();
    let mut scratch = [0; 4 << 10];
    let filled = connection.fill(&mut scratch, |payload| {
        payloads.push(payload.to_vec());
        if payload == b"hold" { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    (payloads, filled.unwrap().end)
}

#[test]
fn reads_until_it_would_block_and_then_not_before_an_edge() {
    let interrupted = Err(ErrorKind::Interrupted.into());
    let mut connection = reading(vec![Ok(b"2:{".to_vec()), interrupted, Ok(b"}1:x".to_vec())]);
    assert_eq!(fill(&mut connection), (vec![b"{}".to_vec(), b"x".to_vec()], Filled::Drained));
    assert_eq!(connection.transport.socket_mut().read_calls, 4);

    connection.transport.socket_mut().reads.push_back(Ok(b"1:y".to_vec()));
    assert_eq!(fill(&mut connection), (vec![], Filled::Drained), "readable has fallen");
    connection.set_ready(false, true);
    assert_eq!(fill(&mut connection), (vec![], Filled::Drained), "the wrong edge");
    connection.set_ready(true, false);
    assert_eq!(fill(&mut connection), (vec![b"y".to_vec()], Filled::Drained));
}

#[test]
fn who_used_up_its_budget_stays_readable() {
    let reads = READ_BUDGET_BYTES / (4 << 10);
    let mut connection = reading((0..=reads).map(|_| Ok(vec![b' '; 4 << 10])).collect());
    assert_eq!(fill(&mut connection), (vec![], Filled::Budget));
    assert_eq!(connection.transport.socket_mut().read_calls, reads);
    assert_eq!(fill(&mut connection), (vec![], Filled::Drained), "without another edge");
    assert_eq!(connection.transport.socket_mut().read_calls, reads + 2);
}

#[test]
fn the_end_of_the_stream_is_told_once() {
    let mut connection = reading(vec![Ok(b"1:x".to_vec()), Ok(vec![])]);
    assert_eq!(fill(&mut connection), (vec![b"x".to_vec()], Filled::Eof));
    connection.set_ready(true, true);
    assert_eq!(fill(&mut connection), (vec![], Filled::Drained));
    assert_eq!(connection.transport.socket_mut().read_calls, 2);
}

#[test]
fn payloads_before_a_broken_frame_count() {
    let mut connection = reading(vec![Ok(b"1:xoops".to_vec())]);
    let broken = Filled::BadFrame(FrameError::BadPrefix { byte: b'o' });
    assert_eq!(fill(&mut connection), (vec![b"x".to_vec()], broken));
}

#[test]
fn what_was_read_and_not_wanted_comes_first_at_the_next_turn() {
    let mut connection = reading(vec![Ok(b"1:a4:hold1:b4:hold1".to_vec()), Ok(b":c".to_vec())]);
    let payloads = |texts: &[&[u8]]| texts.iter().map(|text| text.to_vec()).collect::<Vec<_>>();
    assert_eq!(fill(&mut connection), (payloads(&[b"a", b"hold"]), Filled::Held));
    assert_eq!(fill(&mut connection), (payloads(&[b"b", b"hold"]), Filled::Held));
    assert_eq!(connection.transport.socket_mut().read_calls, 1, "nothing more is read meanwhile");
    assert_eq!(fill(&mut connection), (payloads(&[b"c"]), Filled::Drained));
    assert_eq!(connection.held.capacity(), 0);
}

#[test]
fn a_reset_is_an_error_either_way() {
    let reset = || ErrorKind::ConnectionReset.into();
    let mut connection = reading(vec![Err(reset())]);
    let error = connection.fill(&mut [0; 10], |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let mut connection = writing(vec![Err(reset())]);
    connection.owe(b"x");
    assert_eq!(connection.flush().unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn all_that_is_owed_leaves_in_one_write() {
    let mut connection = writing(vec![Ok(100)]);
    connection.owe(b"1:x");
    connection.owe(b"1:y");
    connection.flush().unwrap();
    connection.flush().unwrap();
    assert_eq!(connection.transport.socket_mut().written, [b"1:x1:y"]);
}

#[test]
fn what_the_socket_did_not_take_waits_for_an_edge() {
    let mut connection = writing(vec![Ok(2), Err(ErrorKind::Interrupted.into())]);
    connection.owe(b"abcdef");
    connection.flush().unwrap();
    assert_eq!((connection.backlog(), connection.transport.socket_mut().written.len()), (4, 3));

    connection.transport.socket_mut().writes.push_back(Ok(4));
    connection.set_ready(true, false);
    connection.flush().unwrap();
    assert_eq!(connection.backlog(), 4, "the wrong edge");
    connection.set_ready(false, true);
    connection.flush().unwrap();
    assert_eq!(connection.backlog(), 0);
    assert_eq!(connection.transport.socket_mut().written.last().unwrap(), b"cdef");
}

#[test]
fn a_closing_connection_flushes_then_ends_its_stream_then_waits_for_the_peers_end() {
    let mut connection = writing(vec![Ok(2)]);
    connection.owe(b"abc");
    connection.close_gently();
    connection.flush().unwrap();
    assert!(!connection.transport.socket_mut().finished && !connection.is_lingering());
    connection.owe(b"late");
    connection.deliver(b"late").unwrap();
    assert_eq!(connection.backlog(), 1, "nothing follows the last word");
    connection.transport.socket_mut().writes.push_back(Ok(1));
    connection.set_ready(false, true);
    connection.flush().unwrap();
    assert!(
        connection.transport.socket_mut().finished
            && connection.is_lingering()
            && !connection.is_over()
    );

    connection.transport.socket_mut().reads.extend([Ok(b"1:x-garbage".to_vec()), Ok(vec![])]);
    assert_eq!(fill(&mut connection), (vec![], Filled::Eof), "what arrives now is dropped");
    assert!(connection.is_over());
    connection.owe(b"late");
    assert_eq!(connection.backlog(), 0);
}

#[test]
fn an_aborted_connection_owes_nothing() {
    let mut connection = writing(vec![]);
    connection.owe(b"abc");
    connection.abort();
    connection.close_gently();
    assert!(connection.is_over());
    assert_eq!(connection.backlog(), 0);
}
