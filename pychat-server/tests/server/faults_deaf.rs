//! Readers who never read, few and many, among a hundred who do.

use std::{collections::BTreeSet, net::TcpStream};

use serde_json::json;
use socket2::{Domain, Socket, Type};

use crate::process::{GREETING, Peer, Server, frame, hello, joined, left, welcome};

const READERS: usize = 100;
const CONTENT_BYTES: usize = 20_000;

/// More than any kernel keeps for somebody who does not read, in bytes.
const SAID_BYTES_MAX: usize = 50 << 20;

/// The receive buffer of a deaf peer in its own kernel, in bytes: small, so that it shows soon.
const DEAF_BYTES: usize = 4 << 10;

#[test]
fn one_who_never_reads_is_cut_and_a_hundred_hear_everything() {
    check(1);
}

#[test]
fn ten_who_never_read_are_cut_and_a_hundred_hear_everything() {
    check(10);
}

#[test]
fn fifty_who_never_read_are_cut_and_a_hundred_hear_everything() {
    check(50);
}

#[track_caller]
fn check(deaf: usize) {
    let flags = ["--flood=off", "--connections-per-address=0", "--backlog-max=256KiB"];
    let server = Server::with(&flags);
    let mut names = Vec::new();
    let mut readers: Vec<_> = (0..READERS).map(|n| join(&server, &mut names, n, false)).collect();
    let silent: Vec<_> =
        (READERS..READERS + deaf).map(|number| join(&server, &mut names, number, true)).collect();
    let mut missing: BTreeSet<_> =
        names[READERS..].iter().map(|name| notice(&left(name))).collect();
    let gone: Vec<_> = names[READERS..].iter().zip(silent.iter().map(Peer::address)).collect();
    let last = notice(&joined(names.last().expect("somebody")));
    while readers[0].payload().as_ref() != Some(&last) {} // Everybody is announced, in order.
    hear_until(&mut readers, &names, 0, "все здесь");

    let (mut said, mut texts_after) = (0, 0);
    while !missing.is_empty() || texts_after < 10 {
        assert!(said < SAID_BYTES_MAX, "{} are never cut", missing.len());
        let content = format!("{said} {}", "x".repeat(CONTENT_BYTES));
        let speaker = said / CONTENT_BYTES % READERS;
        for departed in hear_until(&mut readers, &names, speaker, &content) {
            assert!(missing.remove(&departed), "told for no cause, or twice: {departed}");
        }
        said += content.len();
        texts_after += usize::from(missing.is_empty());
    }
    for (name, address) in gone {
        server.log().wait_for_line(&format!("INFO {name:?} left from {address}: slow"));
    }
    drop(silent);
}

/// Joins as the next in the room; who is deaf reads no further than its welcome.
fn join(server: &Server, names: &mut Vec<String>, number: usize, is_deaf: bool) -> Peer {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    if is_deaf {
        socket.set_recv_buffer_size(DEAF_BYTES).unwrap();
    }
    socket.connect(&server.address().into()).unwrap();
    let mut peer = Peer::over(TcpStream::from(socket));
    let name = format!("n{number}");
    peer.is_told(GREETING);
    peer.send(hello(&name));
    peer.is_told(&welcome(&name, &names.iter().map(String::as_str).collect::<Vec<_>>()));
    names.push(name);
    peer
}

/// The reader `speaker` says `content`, and everybody hears on until that. Returns what they heard
/// besides, which must be the same for all of them.
#[track_caller]
fn hear_until(
    readers: &mut [Peer],
    names: &[String],
    speaker: usize,
    content: &str,
) -> Vec<String> {
    let own = message("Вы", content);
    let others = message(&names[speaker], content);
    readers[speaker].say(content);
    let mut besides: Option<Vec<String>> = None;
    for (number, reader) in readers.iter_mut().enumerate() {
        let last = if number == speaker { &own } else { &others };
        let mut heard = Vec::new();
        loop {
            let payload = reader.payload().expect("who reads is not cut");
            if payload == *last {
                break;
            }
            heard.push(payload);
        }
        // At first, who came later has heard of fewer who came.
        if content.len() < CONTENT_BYTES {
            continue;
        }
        let besides = besides.get_or_insert_with(|| heard.clone());
        assert_eq!(*besides, heard, "{} hears something else", names[number]);
    }
    besides.unwrap_or_default()
}

fn message(author: &str, content: &str) -> String {
    let framed = frame(&json!({ "content": content }).to_string());
    let content = framed.split_once("\"content\":").unwrap().1;
    format!(r#"{{"type":"message","username":"{author}","content":{content}"#)
}

fn notice(content: &str) -> String {
    message("Сервер Чата", content)
}
