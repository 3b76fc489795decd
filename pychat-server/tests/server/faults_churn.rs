//! Much of everything: callers without end, a stop under full load, and nobody who reads the log.

use std::{
    env, fs,
    io::{BufRead, BufReader, ErrorKind, Write},
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread,
};

use crate::process::{
    GOODBYE, Message, Peer, Server, exit_code, joined, left, program, signal, text, wait_until,
};

/// The number of peers that call and hang up before memory is measured.
const WARM_UP: usize = 10_000;

/// The number that do so in all; `PYCHAT_CALLS=1000000` makes it as many.
const CALLS: usize = 100_000;

/// The most memory that a server may gain over any number of calls, in KiB: what the allocator
/// retains. A leak of as little as 40 bytes a call is more, in a hundred thousand.
const RESIDENT_SLACK_KIB: usize = 2 << 10;

#[test]
fn who_calls_and_hangs_up_leaves_nothing_behind() {
    let calls = env::var("PYCHAT_CALLS").map_or(CALLS, |calls| calls.parse().unwrap());
    let server = Server::start();
    let mut anna = Peer::join(server.address(), "Анна", &[]);
    let base = server.descriptors();
    let mut warm = 0;
    for call in 1..=calls.max(2 * WARM_UP) {
        let peer = Peer::connect(server.address());
        // Mostly resets, or this machine would run out of ports.
        if call % 10 == 0 {
            drop(peer);
        } else {
            peer.reset();
        }
        if call % 200 == 0 {
            anna.say("есть кто?"); // And the server has caught up.
            anna.hears("Вы", "есть кто?");
            server.wait_for_descriptors(base);
        }
        if call == WARM_UP {
            warm = server.resident_kib();
        }
    }
    server.wait_for_descriptors(base);
    let resident = server.resident_kib();
    assert!(resident <= warm + RESIDENT_SLACK_KIB, "{warm} KiB became {resident} KiB");
    // Each is logged, or counted among the lines that came too fast for this test to read; how many
    // those are is said with the next line, so that somebody has to call once more.
    let mut earlier = calls;
    wait_until("who called is not in the log", || {
        let logged = server.log().lines().iter().map(|line| guests(line)).sum::<usize>();
        let is_complete = earlier <= logged;
        Peer::connect(server.address()).reset();
        earlier += 1;
        is_complete
    });
}

/// Returns how many guests' leaving `line` tells of, or how many lines it says are missing.
fn guests(line: &str) -> usize {
    let missing = line.strip_prefix('(').and_then(|line| line.split_once(" lines are missing"));
    match missing {
        Some((lines, _)) => lines.parse().unwrap(),
        None => usize::from(line.starts_with("INFO a guest left from ")),
    }
}

#[test]
fn a_stop_under_full_load_tears_no_frame() {
    const TALKERS: usize = 20;
    const HEARD_MIN: usize = 2_000;
    let mut server = Server::start();
    let names: Vec<_> = (0..TALKERS).map(|number| format!("n{number}")).collect();
    let mut talkers = Vec::new();
    for number in 0..TALKERS {
        let before: Vec<_> = names[..number].iter().map(String::as_str).collect();
        talkers.push(Peer::join(server.address(), &names[number], &before));
    }
    let heard = Arc::new(Mutex::new(vec![0; TALKERS]));
    let talkers = talkers.into_iter().enumerate().map(|(number, peer)| {
        let heard = Arc::clone(&heard);
        thread::spawn(move || {
            talk_until_the_end(peer, |count| heard.lock().unwrap()[number] = count)
        })
    });
    let talkers: Vec<_> = talkers.collect();
    wait_until("they do not talk", || heard.lock().unwrap().iter().all(|heard| HEARD_MIN < *heard));
    server.signal("TERM");
    let in_flight = talkers.into_iter().map(|talker| talker.join().unwrap()).sum::<usize>();
    assert!(0 < in_flight, "the load was over before the stop");
    assert_eq!(server.exit_code(), Some(0));
    assert_eq!(server.whole_log().last().unwrap(), "INFO stopped");
}

/// Talks without a pause, a window of texts at a time, and hears the goodbye and then the end.
/// Returns how many of its texts were not heard any more.
fn talk_until_the_end(mut peer: Peer, mut on_heard: impl FnMut(usize)) -> usize {
    const WINDOW: usize = 50;
    let (mut heard, mut said, mut own) = (0, 0, 0);
    let goodbye = Message::notice(GOODBYE);
    loop {
        if said - own <= WINDOW / 2 {
            peer.send(text(&"слово ".repeat(20)).repeat(WINDOW));
            said += WINDOW;
        }
        let message = peer.message(); // Whole, or this panics.
        if message == goodbye {
            peer.hears_the_end();
            return said - own;
        }
        own += usize::from(message.author == "Вы");
        heard += 1;
        on_heard(heard);
    }
}

#[test]
fn a_log_that_nobody_can_read_any_more_changes_nothing() {
    let mut process = program().arg("--listen=127.0.0.1:0").spawn().unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap());
    let address = listening(&mut log);
    drop(log);
    let stderr = format!("/proc/{}/fd/2", process.id());
    wait_until("somebody reads the log", || {
        let mut stderr = fs::OpenOptions::new().write(true).open(&stderr).unwrap();
        stderr.write(b"?").is_err_and(|error| error.kind() == ErrorKind::BrokenPipe)
    });

    let [mut anna, mut boris] = Peer::room(address, ["Анна", "Борис"]);
    for number in 0..100 {
        let content = number.to_string();
        boris.say(&content);
        boris.hears("Вы", &content);
        anna.hears("Борис", &content);
        let mut vera = Peer::join(address, "Вера", &["Анна", "Борис"]);
        vera.say("и мне");
        vera.hears("Вы", "и мне");
        vera.reset();
        for peer in [&mut anna, &mut boris] {
            peer.is_told(&joined("Вера"));
            peer.hears("Вера", "и мне");
            peer.is_told(&left("Вера"));
        }
    }
    signal("TERM", process.id());
    for mut peer in [anna, boris] {
        peer.is_told(GOODBYE);
        peer.hears_the_end();
    }
    assert_eq!(exit_code(&mut process), Some(0));
}

#[test]
fn a_log_that_nobody_reads_for_now_stops_nobody() {
    const CALLS: usize = 3_000; // More lines than a pipe holds.
    let mut process =
        program().args(["--listen=127.0.0.1:0", "--connections-per-address=0"]).spawn().unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap());
    let address = listening(&mut log);
    let mut anna = Peer::join(address, "Анна", &[]);
    for call in 1..=CALLS {
        Peer::connect(address).reset();
        if call % 500 == 0 {
            anna.say("слышно?");
            anna.hears("Вы", "слышно?");
        }
    }
    signal("TERM", process.id());
    anna.is_told(GOODBYE);
    anna.hears_the_end();
    drop(anna);
    assert_eq!(exit_code(&mut process), Some(0));
    let told = log.lines().filter(|line| line.as_ref().unwrap().contains(" a guest left ")).count();
    assert!((1..CALLS).contains(&told), "{told} lines: the pipe was never full");
}

/// Reads where the server listens, and no further.
fn listening(log: &mut impl BufRead) -> SocketAddr {
    loop {
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        if let Some((_, address)) = line.trim().split_once("listening on ") {
            return address.parse().unwrap();
        }
    }
}
